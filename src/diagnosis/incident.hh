// Incident: an interval in which the machine or the server stalled, and why. Pure, over the moments around it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diagnosis/finding.hh"
#include "diagnosis/moment.hh"

namespace assay::diagnosis {

struct Interval {
    std::int64_t from_ms = 0, to_ms = 0;  // wall clock
    bool operator==(const Interval&) const = default;
};

constexpr std::int64_t incident_joined_ms = 10'000;  // stalls no further apart are one incident
constexpr std::int64_t calm_before_ms = 5 * 60'000;  // looked at before it, for what is usual

// Finds stalls as moments come, by rising time.
class Stalls {
public:
    void add(const Moment&);  // figures alone are looked at
    const std::vector<Interval>& found() const { return found_; }

private:
    std::vector<Interval> found_;
    std::int64_t weak_ms_ = 0;  // since when only weak signs are seen
    int weak_ = 0;
};

struct Sight {  // a figure at its worst
    wording::Figure figure;
    double worst = 0;
    std::int64_t at_ms = 0;
    double usual = 0;  // the median of the calm before
};

enum class Who : std::uint8_t { unknown, job, group, process };

struct Root {
    wording::Trouble trouble;
    Confidence confidence = Confidence::medium;
    std::int64_t since_ms = 0;
    double share = 0;  // of the incident's moments in which it was seen
    Who who = Who::unknown;
    std::string offender;  // a group, with its job, or processes by name; empty: not recorded
    std::string used;  // how much of what, for people
    std::vector<Sight> evidence;
};

struct Incident {
    Interval when;
    std::vector<Root> causes;  // the root first; never empty
    std::vector<std::string> victims;
    std::vector<BlockedTask> blocked;
    std::vector<std::string> slow;  // requests
    std::vector<std::string> unread;
};

// `moments`: with details, from calm_before_ms before to the end of `when`.
Incident explain(std::span<const Moment> moments, const Interval& when);

// For people and programs; `time_text` as in chain.hh.
std::string to_json(const Incident&, wording::Language, const std::string& zone,
                    std::string (*time_text)(std::int64_t, const std::string&));
std::vector<std::string> to_lines(const Incident&, wording::Language, const std::string& zone,
                                  std::string (*time_text)(std::int64_t, const std::string&));

}  // namespace assay::diagnosis
