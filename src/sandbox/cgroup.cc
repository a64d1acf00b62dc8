// One Group is one directory per hierarchy. Version 1: memory, pids, cpuacct and cpu each have a tree of their own, and on a
// hybrid host the version 2 tree has no controllers but still kills a whole group in one write.
#include "sandbox/cgroup.hh"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/text.hh"
#include "sandbox/process.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t control_bytes_max = 64 << 10;
constexpr int depth_max = 8;
constexpr auto retry_every = std::chrono::milliseconds{1};

Result<> write_control(const std::string& path, std::string_view text) {
    const sys::Fd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file) return sys::last_error("open", path);
    if (::write(file.get(), text.data(), text.size()) < 0) return sys::last_error("write " + std::string{text}, path);
    return ok;
}

std::string read_control(const std::string& path) {
    Result<std::string> text = sys::read_file(path, control_bytes_max);
    return text ? std::move(text).value() : std::string{};
}

std::optional<std::int64_t> to_number(std::string_view text) {
    std::int64_t value = 0;
    text = trimmed(text);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::int64_t number_in(const std::string& path) { return to_number(read_control(path)).value_or(0); }

// The value of `key` in a file of "key value" lines.
std::int64_t field_in(const std::string& path, std::string_view key) {
    const std::string text = read_control(path);
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(key) && line.substr(key.size()).starts_with(' ')) return to_number(line.substr(key.size() + 1)).value_or(0);
    }
    return 0;
}

bool lists(std::string_view comma_separated, std::string_view word) {
    const auto words = split(comma_separated, ',');
    return std::ranges::find(words, word) != words.end();
}

std::string_view name_of(Controller controller) {
    switch (controller) {
        case Controller::memory: return "memory";
        case Controller::pids: return "pids";
        case Controller::cpuacct: return "cpuacct";
        case Controller::cpu: return "cpu";
        case Controller::unified: return "";
    }
    return "";
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

std::vector<Hierarchy> find_hierarchies(std::string_view mountinfo, std::string_view cgroup) {
    std::vector<Hierarchy> found;
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (dash == line.npos) continue;
        const auto left = split(line.substr(0, dash), ' ');
        const auto right = split(line.substr(dash + 3), ' ');
        if (left.size() < 5 || right.size() < 3) continue;
        const bool second = right[0] == "cgroup2";
        if (!second && right[0] != "cgroup") continue;
        for (const Controller controller : controllers) {
            if (second != (controller == Controller::unified)) continue;
            if (!second && !lists(right[2], name_of(controller))) continue;
            if (std::ranges::any_of(found, [&](const Hierarchy& h) { return h.controller == controller; })) continue;
            for (const std::string_view entry : split(cgroup, '\n')) {  // id:controllers:path
                const std::size_t first = entry.find(':');
                const std::size_t next = first == entry.npos ? entry.npos : entry.find(':', first + 1);
                if (next == entry.npos) continue;
                const std::string_view served = entry.substr(first + 1, next - first - 1);
                if (second ? !served.empty() : !lists(served, name_of(controller))) continue;
                std::string_view path = entry.substr(next + 1);
                // A container may see only a part of the tree: its root is then the path's beginning.
                if (left[3] != "/") path = path.starts_with(left[3]) ? path.substr(left[3].size()) : "";
                if (path == "/" || path.contains("/..")) path = "";
                found.push_back({controller, std::string{left[4]}, std::string{left[4]} + std::string{path}});
            }
        }
    }
    return found;
}

std::vector<Hierarchy> find_hierarchies() {
    return find_hierarchies(read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
}

Result<Group> Group::make(const std::vector<Hierarchy>& hierarchies, const std::string& path, bool fresh) {
    Group group;
    for (const Hierarchy& hierarchy : hierarchies) {
        Hierarchy place = hierarchy;
        place.own += "/" + path;
        if (::mkdir(place.own.c_str(), 0755) != 0 && (fresh || errno != EEXIST)) {
            Error error = sys::last_error("mkdir", place.own);
            if (fresh) (void)group.remove(sys::system_clock().now());
            return error;
        }
        group.places_.push_back(std::move(place));
    }
    return group;
}

Result<Group> Group::make_child(const std::string& name) const { return make(places_, name, true); }

std::string Group::directory(Controller controller) const {
    for (const Hierarchy& place : places_) {
        if (place.controller == controller) return place.own;
    }
    return {};
}

bool Group::has(Controller controller) const { return !directory(controller).empty(); }

Result<> Group::enter(int pid) const {
    for (const Hierarchy& place : places_) ASSAY_CHECK(write_control(place.own + "/cgroup.procs", std::to_string(pid)));
    return ok;
}

Result<> Group::enter_one(Controller controller, int pid) const {
    const std::string place = directory(controller);
    if (place.empty()) return ok;
    return write_control(place + "/cgroup.procs", std::to_string(pid));
}

Result<> Group::enter_directory(const std::string& group, int pid) { return write_control(group + "/cgroup.procs", std::to_string(pid)); }

Result<std::optional<std::int64_t>> Group::limit_memory(std::int64_t bytes, bool with_swap) const {
    const std::string place = directory(Controller::memory);
    if (place.empty()) return std::optional<std::int64_t>{};
    ASSAY_CHECK(write_control(place + "/memory.limit_in_bytes", std::to_string(bytes)));
    const std::string memsw = place + "/memory.memsw.limit_in_bytes";
    if (with_swap && ::access(memsw.c_str(), F_OK) == 0) ASSAY_CHECK(write_control(memsw, std::to_string(bytes)));
    if (with_swap) ASSAY_CHECK(write_control(place + "/memory.swappiness", "0"));
    std::optional<std::int64_t> got = to_number(read_control(place + "/memory.limit_in_bytes"));
    if (!got || *got > bytes || *got < bytes / 2) {
        return Error{Fault::unsupported, "the memory limit of " + place + " does not read back as it was set"};
    }
    return got;
}

Result<std::optional<std::int64_t>> Group::limit_processes(std::int64_t count) const {
    const std::string place = directory(Controller::pids);
    if (place.empty()) return std::optional<std::int64_t>{};
    ASSAY_CHECK(write_control(place + "/pids.max", std::to_string(count)));
    std::optional<std::int64_t> got = to_number(read_control(place + "/pids.max"));
    if (got != count) return Error{Fault::unsupported, "the process limit of " + place + " does not read back as it was set"};
    return got;
}

void Group::set_cpu_shares(int shares) const {
    if (const std::string place = directory(Controller::cpu); !place.empty()) {
        (void)write_control(place + "/cpu.shares", std::to_string(shares));
    }
}

Result<sys::Fd> Group::oom_events() const {
    const std::string place = directory(Controller::memory);
    if (place.empty()) return sys::Fd{};
    sys::Fd events{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!events) return sys::last_error("eventfd", "");
    const sys::Fd control{::open((place + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC)};
    if (!control) return sys::last_error("open", place + "/memory.oom_control");
    ASSAY_CHECK(write_control(place + "/cgroup.event_control", std::to_string(events.get()) + " " + std::to_string(control.get())));
    return events;
}

std::int64_t Group::oom_kills() const { return has(Controller::memory) ? field_in(directory(Controller::memory) + "/memory.oom_control", "oom_kill") : 0; }
std::int64_t Group::memory_usage_bytes() const { return has(Controller::memory) ? number_in(directory(Controller::memory) + "/memory.usage_in_bytes") : 0; }
std::int64_t Group::memory_peak_bytes() const { return has(Controller::memory) ? number_in(directory(Controller::memory) + "/memory.max_usage_in_bytes") : 0; }
std::int64_t Group::processes_peak() const { return has(Controller::pids) ? number_in(directory(Controller::pids) + "/pids.peak") : 0; }
bool Group::processes_hit() const { return has(Controller::pids) && field_in(directory(Controller::pids) + "/pids.events", "max") > 0; }

CpuUsage Group::cpu_usage() const {
    const std::string place = directory(Controller::cpuacct);
    if (place.empty()) return {};
    return {number_in(place + "/cpuacct.usage"), number_in(place + "/cpuacct.usage_user"), number_in(place + "/cpuacct.usage_sys")};
}

void Group::kill() const {
    if (const std::string place = directory(Controller::unified); !place.empty()) (void)write_control(place + "/cgroup.kill", "1");
}

Result<> Group::remove(sys::TimePoint deadline) const {
    for (const Hierarchy& place : places_) {
        while (::rmdir(place.own.c_str()) != 0 && errno != ENOENT) {
            if (errno != EBUSY) return sys::last_error("rmdir", place.own);
            if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "the group " + place.own + " does not become empty"};
            pause_for(retry_every);  // No event tells when the last task has left a version 1 group.
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
