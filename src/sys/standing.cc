#include "sys/standing.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "base/text.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sys {
namespace {

constexpr int nice_level = -15;
constexpr std::size_t maps_bytes_max = 1 << 20;

}  // namespace

Result<> lock_present_memory() {
    if (::mlockall(MCL_CURRENT | MCL_ONFAULT) != 0) return last_error("mlockall", "this process");
    return ok;
}

void forget_program_text() {
    const auto maps = read_file("/proc/self/maps", maps_bytes_max);
    if (!maps) return;
    for (const std::string_view line : split(*maps, '\n')) {
        // Text is never written, so the kernel can read it back; data that was relocated could not be.
        const std::size_t space = line.find(' ');
        if (space == line.npos || line.substr(space + 1, 4) != "r-xp" || !line.contains('/')) continue;
        std::uintptr_t from = 0;
        std::uintptr_t to = 0;
        const char* const end = line.data() + space;
        const auto first = std::from_chars(line.data(), end, from, 16);
        if (first.ec != std::errc{} || first.ptr == end) continue;
        if (std::from_chars(first.ptr + 1, end, to, 16).ec != std::errc{} || to <= from) continue;
        (void)::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
    }
}

Result<> allow_locking() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("getrlimit", "locked memory");
    if (::geteuid() == 0) limit.rlim_max = RLIM_INFINITY;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("setrlimit", "locked memory");
    return ok;
}

Result<> be_urgent() {
    const sched_param lowest{.sched_priority = sched_get_priority_min(SCHED_RR)};
    if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0) return ok;
    if (::setpriority(PRIO_PROCESS, 0, nice_level) == 0) return ok;
    return last_error("setpriority", "this process");
}

Result<> be_killed_last() {
    const Fd file{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
    if (!file) return last_error("open", "/proc/self/oom_score_adj");
    if (::write(file.get(), "-1000", 5) != 5) return last_error("write", "/proc/self/oom_score_adj");
    return ok;
}

Result<Mapping> Mapping::of_file(const Fd& file, std::size_t size, bool writable) {
    void* const at =
        ::mmap(nullptr, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED | MAP_POPULATE, file.get(), 0);
    if (at == MAP_FAILED) return last_error("mmap", "a file");
    return Mapping{{static_cast<std::byte*>(at), size}};
}

Result<Mapping> Mapping::of_memory(std::size_t size) {
    void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (at == MAP_FAILED) return last_error("mmap", "memory");
    return Mapping{{static_cast<std::byte*>(at), size}};
}

Mapping::~Mapping() {
    if (!bytes_.empty()) (void)::munmap(bytes_.data(), bytes_.size());
}

void Mapping::hold(std::size_t offset, std::size_t size) const { (void)::mlock(bytes_.data() + offset, size); }
void Mapping::let_go(std::size_t offset, std::size_t size) const { (void)::munlock(bytes_.data() + offset, size); }

Result<RingFile> open_ring_file(const char* path, std::int64_t size, bool direct) {
    constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    RingFile ring{.file = Fd{::open(path, direct ? flags | O_DIRECT : flags, 0600)}};
    if (!ring.file && direct && errno == EINVAL) ring.file = Fd{::open(path, flags, 0600)};
    if (!ring.file) return last_error("open", path);
    struct stat info{};
    if (::fstat(ring.file.get(), &info) != 0) return last_error("fstat", path);
    if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid())
        return Error{Fault::denied, std::string{path} + ": is not ours"};
    if (info.st_size == size) return ring;
    ring.fresh = true;
    if (::ftruncate(ring.file.get(), 0) != 0) return last_error("ftruncate", path);
    if (const int error = ::posix_fallocate(ring.file.get(), 0, size); error != 0) {
        (void)::ftruncate(ring.file.get(), 0);  // What it could take of a full disk is given back.
        return error_of(error, "posix_fallocate", path);
    }
    return ring;
}

Result<> point_link(const char* path, const char* target) {
    if (::unlink(path) != 0 && errno != ENOENT) return last_error("unlink", path);
    if (::symlink(target, path) != 0) return last_error("symlink", path);
    return ok;
}

bool on_memory_file_system(const char* directory) {
    struct statfs info{};
    return ::statfs(directory, &info) == 0 && info.f_type == TMPFS_MAGIC;
}

}  // namespace assay::sys
