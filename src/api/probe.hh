// Probe: what `assay check URL` asks, to see what stands between a participant and the server: how much passes, how soon, with what.
// Takes no token, keeps nothing, and is bounded in every way.
//
//   any method  /api/v1/probe         counts the body's bytes and throws them away; says what came and when
//   GET         /api/v1/probe/events  a few server-sent events, apart in time
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "api/api.hh"

namespace assay::api {

constexpr std::int64_t probe_bytes_max = 64 << 20;  // of one body; more: 413
constexpr int probes_at_once_max = 32;  // more: 503
constexpr std::int64_t probe_bytes_per_minute_max = 512 << 20;  // of all; more: 429
constexpr std::chrono::seconds probe_time_max{60};  // of one body, looked at as its bytes come
constexpr int probe_events = 3;
constexpr std::chrono::milliseconds probe_event_gap{400};

// What all probes of the process may take. Threading: any thread.
class ProbeBudget {
public:
    // Takes them from this minute's; false: they are used up.
    bool take(std::int64_t bytes, sys::TimePoint now);
    std::atomic<int>& open() { return open_; }

private:
    std::mutex mutex_;
    sys::TimePoint began_{};  // guarded, as is the next
    std::int64_t used_bytes_ = 0;
    std::atomic<int> open_{0};
};

void add_probe_routes(http::Router&, Parts&);

}  // namespace assay::api
