// DiskKeeper: looks at the disk and the store now and then, so that grading pauses before the disk is full, or while the store is
// read-only, and goes on afterwards, whether or not anybody hands in meanwhile. Its own thread: a disk that hangs holds up nothing else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "queue/board.hh"
#include "recorder/feed.hh"
#include "store/space.hh"
#include "store/store.hh"

namespace assay::serve {

constexpr std::chrono::seconds disk_look_every{1};

class DiskKeeper {
public:
    // All of them outlive this. `feed`: the recorder's, told when work pauses and goes on; may be nullptr. `scratch_kept_bytes`: that scratch
    // on disk has to leave free; nullopt: there is none.
    DiskKeeper(store::Space& space, const store::Store& store, queue::Board& board, recorder::Feed* feed, std::optional<std::int64_t> scratch_kept_bytes);
    ~DiskKeeper();
    DiskKeeper(const DiskKeeper&) = delete;
    DiskKeeper& operator=(const DiskKeeper&) = delete;

private:
    void look();

    store::Space& space_;
    const store::Store& store_;
    queue::Board& board_;
    recorder::Feed* const feed_;
    const std::optional<std::int64_t> scratch_kept_bytes_;
    bool paused_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;  // guarded
    std::thread thread_;     // last: starts when everything else is there
};

}  // namespace assay::serve
