// assay record: the flight recorder without a server.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "cli/commands.hh"
#include "recorder/record.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::cli {
namespace {

Result<recorder::RecordOptions> plan(const RecordCommand& command) {
    const auto segment = static_cast<std::int64_t>(recorder::segment_bytes);
    recorder::RecordOptions options;
    std::int64_t bytes = 0;
    if (!command.size.empty()) {
        ASSAY_TRY(bytes, parse_size(command.size));
        if (bytes < recorder::cold_bytes_min || bytes > recorder::cold_bytes_max) {
            return Error{Fault::invalid, fmt::format("--size: from {} to {}", size_text(recorder::cold_bytes_min),
                                                     size_text(recorder::cold_bytes_max))};
        }
        bytes = bytes / segment * segment;
    }
    if (!command.out.empty()) {
        constexpr std::int64_t usual = 16 << 20;
        options.places = {.cold = command.out, .cold_bytes = bytes > 0 ? bytes : usual, .write_at_once = true};
    } else {
        ASSAY_CHECK(sys::make_directory(command.data));
        if (bytes == 0) {
            ASSAY_TRY(const sys::DiskRoom room, sys::room_of(command.data));
            bytes = recorder::cold_bytes_for(room.size_bytes, room.free_bytes);
        }
        options = recorder::options_for(command.data, bytes);
    }
    if (command.hz) {
        if (!(*command.hz >= 0.01 && *command.hz <= 20))
            return Error{Fault::invalid, "--hz: from 0.01 to 20 frames a second"};
        options.interval_ms = static_cast<std::uint64_t>(1000 / *command.hz);
    }
    if (!command.for_time.empty()) {
        ASSAY_TRY(const std::int64_t ms, parse_duration_ms(command.for_time));
        if (ms < 1) return Error{Fault::invalid, "--for: at least 1 ms"};
        options.for_ms = static_cast<std::uint64_t>(ms);
    }
    return options;
}

}  // namespace

ExitCode record_command(const RecordCommand& command) {
    auto options = plan(command);
    if (!options) {
        const bool wrong = options.error().fault() == Fault::invalid;
        const ExitCode code = fail(options.error());
        return wrong ? ExitCode::misused : code;
    }
    auto signals = sys::signal_descriptor({SIGTERM, SIGINT});
    if (!signals) return fail(signals.error());
    options->end_when_ready = signals->get();
    const std::string where = command.out.empty() ? command.data : command.out;
    const auto started = [&](const std::vector<std::string>& refused) {
        for (const std::string& what : refused) fmt::print(stderr, "assay: goes without {}\n", what);
        fmt::print(stderr, "assay: recording into {}{}\n", where, command.for_time.empty() ? "; Ctrl-C ends it" : "");
    };
    auto done = recorder::record(*options, started);
    if (!done) return fail(done.error());
    if (command.json) {
        const nlohmann::ordered_json json{{"frames", done->frames},
                                          {"bytes", done->bytes},
                                          {"late_us_max", done->late_us_max},
                                          {"cpu_us", done->cpu_us},
                                          {"major_faults", done->major_faults},
                                          {"disk_errors", done->cold_errors},
                                          {"frames_not_on_disk", done->cold_lag_frames}};
        fmt::print("{}\n", json.dump());
    } else {
        fmt::print("{} frames, {}, at most {:.1f} ms late; {:.0f} µs of processor time a frame, {} major faults\n",
                   done->frames, size_text(static_cast<std::int64_t>(done->bytes)),
                   static_cast<double>(done->late_us_max) / 1e3,
                   done->frames > 0 ? static_cast<double>(done->cpu_us) / static_cast<double>(done->frames) : 0.0,
                   done->major_faults);
    }
    const bool lost = done->cold_lag_frames > 0 && !options->places.cold.empty();
    if (lost) fmt::print(stderr, "assay: {} frames did not reach {}\n", done->cold_lag_frames, where);
    std::fflush(stdout);
    return lost ? ExitCode::failed : ExitCode::done;
}

}  // namespace assay::cli
