// Sampler: the machine into a frame, through descriptors that are opened once. Nothing is allocated after start().
//
// Threading: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "recorder/cgroups.hh"
#include "recorder/frame.hh"
#include "recorder/tasks.hh"
#include "sys/fd.hh"

namespace assay::recorder {

constexpr std::uint64_t group_scan_every_ns = 5'000'000'000;
constexpr std::uint64_t task_look_every_ns = 1'000'000'000;
constexpr std::size_t text_bytes_max = 64 * 1024;  // of one file of /proc; what is behind is not read

class Sampler {
public:
    Sampler();
    void start();

    // Fills everything but head, `recorder`, `server`, `loops`, `slow_requests` and `events`. `closer`: looks at tasks as well.
    void sample(Frame& frame, std::uint64_t monotonic_ns, bool closer);
    // A job began in this group, or ended; see Cgroups::belongs.
    void job_began(std::string_view group, std::uint64_t job) { cgroups_.belongs(group, job); }
    void job_ended(std::uint64_t job) { cgroups_.ended(job); }
    std::uint64_t unreadable() const { return unreadable_; }  // bits 1 << Section, of the last sample

private:
    struct File {
        sys::Fd fd;
        Section section;
        bool (*parse)(std::string_view, Frame&);
    };
    std::vector<File> files_;
    std::array<char, text_bytes_max> buffer_{};
    Cgroups cgroups_;
    Tasks tasks_;
    std::uint64_t next_scan_ns_ = 0;
    std::uint64_t next_tasks_ns_ = 0;
    bool was_closer_ = false;
    std::uint64_t unreadable_ = 0;
};

}  // namespace assay::recorder
