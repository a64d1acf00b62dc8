// Sensors: looks at the machine through files that stay open, so that a look allocates and opens as little as it can.
//
// Threading: none of its own; one thread looks. Nothing here touches the data's disk: what waits for that is SyncProbe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "admission/readings.hh"
#include "admission/thresholds.hh"
#include "base/result.hh"
#include "sys/fd.hh"

namespace assay::admission {

constexpr std::size_t control_bytes_max = 64u << 10;   // of one of the kernel's files
constexpr std::size_t slots_watched_max = 64;
constexpr std::chrono::seconds rate_window{1};         // what shares and rates are of, at least where there are readings
constexpr std::size_t readings_kept_max = 512;         // of `growth_window`, however often somebody looks

// Where the kernel tells. Tests put a directory of their own here.
struct HostFiles {
    std::string proc = "/proc";
    // The control group of all commands (its memory hierarchy's): `job0`, `job1`, … come and go in it. Empty: no jobs are seen.
    std::string jobs;
};

class Sensors {
public:
    // Opens what is there. `triggers`: asks the kernel to wake us as well, which it may refuse to who is not root.
    Sensors(HostFiles files, int slots, bool triggers);

    Samples look(sys::TimePoint now);
    bool has_pressure() const { return static_cast<bool>(memory_pressure_); }
    const std::vector<int>& triggers() const { return watched_; }  // for sys::wait_stall; may be empty

private:
    Reading read(sys::TimePoint now);
    std::string text_of(const sys::Fd&);
    const Reading* from(sys::TimePoint latest) const;

    const HostFiles files_;
    const int slots_;
    sys::Fd cpu_pressure_;
    sys::Fd memory_pressure_;
    sys::Fd io_pressure_;
    sys::Fd meminfo_;
    sys::Fd vmstat_;
    std::vector<sys::Fd> trigger_fds_;
    std::vector<int> watched_;
    std::string buffer_;
    std::deque<Reading> past_;  // oldest first, at most growth_window back
};

}  // namespace assay::admission
