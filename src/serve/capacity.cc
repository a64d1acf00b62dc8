#include "serve/capacity.hh"

#include <algorithm>

namespace assay::serve {

Capacity capacity_of(std::uint64_t descriptors) {
    const std::uint64_t usable = std::min(descriptors, descriptors_wanted);
    const std::uint64_t free = usable - std::min<std::uint64_t>(reserve_descriptors, usable / 2);
    const std::size_t spools = std::min<std::size_t>(spools_most, free / 4);
    const std::size_t connections = std::min<std::size_t>(connections_most, free - spools);
    return {.connections_max = connections,
            .spools_max = spools,
            .verify_files_max = spools / 2,
            .event_streams_max = connections / 2};
}

std::int64_t in_flight_bytes_of(std::int64_t memory_bytes) {
    return std::clamp(memory_bytes / 4, in_flight_bytes_min, in_flight_bytes_most);
}

}  // namespace assay::serve
