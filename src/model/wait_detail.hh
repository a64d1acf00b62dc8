// WaitDetail: the evidence for a reason to wait, as data. `wording` makes the sentence of it.
#pragma once

#include <cstdint>
#include <string>

#include "model/words.hh"

namespace assay::model {

struct WaitDetail {
    WaitDetailKind kind = WaitDetailKind::none_connected;
    // slots_busy: how many · far_back: how many at least · own_first: how many · cut_backoff: milliseconds until it may start ·
    // memory_short: available bytes · memory_promised: bytes, to those that run · disk_slow: milliseconds of a small write ·
    // disk_low: free bytes · disk_names_low: free names · scratch_short: bytes that may be taken
    std::int64_t number = 0;
    std::int64_t of = 0;      // slots_busy: of how many · memory_…: of how many bytes · disk_low, disk_names_low, scratch_short: how many are needed
    std::string text;         // fault, ended_for_memory, host_lacks, runner_not_started, store_read_only: technical, in English
    bool operator==(const WaitDetail&) const = default;
};

}  // namespace assay::model
