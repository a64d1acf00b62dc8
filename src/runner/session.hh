// Session: the runner's side of the protocol. One thread for heartbeats, one per slot; each has a connection of its own.
//
// Invariants
//   1. Work stops as soon as it is no longer ours: the server's answer says so, two thirds of the lease passed without a
//      heartbeat, or any connection closed.
//   2. Only the thread that leased a job reports it, and only while it was not told to drop it.
//   3. When `serve_leases` returns no evaluation runs any more.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "runner/runner.hh"
#include "sys/fd.hh"

namespace assay::runner {

// `evaluate` with its sandbox bound. Called on the slot's thread. An Error other than `interrupted` is reported as a fault of
// the attempt; `unreachable` (the sandbox is gone) ends the session as well.
using Evaluator = std::function<Result<model::Report>(int slot, const Work&, const std::atomic<bool>& stop, int wake_fd,
                                                      const std::function<void(const Progress&)>& told)>;

// Serves leases until the session ends. `sockets`: connected streams to the server, the first for heartbeats, each other a
// slot (at least one). Blocks. Errors: the session could not begin.
Result<> serve_leases(std::vector<sys::Fd> sockets, const std::string& name, const Evaluator&);

}  // namespace assay::runner
