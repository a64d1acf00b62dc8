// What a process is and may do: identity, signals, limits, the directory lock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::sys {

struct User {
    std::string name;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};
Result<User> find_user(const std::string& name);  // errors: missing
std::optional<std::string> name_of_uid(std::uint32_t uid);

std::uint32_t effective_uid();
int current_pid();
// Becomes uid:gid for good, without supplementary groups; verifies that there is no way back.
Result<> become(std::uint32_t uid, std::uint32_t gid);
// Marks the process so that no other process of its uid may trace it or read its memory.
Result<> forbid_tracing();

// What we create from now on is for our own user alone, whoever made it (a library as well).
void keep_files_private();

// The roles that end with the server's socket, not by a terminal's signals.
void ignore_stop_signals();  // SIGTERM, SIGINT, SIGHUP, SIGPIPE
void ignore_broken_pipes();
// A file that may not grow further is an error of the write, and no end of the process.
void ignore_file_size_signal();

// A descriptor that becomes readable when one of `signals` arrives; they are blocked for this and all later threads.
Result<Fd> signal_descriptor(std::vector<int> signals);
Result<int> next_signal(const Fd& signals);  // one waiting signal's number; blocks if none waits

// Only ever lowers: raising a hard limit needs rights we may lack.
Result<> lower_limit(int resource, std::uint64_t value);

// Raises this process's own limit of descriptors towards `wanted`, as far as its hard limit allows; what it is now. What is
// started later inherits it.
Result<std::uint64_t> raise_descriptors(std::uint64_t wanted);

int online_cpus();  // that this process may use

// Ends the process at once, without destructors: for a second stop signal and for a disk that can no longer be trusted.
[[noreturn]] void exit_now(int code);

// An exclusive lock held by this process alone: a child never inherits it (fcntl record lock), and it ends with the process.
// Keep the object; do not open the same file elsewhere in the process: closing any descriptor of it would end the lock.
class ProcessLock {
public:
    // Errors: conflict (with the holder's pid in the text).
    static Result<ProcessLock> take(const std::string& path);

private:
    explicit ProcessLock(Fd file) : file_{std::move(file)} {}
    Fd file_;
};
// The pid of who holds the lock on `path`; nullopt when nobody does.
Result<std::optional<int>> lock_holder(const std::string& path);

}  // namespace assay::sys
