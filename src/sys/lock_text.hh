// Program text that stays in memory once it was used. Without swap it is what the kernel throws out when memory runs short, and a
// program that has to be read back page by page answers nobody.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hh"

namespace assay::sys {

struct TextLock {
    std::int64_t locked_bytes = 0;   // address space; what of it was never used takes no memory
    std::int64_t refused_bytes = 0;  // beyond RLIMIT_MEMLOCK
};
// Locks the file-backed, read-only mappings of this process as their pages come (MLOCK_ONFAULT, Linux 4.4), so that it takes no more
// memory than without. Root has no limit, and what it locked stays so when rights are dropped; a forked child has none of it.
// Errors: missing, system (no /proc).
Result<TextLock> lock_text();

struct TextRange {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
};
// Those mappings in a text as /proc/PID/maps is (proc(5)); code first. What is no such line is left out.
std::vector<TextRange> text_mappings(std::string_view maps);

}  // namespace assay::sys
