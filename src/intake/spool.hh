// Spool: an upload's file while it arrives.
//
// Its first bytes stay in memory, so that a small or a slow upload holds neither a descriptor nor a place on the disk; what is
// longer goes to the blob store's temporary file. What all of them hold together is bounded, in memory and in files. When every
// place for a file is taken, the slowest sender that holds one and is slower than `shed_rate_bytes_per_s` goes for the newcomer.
//
// Threading: a Spool belongs to one upload and is used by one thread at a time; Spools is safe from every thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/result.hh"
#include "base/text.hh"
#include "store/blobs.hh"
#include "sys/fd.hh"

namespace assay::intake {

struct SpoolLimits {
    std::size_t held_bytes_max = 64u << 10;   // of one upload in memory
    std::size_t memory_bytes_max = 64u << 20; // of all of them; then they go to files at once
    std::size_t files_max = 4096;             // more: the slowest holder is shed, else busy
};
constexpr std::int64_t shed_rate_bytes_per_s = 16 << 10;  // whoever is faster keeps his place
constexpr std::size_t leaving_files_max = 64;             // of those shed and not yet gone, whose places are given away already


class Spools {
public:
    // `blobs` must outlive this, and this every Spool.
    explicit Spools(store::Blobs& blobs, SpoolLimits limits = {}) : blobs_{blobs}, limits_{limits} {}

    std::size_t files() const { return files_.load(std::memory_order_relaxed); }
    std::size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

private:
    friend class Spool;
    // Of one that holds a place, while its bytes still come.
    struct Holder {
        std::function<void()> shed;
        std::int64_t began_ns = 0;
        std::atomic<std::int64_t> bytes{0};
        bool leaving = false;                 // under the mutex
    };
    Result<> take_place(Holder*);
    bool shed_slowest();                      // under the mutex

    store::Blobs& blobs_;
    const SpoolLimits limits_;
    std::atomic<std::size_t> files_{0};
    std::atomic<std::size_t> memory_bytes_{0};
    std::mutex mutex_;
    std::set<Holder*> holders_;               // guarded
};

class Spool {
public:
    // `shed`: ends the upload for want of room; from any thread. Empty: it is never chosen.
    explicit Spool(Spools& all, std::function<void()> shed = {});
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
    void stop_holding();

    Spools& all_;
    std::string held_;
    std::optional<store::Incoming> file_;
    bool counted_ = false;
    Spools::Holder holder_;
};

}  // namespace assay::intake
