// What the room archive makes of a file, for comparison with other readers: `listing FILE`, in an empty folder, into which it
// unpacks. One line of JSON: {"accepted": false, "fault", "text"} or {"accepted": true, "format", "stripped", "entries": [[path,
// "f" | "x" | "d" | "l", size, SHA-256 or target]…]}. Sizes and contents are those of the unpacked files. Nothing is ignored, and
// more is taken than a module takes by default.
#include <cstdio>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "archive/archive.hh"
#include "base/text.hh"
#include "sys/file.hh"
#include "sys/sha256.hh"
#include "wording/archive_faults.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

model::UploadRules rules() {
    model::UploadRules rules;
    rules.ignore.clear();
    rules.unpacked_max = 1LL << 30;
    rules.entries_max = 200'000;
    return rules;
}

Result<Json> line_of(const Entry& entry) {
    const fs::file_status found = fs::symlink_status(entry.path);
    switch (entry.kind) {
        case Entry::Kind::directory:
            if (!fs::is_directory(found)) return Error{Fault::internal, entry.path + ": no folder was unpacked"};
            return Json{entry.path, "d", 0, ""};
        case Entry::Kind::symlink:
            if (!fs::is_symlink(found)) return Error{Fault::internal, entry.path + ": no link was unpacked"};
            return Json{entry.path, "l", 0, fs::read_symlink(entry.path).string()};
        case Entry::Kind::regular: break;
    }
    if (!fs::is_regular_file(found)) return Error{Fault::internal, entry.path + ": no file was unpacked"};
    ASSAY_TRY(const sys::Fd file, sys::open_read(entry.path));
    sys::Sha256 sum;
    std::vector<std::byte> part(1u << 16);
    std::int64_t size = 0;
    for (;;) {
        ASSAY_TRY(const std::size_t count, sys::read_at(file, part, size));
        if (count == 0) break;
        sum.add(ByteView{part}.first(count));
        size += static_cast<std::int64_t>(count);
    }
    if (size != entry.size) return Error{Fault::internal, entry.path + ": listed with another size than it is unpacked with"};
    const bool executable = (found.permissions() & fs::perms::owner_exec) != fs::perms::none;
    if (executable != entry.executable) return Error{Fault::internal, entry.path + ": listed with another mode than it is unpacked with"};
    return Json{entry.path, executable ? "x" : "f", size, std::move(sum).hex()};
}

Result<Json> listing(const std::string& path) {
    ASSAY_TRY(const sys::Fd file, sys::open_read(path));
    ASSAY_TRY(const Verdict verdict, verify(file, rules()));
    if (verdict.refused) {
        const Refused& why = *verdict.refused;
        return Json{{"accepted", false}, {"fault", model::to_string(why.fault)},
                    {"text", wording::sentence(wording::Language::english, why.fault, why.arguments, {.entry = why.entry, .limit = why.limit, .value = why.value, .offset = why.offset})}};
    }
    ASSAY_CHECK(unpack_here(file, fill_argument(rules())));
    Json entries = Json::array();
    for (const Entry& entry : verdict.manifest->listing) {
        ASSAY_TRY(Json line, line_of(entry));
        entries.push_back(std::move(line));
    }
    const auto unpacked = std::distance(fs::recursive_directory_iterator{"."}, fs::recursive_directory_iterator{});
    if (static_cast<std::int64_t>(unpacked) != verdict.manifest->entries) return Error{Fault::internal, "more or less was unpacked than is listed"};
    return Json{{"accepted", true}, {"format", to_string(verdict.manifest->format)}, {"stripped", verdict.manifest->stripped}, {"entries", std::move(entries)}};
}

}  // namespace
}  // namespace assay::archive

int main(int argc, char** argv) {
    if (argc != 2 || !std::filesystem::is_empty(".")) {
        std::fprintf(stderr, "usage: listing FILE, in an empty folder\n");
        return 2;
    }
    const auto listed = assay::archive::listing(argv[1]);
    if (!listed) {
        std::fprintf(stderr, "listing: %s\n", listed.error().text().c_str());
        return 1;
    }
    std::printf("%s\n", listed->dump().c_str());
    return 0;
}
