// A folder into an archive. The list is made first and sorted, then one file after the other is read whole and written: a file
// that cannot be read, or changes, ends it all and is named, instead of leaving a hole in the archive.
#include <algorithm>

#include <fmt/format.h>

#include "archive/compressor.hh"
#include "archive/folder.hh"
#include "archive/member.hh"
#include "archive/tar_writer.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "archive/zip_writer.hh"
#include "base/assert.hh"

namespace assay::archive {
namespace {

constexpr int reads_max = 3;
constexpr std::string_view wrapping_name = "submission";

class Lister {
public:
    Lister(const std::string& root, Picker& picker) : root_{root}, picker_{picker} {}

    Result<> enter(const std::string& folder) {
        ASSAY_TRY(const auto names, sys::list_directory(folder.empty() ? root_ : root_ + "/" + folder));
        ASSAY_CHECK(picker_.enter(folder));
        for (const std::string& name : names) ASSAY_CHECK(take(folder.empty() ? name : folder + "/" + name));
        picker_.leave();
        return ok;
    }
    std::vector<Entry> sorted() && {
        std::ranges::sort(entries_, {}, &Entry::path);
        return std::move(entries_);
    }

private:
    Result<> take(const std::string& path) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(root_ + "/" + path));
        ASSAY_TRY(const bool goes, picker_.goes(path, info));
        if (!goes) return ok;
        if (entries_.size() >= listed_max)
            return Error{Fault::too_large, fmt::format("more than {} files and folders", listed_max)};
        switch (info.kind) {
            case sys::FileInfo::Kind::regular:
                entries_.push_back({.path = path, .size = info.size, .executable = (info.mode & 0100) != 0});
                return ok;
            case sys::FileInfo::Kind::directory:
                entries_.push_back({.path = path, .kind = Entry::Kind::directory});
                if (static_cast<std::size_t>(std::ranges::count(path, '/')) < path_depth_max) return enter(path);
                return ok;  // What is deeper is not taken; judge() says so of this one.
            case sys::FileInfo::Kind::symlink: {
                ASSAY_TRY(std::string target, sys::link_target(root_ + "/" + path));
                entries_.push_back({.path = path, .kind = Entry::Kind::symlink, .target = std::move(target)});
                return ok;
            }
            case sys::FileInfo::Kind::other: break;
        }
        return Error{Fault::invalid, fmt::format("'{}' is neither a file nor a folder nor a link", escaped(path))};
    }

    const std::string& root_;
    Picker& picker_;
    std::vector<Entry> entries_;
};

// All of it, unchanged from the first byte to the last.
Result<std::string> read_whole(const sys::Fd& root, const std::string& path) {
    for (int i = 0; i < reads_max; ++i) {
        auto file = sys::open_beneath(root, path);
        if (!file) return file.take_error().in("read '" + escaped(path) + "'");
        ASSAY_TRY(const sys::FileInfo before, sys::info_of(*file));
        if (before.size > packed_file_bytes_max) {
            return Error{Fault::too_large,
                         fmt::format("'{}' is larger than {}", escaped(path), size_text(packed_file_bytes_max))};
        }
        auto content = sys::read_all(*file, static_cast<std::size_t>(packed_file_bytes_max));
        if (!content) return content.take_error().in("read '" + escaped(path) + "'");
        ASSAY_TRY(const sys::FileInfo after, sys::info_of(*file));
        if (before == after && static_cast<std::int64_t>(content->size()) == after.size) return std::move(*content);
    }
    return Error{Fault::conflict,
                 fmt::format("'{}' changed each of the {} times it was read; pack when nothing writes to it",
                             escaped(path), reads_max)};
}

// Whether verify would take the one folder at the top for a wrapping.
std::string wrapping(const std::vector<Entry>& entries) {
    if (entries.empty() || entries.front().kind != Entry::Kind::directory) return {};
    const bool one = std::ranges::all_of(entries, [top = entries.front().path](const Entry& entry) {
        return entry.path == top || entry.path.starts_with(top + "/");
    });
    return one ? std::string{wrapping_name} + "/" : std::string{};
}

class Writer {
public:
    Writer(Format format, const sys::Fd& out) : zip_{out}, tar_{format == Format::zip ? nullptr : compressor_of(format, out)} {}

    Result<> add(const Entry& entry, std::string_view content) {
        if (!tar_) return zip_.add(entry, content);
        std::string member;
        append_member(member, entry, content);
        return tar_->add(bytes_of(member));
    }
    Result<> finish() {
        if (!tar_) return zip_.finish();
        std::string end;
        append_end(end);
        ASSAY_CHECK(tar_->add(bytes_of(end)));
        return tar_->finish();
    }

private:
    ZipWriter zip_;
    std::unique_ptr<Compressor> tar_;
};

Member::Kind member_kind(Entry::Kind kind) {
    switch (kind) {
        case Entry::Kind::directory: return Member::Kind::directory;
        case Entry::Kind::regular: return Member::Kind::regular;
        case Entry::Kind::symlink: return Member::Kind::symlink;
    }
    return Member::Kind::device;
}

Step<Manifest> judged(const std::vector<Entry>& entries, Format format, const model::UploadRules& rules) {
    const std::string wrapped = wrapping(entries);
    Tree tree{rules};
    for (const Entry& entry : entries) {
        const Member member{.name = wrapped + entry.path,
                            .target = entry.target,
                            .kind = member_kind(entry.kind),
                            .size = entry.size,
                            .executable = entry.executable};
        ASSAY_CHECK(tree.add(member));
    }
    ASSAY_TRY(Manifest manifest, tree.finish(format));
    if (!wrapped.empty()) manifest.stripped.clear();  // Ours, not theirs.
    return manifest;
}

}  // namespace

Result<std::vector<Entry>> list_folder(const std::string& folder, Picker& picker) {
    Lister lister{folder, picker};
    ASSAY_CHECK(lister.enter(""));
    return std::move(lister).sorted();
}

Result<Verdict> judge(const std::vector<Entry>& entries, Format format, const model::UploadRules& rules) {
    ASSAY_TRY(Verdict verdict, verdict_of(judged(entries, format, rules)));
    if (!verdict.refused) return verdict;
    Refused& why = *verdict.refused;
    const std::string wrapped = wrapping(entries);
    if (!wrapped.empty() && why.entry.starts_with(wrapped)) why.entry.erase(0, wrapped.size());
    if (why.fault == ArchiveFault::required_below && !wrapped.empty())
        why = {.fault = ArchiveFault::required, .arguments = {why.arguments.front()}};
    return verdict;
}

Result<Packed> pack_folder(const std::string& folder, const std::vector<Entry>& entries, Format format,
                           const sys::Fd& out, const Seen& seen) {
    ASSAY_ASSERT(can_read(format));
    ASSAY_TRY(const sys::Fd root, sys::open_directory(folder));
    const std::string wrapped = wrapping(entries);
    Packed packed;
    Writer writer{format, out};
    for (const Entry& listed : entries) {
        Entry entry = listed;
        std::string content;
        if (entry.kind == Entry::Kind::regular) {
            ASSAY_TRY(content, read_whole(root, entry.path));
            if (seen) seen(listed, content);
        }
        packed.unpacked_bytes += static_cast<std::int64_t>(content.size());
        ++packed.entries;
        entry.path = wrapped + entry.path;
        ASSAY_CHECK(writer.add(entry, content));
    }
    ASSAY_CHECK(writer.finish());
    return packed;
}

}  // namespace assay::archive
