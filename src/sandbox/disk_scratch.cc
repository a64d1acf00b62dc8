#include "sandbox/disk_scratch.hh"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/text.hh"
#include "model/limits.hh"
#include "sandbox/control.hh"
#include "sandbox/launch.hh"
#include "sandbox/mount.hh"
#include "sandbox/process.hh"
#include "sandbox/root.hh"
#include "sandbox/uids.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t block_bytes = 4096;
constexpr std::int64_t inodes_per_block = 16;
constexpr std::int64_t inodes_own = 32;             // the file system's first eleven, and our folders
constexpr std::int64_t blocks_own = 16;             // of those folders
constexpr std::int64_t blocks_held_back_max = 4096;  // by the kernel, or a fiftieth: for what it writes about files
constexpr std::int64_t blocks_per_group_min = 256;
constexpr std::int64_t blocks_per_group_max = 32768;
constexpr const char* maker_program = "/sbin/mkfs.ext4";
constexpr auto make_time_max = 60s;
constexpr int loop_tries_max = 64;  // somebody else may take the one that was free
constexpr unsigned loop_major = 7;
constexpr std::uint64_t shutdown_request = _IOR('X', 125, std::uint32_t);  // EXT4_IOC_SHUTDOWN, in no header
constexpr std::uint32_t without_writing = 2;

std::int64_t parts(std::int64_t whole, std::int64_t part) { return (whole + part - 1) / part; }

Error refused(const Lack& lack) {
    return {Fault::unsupported, "scratch on disk cannot be had: " + lack.what + "; " + lack.cure};
}

// Lays the file system out by numbers of ours alone, and still has no rights but to that file: what it is made with is not ours.
[[noreturn]] void become_maker(const sys::Fd& file, const DiskLayout& layout, std::uint32_t uid) {
    const int held[] = {-1, -1, -1, file.get()};
    if (!hold_only(held)) ::_exit(126);
    take_short_turns(false);
    if (!sys::become(uid, uid) || !drop_capabilities() || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        ::_exit(126);
    std::string words[] = {
        "mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-m", "0", "-g", std::to_string(layout.blocks_per_group),
        "-N", std::to_string(layout.inodes),
        // No journal, as nobody will ever repair it; no copies of what describes it; tables of inodes are taken as empty until they are used.
        "-O",
        "none,extent,filetype,dir_index,dir_nlink,extra_isize,flex_bg,huge_file,large_file,sparse_super2,uninit_bg",
        "-E", "nodiscard,lazy_itable_init=1,num_backup_sb=0,root_owner=0:0", "/proc/self/fd/3",
        std::to_string(layout.blocks)};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    char language[] = "LANG=C";
    char settings[] = "MKE2FS_CONFIG=/dev/null";  // Not the machine's own habits.
    char* const environment[] = {language, settings, nullptr};
    ::execve(maker_program, arguments.data(), environment);
    ::_exit(127);
}

Result<> make_file_system(const sys::Fd& file, const DiskLayout& layout, std::uint32_t uid) {
    // It opens the file by a name, so it has to be its own as long.
    if (::fchown(file.get(), uid, uid) != 0) return sys::last_error("fchown", "scratch on disk");
    ASSAY_TRY(const Spawned maker, clone_process());
    if (maker.pid == 0) become_maker(file, layout, uid);
    std::optional<Ending> end = reap(maker.pidfd, sys::system_clock().now() + make_time_max);
    if (!end) {
        kill_process(maker.pidfd);
        end = reap(maker.pidfd, sys::system_clock().now() + make_time_max);
    }
    if (!end || end->signalled || end->code != 0)
        return Error{Fault::system, std::string{"scratch on disk: "} + maker_program + " ended with " +
                                        (end ? std::to_string(end->code) : "nothing")};
    if (::fchown(file.get(), 0, 0) != 0) return sys::last_error("fchown", "scratch on disk");
    return ok;
}

struct Device {
    sys::Fd fd;
    std::string path;
    std::string number;  // "7:0"
};

// Goes with the last descriptor or mount of it.
Result<Device> attach_device(const sys::Fd& file) {
    const sys::Fd control{::open("/dev/loop-control", O_RDWR | O_CLOEXEC)};
    if (!control) return sys::last_error("open", "/dev/loop-control");
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(file.get());
    config.block_size = block_bytes;
    config.info.lo_flags = LO_FLAGS_DIRECT_IO | LO_FLAGS_AUTOCLEAR;
    for (int i = 0; i < loop_tries_max; ++i) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0) return sys::last_error("ioctl(LOOP_CTL_GET_FREE)", "/dev/loop-control");
        Device device{.fd = {},
                      .path = "/dev/loop" + std::to_string(number),
                      .number = std::to_string(loop_major) + ":" + std::to_string(number)};
        device.fd = sys::Fd{::open(device.path.c_str(), O_RDWR | O_CLOEXEC)};
        if (!device.fd) return sys::last_error("open", device.path);
        if (::ioctl(device.fd.get(), LOOP_CONFIGURE, &config) != 0) {
            if (errno == EBUSY) continue;
            return sys::last_error("ioctl(LOOP_CONFIGURE)", device.path);
        }
        loop_info64 info{};
        if (::ioctl(device.fd.get(), LOOP_GET_STATUS64, &info) != 0)
            return sys::last_error("ioctl(LOOP_GET_STATUS64)", device.path);
        if ((info.lo_flags & LO_FLAGS_DIRECT_IO) != 0) return device;
        return refused({"the file system of its folder cannot be written past the page cache",
                        "put the data directory on ext4 or xfs"});
    }
    return Error{Fault::busy, "no loop device stays free"};
}

}  // namespace

std::optional<Lack> lack_for_disk_scratch(const std::vector<Hierarchy>& hierarchies) {
    if (::geteuid() != 0 || !maps_all_ids(read_control("/proc/self/uid_map")))
        return Lack{"it is a device, which root of the machine alone may make", "start as root"};
    const auto bounds = [](const Hierarchy& hierarchy) {
        return hierarchy.version == 2 && hierarchy.serves(Controller::io);
    };
    if (std::ranges::none_of(hierarchies, bounds)) {
        return Lack{
            "no control group of this host bounds what is written to a disk (controller io of cgroup version 2)",
            "boot with cgroup version 2 alone (systemd.unified_cgroup_hierarchy=1), and let io reach our groups in "
            "cgroup.subtree_control"};
    }
    if (::access("/dev/loop-control", R_OK | W_OK) != 0)
        return Lack{"there is no /dev/loop-control", "modprobe loop; to a container give the loop devices"};
    if (::access(maker_program, X_OK) != 0)
        return Lack{std::string{"there is no "} + maker_program, "apt install e2fsprogs"};
    return std::nullopt;
}

DiskLayout layout_of(std::int64_t disk_bytes) {
    const std::int64_t asked = parts(disk_bytes, block_bytes);
    const std::int64_t held_back =
        std::min(asked / 40 + blocks_own, blocks_held_back_max);  // A fiftieth of all, tables included.
    const std::int64_t inodes = model::inodes_of(disk_bytes) + inodes_own;
    std::int64_t groups = 1;
    for (;;) {
        const std::int64_t tables = parts(parts(inodes, groups), inodes_per_block) + 2;  // and two bitmaps
        const std::int64_t descriptors = parts(groups * 32, block_bytes);
        const std::int64_t all = asked + held_back + blocks_own + 1 + descriptors + groups * tables;
        // As many in each group, so that none is too small to be one.
        const std::int64_t each = std::max(blocks_per_group_min, parts(parts(all, groups), 8) * 8);
        if (each <= blocks_per_group_max) return {.blocks = each * groups, .blocks_per_group = each, .inodes = inodes};
        groups = std::max(groups + 1, parts(all, blocks_per_group_max));
    }
}

DiskScratch::DiskScratch(DiskScratchRules rules, const DiskPace& pace, std::uint32_t maker, std::optional<Lack> lack)
    : rules_{std::move(rules)}, pace_{pace}, maker_{maker}, lack_{std::move(lack)} {
    if (pace_.mib_per_s == 0) pace_.mib_per_s = DiskPace{}.mib_per_s;
    if (pace_.reads_per_s == 0) pace_.reads_per_s = DiskPace{}.reads_per_s;
    if (rules_.mib_max == 0) return;
    folder_ = sys::Fd{::open(rules_.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

Result<sys::Fd> DiskScratch::make_file(const DiskLayout& layout, std::int64_t bytes) const {
    sys::Fd file{::openat(folder_.get(), ".", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600)};
    if (!file) return sys::last_error("open(O_TMPFILE)", rules_.folder);
    const bool given = ::fallocate(file.get(), 0, 0, layout.blocks * block_bytes) == 0;
    if (!given && errno != ENOSPC && errno != EDQUOT) return sys::last_error("fallocate", rules_.folder);
    struct statvfs room{};
    if (::fstatvfs(file.get(), &room) != 0) return sys::last_error("fstatvfs", rules_.folder);
    if (given && static_cast<std::int64_t>(room.f_bavail * room.f_frsize) >= rules_.free_bytes_min) return file;
    return Error{Fault::disk_full, "scratch on disk cannot be had: with " + size_text(bytes) + " of it less than " +
                                       size_text(rules_.free_bytes_min) + " would be free on the disk of " +
                                       rules_.folder + "; make room there, or ask for less"};
}

Result<> DiskScratch::mount(const std::string& path, std::int64_t bytes, const Bound& bound) const {
    if (rules_.mib_max == 0) return refused({"this server offers none", "set scratch_disk_mib_max in its assay.toml"});
    if (lack_) return refused(*lack_);
    if (const std::int64_t most = std::int64_t{rules_.mib_max} << 20U; bytes > most)
        return refused(
            {size_text(bytes) + " are more than " + size_text(most), "ask for less, or raise scratch_disk_mib_max"});
    const DiskLayout layout = layout_of(bytes);
    ASSAY_TRY(const sys::Fd file, make_file(layout, bytes));
    ASSAY_CHECK(make_file_system(file, layout, maker_));
    ASSAY_TRY(const Device device, attach_device(file));
    ASSAY_CHECK(bound(device.number));
    ASSAY_CHECK(make_dir(path, 0700));
    // Syncs within reach the device and no further: nothing of it outlives the machine. The kernel is not to fill tables by itself.
    if (::mount(device.path.c_str(), path.c_str(), "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
                "nobarrier,noinit_itable,nodiscard") != 0)
        return sys::last_error("mount(ext4)", path);
    return ok;
}

Result<> DiskScratch::mount(const std::string& path, std::int64_t bytes, const Group& job) const {
    return mount(path, bytes, [&](const std::string& device) -> Result<> {
        const Hierarchy* const place = job.place(Controller::io);
        if (place == nullptr)
            return refused({"the job's control group bounds no disk (controller io)",
                            "let io reach it in cgroup.subtree_control"});
        const std::string control = place->own + "/io.max";
        const std::string line = io_max_both_ways(device, pace_);
        ASSAY_CHECK(write_control(control, line));
        if (("\n" + read_control(control)).contains("\n" + line + "\n")) return ok;
        return Error{Fault::unsupported, "scratch on disk: " + control + " does not read back as it was set"};
    });
}

std::string io_max_both_ways(const std::string& device, const DiskPace& pace) {
    const std::string bytes = std::to_string(std::int64_t{pace.mib_per_s} << 20U);
    const std::string times = std::to_string(pace.reads_per_s);
    return device + " rbps=" + bytes + " wbps=" + bytes + " riops=" + times + " wiops=" + times;
}

void drop_scratch(const std::string& path) {
    struct stat info{};
    // Below a memory file system of ours there is no other mount of a loop device.
    if (::stat(path.c_str(), &info) == 0 && major(info.st_dev) == loop_major) {
        const sys::Fd root{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        std::uint32_t how = without_writing;
        if (root) (void)::ioctl(root.get(), shutdown_request, &how);
    }
    detach(path);
}

}  // namespace assay::sandbox
