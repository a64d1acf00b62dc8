// Accept: who may hand in what, and the one transaction that makes an upload a submission.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "archive/archive.hh"
#include "course/plan_cache.hh"
#include "intake/intake.hh"
#include "model/words.hh"
#include "store/rows.hh"
#include "wording/archive_faults.hh"

namespace assay::intake {

// What is wrong with the form, for missing_field.
struct FormProblem {
    wording::FormFault fault = wording::FormFault::broken;
    std::string argument;
};

// Why an upload is not taken. `limit` and `sent` are of too_large.
struct Refusal {
    model::Refusal code = model::Refusal::internal;
    std::optional<archive::Refused> archive;
    std::optional<FormProblem> form;
    std::int64_t limit = 0;
    std::int64_t sent = 0;
    bool at_least = false;              // `sent` is what was read, not all there was
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
// Errors are the store's.
Result<Entitlement> entitle(store::Reading&, const store::Keys&, course::PlanCache&, const std::string& token,
                            const std::string& course, const std::string& module, std::int64_t now_ms);

// The largest size_max of any open module, or `fallback` when none is open.
Result<std::int64_t> largest_open(store::Reading&, course::PlanCache&, std::int64_t now_ms, std::int64_t fallback);

struct Arrived {
    std::string sha256;
    std::int64_t size = 0;
    std::int64_t first_byte_ms = 0;
    std::int64_t last_byte_ms = 0;
};
struct Accepted {
    SubmissionId id;
    std::string receipt;                // the exact signed document
    std::int64_t last_byte_ms = 0;
    bool repeat = false;
};
struct Acceptance {                     // exactly one is set
    std::optional<Accepted> accepted;
    std::optional<Refusal> refusal;     // it closed, or the participant left, meanwhile
};
// The body of the transaction. The blob is durable already. Decides repeat, replacement, count and open from what it reads.
Result<Acceptance> accept(store::Tx&, const store::Keys&, course::PlanCache&, const Entitled&, const Arrived&,
                          const std::string& server_url);

}  // namespace assay::intake
