// assay why --at, --last, --job: what the recorder kept, read back.
//
// Twice: over the whole range for figures alone, to find when something stalled; then over that incident and the calm before it, whole.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <memory>

#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/why_machine.hh"
#include "diagnosis/incident.hh"
#include "diagnosis/rules.hh"
#include "diagnosis/sampler.hh"
#include "participant/language.hh"
#include "participant/talk.hh"
#include "recorder/reading.hh"
#include "sys/zone.hh"
#include "wording/chain.hh"

namespace assay::cli {
namespace {

using participant::language;
using participant::print_line;
using diagnosis::Interval;
using diagnosis::Moment;
constexpr std::int64_t ms = 1'000'000;  // in nanoseconds
constexpr std::int64_t around_ms =
    30 * 60'000;  // of a time that is asked about: how far before it an incident may have begun
constexpr std::int64_t after_ms = 10 * 60'000;
constexpr std::int64_t jobs_sought_ms = 60 * 60'000;  // how far back the start of a job that runs is looked for
constexpr std::int64_t step_ms = 60 * 60'000;  // of the search backwards
constexpr std::size_t moments_max =
    3600;  // of one incident that are looked at whole; a longer one is told by its beginning

std::string time_text(std::int64_t at_ms, const std::string& zone) {
    return sys::date_and_time(sys::wall_from_ms(at_ms), zone);
}

// "17:15", "17:15:50" (the last time it was that late), "2026-10-15 17:15:50", with T and an offset as well.
std::optional<std::int64_t> time_of(const std::string& text, const std::string& zone, std::int64_t now_ms) {
    sys::LocalTime local = sys::local_time(sys::wall_from_ms(now_ms), zone);
    std::vector<std::string_view> halves = split(text, text.contains('T') ? 'T' : ' ');
    if (halves.size() > 2) return std::nullopt;
    const auto numbers = [](std::string_view part, char at) {
        std::vector<int> found;
        for (const std::string_view one : split(part, at)) {
            int value = 0;
            if (one.empty() || one.size() > 4) return std::vector<int>{};
            for (const char digit : one) {
                if (digit < '0' || digit > '9') return std::vector<int>{};
                value = value * 10 + (digit - '0');
            }
            found.push_back(value);
        }
        return found;
    };
    std::optional<int> offset_s;
    std::string_view clock = halves.back();
    if (clock.ends_with('Z')) {
        offset_s = 0;
        clock.remove_suffix(1);
    } else if (const std::size_t sign = clock.find_first_of("+-"); sign != std::string_view::npos) {
        const auto of = numbers(clock.substr(sign + 1), ':');
        if (of.size() != 2) return std::nullopt;
        offset_s = (clock[sign] == '-' ? -1 : 1) * (of[0] * 3600 + of[1] * 60);
        clock = clock.substr(0, sign);
    }
    const auto day =
        halves.size() == 2 ? numbers(halves[0], '-') : std::vector<int>{local.year, local.month, local.day};
    const auto time = numbers(clock, ':');
    if (day.size() != 3 || (time.size() != 2 && time.size() != 3)) return std::nullopt;
    const bool possible = day[0] >= 1970 && day[1] >= 1 && day[1] <= 12 && day[2] >= 1 && day[2] <= 31 &&
                          time[0] <= 23 && time[1] <= 59 && (time.size() == 2 || time[2] <= 60);
    if (!possible) return std::nullopt;
    local = {.year = day[0],
             .month = day[1],
             .day = day[2],
             .hour = time[0],
             .minute = time[1],
             .second = time.size() == 3 ? time[2] : 0};
    if (offset_s) return sys::to_ms(sys::from_local(local, "UTC")) - *offset_s * 1000;
    const std::int64_t at_ms = sys::to_ms(sys::from_local(local, zone));
    constexpr std::int64_t day_ms = 24 * 3600 * 1000;
    return halves.size() == 1 && at_ms > now_ms ? at_ms - day_ms : at_ms;
}

using Range = Interval;

recorder::Range in_ns(const Range& range) { return {.from_ns = range.from_ms * ms, .to_ns = range.to_ms * ms}; }

Result<> each_moment(recorder::Recording& recording, const Range& range, bool detail,
                     const std::function<bool(Moment)>& take) {
    const auto before = std::make_unique<recorder::Frame>();
    return recording.each(in_ns(range), [&](const recorder::Frame& now) {
        const bool first = before->sequence == 0;
        const bool goes_on = first || take(diagnosis::moment_of(*before, now, detail));
        *before = now;
        return goes_on;
    });
}

Result<std::vector<Interval>> stalls_in(recorder::Recording& recording, const Range& range) {
    diagnosis::Stalls stalls;
    ASSAY_CHECK(each_moment(recording, range, true, [&](const Moment& moment) {
        stalls.add(moment);
        return true;
    }));
    return stalls.found();
}

Result<diagnosis::Incident> explained(recorder::Recording& recording, const Interval& when) {
    std::vector<Moment> moments;
    ASSAY_CHECK(
        each_moment(recording, {when.from_ms - diagnosis::calm_before_ms, when.to_ms + 1000}, true, [&](Moment moment) {
            moments.push_back(std::move(moment));
            return moments.size() < moments_max;
        }));
    return diagnosis::explain(moments, when);
}

// The incident a time lies in, else the last one before it that is near.
std::optional<Interval> nearest(const std::vector<Interval>& found, std::int64_t at_ms) {
    std::optional<Interval> best;
    for (const Interval& one : found) {
        const bool in = one.from_ms <= at_ms + 1000 && at_ms <= one.to_ms + 1000;
        if (in) return one;
        if (!best || std::abs(one.from_ms - at_ms) < std::abs(best->from_ms - at_ms)) best = one;
    }
    return best;
}

// A job's time, by the events of its start and end.
struct Life {
    Range when{.from_ms = 0, .to_ms = 0};
    bool ended = false;
    std::string group;
};
Result<std::optional<Life>> life_of(recorder::Recording& recording, std::uint64_t job,
                                    const recorder::Recording::Extent& extent) {
    std::optional<Life> life;
    ASSAY_CHECK(recording.each({}, [&](const recorder::Frame& frame) {
        for (const recorder::Event& event : frame.events) {
            if (event.subject != job) continue;
            const auto kind = static_cast<recorder::EventKind>(event.kind);
            if (kind == recorder::EventKind::job_started)
                life = Life{.when = {.from_ms = frame.real_time_ns / ms - 1000, .to_ms = extent.newest_ns / ms},
                            .group = std::string{event.text.view()}};
            if (kind == recorder::EventKind::job_ended && life)
                life->when.to_ms = frame.real_time_ns / ms, life->ended = true;
        }
        return true;
    }));
    return life;
}

ExitCode print_incident(const diagnosis::Incident& incident, bool json) {
    const std::string zone = sys::server_zone();
    if (json) print_line(diagnosis::to_json(incident, wording::Language::english, zone, time_text));
    else {
        for (const std::string& line : diagnosis::to_lines(incident, language(), zone, time_text))
            print_line(escaped(line, 2000));
    }
    return ExitCode::done;
}

ExitCode print_calm(const Range& range, bool json) {
    const std::string zone = sys::server_zone();
    const std::vector<std::string> times{time_text(range.from_ms, zone), time_text(range.to_ms, zone)};
    if (json)
        print_line(fmt::format(R"({{"type": "assay-incident/1", "from": "{}", "to": "{}", "causes": []}})", times[0],
                               times[1]));
    else {
        print_line(wording::say(language(), wording::TroubleLine::calm, times));
        print_line("  → " + wording::say(language(), wording::TroubleLine::calm_advice, {}));
    }
    return ExitCode::done;
}

// `at_ms`: of options.at.
Result<ExitCode> answer(const WhyMachineOptions& options, std::optional<std::int64_t> at_ms) {
    ASSAY_TRY(recorder::Recording recording, recorder::Recording::open(options.data));
    const recorder::Recording::Extent extent = recording.extent();
    if (recording.empty()) return Error{Fault::missing, "nothing is recorded in " + options.data};
    const Range all{extent.oldest_ns / ms, extent.newest_ns / ms};
    if (at_ms) {
        if (*at_ms < all.from_ms || *at_ms > all.to_ms + after_ms) {
            return Error{Fault::missing,
                         fmt::format("the recording goes from {} to {}", time_text(all.from_ms, sys::server_zone()),
                                     time_text(all.to_ms, sys::server_zone()))};
        }
        const Range range{*at_ms - around_ms, *at_ms + after_ms};
        ASSAY_TRY(const auto found, stalls_in(recording, range));
        const auto when = nearest(found, *at_ms);
        if (!when) return print_calm(range, options.json);
        ASSAY_TRY(const auto incident, explained(recording, *when));
        return print_incident(incident, options.json);
    }
    if (options.job != 0) {
        ASSAY_TRY(const auto life, life_of(recording, options.job, extent));
        if (!life) return Error{Fault::missing, fmt::format("no job {} is in the recording", options.job)};
        if (!life->ended && !life->group.empty() &&
            why_process({.group = life->group, .json = options.json}) == ExitCode::done)
            return ExitCode::done;
        ASSAY_TRY(const auto found, stalls_in(recording, life->when));
        if (found.empty()) return print_calm(life->when, options.json);
        ASSAY_TRY(const auto incident, explained(recording, found.back()));
        return print_incident(incident, options.json);
    }
    // From the end, an hour at a time, with some of the hour after it: an incident may lie across.
    for (std::int64_t to_ms = all.to_ms; to_ms > all.from_ms; to_ms -= step_ms) {
        const Range range{std::max(all.from_ms, to_ms - step_ms - diagnosis::incident_joined_ms),
                          to_ms + diagnosis::incident_joined_ms};
        ASSAY_TRY(const auto found, stalls_in(recording, range));
        if (found.empty()) continue;
        ASSAY_TRY(const auto incident, explained(recording, found.back()));
        return print_incident(incident, options.json);
    }
    return print_calm(all, options.json);
}

}  // namespace

std::vector<std::string> machine_now(const std::string& data) {
    constexpr std::int64_t now_within_ms = 60'000;
    auto recording = recorder::Recording::open(data);
    if (!recording || recording->empty()) return {};
    const std::int64_t now_ms = sys::to_ms(sys::system_clock().wall());
    const auto found = stalls_in(*recording, {now_ms - around_ms, now_ms});
    if (!found || found->empty() || found->back().to_ms < now_ms - now_within_ms) return {};
    const auto incident = explained(*recording, found->back());
    if (!incident) return {};
    return diagnosis::to_lines(*incident, language(), sys::server_zone(), time_text);
}

std::vector<std::string> jobs_now(const std::string& data, std::vector<std::uint64_t> jobs) {
    constexpr std::size_t jobs_looked_at_max = 8;
    constexpr std::chrono::milliseconds window{1500};
    if (jobs.size() > jobs_looked_at_max) jobs.resize(jobs_looked_at_max);
    std::map<std::uint64_t, std::string> groups;
    auto recording = recorder::Recording::open(data);
    if (!recording) return {};
    const std::int64_t now_ms = sys::to_ms(sys::system_clock().wall());
    const Result<> read =
        recording->each(in_ns({now_ms - jobs_sought_ms, now_ms + after_ms}), [&](const recorder::Frame& frame) {
            for (const recorder::Event& event : frame.events) {
                if (static_cast<recorder::EventKind>(event.kind) == recorder::EventKind::job_started &&
                    std::ranges::find(jobs, event.subject) != jobs.end() && !event.text.empty())
                    groups[event.subject] = event.text.view();
            }
            return true;
        });
    if (!read) return {};
    std::map<std::uint64_t, std::future<Result<diagnosis::Observed>>> looks;
    for (const auto& [job, group] : groups)
        looks[job] = std::async(std::launch::async, [asked = diagnosis::Asked{.group = group}, window] {
            return diagnosis::observe(asked, window);
        });
    std::vector<std::string> lines;
    const wording::Language spoken = language();
    for (auto& [job, look] : looks) {
        const auto seen = look.get();
        if (!seen) continue;
        const diagnosis::Finding finding = diagnosis::explain(*seen);
        if (finding.cause == diagnosis::Cause::undecided) continue;
        const std::vector<std::string> says{
            std::to_string(job), fmt::format("{} ({}): {}", to_string(finding.kind), to_string(finding.cause),
                                             diagnosis::text_of(spoken, finding.summary))};
        lines.push_back(wording::say(spoken, wording::Chain::job_now, says));
    }
    return lines;
}

ExitCode why_machine(const WhyMachineOptions& options) {
    std::optional<std::int64_t> at_ms;
    if (!options.at.empty()) {
        at_ms = time_of(options.at, sys::server_zone(), sys::to_ms(sys::system_clock().wall()));
        if (!at_ms) return participant::misused({Fault::invalid, "--at takes a time such as 17:15:50 or 2026-10-15T17:15:50+08:00"});
    }
    auto code = answer(options, at_ms);
    return code ? *code : fail(code.error());
}

}  // namespace assay::cli
