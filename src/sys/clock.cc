#include "sys/clock.hh"

#include <ctime>

namespace assay::sys {
namespace {

class SystemClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
    WallTime wall() const override {
        return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    }
};

}  // namespace

const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
}

WallTime wall_at_last_tick() {
    timespec time{};
    (void)::clock_gettime(CLOCK_REALTIME_COARSE, &time);  // Cannot fail: the clock exists, the place too.
    return wall_from_ms(time.tv_sec * 1000 + time.tv_nsec / 1'000'000);
}

}  // namespace assay::sys
