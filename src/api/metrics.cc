#include "api/metrics.hh"

#include "base/metrics.hh"
#include "queue/depth.hh"

namespace assay::api {
namespace {

void add_depth(metrics::Page& page, const queue::Depth& depth) {
    const auto number = [](const auto& counts, model::Reason reason) {
        const auto found = counts.find(reason);
        return found == counts.end() ? 0.0 : static_cast<double>(found->second);
    };
    page.family("assay_queue_waiting", "gauge", "Jobs that wait or are held, by the reason.");
    for (const model::Reason reason : model::all<model::Reason>()) {
        page.sample("assay_queue_waiting", {{"reason", to_string(reason)}}, number(depth.waiting, reason));
    }
    page.family("assay_modules_paused", "gauge", "Modules nothing of which starts, by the reason.");
    for (const model::Reason reason : {model::Reason::module_paused, model::Reason::grader_broken}) {
        page.sample("assay_modules_paused", {{"reason", to_string(reason)}}, number(depth.paused, reason));
    }
    page.gauge("assay_queue_running", "Jobs that run.", static_cast<double>(depth.running));
    page.gauge("assay_slots", "Slots of the runners that are connected.", static_cast<double>(depth.slots));
    page.gauge("assay_queue_oldest_seconds", "How long ago the oldest of those in line was received; 0 when none waits.",
               static_cast<double>(depth.oldest_ms) / 1000);
}

void add_errors(metrics::Page& page, const std::optional<queue::Pace::Errors>& errors) {
    if (!errors) return;
    page.family("assay_queue_expected_start_error_seconds", "gauge",
                "Median of how far what was told of a start was from it, of the last 4096 that started.");
    page.sample("assay_queue_expected_start_error_seconds", {{"told", "first"}}, errors->first.median_ms / 1000);
    page.sample("assay_queue_expected_start_error_seconds", {{"told", "half_way"}}, errors->half_way.median_ms / 1000);
    page.family("assay_queue_expected_start_error_ratio", "gauge", "The same as a share of how long was left to wait when it was told.");
    page.sample("assay_queue_expected_start_error_ratio", {{"told", "first"}}, errors->first.median_share);
    page.sample("assay_queue_expected_start_error_ratio", {{"told", "half_way"}}, errors->half_way.median_share);
    page.gauge("assay_queue_expected_start_silence_seconds", "Median of how long a job was in line before anything was told of its start.",
               errors->silent_ms / 1000);
}

}  // namespace

Result<std::string> metrics_text(store::Store& store, const queue::Board& board, std::int64_t verify_oldest_ms,
                                 std::int64_t now_ms) {
    queue::Depth depth;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(depth, queue::depth(reading, board, now_ms));
        return ok;
    }));
    metrics::Page page;
    page.family("assay_build_info", "gauge", "Which assay this is; always 1.");
    page.sample("assay_build_info", {{"version", ASSAY_VERSION}}, 1);
    page.gauge("process_start_time_seconds", "When this server started, in seconds since 1970 UTC.",
               static_cast<double>(board.server_started_ms()) / 1000);
    add_depth(page, depth);
    page.gauge("assay_verify_oldest_seconds",
               "How long the upload that has waited longest for a verifier does; 0 when none waits.",
               static_cast<double>(verify_oldest_ms) / 1000);
    add_errors(page, board.pace().errors());
    metrics::registry().write(page);
    return page.text();
}

}  // namespace assay::api
