// Space: how much room the disk under the data directory has, and who may still use it (rule 3).
//
//   ample   everybody
//   low     less than `Limits::intake_bytes` or `files_min` names are free: no upload is begun and no job started; what is
//           under way may end
//   spent   less than `group_bytes` was free: the reserved file has been given up, and only essential changes are written
//
// It goes down at once and up with an eighth to spare, so that it does not flutter. The reserved file is taken back before
// anything that is not essential is written again.
//
// Threading: safe from every thread. level() only remembers; look() asks the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "sys/disk.hh"

namespace assay::store {

class Space {
public:
    enum class Level { ample, low, spent };

    static constexpr std::int64_t reserved_bytes = 16 << 20;   // given up so that verdicts are committed on a full disk
    static constexpr std::int64_t group_bytes = 16 << 20;      // what one commit may need, its log included
    static constexpr std::int64_t intake_bytes_min = 32 << 20;
    static constexpr std::int64_t intake_bytes_max = 1 << 30;  // of the default alone
    static constexpr std::int64_t files_min = 1024;

    struct State {
        Level level = Level::ample;
        sys::DiskRoom room;
        std::int64_t needed_bytes = 0;             // below it is `low`
        bool files_short = false;                  // of names, whatever the bytes
    };

    // `directory` is the data directory, `file` the reserved file in it. `intake_bytes`: at least intake_bytes_min; 0 for a
    // twentieth of the file system, between the two bounds. `disk` must outlive this.
    // Errors: what the disk says; that it is too full for the reserved file is none.
    static Result<std::unique_ptr<Space>> open(sys::Disk& disk, std::string directory, std::string file, std::int64_t intake_bytes);

    // What `intake_bytes` means on that disk.
    static Result<std::int64_t> intake_bytes_of(sys::Disk& disk, const std::string& directory,
                                                std::int64_t intake_bytes);

    Level level() const { return level_.load(std::memory_order_relaxed); }
    State state() const;                           // as last looked at
    State look();                                  // what cannot be asked leaves everything as it was

    static Error full() { return {Fault::disk_full, "the disk of the data directory has too little room left"}; }

private:
    Space(sys::Disk& disk, std::string directory, std::string file) : disk_{disk}, directory_{std::move(directory)}, file_{std::move(file)} {}
    Result<> take_reserve(sys::DiskRoom&);
    void settle(const sys::DiskRoom&);
    void go(Level);

    sys::Disk& disk_;
    const std::string directory_;
    const std::string file_;
    mutable std::mutex mutex_;
    State state_;                                  // guarded
    bool reserved_ = false;                        // guarded: the file is there
    std::atomic<Level> level_{Level::ample};
};

std::string_view to_string(Space::Level);

}  // namespace assay::store
