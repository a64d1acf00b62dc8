// Listing: how alerts stand, for `assay alert list`. Pure.
#pragma once

#include <string>
#include <vector>

#include "alert/engine.hh"
#include "alert/outbox.hh"
#include "alert/receiver.hh"

namespace assay::alert {

std::string listing_json(const Engine&, const Outbox&, const std::vector<Receiver>&, const std::string& zone);

}  // namespace assay::alert
