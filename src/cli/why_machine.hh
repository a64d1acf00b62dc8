// What holds the machine up at this moment, for whoever asks about something else on it.
#pragma once

#include <string>
#include <vector>

namespace assay::cli {

// Of a stall that goes on, or ended less than a minute ago, as lines for a person; empty: there is none, or nothing is recorded.
std::vector<std::string> machine_now(const std::string& data);

}  // namespace assay::cli
