// /metrics: what is counted, and the line as it stands now.
#pragma once

#include <string>

#include "queue/board.hh"
#include "store/store.hh"

namespace assay::api {

constexpr const char* metrics_type = "text/plain; version=0.0.4; charset=utf-8";

// Blocking: reads the line.
Result<std::string> metrics_text(store::Store&, const queue::Board&, std::int64_t verify_oldest_ms,
                                 std::int64_t now_ms);

}  // namespace assay::api
