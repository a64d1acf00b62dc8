// Proofs: signed documents, checked with a public key alone.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "model/receipt.hh"

namespace assay::proof {

constexpr std::size_t proof_size_max = 64u << 10;

// What is wrong with a document. Its sentences are wording's (Told::proof_…).
enum class Defect : std::uint8_t {
    unreadable,            // `argument`: how, in the parser's words (English)
    type,                  // the one it should have
    text_missing,          // the member
    size_missing,
    key_size,
    signature_unreadable,
    other_key,             // the id of the one it was signed with
    members_more,
    signature_wrong,
};
struct Wrong {
    Defect what = Defect::unreadable;
    std::string argument;
};

// Check a signed document against a raw public key.
std::expected<model::Receipt, Wrong> check_receipt(std::string_view document, std::string_view public_key);
std::expected<model::Commitment, Wrong> check_commitment(std::string_view document, std::string_view public_key);

}  // namespace assay::proof
