#include "intake/verify_line.hh"

#include <string_view>

#include "base/assert.hh"
#include "base/metrics.hh"

namespace assay::intake {
namespace {

metrics::Gauge& waiting() {
    static metrics::Gauge& gauge = metrics::registry().gauge("assay_verify_waiting", "Uploads that have arrived and wait for a verifier.");
    return gauge;
}

std::string_view name_of(NoTurn::Why why) {
    switch (why) {
        case NoTurn::Why::no_room: return "no_room";
        case NoTurn::Why::too_late: return "too_late";
        case NoTurn::Why::stopping: return "stopping";
    }
    return "";
}

}  // namespace

VerifyLine::VerifyLine(const TurnLimits& limits) : turns_{limits} { (void)waiting(); }  // Seen before the first upload, too.

loop::Task<std::expected<VerifyLine::Seat, NoTurn>> VerifyLine::turn(Party party, bool holds_file, sys::TimePoint start_by) {
    const auto self = std::make_shared<Waiter>(party, sys::system_clock().now());
    Turns::Ticket ticket = 0;
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) co_return std::unexpected{NoTurn{}};
        const Turns::Joined joined = turns_.join(party, holds_file);
        ticket = joined.ticket;
        waiters_.emplace(ticket, self);
        waiting().add(1);
        if (joined.out) refuse(waiters_.find(*joined.out), NoTurn::Why::no_room);
        call_next();
    }
    (void)co_await self->bell.wait(0, start_by);
    const std::lock_guard lock{mutex_};
    if (const auto at = waiters_.find(ticket); at != waiters_.end()) {
        turns_.leave(party, ticket);
        refuse(at, NoTurn::Why::too_late);
    }
    if (self->refused) co_return std::unexpected{*self->refused};
    co_return Seat{*this, std::move(party)};
}

VerifyLine::Seat::~Seat() {
    if (line_ == nullptr) return;
    const std::lock_guard lock{line_->mutex_};
    line_->turns_.ended(party_, sys::system_clock().now() - began_);
    line_->call_next();
}

void VerifyLine::stop() {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    while (!waiters_.empty()) {
        turns_.leave(waiters_.begin()->second->party, waiters_.begin()->first);
        refuse(waiters_.begin(), NoTurn::Why::stopping);
    }
}

std::int64_t VerifyLine::oldest_ms() const {
    const std::lock_guard lock{mutex_};
    if (waiters_.empty()) return 0;
    return std::chrono::duration_cast<std::chrono::milliseconds>(sys::system_clock().now() - waiters_.begin()->second->since).count();
}

void VerifyLine::call_next() {
    while (const auto ticket = turns_.next()) settle(waiters_.find(*ticket));
}

void VerifyLine::refuse(Waiters::iterator at, NoTurn::Why why) {
    at->second->refused = NoTurn{.why = why, .own = turns_.waiting_of(at->second->party)};
    metrics::registry().counter("assay_verify_refused_total", "Uploads that were refused as busy before they were verified.", {{"why", name_of(why)}}).add();
    settle(at);
}

void VerifyLine::settle(Waiters::iterator at) {
    ASSAY_ASSERT(at != waiters_.end());
    at->second->bell.ring();
    waiters_.erase(at);
    waiting().add(-1);
}

}  // namespace assay::intake
