// What verifying shares with unpacking and with the confined verifier. Internal to archive.
#pragma once

#include "archive/archive.hh"
#include "archive/step.hh"

namespace assay::archive {

Result<Verdict> verdict_of(Step<Manifest>);

// A refusal as one line for logs and staff: "damaged: checksum_wrong 'gzip', at byte 812".
std::string sentence(const Refused&);

// The verifier's answer: a verdict or an error, bounded by answer_bytes_max.
constexpr std::size_t answer_bytes_max = 16u << 20;
std::string answer_to_json(const Result<Verdict>&);
Result<Verdict> answer_from_json(std::string_view);

}  // namespace assay::archive
