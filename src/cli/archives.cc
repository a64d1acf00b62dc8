// assay export submissions: which they are is asked of the server or the database; the archives themselves are files of the data directory,
// written once and never changed. They go to stdout as a tar, like the other exports, so that the caller's shell says where to: where no
// server runs, this process has become the data's owner by then.
#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/staff.hh"
#include "archive/archive.hh"
#include "archive/seal.hh"
#include "archive/tar_writer.hh"
#include "cli/act.hh"
#include "http/fields.hh"
#include "queue/board.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"
#include "sys/terminal.hh"

namespace assay::cli {
namespace {

constexpr std::size_t piece_bytes = 1u << 20;
constexpr std::size_t head_bytes = 512;  // shows what kind of archive it is

struct Handed {
    std::string participant, module, submission, sha256;
    std::int64_t size = 0;
};

Result<sys::Fd> open_archive(const std::string& data, const Handed& it) {
    return sys::open_read(data + "/blobs/" + it.sha256.substr(0, 2) + "/" + it.sha256);
}

// Ends where the file does, or with what `take` says.
Result<> pieces_of(const sys::Fd& file, const std::function<Result<>(ByteView)>& take) {
    std::vector<std::byte> piece(piece_bytes);
    for (std::int64_t at = 0;;) {
        ASSAY_TRY(const std::size_t count, sys::read_at(file, piece, at));
        if (count == 0) return ok;
        ASSAY_CHECK(take(ByteView{piece}.first(count)));
        at += static_cast<std::int64_t>(count);
    }
}

// "zip"; "bin" of what is none that we know.
Result<std::string> kind_of(const sys::Fd& file) {
    std::byte head[head_bytes];
    ASSAY_TRY(const std::size_t count, sys::read_at(file, head, 0));
    const archive::Format format = archive::recognise(ByteView{head}.first(count));
    return format == archive::Format::unknown ? std::string{"bin"} : std::string{to_string(format)};
}

Result<std::string> name_of(const sys::Fd& file, const Handed& it) {
    ASSAY_TRY(const std::string kind, kind_of(file));
    return fmt::format("{}/{}-{}.{}", segment(it.module), segment(it.participant), it.submission, kind);
}

Result<> put(ByteView bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size()) return ok;
    return Error{Fault::system, "writing to stdout failed"};
}

struct Looked {
    sys::Fd file;
    std::string name;
    std::uint32_t checksum = 0;
};

// As a whole, before any of it goes out: what is damaged is never handed on.
Result<Looked> look_at(const std::string& data, const Handed& it) {
    Looked looked;
    ASSAY_TRY(looked.file, open_archive(data, it));
    sys::Sha256 sum;
    std::int64_t size = 0;
    const auto look = [&](ByteView bytes) -> Result<> {
        sum.add(bytes);
        looked.checksum = archive::crc32_of(bytes, looked.checksum);
        size += std::ssize(bytes);
        return ok;
    };
    ASSAY_CHECK(pieces_of(looked.file, look));
    if (size != it.size || std::move(sum).hex() != it.sha256) return Error{Fault::disk_failed, "it is damaged on the disk"};
    ASSAY_TRY(looked.name, name_of(looked.file, it));
    return looked;
}

// What cannot be read is said and left out; the others come all the same. Returns how many were.
Result<int> write_tar(const std::string& data, const std::vector<Handed>& all) {
    int left_out = 0;
    for (const Handed& it : all) {
        Result<Looked> looked = look_at(data, it);
        if (!looked) {
            (void)fail(std::move(looked).take_error().in("submission " + it.submission));
            ++left_out;
            continue;
        }
        std::string head;
        archive::append_head(head, {.path = looked->name, .size = it.size}, looked->checksum);
        ASSAY_CHECK(put(bytes_of(head)));
        ASSAY_CHECK(pieces_of(looked->file, put));
        ASSAY_CHECK(put(bytes_of(archive::padding_after(it.size))));
    }
    std::string end;
    archive::append_end(end);
    ASSAY_CHECK(put(bytes_of(end)));
    if (std::fflush(stdout) != 0) return Error{Fault::system, "writing to stdout failed"};
    return left_out;
}

}  // namespace

ExitCode export_submissions(const StaffOptions& options, const std::string& course, const std::string& module, bool all) {
    if (!options.json && sys::is_terminal(1))
        return fail({Fault::invalid, "it writes a tar: send that to a file by `> FILE.tar`, or unpack it at once by `| tar -xf - -C FOLDER`"});
    const std::string target = fmt::format("/admin/archives/{}?module={}&all={}", segment(course), http::percent_encoded(module), all ? 1 : 0);
    const auto listed = act(options.data, {"GET", target, "", ""}, [&](serve::Rooms& rooms) {
        const std::int64_t now_ms = sys::to_ms(sys::system_clock().wall());
        return api::archives_json(*rooms.store, queue::Board{now_ms}, CourseId{course}, module, all, now_ms);
    });
    if (!listed) return fail(listed.error());
    auto rows = nlohmann::ordered_json::parse(*listed, nullptr, false);
    if (!rows.is_array()) return fail({Fault::internal, "the server's list is none"});
    std::vector<Handed> handed;
    for (auto& row : rows) {
        handed.push_back({row.at("id"), row.at("module"), row.at("submission"), row.at("sha256"), row.at("size")});
        if (!options.json) continue;
        const auto file = open_archive(options.data, handed.back());
        const auto name = file ? name_of(*file, handed.back()) : file.error();
        if (!name) return fail(name.error());
        row["file"] = *name;
    }
    if (options.json) return print(rows.dump(1) + "\n");
    const Result<int> left_out = write_tar(options.data, handed);
    if (!left_out) return fail(left_out.error());
    return *left_out == 0 ? ExitCode::done : fail({Fault::disk_failed, fmt::format("{} of {} are not in the tar", *left_out, handed.size())});
}

}  // namespace assay::cli
