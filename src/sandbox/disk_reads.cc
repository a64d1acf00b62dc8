#include "sandbox/disk_reads.hh"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t mountinfo_bytes_max = 4 << 20;
constexpr Known block_reads[] = {{Controller::io, "blkio", ""}};
constexpr std::string_view bytes_control = "blkio.throttle.read_bps_device";
constexpr std::string_view reads_control = "blkio.throttle.read_iops_device";

std::int64_t bytes_per_s(const DiskPace& pace) { return std::int64_t{pace.mib_per_s} << 20U; }

Result<std::uint64_t> mount_of(const std::string& path) {
    struct statx info{};
    if (::syscall(SYS_statx, AT_FDCWD, path.c_str(), 0, STATX_MNT_ID, &info) != 0)
        return sys::last_error("statx", path);
    return info.stx_mnt_id;
}

// A partition has no queue of its own to hold reads back in.
std::string whole_disk(const std::string& device) {
    const std::string here = "/sys/dev/block/" + device;
    if (::access((here + "/partition").c_str(), F_OK) != 0) return device;
    const std::string disk{trimmed(read_control(here + "/../dev"))};
    return disk.empty() ? device : disk;
}

}  // namespace

std::string device_in(std::string_view mountinfo, std::uint64_t mount) {
    const std::string id = std::to_string(mount) + " ";
    for (const std::string_view line : split(mountinfo, '\n')) {
        const std::size_t dash = line.find(" - ");
        if (!line.starts_with(id) || dash == line.npos) continue;
        const auto left = split(line.substr(0, dash), ' ');
        const auto right = split(line.substr(dash + 3), ' ');
        if (left.size() < 5 || right.size() < 2) return "";
        if (!left[2].starts_with("0:")) return std::string{left[2]};
        return right[1].starts_with("/dev/") ? std::string{right[1]} : "";
    }
    return "";
}

Result<std::string> disk_of(const std::string& path) {
    ASSAY_TRY(const std::uint64_t mount, mount_of(path));
    ASSAY_TRY(const std::string mountinfo, sys::read_file("/proc/self/mountinfo", mountinfo_bytes_max));
    std::string device = device_in(mountinfo, mount);
    if (device.starts_with('/')) {
        struct stat info{};
        const bool found = ::stat(device.c_str(), &info) == 0 && S_ISBLK(info.st_mode);
        device = found ? std::to_string(major(info.st_rdev)) + ":" + std::to_string(minor(info.st_rdev)) : "";
    }
    if (device.empty()) return Error{Fault::unsupported, path + " lies on no disk of this machine"};
    return whole_disk(device);
}

std::vector<Hierarchy> block_trees() {
    std::vector<Hierarchy> trees =
        find_hierarchies(block_reads, read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
    std::erase_if(trees,
                  [](const Hierarchy& tree) { return tree.version != 1 || ::access(tree.own.c_str(), W_OK) != 0; });
    return trees;
}

Result<Hierarchy> disk_read_tree(const std::vector<Hierarchy>& hierarchies) {
    for (Hierarchy& tree : block_trees()) {
        // One that a Group uses has groups of these names already, and not for a keeper.
        if (std::ranges::find(hierarchies, tree.mount, &Hierarchy::mount) == hierarchies.end()) return std::move(tree);
    }
    for (const Hierarchy& hierarchy : hierarchies) {
        if (hierarchy.version == 2 && hierarchy.serves(Controller::io)) return hierarchy;
    }
    return Error{Fault::unsupported, "no control group of this host bounds reads"};
}

std::string io_max_of(const std::string& disk, const DiskPace& pace) {
    const auto figure = [](std::int64_t value) { return value > 0 ? std::to_string(value) : std::string{"max"}; };
    return disk + " rbps=" + figure(bytes_per_s(pace)) + " riops=" + figure(pace.reads_per_s);
}

DiskReads::DiskReads(const std::vector<Hierarchy>& hierarchies, const std::string& directory_id, const DiskPace& pace,
                     std::span<const std::string> paths)
    : id_{directory_id}, pace_{pace} {
    if (pace.mib_per_s == 0 && pace.reads_per_s == 0) return;
    Result<Hierarchy> tree = disk_read_tree(hierarchies);
    if (!tree) return;
    tree_ = std::move(tree).value();
    if (tree_.version == 1 && ::mkdir((tree_.own + "/" + reads_group(id_)).c_str(), 0755) != 0 && errno != EEXIST)
        return;
    for (const std::string& path : paths) {
        Result<std::string> disk = disk_of(path);
        if (disk && std::ranges::find(disks_, *disk) == disks_.end()) disks_.push_back(std::move(disk).value());
    }
}

std::string DiskReads::place_of(int slot) const {
    if (tree_.version == 2) return tree_.own + "/" + job_group(commands_group(id_), slot) + "/";
    return tree_.own + "/" + reads_group(id_) + "/slot" + std::to_string(slot) + "/";
}

Result<> DiskReads::bound(int slot, int pid) const {
    if (disks_.empty()) return ok;
    const std::string place = place_of(slot);
    Result<> done = ok;
    const auto write = [&](std::string_view control, const std::string& text) {
        if (Result<> written = write_control(place + std::string{control}, text); !written) done = std::move(written);
    };
    if (tree_.version == 1 && ::mkdir(place.c_str(), 0755) != 0 && errno != EEXIST)
        return sys::last_error("mkdir", place);
    for (const std::string& disk : disks_) {
        if (tree_.version == 2) {
            write("io.max", io_max_of(disk, pace_));
            continue;
        }
        write(bytes_control, disk + " " + std::to_string(bytes_per_s(pace_)));  // 0: as fast as they come.
        write(reads_control, disk + " " + std::to_string(pace_.reads_per_s));
    }
    if (tree_.version == 1) write("cgroup.procs", std::to_string(pid));
    return done;
}

sys::Fd DiskReads::counter(int slot) const {
    if (disks_.empty() || tree_.version != 1) return {};
    return open_control(place_of(slot) + "blkio.throttle.io_service_bytes_recursive");
}

std::optional<std::int64_t> bytes_read(const sys::Fd& counter) {
    if (!counter) return std::nullopt;
    constexpr std::string_view key = " Read ";
    std::int64_t sum = 0;
    const std::string text = read_open(counter);
    for (const std::string_view line : split(text, '\n')) {  // A disk, what was done, bytes.
        if (const std::size_t at = line.find(key); at != line.npos)
            sum += to_number(line.substr(at + key.size())).value_or(0);
    }
    return sum;
}

}  // namespace assay::sandbox
