// Blobs: immutable bytes by SHA-256. A blob is durable before any row points at it.
//
// Writing (rule 1): temporary in tmp/ → write → fdatasync → rename into blobs/ab/<digest> → fsync of the directory, and of a
// new parent → only then may a row be committed. An existing blob is renamed over, never trusted. The digest is checked on
// every read.
//
// After a failed sync (rule 3) nothing is tried again. Of a file: it is discarded, never renamed. Of a directory: whoever waited
// for it is refused, and so is everyone who needs that directory until the next start, because a later sync that succeeds says
// nothing of what an earlier one lost. The others of the 256 directories go on.
//
// A blob whose row was refused stays as an orphan: the next upload of the same bytes uses its name, and a file that no row names
// harms nobody. Threading: safe from every thread; blocking.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "store/space.hh"
#include "sys/disk.hh"
#include "sys/fd.hh"
#include "sys/sha256.hh"

namespace assay::store {

// What this process knows of blobs/ and of the 256 parents in it.
class BlobDirectories {
public:
    // Makes a file's place in parent number `number` durable, and the parent's own place when this process has not yet done
    // that: that it is there proves nothing, since whoever made it may not have come to the sync.
    // Errors: disk_failed, from the first failed sync of one of them on.
    Result<> sync(sys::Disk&, const std::string& blobs, const std::string& parent, unsigned char number);
    // disk_failed when sync could only fail.
    Result<> trusted(unsigned char number);
    // Of which that holds: "ab" for a parent, "" for blobs/ itself, in which no new parent is made. Waits for no sync.
    std::vector<std::string> untrusted() const;

private:
    struct One {
        std::mutex mutex;       // held while it is synced: who comes second learns what became of the first
        std::atomic<bool> failed{false};
        bool placed = false;    // its own name in blobs/ is durable
    };
    Result<> sync_one(sys::Disk&, One&, const std::string& path);

    std::array<One, 256> parents_;
    One top_;
};

// One blob on its way. Destroying it without `keep` removes the temporary file.
class Incoming {
public:
    Incoming(Incoming&&) noexcept;
    ~Incoming();
    Result<> write(ByteView);                     // errors: disk_full (as soon as Space is spent), disk_failed
    std::int64_t size() const { return size_; }
    std::string digest() const { return sum_.hex_so_far(); }  // of the bytes so far
    // The bytes so far, for a verifier: a description of its own, at offset 0, read-only.
    Result<sys::Fd> open_again() const;
    // Makes it durable under its digest and returns the digest. After an error nothing may be relied on; never retried.
    Result<std::string> keep() &&;

private:
    friend class Blobs;
    Incoming(sys::Disk&, std::shared_ptr<BlobDirectories>, std::string blobs, std::string temporary,
             std::unique_ptr<sys::DiskFile>, const Space*);
    sys::Disk* disk_;
    std::shared_ptr<BlobDirectories> directories_;
    std::string blobs_;
    std::string temporary_;                       // path; empty once kept
    std::unique_ptr<sys::DiskFile> file_;
    const Space* space_;
    sys::Sha256 sum_;
    std::int64_t size_ = 0;
};

class Blobs {
public:
    // `directory`: blobs/; `temporary`: tmp/ on the same filesystem. Both exist. `disk` must outlive this, and `space`
    // when it is given.
    Blobs(sys::Disk& disk, std::string directory, std::string temporary, const Space* space = nullptr);
    Result<Incoming> begin();
    Result<std::string> put(ByteView);            // begin, write, keep
    // The whole blob; Errors: missing, disk_failed (digest does not match: never handed out), too_large.
    Result<std::string> get(const std::string& digest, std::size_t size_max);
    Result<bool> contains(const std::string& digest);
    // The directories in it that could not be made durable: what belongs there is refused until the next start.
    std::vector<std::string> untrusted() const;
    // Removes everything in tmp/. Only while the directory's lock is held and before uploads are taken.
    Result<> sweep();

private:
    sys::Disk& disk_;
    std::string directory_;
    std::string temporary_;
    const Space* space_;
    std::shared_ptr<BlobDirectories> directories_ = std::make_shared<BlobDirectories>();
};

}  // namespace assay::store
