#include "admission/guard.hh"

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "base/metrics.hh"
#include "sys/file.hh"
#include "sys/stall_trigger.hh"

namespace assay::admission {
namespace {

metrics::Counter& changes() {
    static metrics::Counter& counter = metrics::registry().counter("assay_admission_changes_total", "How often the level of admission changed.");
    return counter;
}

void tell(const Decision& decision) {
    const auto write = decision.level > 0 ? log::Level::warn : log::Level::info;
    log::write(write, "admission.level", {{"level", decision.level}, {"resource", decision.level > 0 ? to_string(decision.resource) : "none"},
                                          {"evidence", evidence_text(decision)}});
}

}  // namespace

Result<std::unique_ptr<Guard>> Guard::start(Parts parts) {
    ASSAY_TRY(auto bell, sys::make_pipe());
    return std::unique_ptr<Guard>{new Guard{std::move(parts), std::move(bell.first), std::move(bell.second)}};
}

Guard::Guard(Parts parts, sys::Fd bell_read, sys::Fd bell_write)
    : parts_{std::move(parts)}, sync_{parts_.data, sys::system_clock()}, bell_read_{std::move(bell_read)}, bell_write_{std::move(bell_write)} {
    look();  // Before anything is started.
    thread_ = std::thread{[this] { run(); }};
}

Guard::~Guard() {
    bell_write_.reset();
    thread_.join();
}

void Guard::run() {
    for (;;) {
        const sys::TimePoint looked = sys::system_clock().now();
        const auto every = level_ > 0 ? look_every_pressed : look_every;
        const sys::Woken woken = sys::wait_stall(parts_.sensors.triggers(), bell_read_.get(), looked + every);
        if (woken == sys::Woken::bell) return;
        if (sys::system_clock().now() - looked < look_again_min) {  // However often a trigger fires.
            if (sys::wait_stall({}, bell_read_.get(), looked + look_again_min) == sys::Woken::bell) return;
        }
        look();
    }
}

void Guard::look() {
    const sys::TimePoint now = sys::system_clock().now();
    Samples samples = parts_.sensors.look(now);
    probe(samples, now);
    samples.sync_ms = sync_.took_ms();
    if (parts_.loop_lag_ms) samples.loop_lag_ms = parts_.loop_lag_ms();
    Step step = decide(samples, now, state_, parts_.thresholds);
    state_ = step.state;
    level_ = step.decision.level;
    if (step.decision.changed) {
        tell(step.decision);
        changes().add();
    }
    parts_.act(samples, step.decision);
}

// An idle disk is left alone. Where the kernel tells no pressure, nothing asks for a trial either: the store's own failures do.
void Guard::probe(const Samples& samples, sys::TimePoint now) {
    const bool worth = (samples.io && samples.io->some >= probe_io_some) || state_.channels[static_cast<std::size_t>(Resource::disk)].level > 0;
    if (probed_at_ && now - *probed_at_ < probe_every) return;
    if (worth) {
        sync_.ask();
        probed_at_ = now;
    } else if (probed_at_) {
        sync_.forget();
        probed_at_.reset();
    }
}

}  // namespace assay::admission
