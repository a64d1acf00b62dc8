#include "image/layout.hh"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "archive/tar.hh"
#include "archive/verify.hh"
#include "image/limits.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"

namespace assay::image {
namespace {

using archive::Format;

constexpr int links_max = 4;

Error error_of(archive::Stop stop) {
    if (auto* const error = std::get_if<Error>(&stop)) return std::move(*error);
    return {Fault::invalid, archive::sentence(std::get<archive::Refused>(stop))};
}

// A pipe, which has no offsets.
class PipeSource final : public archive::Source {
public:
    explicit PipeSource(const sys::Fd& pipe) : pipe_{pipe} {}
    archive::Step<std::size_t> read(std::span<std::byte> buffer) override {
        ASSAY_TRY(const std::size_t count, sys::read_some(pipe_, buffer));
        offset_ += static_cast<std::int64_t>(count);
        return count;
    }
    std::int64_t offset() const override { return offset_; }

private:
    const sys::Fd& pipe_;
    std::int64_t offset_ = 0;
};

// Adds up what passes.
class SummedSource final : public archive::Source {
public:
    SummedSource(std::unique_ptr<archive::Source> inner, sys::Sha256& sum) : inner_{std::move(inner)}, sum_{sum} {}
    archive::Step<std::size_t> read(std::span<std::byte> buffer) override {
        ASSAY_TRY(const std::size_t count, inner_->read(buffer));
        sum_.add(buffer.first(count));
        return count;
    }
    std::int64_t offset() const override { return inner_->offset(); }

private:
    std::unique_ptr<archive::Source> inner_;
    sys::Sha256& sum_;
};

// Where a link in the tar leads, beside the member that it is.
Result<std::string> beside(const std::string& path, const std::string& target) {
    std::vector<std::string_view> parts = split(path, '/');
    parts.pop_back();
    for (const std::string_view part : split(target, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..") parts.push_back(part);
        else if (parts.empty()) return Error{Fault::invalid, escaped(path) + ": a link out of the archive"};
        else parts.pop_back();
    }
    return fmt::format("{}", fmt::join(parts, "/"));
}

Result<std::int64_t> spooled(archive::Source& from, const sys::Fd& spool, Layers& layers) {
    const auto buffer = std::make_unique<std::array<std::byte, archive::buffer_bytes>>();
    for (std::int64_t total = 0;;) {
        auto count = from.read(*buffer);
        if (!count) return error_of(count.take_error());
        if (*count == 0) return total;
        total += static_cast<std::int64_t>(*count);
        ASSAY_CHECK(layers.use(static_cast<std::int64_t>(*count)));
        ASSAY_CHECK(sys::write_all(spool, ByteView{*buffer}.first(*count)));
    }
}

// What the bytes from `offset` begin as.
Result<Format> format_at(const sys::Fd& file, std::int64_t offset, std::int64_t size) {
    std::array<std::byte, archive::recognise_bytes> head;
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(size, archive::recognise_bytes));
    std::size_t have = 0;
    while (have < wanted) {
        ASSAY_TRY(const std::size_t count, sys::read_at(file, std::span{head}.subspan(have, wanted - have), offset + static_cast<std::int64_t>(have)));
        if (count == 0) break;
        have += count;
    }
    return archive::recognise(ByteView{head}.first(have));
}

bool holds_tar(Format format) { return archive::can_read(format) && format != Format::zip; }

Result<std::vector<std::string>> apply_layout(const Layout& layout, const sys::Fd& file, Layers& layers) {
    const ReadText read = [&](const Blob& blob) { return layout.text(blob); };
    ASSAY_TRY(Manifest manifest, read_manifest(layout.kind() == Layout::Kind::oci, read));
    layers.set_layers(manifest.layers.size());
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
        const auto one = [&]() -> Result<> {
            ASSAY_TRY(const Slice slice, layout.find(manifest.layers[i]));
            ASSAY_TRY(const Format format, format_at(file, slice.offset, slice.size));
            if (!holds_tar(format)) return Error{Fault::invalid, fmt::format("no tar that can be read, but {}", archive::to_string(format))};
            archive::Input input{file, slice.offset, slice.offset + slice.size};
            sys::Sha256 sum;
            archive::TarReader reader{std::make_unique<SummedSource>(archive::source_of(format, input), sum), archive::TarKind::layer};
            ASSAY_CHECK(layers.apply(reader, true));
            if (std::move(sum).hex() != manifest.configuration.diff_ids[i]) return Error{Fault::invalid, "its content does not have the digest that the configuration names"};
            return ok;
        };
        if (auto applied = one(); !applied) return applied.take_error().in(fmt::format("layer {} of {}", i + 1, manifest.layers.size()));
    }
    return std::move(manifest.configuration.environment);
}

Result<> apply_tree(std::unique_ptr<archive::Source> source, Layers& layers) {
    layers.set_layers(1);
    archive::TarReader reader{std::move(source), archive::TarKind::layer};
    return layers.apply(reader, false);
}

}  // namespace

Result<Layout> Layout::look(const sys::Fd& file, std::int64_t size) {
    archive::Input input{file, 0, size};
    auto source = archive::plain_source(input);
    const archive::Source& at = *source;
    archive::TarReader reader{std::move(source), archive::TarKind::layer};
    Layout layout{file};
    std::size_t count = 0;
    for (;;) {
        auto next = reader.next();
        if (!next) return error_of(next.take_error());
        const std::optional<archive::Member> member = std::move(next).value();
        if (!member) break;
        // A file system has names by the million; what an archive of an image consists of is known long before.
        if (++count > archive_members_max) continue;
        auto path = entry_path(member->name);
        if (!path || path->empty()) continue;
        Slice slice{.offset = at.offset(), .size = member->size, .link = {}};
        if (member->kind == archive::Member::Kind::symlink) {
            auto target = beside(*path, member->target);
            if (!target) continue;
            slice.link = std::move(target).value();
        } else if (member->kind == archive::Member::Kind::hardlink) {
            auto target = entry_path(member->target);
            if (!target) continue;
            slice.link = std::move(target).value();
        } else if (member->kind != archive::Member::Kind::regular) {
            continue;
        }
        if (!layout.members_.emplace(*path, std::move(slice)).second) layout.twice_.insert(*path);
    }
    const auto there = [&](const char* name) {
        const auto found = layout.members_.find(name);
        return found != layout.members_.end() && found->second.link.empty();
    };
    if (there("oci-layout") && there("index.json")) layout.kind_ = Kind::oci;
    else if (there("manifest.json")) layout.kind_ = Kind::docker;
    if (layout.kind_ == Kind::tree) return layout;
    if (count > archive_members_max) return Error{Fault::too_large, fmt::format("an archive of an image with more than {} members", archive_members_max)};
    if (!layout.twice_.empty()) return Error{Fault::invalid, fmt::format("{} is in it twice", escaped(*layout.twice_.begin()))};
    return layout;
}

Result<Slice> Layout::find(const Blob& blob) const {
    ASSAY_TRY(std::string path, entry_path(blob.path));
    for (int i = 0; i <= links_max; ++i) {
        const auto found = members_.find(path);
        if (found == members_.end()) break;
        if (found->second.link.empty()) {
            ASSAY_CHECK(check(blob, found->second));
            return found->second;
        }
        path = found->second.link;
    }
    return Error{Fault::invalid, fmt::format("{} is not in the archive", escaped(blob.path))};
}

Result<> Layout::check(const Blob& blob, const Slice& slice) const {
    if (blob.size && *blob.size != slice.size) {
        return Error{Fault::invalid, fmt::format("{} has {} bytes, and should have {}", escaped(blob.path), slice.size, *blob.size)};
    }
    if (blob.sha256.empty()) return ok;
    archive::Input input{*file_, slice.offset, slice.offset + slice.size};
    sys::Sha256 sum;
    for (;;) {
        ASSAY_TRY(const ByteView bytes, input.peek());
        if (bytes.empty()) break;
        sum.add(bytes);
        input.consume(bytes.size());
    }
    if (std::move(sum).hex() != blob.sha256) return Error{Fault::invalid, fmt::format("{} does not have the digest that names it", escaped(blob.path))};
    return ok;
}

Result<std::string> Layout::text(const Blob& blob) const {
    if (blob.size.value_or(0) > static_cast<std::int64_t>(json_bytes_max)) {
        return Error{Fault::too_large, fmt::format("{} is larger than {}", escaped(blob.path), size_text(json_bytes_max))};
    }
    ASSAY_TRY(const Slice slice, find(blob));
    if (slice.size > static_cast<std::int64_t>(json_bytes_max)) {
        return Error{Fault::too_large, fmt::format("{} is larger than {}", escaped(blob.path), size_text(json_bytes_max))};
    }
    std::string text(static_cast<std::size_t>(slice.size), '\0');
    for (std::size_t have = 0; have < text.size();) {
        ASSAY_TRY(const std::size_t count, sys::read_at(*file_, std::as_writable_bytes(std::span{text}.subspan(have)), slice.offset + static_cast<std::int64_t>(have)));
        if (count == 0) return Error{Fault::invalid, "the archive shrank while it was read"};
        have += count;
    }
    return text;
}

Result<std::vector<std::string>> apply_source(const sys::Fd& source, Input input, const sys::Fd& spool, Layers& layers) {
    if (input == Input::pipe_of_tree) {
        ASSAY_CHECK(apply_tree(std::make_unique<PipeSource>(source), layers));
        return std::vector<std::string>{};
    }
    const sys::Fd* file = &source;
    std::int64_t size = 0;
    if (input == Input::pipe_of_layout) {
        PipeSource pipe{source};
        ASSAY_TRY(size, spooled(pipe, spool, layers));
        file = &spool;
    } else {
        archive::Input whole{source};
        ASSAY_TRY(size, whole.size());
        ASSAY_TRY(const Format format, format_at(source, 0, size));
        if (!holds_tar(format)) return Error{Fault::invalid, fmt::format("neither a tar nor a compressed one, but {}", archive::to_string(format))};
        if (format != Format::tar) {
            ASSAY_TRY(size, spooled(*archive::source_of(format, whole), spool, layers));
            file = &spool;
        }
    }
    ASSAY_TRY(const Layout layout, Layout::look(*file, size));
    if (layout.kind() != Layout::Kind::tree) return apply_layout(layout, *file, layers);
    archive::Input plain{*file, 0, size};
    ASSAY_CHECK(apply_tree(archive::plain_source(plain), layers));
    return std::vector<std::string>{};
}

}  // namespace assay::image
