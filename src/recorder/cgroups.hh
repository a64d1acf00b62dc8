// Cgroups: finds the control groups of the machine and reads them again and again through descriptors that stay open. Version 2, version 1
// and both beside each other; which one a number comes from does not show.
//
// Nothing is allocated after start(). Threading: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "recorder/frame.hh"
#include "sys/fd.hh"

namespace assay::recorder {

constexpr std::size_t group_depth_max = 5;
constexpr std::size_t group_directories_max = 2'048;  // seen in one scan; only those that have some below them are opened
constexpr std::size_t other_groups_max = 32;  // that are not of a server of ours: those have their places for sure
constexpr std::size_t group_files_max = 13;
constexpr std::size_t group_path_max = 256;
constexpr std::size_t job_groups_max = 64;  // of jobs that run at the same time

class Cgroups {
public:
    Cgroups();
    ~Cgroups();

    // Where the hierarchies are. Below `root` instead of what /proc/mounts says, for tests: `root`/unified and `root`/memory …
    void start();
    void start_below(const char* root);

    // Learns of groups that are new, and has the next read() read everything. Do it every few seconds.
    void scan();
    // Fills the rows; groups that are gone are forgotten. Of a group that used no processor time since the last read only what grows
    // without it is read: how long it waited, and on version 2 what was written for it. `buffer`: room for one file's text.
    void read(Rows<Cgroup, cgroups_max>& rows, std::span<char> buffer);
    // From now on the group whose path ends in `path`, and all below it, are of this job. Such a group is learned of by the next read(),
    // without a scan, when the one above it is known. Beyond job_groups_max nothing is remembered.
    void belongs(std::string_view path, std::uint64_t job);
    void ended(std::uint64_t job);
    bool any() const;  // hierarchies

private:
    struct Group;
    enum Tree : unsigned char { unified, memory, cpu, cpuacct, blkio, pids, trees };
    struct File;
    static const File version_2[];
    static const File version_1[];

    struct Path {
        std::array<char, group_path_max> text{};
        std::size_t size = 0;
        std::string_view view() const { return {text.data(), size}; }
    };
    struct Job {
        std::uint64_t job = 0;  // 0: free
        Path path;
    };
    void walk(const sys::Fd& directory, Path& path, std::size_t depth);
    void learn(const Path& path);
    void learn_of_jobs();
    std::uint64_t job_of(std::string_view path) const;
    void open_files(Group& group);

    std::array<sys::Fd, trees> roots_;
    bool version_2_ = false;
    std::unique_ptr<std::array<Group, cgroups_max>> groups_;
    std::array<Job, job_groups_max> jobs_;
    bool read_all_ = true;
    std::uint64_t last_id_ = 0;
    std::uint64_t left_out_ = 0;
    std::size_t looked_into_ = 0;
};

}  // namespace assay::recorder
