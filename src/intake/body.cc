#include "intake/body.hh"

#include <algorithm>
#include <charconv>

#include "base/text.hh"

namespace assay::intake {
namespace {

using wording::FormFault;

constexpr std::size_t sha256_hex_size = 64;
constexpr std::size_t sha256_bytes = 32;

Result<> give(Form& form, const char* name, std::string_view value) {
    ASSAY_CHECK(form.begin({.name = name, .filename = {}}));
    ASSAY_CHECK(form.data(bytes_of(value)));
    return form.end();
}

// Every value of that name: which of two was meant must never be a question, and the form knows what to say of two.
Result<> give_parameters(const http::Request& request, Form& form, const char* name) {
    for (const std::string_view pair : split(request.query, '&')) {
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (http::percent_decoded(pair.substr(0, equals), true) != name) continue;
        const auto value = http::percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
        ASSAY_CHECK(give(form, name, value.value_or("")));
    }
    return ok;
}

std::optional<std::string> sha256_text(std::string_view text) {
    std::string lower{trimmed(text)};
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (lower.size() != sha256_hex_size || !from_hex(lower)) return std::nullopt;
    return lower;
}

// The sha-256 member of a Repr-Digest; other algorithms are not ours. nullopt: there is none; "" it cannot be read.
std::optional<std::string> sha256_of_digest(std::string_view field) {
    constexpr std::string_view name = "sha-256=:";
    for (const std::string_view member : split(field, ',')) {
        const std::string_view entry = trimmed(member);
        if (entry.size() < name.size() || !equal_ignoring_case(entry.substr(0, name.size()), name)) continue;
        std::string_view base64 = entry.substr(name.size());
        if (!base64.ends_with(':')) return "";
        base64.remove_suffix(1);
        const auto bytes = from_base64(base64);
        return bytes && bytes->size() == sha256_bytes ? to_hex(bytes_of(*bytes)) : "";
    }
    return std::nullopt;
}

}  // namespace

std::expected<Declared, FormProblem> declared_of(const http::Request& request, const Fields& fields, bool raw) {
    Declared declared;
    const auto unreadable = [](FormFault fault) { return std::unexpected{FormProblem{fault, ""}}; };
    if (fields.sha256) {
        declared.sha256 = sha256_text(*fields.sha256);
        if (!declared.sha256) return unreadable(FormFault::sha256_unreadable);
    } else if (raw) {
        declared.sha256 = sha256_of_digest(request.header("repr-digest"));
        if (declared.sha256 == "") return unreadable(FormFault::sha256_unreadable);
    }
    if (fields.size) {
        const std::string_view text = trimmed(*fields.size);
        std::int64_t size = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
        if (error != std::errc{} || end != text.data() + text.size() || size < 0) return unreadable(FormFault::size_unreadable);
        declared.size = size;
    }
    return declared;
}

std::expected<std::string, FormProblem> upload_key_of(const http::Request& request) {
    constexpr std::string_view name = "idempotency-key";
    const auto given = std::ranges::count_if(request.headers, [&](const http::Header& h) { return equal_ignoring_case(h.first, name); });
    if (given == 0) return "";
    const std::string_view key = request.header(name);
    const bool visible = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
    if (given > 1 || key.empty() || key.size() > upload_key_size_max || !visible) {
        return std::unexpected{FormProblem{FormFault::key_unreadable, std::to_string(upload_key_size_max)}};
    }
    return std::string{key};
}

Result<Body> Body::of(const http::Request& request, bool raw_allowed) {
    Body body;
    const std::string_view type = request.header("content-type");
    if (raw_allowed && !equal_ignoring_case(type.substr(0, std::string_view{"multipart/"}.size()), "multipart/")) return body;
    ASSAY_TRY(auto multipart, http::Multipart::from_content_type(type));
    body.multipart_.emplace(std::move(multipart));
    return body;
}

Result<> Body::begin(const http::Request& request, Form& form) {
    if (const auto token = http::bearer_token(request)) ASSAY_CHECK(give(form, "token", *token));
    if (!raw()) return ok;
    for (const char* const name : {"course", "module", "sha256", "size"}) ASSAY_CHECK(give_parameters(request, form, name));
    return form.begin({.name = "file", .filename = {}});
}

Result<> Body::feed(ByteView bytes, Form& form) { return raw() ? form.data(bytes) : multipart_->feed(bytes, form); }

Result<bool> Body::end(Form& form) {
    if (!raw()) return form.file_complete() && multipart_->finished();
    ASSAY_CHECK(form.end());
    return true;
}

}  // namespace assay::intake
