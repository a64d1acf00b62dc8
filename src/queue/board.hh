// Board: what is known about the line right now and is not worth keeping: slots, drain, why no runner is there. Written by
// dispatch and serve, read by whoever explains. Threading: safe from every thread.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "queue/policy.hh"
#include "store/store.hh"

namespace assay::queue {

class Board {
public:
    explicit Board(std::int64_t server_started_ms) : server_started_ms_{server_started_ms} {}

    void set_slots(int slots);
    void set_no_runner(std::string details);
    void set_draining();
    bool draining() const;
    int slots() const;

    // Called (on the writer thread or a loop) whenever something may have become startable: a new job, a freed slot.
    void on_change(std::function<void()> listener);
    void changed() const;

private:
    friend struct Snapshot;
    mutable std::mutex mutex_;
    std::int64_t server_started_ms_;
    int slots_ = 0;
    bool draining_ = false;
    std::string no_runner_ = "no runner is connected";
    std::function<void()> listener_;
};

// The line as it stands in one reading, owning what Situation only views.
struct Snapshot {
    std::vector<store::QueuedJob> waiting;
    std::vector<store::QueuedJob> running;
    Situation situation;   // spans point into this object: not copied, not moved
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    Result<> take(store::Reading& reading, const Board& board, std::int64_t now_ms);
};
constexpr int waiting_read_max = 10'000;  // of one snapshot; beyond it positions read "more than"

}  // namespace assay::queue
