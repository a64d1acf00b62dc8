#include "admission/sensors.hh"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "sys/file.hh"
#include "sys/stall_trigger.hh"

namespace assay::admission {
namespace {

// The kernel's windows: whole 2 s are open to everybody.
constexpr std::chrono::microseconds trigger_window = 2s;
constexpr std::chrono::microseconds trigger_some = 140ms;
constexpr std::chrono::microseconds trigger_full = 200ms;

sys::Fd opened(const std::string& path) {
    auto file = sys::open_read(path);
    return file ? std::move(file).value() : sys::Fd{};
}

}  // namespace

Sensors::Sensors(HostFiles files, int slots, bool triggers)
    : files_{std::move(files)},
      slots_{std::clamp(slots, 0, static_cast<int>(slots_watched_max))},
      cpu_pressure_{opened(files_.proc + "/pressure/cpu")},
      memory_pressure_{opened(files_.proc + "/pressure/memory")},
      io_pressure_{opened(files_.proc + "/pressure/io")},
      meminfo_{opened(files_.proc + "/meminfo")},
      vmstat_{opened(files_.proc + "/vmstat")},
      buffer_(control_bytes_max, '\0') {
    // Present, but switched off (psi=0): it cannot be read.
    if (memory_pressure_ && !parse_pressure(text_of(memory_pressure_))) memory_pressure_.reset();
    if (!triggers || !memory_pressure_) return;
    for (const auto& [kind, stalled] : {std::pair{sys::StallKind::some, trigger_some}, {sys::StallKind::full, trigger_full}}) {
        auto fd = sys::open_stall_trigger(files_.proc + "/pressure/memory", kind, stalled, trigger_window);
        if (!fd) continue;
        watched_.push_back(fd->get());
        trigger_fds_.push_back(std::move(fd).value());
    }
}

std::string Sensors::text_of(const sys::Fd& fd) {
    if (!fd) return {};
    const auto read = sys::read_at(fd, std::as_writable_bytes(std::span{buffer_}), 0);
    return read ? buffer_.substr(0, *read) : std::string{};
}

Reading Sensors::read(sys::TimePoint now) {
    Reading reading{.at = now};
    reading.cpu = parse_pressure(text_of(cpu_pressure_));
    reading.memory_stall = parse_pressure(text_of(memory_pressure_));
    reading.io = parse_pressure(text_of(io_pressure_));
    reading.memory = parse_meminfo(text_of(meminfo_));
    reading.refaults = parse_refaults(text_of(vmstat_));
    for (int slot = 0; !files_.jobs.empty() && slot < slots_; ++slot) {
        const sys::Fd stat = opened(fmt::format("{}/job{}/memory.stat", files_.jobs, slot));
        if (const auto bytes = stat ? parse_anonymous(text_of(stat)) : std::nullopt) reading.jobs[slot] = *bytes;
    }
    return reading;
}

// The newest reading that is no younger than `latest`; else the oldest there is. nullptr: there is none.
const Reading* Sensors::from(sys::TimePoint latest) const {
    if (past_.empty()) return nullptr;
    const auto after = std::ranges::upper_bound(past_, latest, {}, &Reading::at);
    return after == past_.begin() ? &past_.front() : &*std::prev(after);
}

Samples Sensors::look(sys::TimePoint now) {
    while (!past_.empty() && (past_.size() >= readings_kept_max || past_.front().at < now - growth_window)) past_.pop_front();
    Reading reading = read(now);
    const Reading* const before = from(now - rate_window);
    Samples samples = samples_between(before == nullptr ? reading : *before, reading);
    samples.blind = !has_pressure();
    for (const auto& [slot, bytes] : reading.jobs) {
        // Against its least within the window: a slot whose job ended and began anew has grown since then.
        std::int64_t least = bytes;
        for (const Reading& it : past_) {
            const auto found = it.jobs.find(slot);
            least = std::min(least, found == it.jobs.end() ? 0 : found->second);
        }
        samples.jobs.push_back({.slot = slot, .anonymous_bytes = bytes, .grown_bytes = bytes - least});
    }
    past_.push_back(std::move(reading));
    return samples;
}

}  // namespace assay::admission
