// Disk: what packing does to files, and they to it. All that it reads and writes goes through here, so that a test can be the
// disk that fails and the process that writes meanwhile.
//
// Threading: used by the thread that packs alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/file.hh"
#include "sys/writers.hh"

namespace assay::archive {

// The machine's own.
class Disk {
public:
    virtual ~Disk() = default;
    // Errors: as sys::open_beneath; busy: another process keeps it locked.
    virtual Result<sys::Fd> open(const sys::Fd& root, const std::string& path) { return sys::open_beneath(root, path); }
    virtual Result<sys::FileInfo> info(const sys::Fd& file) { return sys::info_of(file); }
    // Less than asked for, but not 0, means nothing. 0 = the end.
    virtual Result<std::size_t> read(const sys::Fd& file, std::span<std::byte> buffer, std::int64_t offset) {
        return sys::read_at(file, buffer, offset);
    }
    virtual std::optional<sys::WriteGuard> guard(const sys::Fd& file) { return sys::WriteGuard::take(file); }
    virtual std::int64_t stamp_ns() { return sys::file_stamp_now(); }
    virtual std::vector<sys::FileHolder> holders(const sys::Fd& root, const std::string& path) {
        return sys::holders_of(root, path, holders_named_max);
    }
    virtual void pause(sys::Duration);
    virtual Result<> write(const sys::Fd& out, ByteView bytes) { return sys::write_all(out, bytes); }

    static constexpr std::size_t holders_named_max = 3;
};

Disk& real_disk();

}  // namespace assay::archive
