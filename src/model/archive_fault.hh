// What is wrong with an archive that is refused: the words between the verifier, which finds it, and the sentences of people.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/words.hh"

namespace assay::model {

// Grouped by the refusal each leads to. Behind a word stand its arguments, in their order.
enum class ArchiveFault : std::uint8_t {
    // empty
    no_bytes, only_zeros, nothing_left,
    // not_an_archive
    read_as_text, html_page, plain_text,
    unknown_format,     // {0} the formats taken
    no_tar,
    // format
    format_unread,      // {0} the format, {1} the formats taken
    format_not_taken,   // {0} the format, {1} the formats taken
    sparse, device,
    member_type,        // {0} the type's letter
    content_unexpected,
    global_header,      // {0} the key
    encrypted,
    method,             // {0} its number
    zip_large,
    link_not_taken,
    no_checksum,        // {0} the compression
    skippable_frame,
    window_too_large,   // {0} the compression, {1} size
    // damaged: {0} is the format it was seen in: "gzip", "bzip2", "tar", "pax", "zip", "xz", "zstd"
    data_cut,           // {0}
    end_missing,
    checksum_wrong,     // {0}
    data_broken,        // {0}
    header_broken,      // {0}
    trailing,           // {0}
    headers_differ,
    text_mode,
    reading_memory,     // {0} size
    reading_time,       // {0} seconds
    reading_crashed,    // {0} signal
    // unsafe
    headers_too_large, empty_members, entries_overlap,
    name_empty,
    name_too_long,      // {0} bytes
    name_too_deep,      // {0} folders
    name_absolute, name_upward,
    name_encoding,      // {0} the encoding
    name_unmarked, name_invisible, name_backslash,
    hard_link,          // {0} the target
    twice,              // {0} the name
    names_meet,         // {0} and {1} the names
    below_no_folder,    // {0} what is no folder
    link_target,        // {0} the target
    link_absolute,      // {0} the target
    link_upward,        // {0} the target
    link_outside,       // {0} the target
    // too_many_entries
    entries,            // {0} how many are taken
    names_too_large,
    // unpacks_too_large
    unpacked,           // {0} size
    file_too_large,     // {0} size
    grows_too_fast,     // {0} how many times its own size a stretch of it may unpack to
    padding,
    // required_missing
    required,           // {0} the pattern
    required_below,     // {0} the pattern, {1} the wrapping folder
};

std::string_view to_string(ArchiveFault);
template <>
std::optional<ArchiveFault> parse<ArchiveFault>(std::string_view);
template <>
std::span<const ArchiveFault> all<ArchiveFault>();

Refusal refusal_of(ArchiveFault);
std::size_t argument_count(ArchiveFault);

}  // namespace assay::model
