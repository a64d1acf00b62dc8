#include "serve/grading.hh"

#include <fmt/format.h>

#include <algorithm>

#include "archive/archive.hh"
#include "base/log.hh"
#include "store/space.hh"
#include "sys/disk.hh"
#include "sys/socket.hh"

namespace assay::serve {
namespace {

constexpr std::chrono::seconds restart_wait_min{1};
constexpr std::chrono::seconds restart_wait_max{30};
constexpr std::chrono::seconds stable_after{60};  // a runner that lived this long starts again at once

}  // namespace

Result<Privileged> start_privileged(const DataDirectory& directory, const Config& config, int slots) {
    Privileged privileged;
    if (sys::effective_uid() != 0) {
        privileged.cannot = {.kind = model::WaitDetailKind::not_root};
        return privileged;
    }
    ASSAY_CHECK(sandbox::clean_leftovers(directory.id()));
    const sandbox::HostCheck host = sandbox::check_host();
    if (!host.can_grade) {
        privileged.cannot = {.kind = model::WaitDetailKind::host_lacks, .text = fmt::format("{}", fmt::join(host.missing, "; "))};
        return privileged;
    }
    if (config.scratch_disk_mib_max > 0) {
        privileged.scratch_disk_lacks = sandbox::no_disk_scratch();
        if (!privileged.scratch_disk_lacks.empty())
            log::warn("sandbox.no_disk_scratch", {{"why", privileged.scratch_disk_lacks}});
    }
    // What goes on at its own pace should not meet the bound at which uploads are refused.
    constexpr std::int64_t reserves = 2;
    ASSAY_TRY(const std::int64_t reserve_bytes,
              store::Space::intake_bytes_of(sys::real_disk(), directory.path(), config.disk_reserve_bytes));
    const std::int64_t free_bytes_min = reserves * reserve_bytes;
    if (config.scratch_disk_mib_max > 0) privileged.scratch_kept_bytes = free_bytes_min;
    archive::prepare_name_encodings();  // For those that the helper forks to unpack.
    ASSAY_TRY(privileged.helper, sandbox::start_helper({
                                     .directory_id = directory.id(),
                                     .first_uid = sandbox::first_uid_for(directory.id()),
                                     .fill = archive::fill_main,
                                     .allow_binds = false,
                                     .cpu_weight = config.cpu_weight,
                                     .jobs_group = config.jobs_group,
                                     .cores_per_slot = config.cores_per_slot,
                                     .slots = slots,
                                     .disk_reads = config.disk_reads,
                                     .disk_scratch = {.folder = directory.path(),
                                                      .mib_max = config.scratch_disk_mib_max,
                                                      .free_bytes_min = free_bytes_min},
                                     .turn_directory = directory.path(),
                                     .data = directory.path(),
                                 }));
    privileged.jobs = sandbox::commands_memory_directory(directory.id());
    return privileged;
}

void RunnerKeeper::tend(sys::TimePoint now) {
    if (role_ || now < start_at_) return;
    const auto start = [&]() -> Result<sandbox::Role> {
        std::vector<sys::Fd> ours;
        std::vector<sys::Fd> theirs;
        std::vector<int> passed;
        for (int i = 0; i < slots_ + 1; ++i) {  // heartbeats, then one per slot
            ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::stream));
            passed.push_back(pair.second.get());
            ours.push_back(std::move(pair.first));
            theirs.push_back(std::move(pair.second));
        }
        ASSAY_TRY(sandbox::Role role, sandbox::spawn_role(helper_, fmt::format("runner-{}", slots_), passed));
        for (sys::Fd& end : ours) server_.adopt(std::move(end), [] {});
        return role;
    };
    auto role = start();
    started_ = now;
    if (!role) {
        log::error("runner.not_started", {{"error", role.error().text()}});
        board_.set_no_runner({.kind = model::WaitDetailKind::runner_not_started, .text = role.error().text()});
        ended(now);
        return;
    }
    log::info("runner.started", {{"pid", role->pid}});
    role_ = std::move(role).value();
}

void RunnerKeeper::ended(sys::TimePoint now) {
    if (role_) {
        log::warn("runner.ended", {{"pid", role_->pid}});
        role_.reset();
        dispatcher_.runner_lost(model::WaitDetailKind::runner_ended);
    }
    const bool stable = now - started_ >= stable_after;
    wait_ = stable ? std::chrono::seconds{0} : std::clamp(wait_ * 2, restart_wait_min, restart_wait_max);
    start_at_ = now + wait_;
}

std::optional<sys::TimePoint> RunnerKeeper::next_start() const {
    if (role_) return std::nullopt;
    return start_at_;
}

}  // namespace assay::serve
