#include "sandbox/uids.hh"

#include <cstdint>
#include <string>
#include <vector>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sandbox/helper.hh"
#include "sys/sha256.hh"

namespace assay::sandbox {
namespace {

// Of a /proc/self/uid_map.
struct Ids {
    bool all = true;       // of the machine; also when it is not known
    std::int64_t end = 0;  // of those that are there without a gap from 0
};
Ids ids_of(std::string_view uid_map) {
    constexpr std::int64_t all_ids = UINT32_MAX;
    Ids ids;
    for (const std::string_view line : split(uid_map, '\n')) {  // inside, outside, count, in columns
        std::vector<std::int64_t> numbers;
        for (const std::string_view word : split(line, ' ')) {
            if (!word.empty()) numbers.push_back(to_number(word).value_or(-1));
        }
        if (numbers.size() == 3 && numbers[0] == ids.end && numbers[2] > 0) ids.end += numbers[2];
    }
    ids.all = ids.end == 0 || ids.end >= all_ids;
    return ids;
}

}  // namespace

bool maps_all_ids(std::string_view uid_map) { return ids_of(uid_map).all; }

std::uint32_t first_uid_in(std::string_view uid_map, std::uint32_t hash) {
    constexpr std::uint32_t base = 0x70000000;
    constexpr std::uint32_t ranges = 1U << 20;
    constexpr std::uint32_t range_size = 256;
    constexpr std::uint32_t contained_base = 4096;  // above what packages take in a container, and people mostly do
    const auto [all, end] = ids_of(uid_map);
    if (all || end < contained_base + 2 * range_size) return base + hash % ranges * range_size;
    return contained_base + hash % static_cast<std::uint32_t>((end - contained_base) / range_size - 1) * range_size;  // The last has nobody (65534).
}

std::uint32_t first_uid_for(const std::string& directory_id) {
    const std::string digest = sys::sha256_hex(bytes_of(directory_id));
    return first_uid_in(read_control("/proc/self/uid_map"), static_cast<std::uint32_t>(std::stoul(digest.substr(0, 8), nullptr, 16)));
}

}  // namespace assay::sandbox
