// assay sentinel URL: watches a server from another machine.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "alert/sentinel.hh"
#include "cli/act.hh"
#include "cli/alert.hh"
#include "participant/talk.hh"
#include "serve/config.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/zone.hh"

namespace assay::cli {
namespace {

constexpr std::size_t config_bytes_max = 1 << 20;

Result<alert::SentinelConfig> configuration(const std::string& file) {
    const auto path = serve::config_path(file);
    if (!path) return alert::SentinelConfig{};
    ASSAY_TRY(const std::string text, sys::read_file(*path, config_bytes_max));
    return alert::sentinel_config_from_toml(text, *path);
}

Result<> watch(const std::string& url, const alert::SentinelConfig& config) {
    sys::ignore_broken_pipes();
    ASSAY_TRY(const sys::Fd stop, sys::signal_descriptor({SIGTERM, SIGINT}));
    if (config.receivers.empty()) std::fputs("assay: no receiver is configured: what happens is only logged\n", stderr);
    return alert::run_sentinel(url, config, sys::server_zone(), stop, [&url](std::uint16_t port) {
        fmt::print("watching {}{}\n", url, port == 0 ? "" : fmt::format(", digests at UDP port {}", port));
        std::fflush(stdout);
    });
}

}  // namespace

ExitCode sentinel_command(const std::string& url, const std::string& file) {
    const auto config = configuration(file);
    if (!config) return participant::misused(config.error());
    const auto watched = watch(url, *config);
    if (watched) return ExitCode::done;
    // What is invalid is an address that was given.
    return watched.error().fault() == Fault::invalid ? participant::misused(watched.error()) : fail(watched.error());
}

}  // namespace assay::cli
