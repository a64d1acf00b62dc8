// A frame for programs: JSON and CSV.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "recorder/fields.hh"
#include "recorder/timeline.hh"
#include "sys/zone.hh"

namespace assay::recorder {
namespace {

using Json = nlohmann::ordered_json;

struct RateField {
    const char* name;
    double Rates::* field;
};
constexpr RateField rate_fields[] = {
    {"seconds", &Rates::seconds},
    {"stopped_seconds", &Rates::stopped_seconds},
    {"clock_step_seconds", &Rates::clock_step_seconds},
    {"memory_some_share", &Rates::memory_some_share},
    {"memory_full_share", &Rates::memory_full_share},
    {"io_some_share", &Rates::io_some_share},
    {"io_full_share", &Rates::io_full_share},
    {"cpu_some_share", &Rates::cpu_some_share},
    {"refaults_per_s", &Rates::refaults_per_s},
    {"major_faults_per_s", &Rates::major_faults_per_s},
    {"direct_steal_ratio", &Rates::direct_steal_ratio},
    {"read_bytes_per_s", &Rates::read_bytes_per_s},
    {"written_bytes_per_s", &Rates::written_bytes_per_s},
    {"reads_per_s", &Rates::reads_per_s},
    {"writes_per_s", &Rates::writes_per_s},
    {"disk_busy_share", &Rates::disk_busy_share},
    {"disk_wait_ms", &Rates::disk_wait_ms},
    {"cpu_user_share", &Rates::cpu_user_share},
    {"cpu_system_share", &Rates::cpu_system_share},
    {"cpu_iowait_share", &Rates::cpu_iowait_share},
    {"cpu_steal_share", &Rates::cpu_steal_share},
    {"core_busy_share_max", &Rates::core_busy_share_max},
    {"received_bytes_per_s", &Rates::received_bytes_per_s},
    {"sent_bytes_per_s", &Rates::sent_bytes_per_s},
    {"requests_per_s", &Rates::requests_per_s},
};

Json fields_json(const auto& row) {
    Json json = Json::object();
    each_field(row, [&json](const char* name, const auto& field) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, std::uint64_t>) {
            json[name] = field;
        } else {
            json[name] = replace_invalid_utf8(field.view());
        }
    });
    return json;
}

std::string utc(std::int64_t real_time_ns) { return sys::rfc3339(sys::wall_from_ms(real_time_ns / 1'000'000), "UTC"); }

}  // namespace

std::string frame_json(const Frame& frame, const Rates* rates) {
    Json json = {{"sequence", frame.sequence},         {"time", utc(frame.real_time_ns)},
                 {"real_time_ns", frame.real_time_ns}, {"monotonic_ns", frame.monotonic_ns},
                 {"boot_time_ns", frame.boot_time_ns}, {"boot", frame.boot},
                 {"late_us", frame.late_us},           {"cost_us", frame.cost_us}};
    if (rates != nullptr) {
        Json& told = json["rates"];
        for (const RateField& one : rate_fields) told[one.name] = rates->*one.field;
        told["loop_lag_ms_max"] = rates->loop_lag_ms_max;
        told["lost_frames"] = rates->lost_frames;
    }
    each_section(frame, [&](Section id, const char* name, const auto& section) {
        if (!frame.has(id)) return;
        if constexpr (requires { section.left_out; }) {
            Json rows = Json::array();
            for (const auto& row : section) rows.push_back(fields_json(row));
            json[name] = std::move(rows);
            if (section.left_out > 0) json[fmt::format("{}_left_out", name)] = section.left_out;
        } else {
            json[name] = fields_json(section);
        }
    });
    return json.dump();
}

std::string csv_header() {
    std::string line = "time,sequence,late_us,cost_us,suspicion";
    for (const RateField& one : rate_fields) line += fmt::format(",{}", one.name);
    return line +
           ",loop_lag_ms_max,lost_frames,available_bytes,anon_bytes,dirty_bytes,tasks_blocked,jobs_running,jobs_"
           "waiting\n";
}

std::string csv_line(const Frame& frame, const Rates& rates) {
    std::string line = fmt::format("{},{},{},{},{}", utc(frame.real_time_ns), frame.sequence, frame.late_us,
                                   frame.cost_us, frame.recorder.suspicion);
    for (const RateField& one : rate_fields) line += fmt::format(",{:.6g}", rates.*one.field);
    return line + fmt::format(",{},{},{},{},{},{},{},{}\n", rates.loop_lag_ms_max, rates.lost_frames,
                              frame.memory.available_bytes, frame.memory.anon_bytes, frame.memory.dirty_bytes,
                              frame.cpu.tasks_blocked, frame.server.jobs_running, frame.server.jobs_waiting);
}

}  // namespace assay::recorder
