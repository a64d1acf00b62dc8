#include "diagnosis/group.hh"

#include <algorithm>

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::diagnosis {
namespace {

constexpr std::size_t control_bytes_max = 64 * 1024;
constexpr std::int64_t no_limit = std::int64_t{1} << 60;  // version 1 writes the largest number that pages make
constexpr const char* blkio_limits[] = {"read_bps_device", "write_bps_device", "read_iops_device", "write_iops_device"};

std::string text_at(const std::string& path) {
    auto text = sys::read_file(path, control_bytes_max);
    return text ? std::move(*text) : std::string{};
}
std::optional<std::int64_t> number_at(const std::string& path) { return number_of(text_at(path)); }

std::string above(const std::string& folder) { return folder.substr(0, folder.rfind('/')); }

void read_cpu(const std::string& at, bool v2, GroupReading& into) {
    std::optional<double> quota;
    if (v2) {
        const std::string text = text_at(at + "/cpu.max");
        const auto parts = split(trimmed(text), ' ');
        const auto period = parts.size() == 2 ? number_of(parts[1]) : std::nullopt;
        const auto limit = parts.size() == 2 ? number_of(parts[0]) : std::nullopt;
        if (limit && period && *period > 0) quota = static_cast<double>(*limit) / static_cast<double>(*period);
    } else {
        const auto limit = number_at(at + "/cpu.cfs_quota_us");
        const auto period = number_at(at + "/cpu.cfs_period_us");
        if (limit && period && *period > 0) quota = static_cast<double>(*limit) / static_cast<double>(*period);
    }
    if (quota && (!into.limits.quota_cpus || *quota < *into.limits.quota_cpus)) {
        into.limits.quota_cpus = quota;
        into.limits.quota_of = at;
    }
    if (!quota) return;
    const std::string stat = text_at(at + "/cpu.stat");
    into.throttled[at] = {counter_of(stat, "nr_periods").value_or(0), counter_of(stat, "nr_throttled").value_or(0)};
    const auto us = counter_of(stat, "throttled_usec");
    const auto ns = counter_of(stat, "throttled_time");
    into.throttled_s[at] = us ? static_cast<double>(*us) / 1e6 : static_cast<double>(ns.value_or(0)) / 1e9;
}

void read_memory(const std::string& at, bool v2, GroupReading& into) {
    const auto limit = number_at(at + (v2 ? "/memory.max" : "/memory.limit_in_bytes"));
    const auto used = number_at(at + (v2 ? "/memory.current" : "/memory.usage_in_bytes")).value_or(0);
    const std::string events = text_at(at + (v2 ? "/memory.events" : "/memory.oom_control"));
    into.limits.oom_kills = std::max(into.limits.oom_kills, counter_of(events, "oom_kill").value_or(0));
    const auto free_in = [](std::int64_t max, std::int64_t now) { return max - now; };
    const bool tighter =
        limit && *limit < no_limit &&
        (!into.limits.memory_max || free_in(*limit, used) < free_in(*into.limits.memory_max, into.limits.memory));
    if (!tighter) return;
    into.limits.memory_max = limit;
    into.limits.memory = used;
    into.limits.memory_of = at;
    into.limits.memory_at_limit =
        v2 ? counter_of(events, "max").value_or(0) : number_at(at + "/memory.failcnt").value_or(0);
    const std::string stat = text_at(at + "/memory.stat");
    into.limits.refaults =
        counter_of(stat, "workingset_refault_file").value_or(counter_of(stat, "workingset_refault").value_or(0));
}

void read_tasks(const std::string& at, GroupReading& into) {
    const auto limit = number_at(at + "/pids.max");
    if (!limit || (into.limits.tasks_max && *into.limits.tasks_max <= *limit)) return;
    into.limits.tasks_max = limit;
    into.limits.tasks = number_at(at + "/pids.current").value_or(0);
    into.limits.tasks_refused = counter_of(text_at(at + "/pids.events"), "max").value_or(0);
    into.limits.tasks_of = at;
}

void read_io(const std::string& at, bool v2, GroupReading& into) {
    const auto take = [&](const std::string& name, const std::string& text) {
        for (const std::string_view line : split(text, '\n')) {
            if (!trimmed(line).empty()) into.limits.io_limits.push_back(name + " " + std::string{trimmed(line)});
        }
    };
    if (v2) return take("io.max", text_at(at + "/io.max"));
    for (const char* const name : blkio_limits) take(name, text_at(at + "/blkio.throttle." + name));
}

}  // namespace

Groups::Groups(const std::vector<MountLine>& mounts) {
    for (const MountLine& mount : mounts) {
        if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
        roots_.push_back({.controllers = mount.type == "cgroup2" ? "" : "," + mount.options + ",",
                          .mounted = mount.path,
                          .root = mount.root == "/" ? "" : mount.root});
    }
}

// Empty: this host has no such tree, or the path is outside of what is mounted of it.
std::string Groups::folder(const std::string& controller, const std::string& path) const {
    for (const Root& root : roots_) {
        const bool is_it =
            controller.empty() ? root.controllers.empty() : root.controllers.contains("," + controller + ",");
        if (!is_it) continue;
        if (!path.starts_with(root.root)) return {};
        const std::string below = path.substr(root.root.size());
        return below == "/" ? root.mounted : root.mounted + below;
    }
    return {};
}

std::vector<std::string> Groups::folders(const std::string& name) const {
    std::vector<std::string> found;
    for (const Root& root : roots_) {
        std::string path =
            name.starts_with(root.mounted + "/") ? name : root.mounted + (name.starts_with("/") ? "" : "/") + name;
        while (path.ends_with("/")) path.pop_back();
        if (path != root.mounted && sys::open_directory(path)) found.push_back(std::move(path));
    }
    return found;
}

GroupReading Groups::read(const std::map<std::string, std::string>& groups) const {
    GroupReading reading;
    const auto up = [&](const std::string& controller, const auto& take) {
        const auto path = groups.find(controller);
        if (path == groups.end()) return;
        const std::string lowest = folder(controller, path->second);
        const std::string top = folder(controller, "/");
        for (std::string at = lowest; at.size() > top.size() && at.size() > 1; at = above(at)) take(at);
    };
    const auto v2 = groups.find("");
    reading.limits.name = v2 != groups.end() ? v2->second : groups.empty() ? "" : groups.begin()->second;
    for (const char* const controller : {"", "cpu"})
        up(controller, [&](const std::string& at) { read_cpu(at, *controller == '\0', reading); });
    for (const char* const controller : {"", "memory"})
        up(controller, [&](const std::string& at) { read_memory(at, *controller == '\0', reading); });
    for (const char* const controller : {"", "pids"})
        up(controller, [&](const std::string& at) { read_tasks(at, reading); });
    for (const char* const controller : {"", "blkio"})
        up(controller, [&](const std::string& at) { read_io(at, *controller == '\0', reading); });
    up("", [&](const std::string& at) {
        reading.limits.frozen = reading.limits.frozen || trimmed(text_at(at + "/cgroup.freeze")) == "1";
        if (reading.cpu_us) return;  // Of the lowest group alone.
        reading.cpu_us = pressure_us(text_at(at + "/cpu.pressure"));
        reading.io_us = pressure_us(text_at(at + "/io.pressure"));
        reading.memory_us = pressure_us(text_at(at + "/memory.pressure"));
    });
    up("freezer", [&](const std::string& at) {
        reading.limits.frozen = reading.limits.frozen || trimmed(text_at(at + "/freezer.state")) == "FROZEN";
    });
    return reading;
}

Group between(const GroupReading& before, const GroupReading& after, double window_s) {
    Group group = after.limits;
    const auto share = [&](const std::optional<std::int64_t>& from,
                           const std::optional<std::int64_t>& to) -> std::optional<double> {
        if (!from || !to || window_s <= 0) return std::nullopt;
        return static_cast<double>(*to - *from) / 1e6 / window_s;
    };
    group.pressure_cpu = share(before.cpu_us, after.cpu_us);
    group.pressure_io = share(before.io_us, after.io_us);
    group.pressure_memory = share(before.memory_us, after.memory_us);
    for (const auto& [folder, now] : after.throttled) {
        const auto then = before.throttled.find(folder);
        if (then == before.throttled.end()) continue;
        const std::int64_t throttled = now.second - then->second.second;
        if (throttled <= group.throttled) continue;
        group.throttled = throttled;
        group.periods = now.first - then->second.first;
        group.quota_of = folder;
        const auto since = before.throttled_s.find(folder);
        const auto until = after.throttled_s.find(folder);
        if (since != before.throttled_s.end() && until != after.throttled_s.end())
            group.throttled_s = until->second - since->second;
    }
    group.memory_at_limit -= before.limits.memory_at_limit;
    group.refaults -= before.limits.refaults;
    return group;
}

}  // namespace assay::diagnosis
