#include "sys/child.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

extern "C" {
#include <sys/pidfd.h>  // Debian 12's header has no language linkage of its own.
}

#include "base/assert.hh"
#include "sys/error.hh"

namespace assay::sys {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> raw;
    for (std::string& word : words) raw.push_back(word.data());
    raw.push_back(nullptr);
    return raw;
}

Exit reap(const Fd& pidfd) {
    siginfo_t info{};
    while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0) ASSAY_ASSERT(errno == EINTR);
    return {.signalled = info.si_code != CLD_EXITED, .code = info.si_status};
}

// Places `descriptors` at 0..n-1 without one overwriting another that is still needed.
class FileActions {
public:
    FileActions() { posix_spawn_file_actions_init(&raw_); }
    ~FileActions() { posix_spawn_file_actions_destroy(&raw_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    Result<> place(const std::vector<int>& descriptors) {
        const int count = static_cast<int>(descriptors.size());
        for (int i = 0; i < count; ++i) {
            const int from = descriptors[static_cast<std::size_t>(i)];
            if (from < 0) {
                posix_spawn_file_actions_addopen(&raw_, i, "/dev/null", O_RDWR, 0);
                continue;
            }
            // A copy above the targets first: then every target can be overwritten in any order.
            const int high = ::fcntl(from, F_DUPFD_CLOEXEC, std::max(count, 64));
            if (high < 0) return last_error("fcntl(F_DUPFD_CLOEXEC)", "child descriptor");
            copies_.emplace_back(high);
            posix_spawn_file_actions_adddup2(&raw_, high, i);
        }
        posix_spawn_file_actions_addclosefrom_np(&raw_, count);
        return ok;
    }
    posix_spawn_file_actions_t* get() { return &raw_; }

private:
    posix_spawn_file_actions_t raw_{};
    std::vector<Fd> copies_;
};

}  // namespace

Result<Child> Child::start(const ChildSpec& spec) {
    std::vector<std::string> arguments{"assay"};
    arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
    std::vector<std::string> environment = spec.environment;

    FileActions actions;
    ASSAY_CHECK(actions.place(spec.descriptors));

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    pid_t pid = 0;
    const int failure = ::posix_spawn(&pid, spec.path.c_str(), actions.get(), &attributes, pointers(arguments).data(),
                                      pointers(environment).data());
    posix_spawnattr_destroy(&attributes);
    if (failure != 0) return error_of(failure, "posix_spawn", spec.path);

    Fd pidfd{::pidfd_open(pid, 0)};
    if (!pidfd) {
        Error error = last_error("pidfd_open", "child");
        ::kill(pid, SIGKILL);  // Not reaped yet, so the pid is still ours.
        ::waitpid(pid, nullptr, 0);
        return error;
    }
    return Child{pid, std::move(pidfd)};
}

Child& Child::operator=(Child&& other) noexcept {
    if (this != &other) {
        if (pidfd_) (void)std::move(*this).kill_and_wait();
        pid_ = std::exchange(other.pid_, 0);
        pidfd_ = std::move(other.pidfd_);
    }
    return *this;
}

Child::~Child() {
    if (pidfd_) (void)std::move(*this).kill_and_wait();
}

Duration Child::cpu_time() const {
    ASSAY_ASSERT(pidfd_);
    clockid_t clock = 0;
    timespec spent{};
    if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &spent) != 0) return Duration::zero();
    return std::chrono::seconds{spent.tv_sec} + std::chrono::nanoseconds{spent.tv_nsec};
}

void Child::kill(int signal) const {
    ASSAY_ASSERT(pidfd_);
    (void)::pidfd_send_signal(pidfd_.get(), signal, nullptr, 0);  // ESRCH: it has ended already, which is what we want.
}

std::optional<Exit> Child::wait_until(TimePoint deadline) {
    ASSAY_ASSERT(pidfd_);
    for (;;) {
        const Duration left = std::max(Duration::zero(), deadline - system_clock().now());
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
        pollfd watched{pidfd_.get(), POLLIN, 0};
        const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000)));
        if (ready > 0) break;
        if (ready == 0 && system_clock().now() >= deadline) return std::nullopt;
    }
    const Exit exit = reap(pidfd_);
    pidfd_.reset();
    return exit;
}

Exit Child::wait() && {
    ASSAY_ASSERT(pidfd_);
    const Exit exit = reap(pidfd_);
    pidfd_.reset();
    return exit;
}

Exit Child::kill_and_wait() && {
    kill(SIGKILL);
    return std::move(*this).wait();
}

}  // namespace assay::sys
