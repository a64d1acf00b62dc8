#include "alert/rule.hh"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::alert {
namespace {

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;

// Figures are told in docs/operating/metrics.md and docs/operating/alerts.md.
constexpr RuleText shipped[] = {
    // Somebody has to get up.
    {"data_at_risk", "assay_store_read_only > 0 or assay_directories_untrusted > 0", 0, Severity::wake, "storage",
     "intake_refusing system_faults"},
    {"intake_refusing", "assay_intake_refusing > 0", 30 * second, Severity::wake, "intake"},
    {"backlog_at_deadline",
     "change(assay_queue_waiting, 10min) > 0 and assay_queue_oldest_seconds > 900 and assay_deadline_seconds < 7200",
     5 * minute, Severity::wake, "backlog", "queue_old"},
    // Before the day is over.
    {"grader_broken", "assay_modules_paused{reason=\"grader_broken\"} > 0", 0, Severity::day, "", "grader_faults"},
    // Over ten seconds, not more: such a freeze may be over in half a minute, and it is told after the group's wait.
    {"memory_thrash",
     "avg(assay_pressure_ratio{resource=\"memory\",kind=\"full\"}, 10s) > 0.1 and assay_memory_available_ratio < 0.1",
     5 * second, Severity::day, "memory", "server_slow disk_busy queue_old verify_slow"},
    {"memory_low", "assay_memory_available_ratio < 0.08", 30 * second, Severity::day, "memory", "server_slow"},
    {"system_faults", "increase(assay_verdicts_total{verdict=\"system_fault\"}, 10min) > 0", 0, Severity::day},
    {"grader_faults", "increase(assay_verdicts_total{verdict=\"grader_fault\"}, 10min) >= 3", 0, Severity::day},
    {"attempt_faults", "increase(assay_attempts_total{end=\"fault\"}, 10min) >= 5", 0, Severity::day},
    {"no_runner", "assay_slots < 1", minute, Severity::day, "", "queue_stuck queue_old"},
    {"queue_stuck", "assay_queue_oldest_seconds > 300 and assay_queue_running < 1", 5 * minute, Severity::day, "",
     "queue_old"},
    {"jobs_too_large", "assay_queue_waiting{reason=\"resources\"} > 0", minute, Severity::day},
    {"image_missing", "assay_queue_waiting{reason=\"image\"} > 0", 10 * minute, Severity::day},
    {"jobs_retried", "assay_queue_waiting{reason=\"retry\"} > 0", 15 * minute, Severity::day},
    {"disk_nearly_full", "assay_disk_used_ratio > 0.9 or assay_disk_spare_ratio < 2", 5 * minute, Severity::day,
     "disk"},
    {"disk_names_low", "assay_disk_free_files < 10000", 5 * minute, Severity::day, "disk"},
    {"uploads_failing", "increase(assay_uploads_total{result=\"internal\"}, 10min) >= 3", 0, Severity::day},
    {"uploads_turned_away", "increase(assay_uploads_total{result=\"busy\"}, 5min) >= 10", 0, Severity::day},
    {"answers_failing", "increase(assay_http_requests_total{class=\"5xx\"}, 5min) >= 30", 0, Severity::day},
    {"server_slow", "min(assay_loop_lag_seconds, 10s) > 0.5", 20 * second, Severity::day, "slow"},
    {"messages_stuck", "assay_alerts_undelivered_seconds > 900", 0, Severity::day},
    // When somebody looks.
    {"queue_old", "assay_queue_oldest_seconds > 3600", 10 * minute, Severity::info},
    {"verify_slow", "assay_verify_oldest_seconds > 60", minute, Severity::info},
    {"disk_busy", "avg(assay_pressure_ratio{resource=\"io\",kind=\"full\"}, 1min) > 0.5", minute, Severity::info,
     "slow"},
    {"connections_shed", "increase(assay_http_connections_shed_total, 5min) >= 10", 0, Severity::info},
    {"module_paused", "assay_modules_paused{reason=\"module_paused\"} > 0", 12 * hour, Severity::info},
    {"clock_stepped", "max(assay_clock_step_seconds, 1min) > 5", 0, Severity::info},
};

// Of silence, for the message must be out within 8 s of it.
constexpr RuleText watched[] = {
    {"server_down", "assay_silence_seconds >= 5 or assay_probe_silence_seconds >= 15", 0, Severity::wake, "server_down",
     "digest_lost"},
    {"digest_lost", "assay_digest_silence_seconds >= 30", 0, Severity::day},
};

std::vector<Rule> rules_of(std::span<const RuleText> texts) {
    std::vector<Rule> rules;
    for (const RuleText& text : texts) {
        auto rule = rule_from(text);
        ASSAY_ASSERT(rule);
        rules.push_back(std::move(*rule));
    }
    return rules;
}

}  // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
        case Severity::info: return "info";
        case Severity::day: return "day";
        case Severity::wake: return "wake";
    }
    return "";
}

std::optional<Severity> severity_of(std::string_view text) {
    for (const Severity severity : {Severity::info, Severity::day, Severity::wake}) {
        if (to_string(severity) == text) return severity;
    }
    return std::nullopt;
}

bool valid_rule_name(std::string_view text) {
    const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, good);
}

Result<Rule> rule_from(const RuleText& text) {
    const auto wrong = [&](std::string_view what) {
        return Error{Fault::invalid, fmt::format("rule '{}': {}", escaped(text.name, 64), what)};
    };
    if (!valid_rule_name(text.name)) return wrong("its name must be 1 to 64 of a-z, 0-9 and _");
    if (!text.cause.empty() && !valid_rule_name(text.cause))
        return wrong("its cause must be 1 to 64 of a-z, 0-9 and _");
    if (text.for_ms < 0 || text.for_ms > for_ms_max) return wrong("'for' must be at most 24 h");
    auto condition = Condition::parse(text.condition);
    if (!condition) return condition.take_error().in(fmt::format("rule '{}'", text.name));
    Rule rule{.name = std::string{text.name},
              .condition = std::move(*condition),
              .for_ms = text.for_ms,
              .severity = text.severity,
              .cause = std::string{text.cause.empty() ? text.name : text.cause}};
    for (const std::string_view name : split(text.inhibits, ' ')) {
        if (name.empty()) continue;
        if (!valid_rule_name(name)) return wrong("'inhibits' must name rules");
        rule.inhibits.emplace_back(name);
    }
    return rule;
}

std::vector<Rule> shipped_rules() { return rules_of(shipped); }
std::vector<Rule> sentinel_rules() { return rules_of(watched); }

std::string filled_in(std::string_view summary, const Finding& finding, const std::vector<std::string>& evidence) {
    std::string text;
    while (!summary.empty()) {
        const std::size_t begin = summary.find("{{");
        text += summary.substr(0, begin);
        if (begin == std::string_view::npos) break;
        const std::size_t end = summary.find("}}", begin);
        if (end == std::string_view::npos) {
            text += summary.substr(begin);
            break;
        }
        const std::string_view name = trimmed(summary.substr(begin + 2, end - begin - 2));
        if (name == "cause") text += finding.cause;
        else if (name == "offender") text += finding.offender;
        else if (name == "evidence") text += fmt::format("{}", fmt::join(evidence, "; "));
        else text += summary.substr(begin, end + 2 - begin);
        summary.remove_prefix(end + 2);
    }
    return text;
}

}  // namespace assay::alert
