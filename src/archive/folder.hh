// Folder: a folder as an archive, in three steps: what of it goes, whether a module takes that, and the bytes.
//
// Deterministic: what goes decides every byte. Nothing is written into the folder. Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.hh"
#include "base/result.hh"
#include "sys/fd.hh"
#include "sys/file.hh"

namespace assay::archive {

constexpr std::size_t listed_max = 1'000'000;               // files and folders
constexpr std::int64_t packed_file_bytes_max = 512LL << 20;  // held in memory, one at a time

// Decides what of a folder goes. Paths are relative to it; "" is the folder itself.
class Picker {
public:
    virtual ~Picker() = default;
    // Before the names in a folder, and after them.
    virtual Result<> enter([[maybe_unused]] const std::string& folder) { return ok; }
    virtual void leave() {}
    // A folder that does not go is not entered.
    virtual Result<bool> goes(const std::string& path, const sys::FileInfo&) = 0;
};

// What goes, sorted by path; links are not followed. Errors: those of the picker; invalid (neither file nor folder nor link), too_large
// (listed_max), denied, missing; each names the path.
Result<std::vector<Entry>> list_folder(const std::string& folder, Picker&);

// As verify() would judge an archive of `entries` in this format, by their names and sizes alone.
Result<Verdict> judge(const std::vector<Entry>& entries, Format, const model::UploadRules&);

struct Packed {
    std::int64_t entries = 0;
    std::int64_t unpacked_bytes = 0;
};
// Called with each file as it is packed.
using Seen = std::function<void(const Entry&, std::string_view content)>;
// Writes `out` from where it stands. A file is read whole before its header is written, and stat'ed before and after. Where one
// folder holds everything, all of it is put into another, which verify strips instead.
// Errors: conflict (a file that changed each time it was read), denied, missing (a file that cannot be read), too_large; each names the file.
Result<Packed> pack_folder(const std::string& folder, const std::vector<Entry>& entries, Format, const sys::Fd& out,
                           const Seen& seen = {});

}  // namespace assay::archive
