// An order that arrives at /assay/socket: any bytes of the right size give arguments within what was sent, or are refused, and
// limits that never go beyond the stage's.
#include <cstring>
#include <memory>
#include <string_view>

#include "base/assert.hh"
#include "sandbox/guests.hh"

namespace assay {

void fuzz(std::string_view input) {
    const auto order = std::make_unique<sandbox::GuestOrder>();
    std::memcpy(static_cast<void*>(order.get()), input.data(), std::min(input.size(), sizeof *order));
    const model::Limits stage;
    const model::Limits limits = sandbox::guest_limits(order->limits, stage);
    ASSAY_ASSERT(limits.cpu_ms <= stage.cpu_ms && limits.wall_ms <= stage.wall_ms && limits.memory_bytes <= stage.memory_bytes);
    ASSAY_ASSERT(limits.disk_bytes <= stage.disk_bytes && limits.output_bytes <= stage.output_bytes && limits.processes <= stage.processes);
    const auto arguments = sandbox::arguments_of(*order);
    if (!arguments) return;
    std::size_t bytes = 0;
    for (const std::string& argument : *arguments) bytes += argument.size() + 1;
    ASSAY_ASSERT(bytes == order->command_bytes);
    ASSAY_ASSERT(!arguments->front().empty());
}

}  // namespace assay
