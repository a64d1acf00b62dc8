#include "serve/troubles.hh"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "recorder/reading.hh"

namespace assay::serve {
namespace {

constexpr std::int64_t ms_ns = 1'000'000;
// Rules whose matter a trouble of the machine explains.
constexpr std::string_view explained[] = {"memory_thrash", "memory_low", "server_slow", "disk_busy", "attempt_faults", "system_faults"};

}  // namespace

bool may_be_trouble(const alert::Figures& figures) {
    const auto above = [&](const char* name, const std::vector<std::string>& labels, double bound) { return figures.sum(name, labels).value_or(0) > bound; };
    const auto stalls = [&](const char* resource, double bound) {
        return above("assay_pressure_ratio", {fmt::format("resource=\"{}\"", resource), "kind=\"full\""}, bound);
    };
    return above("assay_loop_lag_seconds", {}, 0.2) || stalls("memory", 0.05) || stalls("io", 0.2) ||
           figures.sum("assay_memory_available_ratio", {}).value_or(1) < 0.1;
}

void add_incident(alert::Figures& figures, const diagnosis::Incident& incident) {
    if (incident.causes.empty()) return;
    const diagnosis::Root& root = incident.causes.front();
    figures.set("assay_trouble", fmt::format("cause=\"{}\"", wording::to_string(root.trouble)), 1);
    std::string offender = root.offender;
    if (!offender.empty() && !root.used.empty()) offender += ": " + root.used;
    for (const std::string_view rule : explained) {
        figures.findings[std::string{rule}] = {.cause = wording::summary(wording::Language::english, root.trouble), .offender = offender};
    }
}

void Troubles::add_to(alert::Figures& figures, sys::TimePoint now, sys::WallTime wall) {
    const std::int64_t now_ms = sys::to_ms(wall);
    if (may_be_trouble(figures) && (!looked_ || now - *looked_ >= trouble_look_every)) {
        looked_ = now;
        if (auto found = look(now_ms)) known_ = std::move(found);
    }
    if (!known_) return;
    if (now_ms - known_->when.to_ms > std::chrono::milliseconds{trouble_recent}.count()) known_.reset();
    else add_incident(figures, *known_);
}

std::optional<diagnosis::Incident> Troubles::look(std::int64_t now_ms) const {
    auto recording = recorder::Recording::open_hot(data_);
    if (!recording) return std::nullopt;
    diagnosis::Stalls stalls;
    std::vector<diagnosis::Moment> moments;
    const auto before = std::make_unique<recorder::Frame>();
    const recorder::Range range{.from_ns = (now_ms - 2 * diagnosis::calm_before_ms) * ms_ns, .to_ns = (now_ms + 1000) * ms_ns};
    const auto read = recording->each(range, [&](const recorder::Frame& frame) {
        if (before->sequence != 0) {
            moments.push_back(diagnosis::moment_of(*before, frame, true));
            stalls.add(moments.back());
        }
        *before = frame;
        return true;
    });
    if (!read || stalls.found().empty()) return std::nullopt;
    return diagnosis::explain(moments, stalls.found().back());
}

}  // namespace assay::serve
