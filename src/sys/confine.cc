#include "sys/confine.hh"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>

#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sys {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASSAY_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ASSAY_SANITIZED 1
#endif
#endif
#ifdef ASSAY_SANITIZED
constexpr bool sanitized = true;  // Sanitizers reserve terabytes of addresses and make system calls and pipes of their own.
#else
constexpr bool sanitized = false;
#endif

Result<> set_limits(const ParserLimits& limits) {
    if (!sanitized) ASSAY_CHECK(lower_limit(RLIMIT_AS, static_cast<std::uint64_t>(limits.memory_bytes)));
    if (!sanitized) ASSAY_CHECK(lower_limit(RLIMIT_NOFILE, static_cast<std::uint64_t>(limits.passed_fd.value_or(-1) + 1)));
    for (const int none : {RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NPROC}) ASSAY_CHECK(lower_limit(none, 0));
    return ok;
}

// As kernels of ABI 7 read it; Debian's header ends after the first field. An older kernel takes what it does not know when
// that is zero.
struct LandlockRules {
    std::uint64_t files = 0;
    std::uint64_t ports = 0;
    std::uint64_t outside = 0;
};

LandlockRules all_rules(int abi) {
    const int file_rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    constexpr std::uint64_t bind_and_connect = 3;
    constexpr std::uint64_t abstract_sockets_and_signals = 3;
    return {.files = (std::uint64_t{1} << file_rights) - 1,
            .ports = abi >= 4 ? bind_and_connect : 0,
            .outside = abi >= 6 ? abstract_sockets_and_signals : 0};
}

Result<> forbid_new_privileges() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error("prctl(PR_SET_NO_NEW_PRIVS)", "");
    return ok;
}

struct FilterEnd {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

// What computing takes, and descriptors that are there already.
constexpr int parsing_calls[] = {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(write), SCMP_SYS(brk), SCMP_SYS(munmap),
                                 SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
                                 SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};
// Beyond them: making, changing and removing what a tree consists of.
constexpr int tree_calls[] = {SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(close), SCMP_SYS(mkdirat), SCMP_SYS(symlinkat), SCMP_SYS(linkat),
                              SCMP_SYS(unlinkat), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), SCMP_SYS(utimensat), SCMP_SYS(fstat),
                              SCMP_SYS(newfstatat), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(syncfs)};

Result<> install_filter(std::optional<int> passed_fd, bool tree) {
    const std::unique_ptr<void, FilterEnd> filter{::seccomp_init(SCMP_ACT_KILL_PROCESS)};
    if (!filter) return Error{Fault::unsupported, "no system-call filter could be made on this host"};
    int failure = 0;
    const auto check = [&](int result) {
        if (failure == 0) failure = result;
    };
    for (const int call : parsing_calls) check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
    if (tree) {
        for (const int call : tree_calls) check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
        for (const int asked : {F_DUPFD_CLOEXEC, F_GETFL, F_SETFD}) {  // The last two by the libc, before it reads a folder.
            check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, scmp_arg_cmp{1, SCMP_CMP_EQ, static_cast<scmp_datum_t>(asked), 0}));
        }
    }
    if (passed_fd) {
        const scmp_arg_cmp only_it{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(*passed_fd), 0};
        check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 0));
        check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(close), 1, only_it));
    }
    // Memory for data only: anonymous and never executable.
    const scmp_arg_cmp no_exec{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
    const scmp_arg_cmp anonymous{3, SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS};
    check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, no_exec, anonymous));
    check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec));
    if (failure == 0) failure = ::seccomp_load(filter.get());
    if (failure != 0) return error_of(-failure, "seccomp", "parser filter").in("system-call filter");
    return ok;
}

// Linking and renaming between folders is part of the second version; in the first it is denied whatever the rules say.
Result<> open_tree_alone(const Fd& tree) {
    constexpr int version_with_links = 2;
    const int abi = confinement().landlock_abi;
    if (abi < version_with_links) return ok;
    constexpr std::uint64_t devices = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO;
    const LandlockRules everything = all_rules(abi);
    const Fd rules{static_cast<int>(::syscall(SYS_landlock_create_ruleset, &everything, sizeof everything, 0))};
    if (!rules) return last_error("landlock_create_ruleset", "");
    landlock_path_beneath_attr below{};
    below.allowed_access = everything.files & ~(devices | LANDLOCK_ACCESS_FS_EXECUTE);
    below.parent_fd = tree.get();
    if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &below, 0) != 0) return last_error("landlock_add_rule", "");
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return last_error("landlock_restrict_self", "");
    return ok;
}

}  // namespace

Confinement confinement() {
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return {.landlock_abi = static_cast<int>(std::max(0L, abi)),
            .call_filter = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0};
}

Result<> enter_landlock() {
    const int abi = confinement().landlock_abi;
    if (abi == 0) return ok;
    const LandlockRules nothing_allowed = all_rules(abi);
    const Fd rules{static_cast<int>(::syscall(SYS_landlock_create_ruleset, &nothing_allowed, sizeof nothing_allowed, 0))};
    if (!rules) return last_error("landlock_create_ruleset", "");
    ASSAY_CHECK(forbid_new_privileges());
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return last_error("landlock_restrict_self", "");
    return ok;
}

Result<> confine_parser(const ParserLimits& limits) {
    ASSAY_CHECK(forbid_new_privileges());
    ASSAY_CHECK(enter_landlock());  // It needs one descriptor more than the limits leave.
    ASSAY_CHECK(set_limits(limits));
    if (sanitized) return ok;
    return install_filter(limits.passed_fd, false);
}

Result<> confine_to_tree(const Fd& tree, const TreeLimits& limits) {
    ASSAY_TRY(const FileInfo info, info_of(tree));
    if (effective_uid() == 0) {
        if (info.owner == 0) return Error{Fault::denied, "a folder of root is no place for what others made"};
        if (::fchdir(tree.get()) != 0) return last_error("fchdir", "tree");
        if (::chroot(".") != 0) return last_error("chroot", "tree");
        ASSAY_CHECK(become(info.owner, info.owner));
    }
    ASSAY_CHECK(forbid_tracing());
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return last_error("prctl(PR_SET_PDEATHSIG)", "");  // Forgotten when the uid changes.
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error("prctl(PR_SET_NO_NEW_PRIVS)", "");
    ASSAY_CHECK(open_tree_alone(tree));
    ASSAY_CHECK(lower_limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu_ms / 1000)));
    if (!sanitized) ASSAY_CHECK(lower_limit(RLIMIT_AS, static_cast<std::uint64_t>(limits.memory_bytes)));
    ASSAY_CHECK(lower_limit(RLIMIT_FSIZE, static_cast<std::uint64_t>(limits.file_bytes)));
    ASSAY_CHECK(lower_limit(RLIMIT_NOFILE, limits.open_files));
    for (const int none : {RLIMIT_CORE, RLIMIT_NPROC}) ASSAY_CHECK(lower_limit(none, 0));
    ::umask(022);
    if (sanitized) return ok;
    return install_filter(std::nullopt, true);
}

}  // namespace assay::sys
