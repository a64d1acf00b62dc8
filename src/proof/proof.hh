// Proofs: signed documents, checked with a public key alone.
#pragma once

#include <string_view>

#include "base/result.hh"
#include "model/receipt.hh"

namespace assay::proof {

constexpr std::size_t proof_size_max = 64u << 10;

// Check a signed document against a raw public key. Errors: invalid (which part).
Result<model::Receipt> check_receipt(std::string_view document, std::string_view public_key);
Result<model::Commitment> check_commitment(std::string_view document, std::string_view public_key);

}  // namespace assay::proof
