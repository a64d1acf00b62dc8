#include "dispatch/routes.hh"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/log.hh"
#include "dispatch/wire.hh"

namespace assay::dispatch {
namespace {

using http::Reader;
using http::Request;
using http::Response;
using loop::Task;
using Shared = std::shared_ptr<Dispatcher::Inner>;

Response fenced() { return http::problem(409, "fenced", "this lease or session is not the one that counts", "drop the work"); }

Response nothing() {
    Response response;
    response.status = 204;
    return response;
}

template <class T>
Response refusal(const Result<T>& result) {
    return result.error().fault() == Fault::conflict ? fenced() : http::problem_of(result.error());
}

// Reads a small body and parses it.
template <class T>
Task<Result<T>> small_request(Reader& reader, Result<T> (*parse)(std::string_view), std::size_t size_max = request_bytes_max) {
    auto reading = http::read_body(reader, size_max);
    const auto body = co_await std::move(reading);
    if (!body) co_return body.error();
    co_return parse(*body);
}

Task<Result<>> written(Shared inner, store::Store::Change change) {
    auto begin = [inner, change = std::move(change)](store::Store::Done done) mutable {
        inner->write(std::move(change), std::move(done));
    };
    auto answer = loop::from_callback<Result<>>(std::move(begin));
    co_return co_await answer;
}

Task<Response> session(Shared inner, Reader& reader) {
    auto reading = small_request(reader, session_request);
    const auto request = co_await std::move(reading);
    if (!request) co_return refusal(request);
    if (inner->drains()) co_return http::problem(503, "shutting_down", "the server is stopping");

    const auto epoch = std::make_shared<std::int64_t>(0);
    const auto begin = [epoch](store::Tx& tx) -> Result<> {
        ASSAY_TRY(*epoch, queue::begin_epoch(tx));
        return ok;
    };
    auto beginning = written(inner, begin);
    const auto begun = co_await std::move(beginning);
    if (!begun) co_return refusal(begun);

    model::WaitDetail why_none{.kind = model::WaitDetailKind::no_slots};
    if (!request->missing.empty()) {
        why_none = {.kind = model::WaitDetailKind::host_lacks, .text = fmt::format("{}", fmt::join(request->missing, "; "))};
    }
    inner->begin_session(*epoch, request->slots, std::move(why_none));
    log::info("session.began", {{"runner", request->name}, {"epoch", *epoch}, {"slots", request->slots}});
    co_return Response::json(200, session_answer(*epoch));
}

// Of memory what the job's group is allowed: its largest limit, and as much again beside a trusted stage, whose guests may take it. Of the
// disk what all stages take, since what one leaves stays for the next.
queue::Needs needs_of(const model::Plan& plan) {
    queue::Needs most;
    for (const model::StagePlan& stage : plan.stages) {
        std::int64_t memory = stage.limits.memory_bytes;
        std::int64_t disk = stage.limits.disk_bytes;
        for (const model::TestPlan& test : stage.tests) {
            memory = std::max(memory, test.limits.memory_bytes);
            disk = std::max(disk, test.limits.disk_bytes);
        }
        most.memory_bytes = std::max(most.memory_bytes, stage.trusted ? memory * 2 : memory);
        if (stage.scratch_on_disk()) most.scratch_bytes += model::disk_scratch_bytes(disk);
    }
    return most;
}

// The lease with what the runner needs of its revision. An error is a fault of the attempt: it has started.
Task<Response> leased(Shared inner, queue::Lease lease) {
    bool may_not_yet = false;
    const auto read = [inner, &lease, &may_not_yet]() -> Result<store::Revision> {
        std::optional<store::Revision> revision;
        ASSAY_CHECK(inner->parts.store.read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(revision, reading.revision(lease.revision));
            return ok;
        }));
        if (!revision) return Error{Fault::missing, "the revision of a submission is not there"};
        ASSAY_TRY(const model::Plan plan, model::plan_from_json(revision->plan));
        if (plan.image_pin && !inner->has_image(lease, plan.image_pin->digest)) {
            may_not_yet = true;
            return Error{Fault::missing, "the image of the module is not there"};
        }
        if (const Result<> promised = inner->promise(lease, needs_of(plan)); !promised) {
            may_not_yet = true;
            return promised.error();
        }
        std::int64_t tests = 0;
        for (const model::StagePlan& stage : plan.stages) tests += static_cast<std::int64_t>(stage.tests.size());
        inner->parts.board.progress().begin(lease.token, tests);
        return std::move(*revision);
    };
    auto finding = inner->parts.disk.run(read);
    const auto revision = co_await finding;
    if (revision) {
        log::info("lease.granted", {{"submission", lease.submission.text()}, {"job", lease.token.job.value},
                                    {"attempt", lease.token.attempt}});
        if (lease.alone) {
            log::warn("job.cut_often", {{"submission", lease.submission.text()}, {"cuts_at_least", queue::cuts_alone}});
        }
        co_return Response::json(200, lease_answer(lease, revision->digest, revision->plan));
    }

    const auto ended = std::make_shared<queue::Ended>();
    // An image, memory or room that is not there is no fault of the attempt: why it waits is on the board.
    const model::AttemptEnd how = may_not_yet ? model::AttemptEnd::cut : model::AttemptEnd::fault;
    const std::optional<model::Reason> reason = may_not_yet ? std::nullopt : std::optional{model::Reason::retry};
    const std::string why = may_not_yet ? "" : revision.error().text();
    const auto give_back = [inner, ended, token = lease.token, how, reason, why](store::Tx& tx) -> Result<> {
        ASSAY_TRY(*ended, queue::give_back(tx, token, how, reason, why, inner->wall_ms()));
        return ok;
    };
    auto giving = written(inner, give_back);
    const auto given_back = co_await std::move(giving);
    if (!given_back) co_return refusal(given_back);  // Nobody will name it in a heartbeat: it lapses.
    inner->tell(lease.token, *ended);
    inner->forget(lease.token);
    inner->parts.board.changed();
    if (may_not_yet) co_return nothing();  // Another may start.
    co_return http::problem_of(revision.error());
}

Task<Response> lease(Shared inner, Reader& reader) {
    auto reading = small_request(reader, lease_request);
    const auto request = co_await std::move(reading);
    if (!request) co_return refusal(request);
    const sys::Clock& clock = inner->parts.clock;
    const sys::TimePoint deadline = clock.now() + std::chrono::milliseconds{request->wait_ms};
    for (;;) {
        const std::uint64_t seen = inner->bell.rings();  // Before looking, so that no ring is missed.
        if (inner->drains()) co_return nothing();
        if (!inner->live(request->epoch)) co_return fenced();
        const auto begin = [inner, epoch = request->epoch, slot = request->slot](std::move_only_function<void(Result<Granted>)> done) {
            inner->grant(epoch, slot, std::move(done));
        };
        auto granting = loop::from_callback<Result<Granted>>(begin);
        auto granted = co_await granting;
        if (!granted) co_return refusal(granted);
        if (granted->lease) {
            auto answering = leased(inner, std::move(*granted->lease));
            co_return co_await std::move(answering);
        }
        const sys::TimePoint now = clock.now();
        if (now >= deadline) co_return nothing();
        sys::TimePoint until = deadline;
        if (granted->wake_ms) {
            const auto wait_ms = std::max<std::int64_t>(*granted->wake_ms - inner->wall_ms(), 1);
            until = std::min(until, now + std::chrono::milliseconds{wait_ms});
        }
        auto waiting = inner->bell.wait(seen, until);
        (void)co_await std::move(waiting);
        // Each upload rings. A long line of which nothing may start must not keep the writer from them.
        const sys::TimePoint again = std::min(deadline, now + std::min<sys::Duration>(empty_look_pause_max, empty_look_pause_times * granted->took));
        if (clock.now() < again) {
            auto pause = loop::sleep_until(again);
            co_await pause;
        }
    }
}

std::optional<std::int64_t> number_of(const Request& request, std::string_view name) {
    const auto text = request.parameter(name);
    std::int64_t value = 0;
    if (!text || text->empty()) return std::nullopt;
    const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (failure != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return value;
}

Task<Response> blob(Shared inner, store::Blobs& blobs, std::string digest, std::size_t size_max) {
    const auto get = [&blobs, digest, size_max] { return blobs.get(digest, size_max); };
    auto getting = inner->parts.disk.run(get);
    auto bytes = co_await getting;
    if (!bytes) {
        log::error("blob.unreadable", {{"sha256", digest}, {"error", bytes.error().text()}});
        co_return http::problem_of(bytes.error());
    }
    Response response;
    response.body = std::move(*bytes);
    response.with("Content-Type", "application/octet-stream").with("Assay-Sha256", digest);
    co_return response;
}

Task<Response> input(Shared inner, Request request) {
    const auto job = number_of(request, "job");
    const auto attempt = number_of(request, "attempt");
    const auto epoch = number_of(request, "epoch");
    if (!job || !attempt || !epoch) co_return http::problem(400, "invalid", "job, attempt and epoch are needed, as numbers");
    const queue::Token token{JobId{*job}, *attempt, *epoch};
    if (!inner->holds(token)) co_return fenced();

    const auto find = [inner, token]() -> Result<std::string> {
        std::string digest;
        ASSAY_CHECK(inner->parts.store.read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto found, reading.job(token.job));
            if (!found) return Error{Fault::missing, "there is no such job"};
            ASSAY_TRY(const auto submission, reading.submission(found->submission));
            if (!submission) return Error{Fault::missing, "there is no such submission"};
            digest = submission->sha256;
            return ok;
        }));
        return digest;
    };
    auto finding = inner->parts.disk.run(find);
    const auto digest = co_await finding;
    if (!digest) co_return refusal(digest);
    auto answering = blob(inner, inner->parts.blobs, *digest, input_bytes_max);
    co_return co_await std::move(answering);
}

Task<Response> revision(Shared inner, Request request) {
    auto answering = blob(inner, inner->parts.revisions, request.parameter("digest").value_or(""), revision_bytes_max);
    co_return co_await std::move(answering);
}

Task<Response> event(Shared inner, Reader& reader) {
    auto reading = small_request(reader, event_request, event_bytes_max);
    auto request = co_await std::move(reading);
    if (!request) co_return refusal(request);
    const bool counts = inner->note(std::move(*request));
    co_return counts ? nothing() : fenced();
}

Task<Response> heartbeat(Shared inner, Reader& reader) {
    auto reading = small_request(reader, heartbeat_request);
    const auto request = co_await std::move(reading);
    if (!request) co_return refusal(request);
    const std::lock_guard lock{inner->mutex};
    if (inner->draining) co_return Response::json(200, heartbeat_answer(request->running, true));
    if (!inner->leases.live(request->epoch)) co_return fenced();
    std::vector<queue::Token> drop;
    const sys::TimePoint now = inner->parts.clock.now();
    for (const queue::Token& token : request->running) {
        if (token.epoch != request->epoch || !inner->leases.renew(token, now)) drop.push_back(token);
    }
    co_return Response::json(200, heartbeat_answer(drop, false));
}

Task<Response> result(Shared inner, Reader& reader) {
    auto reading = http::read_body(reader, model::report_size_max + request_bytes_max);
    auto body = co_await std::move(reading);
    if (!body) co_return refusal(body);
    const auto parse = [&body] { return result_request(*body); };
    auto parsing = inner->parts.disk.run(parse);
    auto request = co_await parsing;
    if (!request) co_return refusal(request);

    const queue::Token token = request->token;
    const auto ended = std::make_shared<queue::Ended>();
    store::Store::Change change;
    if (auto* const finished = std::get_if<queue::Finished>(&request->outcome)) {
        change = [inner, ended, token, finished = std::move(*finished)](store::Tx& tx) -> Result<> {
            ASSAY_TRY(*ended, queue::finish(tx, token, finished, inner->wall_ms()));
            return ok;
        };
    } else {
        const std::string why = std::get<FaultText>(request->outcome).text;
        log::warn("attempt.fault", {{"job", token.job.value}, {"attempt", token.attempt}, {"why", why}});
        change = [inner, ended, token, why, partial = inner->parts.board.progress().partial(token)](store::Tx& tx) -> Result<> {
            ASSAY_TRY(*ended, queue::give_back(tx, token, model::AttemptEnd::fault, model::Reason::retry, why, inner->wall_ms(), partial));
            return ok;
        };
    }
    auto writing = written(inner, std::move(change));
    const auto committed = co_await std::move(writing);
    if (committed || committed.error().fault() == Fault::conflict) inner->forget(token);
    if (!committed) co_return refusal(committed);
    inner->tell(token, *ended);
    inner->parts.board.changed();
    co_return Response::json(200, "{\"accepted\":true}");
}

}  // namespace

void add_routes(http::Router& router, const Shared& inner) {
    const std::string base = "/api/v1/runner/";
    const auto post = [&](const char* name, Task<Response> (*handler)(Shared, Reader&)) {
        router.add("POST", base + name, [inner, handler](Request, Reader& reader) { return handler(inner, reader); });
    };
    const auto get = [&](const char* name, Task<Response> (*handler)(Shared, Request)) {
        router.add("GET", base + name, [inner, handler](Request request, Reader&) { return handler(inner, std::move(request)); });
    };
    post("session", session);
    post("lease", lease);
    post("events", event);
    post("heartbeat", heartbeat);
    post("result", result);
    get("input", input);
    get("revision", revision);
}

}  // namespace assay::dispatch
