// Board: what is known about the line right now and is not worth keeping: slots, drain, why no runner is there. Written by
// dispatch and serve, read by whoever explains. Threading: safe from every thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "queue/feed.hh"
#include "queue/moves.hh"
#include "queue/pace.hh"
#include "queue/policy.hh"
#include "queue/progress.hh"
#include "store/store.hh"

namespace assay::queue {

struct Snapshot;

class Board {
public:
    explicit Board(std::int64_t server_started_ms) : server_started_ms_{server_started_ms} {}
    Board(const Board&) = delete;
    Board& operator=(const Board&) = delete;

    void set_slots(int slots);
    void set_no_runner(model::WaitDetail why);
    void set_draining();
    // Why nothing may start for the disk's sake; nullopt: it may. Tells those who wait when that changes, not each time a number does.
    void set_disk_reserve(std::optional<model::WaitDetail> why);
    std::optional<model::WaitDetail> disk_reserve() const;
    // Why nothing may start for the machine's sake, and whether no upload may be begun either; nullopt: all may. Tells as above.
    void set_pressure(std::optional<model::WaitDetail> why, bool refuses_uploads);
    std::optional<model::WaitDetail> pressure() const;
    bool refuses_uploads() const;
    // What jobs may take of the machine's memory together, in bytes; 0, as at first: no bound.
    void set_memory_max(std::int64_t bytes);
    std::int64_t memory_max() const;
    // What scratch on disk may still take, in bytes; nullopt, as at first: nobody looks. Tells who waits for it when there is more.
    void set_scratch_room(std::optional<std::int64_t> bytes);
    std::optional<std::int64_t> scratch_room() const;
    // The most a job of this revision may take: known once one was to start.
    void learn_needs(RevisionId, const Needs&);
    // Revisions of which nothing starts, for their image is not there: each a pause with the reason `image` of that revision alone.
    // Tells those who wait.
    void set_lacking(std::vector<store::Standing> lacking);
    bool draining() const;
    int slots() const;
    std::int64_t server_started_ms() const { return server_started_ms_; }
    model::WaitDetail no_runner() const;

    // Called (on the writer thread or a loop) whenever something may have become startable: a new job, a freed slot.
    void on_change(std::function<void()> listener);
    void changed() const;

    // What participants see, and when it changes.
    Feed& feed() { return feed_; }

    // How often the line has moved, and who watches a place in it. Told by dispatch.
    Moves& moves() { return moves_; }
    const Moves& moves() const { return moves_; }

    // Whoever shows a participant what is so: woken when that changed, and when the place in line that it shows moved.
    struct Following {
        Feed::Listening changes;
        std::shared_ptr<Moves::Watcher> place;
    };
    [[nodiscard]] std::shared_ptr<Following> follow(const Topic&, std::function<void()> wake);  // this must outlive it

    // What of the running jobs is finished so far. Kept by dispatch.
    ProgressTable& progress() { return progress_; }
    const ProgressTable& progress() const { return progress_; }

    // How long jobs take. Told by dispatch of each start and end.
    Pace& pace() const { return pace_; }

    // The line as it was at most `snapshot_age_max_ms` ago, shared by all who explain: at a deadline a thousand pages must not
    // read ten thousand rows each. `has_to_hold`: taken anew when it does not know this job as waiting.
    Result<std::shared_ptr<const Snapshot>> recent(store::Reading& reading, std::int64_t now_ms, JobId has_to_hold) const;

private:
    friend struct Snapshot;
    mutable std::mutex mutex_;
    const std::int64_t server_started_ms_;
    int slots_ = 0;
    bool draining_ = false;
    std::optional<model::WaitDetail> disk_reserve_;
    std::optional<model::WaitDetail> pressure_;
    bool refuses_uploads_ = false;
    std::int64_t memory_bytes_max_ = 0;
    std::optional<std::int64_t> scratch_room_;
    std::shared_ptr<const std::map<RevisionId, Needs>> needs_;  // replaced, never changed
    bool scratch_needed_ = false;  // by one of them
    // Sets `what`, and tells those who wait if it is of another kind now.
    void set_obstacle(std::optional<model::WaitDetail>& what, std::optional<model::WaitDetail> why);
    std::vector<store::Standing> lacking_;
    model::WaitDetail no_runner_{.kind = model::WaitDetailKind::none_connected};
    std::function<void()> listener_;
    mutable std::shared_ptr<const Snapshot> recent_;
    Feed feed_;
    Moves moves_;
    ProgressTable progress_;
    mutable Pace pace_;
};
constexpr int waiting_read_max = 10'000;  // of one snapshot; beyond it positions read "more than"
constexpr std::int64_t snapshot_age_max_ms = 500;
constexpr std::size_t revisions_learnt_max = 4096;  // beyond it all are forgotten, and learnt anew

// The line as it stands in one reading, owning what Situation only views.
struct Snapshot {
    std::vector<store::QueuedJob> waiting;
    std::vector<store::QueuedJob> running;
    std::vector<store::Standing> paused;
    std::vector<std::optional<std::int64_t>> expected;
    std::uint64_t moves = 0;  // Board::moves() from before it was read
    std::shared_ptr<const std::map<RevisionId, Needs>> needs;
    Situation situation;   // spans and pointers point into this object: not copied, not moved
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    Result<> take(store::Reading& reading, const Board& board, std::int64_t now_ms);
    // For a choice alone: the heads of the line, which is a few hundred rows however long the line is.
    Result<> take_heads(store::Reading& reading, const Board& board, std::int64_t now_ms);

private:
    Result<> take_rest(store::Reading& reading, const Board& board, std::int64_t now_ms);
};

}  // namespace assay::queue
