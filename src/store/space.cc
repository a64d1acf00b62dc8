#include "store/space.hh"

#include <algorithm>

#include "base/assert.hh"
#include "base/log.hh"

namespace assay::store {
namespace {

constexpr std::int64_t default_share = 20;  // of the file system: one part in so many
constexpr std::int64_t spare_share = 8;     // more than a level needs before it is reached from below

std::int64_t with_spare(std::int64_t bytes) { return bytes + bytes / spare_share; }

}  // namespace

std::string_view to_string(Space::Level level) {
    switch (level) {
        case Space::Level::ample: return "ample";
        case Space::Level::low: return "low";
        case Space::Level::spent: return "spent";
    }
    return "";
}

Result<std::unique_ptr<Space>> Space::open(sys::Disk& disk, std::string directory, std::string file, std::int64_t intake_bytes) {
    ASSAY_ASSERT(intake_bytes == 0 || intake_bytes >= intake_bytes_min);
    std::unique_ptr<Space> space{new Space{disk, std::move(directory), std::move(file)}};
    ASSAY_CHECK(disk.remove(space->file_));  // One that a predecessor left counts as free.
    ASSAY_TRY(sys::DiskRoom room, disk.room(space->directory_));
    ASSAY_TRY(space->state_.needed_bytes, intake_bytes_of(disk, space->directory_, intake_bytes));
    if (auto taken = space->take_reserve(room); !taken && taken.error().fault() != Fault::disk_full) {
        return taken.take_error().in("the reserved file " + space->file_);
    }
    space->settle(room);
    return space;
}

Result<std::int64_t> Space::intake_bytes_of(sys::Disk& disk, const std::string& directory, std::int64_t intake_bytes) {
    if (intake_bytes != 0) return intake_bytes;
    ASSAY_TRY(const sys::DiskRoom room, disk.room(directory));
    return std::clamp(room.size_bytes / default_share, intake_bytes_min, intake_bytes_max);
}

Space::State Space::state() const {
    const std::lock_guard lock{mutex_};
    return state_;
}

Space::State Space::look() {
    const std::lock_guard lock{mutex_};
    auto room = disk_.room(directory_);
    if (!room) return state_;
    if (!reserved_ && room->free_bytes >= with_spare(reserved_bytes + group_bytes)) {
        (void)take_reserve(*room);  // Without it the level stays where it is, and that is told.
    }
    settle(*room);
    return state_;
}

Result<> Space::take_reserve(sys::DiskRoom& room) {
    if (room.free_bytes < reserved_bytes) return full();
    ASSAY_CHECK(disk_.reserve(file_, reserved_bytes));
    reserved_ = true;
    room.free_bytes -= reserved_bytes;
    return ok;
}

void Space::settle(const sys::DiskRoom& room) {
    const Level before = state_.level;
    const bool above = before == Level::ample;
    state_.room = room;
    state_.files_short = room.free_files < (above ? files_min : with_spare(files_min));
    if (!reserved_ || room.free_bytes < group_bytes) go(Level::spent);
    else if (state_.files_short || room.free_bytes < (above ? state_.needed_bytes : with_spare(state_.needed_bytes))) go(Level::low);
    else go(Level::ample);
}

void Space::go(Level level) {
    const Level before = state_.level;
    state_.level = level;
    level_.store(level, std::memory_order_relaxed);
    // The level comes first: whoever still writes without need is refused from here on, and does not fill what is given up.
    if (level == Level::spent && reserved_) {
        if (const auto removed = disk_.remove(file_); !removed) log::error("disk.reserve_stuck", {{"error", removed.error().text()}});
        else reserved_ = false;
    }
    if (level == before) return;
    log::warn("disk.level", {{"level", to_string(level)}, {"free_bytes", state_.room.free_bytes},
                             {"free_files", state_.room.free_files}, {"needed_bytes", state_.needed_bytes}});
}

}  // namespace assay::store
