// What holds the machine or a job up at this moment, for whoever asks about something else on it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay::cli {

// Of a stall that goes on, or ended less than a minute ago, as lines for a person; empty: there is none, or nothing is recorded.
std::vector<std::string> machine_now(const std::string& data);

// What these jobs do or wait for at this moment, a line each: looked at from outside for a second or two, all together. Says nothing of a job
// that nothing can be said of: it ended, its start is not recorded, or its processes are another user's and may not be looked at.
std::vector<std::string> jobs_now(const std::string& data, std::vector<std::uint64_t> jobs);

}  // namespace assay::cli
