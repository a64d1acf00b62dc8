#include "intake/answer.hh"

#include <fmt/format.h>

#include "sys/zone.hh"
#include "wording/archive_faults.hh"

namespace assay::intake {
namespace {

constexpr int retry_after_s = 10;

std::string detail_of(wording::Language language, const Refusal& refusal) {
    if (const auto& it = refusal.archive) {
        return wording::sentence(language, it->fault, it->arguments, {it->entry, it->limit, it->value, it->offset});
    }
    if (const auto& it = refusal.turn) return wording::sentence(language, it->fault, it->own);
    return refusal.form ? wording::sentence(language, refusal.form->fault, refusal.form->argument) : "";
}

// This line is read by scripts: the SPEC fixes it to the letter.
std::string too_large(const Refusal& refusal) {
    return fmt::format("File is too large! limit {} bytes, sent {}{} bytes", refusal.limit, refusal.at_least ? "at least " : "",
                       refusal.sent);
}

std::string refusal_text(wording::Language language, const Refusal& refusal) {
    if (refusal.code == model::Refusal::too_large) return too_large(refusal);
    return wording::with_detail(language, wording::sentence(language, refusal.code), detail_of(language, refusal));
}

http::Response problem_of(wording::Language language, const Refusal& refusal, const std::string& next = {}) {
    const bool large = refusal.code == model::Refusal::too_large;
    const std::string said = large ? too_large(refusal)
                                   : wording::with_detail(language, wording::meaning(language, refusal.code), detail_of(language, refusal));
    return http::problem(model::http_status(refusal.code), model::to_string(refusal.code), said, next.empty() ? wording::next_step(language, refusal.code) : next);
}

http::Response with_headers(http::Response response, const Accepted& accepted) {
    if (accepted.repeat) response.with("Idempotency-Replayed", "true");
    if (accepted.names_converted > 0) response.with("Assay-Names-Converted", std::to_string(accepted.names_converted));
    return response;
}

http::Response with_headers(http::Response response, const Refusal& refusal) {
    if (response.status == 405) response.with("Allow", "POST");
    if (response.status == 401) response.with("WWW-Authenticate", "Bearer");
    if (response.status == 503) response.with("Retry-After", std::to_string(retry_after_s));
    if (response.status == 429) response.with("Retry-After", std::to_string(refusal.retry_after_s));
    return response;
}

}  // namespace

http::Response accepted_answer(const http::Request& request, const Accepted& accepted, const std::string& timezone,
                               const std::string& page) {
    const auto answer = [&] {
        if (request.accepts("application/json")) return http::Response::json(200, accepted.receipt);
        if (request.accepts("text/html") && !page.empty()) return http::Response::redirect(page + "?submitted=" + accepted.id.text());
        return http::Response::text(200, fmt::format("[SUCC ✓] Received {} at {}\n", accepted.id.text(),
                                                     sys::date_and_time(sys::wall_from_ms(accepted.last_byte_ms), timezone)));
    };
    return with_headers(answer(), accepted);
}

http::Response refused_answer(const http::Request& request, const Refusal& refusal, const RefusalPage& page,
                              const std::optional<Sender>& sender) {
    const auto language = wording::choose(request.header("accept-language"));
    const int status = model::http_status(refusal.code);
    const auto answer = [&] {
        if (request.accepts("application/json")) return problem_of(language, refusal);
        const std::string text = refusal_text(language, refusal);
        if (request.accepts("text/html") && page) return page(request, status, text, sender);
        return http::Response::text(status, fmt::format("[FAIL ✗] {}\n", text));
    };
    return with_headers(answer(), refusal);
}

http::Response created_answer(const Accepted& accepted) {
    http::Response response = http::Response::json(201, accepted.receipt);
    response.with("Location", "/api/v1/submissions/" + accepted.id.text());
    return with_headers(std::move(response), accepted);
}

http::Response problem_answer(const http::Request& request, const Refusal& refusal, const std::string& next) {
    return with_headers(problem_of(wording::choose(request.header("accept-language")), refusal, next), refusal);
}

}  // namespace assay::intake
