// MemberReader: the members of an archive of any format, pulled one by one. Internal to archive.
//
// It judges structure only (checksums, lengths, types, end marks); what names and trees are allowed is Tree's to say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "archive/source.hh"
#include "archive/step.hh"

namespace assay::archive {

struct Member {
    enum class Kind { directory, regular, symlink, hardlink, device };  // device: also a fifo; in layers alone
    std::string name;      // as written, not yet judged
    bool name_is_utf8 = false;    // the format says so; else it is in the encoding that the module takes
    bool target_is_utf8 = false;
    bool converted = false;       // name or target were
    std::string target;    // of a symlink or hardlink
    Kind kind = Kind::regular;
    std::int64_t size = 0; // of a regular file; 0 for all others
    bool executable = false;
    std::uint32_t mode = 0;       // of a tar: as written, with setuid, setgid and sticky
    std::int64_t modified_s = 0;  // of a tar
    bool attributes = false;      // of a layer: extended ones, capabilities among them
    std::int64_t offset = 0;  // of its header in the archive
};

class MemberReader {
public:
    virtual ~MemberReader() = default;
    // The next member, after what is left of the last one was read; nullopt when everything held to the last byte.
    virtual Step<std::optional<Member>> next() = 0;
    // Content of the current member: 1..size bytes; 0 = its end.
    virtual Step<std::size_t> read(std::span<std::byte> buffer) = 0;
};

// Whether this version reads it.
bool can_read(Format);
// Names come out in UTF-8, converted from `names`. Precondition: can_read(format). `input` must outlive the reader.
std::unique_ptr<MemberReader> members_of(Format, Input& input, model::NameEncoding names);

std::unique_ptr<MemberReader> zip_reader(Input& input, model::NameEncoding names);
// What `reader` reads, with names that are not UTF-8 by their format converted from GB18030.
std::unique_ptr<MemberReader> gb18030_reader(std::unique_ptr<MemberReader> reader);

}  // namespace assay::archive
