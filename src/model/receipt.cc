// Canonical JSON by construction: keys are written in sorted order (all ASCII, so byte order is RFC 8785's order of UTF-16
// units), strings escaped as ECMAScript does, the one number is an integer below 2^53.
#include "model/receipt.hh"

#include <fmt/format.h>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::model {
namespace {

void append_string(std::string& json, std::string_view text) {
    ASSAY_ASSERT(valid_utf8(text));
    json += '"';
    for (const char c : text) {
        switch (c) {
            case '"': json += "\\\""; break;
            case '\\': json += "\\\\"; break;
            case '\b': json += "\\b"; break;
            case '\t': json += "\\t"; break;
            case '\n': json += "\\n"; break;
            case '\f': json += "\\f"; break;
            case '\r': json += "\\r"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
                else json += c;
        }
    }
    json += '"';
}

// Members are given in their order.
class Document {
public:
    void text(std::string_view key, std::string_view value) {
        json_ += '"';
        json_ += key;
        json_ += "\":";
        append_string(json_, value);
        json_ += ',';
    }
    void signature(std::string_view base64) {
        if (!base64.empty()) text("signature", base64);
    }
    std::string end(std::int64_t size, std::string_view type) && {
        ASSAY_ASSERT(size >= 0);
        ASSAY_ASSERT(size < 1LL << 53);
        fmt::format_to(std::back_inserter(json_), "\"size\":{},\"type\":\"{}\"}}", size, type);
        return std::move(json_);
    }

private:
    std::string json_ = "{";
};

std::string document(const Receipt& receipt, std::string_view signature_base64) {
    Document json;
    json.text("course", receipt.course.text());
    json.text("id", receipt.id.text());
    json.text("key_id", receipt.key_id);
    json.text("module", receipt.module.text());
    json.text("participant", receipt.participant.text());
    json.text("received_first_byte", receipt.received_first_byte);
    json.text("received_last_byte", receipt.received_last_byte);
    json.text("server", receipt.server);
    json.text("sha256", receipt.sha256);
    json.signature(signature_base64);
    return std::move(json).end(receipt.size, receipt_type);
}

std::string document(const Commitment& commitment, std::string_view signature_base64) {
    Document json;
    json.text("bytes_until", commitment.bytes_until);
    json.text("committed_at", commitment.committed_at);
    json.text("course", commitment.course.text());
    json.text("key_id", commitment.key_id);
    json.text("module", commitment.module.text());
    json.text("participant", commitment.participant.text());
    json.text("server", commitment.server);
    json.text("sha256", commitment.sha256);
    json.signature(signature_base64);
    return std::move(json).end(commitment.size, commitment_type);
}

}  // namespace

std::string canonical_json(const Receipt& receipt) { return document(receipt, {}); }
std::string canonical_json(const Commitment& commitment) { return document(commitment, {}); }

std::string signed_json(const Receipt& receipt, std::string_view signature_base64) {
    ASSAY_ASSERT(!signature_base64.empty());
    return document(receipt, signature_base64);
}

std::string signed_json(const Commitment& commitment, std::string_view signature_base64) {
    ASSAY_ASSERT(!signature_base64.empty());
    return document(commitment, signature_base64);
}

std::string canonical_string(std::string_view text) {
    std::string json;
    append_string(json, text);
    return json;
}

}  // namespace assay::model
