// Blobs: immutable bytes by SHA-256. A blob is durable before any row points at it.
//
// Writing (rule 1): temporary in tmp/ → write → fdatasync → rename into blobs/ab/<digest> → fsync of the directory, and of a
// new parent → only then may a row be committed. An existing blob is renamed over, never trusted. The digest is checked on
// every read. Threading: safe from every thread; blocking.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/disk.hh"
#include "sys/fd.hh"
#include "sys/sha256.hh"

namespace assay::store {

// Which of the 256 parents blobs/00 … blobs/ff are known to have been made durable by this process. That one is there proves
// nothing: whoever made it may not have come to the fsync, in another thread or before a crash.
using DurableParents = std::array<std::atomic<bool>, 256>;

// One blob on its way. Destroying it without `keep` removes the temporary file.
using OnFailure = std::function<void(const Error&)>;

class Incoming {
public:
    Incoming(Incoming&&) noexcept;
    ~Incoming();
    Result<> write(ByteView);                     // errors: disk_full, disk_failed
    std::int64_t size() const { return size_; }
    // The bytes so far, for a verifier: a description of its own, at offset 0, read-only.
    Result<sys::Fd> open_again() const;
    // Makes it durable under its digest and returns the digest. After an error nothing may be relied on; never retried.
    Result<std::string> keep() &&;

private:
    friend class Blobs;
    Incoming(sys::Disk&, std::shared_ptr<DurableParents>, std::string blobs, std::string temporary,
             std::unique_ptr<sys::DiskFile>, OnFailure);
    Result<std::string> make_durable() &&;
    template <class T>
    Result<T> told(Result<T> result) const {
        if (!result && result.error().fault() == Fault::disk_failed && on_failure_) on_failure_(result.error());
        return result;
    }
    sys::Disk* disk_;
    std::shared_ptr<DurableParents> parents_;
    std::string blobs_;
    std::string temporary_;                       // path; empty once kept
    std::unique_ptr<sys::DiskFile> file_;
    OnFailure on_failure_;
    sys::Sha256 sum_;
    std::int64_t size_ = 0;
};

class Blobs {
public:
    // `directory`: blobs/; `temporary`: tmp/ on the same filesystem. Both exist. `disk` must outlive this. `on_failure` hears of
    // every failed write or sync after which what the disk holds is not known (rule 3); called on the thread it happened on.
    Blobs(sys::Disk& disk, std::string directory, std::string temporary, OnFailure on_failure = {});
    Result<Incoming> begin();
    Result<std::string> put(ByteView);            // begin, write, keep
    // The whole blob; Errors: missing, disk_failed (digest does not match: never handed out), too_large.
    Result<std::string> get(const std::string& digest, std::size_t size_max);
    Result<bool> contains(const std::string& digest);
    // Removes everything in tmp/. Only while the directory's lock is held and before uploads are taken.
    Result<> sweep();

private:
    sys::Disk& disk_;
    std::string directory_;
    std::string temporary_;
    OnFailure on_failure_;
    std::shared_ptr<DurableParents> parents_ = std::make_shared<DurableParents>();
};

}  // namespace assay::store
