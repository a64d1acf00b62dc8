// Selection: what of a folder is handed in, and what stays behind and why. Reads the folder, writes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.hh"
#include "base/result.hh"
#include "client/ignore.hh"
#include "model/plan.hh"

namespace assay::client {

// Something that stays, and with a folder all that is in it.
struct Stay {
    enum class Why { tool, module, rule };
    std::string path;
    bool directory = false;
    std::int64_t size = 0;  // of a file
    Why why = Why::tool;  // never part of the work (.git, .assay.toml), by the module's `ignore`, by an ignore file
    Ruling ruling;  // of `rule`: file, line and rule; of the others the rule alone
};

struct Selection {
    std::vector<archive::Entry> goes;  // sorted by path
    std::vector<Stay> stays;  // in the order of the walk
    std::vector<std::string> had_back;  // of what goes: by a `!` of an ignore file; sorted
    std::vector<std::string> odd;  // neither file nor folder nor link, and nothing says that they stay
};
// `use_ignore_files`: whether .gitignore and .assayignore count. Errors: those of archive::list_folder; too_large (an ignore file).
Result<Selection> select(const std::string& folder, const model::UploadRules&, bool use_ignore_files);

// What an ignore file keeps back of what `required` (a module's glob) means; it may lie inside of a folder that stays, as far as that can be read.
struct Kept {
    std::string path;
    Ruling ruling;
    std::string stays;  // what the rule names: the path, or a folder around it
    bool directory = false;  // of `stays`
};
std::optional<Kept> kept_back(const std::string& folder, const Selection&, std::string_view required);

// Which folder to hand in instead, when none of what the module requires is where it should be: the one folder below
// ("work") or the one above ("..") that has all of it. nullopt: neither. Looks at no more than looked_at_max names of each.
constexpr std::size_t looked_at_max = 10'000;
std::optional<std::string> better_root(const std::string& folder, const Selection&,
                                       const std::vector<std::string>& required);

}  // namespace assay::client
