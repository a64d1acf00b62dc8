// Answer: what a client reads, in the form it asked for: one line of text, JSON, or a way to the page. Pure.
#pragma once

#include <string>

#include "http/message.hh"
#include "intake/accept.hh"

namespace assay::intake {

// `page`: path of the participant's page, for a browser; may be empty.
http::Response accepted_answer(const http::Request&, const Accepted&, const std::string& timezone, const std::string& page);
http::Response refused_answer(const http::Request&, const Refusal&, const RefusalPage& page = {}, const std::optional<Sender>& sender = {});

// Of POST /api/v1/submissions, whatever the client accepts: 201 with the receipt, or a problem.
http::Response created_answer(const Accepted&);
// `next`: what to do instead of what the refusal says to an upload; empty: that.
http::Response problem_answer(const http::Request&, const Refusal&, const std::string& next = {});

}  // namespace assay::intake
