// Depth: the line in numbers, for metrics.
#pragma once

#include <cstdint>
#include <map>

#include "queue/board.hh"
#include "store/store.hh"

namespace assay::queue {

struct Depth {
    std::map<model::Reason, std::int64_t> waiting;  // by why it waits; held ones as well. Each at most waiting_read_max in all
    std::map<model::Reason, std::int64_t> paused;   // modules
    std::int64_t running = 0;
    std::int64_t slots = 0;
    std::int64_t oldest_ms = 0;                     // how long the one that was received first has waited in line; 0: none waits
};
Result<Depth> depth(store::Reading&, const Board&, std::int64_t now_ms);

}  // namespace assay::queue
