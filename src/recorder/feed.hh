// Feed: what the server says of itself, in a page of memory that it shares with its recorder. To say something never waits and never
// fails; a server that stands still is seen by what it does not say. Admission decisions and alarms are events like any other.
//
// Threading: every function of Feed is safe from every thread; FeedReader belongs to one.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/result.hh"
#include "recorder/frame.hh"
#include "sys/fd.hh"
#include "sys/standing.hh"

namespace assay::recorder {

constexpr std::uint64_t feed_tick_ms = 100;  // how often each loop says that it comes round
constexpr std::size_t feed_events_max = 64;  // that wait for the recorder; older ones are overwritten, and counted
constexpr std::size_t feed_bytes = 32 * 1024;

// A value that one writes and others read without locks: words, and a count that is odd while they change.
template <class T>
class Box {
public:
    void put(const T& value) {  // one at a time
        std::array<std::uint64_t, words> copy{};
        std::memcpy(copy.data(), &value, sizeof value);
        const std::uint64_t count = count_.load(std::memory_order_relaxed);
        count_.store(count + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
        for (std::size_t i = 0; i < words; ++i) words_[i].store(copy[i], std::memory_order_relaxed);
        count_.store(count + 2, std::memory_order_release);
    }
    // false: it changed all the while, or its writer died in the middle of it.
    bool get(T& value) const {
        constexpr int tries_max = 8;
        for (int i = 0; i < tries_max; ++i) {
            const std::uint64_t count = count_.load(std::memory_order_acquire);
            std::array<std::uint64_t, words> copy;
            for (std::size_t w = 0; w < words; ++w) copy[w] = words_[w].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            if (count % 2 != 0 || count_.load(std::memory_order_relaxed) != count) continue;
            std::memcpy(&value, copy.data(), sizeof value);
            return true;
        }
        return false;
    }

private:
    static constexpr std::size_t words = (sizeof(T) + 7) / 8;
    std::atomic<std::uint64_t> count_{0};
    std::array<std::atomic<std::uint64_t>, words> words_{};
};

struct NumberedEvent {
    std::uint64_t number = 0;  // from 1
    Event event;
};

struct SlowList {
    std::uint64_t round = 0;  // the recorder's frame that it is for
    std::array<SlowRequest, slow_requests_max> slowest;  // the slowest first; took_ms 0: none
};

// Both processes are of one executable, so this is no format.
struct FeedPage {
    std::atomic<std::uint64_t> told_ns{0};  // CLOCK_MONOTONIC of the last tell()
    Box<Server> server;
    std::atomic<std::uint64_t> requests_total{0};
    std::atomic<std::uint64_t> requests_failed_total{0};
    std::atomic<std::uint64_t> commit_ms_max{0};  // since the recorder took it
    std::atomic<std::uint64_t> round{0};  // counted up by the recorder: what is "slowest" begins anew
    Box<SlowList> slow;
    struct Beat {
        std::atomic<std::uint64_t> at_ns{0};  // CLOCK_MONOTONIC; 0: there is no such loop
        std::atomic<std::uint64_t> lag_ms_max{0};  // since the recorder took it
    };
    std::array<Beat, loops_max> loops;
    std::atomic<std::uint64_t> events_total{0};
    std::array<Box<NumberedEvent>, feed_events_max> events;
};
static_assert(sizeof(FeedPage) <= feed_bytes);

// The server's end.
class Feed {
public:
    static Result<std::unique_ptr<Feed>> make();
    const sys::Fd& descriptor() const { return file_; }  // for the recorder

    // Levels, every second or so; requests_total and what is measured between frames is filled in by itself.
    void tell(const Server& levels);
    void beat(std::size_t loop, std::uint64_t lag_ms);
    void answered(std::string_view route_template, int status, double took_ms);
    void committed(double took_ms);
    void event(EventKind kind, std::uint64_t subject = 0, std::uint64_t value = 0, std::string_view text = {});

private:
    explicit Feed(sys::Fd file, sys::Mapping mapping) : file_{std::move(file)}, mapping_{std::move(mapping)} {}
    FeedPage& page() { return *reinterpret_cast<FeedPage*>(mapping_.bytes().data()); }
    sys::Fd file_;
    sys::Mapping mapping_;
    std::mutex mutex_;
    SlowList slow_;
};

// The recorder's end.
class FeedReader {
public:
    static Result<FeedReader> open(const sys::Fd& descriptor);
    // Fills `server`, `loops`, `slow_requests`, and appends the events since the last call.
    void read(Frame& frame, std::uint64_t monotonic_ns);

private:
    explicit FeedReader(sys::Mapping mapping) : mapping_{std::move(mapping)} {}
    FeedPage& page() { return *reinterpret_cast<FeedPage*>(mapping_.bytes().data()); }
    sys::Mapping mapping_;
    std::uint64_t seen_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace assay::recorder
