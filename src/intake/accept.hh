// Accept: who may hand in what, and the one transaction that makes an upload a submission.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "archive/archive.hh"
#include "course/plan_cache.hh"
#include "intake/intake.hh"
#include "model/words.hh"
#include "queue/policy.hh"
#include "store/rows.hh"
#include "wording/archive_faults.hh"

namespace assay::intake {

// What is wrong with the form, for missing_field and digest_mismatch.
struct FormProblem {
    wording::FormFault fault = wording::FormFault::broken;
    std::string argument;
};

// Why its archive was not looked at, for busy.
struct TurnProblem {
    wording::TurnFault fault = wording::TurnFault::no_room;
    std::size_t own = 0;                // of the same participant's uploads that wait
};

// Why an upload is not taken. `limit` and `sent` are of too_large.
struct Refusal {
    model::Refusal code = model::Refusal::internal;
    std::optional<archive::Refused> archive;
    std::optional<FormProblem> form;
    std::optional<TurnProblem> turn;
    std::int64_t limit = 0;
    std::int64_t sent = 0;
    bool at_least = false;              // `sent` is what was read, not all there was
    std::int64_t retry_after_s = 0;     // of rate
};

// Token, course, module and dates, checked in the SPEC's order.
struct Entitled {
    store::Participant participant;
    store::Course course;
    store::Module module;
    std::shared_ptr<const model::Plan> plan;
};
struct Entitlement {                    // exactly one is set
    std::optional<Entitled> entitled;
    std::optional<Refusal> refusal;
    std::string timezone = "UTC";       // of the course named, once it is known
};
// What somebody says of himself and of what he wants.
struct Claim {
    std::string token;
    std::string course;
    std::string module;
    std::string upload_key;             // Idempotency-Key; empty: none
};
constexpr std::size_t upload_key_size_max = 255;
constexpr std::int64_t upload_keys_kept_ms = 24LL * 60 * 60 * 1000;
// Of token, course and module alone. Errors are the store's.
Result<Entitlement> identify(store::Reading&, const store::Keys&, course::PlanCache&, const Claim&);
// Of dates and rate too. They do not refuse an upload whose key is known already: its receipt is asked for again; and what was
// committed before the module closed may still come. Errors are the store's.
Result<Entitlement> entitle(store::Reading&, const store::Keys&, course::PlanCache&, const Claim&, std::int64_t now_ms);

// How long until a module with this rate takes another upload; nullopt: now. `nth_newest_ms`: when the participant's
// rate.count newest submission came. Pure.
std::optional<std::int64_t> rate_wait_ms(const model::Rate&, std::optional<std::int64_t> nth_newest_ms, std::int64_t now_ms);

// The largest size_max of any module that somebody may send to, or `fallback` when none is open.
Result<std::int64_t> largest_open(store::Reading&, course::PlanCache&, std::int64_t now_ms, std::int64_t fallback);

struct Arrived {
    std::string sha256;
    std::int64_t size = 0;
    std::int64_t first_byte_ms = 0;
    std::int64_t last_byte_ms = 0;
    std::string upload_key;             // Idempotency-Key; empty: none
    bool declared = false;              // its SHA-256 came with the first byte, and is right
    std::int64_t names_converted = 0;   // in it, from the module's encoding to UTF-8
};
struct Accepted {
    SubmissionId id;
    std::string receipt;                // the exact signed document
    std::int64_t last_byte_ms = 0;
    bool repeat = false;
    std::int64_t names_converted = 0;   // from the module's encoding to UTF-8
};
struct Acceptance {                     // exactly one is set
    std::optional<Accepted> accepted;
    std::optional<Refusal> refusal;     // it closed, or the participant left, or too many came meanwhile; or the key is taken
};

// What holds for somebody in this transaction, whatever held when he was let in. The Refusal: he left, or the module was archived.
struct Terms {
    store::Module module;
    std::shared_ptr<const model::Plan> plan;
    grade::Dates dates;
};
Result<std::expected<Terms, Refusal>> terms_now(store::Reading&, course::PlanCache&, const Entitled&);

// The body of the transaction. The blob is durable already. Decides repeat, replacement, count, rate and open from what it
// reads.
Result<Acceptance> accept(store::Tx&, const store::Keys&, course::PlanCache&, const Entitled&, const Arrived&,
                          const std::string& server_url);

}  // namespace assay::intake
