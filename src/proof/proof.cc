// What was read is made again and compared with the signature: a member that is not part of such a document cannot hide in a checked one.
#include "proof/proof.hh"

#include <sodium.h>

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hh"
#include "model/json.hh"
#include "sys/sha256.hh"

namespace assay::proof {
namespace {

constexpr std::int64_t size_end = 1LL << 53;

std::unexpected<Wrong> wrong(Defect what, std::string argument = {}) { return std::unexpected{Wrong{what, std::move(argument)}}; }

// A document that was parsed, whatever it is.
class Members {
public:
    static std::expected<Members, Wrong> of(std::string_view document, std::string_view type) {
        auto json = model::parse_json(document, {.size_max = proof_size_max, .depth_max = 2, .values_max = 32});
        if (!json) return wrong(Defect::unreadable, json.error().text());
        Members members{std::move(json).value()};
        std::string given;
        if (auto read = members.read({{"type", given}}); !read) return std::unexpected{std::move(read).error()};
        if (given != type) return wrong(Defect::type, std::string{type});
        return members;
    }

    struct Text {
        const char* name;
        std::string& to;
    };
    std::expected<void, Wrong> read(std::initializer_list<Text> texts) const {
        for (const auto& [name, to] : texts) {
            const auto at = json_.is_object() ? json_.find(name) : json_.end();
            if (at == json_.end() || !at->is_string()) return wrong(Defect::text_missing, name);
            to = at->get<std::string>();
        }
        return {};
    }
    std::expected<void, Wrong> read_size(std::int64_t& to) const {
        const auto at = json_.find("size");
        if (at == json_.end() || !at->is_number_integer() || *at < 0 || *at >= size_end) return wrong(Defect::size_missing);
        to = at->get<std::int64_t>();
        return {};
    }

    // `again`: the document as it is signed.
    std::expected<void, Wrong> signed_by(std::string_view public_key, std::string_view key_id, const std::string& again) const {
        if (public_key.size() != crypto_sign_PUBLICKEYBYTES) return wrong(Defect::key_size);
        std::string base64;
        if (auto there = read({{"signature", base64}}); !there) return there;
        const auto signature = from_base64(base64);
        if (!signature || signature->size() != crypto_sign_BYTES) return wrong(Defect::signature_unreadable);
        if (key_id != sys::sha256_hex(bytes_of(public_key)).substr(0, 16)) return wrong(Defect::other_key, std::string{key_id});
        auto unsigned_json = json_;
        unsigned_json.erase("signature");
        if (unsigned_json.size() != nlohmann::json::parse(again).size()) return wrong(Defect::members_more);
        const auto raw = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
        if (crypto_sign_verify_detached(raw(*signature), raw(again), again.size(), raw(public_key)) != 0) return wrong(Defect::signature_wrong);
        return {};
    }

private:
    explicit Members(nlohmann::json json) : json_{std::move(json)} {}

    nlohmann::json json_;
};

}  // namespace

std::expected<model::Receipt, Wrong> check_receipt(std::string_view document, std::string_view public_key) {
    const auto members = Members::of(document, model::receipt_type);
    if (!members) return std::unexpected{members.error()};
    model::Receipt receipt;
    std::string id, course, module, participant;
    auto checked = members->read({{"id", id},
                                  {"course", course},
                                  {"module", module},
                                  {"participant", participant},
                                  {"sha256", receipt.sha256},
                                  {"received_first_byte", receipt.received_first_byte},
                                  {"received_last_byte", receipt.received_last_byte},
                                  {"server", receipt.server},
                                  {"key_id", receipt.key_id}});
    if (checked) checked = members->read_size(receipt.size);
    receipt.id = SubmissionId{id};
    receipt.course = CourseId{course};
    receipt.module = ModuleId{module};
    receipt.participant = ParticipantId{participant};
    if (checked) checked = members->signed_by(public_key, receipt.key_id, model::canonical_json(receipt));
    if (!checked) return std::unexpected{checked.error()};
    return receipt;
}

std::expected<model::Commitment, Wrong> check_commitment(std::string_view document, std::string_view public_key) {
    const auto members = Members::of(document, model::commitment_type);
    if (!members) return std::unexpected{members.error()};
    model::Commitment commitment;
    std::string course, module, participant;
    auto checked = members->read({{"course", course},
                                  {"module", module},
                                  {"participant", participant},
                                  {"sha256", commitment.sha256},
                                  {"committed_at", commitment.committed_at},
                                  {"bytes_until", commitment.bytes_until},
                                  {"server", commitment.server},
                                  {"key_id", commitment.key_id}});
    if (checked) checked = members->read_size(commitment.size);
    commitment.course = CourseId{course};
    commitment.module = ModuleId{module};
    commitment.participant = ParticipantId{participant};
    if (checked) checked = members->signed_by(public_key, commitment.key_id, model::canonical_json(commitment));
    if (!checked) return std::unexpected{checked.error()};
    return commitment;
}

}  // namespace assay::proof
