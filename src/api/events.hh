// Events: GET /api/v1/submissions/{id}/events, one submission's state as server-sent events, to its last.
#pragma once

#include "api/api.hh"

namespace assay::api {

constexpr int event_streams_max = 4096;               // more: 503
constexpr std::chrono::seconds place_looked_at_each{5};  // while it waits, besides when its place has moved

// Events are named `submission`; `data` is the submission's JSON without its stages, `id` stands for what it says.
void add_event_routes(http::Router&, Parts&);

}  // namespace assay::api
