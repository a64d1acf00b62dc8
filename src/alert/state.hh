// What of alerts outlasts a restart, as one JSON document ("assay-alert-state/1", for this program alone), and a message as others
// read it ("assay-alert/1", docs/formats/alerts.md). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alert/engine.hh"
#include "alert/outbox.hh"
#include "base/result.hh"

namespace assay::alert {

constexpr std::size_t state_bytes_max = 4u << 20;

struct State {
    Memory memory;
    std::vector<Posted> posted;
};

std::string to_json(const State&);
Result<State> state_from_json(std::string_view);  // errors: invalid, too_large

// Times RFC 3339 in UTC. `text`: what a person reads.
std::string to_json(const Message&, std::string_view title, std::string_view text);

}  // namespace assay::alert
