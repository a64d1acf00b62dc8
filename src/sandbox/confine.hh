// The three processes that end up inside a sandbox: its init, the launcher that becomes the command, and the fill.
//
// Each is started by a keeper, talks to it over `talk` (process.hh), gives up everything in a fixed order and never returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sandbox/filter.hh"
#include "sandbox/helper.hh"
#include "sandbox/launch.hh"
#include "sandbox/root.hh"

namespace assay::sandbox {

// A user namespace in which `uid` of ours is `inside_id` and nobody else is anybody. Nothing in it is held by those that are in it.
Result<sys::Fd> make_users(std::uint32_t uid);

// Pid 1: builds the world, drops to `uid`, then only reaps. `clone_sharing` runs it with an InitPlan: it writes one byte to
// `ready` when all is done and touches no memory but its stack from there on, or leaves `failure` and ends.
struct InitPlan {
    const World* world = nullptr;
    std::string bench;
    std::uint32_t uid = 0;
    int ready = -1;       // writing end of a pipe
    int keeper = -1;      // its reading end, which the keeper alone keeps
    std::optional<Error> failure;
};
int run_init(void* plan);

// Executes the launcher's program (launcher/main.cc) at once, as root and outside of all but the pid namespace: so nothing of the
// keeper's memory has to be copied for it or is left in it. All else that program does, from an Entry. `clone_to_execute` runs it.
struct LauncherPlan {
    int program = -1;
    int talk = -1;
    int failure = 0;  // errno of one that could not be executed
};
int run_launcher(void* plan);

// The way in without a program, after `attached`: says `ready`, and after `go` it calls `fill` in `directory` and exits with its answer.
struct FillPlan {
    int talk = -1;
    Ways ways;
    const Filter* filter = nullptr;
    int complaint = -1;  // its stderr
    FillFunction fill = nullptr;
    int archive = -1;
    std::string prefix;
    std::string directory;
    Rlimits rlimits;
};
[[noreturn]] void run_fill(const FillPlan&);

}  // namespace assay::sandbox
