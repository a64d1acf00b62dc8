// Folder: a folder as an archive, in three steps: what of it goes, whether a module takes that, and the bytes.
//
// Deterministic: what goes decides every byte. Nothing is written into the folder. Blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive.hh"
#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/writers.hh"

namespace assay::archive {

constexpr std::size_t listed_max = 1'000'000;               // files and folders
constexpr std::int64_t packed_file_bytes_max = 512LL << 20;  // of a zip: held in memory, one at a time

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

// Why a file of the folder cannot be packed as it is.
struct Trouble {
    enum class Kind {
        shrank,      // while it was read, each time
        grew,
        rewritten,
        written,     // it is written to so often that no reading can be trusted
        locked,      // another process keeps everybody out
        denied,      // no right to read it
        vanished,    // it was listed and is gone
        unreadable,  // reading fails; `detail` says how
        not_a_file,  // something else stands there since it was listed
        too_large,   // `detail` is the bound
    };
    Kind kind = Kind::unreadable;
    std::string path;
    std::string detail;  // the system's words
    int reads = 1;       // how often it was tried
    std::vector<sys::FileHolder> holders;  // who is in the way, as far as can be told
};
std::string_view to_string(Trouble::Kind);

// How often a file is tried, with pauses that double from `first_pause` on.
struct Patience {
    int reads_max = 8;  // 1 .. 16
    sys::Duration first_pause = std::chrono::milliseconds{25};
};

struct Packed {
    std::int64_t entries = 0;
    std::int64_t unpacked_bytes = 0;
    std::int64_t size = 0;  // of what was written
    std::string sha256;     // of that, lower-case hex
};
struct Packing {  // exactly one is set
    std::optional<Packed> packed;
    std::optional<Trouble> trouble;
};

class Disk;  // disk.hh
struct PackOptions {
    // Called with each file as it is packed: its own size, and its content; of what is larger than held_bytes_max only how that begins.
    std::function<void(const Entry&, std::string_view content)> seen;
    // Called after each entry, with the bytes of files packed so far.
    std::function<void(std::int64_t unpacked_bytes)> progress;
    int threads = 0;  // that compress at once; 0: as many as there are processors for us. They change no byte
    Patience patience;
    Disk* disk = nullptr;  // nullptr: the machine's own
};
constexpr std::int64_t held_bytes_max = 8LL << 20;             // of a file in a tar; what is larger is read twice
constexpr std::int64_t tar_file_bytes_max = (8LL << 30) - 1;   // what a header can say

// Writes `out` from where it stands. A file is read whole before its header is written, or read to its end and then once more, and
// it is what it was at one moment (steady.hh). gzip and zstd are decompressed again and compared before they are written. Where one
// folder holds everything, all of it is put into another, which verify strips instead. Memory: 64 MiB beside `entries`, but for a
// zip, which holds each file whole. Errors: those of writing; too_large (a zip's bounds); internal.
Result<Packing> pack_folder(const std::string& folder, const std::vector<Entry>& entries, Format, const sys::Fd& out,
                            const PackOptions& options = {});

}  // namespace assay::archive
