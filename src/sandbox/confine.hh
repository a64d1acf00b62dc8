// The three processes that end up inside a sandbox: its init, the launcher that becomes the command, and the fill.
//
// Each is started by a keeper, talks to it over `talk` (process.hh), gives up everything in a fixed order and never returns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sandbox/filter.hh"
#include "sandbox/helper.hh"
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

struct Rlimits {
    std::int64_t open_files = 256;
    std::int64_t file_bytes = 0;
    std::int64_t stack_bytes = 0;
    // Only where the host has no such cgroup; 0 = not set.
    std::int64_t address_space_bytes = 0;
    std::int64_t processes = 0;
    std::int64_t cpu_seconds = 0;
};

struct EntryPlan {
    int talk = -1;
    int init_pidfd = -1;        // whose namespaces to enter
    int host_network = -1;      // network namespace to enter, -1 = stay
    const Filter* filter = nullptr;
    int stdout_fd = -1;         // -1 = /dev/null
    int stderr_fd = -1;
};

// What a launcher waits for: all that a command has of its own. Descriptors: the command (pack_command), [its input].
struct Assignment {
    Rlimits rlimits;
    std::uint32_t has_stdin = 0;  // else it reads from /dev/null
};

// Says `unshared` after it heard `attached`, `ready` after it heard `mapped`; executes what is assigned to it then.
// What cannot be executed ends like in a shell: a line on stderr, exit 127 (not found) or 126.
[[noreturn]] void run_launcher(const EntryPlan&);

// The same up to `ready`; after `go` it calls `fill` in `directory` and exits with its answer.
struct FillPlan {
    FillFunction fill = nullptr;
    int archive = -1;
    std::string prefix;
    std::string directory;
    Rlimits rlimits;
};
[[noreturn]] void run_fill(const EntryPlan&, const FillPlan&);

// A command as one block of bytes, made by the client and parsed by the launcher alone:
// counts of arguments and variables (native u32), then each of them and the directory, ended by NUL.
std::string pack_command(const std::vector<std::string>& arguments, const std::vector<std::string>& environment, const std::string& directory);
struct Command {
    std::vector<char*> arguments;    // ends with nullptr; points into the bytes it was parsed from
    std::vector<char*> environment;  // the same
    char* directory = nullptr;
};
// Errors: invalid. `bytes` must outlive the command.
Result<Command> parse_command(std::string& bytes);

}  // namespace assay::sandbox
