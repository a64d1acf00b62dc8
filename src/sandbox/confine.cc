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

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/text.hh"
#include "sandbox/process.hh"
#include "sandbox/protocol.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

constexpr int exit_not_found = 127;
constexpr int exit_not_executable = 126;

[[noreturn]] void give_up(int talk, const Error& error) {
    tell(talk, say::error, error.text());
    ::_exit(1);
}

void must(int talk, bool done, const char* call) {
    if (!done) give_up(talk, sys::last_error(call, "on the way into the sandbox"));
}

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

// Lowers, never raises. `soft_only` leaves the hard limit as it is.
void lower(int talk, __rlimit_resource_t resource, std::int64_t value, bool soft_only = false) {
    rlimit limit{};
    must(talk, ::getrlimit(resource, &limit) == 0, "getrlimit");
    const rlim_t wanted = std::min<rlim_t>(limit.rlim_max, static_cast<rlim_t>(value));
    limit.rlim_cur = wanted;
    if (!soft_only) limit.rlim_max = wanted;
    must(talk, ::setrlimit(resource, &limit) == 0, "setrlimit");
}

void lower_fixed_limits(int talk) {
    lower(talk, RLIMIT_CORE, 1);  // Less than any dump, and at 1 the kernel does not start a handler either, as it would at 0.
    lower(talk, RLIMIT_MEMLOCK, 64 << 10);
    lower(talk, RLIMIT_MSGQUEUE, 0);
    lower(talk, RLIMIT_SIGPENDING, 1024);
    lower(talk, RLIMIT_NICE, 0);
    lower(talk, RLIMIT_RTPRIO, 0);
}

void lower_limits(int talk, const Rlimits& limits) {
    lower(talk, RLIMIT_NOFILE, limits.open_files);
    lower(talk, RLIMIT_FSIZE, limits.file_bytes);
    lower(talk, RLIMIT_STACK, limits.stack_bytes, true);
    if (limits.address_space_bytes > 0) lower(talk, RLIMIT_AS, limits.address_space_bytes);
    if (limits.processes > 0) lower(talk, RLIMIT_NPROC, limits.processes);
    if (limits.cpu_seconds > 0) lower(talk, RLIMIT_CPU, limits.cpu_seconds);
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
    if (const Result<> became = become(inside_id); !became) give_up(talk, became.error());
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

Result<std::string> read_command(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) return sys::last_error("fstat", "command");
    if (!S_ISREG(info.st_mode) || info.st_size > static_cast<off_t>(command_bytes_max)) return Error{Fault::invalid, "the command is longer than 1 MiB"};
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return Error{Fault::invalid, "the command cannot be read"};
    return bytes;
}

[[noreturn]] void refuse(const char* what, int failure) {
    const std::string line = std::string{what} + ": " + std::strerror(failure) + "\n";
    (void)!::write(STDERR_FILENO, line.data(), line.size());
    ::_exit(failure == ENOENT || failure == ENOTDIR ? exit_not_found : exit_not_executable);
}

// Looked up like a shell does, but a file without a known format is not handed to a shell.
[[noreturn]] void execute(const Command& command) {
    char* const name = command.arguments.front();
    if (std::strchr(name, '/') != nullptr) {
        ::execve(name, command.arguments.data(), command.environment.data());
        refuse(name, errno);
    }
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (const char* const variable : command.environment) {
        if (variable != nullptr && std::strncmp(variable, "PATH=", 5) == 0) path = variable + 5;
    }
    int failure = ENOENT;
    for (const std::string_view directory : split(path, ':')) {
        const std::string file = (directory.empty() ? "." : std::string{directory}) + "/" + name;
        ::execve(file.c_str(), command.arguments.data(), command.environment.data());
        if (errno != ENOENT && errno != ENOTDIR) failure = errno;
    }
    refuse(name, failure);
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

void run_launcher(const EntryPlan& plan) {
    enter(plan);
    place_descriptors(plan, -1);
    // Where the filter lets it be received from.
    if (plan.talk != assignment_fd) must(plan.talk, ::dup2(plan.talk, assignment_fd) >= 0 && ::close(plan.talk) == 0, "dup2");
    constexpr int talk = assignment_fd;
    must(talk, ::fcntl(talk, F_SETFD, FD_CLOEXEC) == 0, "fcntl");
    listen_to_signals();
    must(talk, plan.filter->install(), "seccomp");
    tell(talk, say::ready);

    const sys::Fd socket{talk};
    Result<Received<Assignment>> assigned = receive<Assignment>(socket);
    if (!assigned) ::_exit(1);  // The keeper is gone, or does not need us any more.
    const std::vector<sys::Fd>& descriptors = assigned->descriptors;
    const Assignment& assignment = assigned->message;
    if (descriptors.size() != 1 + (assignment.has_stdin != 0)) give_up(talk, {Fault::internal, "an assignment lacks descriptors"});
    Result<std::string> bytes = read_command(descriptors[0].get());
    if (!bytes) give_up(talk, bytes.error());
    Result<Command> command = parse_command(*bytes);
    if (!command) give_up(talk, command.error());
    if (assignment.has_stdin != 0) must(talk, ::dup2(descriptors[1].get(), STDIN_FILENO) >= 0, "dup2");
    lower_limits(talk, assignment.rlimits);
    take_short_turns(false);
    if (::chdir(command->directory) != 0) refuse(command->directory, errno);
    execute(*command);
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

std::string pack_command(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const std::string& directory) {
    const std::uint32_t counts[] = {static_cast<std::uint32_t>(arguments.size()), static_cast<std::uint32_t>(environment.size())};
    std::string bytes{reinterpret_cast<const char*>(counts), sizeof counts};
    for (const auto* words : {&arguments, &environment}) {
        for (const std::string& word : *words) bytes.append(word).push_back('\0');
    }
    bytes.append(directory).push_back('\0');
    return bytes;
}

Result<Command> parse_command(std::string& bytes) {
    const Error wrong{Fault::invalid, "the command's block is damaged"};
    std::uint32_t counts[2];
    if (bytes.size() < sizeof counts || bytes.back() != '\0') return wrong;
    std::memcpy(counts, bytes.data(), sizeof counts);
    if (counts[0] < 1 || counts[0] > bytes.size() || counts[1] > bytes.size()) return wrong;

    std::size_t at = sizeof counts;
    const auto next = [&]() -> char* {
        if (at >= bytes.size()) return nullptr;
        char* const word = bytes.data() + at;
        at += std::strlen(word) + 1;  // A NUL is there: the last byte is one.
        return word;
    };
    Command command;
    for (auto [words, count] : {std::pair{&command.arguments, counts[0]}, {&command.environment, counts[1]}}) {
        for (std::uint32_t i = 0; i < count; ++i) {
            char* const word = next();
            if (word == nullptr) return wrong;
            words->push_back(word);
        }
        words->push_back(nullptr);
    }
    command.directory = next();
    if (command.directory == nullptr || at != bytes.size()) return wrong;
    return command;
}

}  // namespace assay::sandbox
