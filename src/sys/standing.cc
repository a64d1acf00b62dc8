#include "sys/standing.hh"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "base/text.hh"
#include "sys/error.hh"
#include "sys/process.hh"

namespace assay::sys {
namespace {

constexpr int nice_level = -15;
constexpr std::uint32_t lock_right = std::uint32_t{1} << CAP_IPC_LOCK;

using Rights = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;
Result<Rights> own_rights() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    Rights rights{};
    if (::syscall(SYS_capget, &header, rights.data()) != 0) return last_error("capget", "");
    return rights;
}

}  // namespace

Result<> allow_locking() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("getrlimit", "locked memory");
    if (::geteuid() == 0) limit.rlim_max = RLIM_INFINITY;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("setrlimit", "locked memory");
    return ok;
}

Result<> may_lock(std::int64_t bytes) {
    ASSAY_TRY(const auto rights, own_rights());
    if ((rights[0].effective & lock_right) != 0) return ok;
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("getrlimit", "locked memory");
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= static_cast<rlim_t>(bytes)) return ok;
    return Error{Fault::denied, "the limit is " + size_text(static_cast<std::int64_t>(limit.rlim_cur))};
}

Result<> become_and_lock(std::uint32_t uid, std::uint32_t gid) {
    ASSAY_TRY(auto rights, own_rights());
    const std::uint32_t kept = rights[0].permitted & lock_right;
    if (::prctl(PR_SET_KEEPCAPS, kept != 0 ? 1 : 0) != 0) return last_error("prctl(PR_SET_KEEPCAPS)", "");
    ASSAY_CHECK(become(uid, gid));
    if (kept == 0) return ok;
    rights = {};
    rights[0].permitted = rights[0].effective = kept;
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    if (::syscall(SYS_capset, &header, rights.data()) != 0) return last_error("capset", "");
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

bool hold_quietly(const Fd& file) {
    struct ::flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return ::fcntl(file.get(), F_SETLK, &whole) == 0;
}
void touch_quietly(const Fd& file) { (void)::futimens(file.get(), nullptr); }

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
