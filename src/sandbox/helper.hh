// The helper: the one process that keeps root. It builds sandboxes on request and parses nothing that people wrote.
//
// Requests are fixed-size messages with passed descriptors (protocol.hh). What a command's arguments and environment are
// stays in a memory file that only the already confined launcher reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "model/limits.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// Unpacks the archive at fd `archive` into the current directory. Runs in a forked, confined child of the helper: it may
// allocate, read and write files, nothing else. Returns 0, or 1 with a message on fd 2. Provided by the composition root,
// since this room knows nothing of archives.
using FillFunction = int (*)(int archive, const char* prefix);

// How fast the commands of one job may read from a disk, all of them together; 0: as fast as it can.
struct DiskPace {
    int mib_per_s = 64;
    int reads_per_s = 1000;

    // With less, programs that were killed while they read are not gone within seconds.
    static constexpr int mib_per_s_least = 4;
    static constexpr int reads_per_s_least = 100;
    static constexpr int most = 1'000'000;  // more than any disk has
    static constexpr bool is_pace(int value, int least) { return value == 0 || (value >= least && value <= most); }
};

// Scratch on disk (disk_scratch.hh), for commands that ask for it.
struct DiskScratchRules {
    std::string folder;  // where its files are, which have no names
    int mib_max = 0;  // how large one may be; 0: none is offered
    std::int64_t free_bytes_min = 64LL << 20;  // that it leaves on the disk of the folder
};
// Why this host can have none, in a sentence with what to do; empty: it can.
std::string no_disk_scratch();

struct HelperConfig {
    std::string directory_id;        // 16 hex digits; names cgroups, so that two servers never meet
    std::uint32_t first_uid = 0;     // host uids: first_uid + slot; first_uid + slots_max = the init of every sandbox
    FillFunction fill = nullptr;
    bool allow_binds = false;        // `assay run` only
    bool network_each = false;       // a network namespace for each command and not for each slot: nothing can stay in an empty one, and it costs
    int cpu_weight = 0;              // of all commands together, 1..10000, beside 100 of an ordinary group; 0: they run when nothing else wants to
    std::string
        jobs_group;  // where the groups of commands are made, of a service manager's (lodge, cgroup.hh); empty: beside the helper's
    int cores_per_slot = 0;          // that each of `slots` has to itself (own_cores.hh), the last ones of the machine first; 0: they share all
    int slots = 0;                   // only for that
    DiskPace
        disk_reads;  // of each job (disk_reads.hh), where this host can bound them; and of scratch on disk, both ways
    DiskScratchRules disk_scratch;
    // A folder on which the helper holds the flock as long as it lives, and for which it waits until the one before with this directory_id
    // has ended: at most 15 s. Empty: nobody else ever has this id.
    std::string turn_directory;
    std::string data;                // the directory with images/DIGEST/root; empty: jobs see the host's own folders alone
};

// Uids for the directory `id`, in a range that neither people, packages nor systemd give out (see README.md); in a user namespace that does
// not have it, as of a container, in the one it has.
std::uint32_t first_uid_for(const std::string& directory_id);
// The same for a /proc/self/uid_map, and a hash of the id. Pure.
std::uint32_t first_uid_in(std::string_view uid_map, std::uint32_t hash);

// The cgroups of a directory's commands, and of its helper with keepers and roles: side by side, as the commands' turn on a
// processor comes after everything else of the machine.
inline std::string commands_group(const std::string& directory_id) { return "assay-" + directory_id; }
// Below it: what runs in a slot.
inline std::string job_group(const std::string& commands_group, std::int64_t slot) { return commands_group + "/job" + std::to_string(slot); }
// What version 1 bounds the reads of, a group a slot: with its keeper in it, which is in none of a job.
inline std::string reads_group(const std::string& directory_id) { return "assay-" + directory_id + "-reads"; }
inline std::string helper_group(const std::string& directory_id) { return "assay-" + directory_id + "-helper"; }
// The directory of commands_group in the hierarchy that counts memory, where `job0`, `job1`, … come and go: for whoever watches them.
// Needs root, and the helper. Empty: this host has none.
std::string commands_memory_directory(const std::string& directory_id);
constexpr std::uint32_t runner_uid_offset = 65;  // first_uid + this: the runner's own identity

// Forks the helper off the calling (single-threaded, root) process. The returned socket is the control end; the helper lives
// exactly as long as it stays open somewhere.
struct Helper {
    sys::Fd control;
    int pid = 0;
};
Result<Helper> start_helper(const HelperConfig&);

// Closes the control socket and waits until the helper has ended every sandbox and itself; after the deadline it is killed.
void stop_helper(Helper helper, sys::TimePoint deadline);

// Asks the helper for a sandbox connection of our own (for `assay run`).
Result<sys::Fd> connect_client(const Helper&);

// Asks the helper to kill every command that runs in a slot now. Does not wait: there is no answer. Its job goes on, so whoever asks has
// seen to it that nothing it reports counts.
Result<> end_commands(const Helper&, int slot);

// Asks the helper to start a role of this executable as uid first_uid + runner_uid_offset, with `descriptors` at 3.. and a
// sandbox connection as the last one; fd 2 is ours. Returns a pidfd that polls readable when it has ended.
struct Role {
    int pid = 0;
    sys::Fd pidfd;
};
Result<Role> spawn_role(const Helper&, const std::string& argument, const std::vector<int>& descriptors);

// Kills and removes what an earlier helper of the same directory id left: processes, cgroups. Needs root. Bounded in time.
Result<> clean_leftovers(const std::string& directory_id);

// What this host can guarantee, probed by making and removing a group; the text says what is missing and the cure.
struct HostCheck {
    model::Guarantees guarantees;
    bool can_grade = false;              // serve's condition: memory, processes, cpu exact; namespaces there
    std::vector<std::string> missing;
};
HostCheck check_host();

}  // namespace assay::sandbox
