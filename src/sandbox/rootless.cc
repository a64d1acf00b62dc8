#include "sandbox/rootless.hh"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <string>
#include <vector>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/process.hh"
#include "sys/error.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::sandbox {
namespace {

constexpr std::size_t subordinate_bytes_max = 1 << 20;
constexpr std::size_t arguments_bytes_max = 4 << 20;
constexpr std::array handed_on{SIGINT, SIGTERM, SIGHUP};

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Result<Subordinate> subordinate_of(const char* file) {
    const std::uint32_t uid = ::getuid();
    const std::string name = sys::name_of_uid(uid).value_or("");
    const Result<std::string> text = sys::read_file(file, subordinate_bytes_max);
    if (const auto found = subordinate_in(text ? *text : "", name, uid)) return *found;
    const std::string who = name.empty() ? std::to_string(uid) : name;
    return Error{Fault::unsupported, std::string{file} + " gives " + who + " no range of ids; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 " + who};
}

// newuidmap and newgidmap are setuid root, and map what the file allows alone.
bool map_ids(const char* tool, const std::string& process, std::uint32_t own, const Subordinate& more) {
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string words[] = {std::to_string(own), std::to_string(more.first), std::to_string(more.count)};
        ::execlp(tool, tool, process.c_str(), "0", words[0].c_str(), "1", "1", words[1].c_str(), words[2].c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// The process outside, which has nothing to do but to end as the one inside does.
[[noreturn]] void stand_for(pid_t inside, int signals) {
    for (;;) {
        int status = 0;
        if (::waitpid(inside, &status, WNOHANG) == inside) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        signalfd_siginfo signal{};
        if (::read(signals, &signal, sizeof signal) != sizeof signal) continue;
        if (signal.ssi_signo != SIGCHLD) (void)::kill(inside, static_cast<int>(signal.ssi_signo));
    }
}

// The ids are mapped by a process that stayed outside, which waits until we are in.
Result<> map_from_outside(std::uint32_t uid, std::uint32_t gid, const Subordinate& uids, const Subordinate& gids) {
    const std::string us = std::to_string(::getpid());
    int go[2];
    if (::pipe2(go, O_CLOEXEC) != 0) return sys::last_error("pipe2", "");
    const sys::Fd hears{go[0]};
    sys::Fd says{go[1]};
    const pid_t mapper = ::fork();
    if (mapper < 0) return sys::last_error("fork", "");
    if (mapper == 0) {
        says.reset();
        char word = 0;
        const bool called = ::read(hears.get(), &word, 1) == 1;
        ::_exit(called && map_ids("newuidmap", us, uid, uids) && map_ids("newgidmap", us, gid, gids) ? 0 : 1);
    }
    std::optional<Error> refused;
    if (::unshare(CLONE_NEWUSER) != 0) refused = sys::last_error("unshare", "user namespace");
    else if (::write(says.get(), "!", 1) != 1) refused = sys::last_error("write", "pipe");
    says.reset();
    int status = 0;
    (void)::waitpid(mapper, &status, 0);
    if (refused)
        return Error{Fault::unsupported, refused->text() + ": this host lets only root make user namespaces (user.max_user_namespaces, kernel.unprivileged_userns_clone, or "
                                                          "kernel.apparmor_restrict_unprivileged_userns); run as root"};
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return Error{Fault::unsupported, "newuidmap or newgidmap is missing or refused; install the package uidmap, or run as root"};
    return ok;
}

}  // namespace

std::optional<Subordinate> subordinate_in(std::string_view text, std::string_view name, std::uint32_t uid) {
    std::optional<Subordinate> best;
    for (const std::string_view line : split(text, '\n')) {
        const auto parts = split(line, ':');
        if (parts.size() != 3 || parts[0].empty() || (parts[0] != name && parts[0] != std::to_string(uid))) continue;
        const auto first = number_of<std::uint32_t>(trimmed(parts[1]));
        const auto count = number_of<std::uint32_t>(trimmed(parts[2]));
        if (!first || !count || *count < subordinates_min || *first == 0 || *first > UINT32_MAX - *count) continue;
        if (!best || *count > best->count) best = Subordinate{*first, *count};
    }
    if (best) best->count = std::min(best->count, subordinates_max);
    return best;
}

Result<> may_become_own_root() {
    ASSAY_CHECK(subordinate_of("/etc/subuid"));
    ASSAY_CHECK(subordinate_of("/etc/subgid"));
    return ok;
}

namespace {

Result<> go_inside() {
    const std::uint32_t uid = ::getuid();
    const std::uint32_t gid = ::getgid();
    ASSAY_TRY(const Subordinate uids, subordinate_of("/etc/subuid"));
    ASSAY_TRY(const Subordinate gids, subordinate_of("/etc/subgid"));
    ASSAY_CHECK(map_from_outside(uid, gid, uids, gids));
    if (::setgroups(0, nullptr) != 0 || ::setresgid(0, 0, 0) != 0 || ::setresuid(0, 0, 0) != 0) return sys::last_error("setresuid", "own root");
    if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0) return sys::last_error("unshare", "own namespaces");

    sigset_t waited;
    sigemptyset(&waited);
    for (const int signal : handed_on) sigaddset(&waited, signal);
    sigaddset(&waited, SIGCHLD);
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, &waited, &before);
    const sys::Fd signals{::signalfd(-1, &waited, SFD_CLOEXEC)};
    if (!signals) return sys::last_error("signalfd", "");
    const pid_t inside = ::fork();
    if (inside < 0) return sys::last_error("fork", "");
    if (inside > 0) stand_for(inside, signals.get());

    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) ::_exit(1);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) return sys::last_error("mount(slave)", "/");
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return sys::last_error("mount(proc)", "/proc");
    return ok;
}

}  // namespace

Error become_own_root() {
    // Where a service manager gave the user a group to divide: from inside, who else is in it could not be told any more.
    std::vector<Hierarchy> hierarchies = find_hierarchies();
    if (Result<> room = make_room(hierarchies); !room) return room.take_error();
    auto words = sys::read_file("/proc/self/cmdline", arguments_bytes_max);
    if (!words) return words.take_error();
    std::vector<char*> arguments;
    for (std::size_t at = 0; at < words->size(); at = words->find('\0', at) + 1) arguments.push_back(words->data() + at);
    arguments.push_back(nullptr);
    if (Result<> inside = go_inside(); !inside) return inside.take_error();
    ::execv("/proc/self/exe", arguments.data());
    return sys::last_error("exec", "/proc/self/exe");
}

}  // namespace assay::sandbox
