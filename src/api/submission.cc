#include "api/submission.hh"

#include <algorithm>

#include "api/auth.hh"
#include "base/assert.hh"
#include "base/log.hh"
#include "course/identity.hh"
#include "wording/catalogue.hh"
#include "wording/wording.hh"

namespace assay::api {
namespace {

constexpr int retry_after_s = 3;

http::Response not_found(const http::Request& request) {
    return problem(request, 404, "unknown_submission", wording::Sentence::no_such_submission, wording::Sentence::no_such_submission_cure);
}

bool is_final(const queue::SubmissionView& view) {
    switch (view.submission.state) {
        case model::State::graded: return !view.rejudge;
        case model::State::cancelled: case model::State::superseded: return true;
        case model::State::queued: case model::State::running: case model::State::held: return false;
    }
    return false;
}

}  // namespace

Result<std::expected<store::Submission, http::Response>> asked_for(const Parts& parts, const http::Request& request,
                                                                   store::Reading& reading, const std::string& token) {
    using Asked = std::expected<store::Submission, http::Response>;
    ASSAY_TRY(auto people, course::who(reading, parts.keys, token));
    std::erase_if(people, [](const store::Participant& person) { return !person.active; });
    if (people.empty()) return Asked{std::unexpected{unauthorized(request)}};
    ASSAY_TRY(auto submission, reading.submission(SubmissionId{request.captures.at(0)}));
    const bool theirs = submission && std::ranges::any_of(people, [&](const store::Participant& person) {
        return person.course == submission->course && person.id == submission->participant;
    });
    if (!theirs) return Asked{std::unexpected{not_found(request)}};
    return Asked{std::move(*submission)};
}

Result<queue::SubmissionView> view_of(const Parts& parts, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(auto view, queue::view_submission(reading, parts.board, submission.id, sys::to_ms(parts.clock.wall())));
    ASSAY_ASSERT(view.has_value());
    return std::move(*view);
}

Result<wording::Language> language_for(const http::Request& request, store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto course, reading.course(submission.course));
    if (!course) return Error{Fault::internal, "a submission names a course that is not there"};
    const auto fallback = course->language.starts_with("zh") ? wording::Language::chinese : wording::Language::english;
    return wording::choose(request.header("accept-language"), fallback);
}

Result<State> state_of(const Parts& parts, const http::Request& request, store::Reading& reading, const store::Submission& submission,
                       queue::Detail detail) {
    ASSAY_TRY(const auto view, view_of(parts, reading, submission));
    ASSAY_TRY(const auto course, reading.course(submission.course));
    if (!course) return Error{Fault::internal, "a submission names a course that is not there"};
    ASSAY_TRY(const auto language, language_for(request, reading, submission));
    // The text is for the participant, the details for whoever looks into it.
    const auto wait_text = [language](const queue::Waiting& waiting) {
        return queue::WaitText{.text = wording::sentence(language, waiting.reason),
                               .details = waiting.detail ? wording::sentence(wording::Language::english, *waiting.detail) : ""};
    };
    State state{.json = queue::to_json(view, course->timezone, parts.server_url, wait_text, detail), .final = is_final(view)};
    if (const queue::Waiting* const waiting = queue::in_line(view)) {
        state.position = waiting->position;
        state.moves = waiting->moves;
    }
    return state;
}

http::Response error_answer(const http::Request& request, const Error& error) {
    const int status = http::status_of(error.fault());
    if (status == 503) {
        auto response = http::problem(503, "busy", "The server is answering as many requests as it can.", "Ask again in a few seconds.");
        return response.with("Retry-After", std::to_string(retry_after_s));
    }
    log::error("api.failed", {{"request", request.id}, {"error", error.text()}});
    return http::problem(500, "internal", "Something failed on our side.",
                         "Ask again; if it happens twice, tell staff the X-Request-Id of this answer.");
}

}  // namespace assay::api
