#include "sandbox/disks.hh"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t mountinfo_bytes_max = 4 << 20;

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

}  // namespace assay::sandbox
