// Resume: an upload in parts, over as many requests and connections as it takes (tus.hh), that ends as every upload does.
#pragma once

#include "http/message.hh"
#include "intake/intake.hh"

namespace assay::intake {

// Adds /api/v1/uploads and /api/v1/uploads/{id}. `parts` must outlive the router's server.
void add_resumable_routes(http::Router&, Parts&);

}  // namespace assay::intake
