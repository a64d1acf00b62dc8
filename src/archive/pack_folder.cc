// A folder into an archive. The list is made first and sorted, then one file after the other is read whole and written: a file
// that cannot be read, or changes, ends it all and is named, instead of leaving a hole in the archive.
#include <algorithm>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/compressor.hh"
#include "archive/tar_writer.hh"
#include "archive/tree.hh"
#include "archive/member.hh"
#include "archive/verify.hh"
#include "archive/zip_writer.hh"
#include "base/assert.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

constexpr int reads_max = 3;
constexpr std::size_t entries_max = 1'000'000;
constexpr std::string_view wrapping_name = "submission";

class Folder {
public:
    Folder(std::string path, const std::vector<std::string>& ignore) : path_{std::move(path)}, ignore_{ignore} {}

    Result<> list() {
        ASSAY_CHECK(enter(""));
        std::ranges::sort(entries_, {}, &Entry::path);
        return ok;
    }
    const std::vector<Entry>& entries() const { return entries_; }
    std::vector<std::string> take_left_out() { return std::move(left_out_); }

    // All of it, unchanged from the first byte to the last.
    Result<std::string> read(const std::string& path) const {
        ASSAY_TRY(const sys::Fd root, sys::open_directory(path_));
        for (int i = 0; i < reads_max; ++i) {
            auto file = sys::open_beneath(root, path);
            if (!file) return file.take_error().in("read '" + escaped(path) + "'");
            ASSAY_TRY(const sys::FileInfo before, sys::info_of(*file));
            if (before.size > packed_file_bytes_max) {
                return Error{Fault::too_large, fmt::format("'{}' is larger than {}", escaped(path), size_text(packed_file_bytes_max))};
            }
            auto content = sys::read_all(*file, static_cast<std::size_t>(packed_file_bytes_max));
            if (!content) return content.take_error().in("read '" + escaped(path) + "'");
            ASSAY_TRY(const sys::FileInfo after, sys::info_of(*file));
            if (before == after && static_cast<std::int64_t>(content->size()) == after.size) return std::move(*content);
        }
        return Error{Fault::conflict, fmt::format("'{}' changed each of the {} times it was read; pack when nothing writes to it", escaped(path), reads_max)};
    }

private:
    Result<> enter(const std::string& folder) {
        ASSAY_TRY(const auto names, sys::list_directory(folder.empty() ? path_ : path_ + "/" + folder));
        for (const std::string& name : names) ASSAY_CHECK(take(folder.empty() ? name : folder + "/" + name));
        return ok;
    }

    Result<> take(const std::string& path) {
        ASSAY_TRY(const sys::FileInfo info, sys::info_of_path(path_ + "/" + path));
        const bool directory = info.kind == sys::FileInfo::Kind::directory;
        if (ignored(ignore_, path, directory)) {
            left_out_.push_back(path);
            return ok;
        }
        const auto clean = clean_path(path);
        if (!clean) return Error{Fault::invalid, fmt::format("'{}': {}", escaped(path), sentence(clean.error()))};
        if (entries_.size() >= entries_max) return Error{Fault::too_large, fmt::format("more than {} files and folders", entries_max)};
        Entry entry{.path = path, .size = info.size, .executable = (info.mode & 0100) != 0};
        switch (info.kind) {
            case sys::FileInfo::Kind::regular: break;
            case sys::FileInfo::Kind::directory:
                entries_.push_back({.path = path, .kind = Entry::Kind::directory});
                return enter(path);
            case sys::FileInfo::Kind::symlink: {
                ASSAY_TRY(std::string target, sys::link_target(path_ + "/" + path));
                if (link_fault(target, static_cast<std::size_t>(std::ranges::count(path, '/')))) {
                    return Error{Fault::invalid, fmt::format("'{}' is a link to '{}', which leads outside the folder or may", escaped(path), escaped(target))};
                }
                entry = {.path = path, .kind = Entry::Kind::symlink, .target = std::move(target)};
                break;
            }
            case sys::FileInfo::Kind::other: return Error{Fault::invalid, fmt::format("'{}' is neither a file nor a folder nor a link", escaped(path))};
        }
        entries_.push_back(std::move(entry));
        return ok;
    }

    std::string path_;
    const std::vector<std::string>& ignore_;
    std::vector<Entry> entries_;
    std::vector<std::string> left_out_;
};

// Whether verify would take the one folder at the top for a wrapping.
bool looks_wrapped(const std::vector<Entry>& entries) {
    if (entries.empty() || entries.front().kind != Entry::Kind::directory) return false;
    return std::ranges::all_of(entries, [top = entries.front().path](const Entry& entry) { return entry.path == top || entry.path.starts_with(top + "/"); });
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

}  // namespace

Result<Packed> pack_folder(const std::string& folder, const std::vector<std::string>& ignore, Format format, const sys::Fd& out) {
    ASSAY_ASSERT(can_read(format));
    Folder source{folder, ignore};
    ASSAY_CHECK(source.list());
    const std::string wrapping = looks_wrapped(source.entries()) ? std::string{wrapping_name} + "/" : "";
    Packed packed;
    Writer writer{format, out};
    for (const Entry& listed : source.entries()) {
        Entry entry = listed;
        std::string content;
        if (entry.kind == Entry::Kind::regular) {
            ASSAY_TRY(content, source.read(entry.path));
        }
        packed.unpacked_bytes += static_cast<std::int64_t>(content.size());
        ++packed.entries;
        entry.path = wrapping + entry.path;
        ASSAY_CHECK(writer.add(entry, content));
    }
    ASSAY_CHECK(writer.finish());
    packed.left_out = source.take_left_out();
    return packed;
}

}  // namespace assay::archive
