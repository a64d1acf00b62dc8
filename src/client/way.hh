// Way: what lies between here and a server, as its public address shows it. probe_way asks; findings_of judges, in words (pure).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/hop.hh"
#include "client/transport.hh"
#include "client/url.hh"
#include "wording/way.hh"

namespace assay::client {

constexpr std::int64_t way_bytes_wanted =
    (12 << 20) + (64 << 10);  // a form with the largest archive that a module takes by default
constexpr std::int64_t way_part_bytes = 512 << 10;  // what goes in one part
constexpr double leave_ms_max = 1000;  // so long curl waits for it
constexpr std::chrono::seconds way_time_max{30};  // all of it
constexpr std::chrono::seconds way_pause{8};  // inside a body, to see who loses patience
constexpr std::chrono::seconds way_clock_off_max{30};

// What one request came to.
struct Asked {
    bool passed = false;  // the server itself took it
    std::optional<Hop> hop;  // who took it instead
    int status = 0;
    std::string broke;  // no answer: why
};

struct Way {
    Asked reach;
    std::string version;  // of assay
    bool loopback = false;
    std::string server_header;  // as it passed, not escaped
    std::string via;  // both ways, likewise
    std::string front;  // the product that shows itself; empty: none does
    Asked part;  // way_part_bytes
    std::int64_t passed_bytes = 0;
    std::int64_t refused_bytes = 0;  // 0: nothing was
    Asked size;  // what became of refused_bytes
    bool size_cut = false;  // there was no time to try more
    Asked slow;  // a body with a pause
    double receiving_ms = 0;  // of that body, as the server saw it come
    Asked events;
    double events_ms = 0;  // between the first and the last of them, as they came
    std::optional<double>
        leave_ms;  // until 100 Continue came; without end: it did not; nullopt: that cannot be seen from here
    bool authorization = false;
    std::vector<std::string> methods_lost;
    std::int64_t clock_off_ms = 0;  // the server's minus ours
};

// Blocks way_time_max and a little at most; changes nothing. `told`: what is tried next.
Way probe_way(const Url&, const Belief&, const std::function<void(wording::WayStep)>& told);

enum class Grade : unsigned char { ok, warn, bad };
std::string_view to_string(Grade);
struct WayFinding {
    wording::WayStep step;
    Grade grade = Grade::ok;
    std::string text;
    std::string cure;  // empty when ok
};
std::vector<WayFinding> findings_of(const Way&, const Url&, wording::Language);

}  // namespace assay::client
