// Verifiers: strangers' archives, each judged in a process that holds nothing else and can reach nothing.
//
// A verifier is this executable in the role `verifier`. It gives up its rights (system-call filter, Landlock, limits), then is
// sent one archive after the other, as a descriptor and the module's rules, and answers each with a manifest or a refusal.
//
// Invariants
//   1. At most `processes_max` at once, each with one archive. None is started before it is needed.
//   2. One that judged before is believed when it accepts, and in nothing else: what it accepted may have taken it over. Whatever
//      else it says or does ends it, and a fresh one judges the archive anew. So nothing but "accepted" gets from one archive to
//      the sender of another, and nobody is refused for what another one sent. There are never more processes than archives.
//      That is why a manifest's sums are not for the sender to see; `names_converted` is, and other than 0 it is a fresh one's.
//   3. A verifier ends by its first refusal, its death or a bound, after `archives_max` archives, and together with the process
//      that started it, however that ends and whatever the verifier is doing then.
//
// Threading: safe from every thread; verify blocks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "archive/archive.hh"
#include "sys/clock.hh"

namespace assay::archive {

struct VerifierLimits {
    std::size_t processes_max = 1;              // one a core: they compute, and wait for nothing
    int archives_max = 1000;                    // of one process
    std::chrono::milliseconds wall_max{30'000};  // of one archive in one process
};

// Of one archive in one process: counted from before, so that what other archives cost is not this one's.
constexpr std::chrono::milliseconds verifier_cpu_max(std::int64_t archive_bytes) {  // 0.75 s a MiB
    return std::chrono::milliseconds{1000 + archive_bytes / 1400};
}
constexpr std::int64_t verifier_memory_max = 52LL << 20;  // beyond what the process has when it starts: 64 MiB in all

class Verifiers {
public:
    explicit Verifiers(const VerifierLimits&);  // processes_max and archives_max >= 1
    ~Verifiers();                               // No verify() may be under way.
    Verifiers(const Verifiers&) = delete;

    // As archive::verify, by the first verifier that is free until `start_by`. The manifest comes without its listing. A death
    // that the archive can have caused, and a crossed bound of processor time or memory, are refusals (`damaged`: reading_…).
    // Errors: busy (none was free in time, the machine had no time for the archive, or whatever judged it was killed from
    // outside twice: send it again), interrupted (stop), unsupported (this host cannot confine it), else our own failures.
    Result<Verdict> verify(const sys::Fd& archive, const model::UploadRules&, sys::TimePoint start_by);

    // Ends all verifiers at once. Each verify() that is under way or comes later is `interrupted`.
    void stop();

    // What is there now: processes that wait for an archive, those that judge one, and verify() calls that have or start one.
    struct Present {
        std::vector<int> idle_pids;
        std::vector<int> busy_pids;
        std::size_t working = 0;
    };
    Present present() const;

private:
    class Process;
    class Seat;
    const VerifierLimits limits_;
    mutable std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<std::unique_ptr<Process>> idle_;  // The last one that worked at the end.
    std::set<Process*> busy_;
    std::size_t working_ = 0;
    bool stopping_ = false;
};

// The role's main: descriptors 3 = where archives come from and answers go (stream socket), 4 = the pipe that says whether the
// server lives. Returns when nobody sends archives any more. `judge` is a parameter for tests alone.
using Judge = Result<Verdict> (*)(const sys::Fd& archive, const model::UploadRules&);
int verifier_main(Judge judge = verify);

}  // namespace assay::archive
