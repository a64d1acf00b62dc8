#include "sandbox/own_cores.hh"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.hh"
#include "sandbox/control.hh"
#include "sys/error.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

std::string list_of(std::span<const int> cores) {
    std::string text;
    for (const int core : cores) text += (text.empty() ? "" : ",") + std::to_string(core);
    return text;
}

// A group of version 1 takes nobody before it has memory and cores.
Result<> make_v1(const std::string& parent, const std::string& path, std::span<const int> cores) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return sys::last_error("mkdir", path);
    ASSAY_CHECK(write_control(path + "/cpuset.mems", trimmed(read_control(parent + "/cpuset.mems"))));
    return write_control(path + "/cpuset.cpus", list_of(cores));
}

}  // namespace

std::vector<int> cores_in(std::string_view list) {
    std::vector<int> cores;
    for (const std::string_view part : split(trimmed(list), ',')) {
        const std::size_t dash = part.find('-');
        const std::optional<std::int64_t> first = to_number(part.substr(0, dash));
        const std::optional<std::int64_t> last = dash == part.npos ? first : to_number(part.substr(dash + 1));
        if (!first || !last || *first < 0 || *last >= CPU_SETSIZE) return {};
        for (std::int64_t core = *first; core <= *last; ++core) cores.push_back(static_cast<int>(core));
    }
    return cores;
}

std::vector<int> cores_of_slot(std::span<const int> by_need, int per_slot, int slot) {
    const std::size_t behind = static_cast<std::size_t>(per_slot) * static_cast<std::size_t>(slot);
    const std::size_t count = static_cast<std::size_t>(per_slot);
    if (by_need.size() < behind + count + 1) return {};
    const std::span<const int> own = by_need.subspan(by_need.size() - behind - count, count);
    std::vector<int> rising{own.begin(), own.end()};
    std::ranges::sort(rising);
    return rising;
}

Result<> keep_to_rest(std::span<const int> by_need, int per_slot, int slots) {
    const std::size_t own = static_cast<std::size_t>(per_slot) * static_cast<std::size_t>(slots);
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : by_need.first(by_need.size() - std::min(own, by_need.size())))
        CPU_SET(static_cast<std::size_t>(core), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) return sys::last_error("sched_setaffinity", "");
    return ok;
}

std::vector<int> by_need(std::vector<int> online, std::span<const Interrupt> interrupts) {
    const auto place = [&](int core) {
        const auto needed = std::ranges::count_if(interrupts, [&](const Interrupt& one) {
            return !one.movable && one.cores.size() > 1 && one.comes_to == core;
        });
        return std::pair{-needed, core};
    };
    std::ranges::sort(online, {}, place);
    return online;
}

std::vector<int> online_cores() {
    std::vector<int> cores;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return cores;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(static_cast<std::size_t>(core), &set)) cores.push_back(core);
    }
    return cores;
}

std::vector<Interrupt> device_interrupts() {
    std::vector<Interrupt> found;
    const Result<std::vector<std::string>> numbers = sys::list_directory("/proc/irq");
    if (!numbers) return found;
    for (const std::string& number : *numbers) {
        const std::string place = "/proc/irq/" + number;
        const std::vector<int> comes_to = cores_in(read_control(place + "/effective_affinity_list"));
        struct stat status{};
        if (comes_to.empty() || ::stat((place + "/smp_affinity_list").c_str(), &status) != 0) continue;
        found.push_back(
            {cores_in(read_control(place + "/smp_affinity_list")), comes_to.front(), (status.st_mode & S_IWUSR) != 0});
    }
    return found;
}

std::vector<Hierarchy> core_set_trees() {
    std::vector<Hierarchy> trees = find_hierarchies(core_sets, read_control("/proc/self/mountinfo"), read_control("/proc/self/cgroup"));
    std::erase_if(trees, [](const Hierarchy& tree) { return tree.version != 1 || ::access(tree.own.c_str(), W_OK) != 0; });
    return trees;
}

Result<OwnCores> OwnCores::make(const std::vector<Hierarchy>& hierarchies, const std::string& group, std::span<const int> cores) {
    OwnCores own;
    own.group_ = group;
    if (std::vector<Hierarchy> first = core_set_trees(); !first.empty()) {
        own.tree_ = std::move(first.front());
        own.shared_because_ = "version 1 of control groups cannot keep others off a core";
        ASSAY_CHECK(make_v1(own.tree_.own, own.tree_.own + "/" + group, cores));
        return own;
    }
    const auto second = std::ranges::find(hierarchies, 2, &Hierarchy::version);
    if (second == hierarchies.end()) return Error{Fault::unsupported, "this host has no control groups that could keep cores apart"};
    own.tree_ = *second;
    const std::string all = own.tree_.own + "/" + group;
    for (const std::string& parent : {own.tree_.own, all}) {
        if (Result<> given = write_control(parent + "/cgroup.subtree_control", "+cpuset"); !given)
            return Error{Fault::unsupported, "groups below " + parent + " do not get the controller cpuset: " + given.error().text()};
    }
    ASSAY_CHECK(write_control(all + "/cpuset.cpus", list_of(cores)));
    const std::string partition = all + "/cpuset.cpus.partition";
    const Result<> parted = write_control(partition, "root");
    const std::string reads = read_control(partition);
    if (trimmed(reads) != "root") own.shared_because_ = parted ? std::string{trimmed(reads)} : parted.error().text();
    return own;
}

Result<> OwnCores::give(const std::string& job, std::span<const int> cores) const {
    const std::string all = tree_.own + "/" + group_;
    if (tree_.version == 1) return make_v1(all, tree_.own + "/" + job, cores);
    return write_control(tree_.own + "/" + job + "/cpuset.cpus", list_of(cores));
}

Result<> OwnCores::enter(const std::string& job, int pid) const {
    return tree_.version == 1 ? write_control(tree_.own + "/" + job + "/cgroup.procs", std::to_string(pid)) : ok;
}

}  // namespace assay::sandbox
