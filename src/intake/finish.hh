// Finish: what every way of bringing an archive ends in: verify, keep, commit.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "intake/accept.hh"
#include "intake/body.hh"
#include "intake/spool.hh"
#include "loop/task.hh"

namespace assay::intake {

// The bytes are there, their number was judged. `request_id` is for the log. Errors: what is nobody's refusal (refusal_of says which it becomes).
loop::Task<Result<std::expected<Accepted, Refusal>>> finish(Parts&, const Entitled&, Spool& file, const Declared&, Arrived, const std::string& request_id);

// Other bytes, or other many, than were declared.
Refusal differs(wording::FormFault, std::string arrived);

// Too many bytes of uploads are under way, and no room came in time.
Refusal no_room_for_bytes();

// `problem`: what the form itself found wrong, when it did.
Refusal refusal_of(const Error&, const std::optional<FormProblem>& problem);

// An upload is over, by what came of it: a refusal's code, or one of accepted, repeat, cut.
void count_upload(std::string_view result, std::int64_t bytes);

}  // namespace assay::intake
