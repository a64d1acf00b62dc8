// HandIn: what is about to be handed in: chosen, judged by the module's limits, packed and looked at, before a byte moves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/folder.hh"
#include "participant/talk.hh"
#include "client/answers.hh"
#include "client/selection.hh"
#include "client/warnings.hh"

namespace assay::participant {

struct HandIn {
    std::string path;
    bool folder = false;  // packed here; else an archive as it is
    archive::Format format = archive::Format::unknown;
    client::Selection selection;  // of an archive: what is in it goes
    std::int64_t entries = 0;
    std::int64_t unpacked_bytes = 0;
    std::vector<client::Warning> warnings;
    sys::Fd file;
    Sum sum;
};

// What goes of a folder; a refusal where `rules` would not take it, which costs no reading of files.
client::Answered<client::Selection> chosen(const std::string& folder, archive::Format, const model::UploadRules& rules,
                                           bool use_ignore_files);
// Packs it, and looks at each file on the way.
Result<archive::Packed> packed(const std::string& folder, const client::Selection&, archive::Format,
                               const model::UploadRules& rules, const sys::Fd& out,
                               std::vector<client::Warning>& warnings);
// All of it. What is refused before packing is refused within the time a listing takes.
client::Answered<HandIn> prepare(const std::string& path, const client::Limits&, bool use_ignore_files);

// Why something stays; what a warning says.
// Files alone, largest first.
std::vector<const archive::Entry*> largest_of(const std::vector<archive::Entry>&, std::size_t count_max);
std::string why(const client::Stay&);
std::string text_of(const client::Warning&);

struct Target {
    std::string server, course, module;
};
// For a person: `verbose` lists everything, else the largest files and the first of what stays. Ends with a newline.
std::string shown(const HandIn&, const Target&, const client::Limits&, bool verbose);
// One line: {"type": "assay-hand-in/1", …}.
std::string json_of(const HandIn&, const Target&, const client::Limits&, bool dry_run);

}  // namespace assay::participant
