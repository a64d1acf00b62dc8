// Child: one process we started. Roles of assay start from the running executable, with exactly the descriptors they are given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sys {

struct Exit {
    bool signalled = false;
    int code = 0;  // exit code, or the signal's number
};

struct ChildSpec {
    std::string path = "/proc/self/exe";
    std::vector<std::string> arguments;     // argv[1..]; argv[0] is "assay"
    std::vector<std::string> environment;   // NAME=value; nothing is inherited
    // descriptors[i] becomes the child's fd i; -1 = /dev/null. Nothing else is open in the child.
    std::vector<int> descriptors;
};

// Destroying a Child kills and reaps it, so no early return leaves a stray or a zombie. Signals go through the pidfd: a
// recycled pid can never be hit.
class Child {
public:
    Child() = default;
    static Result<Child> start(const ChildSpec&);  // posix_spawn: cheap from a large process, safe from a threaded one
    Child(Child&&) noexcept = default;
    Child& operator=(Child&&) noexcept;
    ~Child();

    explicit operator bool() const { return static_cast<bool>(pidfd_); }
    int pid() const { return pid_; }
    const Fd& pidfd() const { return pidfd_; }

    // Of its user and system time so far, all its threads; zero once it is gone.
    Duration cpu_time() const;
    void kill(int signal) const;
    // Waits until it ended or the deadline passed (nullopt). After an Exit the object is empty.
    std::optional<Exit> wait_until(TimePoint deadline);
    Exit wait() &&;
    Exit kill_and_wait() &&;

private:
    Child(int pid, Fd pidfd) : pid_{pid}, pidfd_{std::move(pidfd)} {}
    int pid_ = 0;
    Fd pidfd_;
};

}  // namespace assay::sys
