// Answers: whoever wants to know of each answer that this process's public servers give.
#pragma once

#include <functional>
#include <string_view>

namespace assay::http {

// The route's template or "none", the status, and the time from a whole header to the answer's end.
using AnswerListener = std::function<void(std::string_view route, int status, double ms)>;

// Replaces the listener (default: none). It is called on loop threads, of no stream and of no runner's connection, and must not wait. Not
// to be called while a server serves.
void on_answer(AnswerListener listener);
const AnswerListener& answer_listener();

}  // namespace assay::http
