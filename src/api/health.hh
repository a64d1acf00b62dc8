// Liveness and readiness, on the public listener and on the admin socket.
#pragma once

#include "api/api.hh"

namespace assay::api {

void add_health_routes(http::Router&, Parts&);

}  // namespace assay::api
