#include "client/ignore.hh"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::client {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view wildcards = "*?[\\";

// Spaces at the end go; one behind a backslash stays.
std::string_view without_trailing_spaces(std::string_view line) {
    std::size_t spaces = std::string_view::npos;  // where the run of them begins
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == ' ') {
            spaces = std::min(spaces, at);
            continue;
        }
        if (line[at] == '\\' && ++at == line.size()) return line;
        spaces = std::string_view::npos;
    }
    return line.substr(0, spaces);
}

IgnoreRule rule_from(std::string_view text, int line) {
    IgnoreRule rule{.text = std::string{text}, .line = line};
    if (text.starts_with('!')) {
        rule.stays = false;
        text.remove_prefix(1);
    }
    if (text.ends_with('/')) {
        rule.folders_only = true;
        text.remove_suffix(1);
    }
    rule.name_only = !text.contains('/');
    if (text.starts_with('/')) text.remove_prefix(1);
    const std::size_t wild = text.find_first_of(wildcards);
    rule.begins = text.substr(0, wild);
    // What begins it is compared first, and what follows is judged by itself, which lets `a**/b` cross folders.
    if (wild != std::string_view::npos) rule.rest.emplace(text.substr(wild));
    return rule;
}

bool matches(const IgnoreRule& rule, std::string_view path) {
    if (rule.name_only) path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0.
    if (!rule.rest) return path == rule.begins;
    return path.starts_with(rule.begins) && rule.rest->matches(path.substr(rule.begins.size()));
}

}  // namespace

Result<IgnoreRules> IgnoreRules::parse(std::string_view text) {
    IgnoreRules read;
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    int number = 0;
    for (std::string_view line : split(text, '\n')) {
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        line = without_trailing_spaces(line.substr(0, line.find('\0')));
        if (line.size() > pattern_bytes_max)
            return Error{Fault::too_large,
                         fmt::format("line {}: a rule has at most {} bytes", number, pattern_bytes_max)};
        if (read.rules_.size() >= ignore_rules_max)
            return Error{Fault::too_large, fmt::format("line {}: more than {} rules", number, ignore_rules_max)};
        read.rules_.push_back(rule_from(line, number));
    }
    return read;
}

const IgnoreRule* IgnoreRules::last_for(std::string_view path, bool directory) const {
    for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
        if ((directory || !rule->folders_only) && matches(*rule, path)) return &*rule;
    }
    return nullptr;
}

Result<> Ignore::enter(const std::string& folder, std::string_view git_rules, std::string_view own_rules) {
    Level level{.prefix = folder.empty() ? "" : folder + "/"};
    const auto read = [&](std::string_view text, std::string_view name) -> Result<IgnoreRules> {
        auto rules = IgnoreRules::parse(text);
        if (!rules) return rules.take_error().in(level.prefix + std::string{name});
        return rules;
    };
    ASSAY_TRY(level.git, read(git_rules, git_rules_name));
    ASSAY_TRY(level.own, read(own_rules, own_rules_name));
    levels_.push_back(std::move(level));
    return ok;
}

void Ignore::leave() {
    ASSAY_ASSERT(!levels_.empty());
    levels_.pop_back();
}

std::optional<Ruling> Ignore::ruling(IgnoreRules Level::* which, std::string_view name, std::string_view path,
                                     bool directory) const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
        ASSAY_ASSERT(path.starts_with(level->prefix));
        const IgnoreRule* const rule = ((*level).*which).last_for(path.substr(level->prefix.size()), directory);
        if (rule != nullptr) return Ruling{rule->stays, level->prefix + std::string{name}, rule->line, rule->text};
    }
    return std::nullopt;
}

std::optional<Ruling> Ignore::ruling(std::string_view path, bool directory) const {
    if (auto own = ruling(&Level::own, own_rules_name, path, directory)) return own;
    return ruling(&Level::git, git_rules_name, path, directory);
}

}  // namespace assay::client
