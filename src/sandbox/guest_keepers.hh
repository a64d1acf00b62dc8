// The guests of one trusted command: untrusted commands beside it, each kept by a fork of its keeper (README.md, "Guests").
#pragma once

#include <string>
#include <vector>

#include "base/result.hh"
#include "sandbox/process.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"

namespace assay::sandbox {

struct JobState;

// The directory that a trusted command sees at /assay: the place for `run`, and the socket, which only `uid` may connect to.
// Returns the listening end.
Result<sys::Fd> make_assay(const std::string& directory, std::uint32_t uid);

class GuestKeepers {
public:
    explicit GuestKeepers(const JobState& job) : job_{job} {}
    GuestKeepers(const GuestKeepers&) = delete;
    GuestKeepers& operator=(const GuestKeepers&) = delete;

    // Forks a keeper that serves `socket`. More than guests_max, or a failure: the socket is closed, which is the answer.
    void open(sys::Fd socket);
    // Ends all of them and what they run; waits until nothing is left.
    Result<> end(sys::TimePoint deadline);

private:
    std::string group_of(int number) const;

    const JobState& job_;
    std::vector<Spawned> keepers_;
    sys::Fd life_read_;
    sys::Fd life_write_;  // theirs end when it closes, with our death as well
};

}  // namespace assay::sandbox
