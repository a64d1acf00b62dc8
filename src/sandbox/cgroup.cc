// One Group is one directory per hierarchy. Version 1: memory, pids, cpuacct and cpu each have a tree of their own, or share one,
// and on a hybrid host the version 2 tree has no controllers but still kills a whole group in one write. Version 2 alone: one tree,
// in which a group passes controllers on to its children or holds processes, never both.
#include "sandbox/cgroup.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sandbox/pressure.hh"
#include "sandbox/process.hh"
#include "sys/error.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

constexpr std::int64_t cpu_period_us = 100'000;
constexpr std::string_view loop_devices = "7:";
constexpr std::int64_t reserve_pages = 64;  // that the kernel takes from a group at once, for each processor

std::int64_t number_in(std::string_view text) { return to_number(text).value_or(0); }

// The value of `key` in lines of "key value".
std::optional<std::int64_t> field_in(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) return to_number(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

}  // namespace

// What is born in a group whose members were killed once is killed as well, by some kernels (6.18).
bool Group::Place::lasting() const {
    return !opened->killed && !serves(Controller::memory) && !serves(Controller::pids) && !serves(Controller::io);
}

// Of memory and processes, version 1: nothing was refused, never more than one task was in it, so that the most of the next command is
// its own; and of memory no more is left than what the kernel has in reserve, from where the peak begins anew.
bool Group::is_blank(const Place& place) const {
    if (place.version != 1) return false;
    if (place.serves(Controller::pids) && (processes_peak() != 1 || processes_hit())) return false;
    if (!place.serves(Controller::memory)) return true;
    pollfd out_of_memory{place.opened->ooms.get(), POLLIN, 0};
    return ::poll(&out_of_memory, 1, 0) == 0 && oom_kills() == 0 && memory_usage_bytes() <= reserve_bytes() &&
           write({&place, "memory.max_usage_in_bytes"}, "0").has_value();
}

Result<Group::Place> Group::open(Hierarchy hierarchy) {
    auto opened = std::make_shared<Opened>();
    opened->directory = sys::Fd{::open(hierarchy.own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (!opened->directory) return sys::last_error("open", hierarchy.own);
    return Place{{std::move(hierarchy)}, std::move(opened)};
}

Result<Group> Group::make(const std::vector<Hierarchy>& hierarchies, const std::string& path, bool fresh, Group retired) {
    Group group = std::move(retired);
    for (const Hierarchy& hierarchy : hierarchies) {
        if (std::ranges::find(group.places_, hierarchy.mount, &Place::mount) != group.places_.end()) continue;
        Hierarchy place = hierarchy;
        place.own += "/" + path;
        // A hybrid host's version 2 tree has nothing to pass on.
        const bool passes_on = place.version == 2 && std::ranges::any_of(known, [&](const Known& one) { return !one.v2.empty() && place.serves(one.controller); });
        // While a group holds processes it would take some controllers and not others, and nobody could be moved out of it any more.
        if (passes_on && !hierarchy.crowded) open_up(place.own.substr(0, place.own.rfind('/')));
        if (::mkdir(place.own.c_str(), 0755) != 0 && (fresh || errno != EEXIST)) {
            Error error = sys::last_error("mkdir", place.own);
            if (fresh) (void)group.remove(sys::system_clock().now());
            return error;
        }
        if (passes_on) {
            const std::vector<Controller> there = controllers_at(place.own);
            std::erase_if(place.controllers, [&](Controller controller) { return std::ranges::find(there, controller) == there.end(); });
        }
        ASSAY_TRY(Place made, open(std::move(place)));
        group.places_.push_back(std::move(made));
    }
    return group;
}

Result<Group> Group::make_child(const std::string& name, Group retired) const {
    return make({places_.begin(), places_.end()}, name, true, std::move(retired));
}

const Group::Place* Group::find(Controller controller) const {
    const auto found = std::ranges::find_if(places_, [&](const Place& place) { return place.serves(controller); });
    return found == places_.end() ? nullptr : &*found;
}

const Hierarchy* Group::place(Controller controller) const { return find(controller); }
bool Group::has(Controller controller) const { return find(controller) != nullptr; }

Group::Control Group::control(Controller controller, std::string_view v1, std::string_view v2) const {
    const Place* const where = find(controller);
    if (where == nullptr) return {};
    return {where, where->version == 1 ? v1 : v2};
}

void Group::keep_open() {
    for (Place& place : places_) place.opened->keep = true;
}

Result<Group> Group::reopened() const {
    Group same;
    for (const Place& place : places_) {
        ASSAY_TRY(Place opened, open(place));
        same.places_.push_back(std::move(opened));
    }
    same.keep_open();
    return same;
}

const sys::Fd& Group::open_file(const Control& control) const {
    Opened& opened = *control.place->opened;
    auto found = opened.files.find(control.name);
    if (found == opened.files.end()) {
        const std::string name{control.name};
        found = opened.files.emplace(name, sys::Fd{::openat(opened.directory.get(), name.c_str(), O_RDONLY | O_CLOEXEC)}).first;
    }
    return found->second;
}

std::string Group::read(const Control& control) const {
    if (!control) return {};
    if (control.place->opened->keep) return read_open(open_file(control));
    return read_open(sys::Fd{::openat(control.place->opened->directory.get(), std::string{control.name}.c_str(), O_RDONLY | O_CLOEXEC)});
}

Result<> Group::write(const Control& control, std::string_view text) const {
    return write_control(control.path(), text);
}

Result<std::string> Group::set(const Control& control, std::string_view text) const {
    auto& limits = control.place->opened->limits;
    if (const auto last = limits.find(control.name); last != limits.end() && last->second.first == text) return last->second.second;
    const sys::Fd file{
        ::openat(control.place->opened->directory.get(), std::string{control.name}.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) return sys::last_error("open", control.path());
    if (::write(file.get(), text.data(), text.size()) < 0)
        return sys::last_error("write " + std::string{text}, control.path());
    std::string back = read_open(file);
    limits.insert_or_assign(std::string{control.name}, std::pair{std::string{text}, back});
    return back;
}

bool Group::exists(const Control& control) const {
    return ::faccessat(control.place->opened->directory.get(), std::string{control.name}.c_str(), F_OK, 0) == 0;
}

int Group::birthplace() const {
    const Place* const where = find(Controller::unified);
    return where == nullptr ? -1 : where->opened->directory.get();
}

Result<> Group::enter(int pid) const {
    for (const Place& place : places_) {
        if (!place.serves(Controller::unified)) ASSAY_CHECK(join(place, pid));
    }
    return ok;
}

Result<> Group::occupy(int pid) const {
    const Place* const where = find(Controller::unified);
    if (where == nullptr || where->serves(Controller::memory) || where->serves(Controller::pids)) return ok;
    return join(*where, pid);
}

Result<> Group::join(const Place& place, int pid) const {
    const Control procs{&place, "cgroup.procs"};
    sys::Fd& members = place.opened->members;
    if (!members) members = sys::Fd{::openat(place.opened->directory.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC)};
    if (!members) return sys::last_error("open", procs.path());
    const std::string text = std::to_string(pid);
    if (::write(members.get(), text.data(), text.size()) < 0) return sys::last_error("write " + text, procs.path());
    return ok;
}

Result<std::optional<std::int64_t>> Group::limit_memory(std::int64_t bytes, bool command) const {
    const Control limit = control(Controller::memory, "memory.limit_in_bytes", "memory.max");
    if (!limit) return std::optional<std::int64_t>{};
    const bool second = limit.place->version == 2;
    const std::string text = std::to_string(bytes);
    const Control swap = control(Controller::memory, "memory.memsw.limit_in_bytes", "memory.swap.max");
    Result<std::string> back = set(limit, text);
    if (!back && command && !second) {
        // Version 1 never lets the first be above the second: a higher limit has to begin there, and a lower one to end there.
        (void)set(swap, text);
        back = set(limit, text);
    }
    if (!back) return back.take_error();
    if (command) {
        // A kernel that does not count swap has no such file; check_host says what that means where there is swap.
        if (const Result<std::string> swapped = set(swap, second ? "0" : text); !swapped && swapped.error().fault() != Fault::missing) return swapped.error();
        if (second) ASSAY_CHECK(set({limit.place, "memory.oom.group"}, "1"));
    } else if (!second) {
        ASSAY_CHECK(set({limit.place, "memory.swappiness"}, "0"));  // Those below begin with it.
    }
    const std::optional<std::int64_t> got = to_number(*back);
    if (!got || *got > bytes || *got < bytes / 2) {
        return Error{Fault::unsupported, "the memory limit of " + limit.place->own + " does not read back as it was set"};
    }
    return got;
}

Result<std::optional<std::int64_t>> Group::limit_processes(std::int64_t count) const {
    const Control limit = control(Controller::pids, "pids.max", "pids.max");
    if (!limit) return std::optional<std::int64_t>{};
    ASSAY_TRY(const std::string back, set(limit, std::to_string(count)));
    const std::optional<std::int64_t> got = to_number(back);
    if (got != count) return Error{Fault::unsupported, "the process limit of " + limit.path() + " does not read back as it was set"};
    return got;
}

Result<std::optional<std::int64_t>> Group::limit_cores(std::int64_t count) const {
    const Control limit = control(Controller::cpu, "cpu.cfs_quota_us", "cpu.max");
    if (!limit) return std::optional<std::int64_t>{};
    const bool first = limit.place->version == 1;
    const std::string quota = count > 0 ? std::to_string(count * cpu_period_us) : first ? "-1" : "max";
    const std::string period = std::to_string(cpu_period_us);
    if (first) ASSAY_CHECK(write({limit.place, "cpu.cfs_period_us"}, period));
    ASSAY_TRY(const std::string text, set(limit, first ? quota : quota + " " + period));
    const std::string_view got = trimmed(std::string_view{text}.substr(0, text.find(' ')));
    if (got != quota) return Error{Fault::unsupported, "the CPU quota of " + limit.path() + " does not read back as it was set"};
    return std::optional{count};
}

void Group::set_cpu_weight(int weight) const {
    const Control control_of_weight = control(Controller::cpu, "cpu.shares", "cpu.weight");
    if (!control_of_weight) return;
    if (weight == 0 && write(control(Controller::cpu, "cpu.idle", "cpu.idle"), "1")) return;
    const int wanted = std::max(1, weight);  // Before Linux 5.15 idle is a hundredth of an ordinary group's.
    (void)write(control_of_weight, std::to_string(control_of_weight.place->version == 1 ? wanted * 1024 / 100 : wanted));
}

std::int64_t Group::reserve_bytes() { return sys::online_cpus() * reserve_pages * ::sysconf(_SC_PAGESIZE); }

bool Group::limits_swap() const {
    const Control swap = control(Controller::memory, "memory.memsw.limit_in_bytes", "memory.swap.max");
    if (!swap) return false;
    return exists(swap) || split(trimmed(read_control("/proc/swaps")), '\n').size() <= 1;  // The first line is a heading.
}

Result<int> Group::oom_events() const {
    const Control oom = control(Controller::memory, "memory.oom_control", "");
    if (!oom || oom.place->version == 2) return -1;
    sys::Fd& kept = oom.place->opened->ooms;
    if (kept) return kept.get();
    sys::Fd events{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!events) return sys::last_error("eventfd", "");
    const sys::Fd& watched = open_file(oom);
    if (!watched) return sys::last_error("open", oom.path());
    ASSAY_CHECK(write({oom.place, "cgroup.event_control"}, std::to_string(events.get()) + " " + std::to_string(watched.get())));
    kept = std::move(events);
    return kept.get();
}

// Of the group itself in both versions: what its children's members did is theirs.
std::int64_t Group::oom_kills() const {
    return field_in(read(control(Controller::memory, "memory.oom_control", "memory.events.local")), "oom_kill").value_or(0);
}
std::int64_t Group::memory_usage_bytes() const { return number_in(read(control(Controller::memory, "memory.usage_in_bytes", "memory.current"))); }
std::int64_t Group::memory_peak_bytes() const { return number_in(read(control(Controller::memory, "memory.max_usage_in_bytes", "memory.peak"))); }
std::int64_t Group::processes() const {
    return to_number(read(control(Controller::pids, "pids.current", "pids.current"))).value_or(-1);
}

std::int64_t Group::processes_peak() const { return number_in(read(control(Controller::pids, "pids.peak", "pids.peak"))); }
bool Group::processes_hit() const { return field_in(read(control(Controller::pids, "pids.events", "pids.events")), "max").value_or(0) > 0; }

CpuUsage Group::cpu_usage() const {
    const Place* const where = find(Controller::cpuacct);
    if (where == nullptr) return {};
    if (where->version == 1) {
        return {number_in(read({where, "cpuacct.usage"})), number_in(read({where, "cpuacct.usage_user"})), number_in(read({where, "cpuacct.usage_sys"}))};
    }
    const std::string text = read({where, "cpu.stat"});
    const auto ns = [&](std::string_view key) { return field_in(text, key).value_or(0) * 1000; };
    return {ns("usage_usec"), ns("user_usec"), ns("system_usec")};
}

std::int64_t Group::cpu_used_ns() const {
    const Place* const where = find(Controller::cpuacct);
    return where != nullptr && where->version == 1 ? number_in(read({where, "cpuacct.usage"})) : cpu_usage().total_ns;
}

void Group::open_counters() const {
    (void)(processes() + processes_peak() + oom_kills() + memory_peak_bytes() +
           processes_hit());  // What is read stays open.
}

std::optional<std::int64_t> Group::memory_file_bytes() const {
    const std::string stat = read(control(Controller::memory, "memory.stat", "memory.stat"));
    if (stat.empty()) return std::nullopt;
    const bool second = place(Controller::memory)->version == 2;
    const std::optional<std::int64_t> all = field_in(stat, second ? "file" : "total_cache");
    const std::optional<std::int64_t> shared = field_in(stat, second ? "shmem" : "total_shmem");
    if (!all || !shared) return std::nullopt;
    return std::max<std::int64_t>(0, *all - *shared);
}

std::optional<std::int64_t> Group::memory_refaulted_bytes() const {
    const std::optional<std::int64_t> pages =
        field_in(read(control(Controller::memory, "memory.stat", "memory.stat")), "workingset_refault_file");
    return pages ? std::optional{*pages * ::sysconf(_SC_PAGESIZE)} : std::nullopt;
}

std::optional<std::int64_t> Group::throttled_ns() const {
    const std::string stat = read(control(Controller::cpu, "cpu.stat", "cpu.stat"));
    if (stat.empty()) return std::nullopt;
    if (place(Controller::cpu)->version == 1) return field_in(stat, "throttled_time");
    const std::optional<std::int64_t> throttled_us = field_in(stat, "throttled_usec");
    return throttled_us ? std::optional{*throttled_us * 1000} : std::nullopt;
}

std::optional<Group::Io> Group::io() const {
    const Control stat = control(Controller::io, "", "io.stat");
    if (!stat) return std::nullopt;
    Io sum;
    const std::string text = read(stat);
    for (const std::string_view line : split(text, '\n')) {  // A device and its "key=value" pairs.
        if (line.starts_with(loop_devices)) continue;  // It is there again, of the disk that the device's file lies on.
        for (const std::string_view word : split(line, ' ')) {
            if (word.starts_with("rbytes=")) sum.read_bytes += to_number(word.substr(7)).value_or(0);
            if (word.starts_with("wbytes=")) sum.write_bytes += to_number(word.substr(7)).value_or(0);
        }
    }
    return sum;
}

std::optional<std::int64_t> Group::stalled_us(std::string_view what) const {
    const std::string name = std::string{what} + ".pressure";
    const Control pressure = control(Controller::unified, name, name);
    if (!pressure) return std::nullopt;
    return total_stalled_us(read(pressure));
}

void Group::kill() const {
    const Control all = control(Controller::unified, "", "cgroup.kill");
    if (!all) return;
    all.place->opened->killed = true;
    (void)write(all, "1");
}

namespace {

// Version 2 tells when the last process has left a group. false: it has not by the deadline, or there is nothing to wait for.
bool wait_until_empty(const std::string& directory, sys::TimePoint deadline) {
    const sys::Fd events{::open((directory + "/cgroup.events").c_str(), O_RDONLY | O_CLOEXEC)};
    char text[256];
    for (;;) {
        const ssize_t size = events ? ::pread(events.get(), text, sizeof text, 0) : -1;
        if (size < 0) return false;
        if (std::string_view{text, static_cast<std::size_t>(size)}.contains("populated 0")) return true;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::system_clock().now()).count();
        pollfd wait{events.get(), POLLPRI, 0};
        if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0) return false;
    }
}

}  // namespace

Result<> Group::remove(const Place& place, sys::TimePoint deadline) {
    while (::rmdir(place.own.c_str()) != 0 && errno != ENOENT) {
        if (errno != EBUSY) return sys::last_error("rmdir", place.own);
        if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the group " + place.own + " does not become empty"};
        // Version 1 has no event for it.
        if (place.version == 1 || wait_until_empty(place.own, deadline)) pause_for(retry_every);
    }
    return ok;
}

Result<> Group::remove(sys::TimePoint deadline) const {
    for (const Place& place : places_) ASSAY_CHECK(remove(place, deadline));
    return ok;
}

Result<Group> Group::retire(sys::TimePoint deadline) {
    Group lasting;
    const bool killed = std::ranges::any_of(places_, [](const Place& place) { return place.opened->killed; });
    for (const Place& place : places_) {
        if (place.lasting() || (!killed && is_blank(place))) lasting.places_.push_back(place);
        else ASSAY_CHECK(remove(place, deadline));
    }
    places_.clear();
    return lasting;
}

}  // namespace assay::sandbox
