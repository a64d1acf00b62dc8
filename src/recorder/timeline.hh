// Timeline: a recording as people and programs see it: rows of a terminal, one JSON object or CSV line a frame, one HTML page. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "recorder/frame.hh"
#include "recorder/rates.hh"

namespace assay::recorder {

// One object, without a newline: head, `rates` to the frame before (absent without one), and each section that the frame has.
std::string frame_json(const Frame& frame, const Rates* rates);

std::string csv_header();
std::string csv_line(const Frame& frame, const Rates& rates);

// The words of Self::suspicion and signs_of, joined by ", "; empty for 0.
std::string words_of_signs(std::uint64_t signs);
std::string words_of_event(const Event& event);

constexpr std::size_t points_max = 1'800;  // of a time-line: a longer range is told by its worst moments
constexpr std::size_t line_groups_max = 8;  // groups that are drawn, those with most memory
constexpr std::size_t line_events_max = 2'000;
constexpr std::size_t line_jobs_max = 1'000;

// Some time and the worst that was seen in it.
struct Point {
    std::int64_t time_ns = 0;  // wall clock, of its first frame
    std::uint64_t frames = 0;
    std::uint64_t signs = 0;
    Rates worst;  // each field by itself
    double available_share = 1;
    std::uint64_t late_ms = 0;
    std::uint64_t jobs_running = 0;
    std::uint64_t jobs_waiting = 0;
    double gap_s = 0;  // without a frame before it, beyond what is usual
};

struct LineEvent {
    std::int64_t time_ns = 0;
    Event event;
};

// What one group did in one step.
struct GroupUse {
    std::int64_t time_ns = 0;
    std::uint64_t job = 0;  // whose it was; 0: none
    double cpu_s = 0;
    double disk_bytes = 0;  // read and written
    double grown_bytes = 0;  // memory that no file backs
};

struct LineGroup {
    std::string name;
    std::vector<GroupUse> uses;  // steps in which it did something
    std::uint64_t memory_bytes_max = 0;
    std::vector<std::pair<std::int64_t, std::uint64_t>> memory;  // wall clock, bytes
};

// A time in which signs of trouble stood close together.
struct Band {
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    std::uint64_t signs = 0;
    Point worst;
};

struct LineJob {
    std::uint64_t job = 0;
    std::int64_t from_ns = 0;  // the time-line's begin when it ran already
    std::int64_t to_ns = 0;  // its end when it still ran
    std::string verdict;  // empty: it still ran
};

// Put together frame by frame.
class Timeline {
public:
    // Points begin at `from_ns` and are `step_ns` long.
    Timeline(std::int64_t from_ns, std::int64_t step_ns) : from_ns_{from_ns}, step_ns_{step_ns} {}
    void add(const Frame& frame);

    const std::vector<Point>& points() const { return points_; }
    const std::vector<LineEvent>& events() const { return events_; }
    std::vector<LineGroup> groups() const;  // those with most memory, the largest first
    // Who did most of what the band is about, "job 17 (GROUP) grew by 900 MiB": by what its group used itself. Of groups inside of each
    // other the innermost that did nearly all of it. Empty: no group did anything to speak of.
    std::string offender_of(const Band& band) const;
    std::vector<Band> bands() const;  // a busy processor alone makes none: that is what machines are for
    std::vector<LineJob> jobs() const;  // by begin
    std::int64_t last_ns() const { return last_ns_; }

private:
    void add_groups(const Frame& frame, std::int64_t time_ns, bool first);
    void add_use(LineGroup& line, const Cgroup& group, std::int64_t time_ns, const Frame& frame) const;
    std::int64_t from_ns_;
    std::int64_t step_ns_;
    std::int64_t last_ns_ = 0;
    std::vector<Point> points_;
    std::vector<LineEvent> events_;
    std::map<std::uint64_t, LineGroup> groups_;  // by Cgroup::id
    Frame before_;
};

// A length of points that makes at most points_max of them; whole seconds, or a frame's time when the range is short.
std::int64_t step_for(std::int64_t from_ns, std::int64_t to_ns);

// Terminal rows, times in `zone`.
std::string rows_header();
std::string row_of(const Point& point, const std::string& zone);
std::string row_of(const LineEvent& event, const std::string& zone);

// A page that needs nothing else: no other file, no network, and by its own policy no other script.
std::string html_page(const Timeline& timeline, const std::string& title, const std::string& zone);

}  // namespace assay::recorder
