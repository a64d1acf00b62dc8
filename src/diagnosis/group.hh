// Group: the limits and pressure of the control groups a process is in, whichever versions this host mixes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diagnosis/observed.hh"
#include "diagnosis/proc_text.hh"

namespace assay::diagnosis {

// What a group and those above it have counted until now. Two of them and the time between make a Group.
struct GroupReading {
    Group limits;                        // counters since the beginning
    std::optional<std::int64_t> cpu_us, io_us, memory_us;  // stalled, of the version 2 group
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> throttled;  // folder -> periods, throttled ones
    std::map<std::string, double> throttled_s;
};

class Groups {
public:
    // `mounts`: of this process.
    explicit Groups(const std::vector<MountLine>& mounts);
    // `groups`: of the process (groups_of). Reads files; blocks for no disk.
    GroupReading read(const std::map<std::string, std::string>& groups) const;
    // The folder named on a command line: a full path, or one below a hierarchy, of whichever controller has it; empty: none.
    std::vector<std::string> folders(const std::string& name) const;

private:
    std::string folder(const std::string& controller, const std::string& path) const;
    struct Root {
        std::string controllers;  // ",cpu,cpuacct,"; empty: version 2
        std::string mounted, root;
    };
    std::vector<Root> roots_;
};

Group between(const GroupReading& before, const GroupReading& after, double window_s);

}  // namespace assay::diagnosis
