// What was read is made again and compared with the signature: a member that is not part of such a document cannot hide in a checked one.
#include "proof/proof.hh"

#include <fmt/format.h>
#include <sodium.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "model/json.hh"
#include "sys/sha256.hh"

namespace assay::proof {
namespace {

constexpr std::int64_t size_end = 1LL << 53;

Error wrong(const std::string& what) { return {Fault::invalid, what}; }

// The members of a document of one type; `name` is what people call it.
class Members {
public:
    static Result<Members> of(std::string_view document, std::string_view name, std::string_view type) {
        Members members{name};
        ASSAY_TRY(members.json_,
                  model::parse_json(document, {.size_max = proof_size_max, .depth_max = 2, .values_max = 32}));
        ASSAY_TRY(const std::string given, members.text("type"));
        if (given != type) return wrong(fmt::format("the {}'s type is not {}", name, type));
        return members;
    }

    Result<std::string> text(const char* key) const {
        const auto at = json_.is_object() ? json_.find(key) : json_.end();
        if (at == json_.end() || !at->is_string()) return wrong(fmt::format("the {} has no text '{}'", name_, key));
        return at->get<std::string>();
    }
    template <class Id>
    Result<Id> id(const char* key) const {
        ASSAY_TRY(std::string value, text(key));
        return Id{std::move(value)};
    }
    Result<std::int64_t> size() const {
        const auto at = json_.find("size");
        if (at == json_.end() || !at->is_number_integer() || *at < 0 || *at >= size_end)
            return wrong(fmt::format("the {} has no size", name_));
        return at->get<std::int64_t>();
    }

    // `again`: the document as it is signed.
    Result<> signed_by(std::string_view public_key, std::string_view key_id, const std::string& again) const {
        if (public_key.size() != crypto_sign_PUBLICKEYBYTES) return wrong("the public key is not 32 bytes");
        ASSAY_TRY(const std::string base64, text("signature"));
        const auto signature = from_base64(base64);
        if (!signature || signature->size() != crypto_sign_BYTES)
            return wrong(fmt::format("the {}'s signature is not base64 of 64 bytes", name_));
        if (key_id != sys::sha256_hex(bytes_of(public_key)).substr(0, 16)) {
            return wrong(fmt::format("the {} was signed with another key ({})", name_, escaped(key_id)));
        }
        auto unsigned_json = json_;
        unsigned_json.erase("signature");
        if (unsigned_json.size() != nlohmann::json::parse(again).size())
            return wrong(fmt::format("the {0} has fields that no {0} has", name_));
        const auto raw = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
        if (crypto_sign_verify_detached(raw(*signature), raw(again), again.size(), raw(public_key)) != 0) {
            return wrong(fmt::format("the {}'s signature does not fit its content", name_));
        }
        return ok;
    }

private:
    explicit Members(std::string_view name) : name_{name} {}

    std::string_view name_;
    nlohmann::json json_;
};

}  // namespace

Result<model::Receipt> check_receipt(std::string_view document, std::string_view public_key) {
    ASSAY_TRY(const Members members, Members::of(document, "receipt", model::receipt_type));
    model::Receipt receipt;
    ASSAY_TRY(receipt.id, members.id<SubmissionId>("id"));
    ASSAY_TRY(receipt.course, members.id<CourseId>("course"));
    ASSAY_TRY(receipt.module, members.id<ModuleId>("module"));
    ASSAY_TRY(receipt.participant, members.id<ParticipantId>("participant"));
    ASSAY_TRY(receipt.size, members.size());
    ASSAY_TRY(receipt.sha256, members.text("sha256"));
    ASSAY_TRY(receipt.received_first_byte, members.text("received_first_byte"));
    ASSAY_TRY(receipt.received_last_byte, members.text("received_last_byte"));
    ASSAY_TRY(receipt.server, members.text("server"));
    ASSAY_TRY(receipt.key_id, members.text("key_id"));
    ASSAY_CHECK(members.signed_by(public_key, receipt.key_id, model::canonical_json(receipt)));
    return receipt;
}

Result<model::Commitment> check_commitment(std::string_view document, std::string_view public_key) {
    ASSAY_TRY(const Members members, Members::of(document, "commitment", model::commitment_type));
    model::Commitment commitment;
    ASSAY_TRY(commitment.course, members.id<CourseId>("course"));
    ASSAY_TRY(commitment.module, members.id<ModuleId>("module"));
    ASSAY_TRY(commitment.participant, members.id<ParticipantId>("participant"));
    ASSAY_TRY(commitment.sha256, members.text("sha256"));
    ASSAY_TRY(commitment.size, members.size());
    ASSAY_TRY(commitment.committed_at, members.text("committed_at"));
    ASSAY_TRY(commitment.bytes_until, members.text("bytes_until"));
    ASSAY_TRY(commitment.server, members.text("server"));
    ASSAY_TRY(commitment.key_id, members.text("key_id"));
    ASSAY_CHECK(members.signed_by(public_key, commitment.key_id, model::canonical_json(commitment)));
    return commitment;
}

}  // namespace assay::proof
