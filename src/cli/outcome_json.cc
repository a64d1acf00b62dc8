#include "cli/outcome_json.hh"

#include <nlohmann/json.hpp>

#include "base/text.hh"

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {  // null: this host does not tell
    return value ? Json(*value) : Json(nullptr);
}

Json json_of(const model::Limits& limits) {
    return {{"cpu_ms", limits.cpu_ms}, {"wall_ms", limits.wall_ms}, {"memory_bytes", limits.memory_bytes},
            {"processes", limits.processes}, {"output_bytes", limits.output_bytes}, {"disk_bytes", limits.disk_bytes},
            {"open_files", limits.open_files}, {"cores", limits.cores > 0 ? Json(limits.cores) : Json(nullptr)}};
}

Json json_of(const model::Guarantees& g, bool writable_bind) {
    // Writes to a writable bind go past the scratch, so `disk` does not hold for them.
    const model::Guarantee disk = writable_bind ? model::Guarantee::none : g.disk;
    return {{"cpu", model::to_string(g.cpu)}, {"wall", model::to_string(g.wall)}, {"memory", model::to_string(g.memory)},
            {"processes", model::to_string(g.processes)}, {"output", model::to_string(g.output)}, {"disk", model::to_string(disk)}, {"cores", model::to_string(g.cores)}};
}

}  // namespace

std::string outcome_json(const model::Outcome& outcome, model::Verdict verdict, bool writable_bind) {
    Json json{{"verdict", model::to_string(verdict)}};
    if (outcome.exit_code) json["exit_code"] = *outcome.exit_code;
    if (outcome.signal) json["signal"] = *outcome.signal;
    json["cpu_user_ms"] = outcome.cpu_user_ms;
    json["cpu_system_ms"] = outcome.cpu_system_ms;
    json["wall_ms"] = outcome.wall_ms;
    json["throttled_ms"] = or_null(outcome.throttled_ms);
    json["memory_peak_bytes"] = outcome.memory_peak_bytes;
    json["memory_file_bytes"] = or_null(outcome.memory_file_bytes);
    json["processes_peak"] = outcome.processes_peak > 0 ? Json(outcome.processes_peak) : Json(nullptr);
    json["io_read_bytes"] = or_null(outcome.io_read_bytes);
    json["io_write_bytes"] = or_null(outcome.io_write_bytes);
    json["stdout"] = replace_invalid_utf8(outcome.output.text());
    json["stderr"] = replace_invalid_utf8(outcome.errors.text());
    json["stdout_bytes"] = outcome.output.bytes;
    json["stderr_bytes"] = outcome.errors.bytes;
    json["stdout_dropped_bytes"] = outcome.output.dropped_bytes;
    json["stderr_dropped_bytes"] = outcome.errors.dropped_bytes;
    json["trustworthy_timing"] = or_null(outcome.trustworthy_timing);
    json["limits"] = json_of(outcome.limits);
    json["guarantees"] = json_of(outcome.guarantees, writable_bind);
    if (!outcome.fault.empty()) json["fault"] = outcome.fault;
    return json.dump(2);
}

}  // namespace assay::cli
