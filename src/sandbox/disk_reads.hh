// Disk reads: how fast what runs in a slot may read from the machine's disks: images, and the machine's own folders. Whoever else waits for
// such a disk is then served beside it. What the page cache has is not read, and not counted.
//
// Version 2 bounds the group of a job (io.max). In version 1 a slot has one more group, in the tree of `blkio`, which its keeper enters with
// all that it will start; a tree more in each Group would be one more to enter for each command.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/helper.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// Where reads can be bounded: the tree of version 1, else one of `hierarchies`. Errors: unsupported.
Result<Hierarchy> disk_read_tree(const std::vector<Hierarchy>& hierarchies);
// That tree of version 1, for whoever removes what is left in it.
std::vector<Hierarchy> block_trees();
// "8:0 rbps=1048576 riops=max", as version 2 has it.
std::string io_max_of(const std::string& disk, const DiskPace&);

class DiskReads {
public:
    DiskReads() = default;  // bounds nothing
    // Of `disks` (disks.hh), for the jobs of `directory_id`. Where this host cannot bound them, or is not asked to, nothing is bounded.
    DiskReads(const std::vector<Hierarchy>&, const std::string& directory_id, const DiskPace&,
              std::vector<std::string> disks);

    // Bounds what runs in the slot: with version 2 its job's group, which is there; with version 1 `pid` and what it will start, in a group
    // of its own. Errors: system; then some of it is not bounded.
    Result<> bound(int slot, int pid) const;
    // What version 1 counts for that group, for bytes_read. Empty: nothing does.
    sys::Fd counter(int slot) const;

private:
    std::string place_of(int slot) const;

    Hierarchy tree_;
    std::string id_;
    DiskPace pace_;
    std::vector<std::string> disks_;  // empty: nothing is bounded
};

// From disks since the group was made, by all that is in it. nullopt: the counter is empty.
std::optional<std::int64_t> bytes_read(const sys::Fd& counter);

}  // namespace assay::sandbox
