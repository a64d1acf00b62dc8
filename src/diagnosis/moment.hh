// Moment: what a frame of the recorder and the one before it say of the second between them, as far as the rules ask.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/frame.hh"
#include "recorder/rates.hh"
#include "wording/trouble.hh"

namespace assay::diagnosis {

constexpr std::size_t groups_of_moment_max = 64;

// One control group, in this second.
struct GroupUse {
    std::string name;
    std::uint64_t job = 0;
    double cpu = 0;  // cores
    double read = 0, written = 0;  // bytes a second
    double grown = 0;  // anonymous memory, bytes a second
    double limited = 0;  // how often it ran into its memory limit
    double full = 0;  // share of the time all of it waited, for memory or for a disk
};

// A process as it was seen; the recorder looks at them in suspicious times alone, about once a second, and keeps those that use most.
struct TaskUse {
    std::string name;
    std::uint64_t pid = 0;
    std::int64_t born_ms = 0;  // wall clock; with the pid it names one process for ever
    double cpu_s = 0;  // since it was born
};

struct BlockedTask {
    std::string name;  // "python3[1234]"
    std::string where;  // wait channel, or the stack
    std::uint64_t frames = 0;
};

struct Moment {
    std::int64_t at_ms = 0;  // wall clock, at its end
    std::map<wording::Figure, double> figures;  // only those that were recorded
    std::vector<GroupUse> groups;  // those that did something
    std::vector<TaskUse> tasks;
    std::vector<BlockedTask> blocked;
    std::vector<std::string> slow;  // "GET /x 1200": route and milliseconds
    double file_memory = 0;  // share of the machine's memory that holds pages of files
    bool server_throttled = false;
    bool runner_lost = false;
    bool server_stopped = false;  // between the two frames the server ended, and another began while the machine ran on
    std::vector<std::string> decisions;  // reasons of what was decided in this second about what may start, such as "disk_reserve"

    bool decided(std::string_view reason) const { return std::ranges::find(decisions, reason) != decisions.end(); }
    double of(wording::Figure figure) const {
        const auto found = figures.find(figure);
        return found == figures.end() ? 0 : found->second;
    }
};

// `now` was taken after `before`. With `detail` groups, tasks and requests as well.
Moment moment_of(const recorder::Frame& before, const recorder::Frame& now, bool detail);

}  // namespace assay::diagnosis
