// Parse: texts of /proc and control groups into a frame's sections. Pure; nothing is allocated. A text may be cut anywhere and hold
// anything: what is not understood leaves its field as it was. Each returns whether it found what it was there for.
#pragma once

#include <optional>
#include <string_view>

#include "recorder/frame.hh"

namespace assay::recorder {

constexpr std::uint64_t tick_ms = 10;  // USER_HZ is 100 on every machine we know of
constexpr std::uint64_t page_bytes = 4096;

bool parse_stat(std::string_view text, Frame& frame);  // /proc/stat: cpu and cores
bool parse_meminfo(std::string_view text, Memory& memory);
bool parse_vmstat(std::string_view text, Reclaim& reclaim);
bool parse_diskstats(std::string_view text, Rows<Disk, disks_max>& disks);
bool parse_net_dev(std::string_view text, Net& net);
bool parse_netstat(std::string_view text, Net& net);
bool parse_sockstat(std::string_view text, Net& net);
bool parse_file_nr(std::string_view text, Net& net);

// A pressure file's totals. `full` stays as it was where the file has no such line.
bool parse_pressure(std::string_view text, std::uint64_t& some_us, std::uint64_t& full_us);

// Of a control group: version 2's, and those of version 1 that carry the same.
bool parse_memory_stat(std::string_view text, Cgroup& group);  // both
bool parse_memory_events(std::string_view text, Cgroup& group);
bool parse_cpu_stat(std::string_view text, Cgroup& group);  // both
bool parse_io_stat(std::string_view text, Cgroup& group);
bool parse_blkio_bytes(std::string_view text, Cgroup& group);  // blkio.throttle.io_service_bytes
bool parse_blkio_serviced(std::string_view text, Cgroup& group);
// One number; nullopt for anything else, "max" among it.
std::optional<std::uint64_t> parse_number(std::string_view text);

// /proc/PID/stat. The name may hold anything, spaces and brackets among it.
bool parse_task_stat(std::string_view text, Task& task);
bool parse_schedstat(std::string_view text, Task& task);
bool parse_task_io(std::string_view text, Task& task);
// Function names of /proc/PID/stack, joined by '<'.
void parse_stack(std::string_view text, Task& task);

}  // namespace assay::recorder
