// The files of control groups, and which controllers there are: what finding groups and using them share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sandbox/cgroup.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

constexpr auto retry_every = std::chrono::milliseconds{1};  // to remove a group, where nothing tells that it is empty

Result<> write_control(const std::string& path, std::string_view text);
sys::Fd open_control(const std::string& path);
std::string read_open(const sys::Fd&);                       // from its beginning, at most 64 KiB; empty when it cannot be read
std::string read_control(const std::string& path);
std::optional<std::int64_t> to_number(std::string_view);     // space around it is fine

struct Known {
    Controller controller;
    std::string_view v1;  // its name; empty: not of this version
    std::string_view v2;
};
inline constexpr Known known[] = {
    {Controller::memory, "memory", "memory"}, {Controller::pids, "pids", "pids"}, {Controller::cpu, "cpu", "cpu"},
    {Controller::cpuacct, "cpuacct", ""},     {Controller::io, "", "io"},
};

// find_hierarchies for these controllers alone.
std::vector<Hierarchy> find_hierarchies(std::span<const Known>, std::string_view mountinfo, std::string_view cgroup);
// Those of version 1 that serve it.
std::vector<Hierarchy> trees_of_version_1(const Known&);

// What the version 2 group at `directory` has: of itself, and by its parent's leave.
std::vector<Controller> controllers_at(const std::string& directory);
// Leave for the children of `directory`; what is refused will be missing in them, and they say so.
void open_up(const std::string& directory);

}  // namespace assay::sandbox
