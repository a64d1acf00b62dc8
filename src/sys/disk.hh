// Disk: what the blob store needs of a disk, so that a fake that loses unsynced writes can take its place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/fd.hh"
#include "sys/file.hh"

namespace assay::sys {

class DiskFile {
public:
    virtual ~DiskFile() = default;
    virtual Result<> write(ByteView) = 0;  // appends
    virtual Result<> sync_data() = 0;
};

class Disk {
public:
    virtual ~Disk() = default;
    virtual Result<std::unique_ptr<DiskFile>> create(const std::string& path) = 0;  // exclusive
    virtual Result<Fd> open_read(const std::string& path) = 0;
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;
    virtual Result<> sync_directory(const std::string& path) = 0;
    virtual Result<bool> make_directory(const std::string& path) = 0;               // true: it is new
    virtual Result<> remove(const std::string& path) = 0;
    virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
    virtual Result<DiskRoom> room(const std::string& path) = 0;
    virtual Result<> reserve(const std::string& path, std::int64_t bytes) = 0;      // a file that keeps so much from others
};

Disk& real_disk();  // lives for ever; safe from every thread

}  // namespace assay::sys
