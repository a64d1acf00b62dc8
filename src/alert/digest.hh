// Digest: a server's sign of life, one datagram a second to the watcher on another machine (docs/formats/digest.md). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hh"

namespace assay::alert {

struct Digest {
    std::int64_t started_ms = 0;  // when this life of the server began, ms since 1970
    std::uint64_t sequence = 0;  // 1 … in this life
    std::int64_t at_ms = 0;
    std::uint32_t loop_lag_ms = 0;
    std::uint32_t waiting = 0;  // jobs
    std::uint32_t running = 0;
    std::uint32_t slots = 0;
    std::uint32_t incidents = 0;  // open ones
    std::uint16_t memory_permille = 0;  // available, of all
    std::uint16_t disk_permille = 0;  // used
    std::string host;  // at most digest_host_max bytes, cut between characters
    std::string cause;  // of the gravest incident, likewise
    bool operator==(const Digest&) const = default;
};

constexpr std::size_t digest_bytes = 376;
constexpr std::size_t digest_host_max = 64;
constexpr std::size_t digest_cause_max = 224;

std::string to_datagram(const Digest&, std::string_view secret);
// Errors: invalid (its size, magic or version), denied (its signature).
Result<Digest> digest_from(std::string_view datagram, std::string_view secret);

// Whether `next` is later than `last`: what is older, or the same, was sent again by somebody.
bool is_news(const Digest& last, const Digest& next);

}  // namespace assay::alert
