// Commitment: an archive's size and SHA-256, announced before its bytes come, so that a slow way costs nobody a deadline. What was
// committed in time is handed in when its bytes come within the module's `upload_grace`. Pure.
//
// `made`: the participant's commitments in the module whose time was not over at that moment (store::Reading::commitments), those
// whose bytes came among them.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "intake/body.hh"
#include "store/rows.hh"

namespace assay::intake {

constexpr std::int64_t open_commitments_max = 3;  // of a participant in a module: their bytes have not come
constexpr std::int64_t commitments_kept_ms =
    48LL * 60 * 60 * 1000;  // beyond their time: bytes that came in it may be judged later
constexpr std::size_t commitment_request_bytes_max = 4096;

// What POST /api/v1/commitments asks for. The FormProblem: what of it is missing or cannot be read.
struct CommitmentAsked {
    std::string course;
    std::string module;
    std::string sha256;  // 64 lower-case hex digits
    std::int64_t size = 0;
};
std::expected<CommitmentAsked, FormProblem> commitment_asked(std::string_view json);

struct CommitmentDecision {
    enum class Kind { fresh, again, too_many } kind = Kind::fresh;
    std::string document;  // again: the one to these bytes that is there
    std::int64_t wait_ms = 0;  // too_many: until the first of them lapses
};
CommitmentDecision decide_commitment(std::span<const store::Commitment> made, std::string_view sha256,
                                     std::int64_t size, std::int64_t at_ms);

// When bytes whose last one came at `last_byte_ms` had been committed: the earliest of those that fit. nullopt: they had not.
std::optional<std::int64_t> committed_ms(std::span<const store::Commitment> made, std::string_view sha256,
                                         std::int64_t size, std::int64_t last_byte_ms);

}  // namespace assay::intake
