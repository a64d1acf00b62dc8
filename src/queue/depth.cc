#include "queue/depth.hh"

#include <algorithm>

#include "queue/view.hh"

namespace assay::queue {

Result<Depth> depth(store::Reading& reading, const Board& board, std::int64_t now_ms) {
    Snapshot snapshot;
    ASSAY_CHECK(snapshot.take(reading, board, now_ms));
    ASSAY_TRY(const auto held, reading.held(waiting_read_max));
    ASSAY_TRY(const auto held_again, reading.held_rejudges(waiting_read_max));
    Depth depth;
    depth.running = static_cast<std::int64_t>(snapshot.running.size());
    depth.slots = snapshot.situation.slots;
    for (const store::Standing& it : snapshot.paused) ++depth.paused[it.paused.value_or(model::Reason::module_paused)];
    for (std::size_t i = 0; i < snapshot.waiting.size(); ++i) {
        ++depth.waiting[explain_at(snapshot.situation, i).reason];
        depth.oldest_ms = std::max(depth.oldest_ms, now_ms - snapshot.waiting[i].received_ms);
    }
    for (const store::Submission& it : held) ++depth.waiting[it.held_reason.value_or(model::Reason::held_by_staff)];
    for (const store::QueuedJob& it : held_again) ++depth.waiting[explain_held(it.job).reason];
    return depth;
}

}  // namespace assay::queue
