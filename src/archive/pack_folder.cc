// A folder into an archive. The list is made first and sorted, then one file after the other is read whole and written: a file
// that cannot be read, or changes, ends it all and is named, instead of leaving a hole in the archive.
#include <algorithm>

#include <fmt/format.h>

#include "archive/compressor.hh"
#include "archive/disk.hh"
#include "archive/folder.hh"
#include "archive/member.hh"
#include "archive/steady.hh"
#include "archive/tar_writer.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "archive/zip_writer.hh"
#include "base/assert.hh"
#include "sys/process.hh"
#include "sys/sha256.hh"

namespace assay::archive {
namespace {

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

// Whether verify would take the one folder at the top for a wrapping.
std::string wrapping(const std::vector<Entry>& entries) {
    if (entries.empty() || entries.front().kind != Entry::Kind::directory) return {};
    const bool one = std::ranges::all_of(entries, [top = entries.front().path](const Entry& entry) {
        return entry.path == top || entry.path.starts_with(top + "/");
    });
    return one ? std::string{wrapping_name} + "/" : std::string{};
}

// An archive under way. What it writes is summed up on its way out.
class Writer {
public:
    Writer(Format format, const sys::Fd& out, Disk& disk, int threads)
        : out_{out},
          disk_{disk},
          zip_{[this](ByteView bytes) { return write(bytes); }},
          tar_{format == Format::zip ? nullptr : compressor_of(format, [this](ByteView bytes) { return write(bytes); }, threads)} {}

    // One after the other for each entry: its head, and what is in it. Of a zip the content comes in one piece.
    Result<> begin(const Entry& entry, std::uint32_t checksum) {
        entry_ = entry;
        if (!tar_) return ok;
        head_.clear();
        append_head(head_, entry, checksum);
        return tar_->add(bytes_of(head_));
    }
    Result<> content(ByteView bytes) { return tar_ ? tar_->add(bytes) : zip_.add(entry_, text_of(bytes)); }
    Result<> end() { return tar_ && entry_.kind == Entry::Kind::regular ? tar_->add(bytes_of(padding_after(entry_.size))) : Result<>{ok}; }

    Result<> finish() {
        if (!tar_) return zip_.finish();
        std::string end;
        append_end(end);
        ASSAY_CHECK(tar_->add(bytes_of(end)));
        return tar_->finish();
    }
    std::int64_t size() const { return size_; }
    std::string sha256() const { return sha256_.hex_so_far(); }

private:
    Result<> write(ByteView bytes) {
        ASSAY_CHECK(disk_.write(out_, bytes));
        size_ += std::ssize(bytes);
        sha256_.add(bytes);
        return ok;
    }

    const sys::Fd& out_;
    Disk& disk_;
    std::int64_t size_ = 0;
    sys::Sha256 sha256_;
    Entry entry_;
    std::string head_;
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

std::string_view to_string(Trouble::Kind kind) {
    switch (kind) {
        case Trouble::Kind::shrank: return "shrank";
        case Trouble::Kind::grew: return "grew";
        case Trouble::Kind::rewritten: return "rewritten";
        case Trouble::Kind::written: return "written";
        case Trouble::Kind::locked: return "locked";
        case Trouble::Kind::denied: return "denied";
        case Trouble::Kind::vanished: return "vanished";
        case Trouble::Kind::unreadable: return "unreadable";
        case Trouble::Kind::not_a_file: return "not_a_file";
        case Trouble::Kind::too_large: return "too_large";
    }
    return "";
}

Result<Packing> pack_folder(const std::string& folder, const std::vector<Entry>& entries, Format format, const sys::Fd& out,
                            const PackOptions& options) {
    ASSAY_ASSERT(can_read(format));
    ASSAY_TRY(const sys::Fd root, sys::open_directory(folder));
    Disk& disk = options.disk != nullptr ? *options.disk : real_disk();
    const bool zip = format == Format::zip;
    const std::string wrapped = wrapping(entries);
    Writer writer{format, out, disk, options.threads > 0 ? options.threads : sys::online_cpus()};
    SteadyReader reader{disk, root, options.patience};
    Packed packed;
    for (const Entry& listed : entries) {
        Entry entry = listed;
        entry.path = wrapped + entry.path;
        if (entry.kind != Entry::Kind::regular) {
            ASSAY_CHECK(writer.begin(entry, 0));
            ASSAY_CHECK(writer.content({}));
        } else {
            const auto file = reader.read(listed.path, zip ? packed_file_bytes_max : held_bytes_max, zip ? packed_file_bytes_max : tar_file_bytes_max);
            if (!file) return Packing{.trouble = reader.trouble()};
            entry.size = file->size;
            entry.executable = file->executable;
            if (options.seen) {
                Entry seen = entry;
                seen.path = listed.path;
                options.seen(seen, file->content);
            }
            ASSAY_CHECK(writer.begin(entry, file->checksum));
            if (file->whole) {
                ASSAY_CHECK(writer.content(bytes_of(file->content)));
            } else {
                ASSAY_TRY(const bool same, reader.stream(listed.path, *file, [&](ByteView bytes) { return writer.content(bytes); }));
                if (!same) return Packing{.trouble = reader.trouble()};
            }
            packed.unpacked_bytes += file->size;
        }
        ASSAY_CHECK(writer.end());
        ++packed.entries;
        if (options.progress) options.progress(packed.unpacked_bytes);
    }
    ASSAY_CHECK(writer.finish());
    packed.size = writer.size();
    packed.sha256 = writer.sha256();
    return Packing{.packed = std::move(packed)};
}

}  // namespace assay::archive
