// Scratch on disk, for a command that asks for more than memory has: a file system of its own, in a file that has no name, behind a loop
// device.
//
// The file is as large as it will ever be before anything begins, so a full disk is a refusal and no error within. It is the last that
// refers to the file system that refers to the device that refers to the file: whoever dies, nothing of them is left. The device takes what is
// written past the page cache, so it is there once, charged to the command; and io.max of the job's group bounds the device before a command has it.
//
// Threading: none; used by the helper and, each after its fork, by keepers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "sandbox/cgroup.hh"
#include "sandbox/helper.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

// What a host is without, and what to do.
struct Lack {
    std::string what;
    std::string cure;
};
// nullopt: this host can have scratch on disk.
std::optional<Lack> lack_for_disk_scratch(const std::vector<Hierarchy>&);

// Of a file in which `disk_bytes` are there for files, beside all that the file system takes for itself. Pure.
struct DiskLayout {
    std::int64_t blocks = 0;  // of 4 KiB, all of it
    std::int64_t blocks_per_group = 0;
    std::int64_t inodes = 0;
};
DiskLayout layout_of(std::int64_t disk_bytes);

class DiskScratch {
public:
    DiskScratch() = default;  // none is offered
    // `pace`: of each device, reads and writes each; one without a bound gets the usual. `maker`: the uid that makes file systems, in which
    // nothing of anybody's runs. In the helper, before anything is mounted over the folder.
    DiskScratch(DiskScratchRules, const DiskPace&, std::uint32_t maker, std::optional<Lack>);

    // An empty file system at `path` (created), nosuid, nodev, with room for `bytes`, bounded in the group of `job` by what `bound` says; its device goes with
    // the mount. Errors: unsupported, disk_full, with a sentence for whoever asked; system.
    Result<> mount(const std::string& path, std::int64_t bytes, const Group& job) const;
    int folder() const { return folder_.get(); }

    // For tests, on hosts whose groups bound no device: `bound` is told the device, "major:minor".
    using Bound = std::function<Result<>(const std::string& device)>;
    Result<> mount(const std::string& path, std::int64_t bytes, const Bound& bound) const;

private:
    Result<sys::Fd> make_file(const DiskLayout&, std::int64_t bytes) const;

    DiskScratchRules rules_;
    DiskPace pace_;
    std::uint32_t maker_ = 0;
    std::optional<Lack> lack_;
    sys::Fd folder_;
};

// "7:0 rbps=67108864 wbps=67108864 riops=1000 wiops=1000", as version 2 has it.
std::string io_max_both_ways(const std::string& device, const DiskPace&);

// The scratch at `path`, whatever it lies on, with all that is in it; what was not written yet never will be.
// Only of a path at which scratch was mounted, by us and by nobody else.
void drop_scratch(const std::string& path);

}  // namespace assay::sandbox
