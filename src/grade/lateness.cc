#include "grade/lateness.hh"

#include <algorithm>
#include <cmath>

namespace assay::grade {
namespace {

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;

double rounded(double points) { return std::round(points * 1e6) / 1e6; }

}  // namespace

Dates dates_of(const model::Plan& plan, std::optional<std::int64_t> extended_until_ms) {
    Dates dates{plan.opens_ms, plan.due_ms, plan.closes_ms ? plan.closes_ms : plan.due_ms};
    if (!extended_until_ms) return dates;
    if (dates.due_ms) dates.due_ms = std::max(*dates.due_ms, *extended_until_ms);
    if (dates.closes_ms) dates.closes_ms = std::max(*dates.closes_ms, *extended_until_ms);
    return dates;
}

std::int64_t handed_in_ms(const Arrived& arrived, std::int64_t upload_grace_ms) {
    const bool in_time = arrived.last_byte_ms - arrived.first_byte_ms <= upload_grace_ms;
    const std::int64_t at_ms = arrived.declared && in_time ? arrived.first_byte_ms : arrived.last_byte_ms;
    return std::min(at_ms, arrived.committed_ms.value_or(at_ms));
}

Lateness lateness(const Dates& dates, const std::optional<model::Late>& policy, std::int64_t handed_in_ms) {
    if (!dates.due_ms || handed_in_ms <= *dates.due_ms) return {};
    const std::int64_t by_ms = handed_in_ms - *dates.due_ms;
    if (policy && by_ms <= policy->grace_ms) return {.after_due = true};
    Lateness late{.after_due = true, .late = true};
    if (!policy) return late;
    const auto days = static_cast<double>((by_ms + day_ms - 1) / day_ms);
    late.share = std::clamp(days * policy->per_day, 0.0, policy->cap);
    return late;
}

double penalty(const Lateness& late, double score, double score_max) {
    return rounded(std::min(late.share * std::max(score_max, 0.0), std::max(score, 0.0)));
}

}  // namespace assay::grade
