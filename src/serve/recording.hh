// Recording: the flight recorder beside the server: its process, and what the server tells it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "base/result.hh"
#include "loop/loop.hh"
#include "recorder/feed.hh"
#include "serve/data_directory.hh"
#include "sys/child.hh"

namespace assay::serve {

// The process. Started while we are still root, so that it can make itself hard to stop before it becomes the directory's owner as well;
// started again later it has to do without.
class RecorderKeeper {
public:
    // `cold_bytes`: of its ring on the disk; nullopt: by the disk's size. A host on which no recorder can be is told in the log: the server
    // needs none.
    RecorderKeeper(const DataDirectory& directory, std::optional<std::int64_t> cold_bytes);
    // Ends it: it has a moment to write what its ring on the disk lacks.
    ~RecorderKeeper();

    recorder::Feed* feed() { return feed_.get(); }  // nullptr: there is no recorder
    int watched() const { return child_ ? child_.pidfd().get() : -1; }  // readable when it has ended: then call ended()
    void ended(sys::TimePoint now);
    std::optional<sys::TimePoint> next_start() const;
    void tend(sys::TimePoint now);  // starts it again when its time has come

private:
    Result<> start();
    std::string argument_;
    std::unique_ptr<recorder::Feed> feed_;
    sys::Fd connection_;
    sys::Child child_;
    sys::TimePoint start_at_{};
};

// What the server says of itself, while this lives: each loop that it comes round, and the levels.
class Telling {
public:
    // `levels` is called on a thread of this object's own, every `levels_every`. `feed` and `loops` outlive this.
    Telling(recorder::Feed& feed, loop::Loops& loops, std::function<recorder::Server()> levels);
    ~Telling();  // before the loops are stopped

private:
    loop::Task<Unit> beat(std::size_t number);
    recorder::Feed& feed_;
    std::atomic<bool> stopping_{false};
    std::size_t beating_ = 0;
    std::counting_semaphore<> stopped_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
    std::thread teller_;
};

}  // namespace assay::serve
