#include "image/layers.hh"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "archive/verify.hh"
#include "image/limits.hh"
#include "model/image.hh"
#include "sys/file.hh"

namespace assay::image {
namespace {

using archive::Member;
using Kind = sys::RootTree::Kind;

constexpr std::string_view whiteout_mark = ".wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";
constexpr std::string_view private_mark = ".wh..wh.";         // an old driver's own, which mean nothing in a layer
constexpr std::int64_t unsynced_bytes_max = 32LL << 20;       // or one import would hold up everybody's next fsync

Error error_of(archive::Stop stop) {
    if (auto* const error = std::get_if<Error>(&stop)) return std::move(*error);
    return {Fault::invalid, archive::sentence(std::get<archive::Refused>(stop))};
}

Error about(const std::string& path, std::string_view what) { return {Fault::invalid, fmt::format("{}: {}", escaped(path, 200), what)}; }

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

Result<std::string> entry_path(std::string_view raw) {
    std::string path;
    std::size_t depth = 0;
    for (const std::string_view component : split(raw, '/')) {
        if (component.empty() || component == ".") continue;
        if (component == "..") return about(std::string{raw}, "a name that climbs out of where it is");
        if (component.contains('\0')) return about(std::string{raw}, "a name with a zero byte");
        if (component.size() > component_bytes_max) return Error{Fault::too_large, fmt::format("{}: a part of more than {} bytes", escaped(raw, 100), component_bytes_max)};
        if (++depth > path_depth_max) return Error{Fault::too_large, fmt::format("{}: more than {} folders deep", escaped(raw, 100), path_depth_max)};
        if (!path.empty()) path += '/';
        path += component;
    }
    if (path.size() > path_bytes_max) return Error{Fault::too_large, fmt::format("{}: a name of more than {} bytes", escaped(raw, 100), path_bytes_max)};
    return path;
}

Layers::Layers(const sys::Fd& tree, std::int64_t room_bytes, std::function<void(const Progress&)> told)
    : root_{tree}, tree_{[&] {
          auto copy = sys::duplicate(tree);
          return copy ? std::move(copy).value() : sys::Fd{};
      }()},
      room_bytes_{room_bytes}, told_{std::move(told)} {}

Result<> Layers::apply(archive::MemberReader& reader, bool whiteouts) {
    names_.clear();
    names_bytes_ = 0;
    ++progress_.layer;
    for (;;) {
        auto next = reader.next();
        if (!next) return error_of(next.take_error());
        const std::optional<Member> member = std::move(next).value();
        if (!member) return ok;
        if (++progress_.entries > entries_max) return Error{Fault::too_large, fmt::format("more than {} entries", entries_max)};
        told_(progress_);
        ASSAY_TRY(const std::string path, entry_path(member->name));
        if (path.empty()) {
            if (member->kind == Member::Kind::directory) continue;
            return about(member->name, "no name for what is no folder");
        }
        const std::string name = path.substr(path.rfind('/') + 1);
        if (whiteouts && name.starts_with(whiteout_mark)) {
            ASSAY_CHECK(white_out(folder_of(path), name));
            continue;
        }
        ASSAY_CHECK(add(reader, *member, path));
        if (whiteouts) ASSAY_CHECK(note(path));
    }
}

// A whiteout is about lower layers alone, wherever in its own it stands.
Result<> Layers::white_out(const std::string& folder, std::string_view name) {
    const auto ours = [this](const std::string& path) { return names_.contains(path); };
    if (name == opaque_name) return tree_.clear(folder, ours);
    if (name.starts_with(private_mark)) return ok;
    name.remove_prefix(whiteout_mark.size());
    if (name.empty() || name == "." || name == "..") return about(folder, "a whiteout of nothing");
    return tree_.remove(folder.empty() ? std::string{name} : fmt::format("{}/{}", folder, name), ours);
}

Result<> Layers::note(const std::string& path) {
    const auto [at, fresh] = names_.insert(path);
    if (fresh) names_bytes_ += path.size();
    if (names_bytes_ > layer_names_bytes_max) return Error{Fault::too_large, fmt::format("a layer with more than {} of names", size_text(layer_names_bytes_max))};
    return ok;
}

Result<> Layers::add(archive::MemberReader& reader, const Member& member, const std::string& path) {
    left_.attributes += member.attributes;
    if (member.kind != Member::Kind::symlink && member.kind != Member::Kind::hardlink) left_.set_ids += (member.mode & 06000) != 0;
    switch (member.kind) {
        case Member::Kind::directory: return tree_.make_directory(path, member.mode | 0700);
        case Member::Kind::regular: {
            ASSAY_TRY(const sys::Fd file, tree_.make_file(path, member.mode | 0400));
            return copy(reader, member, file);
        }
        case Member::Kind::symlink:
            if (member.target.empty() || member.target.size() > target_bytes_max || member.target.contains('\0')) return about(path, "a link to nothing, or to too long a name");
            return tree_.make_symlink(path, member.target);
        case Member::Kind::hardlink: {
            ASSAY_TRY(const std::string existing, entry_path(member.target));
            if (existing.empty()) return about(path, "a hard link to the root");
            auto linked = tree_.make_link(path, existing);
            if (!linked && linked.error().fault() == Fault::missing) return about(path, fmt::format("a hard link to what is not there: {}", escaped(existing)));
            return linked;
        }
        case Member::Kind::device:
            ++left_.devices;
            return tree_.remove(path);  // What it took the place of is gone either way.
    }
    return ok;
}

Result<> Layers::copy(archive::MemberReader& reader, const Member& member, const sys::Fd& file) {
    const auto buffer = std::make_unique<std::array<std::byte, archive::buffer_bytes>>();
    for (;;) {
        auto count = reader.read(*buffer);
        if (!count) return error_of(count.take_error());
        if (*count == 0) return sys::set_modified(file, member.modified_s);
        ASSAY_CHECK(sys::write_all(file, ByteView{*buffer}.first(*count)));
        ASSAY_CHECK(written(static_cast<std::int64_t>(*count)));
    }
}

Result<> Layers::written(std::int64_t bytes) {
    progress_.bytes += bytes;
    unsynced_bytes_ += bytes;
    ASSAY_CHECK(use(bytes));
    if (unsynced_bytes_ < unsynced_bytes_max) return ok;
    unsynced_bytes_ = 0;
    return sys::sync_file_system(root_);
}

Result<> Layers::use(std::int64_t bytes) {
    used_bytes_ += bytes;
    told_(progress_);
    if (used_bytes_ > room_bytes_) return Error{Fault::too_large, fmt::format("more than {}, which is the room there is for it", size_text(room_bytes_))};
    return ok;
}

Result<Left> Layers::finish() {
    const auto replaced = [this](Kind was, std::string_view path) {
        if (was != Kind::nothing) left_.replaced.emplace_back(path);
    };
    for (const std::string_view folder : model::image_folders) {
        const std::string path{folder};
        ASSAY_TRY(const Kind kind, tree_.kind(path));
        if (kind == Kind::directory) continue;
        ASSAY_CHECK(tree_.make_directory(path, 0755));
        replaced(kind, path);
    }
    for (const std::string_view name : model::image_etc_files) {
        const std::string path = fmt::format("etc/{}", name);
        ASSAY_TRY(const Kind kind, tree_.kind(path));
        if (kind == Kind::regular) continue;
        ASSAY_TRY(const sys::Fd file, tree_.make_file(path, 0644));
        ASSAY_CHECK(sys::set_modified(file, 0));
        replaced(kind, path);
    }
    std::size_t top = 0;
    ASSAY_TRY(top, tree_.count(""));
    if (top > model::image_top_names_max) return Error{Fault::too_large, fmt::format("{} names at its top; at most {} are taken", top, model::image_top_names_max)};
    return left_;
}

}  // namespace assay::image
