#include "sandbox/filter.hh"

#include <asm/termbits.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "sandbox/launch.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using Names = std::initializer_list<const char*>;

// A libc or a runtime asks for these and falls back when they do not exist.
constexpr Names absent = {
    "clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "keyctl", "add_key", "request_key",
    "bpf", "perf_event_open", "memfd_secret",
    // A watch on a file of the image tells who else on the machine opens it.
    "inotify_init", "inotify_init1", "inotify_add_watch",
};

// Its flags stand where a filter cannot see them. Whoever uses it does without on older kernels.
constexpr Names with_hidden_flags = {"openat2"};

// Advice, which a system may ignore. It throws what all share out of the page cache (POSIX_FADV_DONTNEED), or queues reads that nobody
// waits for: their pages stay locked, to others as well, until the reads are let through (disk_reads.hh), and whoever asked can go on to
// queue more. Less is read ahead for want of the rest of it.
constexpr Names ignored = {"fadvise64", "readahead"};

constexpr Names refused = {
    // The mount tree and other namespaces.
    "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree",
    "mount_setattr", "setns", "unshare",
    // Other processes.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "move_pages", "migrate_pages",
    // The machine.
    "swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "acct",
    "quotactl", "quotactl_fd", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname",
    "setdomainname", "iopl", "ioperm", "vhangup", "lookup_dcookie", "nfsservctl", "uselib", "ustat", "sysfs", "_sysctl",
    // Files beyond the mount tree.
    "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark",
    // Everyone's disks at once.
    "sync", "syncfs",
};

// Every call up to this number has been looked at for the lists here; since 424 all architectures number alike. What a newer
// kernel adds does not exist in a sandbox, and a libc falls back.
constexpr std::uint32_t reviewed_max = 450;  // set_mempolicy_home_node, of Linux 5.17
constexpr std::uint32_t x32_bit = 0x40000000;
constexpr std::uint32_t rwf_dontcache = 0x80;  // newer than our headers

constexpr Names memory_and_files = {
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "open", "openat", "creat", "close",
    "close_range", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "lseek", "mmap", "mremap", "munmap",
    "mprotect", "madvise", "brk", "access", "faccessat", "faccessat2", "dup", "dup2", "dup3", "fcntl", "ftruncate", "truncate",
    "fallocate", "getcwd", "chdir", "fchdir", "getdents", "getdents64", "rename", "renameat", "renameat2", "mkdir",
    "mkdirat", "rmdir", "link", "linkat", "unlink", "unlinkat", "symlink", "symlinkat", "readlink", "readlinkat", "chmod",
    "fchmod", "fchmodat", "utime", "utimes", "utimensat", "futimesat", "umask", "fsync", "fdatasync", "sync_file_range",
    "copy_file_range", "sendfile", "splice", "memfd_create", "futex", "clock_gettime", "clock_getres", "gettimeofday", "time",
    "nanosleep", "clock_nanosleep", "getrandom", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit", "exit_group", "restart_syscall", "sched_yield", "sysinfo", "uname",
    "getrlimit", "getrusage", "times", "tgkill", "tkill", "kill",
};

constexpr Names processes_and_time = {
    "execve", "execveat", "arch_prctl", "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "membarrier", "fork",
    "vfork", "wait4", "waitid", "pipe", "pipe2", "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "timerfd_create", "timerfd_settime",
    "timerfd_gettime", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun", "timer_delete", "alarm", "pause",
    "setitimer", "getitimer", "signalfd", "signalfd4", "rt_sigpending", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigqueueinfo",
    "rt_tgsigqueueinfo", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler", "sched_getattr",
    "sched_setattr", "sched_get_priority_max", "sched_get_priority_min", "getppid", "getpgrp", "getpgid", "setpgid", "getsid", "setsid",
    "getgroups", "getresuid", "getresgid", "getpriority", "setpriority", "prctl", "mlock", "munlock", "mlockall", "munlockall", "msync", "mincore", "flock",
    "get_mempolicy", "getcpu", "tee", "vmsplice", "chown", "fchown", "lchown", "fchownat", "mknod", "mknodat",
};

struct Release {
    void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

// Adds one rule per name that this architecture knows. Remembers the first failure.
class Rules {
public:
    explicit Rules(scmp_filter_ctx context) : context_{context} {}

    void add(std::uint32_t action, Names names) {
        for (const char* const name : names) {
            const int number = seccomp_syscall_resolve_name(name);
            if (number >= 0) note(seccomp_rule_add(context_, action, number, 0));
        }
    }
    void add_if(std::uint32_t action, const char* name, std::initializer_list<scmp_arg_cmp> conditions) {
        const int number = seccomp_syscall_resolve_name(name);
        if (number >= 0) note(seccomp_rule_add_array(context_, action, number, static_cast<unsigned>(conditions.size()), conditions.begin()));
    }
    int failure() const { return failure_; }

private:
    void note(int result) {
        if (result < 0 && failure_ == 0) failure_ = -result;
    }
    scmp_filter_ctx context_;
    int failure_ = 0;
};

// The kernel reads 32 bits of such an argument, whatever stands above them.
scmp_arg_cmp is(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_MASKED_EQ, 0xffffffff, value}; }

constexpr std::uint64_t new_namespaces[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET};

// Conditions under which a call that is otherwise fine is refused.
void refuse_by_argument(Rules& rules) {
    for (const std::uint64_t flag : new_namespaces) {
        rules.add_if(SCMP_ACT_ERRNO(EPERM), "clone", {{0, SCMP_CMP_MASKED_EQ, flag, flag}});
    }
    constexpr std::uint64_t requests[] = {TIOCSTI, TIOCLINUX};
    for (const std::uint64_t request : requests) rules.add_if(SCMP_ACT_ERRNO(EPERM), "ioctl", {is(1, request)});
    // Above ADDR_NO_RANDOMIZE: other kernels' habits, executable data, a page at zero.
    rules.add_if(SCMP_ACT_ERRNO(EPERM), "personality", {{0, SCMP_CMP_GT, 0x0040000, 0}});
}

// The same conditions where everything else kills: only what is fine is listed.
void allow_by_argument(Rules& rules) {
    std::uint64_t all = 0;
    for (const std::uint64_t flag : new_namespaces) all |= flag;
    rules.add_if(SCMP_ACT_ALLOW, "clone", {{0, SCMP_CMP_MASKED_EQ, all, 0}});
    constexpr std::uint64_t requests[] = {TCGETS, TCGETS2, TIOCGWINSZ, TIOCGPGRP, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
    for (const std::uint64_t request : requests) rules.add_if(SCMP_ACT_ALLOW, "ioctl", {is(1, request)});
    constexpr std::uint64_t ask = 0xffffffff;
    rules.add_if(SCMP_ACT_ALLOW, "personality", {is(0, ask)});
    for (std::uint64_t resource = 0; resource < RLIM_NLIMITS; ++resource) {
        if (resource == RLIMIT_CORE) continue;
        rules.add_if(SCMP_ACT_ALLOW, "setrlimit", {is(0, resource)});
        rules.add_if(SCMP_ACT_ALLOW, "prlimit64", {is(1, resource)});
    }
    rules.add_if(SCMP_ACT_ALLOW, "prlimit64", {is(1, RLIMIT_CORE), {2, SCMP_CMP_EQ, 0, 0}});
}

// A limit of one byte keeps the kernel from starting a handler of core dumps; at 0 it would. Who asks for 0 wants no dump, and
// gets none.
void pretend_no_core(Rules& rules) {
    rules.add_if(SCMP_ACT_ERRNO(0), "setrlimit", {is(0, RLIMIT_CORE)});
    rules.add_if(SCMP_ACT_ERRNO(0), "prlimit64", {is(1, RLIMIT_CORE), {2, SCMP_CMP_NE, 0, 0}});
}

// Only AF_UNSPEC, AF_UNIX, AF_INET and AF_INET6. A rule compares an argument once, so what is between is listed.
void refuse_families(Rules& rules) {
    const auto action = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    for (const char* const call : {"socket", "socketpair"}) {
        for (int family = 0; family < AF_INET6; ++family) {
            if (family == AF_UNSPEC || family == AF_UNIX || family == AF_INET) continue;
            rules.add_if(action, call, {{0, SCMP_CMP_EQ, static_cast<std::uint64_t>(family), 0}});
        }
        rules.add_if(action, call, {{0, SCMP_CMP_GT, AF_INET6, 0}});
    }
}

// An argument's lower 32 bits, which are all that the kernel reads of these.
struct Condition {
    unsigned argument;
    std::uint16_t test;  // BPF_JEQ or BPF_JSET
    std::uint32_t value;
};

// To stand before the rules, which take no exceptions from what they allow: `call` is answered with `error` where all of `conditions` hold.
void answer_if(std::vector<sock_filter>& program, const char* call, std::initializer_list<Condition> conditions, std::uint32_t error) {
    static_assert(std::endian::native == std::endian::little);
    const int number = seccomp_syscall_resolve_name(call);
    if (number < 0) return;
    auto left = static_cast<std::uint8_t>(2 * conditions.size() + 1);  // instructions until the next call is looked at
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, left));
    for (const Condition& condition : conditions) {
        left = static_cast<std::uint8_t>(left - 2);
        program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * condition.argument)));
        program.push_back(BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | condition.test | BPF_K), condition.value, 0, left));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

// What would come to the disk past the page cache, or without anybody's waiting for it.
std::vector<sock_filter> keep_to_the_cache() {
    std::vector<sock_filter> program;
    // As tmpfs said to it before Linux 6.6, so whoever uses it goes on without. What reads so waits where no signal reaches it: some threads that read
    // into the same memory were not gone for as long as all of that takes at the pace of disk_reads.hh.
    answer_if(program, "open", {{1, BPF_JSET, O_DIRECT}}, EINVAL);
    answer_if(program, "openat", {{2, BPF_JSET, O_DIRECT}}, EINVAL);
    answer_if(program, "fcntl", {{1, BPF_JEQ, F_SETFL}, {2, BPF_JSET, O_DIRECT}}, EINVAL);
    // Linux 6.14: what was read is not kept, so it can be read from the disk again and again. Older ones say so too.
    answer_if(program, "preadv2", {{5, BPF_JSET, rwf_dontcache}}, EOPNOTSUPP);
    // The same advice as `ignored`, for a mapping. Others are left: MADV_PAGEOUT and MADV_COLD take only files that one may write,
    // MADV_DONTNEED leaves the cache alone, MADV_POPULATE_READ waits.
    answer_if(program, "madvise", {{2, BPF_JEQ, MADV_WILLNEED}}, 0);
    return program;
}

// To stand before everything: calls beyond those that were looked at are absent. A foreign architecture and x32 are for the rules,
// beyond the next `skipped` instructions.
std::vector<sock_filter> refuse_newer(std::size_t skipped) {
    const auto over = static_cast<std::uint8_t>(skipped);
    return {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, static_cast<std::uint8_t>(4 + over)),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, static_cast<std::uint8_t>(2 + over), 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, reviewed_max, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
}

}  // namespace

Result<Filter> Filter::compile(FilterKind kind) {
    const std::uint32_t otherwise = kind == FilterKind::language ? SCMP_ACT_ALLOW
                                    : kind == FilterKind::compiled ? SCMP_ACT_KILL_PROCESS
                                                                   : SCMP_ACT_ERRNO(EPERM);
    const Context context{seccomp_init(otherwise)};
    if (!context) return Error{Fault::unsupported, "the system-call filter cannot be made: no memory or an unknown architecture"};
    // A foreign architecture and x32 would number the calls otherwise: checked before any rule.
    seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // A binary tree instead of a list.

    Rules rules{context.get()};
    if (kind == FilterKind::language) {
        rules.add(SCMP_ACT_ERRNO(ENOSYS), absent);
        rules.add(SCMP_ACT_ERRNO(ENOSYS), with_hidden_flags);
        rules.add(SCMP_ACT_ERRNO(0), ignored);
        rules.add(SCMP_ACT_ERRNO(EPERM), refused);
        refuse_by_argument(rules);
        refuse_families(rules);
        pretend_no_core(rules);
    } else {
        rules.add(SCMP_ACT_ALLOW, memory_and_files);
        rules.add(kind == FilterKind::fill ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS), with_hidden_flags);
        if (kind == FilterKind::compiled) {
            rules.add(SCMP_ACT_ERRNO(ENOSYS), absent);
            rules.add(SCMP_ACT_ERRNO(0), ignored);
            rules.add(SCMP_ACT_ALLOW, processes_and_time);
            allow_by_argument(rules);
            pretend_no_core(rules);
            // The launcher's; to its command a socket is nowhere, so not there either.
            rules.add_if(SCMP_ACT_ALLOW, "recvmsg", {is(0, assignment_fd)});
        }
    }
    if (rules.failure() != 0) return sys::error_of(rules.failure(), "seccomp_rule_add", "system-call filter");

    ASSAY_TRY(const sys::Fd file, sys::memory_file("filter", {}, false));
    if (const int failure = seccomp_export_bpf(context.get(), file.get()); failure < 0) {
        return sys::error_of(-failure, "seccomp_export_bpf", "system-call filter");
    }
    ASSAY_CHECK(sys::rewind(file));
    constexpr std::size_t bytes_max = BPF_MAXINSNS * sizeof(sock_filter);
    ASSAY_TRY(const std::string bytes, sys::read_all(file, bytes_max));

    static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));
    const std::vector<sock_filter> exceptions = keep_to_the_cache();
    std::vector<sock_filter> before = refuse_newer(exceptions.size());
    before.insert(before.end(), exceptions.begin(), exceptions.end());
    Filter filter;
    filter.program_.resize(before.size() + bytes.size() / sizeof(std::uint64_t));
    std::memcpy(filter.program_.data(), before.data(), before.size() * sizeof(sock_filter));
    std::memcpy(filter.program_.data() + before.size(), bytes.data(), bytes.size() / sizeof(sock_filter) * sizeof(sock_filter));
    if (filter.program_.size() > filter_size_max)
        return Error{Fault::unsupported, "the system-call filter is longer than an order to a launcher"};
    return filter;
}

bool Filter::install() const { return install_filter(program_.data(), program_.size()); }

}  // namespace assay::sandbox
