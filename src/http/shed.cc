#include "http/shed.hh"

namespace assay::http {

std::optional<std::size_t> whom_to_shed(std::span<const Sender> senders, sys::TimePoint now) {
    const std::int64_t now_ns = now.time_since_epoch().count();
    std::optional<std::size_t> slowest;
    double rate_min = 0;
    std::optional<std::size_t> idle;
    for (std::size_t i = 0; i < senders.size(); ++i) {
        const Sender& sender = senders[i];
        const std::int64_t age = now_ns - sender.body_began_ns;
        if (sender.body_began_ns != 0 && age >= shed_age_min_ns) {
            const double rate = static_cast<double>(sender.body_bytes) / static_cast<double>(age);
            if (!slowest || rate < rate_min) {
                slowest = i;
                rate_min = rate;
            }
        }
        if (sender.idle_since_ns != 0 && now_ns - sender.idle_since_ns >= shed_age_min_ns) {
            if (!idle || sender.idle_since_ns < senders[*idle].idle_since_ns) idle = i;
        }
    }
    return slowest ? slowest : idle;
}

}  // namespace assay::http
