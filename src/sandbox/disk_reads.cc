#include "sandbox/disk_reads.hh"

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

constexpr std::string_view bytes_control = "blkio.throttle.read_bps_device";
constexpr std::string_view reads_control = "blkio.throttle.read_iops_device";

std::int64_t bytes_per_s(const DiskPace& pace) { return std::int64_t{pace.mib_per_s} << 20U; }

}  // namespace

std::vector<Hierarchy> block_trees() { return trees_of_version_1({Controller::io, "blkio", ""}); }

Result<Hierarchy> disk_read_tree(const std::vector<Hierarchy>& hierarchies) {
    for (Hierarchy& tree : block_trees()) {
        // One that a Group uses has groups of these names already, and not for a keeper.
        if (std::ranges::find(hierarchies, tree.mount, &Hierarchy::mount) == hierarchies.end()) return std::move(tree);
    }
    for (const Hierarchy& hierarchy : hierarchies) {
        if (hierarchy.version == 2 && hierarchy.serves(Controller::io)) return hierarchy;
    }
    return Error{Fault::unsupported, "no control group of this host bounds reads"};
}

std::string io_max_of(const std::string& disk, const DiskPace& pace) {
    const auto figure = [](std::int64_t value) { return value > 0 ? std::to_string(value) : std::string{"max"}; };
    return disk + " rbps=" + figure(bytes_per_s(pace)) + " riops=" + figure(pace.reads_per_s);
}

DiskReads::DiskReads(const std::vector<Hierarchy>& hierarchies, const std::string& directory_id, const DiskPace& pace,
                     std::vector<std::string> disks)
    : id_{directory_id}, pace_{pace} {
    if (pace.mib_per_s == 0 && pace.reads_per_s == 0) return;
    Result<Hierarchy> tree = disk_read_tree(hierarchies);
    if (!tree) return;
    tree_ = std::move(tree).value();
    if (tree_.version == 1 && ::mkdir((tree_.own + "/" + reads_group(id_)).c_str(), 0755) != 0 && errno != EEXIST)
        return;
    disks_ = std::move(disks);
}

std::string DiskReads::place_of(int slot) const {
    if (tree_.version == 2) return tree_.own + "/" + job_group(commands_group(id_), slot) + "/";
    return tree_.own + "/" + reads_group(id_) + "/slot" + std::to_string(slot) + "/";
}

Result<> DiskReads::bound(int slot, int pid) const {
    if (disks_.empty()) return ok;
    const std::string place = place_of(slot);
    Result<> done = ok;
    const auto write = [&](std::string_view control, const std::string& text) {
        if (Result<> written = write_control(place + std::string{control}, text); !written) done = std::move(written);
    };
    if (tree_.version == 1 && ::mkdir(place.c_str(), 0755) != 0 && errno != EEXIST)
        return sys::last_error("mkdir", place);
    for (const std::string& disk : disks_) {
        if (tree_.version == 2) {
            write("io.max", io_max_of(disk, pace_));
            continue;
        }
        write(bytes_control, disk + " " + std::to_string(bytes_per_s(pace_)));  // 0: as fast as they come.
        write(reads_control, disk + " " + std::to_string(pace_.reads_per_s));
    }
    if (tree_.version == 1) write("cgroup.procs", std::to_string(pid));
    return done;
}

sys::Fd DiskReads::counter(int slot) const {
    if (disks_.empty() || tree_.version != 1) return {};
    return open_control(place_of(slot) + "blkio.throttle.io_service_bytes_recursive");
}

std::optional<std::int64_t> bytes_read(const sys::Fd& counter) {
    if (!counter) return std::nullopt;
    constexpr std::string_view key = " Read ";
    std::int64_t sum = 0;
    const std::string text = read_open(counter);
    for (const std::string_view line : split(text, '\n')) {  // A disk, what was done, bytes.
        if (const std::size_t at = line.find(key); at != line.npos)
            sum += to_number(line.substr(at + key.size())).value_or(0);
    }
    return sum;
}

}  // namespace assay::sandbox
