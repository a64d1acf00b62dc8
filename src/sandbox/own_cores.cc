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

std::vector<Hierarchy> core_set_trees() { return trees_of_version_1({Controller::cpuset, "cpuset", ""}); }

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
