// The rows `record` and `replay` of the command table.
#pragma once

#include <functional>

#include "cli/commands.hh"

namespace CLI {
class App;
}

namespace assay::cli {

using WithConfig = std::function<void(const std::function<ExitCode(const serve::Config&)>&)>;

// `code` becomes the exit code of a row that needs no configuration; it and `app` outlive the parsing.
void add_recorder_rows(CLI::App& app, ExitCode& code, const std::function<void(CLI::App&)>& add_data, const WithConfig& with_config);

}  // namespace assay::cli
