// Tree: what names and trees an archive may describe, judged while its members stream by. Internal to archive.
//
// Memory: names_bytes_max altogether, whatever the archive says.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "archive/archive.hh"
#include "archive/member.hh"
#include "archive/patterns.hh"
#include "archive/step.hh"
#include "model/plan.hh"

namespace assay::archive {

constexpr std::int64_t names_bytes_max = 8LL << 20;
// Of one file; a module that takes much more takes larger ones as well.
constexpr std::int64_t file_bytes_max = 128LL << 20;
constexpr std::int64_t file_share_max = 4;  // a quarter of unpacked_max

// "./a//b/" -> "a/b"; "" is the root itself. A name that is not allowed: its fault, without place.
std::expected<std::string, Refused> clean_path(std::string_view raw);

// What is wrong with the target of a link that lies below `depth` folders; nullopt = it stays inside whatever other links there are.
std::optional<ArchiveFault> link_fault(std::string_view target, std::size_t depth);

// The name as a careless file system would see it: normalised and case folded. Two names with one key cannot live side by side.
// Made per component: the key of a parent folder is the part before the same '/'.
std::string collision_key(std::string_view path);

class Tree {
public:
    explicit Tree(const model::UploadRules& rules) : rules_{rules} {}

    // Judges the next member. Its clean path, or nullopt when it is the root itself or ignored.
    Step<std::optional<std::string>> add(const Member&);
    // After the last member: strips the wrapping folder, checks links and required files.
    Step<Manifest> finish(Format);

private:
    struct Node {
        Entry entry;
        std::int64_t offset = 0;  // of the member in the archive
    };

    Step<> count(const Member&);
    Step<> place(Entry, const Member&);
    Step<> place_parents(std::string_view path, std::string_view key, const Member&);
    Step<> insert(const std::string& key, Entry, const Member&);
    std::string wrapping_folder() const;
    // The first pattern of `required` that nothing matches when `cut` bytes of each path are gone; nullptr: none.
    const std::string* missing_below(std::size_t cut) const;
    Step<> check_link(const Node&, std::string_view stripped) const;
    Refused refused(ArchiveFault, std::vector<std::string> arguments, const Member&) const;

    const model::UploadRules& rules_;
    std::unordered_map<std::string, Node> nodes_;  // by collision key
    std::int64_t members_ = 0;
    std::int64_t unpacked_bytes_ = 0;
    std::int64_t names_converted_ = 0;
    std::int64_t names_bytes_ = 0;
};

}  // namespace assay::archive
