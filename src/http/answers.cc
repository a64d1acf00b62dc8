#include "http/answers.hh"

#include <utility>

namespace assay::http {
namespace {

AnswerListener& of_this_process() {
    static AnswerListener listener;
    return listener;
}

}  // namespace

void on_answer(AnswerListener listener) { of_this_process() = std::move(listener); }
const AnswerListener& answer_listener() { return of_this_process(); }

}  // namespace assay::http
