// One Group is one directory per hierarchy. Version 1: memory, pids, cpuacct and cpu each have a tree of their own, or share one,
// and on a hybrid host the version 2 tree has no controllers but still kills a whole group in one write. Version 2 alone: one tree,
// in which a group passes controllers on to its children or holds processes, never both.
#include "sandbox/cgroup.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "base/text.hh"
#include "sandbox/pressure.hh"
#include "sandbox/process.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t control_bytes_max = 64 << 10;
constexpr int depth_max = 8;
constexpr auto retry_every = std::chrono::milliseconds{1};
constexpr int move_rounds_max = 100;
constexpr std::int64_t cpu_period_us = 100'000;

Result<> write_control(const std::string& path, std::string_view text) {
    const sys::Fd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file) return sys::last_error("open", path);
    if (::write(file.get(), text.data(), text.size()) < 0) return sys::last_error("write " + std::string{text}, path);
    return ok;
}

// Most are a line: what a command waits for should not clear 64 KiB for it.
std::string read_open(const sys::Fd& file) {
    char piece[2048];
    std::string text;
    while (file && text.size() < control_bytes_max) {
        const ssize_t size = ::pread(file.get(), piece, sizeof piece, static_cast<off_t>(text.size()));
        if (size <= 0) break;
        text.append(piece, static_cast<std::size_t>(size));
    }
    return text;
}

sys::Fd open_control(const std::string& path) { return sys::Fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)}; }

std::string read_control(const std::string& path) { return read_open(open_control(path)); }

std::optional<std::int64_t> to_number(std::string_view text) {
    std::int64_t value = 0;
    text = trimmed(text);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::int64_t number_in(std::string_view text) { return to_number(text).value_or(0); }

// The value of `key` in lines of "key value".
std::optional<std::int64_t> field_in(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) return to_number(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

bool lists(std::string_view words, char between, std::string_view word) {
    const auto all = split(words, between);
    return std::ranges::find(all, word) != all.end();
}

struct Known {
    Controller controller;
    std::string_view v1;       // its name; empty: not of this version
    std::string_view v2;
};
constexpr Known known[] = {
    {Controller::memory, "memory", "memory"}, {Controller::pids, "pids", "pids"}, {Controller::cpu, "cpu", "cpu"},
    {Controller::cpuacct, "cpuacct", ""},     {Controller::io, "", "io"},
};

// What the version 2 group at `directory` has: of itself, and by its parent's leave.
std::vector<Controller> controllers_at(const std::string& directory) {
    std::vector<Controller> found{Controller::unified, Controller::cpuacct};  // Every group of version 2 counts CPU time.
    const std::string text = read_control(directory + "/cgroup.controllers");
    for (const Known& one : known) {
        if (!one.v2.empty() && lists(trimmed(text), ' ', one.v2)) found.push_back(one.controller);
    }
    return found;
}

// Leave for the children of `directory`; what is refused will be missing in them, and they say so.
void open_up(const std::string& directory) {
    const std::string offered = read_control(directory + "/cgroup.controllers");
    const std::string given = read_control(directory + "/cgroup.subtree_control");
    for (const Known& one : known) {
        if (one.v2.empty() || !lists(trimmed(offered), ' ', one.v2) || lists(trimmed(given), ' ', one.v2)) continue;
        (void)write_control(directory + "/cgroup.subtree_control", "+" + std::string{one.v2});
    }
}

bool has_processes(const std::string& directory) { return !trimmed(read_control(directory + "/cgroup.procs")).empty(); }
bool is_root_group(const std::string& directory) { return ::access((directory + "/cgroup.type").c_str(), F_OK) != 0; }
bool is_delegated(const std::string& directory) {
    char value[2] = {};
    return std::ranges::any_of(std::to_array({"trusted.delegate", "user.delegate"}), [&](const char* name) {
        return ::getxattr(directory.c_str(), name, value, sizeof value) == 1 && value[0] == '1';
    });
}

// Where on version 2 our groups can be made: in the group this process is in, when it is the root, is given to us to divide, or is
// all that a container shows; else in the nearest above it that holds no processes, of those that limit the most.
void choose_place(Hierarchy& hierarchy) {
    const auto offered_at = [](const std::string& directory) {
        return std::ranges::count_if(controllers_at(directory), [](Controller controller) {
            return controller == Controller::memory || controller == Controller::pids || controller == Controller::cpu;
        });
    };
    hierarchy.crowded = has_processes(hierarchy.home) && !is_root_group(hierarchy.home);
    if (!hierarchy.crowded || is_delegated(hierarchy.home) || hierarchy.home == hierarchy.mount) return;
    std::ptrdiff_t most = 0;
    for (std::string at = hierarchy.home; at.size() > hierarchy.mount.size();) {
        at.resize(at.rfind('/'));
        if (!is_root_group(at) && has_processes(at)) continue;
        const std::ptrdiff_t offered = offered_at(at);
        if (offered <= most || ::access(at.c_str(), W_OK) != 0) continue;
        most = offered;
        hierarchy.own = at;
        hierarchy.crowded = false;
    }
    // A tree without controllers, as on a hybrid host: groups may stand beside processes, and nobody need move.
    if (offered_at(hierarchy.home) == 0) hierarchy.crowded = false;
}

void subtree(const std::string& root, int depth, std::vector<std::string>& into) {
    if (depth > depth_max) return;
    Result<std::vector<std::string>> names = sys::list_directory(root);
    if (!names) return;
    for (const std::string& name : *names) {
        struct stat info{};
        const std::string path = root + "/" + name;
        if (::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) subtree(path, depth + 1, into);
    }
    into.push_back(root);  // Children first.
}

}  // namespace

bool Hierarchy::serves(Controller controller) const { return std::ranges::find(controllers, controller) != controllers.end(); }

std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view cgroup) {
    std::vector<Hierarchy> found;
    const auto served = [&](Controller controller) { return std::ranges::any_of(found, [&](const Hierarchy& h) { return h.serves(controller); }); };
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == line.npos) continue;
        const auto left = split(line.substr(0, dash), ' ');
        const auto right = split(line.substr(dash + 3), ' ');
        if (left.size() < 5 || right.size() < 3) continue;
        const bool second = right[0] == "cgroup2";
        if (!second && right[0] != "cgroup") continue;
        Hierarchy hierarchy{.version = second ? 2 : 1, .mount = std::string{left[4]}, .own = {}, .home = {}, .controllers = {}};
        if (second && !served(Controller::unified)) hierarchy.controllers = {Controller::unified};
        for (const Known& one : known) {
            if (!second && !one.v1.empty() && lists(right[2], ',', one.v1) && !served(one.controller)) hierarchy.controllers.push_back(one.controller);
        }
        if (hierarchy.controllers.empty()) continue;
        for (const std::string_view entry : split(cgroup, '\n')) {  // id:controllers:path
            const std::size_t first = entry.find(':');
            const std::size_t next = first == entry.npos ? entry.npos : entry.find(':', first + 1);
            if (next == entry.npos) continue;
            const std::string_view names = entry.substr(first + 1, next - first - 1);
            const bool its = second ? names.empty() : std::ranges::any_of(known, [&](const Known& one) {
                return hierarchy.serves(one.controller) && lists(names, ',', one.v1);
            });
            if (!its) continue;
            std::string_view path = entry.substr(next + 1);
            // A container may see only a part of the tree: its root is then the path's beginning.
            if (left[3] != "/") path = path.starts_with(left[3]) ? path.substr(left[3].size()) : "";
            if (path == "/" || path.contains("/..")) path = "";
            hierarchy.own = hierarchy.home = hierarchy.mount + std::string{path};
            found.push_back(std::move(hierarchy));
            break;
        }
    }
    for (Hierarchy& hierarchy : found) {
        if (hierarchy.version == 1) continue;
        choose_place(hierarchy);
        for (const Controller controller : controllers_at(hierarchy.own)) {
            if (!served(controller)) hierarchy.controllers.push_back(controller);
        }
    }
    return found;
}

std::vector<Hierarchy> find_hierarchies() {
    std::vector<Hierarchy> found = find_hierarchies(read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
    std::erase_if(found, [](const Hierarchy& hierarchy) { return ::access(hierarchy.own.c_str(), W_OK) != 0; });
    return found;
}

Result<> make_room(std::vector<Hierarchy>& hierarchies) {
    for (Hierarchy& hierarchy : hierarchies) {
        if (!hierarchy.crowded) continue;
        const std::string leaf = hierarchy.own + "/assay-outside";
        if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return sys::last_error("mkdir", leaf);
        for (int round = 0; has_processes(hierarchy.own); ++round) {  // Again: they may fork while we move them.
            if (round == move_rounds_max) return Error{Fault::busy, "the processes of " + hierarchy.own + " do not let themselves be moved"};
            const std::string members = read_control(hierarchy.own + "/cgroup.procs");
            for (const std::string_view pid : split(members, '\n')) {
                if (!pid.empty()) (void)write_control(leaf + "/cgroup.procs", pid);  // It may have ended.
            }
        }
        hierarchy.home = leaf;
        hierarchy.crowded = false;
    }
    return ok;
}

Result<Group> Group::make(const std::vector<Hierarchy>& hierarchies, const std::string& path, bool fresh) {
    Group group;
    for (const Hierarchy& hierarchy : hierarchies) {
        Hierarchy place = hierarchy;
        place.own += "/" + path;
        // A hybrid host's version 2 tree has nothing to pass on.
        const bool passes_on = place.version == 2 && std::ranges::any_of(known, [&](const Known& one) { return !one.v2.empty() && place.serves(one.controller); });
        if (passes_on) open_up(place.own.substr(0, place.own.rfind('/')));
        if (::mkdir(place.own.c_str(), 0755) != 0 && (fresh || errno != EEXIST)) {
            Error error = sys::last_error("mkdir", place.own);
            if (fresh) (void)group.remove(sys::system_clock().now());
            return error;
        }
        if (passes_on) {
            const std::vector<Controller> there = controllers_at(place.own);
            std::erase_if(place.controllers, [&](Controller controller) { return std::ranges::find(there, controller) == there.end(); });
        }
        group.places_.push_back(std::move(place));
    }
    return group;
}

Result<Group> Group::make_child(const std::string& name) const { return make(places_, name, true); }

const Hierarchy* Group::place(Controller controller) const {
    const auto found = std::ranges::find_if(places_, [&](const Hierarchy& place) { return place.serves(controller); });
    return found == places_.end() ? nullptr : &*found;
}

bool Group::has(Controller controller) const { return place(controller) != nullptr; }

std::string Group::file(Controller controller, std::string_view v1, std::string_view v2) const {
    const Hierarchy* const where = place(controller);
    if (where == nullptr) return {};
    return where->own + "/" + std::string{where->version == 1 ? v1 : v2};
}

void Group::keep_open() { opened_ = std::make_shared<std::map<std::string, sys::Fd>>(); }

std::string Group::read(const std::string& path) const {
    if (path.empty()) return {};
    if (!opened_) return read_control(path);
    auto found = opened_->find(path);
    if (found == opened_->end()) found = opened_->emplace(path, open_control(path)).first;
    return read_open(found->second);
}

sys::Fd Group::birthplace() const {
    const Hierarchy* const where = place(Controller::unified);
    return where == nullptr ? sys::Fd{} : sys::Fd{::open(where->own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

Result<> Group::enter(int pid) const {
    for (const Hierarchy& place : places_) {
        if (!place.serves(Controller::unified)) ASSAY_CHECK(write_control(place.own + "/cgroup.procs", std::to_string(pid)));
    }
    return ok;
}

Result<> Group::enter_one(Controller controller, int pid) const {
    const Hierarchy* const where = place(controller);
    if (where == nullptr) return ok;
    return write_control(where->own + "/cgroup.procs", std::to_string(pid));
}

Result<> Group::enter_directory(const std::string& group, int pid) { return write_control(group + "/cgroup.procs", std::to_string(pid)); }

Result<std::optional<std::int64_t>> Group::limit_memory(std::int64_t bytes, bool command) const {
    const Hierarchy* const where = place(Controller::memory);
    if (where == nullptr) return std::optional<std::int64_t>{};
    const bool second = where->version == 2;
    const std::string limit = where->own + (second ? "/memory.max" : "/memory.limit_in_bytes");
    const std::string swap = where->own + (second ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
    // Version 1 never lets the first be above the second: a higher limit has to begin there, and a lower one to end there.
    if (command && !second) (void)write_control(swap, std::to_string(bytes));
    ASSAY_CHECK(write_control(limit, std::to_string(bytes)));
    if (command) {
        // A kernel that does not count swap has no such file; check_host says what that means where there is swap.
        if (::access(swap.c_str(), F_OK) == 0) ASSAY_CHECK(write_control(swap, second ? "0" : std::to_string(bytes)));
        ASSAY_CHECK(second ? write_control(where->own + "/memory.oom.group", "1") : write_control(where->own + "/memory.swappiness", "0"));
    }
    std::optional<std::int64_t> got = to_number(read_control(limit));
    if (!got || *got > bytes || *got < bytes / 2) {
        return Error{Fault::unsupported, "the memory limit of " + where->own + " does not read back as it was set"};
    }
    return got;
}

Result<std::optional<std::int64_t>> Group::limit_processes(std::int64_t count) const {
    const std::string limit = file(Controller::pids, "pids.max", "pids.max");
    if (limit.empty()) return std::optional<std::int64_t>{};
    ASSAY_CHECK(write_control(limit, std::to_string(count)));
    std::optional<std::int64_t> got = to_number(read_control(limit));
    if (got != count) return Error{Fault::unsupported, "the process limit of " + limit + " does not read back as it was set"};
    return got;
}

Result<std::optional<std::int64_t>> Group::limit_cores(std::int64_t count) const {
    const std::string limit = file(Controller::cpu, "cpu.cfs_quota_us", "cpu.max");
    if (limit.empty()) return std::optional<std::int64_t>{};
    const bool first = place(Controller::cpu)->version == 1;
    const std::string quota = count > 0 ? std::to_string(count * cpu_period_us) : first ? "-1" : "max";
    if (first) {
        ASSAY_CHECK(write_control(file(Controller::cpu, "cpu.cfs_period_us", ""), std::to_string(cpu_period_us)));
        ASSAY_CHECK(write_control(limit, quota));
    } else {
        ASSAY_CHECK(write_control(limit, quota + " " + std::to_string(cpu_period_us)));
    }
    const std::string text = read_control(limit);
    const std::string_view got = trimmed(std::string_view{text}.substr(0, text.find(' ')));
    if (got != quota) return Error{Fault::unsupported, "the CPU quota of " + limit + " does not read back as it was set"};
    return std::optional{count};
}

void Group::set_cpu_weight(int percent) const {
    const std::string weight = file(Controller::cpu, "cpu.shares", "cpu.weight");
    if (weight.empty()) return;
    const int ordinary = place(Controller::cpu)->version == 1 ? 1024 : 100;
    (void)write_control(weight, std::to_string(ordinary * percent / 100));
}

bool Group::limits_swap() const {
    const std::string swap = file(Controller::memory, "memory.memsw.limit_in_bytes", "memory.swap.max");
    if (swap.empty()) return false;
    return ::access(swap.c_str(), F_OK) == 0 || split(trimmed(read_control("/proc/swaps")), '\n').size() <= 1;  // The first line is a heading.
}

Result<sys::Fd> Group::oom_events() const {
    const Hierarchy* const where = place(Controller::memory);
    if (where == nullptr || where->version == 2) return sys::Fd{};
    sys::Fd events{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!events) return sys::last_error("eventfd", "");
    const sys::Fd control{::open((where->own + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC)};
    if (!control) return sys::last_error("open", where->own + "/memory.oom_control");
    ASSAY_CHECK(write_control(where->own + "/cgroup.event_control", std::to_string(events.get()) + " " + std::to_string(control.get())));
    return events;
}

// Of the group itself in both versions: what its children's members did is theirs.
std::int64_t Group::oom_kills() const {
    return field_in(read(file(Controller::memory, "memory.oom_control", "memory.events.local")), "oom_kill").value_or(0);
}
std::int64_t Group::memory_usage_bytes() const { return number_in(read(file(Controller::memory, "memory.usage_in_bytes", "memory.current"))); }
std::int64_t Group::memory_peak_bytes() const { return number_in(read(file(Controller::memory, "memory.max_usage_in_bytes", "memory.peak"))); }
std::int64_t Group::processes() const {
    const std::string current = file(Controller::pids, "pids.current", "pids.current");
    return current.empty() ? -1 : to_number(read(current)).value_or(-1);
}

std::int64_t Group::processes_peak() const { return number_in(read(file(Controller::pids, "pids.peak", "pids.peak"))); }
bool Group::processes_hit() const { return field_in(read(file(Controller::pids, "pids.events", "pids.events")), "max").value_or(0) > 0; }

CpuUsage Group::cpu_usage() const {
    const Hierarchy* const where = place(Controller::cpuacct);
    if (where == nullptr) return {};
    if (where->version == 1) {
        return {number_in(read(where->own + "/cpuacct.usage")), number_in(read(where->own + "/cpuacct.usage_user")), number_in(read(where->own + "/cpuacct.usage_sys"))};
    }
    CpuUsage usage;
    const std::string text = read(where->own + "/cpu.stat");
    for (const std::string_view line : split(text, '\n')) {
        for (const auto& [key, into] : {std::pair{"usage_usec ", &usage.total_ns}, {"user_usec ", &usage.user_ns}, {"system_usec ", &usage.system_ns}}) {
            if (line.starts_with(key)) *into = to_number(line.substr(std::string_view{key}.size())).value_or(0) * 1000;
        }
    }
    return usage;
}

std::optional<std::int64_t> Group::memory_file_bytes() const {
    const std::string stat = read(file(Controller::memory, "memory.stat", "memory.stat"));
    if (stat.empty()) return std::nullopt;
    const bool second = place(Controller::memory)->version == 2;
    const std::optional<std::int64_t> all = field_in(stat, second ? "file" : "total_cache");
    const std::optional<std::int64_t> shared = field_in(stat, second ? "shmem" : "total_shmem");
    if (!all || !shared) return std::nullopt;
    return std::max<std::int64_t>(0, *all - *shared);
}

std::optional<std::int64_t> Group::throttled_ns() const {
    const std::string stat = read(file(Controller::cpu, "cpu.stat", "cpu.stat"));
    if (stat.empty()) return std::nullopt;
    if (place(Controller::cpu)->version == 1) return field_in(stat, "throttled_time");
    const std::optional<std::int64_t> throttled_us = field_in(stat, "throttled_usec");
    return throttled_us ? std::optional{*throttled_us * 1000} : std::nullopt;
}

std::optional<Group::Io> Group::io() const {
    const std::string stat = file(Controller::io, "", "io.stat");
    if (stat.empty()) return std::nullopt;
    Io sum;
    const std::string text = read_control(stat);
    for (const std::string_view line : split(text, '\n')) {  // A device and its "key=value" pairs.
        for (const std::string_view word : split(line, ' ')) {
            if (word.starts_with("rbytes=")) sum.read_bytes += to_number(word.substr(7)).value_or(0);
            if (word.starts_with("wbytes=")) sum.write_bytes += to_number(word.substr(7)).value_or(0);
        }
    }
    return sum;
}

std::optional<std::int64_t> Group::stalled_us(std::string_view what) const {
    const std::string pressure = file(Controller::unified, "", std::string{what} + ".pressure");
    if (pressure.empty()) return std::nullopt;
    return total_stalled_us(read_control(pressure));
}

void Group::kill() const {
    if (const Hierarchy* const where = place(Controller::unified)) (void)write_control(where->own + "/cgroup.kill", "1");
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

Result<> Group::remove(sys::TimePoint deadline) const {
    for (const Hierarchy& place : places_) {
        while (::rmdir(place.own.c_str()) != 0 && errno != ENOENT) {
            if (errno != EBUSY) return sys::last_error("rmdir", place.own);
            if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the group " + place.own + " does not become empty"};
            // Version 1 has no event for it.
            if (place.version == 1 || wait_until_empty(place.own, deadline)) pause_for(retry_every);
        }
    }
    return ok;
}

std::vector<std::string> find_groups(const std::vector<Hierarchy>& hierarchies, const std::string& name) {
    std::vector<std::string> found;
    for (const Hierarchy& hierarchy : hierarchies) {
        std::vector<std::string> all;
        subtree(hierarchy.mount, 0, all);
        for (const std::string& path : all) {
            if (path.ends_with("/" + name) && std::ranges::find(found, path) == found.end()) found.push_back(path);
        }
    }
    return found;
}

Result<> kill_and_remove(const std::vector<std::string>& roots, sys::TimePoint deadline) {
    for (const std::string& root : roots) {
        for (;;) {
            (void)write_control(root + "/cgroup.kill", "1");  // Version 2 only; the loop below does the rest.
            std::vector<std::string> directories;
            subtree(root, 0, directories);
            for (const std::string& directory : directories) {
                const std::string members = read_control(directory + "/cgroup.procs");
                for (const std::string_view line : split(members, '\n')) {
                    const std::optional<std::int64_t> pid = to_number(line);
                    if (!pid || *pid <= 1 || *pid == ::getpid()) continue;
                    const sys::Fd pidfd = open_pidfd(static_cast<int>(*pid));
                    // Still a member after the pidfd was opened: the pid was not given to a stranger meanwhile.
                    const std::string again = "\n" + read_control(directory + "/cgroup.procs");
                    if (pidfd && again.contains("\n" + std::to_string(*pid) + "\n")) kill_process(pidfd);
                }
                (void)::rmdir(directory.c_str());
            }
            if (::access(root.c_str(), F_OK) != 0) break;
            if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the group " + root + " does not become empty"};
            pause_for(retry_every);
        }
    }
    return ok;
}

}  // namespace assay::sandbox
