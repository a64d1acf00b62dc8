// Guard: looks, decides, and says so to whoever acts. Each second, at once when the kernel tells of stalls, and several times a
// second while there is pressure. Its own thread, which waits for no disk and no loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "admission/controller.hh"
#include "admission/sensors.hh"
#include "admission/sync_probe.hh"
#include "base/result.hh"
#include "sys/clock.hh"

namespace assay::admission {

constexpr std::chrono::milliseconds look_every{1000};
constexpr std::chrono::milliseconds look_every_pressed{200};  // at level 1 and above
constexpr std::chrono::milliseconds look_again_min{100};      // however often triggers fire
constexpr double probe_io_some = 0.2;                         // from here a trial write is worth its disturbance
constexpr std::chrono::seconds probe_every{2};

class Guard {
public:
    struct Parts {
        Sensors& sensors;
        std::string data;                                      // directory whose disk is tried
        std::function<void(const Samples&, const Decision&)> act;   // on the guard's thread, after each look; quick
        std::function<std::optional<std::int64_t>()> loop_lag_ms = {};
        Thresholds thresholds = {};
    };
    // Errors: busy, system (no descriptors). What `parts` refers to outlives this.
    static Result<std::unique_ptr<Guard>> start(Parts parts);
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    Guard(Parts parts, sys::Fd bell_read, sys::Fd bell_write);
    void run();
    void look();
    void probe(const Samples&, sys::TimePoint now);

    const Parts parts_;
    SyncProbe sync_;
    sys::Fd bell_read_;
    sys::Fd bell_write_;   // closed: it is over
    State state_;
    int level_ = 0;
    std::optional<sys::TimePoint> probed_at_;
    std::thread thread_;   // last
};

}  // namespace assay::admission
