// WaitDetail: the evidence for a reason to wait, as data. `wording` makes the sentence of it.
#pragma once

#include <cstdint>
#include <string>

#include "model/words.hh"

namespace assay::model {

struct WaitDetail {
    WaitDetailKind kind = WaitDetailKind::none_connected;
    std::int64_t number = 0;  // slots_busy: how many · far_back: how many at least · cut_backoff: milliseconds until it may start
    std::int64_t of = 0;      // slots_busy: of how many
    std::string text;         // fault, host_lacks, runner_not_started: the technical part, in English
    bool operator==(const WaitDetail&) const = default;
};

}  // namespace assay::model
