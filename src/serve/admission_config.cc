// The table [admission] of assay.toml.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.hh"
#include "serve/config.hh"

namespace assay::serve {
namespace {

using admission::Thresholds;

struct Share {  // of memory, or of time: above 0, at most 1
    std::string_view key;
    double Thresholds::* field;
};
constexpr Share shares[] = {
    {"stall_some", &Thresholds::stall_some},
    {"stall_available", &Thresholds::stall_available},
    {"low_available", &Thresholds::low_available},
    {"stall_full", &Thresholds::stall_full},
    {"thrash_io_full", &Thresholds::thrash_io_full},
    {"full_available", &Thresholds::full_available},
    {"scarce_available", &Thresholds::scarce_available},
    {"kill_available", &Thresholds::kill_available},
};
struct Time {
    std::string_view key;
    std::int64_t min_ms;
    std::int64_t max_ms;
    void (*set)(Thresholds&, std::int64_t ms);
};
constexpr Time times[] = {
    {"confirm_for", 100, 60'000, [](Thresholds& it, std::int64_t ms) { it.confirm_for = std::chrono::milliseconds{ms}; }},
    {"kill_again_after", 1'000, 600'000, [](Thresholds& it, std::int64_t ms) { it.kill_again_after = std::chrono::milliseconds{ms}; }},
    {"calm_for", 1'000, 600'000, [](Thresholds& it, std::int64_t ms) { it.calm_for = std::chrono::milliseconds{ms}; }},
    {"sync_slow", 100, 600'000, [](Thresholds& it, std::int64_t ms) { it.sync_slow_ms = ms; }},
    {"sync_stuck", 100, 600'000, [](Thresholds& it, std::int64_t ms) { it.sync_stuck_ms = ms; }},
};
constexpr std::string_view refaults = "kill_refaults_per_s";

Error wrong(const std::string& name, const toml::node& node, std::string_view key, std::string_view what) {
    return {Fault::invalid, fmt::format("{}:{}: admission.{} {}", name, node.source().begin.line, escaped(key), what)};
}

Error unknown(const std::string& name, const toml::node& node, std::string_view key) {
    std::vector<std::string_view> known{refaults};
    for (const Share& it : shares) known.push_back(it.key);
    for (const Time& it : times) known.push_back(it.key);
    const auto near = nearest(key, known);
    return wrong(name, node, key, near ? fmt::format("is not known; did you mean '{}'?", *near) : std::string{"is not known"});
}

Result<> apply(Thresholds& thresholds, std::string_view key, const toml::node& node, const std::string& name) {
    if (const auto* const share = std::ranges::find(shares, key, &Share::key); share != std::end(shares)) {
        const auto value = node.value<double>();
        if (!value || !(*value > 0 && *value <= 1)) return wrong(name, node, key, "takes a share, above 0 and at most 1");
        thresholds.*share->field = *value;
        return ok;
    }
    if (const auto* const time = std::ranges::find(times, key, &Time::key); time != std::end(times)) {
        const auto text = node.value<std::string>();
        const auto ms = text ? parse_duration_ms(*text) : Result<std::int64_t>{Error{Fault::invalid, "no text"}};
        if (!ms || *ms < time->min_ms || *ms > time->max_ms)
            return wrong(name, node, key, fmt::format("takes a time such as \"2s\", from {} to {} ms", time->min_ms, time->max_ms));
        time->set(thresholds, *ms);
        return ok;
    }
    if (key != refaults) return unknown(name, node, key);
    const auto value = node.value<double>();
    if (!value || !(*value >= 1)) return wrong(name, node, key, "takes a number of at least 1");
    thresholds.kill_refaults_per_s = *value;
    return ok;
}

}  // namespace

Result<Thresholds> thresholds_from_toml(const std::string& text, const std::string& name) {
    Thresholds thresholds;
    try {
        const toml::table all = toml::parse(text, name);
        const toml::node* const node = all.get("admission");
        if (node == nullptr) return thresholds;
        const toml::table* const table = node->as_table();
        if (table == nullptr) return Error{Fault::invalid, fmt::format("{}:{}: admission must be a table", name, node->source().begin.line)};
        for (const auto& [key, value] : *table) ASSAY_CHECK(apply(thresholds, key.str(), value, name));
        // What a level asks for must come before what the next one does, or a job is ended before any is held back.
        const Thresholds& it = thresholds;
        const bool rises = it.kill_available <= it.full_available && it.full_available <= it.stall_available &&
                           it.scarce_available <= it.low_available && it.sync_slow_ms <= it.sync_stuck_ms;
        if (!rises) {
            return Error{Fault::invalid,
                         fmt::format("{}:{}: admission: kill_available, full_available and stall_available must rise in this order, so must "
                                     "scarce_available and low_available, and sync_slow and sync_stuck",
                                     name, node->source().begin.line)};
        }
    } catch (const toml::parse_error& error) {
        return Error{Fault::invalid, fmt::format("{}:{}: {}", name, error.source().begin.line, error.description())};
    }
    return thresholds;
}

}  // namespace assay::serve
