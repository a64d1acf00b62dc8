#include "sys/process.hh"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "sys/error.hh"

namespace assay::sys {
namespace {

struct ::flock whole_file(short type) {
    struct ::flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

}  // namespace

Result<User> find_user(const std::string& name) {
    errno = 0;
    const passwd* const entry = ::getpwnam(name.c_str());
    if (entry == nullptr) return Error{Fault::missing, "no user is named '" + name + "' on this machine"};
    return User{name, entry->pw_uid, entry->pw_gid};
}

std::optional<std::string> name_of_uid(std::uint32_t uid) {
    const passwd* const entry = ::getpwuid(uid);
    if (entry == nullptr) return std::nullopt;
    return entry->pw_name;
}

std::uint32_t effective_uid() { return ::geteuid(); }
int current_pid() { return ::getpid(); }

Result<> become(std::uint32_t uid, std::uint32_t gid) {
    if (::setgroups(0, nullptr) != 0) return last_error("setgroups", "");
    if (::setresgid(gid, gid, gid) != 0) return last_error("setresgid", std::to_string(gid));
    if (::setresuid(uid, uid, uid) != 0) return last_error("setresuid", std::to_string(uid));
    if (uid != 0 && ::setresuid(0, 0, 0) == 0) return Error{Fault::internal, "rights came back after they were dropped"};
    return ok;
}

Result<> forbid_tracing() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return last_error("prctl(PR_SET_DUMPABLE)", "");
    return ok;
}

void keep_files_private() { ::umask(077); }

void ignore_stop_signals() {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
}

void ignore_broken_pipes() { ::signal(SIGPIPE, SIG_IGN); }
void ignore_file_size_signal() { ::signal(SIGXFSZ, SIG_IGN); }

Result<Fd> signal_descriptor(std::vector<int> signals) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    if (const int failure = ::pthread_sigmask(SIG_BLOCK, &set, nullptr); failure != 0) return error_of(failure, "pthread_sigmask", "");
    const int raw = ::signalfd(-1, &set, SFD_CLOEXEC);
    if (raw < 0) return last_error("signalfd", "");
    return Fd{raw};
}

Result<int> next_signal(const Fd& signals) {
    signalfd_siginfo info{};
    for (;;) {
        const ssize_t n = ::read(signals.get(), &info, sizeof info);
        if (n == static_cast<ssize_t>(sizeof info)) return static_cast<int>(info.ssi_signo);
        if (n < 0 && errno != EINTR) return last_error("read", "signalfd");
    }
}

Result<> lower_limit(int resource, std::uint64_t value) {
    rlimit limit{};
    const auto which = static_cast<__rlimit_resource_t>(resource);
    if (::getrlimit(which, &limit) != 0) return last_error("getrlimit", std::to_string(resource));
    limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, value);
    if (::setrlimit(which, &limit) != 0) return last_error("setrlimit", std::to_string(resource));
    return ok;
}

Result<std::uint64_t> raise_descriptors(std::uint64_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return last_error("getrlimit", "RLIMIT_NOFILE");
    const rlim_t raised = std::min<rlim_t>(limit.rlim_max, wanted);
    if (raised <= limit.rlim_cur) return limit.rlim_cur;
    limit.rlim_cur = raised;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return last_error("setrlimit", "RLIMIT_NOFILE");
    return raised;
}

int online_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return std::max(1, CPU_COUNT(&set));
}

void exit_now(int code) { ::_exit(code); }

Result<ProcessLock> ProcessLock::take(const std::string& path) {
    const int raw = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (raw < 0) return last_error("open", path);
    Fd file{raw};
    struct ::flock lock = whole_file(F_WRLCK);
    if (::fcntl(raw, F_SETLK, &lock) == 0) return ProcessLock{std::move(file)};
    if (errno != EACCES && errno != EAGAIN) return last_error("fcntl(F_SETLK)", path);
    struct ::flock holder = whole_file(F_WRLCK);
    std::string who;
    if (::fcntl(raw, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK) who = " by process " + std::to_string(holder.l_pid);
    return Error{Fault::conflict, path + " is locked" + who};
}

Result<std::optional<int>> lock_holder(const std::string& path) {
    const int raw = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (raw < 0 && errno == ENOENT) return std::optional<int>{};
    if (raw < 0) return last_error("open", path);
    const Fd file{raw};
    struct ::flock holder = whole_file(F_WRLCK);
    if (::fcntl(raw, F_GETLK, &holder) != 0) return last_error("fcntl(F_GETLK)", path);
    if (holder.l_type == F_UNLCK) return std::optional<int>{};
    return std::optional<int>{holder.l_pid};
}

}  // namespace assay::sys
