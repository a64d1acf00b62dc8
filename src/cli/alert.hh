// assay alert: what is wrong, who is told, silences, and whether the receivers are reached. A running server is asked.
#pragma once

#include <functional>
#include <string>

#include "cli/commands.hh"

namespace CLI {
class App;
}

namespace assay::cli {

struct AlertOptions {
    std::string receiver;
    std::string match;
    std::string id;
    std::string length = "1h";
    std::string author;
    std::string reason;
};

// `add_data` gives a command its --data and --config; `run` calls it with them.
void add_alert_commands(CLI::App& app, AlertOptions& options, const std::function<void(CLI::App&)>& add_data,
                        const std::function<void(std::function<ExitCode(const StaffOptions&)>)>& run, bool& json);

// Probes `url` until SIGTERM, and tells the receivers of the configuration file when it is silent.
ExitCode sentinel_command(const std::string& url, const std::string& file);

}  // namespace assay::cli
