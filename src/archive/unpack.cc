// Two passes over the archive: the first verifies it whole and finds the wrapping folder, the second writes.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/member.hh"
#include "archive/tree.hh"
#include "archive/verify.hh"
#include "sys/file.hh"
#include "sys/file_tree.hh"

namespace assay::archive {
namespace {

constexpr char rules_mark = '\n';  // never part of a folder's name here: an argument that begins with it holds rules

model::UploadRules unbounded_rules() {
    model::UploadRules rules;
    rules.unpacked_max = std::numeric_limits<std::int64_t>::max();
    rules.entries_max = std::numeric_limits<std::int64_t>::max();
    return rules;
}

Error error_of(Stop stop) {
    if (auto* const error = std::get_if<Error>(&stop)) return std::move(*error);
    return Error{Fault::invalid, sentence(std::get<Refused>(stop))};
}

Result<> read_fill_argument(std::string_view argument, model::UploadRules& rules) {
    const std::vector<std::string_view> parts = split(argument, rules_mark);
    const auto names = model::parse<model::NameEncoding>(parts.front());
    const auto symlinks = model::parse<model::Symlinks>(parts.size() > 1 ? parts[1] : "");
    if (!names || !symlinks) return Error{Fault::invalid, "no rules to unpack by: " + escaped(argument)};
    rules.names = *names;
    rules.symlinks = *symlinks;
    rules.ignore.assign(parts.begin() + 2, parts.end());
    return ok;
}

// Which members are taken, and under which path.
struct Selection {
    std::vector<std::string> ignore;
    std::string below;  // "grader/"; empty = everything

    std::optional<std::string> path_of(const Member& member) const {
        auto path = clean_path(member.name);  // Allowed: the first pass judged it.
        if (!path || path->empty() || ignored(ignore, *path, member.kind == Member::Kind::directory)) return std::nullopt;
        if (!path->starts_with(below) || path->size() == below.size()) return std::nullopt;
        return path->substr(below.size());
    }
};

Result<> copy_content(MemberReader& reader, const sys::Fd& file) {
    const auto buffer = std::make_unique<std::array<std::byte, buffer_bytes>>();
    for (;;) {
        auto count = reader.read(*buffer);
        if (!count) return error_of(count.take_error());
        if (*count == 0) return ok;
        ASSAY_CHECK(sys::write_all(file, ByteView{*buffer}.first(*count)));
    }
}

Result<> copy_file(const sys::Fd& from, const sys::Fd& to) {
    const auto buffer = std::make_unique<std::array<std::byte, buffer_bytes>>();
    for (;;) {
        ASSAY_TRY(const std::size_t count, sys::read_some(from, *buffer));
        if (count == 0) return ok;
        ASSAY_CHECK(sys::write_all(to, ByteView{*buffer}.first(count)));
    }
}

Result<> write_member(sys::TreeWriter& tree, MemberReader& reader, const Member& member, const std::string& path, const Selection& selection) {
    if (member.kind == Member::Kind::directory) return tree.make_directory(path);
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) ASSAY_CHECK(tree.make_directory(path.substr(0, slash)));
    switch (member.kind) {
        case Member::Kind::directory: case Member::Kind::device: break;
        case Member::Kind::symlink: return tree.make_symlink(path, member.target);
        case Member::Kind::regular: {
            ASSAY_TRY(const sys::Fd file, tree.make_file(path, member.executable));
            return copy_content(reader, file);
        }
        case Member::Kind::hardlink: {
            Member named = member;
            named.name = member.target;
            const auto target = selection.path_of(named);
            if (!target) return Error{Fault::invalid, "a hard link to what is not unpacked: " + escaped(member.target)};
            ASSAY_TRY(const sys::Fd source, tree.open_file(*target));
            ASSAY_TRY(const sys::FileInfo info, sys::info_of(source));
            ASSAY_TRY(const sys::Fd file, tree.make_file(path, (info.mode & 0100) != 0));
            return copy_file(source, file);
        }
    }
    return ok;
}

}  // namespace

// The mark before each: encoding, links, then what is ignored.
std::string fill_argument(const model::UploadRules& rules) {
    const model::UploadRules usual;
    if (rules.ignore == usual.ignore && rules.names == usual.names && rules.symlinks == usual.symlinks) return {};
    std::string argument = fmt::format("{0}{1}{0}{2}", rules_mark, model::to_string(rules.names), model::to_string(rules.symlinks));
    for (const std::string& pattern : rules.ignore) argument += rules_mark + pattern;
    return argument;
}

Result<> unpack_here(const sys::Fd& archive, std::string_view argument) {
    model::UploadRules rules = unbounded_rules();
    const bool whole = argument.empty() || argument.front() == rules_mark;
    if (!whole) rules.ignore.clear();
    if (whole && !argument.empty()) ASSAY_CHECK(read_fill_argument(argument.substr(1), rules));
    ASSAY_TRY(const Verdict verdict, verify(archive, rules));
    if (verdict.refused && verdict.refused->code() == model::Refusal::empty && !whole) return ok;  // A module may have no files.
    if (verdict.refused) return Error{Fault::invalid, sentence(*verdict.refused)};
    const Manifest& manifest = *verdict.manifest;
    Selection selection{.ignore = rules.ignore, .below = std::string{whole ? "" : argument}};
    if (whole && !manifest.stripped.empty()) selection.below = manifest.stripped + "/";

    ASSAY_TRY(sys::TreeWriter tree, sys::TreeWriter::here());
    Input input{archive};
    const auto reader = members_of(manifest.format, input, rules.names);
    for (;;) {
        auto next = reader->next();
        if (!next) return error_of(next.take_error());
        const std::optional<Member> member = std::move(next).value();
        if (!member) return ok;
        if (const auto path = selection.path_of(*member)) ASSAY_CHECK(write_member(tree, *reader, *member, *path, selection));
    }
}

int fill_main(int archive, const char* argument) {
    sys::Fd fd{archive};
    const auto done = unpack_here(fd, argument == nullptr ? "" : argument);
    fd.release();  // Stays the caller's.
    if (done) return 0;
    const sys::Fd talk{2};
    if (const auto told = sys::write_all(talk, std::string_view{done.error().text() + "\n"}); !told) return 1;
    return 1;
}

Result<std::vector<SourceFile>> read_tar(ByteView archive, std::int64_t unpacked_max) {
    model::UploadRules rules = unbounded_rules();
    rules.unpacked_max = unpacked_max;
    rules.ignore.clear();
    const Format format = recognise(archive.first(std::min(archive.size(), recognise_bytes)));
    if (!can_read(format)) return Error{Fault::invalid, "no tar that can be read"};
    Input input{archive};
    const auto reader = members_of(format, input, rules.names);
    Tree tree{rules};
    std::vector<SourceFile> files;
    for (;;) {
        auto next = reader->next();
        if (!next) return error_of(next.take_error());
        const std::optional<Member> member = std::move(next).value();
        if (!member) return files;
        auto path = tree.add(*member);
        if (!path) {
            const auto* const refused = std::get_if<Refused>(&path.error());
            const bool too_large = refused != nullptr && refused->code() == model::Refusal::unpacks_too_large;
            if (too_large) return Error{Fault::too_large, sentence(*refused)};
            return error_of(path.take_error());
        }
        if (!*path || member->kind == Member::Kind::directory) continue;
        if (member->kind != Member::Kind::regular) return Error{Fault::invalid, "a link in an archive of plain files: " + escaped(**path)};
        SourceFile file;
        file.path = **path;
        file.executable = member->executable;
        file.content.resize(static_cast<std::size_t>(member->size));
        for (std::size_t have = 0; have < file.content.size();) {
            auto count = reader->read(std::as_writable_bytes(std::span{file.content}.subspan(have)));
            if (!count) return error_of(count.take_error());
            have += *count;
        }
        files.push_back(std::move(file));
    }
}

}  // namespace assay::archive
