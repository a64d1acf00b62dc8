#include "serve/disk_keeper.hh"

#include <algorithm>

#include "serve/recording.hh"

namespace assay::serve {
namespace {

std::optional<model::WaitDetail> why_nothing_starts(const store::Store& store, const store::Space::State& state) {
    using enum model::WaitDetailKind;
    if (auto why = store.read_only()) return model::WaitDetail{.kind = store_read_only, .text = std::move(*why)};
    if (state.level == store::Space::Level::ample) return std::nullopt;
    if (state.files_short) {
        return model::WaitDetail{.kind = disk_names_low, .number = state.room.free_files, .of = store::Space::files_min};
    }
    return model::WaitDetail{.kind = disk_low, .number = state.room.free_bytes, .of = state.needed_bytes};
}

}  // namespace

DiskKeeper::DiskKeeper(store::Space& space, const store::Store& store, queue::Board& board, recorder::Feed* feed,
                       std::optional<std::int64_t> scratch_kept_bytes)
    : space_{space}, store_{store}, board_{board}, feed_{feed}, scratch_kept_bytes_{scratch_kept_bytes} {
    look();  // Before anything is started.
    thread_ = std::thread{[this] {
        std::unique_lock lock{mutex_};
        while (!wake_.wait_for(lock, disk_look_every, [this] { return stopping_; })) {
            lock.unlock();
            look();
            lock.lock();
        }
    }};
}

DiskKeeper::~DiskKeeper() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void DiskKeeper::look() {
    const store::Space::State state = space_.look();
    if (scratch_kept_bytes_) board_.set_scratch_room(std::max<std::int64_t>(state.room.free_bytes - *scratch_kept_bytes_, 0));
    auto why = why_nothing_starts(store_, state);
    if (why.has_value() != paused_) {
        paused_ = why.has_value();
        const bool read_only = why && why->kind == model::WaitDetailKind::store_read_only;
        tell_decision(feed_, paused_ ? 2 : 0, !paused_ ? "disk_free" : read_only ? "store_read_only" : "disk_reserve");
    }
    board_.set_disk_reserve(std::move(why));
}

}  // namespace assay::serve
