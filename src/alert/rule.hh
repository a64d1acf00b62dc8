// Rule: when staff are told, as data. The shipped set is `shipped_rules`; assay.toml may change it and add to it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alert/condition.hh"

namespace assay::alert {

// How much it matters. `wake`: now, at night as well. `day`: today. `info`: when somebody looks.
enum class Severity { info, day, wake };
std::string_view to_string(Severity);
std::optional<Severity> severity_of(std::string_view);

struct Rule {
    std::string name;                     // 1..64 of a-z0-9_; never changes
    Condition condition;
    std::int64_t for_ms = 0;              // it holds so long without a break before it fires
    Severity severity = Severity::info;
    // Rules with the same cause on the same host are one incident: one message when it begins, one when it ends.
    std::string cause;                    // 1..64 of a-z0-9_; by default the name
    std::vector<std::string>
        inhibits;    // rules that begin no incident while this one fires: what follows from it. Only later ones
    // What is said of it: {{cause}}, {{offender}}, {{evidence}}. Empty: what the catalogue says of the name.
    std::string summary;
};

constexpr std::size_t rules_max = 200;
constexpr std::int64_t for_ms_max = 24 * 3600 * 1000;

// A rule as it is written down.
struct RuleText {
    std::string_view name;
    std::string_view condition;
    std::int64_t for_ms = 0;
    Severity severity = Severity::info;
    std::string_view cause = {};      // empty: the name
    std::string_view inhibits = {};   // names, parted by spaces
};

// Errors: invalid (a name, the condition), naming the rule.
Result<Rule> rule_from(const RuleText&);

bool valid_rule_name(std::string_view);

// Of a server, and of the watcher outside of it. Only a server that is down, refuses, may lose data, or falls behind before a
// deadline wakes anybody.
std::vector<Rule> shipped_rules();
std::vector<Rule> sentinel_rules();

// {{cause}} and the like replaced; what is not known is left as it stands.
std::string filled_in(std::string_view summary, const Finding&, const std::vector<std::string>& evidence);

}  // namespace assay::alert
