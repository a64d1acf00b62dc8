#include "sandbox/confine.hh"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "sandbox/process.hh"
#include "sys/error.hh"

namespace assay::sandbox {
namespace {

// A keeper that does not answer is gone or gave up.
void expect(int talk, char what) {
    char got = 0;
    if (::read(talk, &got, 1) != 1 || got != what) ::_exit(1);
}

// What a helper was told to ignore would stay ignored by a command.
void listen_to_signals() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
}

// Becomes `id` for good, with no capability left to use. Those that could be gained have been given up before.
Result<> become(std::uint32_t id) {
    if (::setresgid(id, id, id) != 0) return sys::last_error("setresgid", "sandbox");
    if (::setresuid(id, id, id) != 0) return sys::last_error("setresuid", "sandbox");
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capset, &header, nothing) != 0) return sys::last_error("capset", "sandbox");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return sys::last_error("prctl(PR_SET_NO_NEW_PRIVS)", "sandbox");
    return ok;
}

void lower_fixed_limits(int talk) {
    lower(talk, RLIMIT_CORE, 1);  // Less than any dump, and at 1 the kernel does not start a handler either, as it would at 0.
    lower(talk, RLIMIT_MEMLOCK, 64 << 10);
    lower(talk, RLIMIT_MSGQUEUE, 0);
    lower(talk, RLIMIT_SIGPENDING, 1024);
    lower(talk, RLIMIT_NICE, 0);
    lower(talk, RLIMIT_RTPRIO, 0);
}

// From a process of the keeper to one of the sandbox without any rights: namespaces, identity, limits.
void enter(const EntryPlan& plan) {
    const int talk = plan.talk;
    expect(talk, say::attached);  // In its groups now: all that follows is charged to them.
    must(talk, ::setgroups(0, nullptr) == 0, "setgroups");
    must(talk, ::setns(plan.init_pidfd, CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) == 0, "setns");
    if (plan.host_network >= 0) must(talk, ::setns(plan.host_network, CLONE_NEWNET) == 0, "setns(network)");
    must(talk, ::unshare(CLONE_NEWCGROUP) == 0, "unshare(cgroup)");
    must(talk, ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0 || errno == ENOSYS, "keyctl");
    must(talk, ::unshare(CLONE_NEWUSER) == 0, "unshare(user)");
    tell(talk, say::unshared);
    expect(talk, say::mapped);
    // A new user namespace begins with all that could be gained.
    must(talk, drop_bounding_set(), "prctl(PR_CAPBSET_DROP)");
    if (const Result<> became = become(inside_id); !became) give_up(talk, became.error().text());
    must(talk, ::setsid() >= 0, "setsid");
    lower_fixed_limits(talk);
    ::umask(022);
}

// The null device, [out], [err], the talk, and of the others only `also`.
void place_descriptors(const EntryPlan& plan, int also) {
    const int talk = plan.talk;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    must(talk, null >= 0, "open(null device)");
    const int streams[] = {null, plan.stdout_fd, plan.stderr_fd};
    for (int target = 0; target < 3; ++target) {
        must(talk, ::dup2(streams[target] >= 0 ? streams[target] : null, target) >= 0, "dup2");
    }
    close_all_except({talk, also});
}

Result<> become_init(const InitPlan& plan) {
    ASSAY_CHECK(enter_world(*plan.world, plan.bench));
    if (::sethostname("assay", 5) != 0 || ::setdomainname("", 0) != 0) return sys::last_error("sethostname", "sandbox");
    if (::setgroups(0, nullptr) != 0) return sys::last_error("setgroups", "sandbox");
    ASSAY_CHECK(become(plan.uid));
    // What follows is of the memory, so of the keeper as well, which is traced by nobody either.
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return sys::last_error("prctl(PR_SET_DUMPABLE)", "sandbox");
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return sys::last_error("prctl(PR_SET_PDEATHSIG)", "sandbox");  // After setresuid, which clears it.
    (void)::prctl(PR_SET_NAME, "init");
    ::setsid();
    listen_to_signals();
    ::signal(SIGCHLD, SIG_IGN);  // Orphans are reaped by the kernel.
    // A keeper that died before the death signal was armed does not read any more.
    ::close(plan.keeper);
    pollfd reader{plan.ready, 0, 0};
    if (::poll(&reader, 1, 0) != 0) return Error{Fault::unreachable, "the keeper is gone"};
    return ok;
}

}  // namespace

bool drop_bounding_set() {
    static const int count = [] {
        int known = 0;
        while (::prctl(PR_CAPBSET_READ, known) >= 0) ++known;
        return known;
    }();
    for (int capability = 0; capability < count; ++capability) {
        if (::prctl(PR_CAPBSET_DROP, capability) != 0) return false;
    }
    return true;
}

int run_init(void* argument) {
    auto& plan = *static_cast<InitPlan*>(argument);
    const int ready = plan.ready;
    if (Result<> done = become_init(plan); !done) {
        plan.failure = done.take_error();
        ::_exit(1);
    }
    // The keeper goes on when it hears this.
    if (::write(ready, &say::ready, 1) != 1) ::_exit(1);
    (void)::close_range(0, ~0U, 0);
    for (;;) ::pause();
}

void run_launcher(const EntryPlan& plan, const sys::Fd& program) {
    enter(plan);
    const int file = ::fcntl(program.get(), F_DUPFD_CLOEXEC, assignment_fd + 1);
    must(plan.talk, file >= 0, "fcntl");
    place_descriptors(plan, file);
    // Where the filter lets it be received from.
    if (plan.talk != assignment_fd) must(plan.talk, ::dup2(plan.talk, assignment_fd) >= 0 && ::close(plan.talk) == 0, "dup2");
    constexpr int talk = assignment_fd;
    must(talk, ::fcntl(talk, F_SETFD, 0) == 0, "fcntl");
    listen_to_signals();
    must(talk, plan.filter->install(), "seccomp");
    char name[] = "launcher";
    char* const arguments[] = {name, nullptr};
    char* const nothing[] = {nullptr};
    ::execveat(file, "", arguments, nothing, AT_EMPTY_PATH);
    must(talk, false, "execveat");
    ::_exit(1);
}

void run_fill(const EntryPlan& plan, const FillPlan& what) {
    enter(plan);
    lower_limits(plan.talk, what.rlimits);
    place_descriptors(plan, what.archive);
    take_short_turns(false);
    listen_to_signals();
    must(plan.talk, ::chdir(what.directory.c_str()) == 0, "chdir");
    must(plan.talk, ::lseek(what.archive, 0, SEEK_SET) == 0, "lseek");
    must(plan.talk, plan.filter->install(), "seccomp");
    tell(plan.talk, say::ready);
    expect(plan.talk, say::go);
    ::_exit(what.fill(what.archive, what.prefix.c_str()));
}

}  // namespace assay::sandbox
