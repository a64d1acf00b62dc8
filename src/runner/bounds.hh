// Every bound of the room in one place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace assay::runner {

// Waiting for the server.
constexpr std::chrono::milliseconds lease_wait_max{20'000};     // of one poll, as the protocol allows
constexpr std::chrono::milliseconds answer_wait_max{30'000};    // between two signs of life; on top of a poll's own wait
constexpr std::chrono::milliseconds ask_again_after{1'000};     // when the server is busy or answered "nothing" at once
constexpr int result_tries_max = 600;                           // of one result, a second apart, while the server answers 5xx
constexpr std::chrono::milliseconds event_gap{100};             // between two beginnings of tests; all else is always told

constexpr std::size_t event_report_bytes_max = 192u << 10;      // of what has just finished; its texts are cut to fit

// A command that runs alone, since it ran out of time while the machine was busy.
constexpr std::chrono::milliseconds lone_wait_max{60'000};      // for the other commands to end
constexpr std::chrono::milliseconds lone_credit_max{180'000};   // for which all of them may keep others waiting at once,
constexpr int lone_share = 4;                                   // and in the long run for a quarter of the time
constexpr std::chrono::milliseconds floor_wait_max{3'600'000};  // of the others for those; then the attempt has failed
constexpr std::chrono::milliseconds stop_look_every{100};       // while a command waits

// What a session may promise.
constexpr std::int64_t lease_ms_min = 1'000;
constexpr std::int64_t lease_ms_max = 3'600'000;
constexpr std::size_t drops_max = 1'024;                        // of one heartbeat's answer

// Bytes.
constexpr std::size_t small_answer_bytes_max = 64u << 10;       // of every answer but a lease and blobs
constexpr std::int64_t input_bytes_max = 4LL << 30;
constexpr std::int64_t revision_bytes_max = 256LL << 20;
constexpr std::int64_t revisions_kept_bytes_max = 256LL << 20;  // in memory, least recently used go first
constexpr std::size_t test_output_compared_max = 64u << 20;     // of each stream of a test; what is longer equals nothing
constexpr std::size_t test_files_bytes_max = 64u << 20;         // of all files of a test; one beyond it counts as not there
constexpr std::size_t fault_bytes_max = 4u << 10;               // of the text of an infrastructure fault

}  // namespace assay::runner
