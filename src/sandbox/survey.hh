// Survey: what this host offers to sandboxes and to the server beside them, one finding a line, each with its cure. Changes nothing:
// the group and the processes that it tries things with are gone when it returns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/helper.hh"

namespace assay::sandbox {

// exact, approximate, none: how far a limit holds. fine, weak, missing: anything else.
enum class Standing { exact, approximate, none, fine, weak, missing };
std::string_view to_string(Standing);

struct Finding {
    std::string name;   // never changes: scripts look for it
    std::string value;  // as found
    Standing standing = Standing::fine;
    std::string cure;   // what to do; empty where there is nothing to mend
};

struct Survey {
    std::vector<Finding> findings;
    bool can_grade = false;  // as check_host
};
Survey survey_host();

// The parts that judge texts, for tests.
Finding judge_kernel(std::string_view release);
Finding judge_core_pattern(std::string_view pattern);
Finding judge_swaps(std::string_view swaps, bool limited);
// Whether there is the unit that jobs run in, whether a service manager starts the server, and the group that it is in if not the root.
Finding judge_turns_of_jobs(bool lodged, bool managed, std::string_view below);
// How reads are bounded, and at which disk ("major:minor"); what that disk reads ahead, in KiB: a read goes to the disk whole, however slowly
// such reads may follow each other.
Finding judge_read_ahead(std::string_view bound, std::string_view disk, std::string_view kib);

}  // namespace assay::sandbox
