// What this host offers, and what an earlier helper left on it.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/disk_reads.hh"
#include "sandbox/helper.hh"
#include "sandbox/own_cores.hh"
#include "sandbox/process.hh"
#include "sandbox/sandbox.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

constexpr auto clean_time_max = 20s;
constexpr auto probe_time_max = 5s;

bool all_digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

// Alive, with a real uid of ours. A process without memory is a zombie, or a namespace's init that waits for somebody else to
// reap what was in it: it holds nothing any more, and when it goes is not ours to say.
bool in_range(const std::string& pid, std::uint32_t first) {
    Result<std::string> status = sys::read_file("/proc/" + pid + "/status", 16 << 10);
    if (!status || !status->contains("\nVmSize:")) return false;
    const std::size_t at = status->find("\nUid:\t");
    if (at == status->npos) return false;
    std::uint32_t uid = 0;
    const char* const begin = status->data() + at + 6;
    if (std::from_chars(begin, status->data() + status->size(), uid).ec != std::errc{}) return false;
    return uid >= first && uid <= first + runner_uid_offset;
}

// Processes whose real uid is one of ours; each is killed. Returns how many lived.
int kill_by_uid(std::uint32_t first) {
    Result<std::vector<std::string>> names = sys::list_directory("/proc");
    if (!names) return 0;
    int found = 0;
    for (const std::string& name : *names) {
        if (!all_digits(name) || !in_range(name, first)) continue;
        const sys::Fd pidfd = open_pidfd(std::stoi(name));
        if (!pidfd || !in_range(name, first)) continue;  // Looked at again with the pidfd held: never a stranger.
        kill_process(pidfd);
        ++found;
    }
    return found;
}

// Every kind of namespace a sandbox needs.
bool can_make_namespaces() {
    constexpr int kinds = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWUSER;
    Result<Spawned> child = clone_process();
    if (!child) return false;
    if (child->pid == 0) ::_exit(::unshare(kinds) == 0 ? 0 : 1);
    const std::optional<Ending> exit = reap(child->pidfd, sys::system_clock().now() + probe_time_max);
    return exit && !exit->signalled && exit->code == 0;
}

constexpr std::string_view probe_prefix = "assay-probe-";

// Of checks that were killed. Nobody was ever in such a group.
void remove_old_probes(const std::vector<Hierarchy>& hierarchies) {
    for (const Hierarchy& hierarchy : hierarchies) {
        Result<std::vector<std::string>> names = sys::list_directory(hierarchy.own);
        if (!names) continue;
        for (const std::string& name : *names) {
            if (!name.starts_with(probe_prefix)) continue;
            const std::string pid = name.substr(probe_prefix.size());
            if (all_digits(pid) && ::access(("/proc/" + pid).c_str(), F_OK) != 0)
                (void)::rmdir((hierarchy.own + "/" + name).c_str());
        }
    }
}

}  // namespace

Result<> clean_leftovers(const std::string& directory_id) {
    if (::geteuid() != 0) return Error{Fault::denied, "removing what an earlier helper left needs root"};
    const sys::TimePoint deadline = sys::system_clock().now() + clean_time_max;
    std::vector<Hierarchy> hierarchies = find_hierarchies();
    std::ranges::move(core_set_trees(), std::back_inserter(hierarchies));
    std::ranges::move(block_trees(), std::back_inserter(hierarchies));
    // First the tree that kills all of a group in one go, and in it helper and keepers: none should report on the death of another.
    std::ranges::partition(hierarchies, [](const Hierarchy& h) { return h.serves(Controller::unified); });
    for (const std::string& name :
         {helper_group(directory_id), commands_group(directory_id), reads_group(directory_id)}) {
        ASSAY_CHECK(kill_and_remove(find_groups(hierarchies, name), deadline));
    }
    // On a host without groups, and for what died too slowly: by identity.
    const std::uint32_t first = first_uid_for(directory_id);
    while (kill_by_uid(first) > 0) {
        if (sys::system_clock().now() >= deadline) return Error{Fault::timed_out, "processes of uids " + std::to_string(first) + " and up do not die"};
        pause_for(1ms);
    }
    return ok;
}

HostCheck check_host() {
    using model::Guarantee;
    HostCheck result;
    model::Guarantees& sure = result.guarantees;
    sure.wall = sure.output = Guarantee::exact;
    const bool root = ::geteuid() == 0;
    const bool namespaces = root && can_make_namespaces();
    if (!root) result.missing.emplace_back("rights: sandboxes are built by root; start as root");
    else if (!namespaces) result.missing.emplace_back("namespaces: this kernel or container does not let root make them; run on the host or with CAP_SYS_ADMIN");
    if (namespaces) sure.disk = Guarantee::exact;

    const std::vector<Hierarchy> hierarchies = find_hierarchies();
    if (root) remove_old_probes(hierarchies);
    const std::string name = std::string{probe_prefix} + std::to_string(::getpid());
    Result<Group> probe = root ? Group::make(hierarchies, name, true) : Result<Group>{Error{Fault::denied, "not root"}};
    struct Need {
        Controller controller;
        const char* name;
        Guarantee* guarantee;
    };
    const Need needs[] = {{Controller::memory, "memory", &sure.memory}, {Controller::pids, "pids", &sure.processes}, {Controller::cpuacct, "cpuacct", &sure.cpu}};
    for (const Need& need : needs) {
        *need.guarantee = Guarantee::approximate;
        if (!root) continue;
        const auto offer = std::ranges::find_if(hierarchies, [&](const Hierarchy& hierarchy) { return hierarchy.serves(need.controller); });
        if (offer == hierarchies.end()) {
            result.missing.push_back(std::string{"cgroup controller "} + need.name + ": no hierarchy that may be written to offers it; mount cgroup version 2 at /sys/fs/cgroup, or start a container with its cgroups writable");
        } else if (!probe) {
            result.missing.push_back(std::string{"cgroup controller "} + need.name + ": " + probe.error().text());
        } else if (!offer->crowded && !probe->has(need.controller)) {  // A crowded one hands it on once the helper has made room.
            result.missing.push_back(std::string{"cgroup controller "} + need.name + ": groups below " + offer->own + " do not get it; it must be in cgroup.subtree_control there");
        } else {
            *need.guarantee = Guarantee::exact;
        }
    }
    if (probe) {
        constexpr std::int64_t memory_bytes = 64 << 20;
        if (Result<std::optional<std::int64_t>> got = probe->limit_memory(memory_bytes, true); !got) {
            sure.memory = Guarantee::approximate;
            result.missing.push_back("memory limit: " + got.error().text());
        } else if (*got && !probe->limits_swap()) {
            sure.memory = Guarantee::approximate;
            result.missing.emplace_back("memory limit: this host has swap that the kernel does not count; boot with swapaccount=1, or swapoff -a");
        }
        if (Result<std::optional<std::int64_t>> got = probe->limit_cores(1); got && *got) sure.cores = Guarantee::exact;
        if (Result<std::optional<std::int64_t>> got = probe->limit_processes(16); !got) {
            sure.processes = Guarantee::approximate;
            result.missing.push_back("process limit: " + got.error().text());
        }
        (void)probe->remove(sys::system_clock().now() + probe_time_max);
    }
    for (const Hierarchy& hierarchy : hierarchies) {  // As above: what the helper will have once it has made room.
        if (hierarchy.crowded && hierarchy.serves(Controller::cpu)) sure.cores = Guarantee::exact;
    }
    result.can_grade = namespaces && sure.memory == Guarantee::exact && sure.processes == Guarantee::exact && sure.cpu == Guarantee::exact;
    return result;
}

}  // namespace assay::sandbox
