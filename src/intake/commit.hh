// Commit: POST /api/v1/commitments, the promise that bytes are coming (commitment.hh), durable before it is answered.
#pragma once

#include "http/message.hh"
#include "intake/accept.hh"
#include "intake/commitment.hh"
#include "intake/intake.hh"

namespace assay::intake {

struct Committed {                      // exactly one is set
    std::optional<std::string> document;  // the exact signed one
    std::optional<Refusal> refusal;
    bool again = false;                 // it was there already
    std::optional<std::int64_t> wait_ms;  // too many are open: until the first of them lapses; of Refusal::rate
};
// The body of the transaction. Decides open and count from what it reads. `asked` fits the module's limit.
Result<Committed> commit(store::Tx&, const store::Keys&, course::PlanCache&, const Entitled&, const CommitmentAsked&,
                         std::int64_t at_ms, const std::string& server_url);

// `parts` must outlive the router's server.
void add_commitment_routes(http::Router&, Parts&);

}  // namespace assay::intake
