#include "sys/confine.hh"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sys/error.hh"
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

Result<> install_filter(std::optional<int> passed_fd) {
    const std::unique_ptr<void, FilterEnd> filter{::seccomp_init(SCMP_ACT_KILL_PROCESS)};
    if (!filter) return Error{Fault::unsupported, "no system-call filter could be made on this host"};
    int failure = 0;
    const auto check = [&](int result) {
        if (failure == 0) failure = result;
    };
    for (const int call : {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(write), SCMP_SYS(brk),
                           SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
                           SCMP_SYS(clock_gettime), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
        check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
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
    return install_filter(limits.passed_fd);
}

}  // namespace assay::sys
