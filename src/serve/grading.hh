// Grading: the privileged helper and the runner process, as the server sees them: started, watched, started again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatch/dispatch.hh"
#include "http/server.hh"
#include "queue/board.hh"
#include "sandbox/helper.hh"
#include "serve/config.hh"
#include "serve/data_directory.hh"

namespace assay::serve {

// What must happen while we are still root and single-threaded: the predecessor's leftovers are ended, the helper is forked.
// Without root, or on a host that lacks a needed guarantee, there is no helper and `cannot` says why.
struct Privileged {
    std::optional<sandbox::Helper> helper;
    std::optional<model::WaitDetail> cannot;
    std::string jobs;  // sandbox::commands_memory_directory
    std::string scratch_disk_lacks;  // why there is none, though it is asked for
    std::optional<std::int64_t> scratch_kept_bytes;  // that it has to leave free on the disk; nullopt: there is none
};
Result<Privileged> start_privileged(const DataDirectory& directory, const Config& config, int slots);

class RunnerKeeper {
public:
    RunnerKeeper(const sandbox::Helper& helper, http::Server& server, dispatch::Dispatcher& dispatcher, queue::Board& board, int slots)
        : helper_{helper}, server_{server}, dispatcher_{dispatcher}, board_{board}, slots_{slots} {}

    // Starts the runner when none runs and its time has come. After a death it waits 1 s, doubling to 30 s, so that a runner
    // that cannot live does not keep the machine busy.
    void tend(sys::TimePoint now);
    // Readable when the runner has ended: then call ended(). -1: none runs.
    int watched() const { return role_ ? role_->pidfd.get() : -1; }
    void ended(sys::TimePoint now);
    std::optional<sys::TimePoint> next_start() const;

private:
    const sandbox::Helper& helper_;
    http::Server& server_;
    dispatch::Dispatcher& dispatcher_;
    queue::Board& board_;
    int slots_;
    std::optional<sandbox::Role> role_;
    sys::TimePoint started_{};
    sys::TimePoint start_at_{};
    std::chrono::seconds wait_{0};
};

}  // namespace assay::serve
