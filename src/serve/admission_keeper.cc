#include "serve/admission_keeper.hh"

#include <array>
#include <cstdlib>
#include <utility>

#include "base/log.hh"
#include "base/metrics.hh"
#include "serve/recording.hh"
#include "sys/file.hh"

namespace assay::serve {
namespace {

admission::HostFiles host_files(const std::string& jobs) {
    const char* const other = std::getenv(host_files_variable);
    return {.proc = other != nullptr ? other : "/proc", .jobs = jobs};
}

}  // namespace

std::optional<model::WaitDetail> why_nothing_starts(const admission::Samples& samples, const admission::Decision& decision) {
    using enum model::WaitDetailKind;
    if (!decision.stops_starts()) return std::nullopt;
    if (decision.resource == admission::Resource::disk) return model::WaitDetail{.kind = disk_slow, .number = samples.sync_ms.value_or(0)};
    const admission::Memory memory = samples.memory.value_or(admission::Memory{});
    return model::WaitDetail{.kind = memory_short, .number = memory.available_bytes, .of = memory.total_bytes};
}

AdmissionKeeper::AdmissionKeeper(const std::string& jobs, int slots)
    : sensors_{host_files(jobs), slots, std::getenv(host_files_variable) == nullptr} {}

Result<std::unique_ptr<admission::Guard>> AdmissionKeeper::start(queue::Board& board, const std::string& data, const admission::Thresholds& thresholds,
                                                                   recorder::Feed* feed) {
    board_ = &board;
    feed_ = feed;
    log::info("admission.started", {{"pressure_files", sensors_.has_pressure() ? 1 : 0},
                                    {"triggers", static_cast<std::int64_t>(sensors_.triggers().size())}});
    if (!sensors_.has_pressure()) {
        log::warn("admission.blind", {{"consequence", "MemAvailable alone tells when memory runs out, so work stops earlier than needed"},
                                      {"remedy", "a kernel with CONFIG_PSI, booted with psi=1"}});
    }
    ASSAY_TRY(auto bell, sys::make_pipe());
    bell_read_ = std::move(bell.first);
    bell_write_ = std::move(bell.second);
    return admission::Guard::start({.sensors = sensors_, .data = data, .act = [this](const auto& samples, const auto& decision) { act(samples, decision); }, .thresholds = thresholds});
}

void AdmissionKeeper::act(const admission::Samples& samples, const admission::Decision& decision) {
    static metrics::Gauge& gauge =
        metrics::registry().gauge("assay_admission_level", "0 calm, 1 no job is started, 2 and no upload is begun, 3 and a job is ended.");
    if (decision.changed) tell_decision(feed_, decision.level, decision.level > 0 ? admission::to_string(decision.resource) : "calm");
    if (decision.end_slot) {
        tell_decision(feed_, decision.level, "job_ended");
        {
            const std::lock_guard lock{mutex_};
            ending_ = Ending{.slot = *decision.end_slot, .evidence = admission::evidence_text(decision)};
        }
        (void)sys::write_all(bell_write_, std::string_view{"x"});
    }
    if (decision.nobody_to_end && !outside_told_) {
        tell_decision(feed_, decision.level, "nobody_to_end");
        log::error("admission.cause_outside", {{"evidence", admission::evidence_text(decision)},
                                               {"remedy", "memory is nearly gone and no job grows: look for another process on this machine"}});
    }
    outside_told_ = decision.level > 0 && (outside_told_ || decision.nobody_to_end);
    gauge.add(decision.level - level_told_);
    level_told_ = decision.level;
    const sys::TimePoint now = sys::system_clock().now();
    if (!decision.changed && told_at_ && now - *told_at_ < pressure_told_every) return;
    told_at_ = now;
    board_->set_pressure(why_nothing_starts(samples, decision), decision.stops_uploads());
}

std::optional<AdmissionKeeper::Ending> AdmissionKeeper::take() {
    std::array<std::byte, 1> byte{};
    (void)sys::read_some(bell_read_, byte);
    const std::lock_guard lock{mutex_};
    return std::exchange(ending_, std::nullopt);
}

}  // namespace assay::serve
