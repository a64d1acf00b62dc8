#include "sys/lock_text.hh"

#include <sys/mman.h>

#include <algorithm>
#include <charconv>

#include "base/text.hh"
#include "sys/file.hh"

namespace assay::sys {
namespace {

constexpr std::size_t maps_bytes_max = 1u << 20;

}  // namespace

std::vector<TextRange> text_mappings(std::string_view maps) {
    std::vector<TextRange> code;
    std::vector<TextRange> constants;
    for (const std::string_view line : split(maps, '\n')) {
        TextRange mapping;
        const char* const last = line.data() + line.size();
        const auto [dash, bad_begin] = std::from_chars(line.data(), last, mapping.begin, 16);
        if (bad_begin != std::errc{} || dash == last || *dash != '-') continue;
        const auto [space, bad_end] = std::from_chars(dash + 1, last, mapping.end, 16);
        if (bad_end != std::errc{} || space == last || *space != ' ' || mapping.end <= mapping.begin) continue;
        const std::string_view rest{space + 1, last};
        if (!rest.contains(" /")) continue;  // Memory without a file goes nowhere.
        if (rest.starts_with("r-xp ")) code.push_back(mapping);
        else if (rest.starts_with("r--p ")) constants.push_back(mapping);
    }
    code.insert(code.end(), constants.begin(), constants.end());
    return code;
}

Result<TextLock> lock_text() {
    ASSAY_TRY(const std::string maps, read_file("/proc/self/maps", maps_bytes_max));
    TextLock lock;
    for (const TextRange& it : text_mappings(maps)) {
        const std::size_t size = it.end - it.begin;
        const bool locked = ::mlock2(reinterpret_cast<void*>(it.begin), size, MLOCK_ONFAULT) == 0;  // NOLINT(performance-no-int-to-ptr)
        (locked ? lock.locked_bytes : lock.refused_bytes) += static_cast<std::int64_t>(size);
    }
    return lock;
}

}  // namespace assay::sys
