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
constexpr std::size_t group_directories_max = 512;  // looked into in one scan
constexpr std::size_t other_groups_max = 32;  // that are not of a server of ours: those have their places for sure
constexpr std::size_t group_files_max = 13;
constexpr std::size_t group_path_max = 256;

class Cgroups {
public:
    Cgroups();
    ~Cgroups();

    // Where the hierarchies are. Below `root` instead of what /proc/mounts says, for tests: `root`/unified and `root`/memory …
    void start();
    void start_below(const char* root);

    // Learns of groups that are new. Costs a look into each directory; do it every few seconds and when a job has begun.
    void scan();
    // Fills the rows; groups that are gone are forgotten. `buffer`: room for one file's text.
    void read(Rows<Cgroup, cgroups_max>& rows, std::span<char> buffer);
    // From now on, until it is gone, the group whose path ends in `path` is told to be of this job; 0 ends that.
    void belongs(std::string_view path, std::uint64_t job);
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
    void walk(const sys::Fd& directory, Path& path, std::size_t depth, bool ours);
    void learn(const Path& path, bool ours);
    void open_files(Group& group);

    std::array<sys::Fd, trees> roots_;
    bool version_2_ = false;
    std::unique_ptr<std::array<Group, cgroups_max>> groups_;
    std::uint64_t last_id_ = 0;
    std::uint64_t left_out_ = 0;
    std::size_t looked_into_ = 0;
};

}  // namespace assay::recorder
