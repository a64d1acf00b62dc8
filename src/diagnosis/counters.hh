// Counters: what the kernel counts of a process and its threads until now, and the tree they are in. Reads /proc; blocks for no disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/proc_text.hh"

namespace assay::diagnosis {

std::string text_at(const std::string& path);  // empty: it is not there, or may not be read
std::optional<std::int64_t> field_number(std::string_view text, std::string_view name);

std::map<int, Stat> everybody();
std::vector<int> children_of(int pid);  // that live, of all its threads; empty as well where the kernel does not list them

struct Counters {
    std::int64_t cpu_ns = 0, delay_ns = 0, voluntary = 0, forced = 0;
};
Counters counters_of(int pid, int tid);

// By read and write calls, of whatever kind; empty: another user's.
struct Moved {
    std::optional<std::int64_t> bytes, calls, written, writing;
};
Moved moved_of(int pid);

}  // namespace assay::diagnosis
