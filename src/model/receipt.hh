// The signed proofs: a receipt that a submission is durable (`assay-receipt/1`), a commitment that its bytes existed before they
// came (`assay-commitment/1`). Canonical form after RFC 8785.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hh"
#include "base/result.hh"

namespace assay::model {

constexpr std::string_view receipt_type = "assay-receipt/1";
constexpr std::string_view commitment_type = "assay-commitment/1";

struct Receipt {
    SubmissionId id;
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    std::string sha256;                // lower-case hex of the archive
    std::int64_t size = 0;             // bytes of the archive
    std::string received_first_byte;   // RFC 3339 with milliseconds and offset, in the course's zone
    std::string received_last_byte;
    std::string server;                // public_url or the listening URL
    std::string key_id;                // first 16 hex digits of the SHA-256 of the raw public key
};

struct Commitment {
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    std::string sha256;                // lower-case hex of the archive that is to come
    std::int64_t size = 0;             // its bytes
    std::string committed_at;          // RFC 3339 as above: when it counts as handed in, if all bytes come
    std::string bytes_until;           // by then
    std::string server;
    std::string key_id;                // of a key that signs commitments alone
};

// The exact bytes that are signed: canonical JSON of everything but the signature.
std::string canonical_json(const Receipt&);
std::string canonical_json(const Commitment&);
// The document that is stored and given out: the same, canonical, with "signature" (standard base64, padded) in its place.
std::string signed_json(const Receipt&, std::string_view signature_base64);
std::string signed_json(const Commitment&, std::string_view signature_base64);

// A JSON string literal as RFC 8785 writes it. `text` must be valid UTF-8.
std::string canonical_string(std::string_view text);

}  // namespace assay::model
