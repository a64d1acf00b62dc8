// What verifying shares with unpacking, and the two sides of a confined verifier with each other. Internal to archive.
#pragma once

#include "archive/archive.hh"
#include "archive/step.hh"

namespace assay::archive {

Result<Verdict> verdict_of(Step<Manifest>);

// A refusal as one line for logs and staff: "damaged: checksum_wrong 'gzip', at byte 812".
std::string sentence(const Refused&);

// The verifier's answer: a verdict (a manifest without its listing) or an error.
constexpr std::size_t answer_bytes_max = 16u << 10;
std::string answer_to_json(const Result<Verdict>&);
Result<Verdict> answer_from_json(std::string_view);

// The rules, and how much of them comes with the archive's descriptor.
constexpr std::size_t rules_bytes_max = 1u << 20;
constexpr std::size_t request_head_bytes_max = 4096;

// How a verifier exits when it cannot answer.
constexpr int exit_misunderstood = 1;
constexpr int exit_out_of_memory = 3;
Verdict out_of_memory();

}  // namespace assay::archive
