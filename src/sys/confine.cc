#include "sys/confine.hh"

#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

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
    // The timer counts from now and in ticks, the limit in whole seconds.
    const itimerval timer{.it_interval = {}, .it_value = {.tv_sec = limits.cpu_ms / 1000, .tv_usec = limits.cpu_ms % 1000 * 1000}};
    if (::setitimer(ITIMER_PROF, &timer, nullptr) != 0) return last_error("setitimer", "cpu");
    ASSAY_CHECK(lower_limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu_ms / 1000 + 2)));
    if (!sanitized) ASSAY_CHECK(lower_limit(RLIMIT_AS, static_cast<std::uint64_t>(limits.memory_bytes)));
    if (!sanitized) ASSAY_CHECK(lower_limit(RLIMIT_NOFILE, 0));
    for (const int none : {RLIMIT_FSIZE, RLIMIT_CORE, RLIMIT_NPROC}) ASSAY_CHECK(lower_limit(none, 0));
    return ok;
}

// A second wall behind the filter; kernels without it are as before.
Result<> close_file_system() {
    landlock_ruleset_attr everything{};
    everything.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    const long raw = ::syscall(SYS_landlock_create_ruleset, &everything, sizeof everything, 0);
    if (raw < 0) {
        if (errno == ENOSYS || errno == EOPNOTSUPP) return ok;
        return last_error("landlock_create_ruleset", "");
    }
    const Fd rules{static_cast<int>(raw)};
    if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return last_error("landlock_restrict_self", "");
    return ok;
}

struct FilterEnd {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

Result<> install_filter() {
    const std::unique_ptr<void, FilterEnd> filter{::seccomp_init(SCMP_ACT_KILL_PROCESS)};
    if (!filter) return Error{Fault::unsupported, "no system-call filter could be made on this host"};
    int failure = 0;
    const auto check = [&](int result) {
        if (failure == 0) failure = result;
    };
    for (const int call : {SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(brk),
                           SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getrandom),
                           SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
        check(::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
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

Result<> confine_parser(const ParserLimits& limits) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return last_error("prctl(PR_SET_NO_NEW_PRIVS)", "");
    ASSAY_CHECK(close_file_system());  // It needs one descriptor more than the limits leave.
    ASSAY_CHECK(set_limits(limits));
    if (sanitized) return ok;
    return install_filter();
}

}  // namespace assay::sys
