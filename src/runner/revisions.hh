// Revisions: the archives of the modules graded last, in memory files, by digest. A revision is immutable, so what was fetched
// once and had the right digest stays right. Threading: safe from every slot's thread.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "sys/fd.hh"

namespace assay::runner {

class Revisions {
public:
    explicit Revisions(std::int64_t bytes_max) : bytes_max_{bytes_max} {}

    // nullptr: not here. The descriptor lives as long as somebody holds it, even when it was pushed out meanwhile.
    std::shared_ptr<const sys::Fd> find(const std::string& digest);
    // Keeps it, and forgets those not used for longest until all fit (one larger than everything is not kept at all).
    void keep(const std::string& digest, std::shared_ptr<const sys::Fd> file, std::int64_t size_bytes);

private:
    struct Entry {
        std::string digest;
        std::shared_ptr<const sys::Fd> file;
        std::int64_t size_bytes = 0;
    };
    std::mutex mutex_;
    std::int64_t bytes_max_;
    std::int64_t bytes_ = 0;
    std::list<Entry> entries_;  // most recently used first
};

}  // namespace assay::runner
