#include "serve/recording.hh"

#include <fmt/format.h>

#include "base/log.hh"
#include "recorder/record.hh"
#include "sandbox/helper.hh"
#include "serve/pulse.hh"
#include "sys/file.hh"
#include "sys/socket.hh"

namespace assay::serve {
namespace {

constexpr std::chrono::seconds restart_wait{30};
constexpr std::chrono::milliseconds end_max{3'000};  // more than the recorder allows its own last write
constexpr std::chrono::milliseconds levels_every{1'000};
using recorder::EventKind;
static_assert(beat_every == std::chrono::milliseconds{recorder::feed_tick_ms});

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

Telling::Telling(recorder::Feed& feed, std::function<recorder::Server()> levels) : feed_{feed} {
    teller_ = std::thread{[this, levels = std::move(levels)] {
        std::unique_lock lock{mutex_};
        do {
            lock.unlock();
            feed_.tell(levels());
            lock.lock();
        } while (!wake_.wait_for(lock, levels_every, [this] { return stopping_; }));
    }};
}

Telling::~Telling() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
    teller_.join();
}

std::function<void(std::size_t, std::uint64_t)> beats_to(recorder::Feed* feed) {
    if (feed == nullptr) return {};
    return [feed](std::size_t loop, std::uint64_t late_ms) { feed->beat(loop, late_ms); };
}

std::function<void(JobId, std::int64_t)> starts_to(recorder::Feed* feed, std::string commands_group) {
    if (feed == nullptr) return {};
    return [feed, commands_group = std::move(commands_group)](JobId job, std::int64_t slot) {
        feed->event(EventKind::job_started, static_cast<std::uint64_t>(job.value), 0, sandbox::job_group(commands_group, slot));
    };
}

std::function<void(JobId, std::string_view)> ends_to(recorder::Feed* feed) {
    if (feed == nullptr) return {};
    return [feed](JobId job, std::string_view verdict) {
        const bool fault = verdict == "system_fault" || verdict == "back";
        feed->event(EventKind::job_ended, static_cast<std::uint64_t>(job.value), fault ? 1 : 0, verdict);
    };
}

std::function<void(const std::string&, bool)> alarms_to(recorder::Feed* feed) {
    if (feed == nullptr) return {};
    return [feed](const std::string& rule, bool fires) { feed->event(EventKind::alarm, 0, fires ? 1 : 0, rule); };
}

void tell_decision(recorder::Feed* feed, int level, std::string_view reason) {
    if (feed != nullptr) feed->event(EventKind::admission, 0, static_cast<std::uint64_t>(level), reason);
}

}  // namespace assay::serve
