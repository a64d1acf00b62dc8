// SyncProbe: how long a small write to the data's disk takes to be durable, tried only when asked. Its own thread, as it may hang
// with the disk: whoever asks how long it took hears how long it takes already.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::admission {

class SyncProbe {
public:
    // A file without a name in `directory`; where the file system has none, nothing is ever known.
    SyncProbe(const std::string& directory, const sys::Clock& clock);  // `clock` outlives this
    ~SyncProbe();  // waits for a sync under way
    SyncProbe(const SyncProbe&) = delete;
    SyncProbe& operator=(const SyncProbe&) = delete;

    void ask();      // begins one, unless one is under way
    void forget();   // what the last one took: it is long ago
    std::optional<std::int64_t> took_ms() const;  // the longer of the last one and the one under way; nullopt: none was asked

private:
    void run();
    const sys::Clock& clock_;
    sys::Fd file_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<sys::TimePoint> begun_;       // guarded, as all below
    std::optional<std::int64_t> last_ms_;
    bool stopping_ = false;
    std::thread thread_;  // last
};

}  // namespace assay::admission
