#include "sandbox/launch.hh"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace assay::sandbox {

void Line::add(std::string_view text) {
    const std::size_t size = std::min(text.size(), sizeof bytes_ - size_);
    std::memcpy(bytes_ + size_, text.data(), size);
    size_ += size;
}

void tell(int socket, char what, std::string_view text) {
    Line line;
    line.add({&what, 1});
    line.add(text);
    (void)!::write(socket, line.text().data(), line.text().size());
}

void give_up(int talk, std::string_view text) {
    tell(talk, say::error, text);
    ::_exit(1);
}

void must(int talk, bool done, const char* call) {
    if (done) return;
    Line line;
    line.add(call);
    line.add("(on the way into the sandbox): ");
    line.add(::strerrordesc_np(errno));
    give_up(talk, line.text());
}

namespace {

struct Turns {  // The kernel's sched_attr, in its first version: the C library has none.
    std::uint32_t size = 48;
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime = 0;  // the length of one, ns; 0: the kernel's own choice
    std::uint64_t deadline = 0;
    std::uint64_t period = 0;
};

bool read_turns(int thread, Turns& turns) {
    if (::syscall(SYS_sched_getattr, thread, &turns, sizeof turns, 0) != 0) return false;
    turns.size = sizeof turns;
    return true;
}

}  // namespace

void take_short_turns(bool short_ones) {
    constexpr std::uint64_t short_ns = 100'000;
    Turns turns;
    if (!read_turns(0, turns)) return;
    turns.runtime = short_ones ? short_ns : 0;
    (void)::syscall(SYS_sched_setattr, 0, &turns, 0);
}

void settle_account(int pid) {
    Turns turns;
    if (!read_turns(pid, turns)) return;
    turns.runtime ^= 1;
    (void)::syscall(SYS_sched_setattr, pid, &turns, 0);
}

void lower(int talk, int resource, std::int64_t value, bool soft_only) {
    rlim_t wanted = static_cast<rlim_t>(value);
    rlimit limit{.rlim_cur = wanted, .rlim_max = soft_only ? RLIM_INFINITY : wanted};
    // Mostly one call does. It is refused where that would raise what is there.
    if (::prlimit(0, static_cast<__rlimit_resource>(resource), &limit, nullptr) == 0) return;
    must(talk, ::prlimit(0, static_cast<__rlimit_resource>(resource), nullptr, &limit) == 0, "getrlimit");
    wanted = std::min<rlim_t>(limit.rlim_max, wanted);
    limit.rlim_cur = wanted;
    if (!soft_only) limit.rlim_max = wanted;
    must(talk, ::prlimit(0, static_cast<__rlimit_resource>(resource), &limit, nullptr) == 0, "setrlimit");
}

void lower_limits(int talk, const Rlimits& limits) {
    lower(talk, RLIMIT_NOFILE, limits.open_files);
    lower(talk, RLIMIT_FSIZE, limits.file_bytes);
    lower(talk, RLIMIT_STACK, limits.stack_bytes, true);
    if (limits.address_space_bytes > 0) lower(talk, RLIMIT_AS, limits.address_space_bytes);
    if (limits.processes > 0) lower(talk, RLIMIT_NPROC, limits.processes);
    if (limits.cpu_seconds > 0) lower(talk, RLIMIT_CPU, limits.cpu_seconds);
}

bool drop_bounding_set() {
    for (int capability = 0;; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
            return capability > 0 && errno == EINVAL;  // No such one: that was the last.
    }
}

bool keep_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, held) != 0) return false;
    for (__user_cap_data_struct& part : held) part.inheritable = part.permitted;
    return ::syscall(SYS_capset, &header, held) == 0;
}

bool drop_capabilities() {
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {};
    return ::syscall(SYS_capset, &header, nothing) == 0;
}

bool forbid_new_rights() { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

void listen_to_signals() {
    const std::uint64_t held_back = 0;  // The kernel's set: the launcher's C library has no functions for one.
    (void)::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &held_back, nullptr, sizeof held_back);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
}

bool install_filter(const std::uint64_t* instructions, std::size_t size, bool held) {
    const sock_fprog code{static_cast<unsigned short>(size),
                          reinterpret_cast<sock_filter*>(const_cast<std::uint64_t*>(instructions))};
    const auto install = [&](unsigned flags) {
        return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &code) >= 0;
    };
    // Refused where whoever started us has a filter with a descriptor: at most one of all that a process is under may have one.
    return (held && install(SECCOMP_FILTER_FLAG_NEW_LISTENER)) || install(0);
}

void enter_sandbox(int talk, const Ways& ways) {
    must(talk, ::setgroups(0, nullptr) == 0, "setgroups");
    must(talk, ::setns(ways.init, CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) == 0, "setns");
    if (ways.network >= 0) must(talk, ::setns(ways.network, CLONE_NEWNET) == 0, "setns(network)");
    must(talk, ::unshare(CLONE_NEWCGROUP) == 0, "unshare(cgroup)");
    must(talk, ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0 || errno == ENOSYS, "keyctl");
    must(talk, ::setns(ways.users, CLONE_NEWUSER) == 0, "setns(user)");
    // Whoever comes into a user namespace begins with all that could be gained there.
    must(talk, drop_bounding_set(), "prctl(PR_CAPBSET_DROP)");
    must(talk, ::setresgid(inside_id, inside_id, inside_id) == 0, "setresgid");
    must(talk, ::setresuid(inside_id, inside_id, inside_id) == 0, "setresuid");
    must(talk, drop_capabilities(), "capset");
    must(talk, forbid_new_rights(), "prctl(PR_SET_NO_NEW_PRIVS)");
    must(talk, ::setsid() >= 0, "setsid");
    lower(talk, RLIMIT_CORE,
          1);  // Less than any dump, and at 1 the kernel does not start a handler either, as it would at 0.
    lower(talk, RLIMIT_MEMLOCK, 64 << 10);
    lower(talk, RLIMIT_MSGQUEUE, 0);
    lower(talk, RLIMIT_SIGPENDING, 1024);
    lower(talk, RLIMIT_NICE, 0);
    lower(talk, RLIMIT_RTPRIO, 0);
    ::umask(022);
    listen_to_signals();
}

bool parse_command(std::span<char> bytes, std::span<char*> words, Command& command) {
    std::uint32_t counts[2];
    if (bytes.size() < sizeof counts || bytes.back() != '\0') return false;
    std::memcpy(counts, bytes.data(), sizeof counts);
    if (counts[0] < 1 || std::size_t{counts[0]} + counts[1] + 2 > words.size()) return false;

    char* next = bytes.data() + sizeof counts;
    const char* const end = bytes.data() + bytes.size();
    char** to = words.data();
    for (const std::uint32_t count : counts) {
        for (std::uint32_t i = 0; i < count; ++i) {
            if (next == end) return false;
            *to++ = next;
            next += std::strlen(next) + 1;  // A NUL is there: the last byte is one.
        }
        *to++ = nullptr;
    }
    command = {.arguments = words.data(), .environment = words.data() + counts[0] + 1, .directory = next};
    return next != end && next + std::strlen(next) + 1 == end;
}

}  // namespace assay::sandbox
