#include "archive/tree.hh"

#include <algorithm>

#include "base/text.hh"

namespace assay::archive {

Refused Tree::refused(ArchiveFault fault, std::vector<std::string> arguments, const Member& member) const {
    return {.fault = fault, .arguments = std::move(arguments), .entry = escaped(member.name), .offset = member.offset};
}

// Ignored members count as well: reading them costs the same.
Step<> Tree::count(const Member& member) {
    const auto over = [&](ArchiveFault fault, std::string most, std::int64_t limit, std::int64_t value) {
        Refused too_much = refused(fault, {std::move(most)}, member);
        too_much.limit = limit;
        too_much.value = value;
        return too_much;
    };
    if (++members_ > rules_.entries_max) {
        return over(ArchiveFault::entries, std::to_string(rules_.entries_max), rules_.entries_max, members_);
    }
    if (member.size > rules_.unpacked_max - unpacked_bytes_) {
        return over(ArchiveFault::unpacked, size_text(rules_.unpacked_max), rules_.unpacked_max, unpacked_bytes_ + member.size);
    }
    const std::int64_t file_max = std::max(file_bytes_max, rules_.unpacked_max / file_share_max);
    if (member.size > file_max) return over(ArchiveFault::file_too_large, size_text(file_max), file_max, member.size);
    unpacked_bytes_ += member.size;
    return ok;
}

Step<std::optional<std::string>> Tree::add(const Member& member) {
    ASSAY_CHECK(count(member));
    auto path = clean_path(member.name);
    if (!path) {
        Refused why = std::move(path.error());
        why.entry = escaped(member.name);
        why.offset = member.offset;
        return why;
    }
    const bool directory = member.kind == Member::Kind::directory;
    if (path->empty() && !directory) return refused(ArchiveFault::name_empty, {}, member);
    names_converted_ += member.converted;
    if (path->empty() || ignored(rules_.ignore, *path, directory)) return std::optional<std::string>{};
    if (member.kind == Member::Kind::symlink && rules_.symlinks == model::Symlinks::refuse) {
        return refused(ArchiveFault::link_not_taken, {}, member);
    }

    Entry entry;
    entry.path = *path;
    entry.kind = directory ? Entry::Kind::directory : member.kind == Member::Kind::symlink ? Entry::Kind::symlink : Entry::Kind::regular;
    entry.size = member.size;
    entry.executable = !directory && member.executable && member.kind != Member::Kind::symlink;
    if (member.kind == Member::Kind::symlink) entry.target = member.target;
    if (member.kind == Member::Kind::hardlink) {
        const auto target = clean_path(member.target);
        const auto found = target ? nodes_.find(collision_key(*target)) : nodes_.end();
        if (found == nodes_.end() || found->second.entry.path != *target || found->second.entry.kind != Entry::Kind::regular) {
            return refused(ArchiveFault::hard_link, {escaped(member.target)}, member);
        }
        Member copy = member;
        copy.size = found->second.entry.size;
        --members_;  // counted above; only the copy's bytes are new
        ASSAY_CHECK(count(copy));
        entry.size = copy.size;
        entry.executable = found->second.entry.executable;
    }
    ASSAY_CHECK(place(std::move(entry), member));
    return std::optional{std::move(*path)};
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
    if (there.path == entry.path) return refused(ArchiveFault::twice, {escaped(entry.path)}, member);
    return refused(ArchiveFault::names_meet, {escaped(there.path), escaped(entry.path)}, member);
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
        if (there.path != parent.path) return refused(ArchiveFault::names_meet, {escaped(there.path), escaped(parent.path)}, member);
        if (there.kind != Entry::Kind::directory) return refused(ArchiveFault::below_no_folder, {escaped(there.path)}, member);
    }
    return ok;
}

Step<> Tree::insert(const std::string& key, Entry entry, const Member& member) {
    names_bytes_ += static_cast<std::int64_t>(entry.path.size() + entry.target.size());
    const bool too_many = static_cast<std::int64_t>(nodes_.size()) >= rules_.entries_max;
    if (too_many || names_bytes_ > names_bytes_max) {
        Refused too_much = too_many ? refused(ArchiveFault::entries, {std::to_string(rules_.entries_max)}, member)
                                    : refused(ArchiveFault::names_too_large, {}, member);
        too_much.limit = too_many ? rules_.entries_max : names_bytes_max;
        too_much.value = too_many ? rules_.entries_max + 1 : names_bytes_;
        return too_much;
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

const std::string* Tree::missing_below(std::size_t cut) const {
    for (const std::string& glob : rules_.required) {
        const bool wants_directory = glob.ends_with('/');
        const std::string_view pattern = std::string_view{glob}.substr(0, glob.size() - wants_directory);
        const bool there = std::ranges::any_of(nodes_, [&](const auto& named) {
            const Entry& entry = named.second.entry;
            return entry.path.size() >= cut && (!wants_directory || entry.kind == Entry::Kind::directory) &&
                   glob_matches(pattern, std::string_view{entry.path}.substr(cut));
        });
        if (!there) return &glob;
    }
    return nullptr;
}

Step<> Tree::check_link(const Node& node, std::string_view path) const {
    const auto fault = link_fault(node.entry.target, static_cast<std::size_t>(std::ranges::count(path, '/')));
    if (!fault) return ok;
    return Refused{.fault = *fault, .arguments = {escaped(node.entry.target)}, .entry = escaped(node.entry.path), .offset = node.offset};
}

Step<Manifest> Tree::finish(Format format) {
    Manifest manifest;
    manifest.format = format;
    manifest.names_converted = names_converted_;
    manifest.stripped = wrapping_folder();
    std::size_t cut = manifest.stripped.empty() ? 0 : manifest.stripped.size() + 1;
    const std::string* missing = missing_below(cut);
    // A module that requires `src/main.c` may be given `src` alone: what looks like a wrapping is then what was asked for.
    if (cut > 0 && missing != nullptr && missing_below(0) == nullptr) {
        manifest.stripped.clear();
        cut = 0;
        missing = nullptr;
    }
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

    if (manifest.listing.empty()) return Refused{.fault = members_ > 0 || format == Format::zip ? ArchiveFault::nothing_left : ArchiveFault::only_zeros};
    if (missing == nullptr) return manifest;
    if (cut == 0) return Refused{.fault = ArchiveFault::required, .arguments = {escaped(*missing)}};
    return Refused{.fault = ArchiveFault::required_below, .arguments = {escaped(*missing), escaped(manifest.stripped)}};
}

}  // namespace assay::archive
