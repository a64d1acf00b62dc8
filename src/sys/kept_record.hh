// KeptRecord: one small record, written whole, that outlasts kill -9, a power cut in the middle of a write, and a disk that others
// have filled: the file's blocks are its own from the start, and its two places are written in turn. The newest sound one counts.
//
// A place is a head of 64 bytes and the content: magic "ASKEPT1\n", u64 sequence, u64 size (both little endian), SHA-256 of
// sequence, size and content, 8 bytes of zero. Threading: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

class KeptRecord {
public:
    // Opens or makes the file, for content of at most `size_max` bytes. Errors: what the disk says; disk_full when a new one does
    // not fit.
    static Result<KeptRecord> open(const std::string& path, std::size_t size_max);

    // What was saved last; nullopt: nothing was, or nothing sound is there. Read once, when it was opened.
    const std::optional<std::string>& content() const { return content_; }

    // Durable when it returns. Errors: too_large; disk_failed, after which this record takes nothing more.
    Result<> save(std::string_view content);

private:
    KeptRecord(Fd file, std::size_t size_max) : file_{std::move(file)}, size_max_{size_max} {}
    std::int64_t place(std::uint64_t sequence) const;
    Result<> load();

    Fd file_;
    std::size_t size_max_;
    std::uint64_t sequence_ = 0;  // of what is there
    std::optional<std::string> content_;
    bool failed_ = false;
};

}  // namespace assay::sys
