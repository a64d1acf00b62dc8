// Alarms: what the server knows of itself, as figures for the room alert, and staff's commands about alerts on the admin socket.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "alert/config.hh"
#include "alert/keeper.hh"
#include "course/plan_cache.hh"
#include "http/message.hh"
#include "loop/loop.hh"
#include "queue/board.hh"
#include "serve/beacon.hh"
#include "serve/pulse.hh"
#include "serve/rooms.hh"

namespace assay::serve {

struct AlarmParts {
    Rooms& rooms;
    const queue::Board& board;
    course::PlanCache& plans;
    const Pulse& pulse;
    const sys::Clock& clock;
    Vitals& vitals;  // kept up to date
    std::function<std::int64_t()> verify_oldest_ms;
    std::string data;  // the data directory; the messages that wait are kept in it
    std::string zone;
    std::function<void(const std::string& rule, bool fires)> on_change;  // may be empty
};

// Begins to look. Everything in `parts` outlives what is returned.
std::unique_ptr<alert::Keeper> start_alarms(const alert::Config&, AlarmParts);

// Begins to send signs of life; nullptr where none are wanted. What it is given outlives what is returned.
std::unique_ptr<Beacon> start_beacon(const alert::Config&, const alert::Keeper&, const Pulse&, const queue::Board&,
                                     const Vitals&);

// GET /admin/alerts, POST /admin/alerts/{test[?receiver=R], silence?match=M&for_ms=N&author=A&reason=R, unsilence?id=ID}.
// `keeper` answers who it is now; nullptr: the server is stopping. `pool`: for what blocks.
void add_alert_routes(http::Router&, std::function<alert::Keeper*()> keeper, loop::Pool& pool);

}  // namespace assay::serve
