#include "recorder/feed.hh"

#include <algorithm>
#include <new>
#include <vector>

#include "sys/file.hh"
#include "sys/quiet.hh"

namespace assay::recorder {
namespace {

constexpr std::uint64_t ms_ns = 1'000'000;

void raise_to(std::atomic<std::uint64_t>& most, std::uint64_t value) {
    std::uint64_t known = most.load(std::memory_order_relaxed);
    while (value > known && !most.compare_exchange_weak(known, value, std::memory_order_relaxed)) {}
}

std::uint64_t rounded(double ms) { return ms > 0 ? static_cast<std::uint64_t>(ms + 0.5) : 0; }
std::uint64_t ms_since(std::uint64_t then_ns, std::uint64_t now_ns) {
    return now_ns > then_ns ? (now_ns - then_ns) / ms_ns : 0;
}

}  // namespace

Result<std::unique_ptr<Feed>> Feed::make() {
    ASSAY_TRY(sys::Fd file, sys::memory_file("assay-feed", std::vector<std::byte>(feed_bytes), false));
    ASSAY_TRY(sys::Mapping mapping, sys::Mapping::of_file(file, feed_bytes, true));
    new (mapping.bytes().data()) FeedPage{};
    return std::unique_ptr<Feed>{new Feed{std::move(file), std::move(mapping)}};
}

void Feed::tell(const Server& levels) {
    const std::lock_guard lock{mutex_};
    page().server.put(levels);
    page().told_ns.store(sys::this_moment().monotonic_ns, std::memory_order_release);
}

void Feed::beat(std::size_t loop, std::uint64_t lag_ms) {
    if (loop >= loops_max) return;
    page().loops[loop].at_ns.store(sys::this_moment().monotonic_ns, std::memory_order_relaxed);
    raise_to(page().loops[loop].lag_ms_max, lag_ms);
}

void Feed::answered(std::string_view route_template, int status, double took_ms) {
    page().requests_total.fetch_add(1, std::memory_order_relaxed);
    if (status >= 500) page().requests_failed_total.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t ms = rounded(took_ms);
    if (ms == 0) return;
    const std::lock_guard lock{mutex_};
    const std::uint64_t round = page().round.load(std::memory_order_relaxed);
    if (slow_.round != round) slow_ = {.round = round};
    auto& slowest = slow_.slowest;
    const auto at = std::ranges::find_if(slowest, [ms](const SlowRequest& known) { return known.took_ms < ms; });
    if (at == slowest.end()) return;
    std::move_backward(at, slowest.end() - 1, slowest.end());
    *at = {.route = {route_template}, .status = static_cast<std::uint64_t>(status), .took_ms = ms};
    page().slow.put(slow_);
}

void Feed::committed(double took_ms) { raise_to(page().commit_ms_max, rounded(took_ms)); }

void Feed::event(EventKind kind, std::uint64_t subject, std::uint64_t value, std::string_view text) {
    const std::lock_guard lock{mutex_};
    const std::uint64_t number = page().events_total.load(std::memory_order_relaxed) + 1;
    page().events[number % feed_events_max].put({.number = number,
                                                 .event = {.kind = static_cast<std::uint64_t>(kind),
                                                           .monotonic_ns = sys::this_moment().monotonic_ns,
                                                           .subject = subject,
                                                           .value = value,
                                                           .text = {text}}});
    page().events_total.store(number, std::memory_order_release);
}

Result<FeedReader> FeedReader::open(const sys::Fd& descriptor) {
    ASSAY_TRY(const sys::FileInfo info, sys::info_of(descriptor));
    if (info.size != static_cast<std::int64_t>(feed_bytes)) return Error{Fault::invalid, "the feed has another size"};
    ASSAY_TRY(sys::Mapping mapping, sys::Mapping::of_file(descriptor, feed_bytes, true));
    return FeedReader{std::move(mapping)};
}

void FeedReader::read(Frame& frame, std::uint64_t monotonic_ns) {
    FeedPage& feed = page();
    Server levels;
    if (feed.server.get(levels)) frame.server = levels;
    const std::uint64_t told_ns = feed.told_ns.load(std::memory_order_acquire);
    frame.server.told_age_ms = told_ns == 0 ? 0 : ms_since(told_ns, monotonic_ns);  // One that only begins is not silent.
    frame.server.requests_total = feed.requests_total.load(std::memory_order_relaxed);
    frame.server.requests_failed_total = feed.requests_failed_total.load(std::memory_order_relaxed);
    frame.server.commit_ms_max = feed.commit_ms_max.exchange(0, std::memory_order_relaxed);

    frame.loops.clear();
    for (std::size_t i = 0; i < loops_max; ++i) {
        const std::uint64_t at_ns = feed.loops[i].at_ns.load(std::memory_order_relaxed);
        if (at_ns == 0) continue;
        *frame.loops.add() = {.number = i,
                              .beat_age_ms = ms_since(at_ns, monotonic_ns),
                              .lag_ms_max = feed.loops[i].lag_ms_max.exchange(0, std::memory_order_relaxed)};
    }

    const std::uint64_t round = feed.round.fetch_add(1, std::memory_order_relaxed);
    SlowList slow;
    frame.slow_requests.clear();
    if (feed.slow.get(slow) && slow.round == round) {
        for (const SlowRequest& one : slow.slowest) {
            if (one.took_ms > 0) *frame.slow_requests.add() = one;
        }
    }

    const std::uint64_t total = feed.events_total.load(std::memory_order_acquire);
    if (total - seen_ > feed_events_max) {
        lost_ += total - seen_ - feed_events_max;
        seen_ = total - feed_events_max;
    }
    for (; seen_ < total && frame.events.size() < events_max; ++seen_) {
        NumberedEvent next;
        if (feed.events[(seen_ + 1) % feed_events_max].get(next) && next.number == seen_ + 1) {
            *frame.events.add() = next.event;
        } else {
            ++lost_;
        }
    }
    frame.server.events_lost_total = lost_;
    for (const Section section : {Section::server, Section::loops, Section::slow_requests}) frame.set(section);
}

}  // namespace assay::recorder
