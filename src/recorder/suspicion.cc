#include "recorder/suspicion.hh"

namespace assay::recorder {
namespace {

constexpr double memory_some_share = 0.07;   // the levels at which admission begins to hold back
constexpr double memory_full_share = 0.03;
constexpr double io_full_share = 0.6;
constexpr double cpu_some_share = 0.9;
constexpr double refaults_per_s = 500;
constexpr double refill_share = 0.15;  // with more memory available, files read back are a cache that fills again, and harm nobody
constexpr double available_share = 0.08;
constexpr std::uint32_t late_us = 200'000;
constexpr std::uint64_t loop_lag_ms = 500;
constexpr std::uint64_t blocked_tasks = 8;

}  // namespace

bool trigger_holds(const Pressure& opened, const Pressure& now) {
    return grown(opened.memory_some_us_total, now.memory_some_us_total) >= trigger_stalled_us;
}

std::uint64_t signs_of(const Rates& rates, const Frame& now) {
    std::uint64_t signs = 0;
    const auto when = [&signs](bool seen, Sign sign) { signs |= seen ? static_cast<std::uint64_t>(sign) : 0; };
    when(rates.memory_some_share >= memory_some_share || rates.memory_full_share >= memory_full_share,
         Sign::memory_stall);
    when(rates.io_full_share >= io_full_share, Sign::io_stall);
    const auto available_below = [&now](double share) {
        return static_cast<double>(now.memory.available_bytes) < static_cast<double>(now.memory.total_bytes) * share;
    };
    const bool refill = now.has(Section::memory) && !available_below(refill_share);
    when(rates.refaults_per_s >= refaults_per_s && !refill, Sign::refaults);
    when(rates.cpu_some_share >= cpu_some_share, Sign::cpu_stall);
    when(now.has(Section::memory) && available_below(available_share), Sign::memory_low);
    when(now.late_us >= late_us, Sign::late);
    when(rates.loop_lag_ms_max >= loop_lag_ms, Sign::loop_lag);
    when(now.cpu.tasks_blocked >= blocked_tasks, Sign::blocked);
    return signs;
}

std::uint64_t Suspicion::look(std::uint64_t signs, std::uint64_t monotonic_ns) {
    if (signs != 0) {
        bits_ |= signs;
        until_ns_ = monotonic_ns + suspicious_for_ns;
    } else if (monotonic_ns >= until_ns_) {
        bits_ = 0;
    }
    return bits_;
}

}  // namespace assay::recorder
