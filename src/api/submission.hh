// Submission: what the routes about one submission share: who may see it, and its state as JSON. Blocking; on a pool thread.
#pragma once

#include <expected>
#include <string>

#include "api/api.hh"
#include "queue/view.hh"
#include "wording/wording.hh"

namespace assay::api {

// Of whoever holds `token`, by the id in the route's first capture. Someone else's submission and one that is not there are the
// same answer.
Result<std::expected<store::Submission, http::Response>> asked_for(const Parts&, const http::Request&, store::Reading&,
                                                                   const std::string& token);

// The submission is there: it was read in the same `reading`.
Result<queue::SubmissionView> view_of(const Parts&, store::Reading&, const store::Submission&);

// In which the reader is told about it: what he asks for, else what its course speaks.
Result<wording::Language> language_for(const http::Request&, store::Reading&, const store::Submission&);

struct State {
    std::string json;       // the SPEC's "a submission's JSON", in the reader's language
    bool final = false;     // nothing but staff will change it
    std::int64_t position = 0;  // in line, of it or of a rejudge; 0: it does not wait in it
    std::uint64_t moves = 0;    // of the line when that was read (queue::Moves)
};
Result<State> state_of(const Parts&, const http::Request&, store::Reading&, const store::Submission&, queue::Detail);

http::Response error_answer(const http::Request&, const Error&);

}  // namespace assay::api
