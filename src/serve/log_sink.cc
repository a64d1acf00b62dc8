#include "serve/log_sink.hh"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/log.hh"

namespace assay::serve {

void log_to_stderr() {
    const auto logger = spdlog::stderr_logger_mt("assay");
    logger->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z",%v)");  // the line brings the rest of the object
    logger->flush_on(spdlog::level::trace);
    log::set_sink([logger](log::Level, const std::string& line) { logger->info(std::string_view{line}.substr(1)); });
}

}  // namespace assay::serve
