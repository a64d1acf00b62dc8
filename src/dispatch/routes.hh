// The routes of the runner protocol. Private to the room.
#pragma once

#include <memory>

#include "dispatch/inner.hh"

namespace assay::dispatch {

void add_routes(http::Router& router, const std::shared_ptr<Dispatcher::Inner>& inner);

}  // namespace assay::dispatch
