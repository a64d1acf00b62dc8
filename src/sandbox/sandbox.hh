// Sandbox: runs one command under limits and says what happened. Knows nothing of submissions, queues or grades.
//
// The caller (runner, `assay run`) is unprivileged and holds one socket to the helper, the small privileged process that
// builds sandboxes (helper.hh; theory of operation in README.md). A Job is one slot's work: a group above all its commands,
// and the chain of sealed states that its stages leave.
//
// Invariants
//   1. When a Job is destroyed, no process, mount, cgroup or file of it is left.
//   2. A command never sees a descriptor, variable, file or process that is not named here.
//   3. A command ends when its first process ends; every other process is then killed at once.
//   4. Limits in the Outcome are what the kernel said when read back, never what was asked.
//
// Threading: one Client per thread that runs jobs; the helper serves all of them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"
#include "model/words.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

enum class Trust { untrusted, trusted };
enum class Profile { language, compiled };
enum class Network { none, host };  // host: `assay run` only

// A tree that is unpacked inside the sandbox before the command starts, by a confined process of the sandbox's own identity.
struct Fill {
    int archive = -1;      // readable from offset 0; stays the caller's
    std::string prefix;    // only what lies below it, with it stripped ("grader/"); empty = everything
};

struct Bind {              // `assay run --bind`
    int directory = -1;    // opened by the caller with the caller's rights
    std::string inside;    // absolute
    bool writable = false;
};

// A trusted stage finds /assay/run: it runs commands beside the stage, untrusted, each from the newest sealed state with fresh
// writes, at most guests_max at once, under limits that are cut down to the stage's; their memory together as well.
struct GuestRules {
    std::vector<std::string> environment;  // NAME=value, complete
};

struct Request {
    Trust trust = Trust::untrusted;
    std::string stage;                     // 1..64 of a-z0-9_-; names the group and the sealed state
    std::vector<std::string> command;      // argv, at least one; looked up in PATH of `environment`
    std::vector<std::string> environment;  // NAME=value, complete
    std::string directory;                 // empty: /work, or /out when trusted
    model::Limits limits;
    // disk: of an untrusted command alone; an error where this host or server has none.
    model::Scratch scratch = model::Scratch::memory;
    Profile profile = Profile::language;
    Network network = Network::none;
    int stdin_fd = -1;                     // -1 = empty; a regular file or memory file, stays the caller's
    std::optional<Fill> submission;        // untrusted: into /work (first stage only); trusted: at /submission, read-only
    std::optional<Fill> grader;            // trusted only: at /grader, read-only
    std::vector<Bind> binds;
    std::optional<GuestRules> guests;      // trusted only
    std::vector<std::string> files;        // untrusted: of /work, relative, to hand back after the end; at most 32
    bool seal = false;                     // untrusted: when all its processes are dead /work becomes the next state
    bool again = false;  // with `seal`: the stage was the last to be sealed, and that state is dropped first
    std::string report;                    // trusted: name of the file in /out to hand back
    std::size_t output_kept_max = 64u << 10;  // of each stream, half head half tail
};

struct Finished {
    model::Outcome outcome;
    sys::Fd report;        // the named regular file of /out, read-only; empty when it is missing or not a regular file
    std::vector<sys::Fd> files;  // as asked for; empty where there is no regular file of at most 16 MiB, or a link on the way
    bool fill_failed = false;  // the tree did not fit (outcome.disk_full or oom_killed says how)
    bool ahead = false;  // its sandbox had been made before it was asked for, and it began at once
};

class Client;

class Job {
public:
    Job(Job&&) noexcept;
    Job& operator=(Job&&) noexcept;
    ~Job();  // Kills what still runs and waits until nothing is left (bounded; a leftover is logged with its name).

    // Runs one command to its end. Blocks at most limits.wall_ms + preparation. Errors are our own failures (system_fault);
    // everything the program did is in the Outcome. `stop` is checked whenever something happens and on each wake of `wake`.
    Result<Finished> run(const Request&, const std::atomic<bool>* stop = nullptr, int wake_fd = -1);

    // Whether a sandbox stands ready for a next command like the last: one is made when none is asked for. Waits for it until `deadline`.
    bool prepared(sys::TimePoint deadline) const;

private:
    friend class Client;
    struct Inner;
    explicit Job(std::unique_ptr<Inner>);
    std::unique_ptr<Inner> inner_;
};

class Client {
public:
    // `socket`: one end of a seqpacket pair whose other end the helper serves.
    explicit Client(sys::Fd socket);
    Client(Client&&) noexcept;
    ~Client();

    // `slot` 0..slots_max-1: decides the host uid; one job per slot at a time. `memory_max_bytes`: of the largest stage.
    // `image`: digest of the image that all its commands see; empty: the host's own folders. Errors: missing (the image).
    Result<Job> open_job(int slot, std::int64_t memory_max_bytes, std::string_view image = {});

private:
    struct Inner;
    std::shared_ptr<Inner> inner_;
};

constexpr int slots_max = 64;

}  // namespace assay::sandbox
