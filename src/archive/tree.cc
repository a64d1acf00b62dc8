#include "archive/tree.hh"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"

namespace assay::archive {

Refused Tree::refuse(model::Refusal code, const Member& member, std::string detail) const {
    Refused refused;
    refused.code = code;
    refused.entry = escaped(member.name);
    refused.offset = member.offset;
    refused.detail = std::move(detail);
    return refused;
}

// Ignored members count as well: reading them costs the same.
Step<> Tree::count(const Member& member) {
    const auto over = [&](model::Refusal code, std::int64_t limit, std::int64_t value, std::string detail) {
        Refused refused = refuse(code, member, std::move(detail));
        refused.limit = limit;
        refused.value = value;
        return refused;
    };
    if (++members_ > rules_.entries_max) {
        return over(model::Refusal::too_many_entries, rules_.entries_max, members_, fmt::format("more than {} entries", rules_.entries_max));
    }
    if (member.size > rules_.unpacked_max - unpacked_bytes_) {
        return over(model::Refusal::unpacks_too_large, rules_.unpacked_max, unpacked_bytes_ + member.size,
                    fmt::format("unpacks to more than {}", size_text(rules_.unpacked_max)));
    }
    unpacked_bytes_ += member.size;
    return ok;
}

Step<std::optional<std::string>> Tree::add(const Member& member) {
    ASSAY_CHECK(count(member));
    std::string why;
    const auto path = clean_path(member.name, why);
    if (!path) return refuse(model::Refusal::unsafe, member, std::move(why));
    const bool directory = member.kind == Member::Kind::directory;
    if (path->empty() && !directory) return refuse(model::Refusal::unsafe, member, "a file or link in place of the root folder");
    if (path->empty() || ignored(rules_.ignore, *path, directory)) return std::optional<std::string>{};

    Entry entry;
    entry.path = *path;
    entry.kind = directory ? Entry::Kind::directory : member.kind == Member::Kind::symlink ? Entry::Kind::symlink : Entry::Kind::regular;
    entry.size = member.size;
    entry.executable = !directory && member.executable && member.kind != Member::Kind::symlink;
    if (member.kind == Member::Kind::symlink) entry.target = member.target;
    if (member.kind == Member::Kind::hardlink) {
        const auto target = clean_path(member.target, why);
        const auto found = target ? nodes_.find(collision_key(*target)) : nodes_.end();
        if (found == nodes_.end() || found->second.entry.path != *target || found->second.entry.kind != Entry::Kind::regular) {
            return refuse(model::Refusal::unsafe, member, fmt::format("a hard link to '{}', which is no earlier file", escaped(member.target)));
        }
        Member copy = member;
        copy.size = found->second.entry.size;
        --members_;  // counted above; only the copy's bytes are new
        ASSAY_CHECK(count(copy));
        entry.size = copy.size;
        entry.executable = found->second.entry.executable;
    }
    ASSAY_CHECK(place(std::move(entry), member));
    return path;
}

Step<> Tree::place(Entry entry, const Member& member) {
    const std::string key = collision_key(entry.path);
    ASSAY_CHECK(place_parents(entry.path, key, member));
    const auto found = nodes_.find(key);
    if (found == nodes_.end()) return insert(key, std::move(entry), member);
    const Entry& there = found->second.entry;
    const bool same_directory =
        there.path == entry.path && there.kind == Entry::Kind::directory && entry.kind == Entry::Kind::directory;
    if (same_directory) return ok;
    if (there.path == entry.path) return refuse(model::Refusal::unsafe, member, fmt::format("'{}' is there twice", escaped(entry.path)));
    return refuse(model::Refusal::unsafe, member,
                  fmt::format("'{}' and '{}' would be one name on systems that ignore case or accents' form", escaped(there.path), escaped(entry.path)));
}

// Folders that no member names are there all the same, and count.
Step<> Tree::place_parents(std::string_view path, std::string_view key, const Member& member) {
    std::size_t key_slash = key.find('/');
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
        Entry parent;
        parent.path = path.substr(0, slash);
        parent.kind = Entry::Kind::directory;
        const std::string parent_key{key.substr(0, key_slash)};
        key_slash = key.find('/', key_slash + 1);
        const auto found = nodes_.find(parent_key);
        if (found == nodes_.end()) {
            ASSAY_CHECK(insert(parent_key, std::move(parent), member));
            continue;
        }
        const Entry& there = found->second.entry;
        if (there.path != parent.path) {
            return refuse(model::Refusal::unsafe, member,
                          fmt::format("'{}' and '{}' would be one folder on systems that ignore case or accents' form", escaped(there.path),
                                      escaped(parent.path)));
        }
        if (there.kind != Entry::Kind::directory) {
            return refuse(model::Refusal::unsafe, member, fmt::format("it lies below '{}', which is no folder", escaped(there.path)));
        }
    }
    return ok;
}

Step<> Tree::insert(const std::string& key, Entry entry, const Member& member) {
    names_bytes_ += static_cast<std::int64_t>(entry.path.size() + entry.target.size());
    const bool too_many = static_cast<std::int64_t>(nodes_.size()) >= rules_.entries_max;
    if (too_many || names_bytes_ > names_bytes_max) {
        Refused refused = refuse(model::Refusal::too_many_entries, member,
                                 too_many ? fmt::format("more than {} files and folders", rules_.entries_max)
                                          : "the names take too much room altogether");
        refused.limit = too_many ? rules_.entries_max : names_bytes_max;
        refused.value = too_many ? rules_.entries_max + 1 : names_bytes_;
        return refused;
    }
    nodes_.emplace(key, Node{std::move(entry), member.offset});
    return ok;
}

// The one folder that holds everything and has nothing beside it.
std::string Tree::wrapping_folder() const {
    std::string top;
    for (const auto& [key, node] : nodes_) {
        const std::string_view path = node.entry.path;
        const std::string_view first = path.substr(0, path.find('/'));
        if (first == path && node.entry.kind != Entry::Kind::directory) return {};
        if (top.empty()) top = first;
        if (first != top) return {};
    }
    return top;
}

Step<> Tree::check_link(const Node& node, std::string_view path) const {
    const auto problem = link_problem(node.entry.target, static_cast<std::size_t>(std::ranges::count(path, '/')));
    if (problem.empty()) return ok;
    Refused refused;
    refused.code = model::Refusal::unsafe;
    refused.entry = escaped(node.entry.path);
    refused.offset = node.offset;
    refused.detail = fmt::format("{}: '{}'", problem, escaped(node.entry.target));
    return refused;
}

Step<Manifest> Tree::finish(Format format) {
    Manifest manifest;
    manifest.format = format;
    manifest.stripped = wrapping_folder();
    const std::size_t cut = manifest.stripped.empty() ? 0 : manifest.stripped.size() + 1;
    for (auto& [key, node] : nodes_) {
        if (node.entry.path.size() < cut) continue;  // The wrapping folder itself.
        const std::string_view path = std::string_view{node.entry.path}.substr(cut);
        if (node.entry.kind == Entry::Kind::symlink) ASSAY_CHECK(check_link(node, path));
        Entry& entry = manifest.listing.emplace_back(std::move(node.entry));
        entry.path.erase(0, cut);
        manifest.unpacked_bytes += entry.size;
    }
    nodes_.clear();
    std::ranges::sort(manifest.listing, {}, &Entry::path);
    manifest.entries = static_cast<std::int64_t>(manifest.listing.size());

    Refused refused;
    if (manifest.listing.empty()) {
        refused.code = model::Refusal::empty;
        refused.detail = members_ > 0 ? "the archive holds nothing that counts" : "the archive holds nothing but zero bytes: was the file copied completely?";
        return refused;
    }
    for (const std::string& glob : rules_.required) {
        const bool wants_directory = glob.ends_with('/');
        const std::string_view pattern = std::string_view{glob}.substr(0, glob.size() - wants_directory);
        const bool there = std::ranges::any_of(manifest.listing, [&](const Entry& entry) {
            return (!wants_directory || entry.kind == Entry::Kind::directory) && glob_matches(pattern, entry.path);
        });
        if (there) continue;
        refused.code = model::Refusal::required_missing;
        refused.entry = escaped(glob);
        refused.detail = fmt::format("nothing in the archive matches '{}', which this module requires", escaped(glob));
        if (!manifest.stripped.empty()) refused.detail += fmt::format(" (looked below the wrapping folder '{}')", escaped(manifest.stripped));
        return refused;
    }
    return manifest;
}

}  // namespace assay::archive
