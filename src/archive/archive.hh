// Archive: recognises, verifies, unpacks and packs archives, and trusts nothing.
//
// "Verified" means that every byte was read, every checksum and length held, the end markers were there, and only zero bytes
// followed. Bounds are counted while streaming; memory is bounded whatever the input says.
//
// Threading: no shared state. Blocking: reads its fd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "model/archive_fault.hh"
#include "model/plan.hh"
#include "sys/fd.hh"

namespace assay::archive {

enum class Format { tar, tar_gz, tar_bz2, tar_xz, tar_zst, zip, seven_zip, rar, unknown };
std::string_view to_string(Format);  // "tar.gz"

// By content alone, from the first recognise_bytes.
constexpr std::size_t recognise_bytes = 512;
Format recognise(ByteView head);

struct Entry {
    enum class Kind { directory, regular, symlink };
    std::string path;         // relative, clean, '/'-separated, no leading "./", no trailing '/'
    Kind kind = Kind::regular;
    std::int64_t size = 0;
    bool executable = false;
    std::string target;       // of a symlink
};

struct Manifest {
    Format format = Format::unknown;
    std::int64_t entries = 0;         // after ignoring
    std::int64_t unpacked_bytes = 0;
    std::string stripped;             // the one wrapping folder that was stripped; empty = none
    std::int64_t names_converted = 0; // members whose name or target was not UTF-8; before ignoring
    std::vector<Entry> listing;       // as it will be unpacked
};

using model::ArchiveFault;

// Why an archive is refused. What it says to people is `wording`'s.
struct Refused {
    ArchiveFault fault = ArchiveFault::no_bytes;
    std::vector<std::string> arguments;  // as many as the fault's sentence takes; escaped where they come from the archive
    std::string entry;                   // escaped name; empty when it is about no entry
    std::int64_t offset = 0;             // of the archive's bytes
    std::optional<std::int64_t> limit;
    std::optional<std::int64_t> value;

    model::Refusal code() const { return model::refusal_of(fault); }
};

struct Verdict {                      // exactly one is set
    std::optional<Manifest> manifest;
    std::optional<Refused> refused;
};

// Bounds that no module can raise.
constexpr std::size_t path_bytes_max = 1024;
constexpr std::size_t path_depth_max = 64;
constexpr std::size_t component_bytes_max = 255;
constexpr std::int64_t header_bytes_max = 1 << 20;  // extended headers of one entry

// Reads the archive from the start of `archive` (with pread: its offset is neither used nor moved). In this process; see
// `Verifiers` (verifiers.hh) for hostile bytes in a server. Errors are our own (read failed); what is wrong with the archive is a Refused.
Result<Verdict> verify(const sys::Fd& archive, const model::UploadRules&);

// What unpack_here and fill_main take as `argument` for a submission of a module with these rules: what is ignored decides
// which folder is stripped. Empty when the rules are the default in this.
std::string fill_argument(const model::UploadRules&);
constexpr std::size_t fill_argument_bytes_max = 1023;  // what the sandbox hands on
// Loads what converting names needs, for a process that is about to give up opening files, or to fork such ones.
void prepare_name_encodings();

// Unpacks into the current directory what verify() would list (wrapping folder stripped, ignored entries left out), below it
// and nowhere else; modes 0644/0755 only. Fit for sandbox::FillFunction: it needs pread, openat2, openat, mkdirat, symlinkat,
// newfstatat, fchmod, fchmodat, read, write, close and memory. The rules' bounds were checked at intake; here only hard safety
// is checked again. `argument`: empty or fill_argument(rules) for a submission; "grader/" takes only what lies below that
// folder, strips it, and ignores and strips nothing else (revisions, which we packed ourselves). Errors: invalid (refused).
Result<> unpack_here(const sys::Fd& archive, std::string_view argument);
int fill_main(int archive, const char* argument);  // sandbox::FillFunction; 0, or 1 with a line on fd 2

// A deterministic tar of `entries` (sorted by path, mtime 0, uid 0): the same tree gives the same bytes everywhere.
struct SourceFile {
    std::string path;
    bool executable = false;
    std::string content;
};
// Errors: invalid (a name that verify would refuse, or twice).
Result<std::string> pack_tar(std::vector<SourceFile> files);

// Reads a whole small trusted-size archive (a revision) into memory. Errors: invalid (refused, with why), too_large.
Result<std::vector<SourceFile>> read_tar(ByteView archive, std::int64_t unpacked_max);

}  // namespace assay::archive
