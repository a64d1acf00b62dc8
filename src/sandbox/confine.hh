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

constexpr std::uint32_t inside_id = 1000;  // uid and gid that the command sees as its own ("student")

// From here on no program that is executed gains a capability; those that are held stay. Inherited. false: refused.
bool drop_bounding_set();

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

struct EntryPlan {
    int talk = -1;
    int init_pidfd = -1;        // whose namespaces to enter
    int host_network = -1;      // network namespace to enter, -1 = stay
    const Filter* filter = nullptr;
    int stdout_fd = -1;         // -1 = /dev/null
    int stderr_fd = -1;
};

// Says `unshared` after it heard `attached`, becomes the launcher's program (launcher/main.cc) after it heard `mapped`: so nothing
// of the keeper's memory is left in it, and nothing of that has to go when it executes its command.
[[noreturn]] void run_launcher(const EntryPlan&, const sys::Fd& program);

// The same way in, without a program; `ready` after `mapped`; after `go` it calls `fill` in `directory` and exits with its answer.
struct FillPlan {
    FillFunction fill = nullptr;
    int archive = -1;
    std::string prefix;
    std::string directory;
    Rlimits rlimits;
};
[[noreturn]] void run_fill(const EntryPlan&, const FillPlan&);

}  // namespace assay::sandbox
