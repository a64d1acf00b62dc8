// Canonical JSON by construction: keys are written in sorted order (all ASCII, so byte order is RFC 8785's order of UTF-16
// units), strings escaped as ECMAScript does, the one number is an integer below 2^53.
#include "model/receipt.hh"

#include <fmt/format.h>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::model {
namespace {

std::string document(const Receipt& receipt, std::string_view signature_base64) {
    ASSAY_ASSERT(receipt.size >= 0);
    ASSAY_ASSERT(receipt.size < 1LL << 53);
    std::string json = "{";
    const auto text = [&](std::string_view key, std::string_view value) {
        fmt::format_to(std::back_inserter(json), "\"{}\":{},", key, canonical_string(value));
    };
    text("course", receipt.course.text());
    text("id", receipt.id.text());
    text("key_id", receipt.key_id);
    text("module", receipt.module.text());
    text("participant", receipt.participant.text());
    text("received_first_byte", receipt.received_first_byte);
    text("received_last_byte", receipt.received_last_byte);
    text("server", receipt.server);
    text("sha256", receipt.sha256);
    if (!signature_base64.empty()) text("signature", signature_base64);
    fmt::format_to(std::back_inserter(json), "\"size\":{},\"type\":\"assay-receipt/1\"}}", receipt.size);
    return json;
}

}  // namespace

std::string canonical_json(const Receipt& receipt) { return document(receipt, {}); }

std::string signed_json(const Receipt& receipt, std::string_view signature_base64) {
    ASSAY_ASSERT(!signature_base64.empty());
    return document(receipt, signature_base64);
}

std::string canonical_string(std::string_view text) {
    ASSAY_ASSERT(valid_utf8(text));
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\t': out += "\\t"; break;
            case '\n': out += "\\n"; break;
            case '\f': out += "\\f"; break;
            case '\r': out += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
                else out += c;
        }
    }
    return out += '"';
}

}  // namespace assay::model
