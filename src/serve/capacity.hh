// Capacity: how the process's descriptors are dealt out, so that no kind of guest can take what another needs. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::serve {

constexpr std::uint64_t descriptors_wanted = 64u << 10;   // what a start asks for; more would only be memory's to spend
constexpr std::size_t connections_most = 16u << 10;       // bounds their memory, whatever the descriptors allow
constexpr std::size_t spools_most = 4096;
constexpr std::int64_t in_flight_bytes_min = 256LL << 20;
constexpr std::int64_t in_flight_bytes_most = 4LL << 30;
constexpr std::size_t reserve_descriptors = 1024;         // store, blobs, verifiers, runner, refusals under way

struct Capacity {
    std::size_t connections_max = 0;    // of guests; more: the slowest sender is shed
    std::size_t spools_max = 0;         // uploads that are being written to files
    std::size_t verify_files_max = 0;   // of those, what waits to be verified: the rest is for what arrives
    std::size_t event_streams_max = 0;  // of the connections: pages that watch can never fill the house
};

// `descriptors`: the process's limit. What is given out and the reserve are never more than that.
Capacity capacity_of(std::uint64_t descriptors);

// Of uploads that are under way, since what is written stays in memory until the disk has it: a quarter of the machine's.
std::int64_t in_flight_bytes_of(std::int64_t memory_bytes);

}  // namespace assay::serve
