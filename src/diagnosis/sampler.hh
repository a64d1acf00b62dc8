// Sampler: looks at a tree of processes from outside for a few seconds. It only reads files; it stops, traces and signals nobody.
#pragma once

#include <string>
#include <vector>

#include "base/result.hh"
#include "diagnosis/observed.hh"
#include "sys/clock.hh"

namespace assay::diagnosis {

constexpr std::size_t processes_max = 256;  // of one tree; those beyond are said to be unread
constexpr std::size_t threads_max = 1024;  // of one tree
constexpr sys::Duration window_min = std::chrono::milliseconds{500};
constexpr sys::Duration window_max = std::chrono::minutes{5};

struct Asked {
    int pid = 0;  // with all it started and has not lost; 0: by group
    std::string group;  // a folder below /sys/fs/cgroup, or its path in one of the trees; with the groups below it
};

// Takes `window` and at most a second more. Errors: missing (no such process or group, or it ended), denied (/proc is hidden).
Result<Observed> observe(const Asked&, sys::Duration window);

}  // namespace assay::diagnosis
