#include "dispatch/dispatch.hh"

#include <algorithm>
#include <utility>

#include "base/log.hh"
#include "base/metrics.hh"
#include "base/text.hh"
#include "dispatch/inner.hh"
#include "dispatch/routes.hh"

namespace assay::dispatch {
namespace {

void count_ended(model::AttemptEnd end, std::int64_t count = 1) {
    metrics::registry().counter("assay_attempts_total", "Attempts that ended, by how.", {{"end", to_string(end)}})
        .add(static_cast<std::uint64_t>(count));
}

}  // namespace

void Dispatcher::Inner::write(store::Store::Change change, store::Store::Done done) {
    {
        const std::lock_guard lock{mutex};
        ++writes;
    }
    parts.store.write(std::move(change), [this, done = std::move(done)](Result<> result) mutable {
        done(std::move(result));
        const std::lock_guard lock{mutex};
        --writes;
        changed.notify_all();
    }, store::Need::essential);
}

void Dispatcher::Inner::begin_session(std::int64_t epoch, int slots, model::WaitDetail why_none) {
    end_sessions(model::WaitDetailKind::session_ended);
    {
        const std::lock_guard lock{mutex};
        leases.begin_session(epoch, slots);
        parts.board.set_slots(leases.slots());
    }
    if (slots == 0) parts.board.set_no_runner(std::move(why_none));
    parts.board.changed();
    parts.board.feed().all_changed();  // Why everybody waits is another reason now.
}

bool Dispatcher::Inner::live(std::int64_t epoch) {
    const std::lock_guard lock{mutex};
    return leases.live(epoch);
}

bool Dispatcher::Inner::holds(const queue::Token& token) {
    const std::lock_guard lock{mutex};
    return leases.holds(token);
}

bool Dispatcher::Inner::drains() {
    const std::lock_guard lock{mutex};
    return draining;
}

void Dispatcher::Inner::forget(const queue::Token& token) {
    const std::lock_guard lock{mutex};
    if (leases.holds(token)) told.erase(token.job);
    leases.remove(token);
    parts.board.progress().end(token);
}

bool Dispatcher::Inner::note(EventRequest event) {
    queue::Topic topic;
    {
        const std::lock_guard lock{mutex};
        const auto found = told.find(event.token.job);
        if (!leases.holds(event.token) || found == told.end()) return false;
        Told& job = found->second;
        if (event.sequence <= job.sequence)
            return event.sequence == job.sequence;  // The same number again is a lost answer.
        job.sequence = event.sequence;
        parts.board.progress().note(event.token, event.stage, event.test, std::move(event.report), event.reason);
        const sys::TimePoint now = parts.clock.now();
        job.untold = job.at && now - *job.at < progress_told_every;
        if (job.untold) return true;
        job.at = now;
        topic = job.topic;
    }
    parts.board.feed().changed(topic);
    return true;
}

void Dispatcher::Inner::tell_progress() {
    std::vector<queue::Topic> topics;
    {
        const std::lock_guard lock{mutex};
        for (auto& [id, job] : told) {
            if (!std::exchange(job.untold, false)) continue;
            job.at = parts.clock.now();
            topics.push_back(job.topic);
        }
    }
    for (const queue::Topic& topic : topics) parts.board.feed().changed(topic);
}

void Dispatcher::Inner::tell(const queue::Token& token, const queue::Ended& ended) {
    if (parts.on_end && ended.attempt) parts.on_end(token.job, ended.verdict ? to_string(*ended.verdict) : "back");
    if (ended.attempt) count_ended(*ended.attempt);
    if (ended.attempt && !ended.verdict) parts.board.moves().moved();
    if (ended.length_ms && ended.topic) parts.board.pace().ended(ended.topic->course, ended.topic->module, *ended.length_ms, wall_ms());
    if (ended.verdict) {
        metrics::registry().counter("assay_verdicts_total", "Verdicts that were committed.", {{"verdict", to_string(*ended.verdict)}}).add();
    }
    if (ended.verdict == model::Verdict::system_fault || ended.verdict == model::Verdict::grader_fault) {
        constexpr std::size_t fault_bytes_max = 500;
        constexpr std::size_t name_bytes_max = 100;
        const model::FaultFound fault = ended.fault.value_or(model::FaultFound{});
        log::error("verdict.fault", {{"job", token.job.value},
                                     {"verdict", to_string(*ended.verdict)},
                                     {"submission", ended.submission ? ended.submission->text() : ""},
                                     {"course", ended.topic ? ended.topic->course.text() : ""},
                                     {"module", ended.topic ? ended.topic->module.text() : ""},
                                     {"stage", escaped(fault.stage, name_bytes_max)},
                                     {"test", escaped(fault.test, name_bytes_max)},
                                     {"fault", escaped(trimmed(fault.text), fault_bytes_max)},
                                     {"old_verdict_kept", ended.kept_old ? 1 : 0}});
    }
    if (ended.broken) {
        log::error("module.grader_broken", {{"course", ended.broken->course.text()}, {"module", ended.broken->module.text()},
                                            {"faults_in_a_row", ended.broken->faults_in_a_row},
                                            {"remedy", "apply a repaired revision, or assay queue resume"}});
        parts.board.feed().all_changed();
    } else if (ended.topic) {
        parts.board.feed().changed(*ended.topic);
    }
}

void Dispatcher::Inner::grant(std::int64_t epoch, std::int64_t slot, std::move_only_function<void(Result<Granted>)> done) {
    const auto granted = std::make_shared<Granted>();
    const auto change = [this, epoch, granted](store::Tx& tx) -> Result<> {
        if (drains() || !live(epoch)) return ok;
        const sys::TimePoint began = sys::system_clock().now();
        queue::Snapshot snapshot;
        ASSAY_CHECK(snapshot.take_heads(tx, parts.board, wall_ms()));
        ASSAY_TRY(granted->lease, queue::grant(tx, snapshot.situation, epoch));
        granted->wake_ms = queue::next_wake_ms(snapshot.situation);
        granted->took = sys::system_clock().now() - began;
        return ok;
    };
    write(change, [this, slot, granted, done = std::move(done)](Result<> result) mutable {
        if (!result) return done(result.take_error());
        if (granted->lease) {
            parts.board.moves().moved();
            parts.board.feed().changed(granted->lease->topic);
            if (parts.on_start) parts.on_start(granted->lease->token.job, slot);
            parts.board.pace().started(granted->lease->token.job, granted->lease->joined_ms, wall_ms());
            granted->lease = keep_or_return(std::move(*granted->lease), slot);
        }
        done(std::move(*granted));
    });
}

std::optional<queue::Lease> Dispatcher::Inner::keep_or_return(queue::Lease lease, std::int64_t slot) {
    {
        const std::lock_guard lock{mutex};
        if (draining) return std::nullopt;  // The change that voids all leases comes after the one that made this.
        if (leases.live(lease.token.epoch)) {
            leases.add(lease.token, parts.clock.now());
            told[lease.token.job] = Told{.topic = lease.topic, .token = lease.token, .slot = slot};
            return lease;
        }
        add_endings({lease.token}, model::WaitDetailKind::session_ended);
    }
    flush_endings();
    return std::nullopt;
}

void Dispatcher::Inner::add_endings(const std::vector<queue::Token>& tokens, model::WaitDetailKind why) {
    for (const queue::Token& token : tokens) add_ending(token, model::Reason::runner_lost, std::string{to_string(why)});
}

void Dispatcher::Inner::add_ending(const queue::Token& token, model::Reason reason, std::string detail) {
    told.erase(token.job);
    log::warn("lease.ended", {{"job", token.job.value}, {"attempt", token.attempt}, {"reason", to_string(reason)}, {"why", detail}});
    endings.push_back({token, reason, std::move(detail), parts.board.progress().partial(token)});
    parts.board.progress().end(token);
}

// It is void from here on, whatever its runner still reports; the commands themselves are the helper's to end.
bool Dispatcher::Inner::end_in_slot(std::int64_t slot, const std::string& evidence) {
    {
        const std::lock_guard lock{mutex};
        const auto found = std::ranges::find_if(told, [slot](const auto& it) { return it.second.slot == slot; });
        if (found == told.end() || draining) return false;
        const queue::Token token = found->second.token;
        leases.remove(token);
        add_ending(token, model::Reason::pressure, evidence);
    }
    flush_endings();
    return true;
}

void Dispatcher::Inner::cancelled(const queue::Token& token) {
    forget(token);
    log::info("lease.cancelled", {{"job", token.job.value}, {"attempt", token.attempt}});
    count_ended(model::AttemptEnd::cut);
    if (parts.on_end) parts.on_end(token.job, "cancelled");
    parts.board.moves().moved();
    parts.board.changed();
}

Result<> Dispatcher::Inner::promise(const queue::Lease& lease, const queue::Needs& needs) {
    parts.board.learn_needs(lease.revision, needs);
    const std::int64_t most = parts.board.memory_max();
    const std::optional<std::int64_t> room = parts.board.scratch_room();
    const std::lock_guard lock{mutex};
    queue::Needs promised;
    for (const auto& [id, job] : told) {
        if (id == lease.token.job) continue;
        promised.memory_bytes += job.needs.memory_bytes;
        promised.scratch_bytes += job.needs.scratch_bytes;
    }
    if (most > 0 && promised.memory_bytes > 0 && promised.memory_bytes + needs.memory_bytes > most)
        return Error{Fault::busy, "its memory does not fit beside what is promised to others"};
    if (room && needs.scratch_bytes > 0 && promised.scratch_bytes + needs.scratch_bytes > *room)
        return Error{Fault::busy, "the disk has no room for its scratch"};
    if (const auto found = told.find(lease.token.job); found != told.end()) found->second.needs = needs;
    return ok;
}

void Dispatcher::Inner::end_sessions(model::WaitDetailKind why) {
    {
        const std::lock_guard lock{mutex};
        add_endings(leases.end_all_sessions(), why);
        parts.board.set_slots(0);
    }
    bell.ring();  // Polls of the old session are over.
    parts.board.feed().all_changed();
    flush_endings();
}

void Dispatcher::Inner::end_lapsed() {
    {
        const std::lock_guard lock{mutex};
        add_endings(leases.lapsed(parts.clock.now()), model::WaitDetailKind::no_heartbeat);
    }
    flush_endings();
}

void Dispatcher::Inner::flush_endings() {
    const auto batch = std::make_shared<std::vector<Ending>>();
    {
        const std::lock_guard lock{mutex};
        if (draining) endings.clear();  // All leases are voided, uncounted.
        batch->swap(endings);
    }
    if (batch->empty()) return;
    const auto done = std::make_shared<std::vector<std::pair<queue::Token, queue::Ended>>>();
    const auto change = [this, batch, done](store::Tx& tx) -> Result<> {
        for (const Ending& e : *batch) {
            const auto ended = queue::give_back(tx, e.token, model::AttemptEnd::fault, e.reason, e.detail, wall_ms(), e.partial);
            // conflict: its verdict came first, or it was cancelled. Then there is nothing to give back.
            if (!ended && ended.error().fault() != Fault::conflict) return ended.error();
            if (ended) done->emplace_back(e.token, *ended);
        }
        return ok;
    };
    write(change, [this, batch, done](Result<> result) {
        if (!result) {  // Tried again at the next check: a job must not stay with a runner that is gone.
            log::error("lease.not_given_back", {{"error", result.error().text()}});
            const std::lock_guard lock{mutex};
            endings.insert(endings.end(), batch->begin(), batch->end());
            return;
        }
        for (const auto& [token, ended] : *done) tell(token, ended);
        parts.board.changed();
    });
}

std::vector<store::Standing> Dispatcher::Inner::standings_of(const std::vector<Lacking>& all) {
    std::vector<store::Standing> standings;
    for (const Lacking& one : all) standings.push_back(one.standing);
    return standings;
}

bool Dispatcher::Inner::has_image(const queue::Lease& lease, const std::string& digest) {
    if (!parts.has_image || parts.has_image(digest)) return true;
    std::vector<store::Standing> standings;
    {
        const std::lock_guard lock{mutex};
        const auto same = [&](const Lacking& one) { return one.standing.revision == lease.revision; };
        if (std::ranges::any_of(lacking, same)) return false;
        lacking.push_back({.standing = {.course = lease.topic.course, .module = lease.topic.module, .paused = model::Reason::image,
                                        .paused_since_ms = wall_ms(), .revision = lease.revision},
                           .digest = digest});
        standings = standings_of(lacking);
    }
    log::error("image.missing", {{"course", lease.topic.course.text()}, {"module", lease.topic.module.text()}, {"digest", digest},
                                 {"remedy", "import it again, or apply the course with another image"}});
    parts.board.set_lacking(std::move(standings));
    return false;
}

void Dispatcher::Inner::look_for_images() {
    std::vector<Lacking> before;
    {
        const std::lock_guard lock{mutex};
        before = lacking;
    }
    std::vector<RevisionId> back;
    for (const Lacking& one : before) {  // Not under the mutex: it asks the disk.
        if (parts.has_image(one.digest)) back.push_back(one.standing.revision);
    }
    if (back.empty()) return;
    std::vector<store::Standing> standings;
    {
        const std::lock_guard lock{mutex};
        std::erase_if(lacking, [&](const Lacking& one) { return std::ranges::find(back, one.standing.revision) != back.end(); });
        standings = standings_of(lacking);
    }
    log::info("image.back", {{"revisions", static_cast<std::int64_t>(back.size())}});
    parts.board.set_lacking(std::move(standings));
}

Dispatcher::Dispatcher(Parts parts) : inner_{std::make_shared<Inner>(parts)} {
    parts.board.on_change([weak = std::weak_ptr{inner_}] {
        if (const auto inner = weak.lock()) inner->bell.ring();
    });
    keeper_ = std::thread{[inner = inner_.get()] {
        std::unique_lock lock{inner->mutex};
        while (!inner->changed.wait_for(lock, lapse_check_every, [inner] { return inner->stopping; })) {
            lock.unlock();
            inner->end_lapsed();
            inner->tell_progress();
            (void)inner->parts.board.moves().tell();
            inner->look_for_images();
            lock.lock();
        }
    }};
}

Dispatcher::~Dispatcher() {
    inner_->parts.board.on_change({});
    {
        const std::lock_guard lock{inner_->mutex};
        inner_->stopping = true;
        inner_->changed.notify_all();
    }
    keeper_.join();
    std::unique_lock lock{inner_->mutex};
    inner_->changed.wait(lock, [this] { return inner_->writes == 0; });
}

void Dispatcher::add_routes(http::Router& router) { dispatch::add_routes(router, inner_); }

void Dispatcher::runner_lost(model::WaitDetailKind why) {
    inner_->parts.board.set_no_runner({.kind = why});
    inner_->end_sessions(why);
}

bool Dispatcher::end_in_slot(int slot, const std::string& evidence) { return inner_->end_in_slot(slot, evidence); }
void Dispatcher::cancelled(const queue::Token& token) { inner_->cancelled(token); }
void Dispatcher::end_lapsed() { inner_->end_lapsed(); }
void Dispatcher::look_for_images() { inner_->look_for_images(); }

void Dispatcher::drain(sys::TimePoint deadline) {
    Inner& inner = *inner_;
    inner.parts.board.set_draining();
    {
        const std::lock_guard lock{inner.mutex};
        inner.draining = true;
    }
    // Changes are made in order: whatever was granted before the flag was set is running by the time this one looks.
    const auto now_ms = inner.wall_ms();
    const auto count = std::make_shared<std::int64_t>(0);
    const auto change = [now_ms, count](store::Tx& tx) -> Result<> {
        ASSAY_TRY(*count, queue::void_all_leases(tx, now_ms));
        return ok;
    };
    inner.write(change, [&inner, count](Result<> result) {
        if (!result) log::error("drain.not_written", {{"error", result.error().text()}});  // The next start does it.
        else count_ended(model::AttemptEnd::cut, *count);
        inner.parts.board.feed().all_changed();
    });
    std::unique_lock lock{inner.mutex};
    const bool written = inner.changed.wait_until(lock, deadline, [&inner] { return inner.writes == 0; });
    if (!written) log::warn("drain.late");
    (void)inner.leases.end_all_sessions();
    lock.unlock();
    inner.bell.ring();
}

}  // namespace assay::dispatch
