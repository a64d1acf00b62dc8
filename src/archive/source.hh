// Input: the archive's own bytes. Source: what they decode to, pulled in pieces. Internal to archive.
//
// A Source says "end" (0 bytes) only when every checksum and length of its format held and nothing but zero bytes followed.
// Memory: one buffer of 64 KiB and the decoder's window, whatever the input says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "archive/archive.hh"
#include "archive/step.hh"
#include "base/text.hh"
#include "sys/fd.hh"

namespace assay::archive {

constexpr std::size_t buffer_bytes = 64 * 1024;

class Input {
public:
    // Reads with pread from offset 0: the descriptor's own offset is neither used nor moved. `fd` must outlive the Input.
    explicit Input(const sys::Fd& fd) : fd_{&fd} {}
    // Reads the bytes from `offset` to before `end` as if there were no others; offset() is still the file's.
    Input(const sys::Fd& fd, std::int64_t offset, std::int64_t end) : fd_{&fd}, offset_{offset}, end_{end} {}
    // Reads from memory, which must outlive the Input.
    explicit Input(ByteView memory) : memory_{memory}, ready_{memory} {}
    // Reads what `other` reads, from `offset` on (at most its size). `other` may go.
    Input(const Input& other, std::int64_t offset);
    Input(const Input&) = delete;

    // At least one byte that was not consumed yet; empty = the end.
    Result<ByteView> peek();
    void consume(std::size_t count);
    // The next byte, consumed; nullopt = the end.
    Result<std::optional<unsigned char>> next();
    std::int64_t offset() const { return offset_; }  // of the next byte in the archive
    // Wherever offset() is; both leave it where it was.
    Result<std::int64_t> size() const;
    Result<std::size_t> read_at(std::span<std::byte> buffer, std::int64_t offset) const;  // less than asked only at the end

private:
    const sys::Fd* fd_ = nullptr;
    ByteView memory_;  // all of it, when there is no descriptor
    ByteView ready_;
    std::int64_t offset_ = 0;
    std::int64_t end_ = std::numeric_limits<std::int64_t>::max();
    std::array<std::byte, buffer_bytes> buffer_;
};

class Source {
public:
    virtual ~Source() = default;
    // Fills the buffer as far as there is something (1..size bytes); 0 = the end.
    virtual Step<std::size_t> read(std::span<std::byte> buffer) = 0;
    // Of the archive's bytes: exact for a plain tar, how far was read for a compressed one.
    virtual std::int64_t offset() const = 0;
};

std::unique_ptr<Source> plain_source(Input&);
std::unique_ptr<Source> gzip_source(Input&);   // multi-member; header, CRC-32 and length of every member verified
std::unique_ptr<Source> bzip2_source(Input&);  // multi-stream; block and stream CRCs verified
std::unique_ptr<Source> xz_source(Input&);     // multi-stream; the check of every block verified
std::unique_ptr<Source> zstd_source(Input&);   // multi-frame; the checksum of every frame verified

// What the tar in it is read from. Precondition: can_read(format), and a format with a tar in it.
std::unique_ptr<Source> source_of(Format, Input&);

// After the last member: zero bytes to the end, or trailing.
Step<> only_zeros_follow(Input&, std::string_view format);

}  // namespace assay::archive
