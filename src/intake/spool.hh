// Spool: an upload's file while it arrives.
//
// Its first bytes stay in memory, so that a small or a slow upload holds neither a descriptor nor a place on the disk; what is
// longer goes to the blob store's temporary file. What all of them hold together is bounded, in memory and in files.
//
// Threading: a Spool belongs to one upload and is used by one thread at a time; Spools is safe from every thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hh"
#include "base/text.hh"
#include "store/blobs.hh"
#include "sys/fd.hh"

namespace assay::intake {

struct SpoolLimits {
    std::size_t held_bytes_max = 64u << 10;   // of one upload in memory
    std::size_t memory_bytes_max = 64u << 20; // of all of them; then they go to files at once
    std::size_t files_max = 4096;             // more: busy
};

class Spools {
public:
    // `blobs` must outlive this, and this every Spool.
    explicit Spools(store::Blobs& blobs, SpoolLimits limits = {}) : blobs_{blobs}, limits_{limits} {}

    std::size_t files() const { return files_.load(std::memory_order_relaxed); }
    std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

private:
    friend class Spool;
    store::Blobs& blobs_;
    const SpoolLimits limits_;
    std::atomic<std::size_t> files_{0};
    std::atomic<std::size_t> memory_bytes_{0};
};

class Spool {
public:
    explicit Spool(Spools& all) : all_{all} {}
    ~Spool();
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    bool on_disk() const { return file_.has_value(); }
    // Whether writing so many bytes would touch no disk, and so may be done on a loop.
    bool stays_in_memory(std::size_t more) const;
    // Blocking, unless they stay in memory. Errors: busy (too many files), disk_full, disk_failed.
    Result<> write(ByteView);
    // For a verifier: a description of its own, at offset 0, read-only. Whatever was in memory is in a file then. Blocking; errors
    // as write.
    Result<sys::Fd> open_to_read();
    // SHA-256 of what was written; after open_to_read.
    std::string digest() const;
    // As store::Incoming::keep; after open_to_read. Blocking.
    Result<std::string> keep() &&;

private:
    Result<> spill();

    Spools& all_;
    std::string held_;
    std::optional<store::Incoming> file_;
    bool counted_ = false;
};

}  // namespace assay::intake
