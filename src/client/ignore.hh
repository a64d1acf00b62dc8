// Ignore: which files stay behind, by .gitignore and .assayignore as git reads them. Pure: whoever walks a tree brings the text
// of each folder's files, and asks about each name in it, parents first.
//
//   - the deepest file with a rule for a name decides, and in it the last such rule; every .assayignore goes before every .gitignore
//   - a folder that stays is not entered, so that nothing below it can be had back by a `!`
//   - what git keeps elsewhere (.git/info/exclude, a user's own list, folders above) is not read: the tree alone decides
//
// Threading: none. Ignored names cost at most pattern × name for each rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "client/glob.hh"

namespace assay::client {

constexpr std::string_view git_rules_name = ".gitignore";
constexpr std::string_view own_rules_name = ".assayignore";
constexpr std::size_t ignore_file_bytes_max = 1u << 20;
constexpr std::size_t ignore_rules_max = 10'000;  // of one file

struct IgnoreRule {
    std::string text;  // as written, without what reading it takes off the end
    int line = 0;
    bool stays = true;  // false: began with '!'
    bool folders_only = false;  // ended with '/'
    bool name_only = false;  // no '/' in it: matches the last part of a path at any depth
    std::string begins;  // up to its first wildcard, compared as it is
    std::optional<Glob> rest;  // the wildcards and what follows; none: `begins` is all of it
};

// One file of rules.
class IgnoreRules {
public:
    // Errors: too_large (a rule or their number; with the line).
    static Result<IgnoreRules> parse(std::string_view text);
    // The last rule for `path`, which is relative to the file's folder; nullptr: none.
    const IgnoreRule* last_for(std::string_view path, bool directory) const;

private:
    std::vector<IgnoreRule> rules_;
};

// What decided, and how.
struct Ruling {
    bool stays = false;
    std::string file;  // relative to the root: "src/.gitignore"
    int line = 0;
    std::string rule;
};

// The rules from the root down to the folder a walk is in.
class Ignore {
public:
    // `folder`: relative to the root, "" the root itself; below the one entered before. A missing file is empty text.
    // Errors: too_large (with file and line).
    Result<> enter(const std::string& folder, std::string_view git_rules, std::string_view own_rules);
    void leave();
    // Of something in the folder entered last. nullopt: no rule is about it, so it goes.
    std::optional<Ruling> ruling(std::string_view path, bool directory) const;

private:
    struct Level {
        std::string prefix;  // "" or "folder/"
        IgnoreRules git, own;
    };
    std::optional<Ruling> ruling(IgnoreRules Level::* which, std::string_view name, std::string_view path,
                                 bool directory) const;

    std::vector<Level> levels_;
};

}  // namespace assay::client
