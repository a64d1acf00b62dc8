#include "intake/answer.hh"

#include <fmt/format.h>

#include "sys/zone.hh"
#include "wording/archive_faults.hh"

namespace assay::intake {
namespace {

constexpr int retry_after_s = 10;

std::string refusal_text(wording::Language language, const Refusal& refusal) {
    // These two lines are read by scripts: the SPEC fixes them to the letter.
    if (refusal.code == model::Refusal::too_large) {
        return fmt::format("File is too large! limit {} bytes, sent {}{} bytes", refusal.limit, refusal.at_least ? "at least " : "",
                           refusal.sent);
    }
    std::string detail;
    if (const auto& it = refusal.archive) {
        detail = wording::sentence(language, it->fault, it->arguments, {it->entry, it->limit, it->value, it->offset});
    } else if (refusal.form) {
        detail = wording::sentence(language, refusal.form->fault, refusal.form->argument);
    }
    return wording::with_detail(language, wording::sentence(language, refusal.code), detail);
}

}  // namespace

http::Response accepted_answer(const http::Request& request, const Accepted& accepted, const std::string& timezone,
                               const std::string& page) {
    const auto answer = [&] {
        if (request.accepts("application/json")) return http::Response::json(200, accepted.receipt);
        if (request.accepts("text/html") && !page.empty()) {
            return http::Response::redirect(page + "?submitted=" + accepted.id.text());
        }
        return http::Response::text(200, fmt::format("[SUCC ✓] Received {} at {}\n", accepted.id.text(),
                                                     sys::date_and_time(sys::wall_from_ms(accepted.last_byte_ms), timezone)));
    };
    http::Response response = answer();
    if (accepted.repeat) response.with("Idempotency-Replayed", "true");
    return response;
}

http::Response refused_answer(const http::Request& request, const Refusal& refusal, const RefusalPage& page,
                              const std::optional<Sender>& sender) {
    const auto language = wording::choose(request.header("accept-language"));
    const int status = model::http_status(refusal.code);
    const std::string text = refusal_text(language, refusal);
    const auto answer = [&] {
        if (request.accepts("application/json")) return http::problem(status, model::to_string(refusal.code), text);
        if (request.accepts("text/html") && page) return page(request, status, text, sender);
        return http::Response::text(status, fmt::format("[FAIL ✗] {}\n", text));
    };
    http::Response response = answer();
    if (status == 405) response.with("Allow", "POST");
    if (status == 401) response.with("WWW-Authenticate", "Bearer");
    if (status == 503) response.with("Retry-After", std::to_string(retry_after_s));
    return response;
}

}  // namespace assay::intake
