#include "queue/board.hh"

#include <algorithm>

namespace assay::queue {

void Board::set_slots(int slots) {
    const std::lock_guard lock{mutex_};
    slots_ = slots;
    recent_.reset();
}
void Board::set_no_runner(model::WaitDetail why) {
    const std::lock_guard lock{mutex_};
    no_runner_ = std::move(why);
    recent_.reset();
}
void Board::set_draining() {
    const std::lock_guard lock{mutex_};
    draining_ = true;
    recent_.reset();
}
void Board::set_obstacle(std::optional<model::WaitDetail>& what, std::optional<model::WaitDetail> why) {
    bool turned = false;
    {
        const std::lock_guard lock{mutex_};
        if (what == why) return;
        const auto kind = [](const std::optional<model::WaitDetail>& it) { return it ? std::optional{it->kind} : std::nullopt; };
        turned = kind(what) != kind(why);
        what = std::move(why);
        recent_.reset();
    }
    if (!turned) return;
    changed();
    feed_.all_changed();
}
void Board::set_disk_reserve(std::optional<model::WaitDetail> why) { set_obstacle(disk_reserve_, std::move(why)); }
std::optional<model::WaitDetail> Board::disk_reserve() const {
    const std::lock_guard lock{mutex_};
    return disk_reserve_;
}
void Board::set_pressure(std::optional<model::WaitDetail> why, bool refuses_uploads) {
    {
        const std::lock_guard lock{mutex_};
        refuses_uploads_ = refuses_uploads;
    }
    set_obstacle(pressure_, std::move(why));
}
std::optional<model::WaitDetail> Board::pressure() const {
    const std::lock_guard lock{mutex_};
    return pressure_;
}
bool Board::refuses_uploads() const {
    const std::lock_guard lock{mutex_};
    return refuses_uploads_;
}
void Board::set_memory_max(std::int64_t bytes) {
    const std::lock_guard lock{mutex_};
    memory_bytes_max_ = bytes;
}
std::int64_t Board::memory_max() const {
    const std::lock_guard lock{mutex_};
    return memory_bytes_max_;
}
void Board::set_scratch_room(std::optional<std::int64_t> bytes) {
    bool more = false;
    {
        const std::lock_guard lock{mutex_};
        if (scratch_room_ == bytes) return;
        more = scratch_needed_ && bytes > scratch_room_;
        scratch_room_ = bytes;
    }
    if (more) changed();
}
std::optional<std::int64_t> Board::scratch_room() const {
    const std::lock_guard lock{mutex_};
    return scratch_room_;
}
void Board::learn_needs(RevisionId revision, const Needs& needs) {
    const std::lock_guard lock{mutex_};
    if (needs_ && needs_->contains(revision)) return;
    const bool full = !needs_ || needs_->size() >= revisions_learnt_max;
    auto more = full ? std::map<RevisionId, Needs>{} : *needs_;
    more.emplace(revision, needs);
    needs_ = std::make_shared<const std::map<RevisionId, Needs>>(std::move(more));
    scratch_needed_ |= needs.scratch_bytes > 0;
    recent_.reset();
}
void Board::set_lacking(std::vector<store::Standing> lacking) {
    {
        const std::lock_guard lock{mutex_};
        lacking_ = std::move(lacking);
        recent_.reset();
    }
    changed();
    feed_.all_changed();
}
bool Board::draining() const {
    const std::lock_guard lock{mutex_};
    return draining_;
}
int Board::slots() const {
    const std::lock_guard lock{mutex_};
    return slots_;
}

model::WaitDetail Board::no_runner() const {
    const std::lock_guard lock{mutex_};
    return no_runner_;
}

void Board::on_change(std::function<void()> listener) {
    const std::lock_guard lock{mutex_};
    listener_ = std::move(listener);
}

void Board::changed() const {
    std::function<void()> listener;
    {
        const std::lock_guard lock{mutex_};
        listener = listener_;
    }
    if (listener) listener();  // Outside the lock: it may ask the board.
}

std::shared_ptr<Board::Following> Board::follow(const Topic& topic, std::function<void()> wake) {
    auto place = moves_.watch(wake);
    return std::make_shared<Following>(feed_.listen(topic, std::move(wake)), std::move(place));
}

Result<std::shared_ptr<const Snapshot>> Board::recent(store::Reading& reading, std::int64_t now_ms, JobId has_to_hold) const {
    {
        const std::lock_guard lock{mutex_};
        if (recent_) {
            const std::int64_t age_ms = now_ms - recent_->situation.now_ms;
            const auto known = std::ranges::any_of(recent_->waiting, [&](const auto& job) { return job.job.id == has_to_hold; });
            if (known && age_ms >= 0 && age_ms <= snapshot_age_max_ms) return recent_;
        }
    }
    const auto fresh = std::make_shared<Snapshot>();
    ASSAY_CHECK(fresh->take(reading, *this, now_ms));
    const std::lock_guard lock{mutex_};
    recent_ = fresh;
    return recent_;
}

Result<> Snapshot::take(store::Reading& reading, const Board& board, std::int64_t now_ms) {
    moves = board.moves().count();
    ASSAY_TRY(waiting, reading.waiting(waiting_read_max));
    ASSAY_CHECK(take_rest(reading, board, now_ms));
    expected = expected_starts(situation, board.pace().tempo(now_ms));
    situation.expected_ms = expected;
    board.pace().promised(waiting, expected, now_ms);
    return ok;
}

Result<> Snapshot::take_heads(store::Reading& reading, const Board& board, std::int64_t now_ms) {
    ASSAY_TRY(waiting, reading.heads());
    return take_rest(reading, board, now_ms);
}

Result<> Snapshot::take_rest(store::Reading& reading, const Board& board, std::int64_t now_ms) {
    ASSAY_TRY(running, reading.running());
    ASSAY_TRY(paused, reading.paused());
    situation.running = running;
    situation.now_ms = now_ms;
    {
        const std::lock_guard lock{board.mutex_};
        situation.slots = board.slots_;
        situation.server_started_ms = board.server_started_ms_;
        situation.draining = board.draining_;
        situation.no_runner = board.no_runner_;
        situation.disk_reserve = board.disk_reserve_;
        situation.pressure = board.pressure_;
        situation.memory_bytes_max = board.memory_bytes_max_;
        situation.scratch_room_bytes = board.scratch_room_;
        needs = board.needs_;
        paused.insert(paused.end(), board.lacking_.begin(), board.lacking_.end());
    }
    situation.needs = needs.get();
    situation.paused = paused;
    waiting = in_turn(std::move(waiting), situation);
    situation.waiting = waiting;
    return ok;
}

}  // namespace assay::queue
