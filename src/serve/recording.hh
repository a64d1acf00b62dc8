// Recording: the flight recorder beside the server: its process, and all that the server tells it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/ids.hh"
#include "base/result.hh"
#include "recorder/feed.hh"
#include "serve/data_directory.hh"
#include "sys/child.hh"
#include "sys/clock.hh"

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

// What the server says of itself, while this lives: the levels. That its loops come round is told by a Pulse.
class Telling {
public:
    // `levels` is called on a thread of this object's own, every `levels_every`. `feed` outlives this.
    Telling(recorder::Feed& feed, std::function<recorder::Server()> levels);
    ~Telling();

private:
    recorder::Feed& feed_;
    bool stopping_ = false;  // guarded by mutex_
    std::mutex mutex_;
    std::condition_variable wake_;
    std::thread teller_;
};

// The same, as others ask to be told. Safe from every thread; nothing of it waits. `feed` nullptr: nobody is told.
std::function<void(std::size_t loop, std::uint64_t late_ms)> beats_to(recorder::Feed* feed);
std::function<void(JobId, std::int64_t slot)> starts_to(recorder::Feed* feed, std::string commands_group);
std::function<void(JobId, std::string_view verdict)> ends_to(recorder::Feed* feed);
std::function<void(const std::string& rule, bool fires)> alarms_to(recorder::Feed* feed);
// A decision about what may start; `reason` is of a closed set (docs/formats/recorder.md, admission).
void tell_decision(recorder::Feed* feed, int level, std::string_view reason);

}  // namespace assay::serve
