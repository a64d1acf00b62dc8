// Limits: GET /api/v1/limits, what an upload must respect, so that a client can say no before a byte moves. Without a token: it says
// nothing that the assignment does not say.
#pragma once

#include "api/api.hh"

namespace assay::api {

constexpr std::int64_t size_max_default = 12LL << 20;  // announced while no module is open, as intake does

// With `course` and `module` in the query those of the module, without either what holds for the whole server.
void add_limits_route(http::Router&, Parts&);

}  // namespace assay::api
