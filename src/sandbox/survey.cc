#include "sandbox/survey.hh"

#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "base/text.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/control.hh"
#include "sandbox/cores.hh"
#include "sandbox/disk_reads.hh"
#include "sandbox/disk_scratch.hh"
#include "sandbox/disks.hh"
#include "sandbox/own_cores.hh"
#include "sandbox/pressure.hh"
#include "sandbox/process.hh"
#include "sandbox/rootless.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

const std::string jobs_unit = "assay-jobs.service";  // packaging/systemd

using namespace std::chrono_literals;

constexpr auto probe_time_max = 5s;
constexpr std::size_t file_bytes_max = 64 << 10;
constexpr int kernel_min[] = {5, 14};             // cgroup.kill; before it mount_setattr, clone3 and pidfds
constexpr std::uint64_t descriptors_wanted = 16384;
constexpr std::int64_t tick_ns_good = 4'000'000;  // 250 Hz
constexpr std::int64_t read_ahead_kib_good = 512;  // A millisecond or two of a disk; Linux begins with 128.

std::string text_of(const std::string& path) {
    const Result<std::string> text = sys::read_file(path, file_bytes_max);
    return text ? std::string{trimmed(*text)} : std::string{};
}

Standing of(model::Guarantee guarantee) {
    switch (guarantee) {
        case model::Guarantee::exact: return Standing::exact;
        case model::Guarantee::approximate: return Standing::approximate;
        case model::Guarantee::none: return Standing::none;
    }
    return Standing::none;
}

bool can_unshare(int kinds) {
    Result<Spawned> child = clone_process();
    if (!child) return false;
    if (child->pid == 0) ::_exit(::unshare(kinds) == 0 ? 0 : 1);
    const std::optional<Ending> exit = reap(child->pidfd, sys::system_clock().now() + probe_time_max);
    return exit && !exit->signalled && exit->code == 0;
}

void add_namespaces(std::vector<Finding>& findings) {
    const bool root = ::geteuid() == 0;
    constexpr std::pair<const char*, int> kinds[] = {{"user", CLONE_NEWUSER}, {"pid", CLONE_NEWPID}, {"mount", CLONE_NEWNS}, {"network", CLONE_NEWNET},
                                                     {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}};
    for (const auto& [name, kind] : kinds) {
        // Without root the others come with a user namespace of one's own.
        const bool made = can_unshare(root ? kind : kind | CLONE_NEWUSER);
        findings.push_back({std::string{"namespace "} + name, made ? "can be made" : "cannot be made", made ? Standing::fine : Standing::missing,
                            made ? "" : root ? "run on the host itself, or in a container with CAP_SYS_ADMIN whose seccomp profile allows unshare" : "start as root"});
    }
}

// What `cores_per_slot` would be worth here.
Finding cores_apart(const std::vector<Hierarchy>& hierarchies) {
    constexpr const char* name = "own cores";
    if (online_cores().size() < 2) return {name, "one core alone", Standing::weak, "a machine with more cores, if slots are to have some of their own"};
    if (!core_set_trees().empty())
        return {name, "a cpuset of cgroup version 1: the server and its jobs keep off, other programs do not", Standing::weak, "boot with cgroup version 2 alone (systemd.unified_cgroup_hierarchy=1)"};
    for (const Hierarchy& hierarchy : hierarchies) {
        const std::string offered = " " + std::string{trimmed(text_of(hierarchy.own + "/cgroup.controllers"))} + " ";
        if (hierarchy.version == 2 && offered.contains(" cpuset "))
            return {name, "a cpuset of cgroup version 2", Standing::fine, ""};
    }
    return {name, "cannot be kept apart", Standing::weak, "let the cgroup controller cpuset reach our groups: cgroup.subtree_control on version 2"};
}

// Where what is handed in stands in the line for a processor.
Finding turns_of_jobs(const std::vector<Hierarchy>& hierarchies) {
    const auto turns =
        std::ranges::find_if(hierarchies, [](const Hierarchy& hierarchy) { return hierarchy.serves(Controller::cpu); });
    if (turns == hierarchies.end())
        return {"turns of jobs", "like anybody's", Standing::weak, "mount the cgroup controller cpu"};
    const bool lodged = ::access((turns->mount + "/" + jobs_unit).c_str(), F_OK) == 0;
    const bool managed = ::access("/run/systemd/system", F_OK) == 0;
    return judge_turns_of_jobs(lodged, managed, turns->own == turns->mount ? "" : turns->own);
}

// What `disk_read_mib_per_s` would be worth here, for the machine's own folders.
Finding disk_reads(const std::vector<Hierarchy>& hierarchies) {
    constexpr const char* name = "disk reads";
    const Result<Hierarchy> tree = disk_read_tree(hierarchies);
    if (!tree)
        return {name, "not bounded: " + tree.error().text(), Standing::weak,
                ::geteuid() != 0 ? "start as root"
                                 : "let the cgroup controller io reach our groups: cgroup.subtree_control on version "
                                   "2; until then a program that reads much makes others wait for the disk"};
    const Result<std::string> disk = disk_of("/usr");
    if (!disk)
        return {name, "not bounded: " + disk.error().text(), Standing::weak,
                "run on the host itself, with /usr and the data directory on a disk's file system; until then a "
                "program that reads much makes others wait for the disk"};
    return judge_read_ahead("bounded at disk " + *disk + ", by cgroup version " + std::to_string(tree->version), *disk,
                            text_of("/sys/dev/block/" + *disk + "/queue/read_ahead_kb"));
}

// What `scratch_disk_mib_max` would be worth here.
Finding disk_scratch(const std::vector<Hierarchy>& hierarchies) {
    constexpr const char* name = "scratch on disk";
    const std::optional<Lack> lack = lack_for_disk_scratch(hierarchies);
    if (lack)
        return {name, "cannot be had: " + lack->what, Standing::weak,
                lack->cure + "; until then all scratch is memory"};
    return {name, "can be had, bounded by cgroup version 2", Standing::fine, ""};
}

void add_limits(std::vector<Finding>& findings, const HostCheck& host, const std::vector<Hierarchy>& hierarchies) {
    const auto source = [&](Controller controller, const char* instead) {
        for (const Hierarchy& hierarchy : hierarchies) {
            if (hierarchy.serves(controller)) return "cgroup version " + std::to_string(hierarchy.version) + " below " + hierarchy.own;
        }
        return std::string{instead};
    };
    const auto cure = [&](std::string_view about) {
        for (const std::string& missing : host.missing) {
            if (missing.starts_with(about)) return missing.substr(missing.find(": ") + 2);
        }
        return ::geteuid() != 0 ? std::string{"start as root"} : std::string{};
    };
    const model::Guarantees& sure = host.guarantees;
    const auto add = [&](const char* name, model::Guarantee guarantee, std::string value, std::string what) {
        findings.push_back({name, std::move(value), of(guarantee), guarantee == model::Guarantee::exact ? "" : std::move(what)});
    };
    const std::string memory = cure("memory limit");
    add("limit cpu", sure.cpu, source(Controller::cpuacct, "rlimit, each process for itself"), cure("cgroup controller cpuacct"));
    add("limit wall", sure.wall, "a timer", "");
    add("limit memory", sure.memory, source(Controller::memory, "rlimit, address space of each process"),
        memory.empty() || memory == "start as root" ? cure("cgroup controller memory") : memory);
    add("limit processes", sure.processes, source(Controller::pids, "rlimit, of the sandbox's own uid"), cure("cgroup controller pids"));
    add("limit output", sure.output, "counted as it is read", "");
    add("limit disk", sure.disk, "a tmpfs of that size", cure("namespaces"));
    add("limit cores", sure.cores, source(Controller::cpu, "only what a program sees"), "let the cgroup controller cpu reach our groups: cgroup.subtree_control on version 2");
    findings.push_back(turns_of_jobs(hierarchies));
    findings.push_back(cores_apart(hierarchies));
    findings.push_back(disk_reads(hierarchies));
    findings.push_back(disk_scratch(hierarchies));
}

Finding on_or_off(const char* name, const std::string& path, const char* off_cure, Standing off) {
    const std::string value = text_of(path);
    if (value.empty()) return {name, "not known", Standing::weak, std::string{"this kernel has no "} + path};
    const bool on = value != "0";
    return {name, on ? "on" : "off", on ? Standing::fine : off, on ? "" : off_cure};
}

Finding seccomp() {
    const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    const bool there = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
    return {"seccomp", there ? "filters that can kill a process" : "no", there ? Standing::fine : Standing::missing, there ? "" : "a kernel with CONFIG_SECCOMP_FILTER"};
}

Finding landlock() {
    const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version > 0) return {"Landlock", "version " + std::to_string(version), Standing::fine, ""};
    return {"Landlock", "no", Standing::weak, "boot with landlock in lsm=; archives are judged without this second wall until then"};
}

Finding psi() {
    const bool there = total_stalled_us(text_of("/proc/pressure/cpu")).has_value();
    return {"pressure (PSI)", there ? "told" : "not told", there ? Standing::fine : Standing::weak, there ? "" : "boot with psi=1; until then nothing says whether a timing is trustworthy"};
}

Finding resources() {
    const std::string status = text_of("/proc/self/status");
    const std::size_t at = status.find("CapEff:\t");
    std::uint64_t held = 0;
    if (at != status.npos) (void)std::from_chars(status.data() + at + 8, status.data() + status.size(), held, 16);
    const bool there = (held >> 24U & 1U) != 0;  // CAP_SYS_RESOURCE
    return {"CAP_SYS_RESOURCE", there ? "held" : "not held", there ? Standing::fine : Standing::weak,
            there ? "" : "not needed; hard limits can then only be lowered, so raise them where the server is started (ulimit, LimitNOFILE=)"};
}

Finding user_namespaces() {
    const std::string switched = text_of("/proc/sys/kernel/unprivileged_userns_clone");
    const std::string most = text_of("/proc/sys/user/max_user_namespaces");
    const bool off = switched == "0" || most == "0";
    // Not a fault either way: sandboxes are built by root, and fewer ways into the kernel are better.
    return {"unprivileged user namespaces", off ? "off" : "on", Standing::fine, ""};
}

Finding tick() {
    timespec resolution{};
    if (::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) != 0 || resolution.tv_nsec <= 0) return {"tick (HZ)", "not known", Standing::weak, ""};
    const bool good = resolution.tv_nsec <= tick_ns_good;
    return {"tick (HZ)", std::to_string(1'000'000'000 / resolution.tv_nsec), good ? Standing::fine : Standing::weak,
            good ? "" : "a kernel with CONFIG_HZ of 250 or more passes CPU limits by less"};
}

Finding clock() {
    timex state{};
    const bool synchronised = ::adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    const std::string source = text_of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    return {"clock", (source.empty() ? "source not known" : source) + (synchronised ? ", synchronised" : ", not synchronised"),
            synchronised ? Standing::fine : Standing::weak, synchronised ? "" : "start a time service (systemd-timesyncd, chrony): deadlines are compared with this clock"};
}

Finding descriptors() {
    rlimit limit{};
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    const std::string most = text_of("/proc/sys/fs/file-nr");  // used, 0, largest
    const auto words = split(most, '\t');
    const bool enough = limit.rlim_max >= descriptors_wanted;
    return {"file descriptors", std::to_string(limit.rlim_max) + " of one process" + (words.size() == 3 ? ", machine " + std::string{words[0]} + " of " + std::string{words[2]} : ""),
            enough ? Standing::fine : Standing::weak, enough ? "" : "raise the hard limit where the server is started: ulimit -Hn 65536, LimitNOFILE=65536"};
}

Finding rights() {
    const bool root = ::geteuid() == 0;
    return {"rights", root ? "root" : "uid " + std::to_string(::geteuid()), root ? Standing::fine : Standing::missing,
            root ? "" : "start as root to grade; assay run works without, see rootless"};
}

Finding rootless() {
    const Result<> may = may_become_own_root();
    return {"rootless", may ? "assay run, in a user namespace" : "no", may ? Standing::fine : Standing::weak, may ? "" : may.error().text()};
}

}  // namespace

std::string_view to_string(Standing standing) {
    switch (standing) {
        case Standing::exact: return "exact";
        case Standing::approximate: return "approximate";
        case Standing::none: return "none";
        case Standing::fine: return "fine";
        case Standing::weak: return "weak";
        case Standing::missing: return "missing";
    }
    return "";
}

Finding judge_kernel(std::string_view release) {
    const std::string least = std::to_string(kernel_min[0]) + "." + std::to_string(kernel_min[1]);
    Finding finding{"kernel", std::string{release}, Standing::missing, "Linux " + least + " or newer; Debian 12 has 6.1"};
    int major = 0;
    int minor = 0;
    const char* const end = release.data() + release.size();
    const auto first = std::from_chars(release.data(), end, major);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.') return finding;
    if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc{}) return finding;
    if (major > kernel_min[0] || (major == kernel_min[0] && minor >= kernel_min[1])) finding = {"kernel", std::string{release}, Standing::fine, ""};
    return finding;
}

Finding judge_core_pattern(std::string_view pattern) {
    const bool pipe = pattern.starts_with('|');
    return {"core_pattern", pipe ? "a program: " + std::string{pattern.substr(1)} : pattern.empty() ? "empty" : std::string{pattern}, pipe ? Standing::weak : Standing::fine,
            pipe ? "sysctl kernel.core_pattern=core; a program that gets core dumps by a pipe gets them from sandboxes too, whatever their limit" : ""};
}

Finding judge_swaps(std::string_view swaps, bool limited) {
    const bool none = split(trimmed(swaps), '\n').size() <= 1;
    if (none) return {"swap", "none", Standing::fine, ""};
    return {"swap", limited ? "used, and counted" : "used, and not counted", limited ? Standing::fine : Standing::missing,
            limited ? "" : "boot with swapaccount=1, or swapoff -a: a memory limit means nothing while a program can swap"};
}

Finding judge_turns_of_jobs(bool lodged, bool managed, std::string_view below) {
    constexpr const char* name = "turns of jobs";
    if (lodged) return {name, "as the unit " + std::string{jobs_unit} + " says", Standing::fine, ""};
    if (managed)
        return {name, "after the server's alone: to the rest of the machine they are the server", Standing::weak,
                "install packaging/systemd/assay-jobs.service beside assay.service"};
    if (!below.empty())
        return {name, "after what else is in " + std::string{below} + " alone", Standing::weak,
                "name a group directly below the root of the tree with jobs_group"};
    return {name, "after everything else of the machine", Standing::fine, ""};
}

Finding judge_read_ahead(std::string_view bound, std::string_view disk, std::string_view kib) {
    Finding finding{"disk reads", std::string{bound}, Standing::fine, ""};
    if (to_number(kib).value_or(0) <= read_ahead_kib_good) return finding;
    finding.value += ", but one may bring " + std::string{kib} + " KiB (read-ahead)";
    finding.standing = Standing::weak;
    finding.cure = "echo 128 > /sys/dev/block/" + std::string{disk} +
                   "/queue/read_ahead_kb, and a udev rule that keeps it; until then whoever syncs waits behind that much at once";
    return finding;
}

Survey survey_host() {
    Survey survey;
    std::vector<Finding>& findings = survey.findings;
    utsname name{};
    (void)::uname(&name);
    const HostCheck host = check_host();
    const std::vector<Hierarchy> hierarchies = find_hierarchies();
    findings.push_back(judge_kernel(name.release));
    findings.push_back(rights());
    if (::geteuid() != 0) findings.push_back(rootless());
    add_namespaces(findings);
    add_limits(findings, host, hierarchies);
    const bool swap_limited = std::ranges::none_of(host.missing, [](const std::string& text) { return text.contains("swap"); }) && host.guarantees.memory == model::Guarantee::exact;
    findings.push_back(judge_swaps(text_of("/proc/swaps"), swap_limited));
    findings.push_back(seccomp());
    findings.push_back(landlock());
    findings.push_back(psi());
    findings.push_back(resources());
    findings.push_back(judge_core_pattern(text_of("/proc/sys/kernel/core_pattern")));
    findings.push_back(on_or_off("protected_hardlinks", "/proc/sys/fs/protected_hardlinks", "sysctl fs.protected_hardlinks=1", Standing::weak));
    findings.push_back(user_namespaces());
    findings.push_back(tick());
    findings.push_back(clock());
    findings.push_back(descriptors());
    survey.can_grade = host.can_grade;
    return survey;
}

}  // namespace assay::sandbox
