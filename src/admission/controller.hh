// Controller: how much the machine can bear now. Pure: samples, time and what was decided so far in, a decision out.
//
//   0  calm
//   1  no job is started; who waits is told `pressure` and the resource
//   2  and no upload is begun; what is under way may end, pages are answered
//   3  and the job whose memory grows most is ended. Never for a trigger or a level by itself: memory must be nearly gone *and* its
//      loss be seen to hurt (file pages read again and again) for `confirm_for`, so a cache that is refilled ends nothing
//
// Up at once, down after `calm_for` without anything that would keep the level. The processor raises nothing: jobs run when
// nobody else wants it, so fewer of them make nothing faster, and a machine that grades is busy by design. Room on the disk
// raises nothing either: store/space.hh refuses by itself. Late event loops are evidence, not a cause.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admission/samples.hh"
#include "admission/thresholds.hh"
#include "sys/clock.hh"

namespace assay::admission {

enum class Resource { memory, disk };
constexpr std::size_t resources = 2;
std::string_view to_string(Resource);

constexpr int level_max = 3;
constexpr int starts_stop_level = 1;
constexpr int uploads_stop_level = 2;
constexpr int ending_level = 3;

// One number that a decision rests on, as it was then.
struct Figure {
    std::string_view name;   // "memory_available_ratio", …: closed set, for logs and diagnosis
    double value = 0;
};

struct State {
    struct Channel {
        int level = 0;
        sys::TimePoint since{};                     // it has this level
        std::optional<sys::TimePoint> calm_since;   // nothing keeps it
    };
    std::array<Channel, resources> channels{};
    std::optional<sys::TimePoint> confirming_since; // everything that level 3 asks for is so
    std::optional<sys::TimePoint> ended_at;         // a job
};

struct Decision {
    int level = 0;
    Resource resource = Resource::memory;           // the worst; means nothing at level 0
    sys::TimePoint since{};                         // it has this level
    bool changed = false;                           // level or resource are others than before
    std::optional<int> end_slot;                    // of the job to end now
    bool nobody_to_end = false;                     // confirmed, and no job grows: the cause is outside
    bool blind = false;                             // the kernel tells no pressure; MemAvailable stands in
    std::vector<Figure> evidence;                   // all that was known

    bool stops_starts() const { return level >= starts_stop_level; }
    bool stops_uploads() const { return level >= uploads_stop_level; }
};

struct Step {
    State state;
    Decision decision;
};
// `now` never goes back between calls.
Step decide(const Samples&, sys::TimePoint now, State, const Thresholds& = {});

// "memory_available_ratio 0.041, …": for the log and for the explanation of a job that was ended.
std::string evidence_text(const Decision&);

}  // namespace assay::admission
