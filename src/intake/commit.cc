#include "intake/commit.hh"

#include "base/log.hh"
#include "base/metrics.hh"
#include "intake/answer.hh"
#include "intake/finish.hh"
#include "queue/policy.hh"
#include "sys/zone.hh"
#include "wording/catalogue.hh"

namespace assay::intake {
namespace {

using wording::FormFault;

Committed no(Refusal refusal) { return {.document = {}, .refusal = std::move(refusal), .again = false, .wait_ms = {}}; }

// What can be told before the transaction.
std::optional<Refusal> unfit(std::int64_t size, std::int64_t size_max) {
    if (size == 0) return Refusal{.code = model::Refusal::empty};
    if (size > size_max) return Refusal{.code = model::Refusal::too_large, .limit = size_max, .sent = size};
    return std::nullopt;
}

// As of an upload, but for how it is asked.
http::Response problem(const http::Request& request, const Refusal& refusal) {
    const bool form = refusal.code == model::Refusal::missing_field || refusal.code == model::Refusal::method;
    const auto language = wording::choose(request.header("accept-language"));
    return problem_answer(request, refusal, form ? wording::say(language, wording::Sentence::commitments_form) : "");
}

http::Response too_many(const http::Request& request, std::int64_t wait_ms) {
    const auto language = wording::choose(request.header("accept-language"));
    return http::problem(
               429, model::to_string(model::Refusal::rate),
               wording::say(language, wording::Sentence::commitments_open, {std::to_string(open_commitments_max)}),
               wording::say(language, wording::Sentence::commitments_cure))
        .with("Retry-After", std::to_string((wait_ms + 999) / 1000));
}

void count(std::string_view result) {
    metrics::registry()
        .counter("assay_commitments_total",
                 "Commitments asked for, by what came of it: made, again, cut, or the code of the refusal.",
                 {{"result", result}})
        .add();
}

http::Response body_too_large(const http::Request& request) {
    const auto language = wording::choose(request.header("accept-language"));
    return http::problem(413, model::to_string(model::Refusal::too_large),
                         wording::say(language, wording::Sentence::commitments_too_large, {size_text(commitment_request_bytes_max)}),
                         wording::say(language, wording::Sentence::commitments_form));
}

class Commitments {
public:
    Commitments(Parts& parts, http::Request request, http::Reader& reader)
        : parts_{parts}, request_{std::move(request)}, reader_{reader} {}

    loop::Task<http::Response> run() {
        auto said = co_await ask();
        if (!said && said.error().fault() == Fault::too_large) {
            count(model::to_string(model::Refusal::too_large));
            co_return body_too_large(request_);
        }
        const Committed it = said ? std::move(*said) : no(refusal_of(said.error(), std::nullopt));
        // The client's end, which is no fault of ours; http answers.
        const bool left = !said && (said.error().fault() == Fault::unreachable || said.error().fault() == Fault::timed_out);
        if (!said && !left && it.refusal->code == model::Refusal::internal) {
            log::error("commitment.failed", {{"request", request_.id}, {"error", said.error().text()}});
        }
        count(left ? "cut" : it.refusal ? model::to_string(it.refusal->code) : it.again ? "again" : "made");
        if (it.wait_ms) co_return too_many(request_, *it.wait_ms);
        if (it.refusal) co_return problem(request_, *it.refusal);
        http::Response answer = http::Response::json(201, *it.document);
        if (it.again) answer.with("Idempotency-Replayed", "true");
        co_return answer;
    }

private:
    loop::Task<Result<Committed>> ask() {
        if (parts_.board.draining()) co_return no({.code = model::Refusal::shutting_down});
        const auto token = http::bearer_token(request_);
        if (!token || token->empty()) co_return no({.code = model::Refusal::bad_token});
        ASSAY_CO_TRY(const std::string body, co_await http::read_body(reader_, commitment_request_bytes_max));
        const std::int64_t at_ms = sys::to_ms(reader_.last_arrival());
        const auto asked = commitment_asked(body);
        if (!asked) co_return no({.code = model::Refusal::missing_field, .form = asked.error()});

        std::optional<Entitlement> found;
        const auto look = [&]() -> Result<> {
            if (const auto why = parts_.store.read_only()) return Error{Fault::busy, *why};
            if (parts_.space.look().level != store::Space::Level::ample) return store::Space::full();
            return parts_.store.read([&](store::Reading& reading) -> Result<> {
                ASSAY_TRY(found,
                          identify(reading, parts_.keys, parts_.plans, {*token, asked->course, asked->module, ""}));
                return ok;
            });
        };
        ASSAY_CO_CHECK(co_await parts_.disk.run(look));
        if (found->refusal) co_return no(std::move(*found->refusal));
        const Entitled& who = *found->entitled;
        if (auto refusal = unfit(asked->size, who.plan->upload.size_max)) co_return no(std::move(*refusal));

        Committed made;
        auto written = loop::from_callback<Result<>>([&](auto done) {
            parts_.store.write(
                [&](store::Tx& tx) -> Result<> {
                    ASSAY_TRY(made, commit(tx, parts_.keys, parts_.plans, who, *asked, at_ms, parts_.server_url));
                    return ok;
                },
                std::move(done));
        });
        ASSAY_CO_CHECK(co_await written);
        co_return std::move(made);
    }

    Parts& parts_;
    http::Request request_;
    http::Reader& reader_;
};

loop::Task<http::Response> wrong_method(http::Request request) {
    const Refusal refusal{.code = model::Refusal::method};
    co_return problem(request, refusal);
}

loop::Task<http::Response> commitments(Parts& parts, http::Request request, http::Reader& reader) {
    Commitments work{parts, std::move(request), reader};
    co_return co_await work.run();
}

}  // namespace

Result<Committed> commit(store::Tx& tx, const store::Keys& keys, course::PlanCache& plans, const Entitled& who,
                         const CommitmentAsked& asked, std::int64_t at_ms, const std::string& server_url) {
    ASSAY_TRY(auto now, terms_now(tx, plans, who));
    if (!now) return no(std::move(now.error()));
    ASSAY_CHECK(tx.forget_commitments(at_ms - commitments_kept_ms));
    ASSAY_TRY(const auto made, tx.commitments(who.course.id, who.module.id, who.participant.id, at_ms));
    const CommitmentDecision decision = decide_commitment(made, asked.sha256, asked.size, at_ms);
    if (decision.kind == CommitmentDecision::Kind::again)
        return Committed{.document = decision.document, .refusal = {}, .again = true, .wait_ms = {}};
    if (const auto closed = queue::closed_at(now->dates, at_ms)) return no({.code = *closed});
    if (decision.kind == CommitmentDecision::Kind::too_many) {
        return Committed{.document = {},
                         .refusal = Refusal{.code = model::Refusal::rate},
                         .again = false,
                         .wait_ms = decision.wait_ms};
    }
    store::Commitment fresh{.course = who.course.id,
                            .module = who.module.id,
                            .participant = who.participant.id,
                            .sha256 = asked.sha256,
                            .size = asked.size,
                            .committed_ms = at_ms,
                            .until_ms = at_ms + now->plan->upload_grace_ms,
                            .document = {},
                            .submission = {}};
    const auto time = [&](std::int64_t ms) { return sys::rfc3339(sys::wall_from_ms(ms), who.course.timezone); };
    fresh.document = keys.sign(model::Commitment{.course = fresh.course,
                                                 .module = fresh.module,
                                                 .participant = fresh.participant,
                                                 .sha256 = fresh.sha256,
                                                 .size = fresh.size,
                                                 .committed_at = time(fresh.committed_ms),
                                                 .bytes_until = time(fresh.until_ms),
                                                 .server = server_url,
                                                 .key_id = {}});
    ASSAY_CHECK(tx.add_commitment(fresh));
    return Committed{.document = std::move(fresh.document), .refusal = {}, .again = false, .wait_ms = {}};
}

void add_commitment_routes(http::Router& router, Parts& parts) {
    router.add("POST", "/api/v1/commitments", [&parts](http::Request request, http::Reader& reader) {
        return commitments(parts, std::move(request), reader);
    });
    router.add("*", "/api/v1/commitments",
               [](http::Request request, http::Reader&) { return wrong_method(std::move(request)); });
}

}  // namespace assay::intake
