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

#include "sandbox/control.hh"
#include "sandbox/process.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

// A keeper that does not answer is gone or gave up.
void expect(int talk, char what) {
    char got = 0;
    if (::read(talk, &got, 1) != 1 || got != what) ::_exit(1);
}

// Becomes `id` for good, with no capability left to use. Those that could be gained have been given up before.
Result<> become(std::uint32_t id) {
    if (::setresgid(id, id, id) != 0) return sys::last_error("setresgid", "sandbox");
    if (::setresuid(id, id, id) != 0) return sys::last_error("setresuid", "sandbox");
    if (!drop_capabilities()) return sys::last_error("capset", "sandbox");
    if (!forbid_new_rights()) return sys::last_error("prctl(PR_SET_NO_NEW_PRIVS)", "sandbox");
    return ok;
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
    (void)::setpgid(0, 0);  // No terminal's keys reach it. A session of its own costs a group of the scheduler's.
    listen_to_signals();
    ::signal(SIGCHLD, SIG_IGN);  // Orphans are reaped by the kernel.
    // A keeper that died before the death signal was armed does not read any more.
    ::close(plan.keeper);
    pollfd reader{plan.ready, 0, 0};
    if (::poll(&reader, 1, 0) != 0) return Error{Fault::unreachable, "the keeper is gone"};
    return ok;
}

int hold_namespace(void*) {
    (void)::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    (void)::close_range(0, ~0U, 0);
    for (;;) ::pause();
}

}  // namespace

Result<sys::Fd> make_users(std::uint32_t uid) {
    ASSAY_TRY(const Stack stack, Stack::make());
    ASSAY_TRY(const Spawned first, clone_sharing(CLONE_NEWUSER, stack, hold_namespace, nullptr));
    const std::string process = "/proc/" + std::to_string(first.pid);
    const auto open_mapped = [&]() -> Result<sys::Fd> {
        const std::string map = std::to_string(inside_id) + " " + std::to_string(uid) + " 1\n";
        for (const auto& [file, text] :
             {std::pair{"/setgroups", std::string{"deny"}}, {"/gid_map", map}, {"/uid_map", map}}) {
            ASSAY_CHECK(write_control(process + file, text));
        }
        return sys::open_read(process + "/ns/user");
    };
    Result<sys::Fd> made = open_mapped();
    kill_process(first.pidfd);
    if (!reap(first.pidfd, sys::system_clock().now() + std::chrono::seconds{10}))
        ::_exit(1);  // It works on a stack of ours.
    return made;
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

int run_launcher(void* argument) {
    auto& plan = *static_cast<LauncherPlan*>(argument);
    const int file = ::fcntl(plan.program, F_DUPFD_CLOEXEC, assignment_fd + 1);
    static char name[] = "launcher";  // Here and not on a stack that is used again.
    static char* const arguments[] = {name, nullptr};
    static char* const nothing[] = {nullptr};
    const bool placed = file >= 0 && (plan.talk == assignment_fd ? ::fcntl(plan.talk, F_SETFD, 0)
                                                                 : ::dup2(plan.talk, assignment_fd)) >= 0;
    if (placed) ::execveat(file, "", arguments, nothing, AT_EMPTY_PATH);
    plan.failure = errno;
    ::_exit(1);
}

void run_fill(const FillPlan& plan) {
    expect(plan.talk, say::attached);  // In its groups now: all that follows is charged to them.
    enter_sandbox(plan.talk, plan.ways);
    constexpr int talk = 3, archive = 4;
    const int held[] = {-1, -1, plan.complaint, plan.talk, plan.archive};
    must(plan.talk, hold_only(held), "dup2");
    lower_limits(talk, plan.rlimits);  // Now that it has few.
    take_short_turns(false);
    must(talk, ::chdir(plan.directory.c_str()) == 0, "chdir");
    must(talk, ::lseek(archive, 0, SEEK_SET) == 0, "lseek");
    must(talk, plan.filter->install(), "seccomp");
    tell(talk, say::ready);
    expect(talk, say::go);
    ::_exit(plan.fill(archive, plan.prefix.c_str()));
}

}  // namespace assay::sandbox
