// Host: what a recorder asks of the host before it starts, and what takes the place of what is refused.
#pragma once

#include <string>
#include <vector>

#include "sys/fd.hh"

namespace assay::recorder {

constexpr std::int64_t locked_bytes_max = 6 << 20;  // what its own memory takes, and the part of the hot ring that is written

struct Wish {
    const char* name;     // never changes: scripts look for it
    const char* wanted;
    std::string refused;  // why; empty: it was granted
    const char* instead;
    const char* cure;
};

struct Granted {
    std::vector<Wish> wishes;
    sys::Fd trigger;  // of the kernel's stall figures; empty when refused
};

// Asks for all of it, for the calling process and for good. `assay check` asks as well, and ends.
Granted ask_host();

// Removes hot rings in the directory of `own` that no recorder holds, the longest unused first, but for `dead_rings_kept`. Returns how
// many. Only rings that this process may remove.
constexpr std::size_t dead_rings_kept = 4;
std::size_t remove_dead_rings(const std::string& own);

}  // namespace assay::recorder
