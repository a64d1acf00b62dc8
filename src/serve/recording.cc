#include "serve/recording.hh"

#include <fmt/format.h>

#include "base/log.hh"
#include "recorder/record.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::serve {
namespace {

constexpr std::chrono::seconds restart_wait{30};
constexpr std::chrono::milliseconds end_max{3'000};  // more than the recorder allows its own last write
constexpr std::chrono::milliseconds levels_every{1'000};
constexpr std::chrono::milliseconds tick{recorder::feed_tick_ms};

std::int64_t cold_bytes_of(const DataDirectory& directory) {
    const auto room = sys::room_of(directory.path());
    return room ? recorder::cold_bytes_for(room->size_bytes, room->free_bytes) : 0;
}

}  // namespace

RecorderKeeper::RecorderKeeper(const DataDirectory& directory, std::optional<std::int64_t> cold_bytes)
    : argument_{fmt::format("recorder-{}-{}-{}-{}", directory.owner_uid(), directory.owner_gid(),
                            cold_bytes ? *cold_bytes : cold_bytes_of(directory), directory.path())} {
    auto feed = recorder::Feed::make();
    if (!feed) {
        log::error("recorder.not_started", {{"error", feed.error().text()}});
        return;
    }
    feed_ = std::move(feed).value();
    tend(sys::system_clock().now());
}

Result<> RecorderKeeper::start() {
    ASSAY_TRY(auto pair, sys::socket_pair(sys::PairKind::seqpacket));
    ASSAY_TRY(child_, sys::Child::start({.arguments = {argument_},
                                         .descriptors = {-1, -1, 2, pair.second.get(), feed_->descriptor().get()}}));
    connection_ = std::move(pair.first);
    return ok;
}

void RecorderKeeper::tend(sys::TimePoint now) {
    if (!feed_ || child_ || now < start_at_) return;
    if (auto started = start(); !started) {
        log::error("recorder.not_started", {{"error", started.error().text()}});
        start_at_ = now + restart_wait;
    }
}

void RecorderKeeper::ended(sys::TimePoint now) {
    const auto exit = child_.wait_until(now);
    if (!exit) return;
    log::warn("recorder.lost", {{exit->signalled ? "signal" : "code", exit->code}});
    child_ = {};
    start_at_ = now + restart_wait;
}

std::optional<sys::TimePoint> RecorderKeeper::next_start() const {
    if (!feed_ || child_) return std::nullopt;
    return start_at_;
}

RecorderKeeper::~RecorderKeeper() {
    connection_.reset();
    if (child_) (void)child_.wait_until(sys::system_clock().now() + end_max);
}

Telling::Telling(recorder::Feed& feed, loop::Loops& loops, std::function<recorder::Server()> levels)
    : feed_{feed}, beating_{loops.size()} {
    for (std::size_t i = 0; i < beating_; ++i) {
        loops.next().post([this, i] { loop::start<Unit>(beat(i), [this](Unit) { stopped_.release(); }); });
    }
    teller_ = std::thread{[this, levels = std::move(levels)] {
        std::unique_lock lock{mutex_};
        do {
            lock.unlock();
            feed_.tell(levels());
            lock.lock();
        } while (!wake_.wait_for(lock, levels_every, [this] { return stopping_.load(); }));
    }};
}

loop::Task<Unit> Telling::beat(std::size_t number) {
    while (!stopping_) {
        const sys::TimePoint due = sys::system_clock().now() + tick;
        co_await loop::sleep_until(due);
        const double late_ms = sys::ms_of(sys::system_clock().now() - due);
        feed_.beat(number, late_ms > 0 ? static_cast<std::uint64_t>(late_ms) : 0);
    }
    co_return ok;
}

Telling::~Telling() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    teller_.join();
    for (std::size_t i = 0; i < beating_; ++i) stopped_.acquire();
}

}  // namespace assay::serve
