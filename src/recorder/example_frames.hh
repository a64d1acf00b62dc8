// Frames for tests and benches: a made-up machine, the same for the same second. For *_test.cc, tests/ and bench/ alone.
#pragma once

#include <string>

#include "recorder/frame.hh"

namespace assay::recorder {

constexpr std::int64_t example_start_ns = 1'790'000'000'000'000'000;

inline void fill_example(Frame& frame, std::uint64_t second, std::size_t cgroups) {
    frame = Frame{};
    frame.sequence = second + 1;
    frame.boot = 7;
    frame.monotonic_ns = (1'000 + second) * 1'000'000'000 + second % 7;
    frame.boot_time_ns = frame.monotonic_ns + 5'000'000'000;
    frame.real_time_ns = example_start_ns + static_cast<std::int64_t>(second) * 1'000'000'000;
    frame.late_us = static_cast<std::uint32_t>(second % 90);
    frame.cost_us = 400;
    for (const Section section :
         {Section::recorder, Section::cpu, Section::cores, Section::memory, Section::reclaim, Section::pressure,
          Section::disks, Section::net, Section::cgroups, Section::server, Section::loops}) {
        frame.set(section);
    }
    frame.recorder.interval_ms = 1000;
    frame.cpu = {.user_ms_total = second * 310,
                 .system_ms_total = second * 40 + second % 3,
                 .idle_ms_total = second * 1650,
                 .context_switches_total = second * 2'311};
    for (std::uint64_t core = 0; core < 2; ++core)
        *frame.cores.add() = {.number = core, .busy_ms_total = second * (150 + core)};
    frame.memory = {.total_bytes = 8ULL << 30,
                    .free_bytes = (1ULL << 30) + second % 977 * 4096,
                    .available_bytes = (4ULL << 30) - second % 811 * 4096};
    frame.reclaim = {
        .refaults_file_total = second / 50, .major_faults_total = second / 20, .read_kib_total = second * 300};
    frame.pressure = {.memory_some_us_total = second * 3,
                      .io_some_us_total = second * 900 + second % 13,
                      .cpu_some_us_total = second * 5'000};
    *frame.disks.add() = {.name = {"vda"},
                          .reads_total = second * 4,
                          .read_bytes_total = second * 65'536,
                          .read_ms_total = second * 3,
                          .busy_ms_total = second * 9};
    frame.net = {
        .received_bytes_total = second * 20'000, .sent_bytes_total = second * 90'000 + second % 17, .tcp_sockets = 20};
    for (std::uint64_t group = 0; group < cgroups; ++group) {
        *frame.cgroups.add() = {.id = group + 1,
                                .name = {"assay-0123456789abcdef/slot-" + std::to_string(group)},
                                .memory_bytes = (64ULL << 20) + (second + group) % 61 * 4096,
                                .anon_bytes = (60ULL << 20) + (second + group) % 61 * 4096,
                                .cpu_us_total = second * 10'000 * (group + 1),
                                .tasks = 3};
    }
    frame.server = {
        .told_age_ms = 3, .jobs_waiting = second % 9, .jobs_running = 2, .slots = 2, .requests_total = second * 17};
    *frame.loops.add() = {.number = 0, .beat_age_ms = second % 100, .lag_ms_max = second % 4};
}

}  // namespace assay::recorder
