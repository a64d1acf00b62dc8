#include "serve/config.hh"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hh"
#include "http/server.hh"
#include "recorder/ring.hh"
#include "sandbox/sandbox.hh"
#include "store/space.hh"
#include "sys/file.hh"

namespace assay::serve {
namespace {

constexpr std::array<std::string_view, 16> known{"data",
                                                 "listen",
                                                 "ops_listen",
                                                 "user",
                                                 "public_url",
                                                 "clients",
                                                 "slots",
                                                 "cores_per_slot",
                                                 "cpu_weight",
                                                 "jobs_group",
                                                 "disk_read_mib_per_s",
                                                 "disk_reads_per_s",
                                                 "scratch_disk_mib_max",
                                                 "disk_reserve",
                                                 "uploads_in_flight",
                                                 "recorder_size"};
constexpr std::int64_t in_flight_bytes_least = 4LL << 20;  // what may be set; it lets a few go on at once
constexpr int cpu_weight_max = 10'000;  // the kernel's
constexpr int cores_per_slot_max = 4096;
constexpr int scratch_disk_mib_most = 4 << 20;  // 4 TiB, as a module may say

Error unknown_key(std::string_view name, std::uint32_t line, std::string_view key) {
    std::string text = fmt::format("{}:{}: unknown key '{}'", name, line, escaped(key));
    if (const auto near = nearest(key, known)) text += fmt::format("; did you mean '{}'?", *near);
    return {Fault::invalid, text};
}

Result<int> count_from(std::string_view key, const std::string& text, std::string_view zero, int max) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < 0 || value > max) {
        return Error{Fault::invalid, fmt::format("{}: '{}' is not a number from 0 ({}) to {}", key, escaped(text), zero, max)};
    }
    return value;
}

Result<int> disk_pace_from(std::string_view key, const std::string& text, int least) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || !sandbox::DiskPace::is_pace(value, least))
        return Error{Fault::invalid, fmt::format("{}: '{}' is neither 0 (as fast as the disk can) nor a number from {} to {}", key, escaped(text), least, sandbox::DiskPace::most)};
    return value;
}

Result<int> cpu_weight_from(const std::string& text) {
    if (text == "idle") return 0;
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < 1 || value > cpu_weight_max) {
        return Error{Fault::invalid, fmt::format("cpu_weight: '{}' is neither \"idle\" nor a number from 1 to {}", escaped(text), cpu_weight_max)};
    }
    return value;
}

Result<std::string> jobs_group_from(const std::string& text) {
    constexpr std::size_t size_max = 255;
    constexpr std::string_view fits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@:-";
    if (text.size() <= size_max && !text.starts_with('.') && text.find_first_not_of(fits) == text.npos) return text;
    return Error{
        Fault::invalid,
        fmt::format(
            "jobs_group: '{}' is not the name of a control group directly below the root, such as assay-jobs.service",
            escaped(text))};
}

Result<std::int64_t> disk_reserve_from(const std::string& text) {
    const auto bytes = parse_size(text);
    if (!bytes || *bytes < store::Space::intake_bytes_min) {
        return Error{Fault::invalid, fmt::format("disk_reserve: '{}' is not a size of at least {}", escaped(text),
                                                 size_text(store::Space::intake_bytes_min))};
    }
    return *bytes;
}

Result<std::int64_t> in_flight_bytes_from(const std::string& text) {
    const auto bytes = parse_size(text);
    if (!bytes || *bytes < in_flight_bytes_least) {
        return Error{Fault::invalid, fmt::format("uploads_in_flight: '{}' is not a size of at least {}", escaped(text), size_text(in_flight_bytes_least))};
    }
    return *bytes;
}

Result<std::int64_t> recorder_bytes_from(const std::string& text) {
    const auto bytes = parse_size(text);
    if (!bytes || (*bytes != 0 && (*bytes < recorder::cold_bytes_min || *bytes > recorder::cold_bytes_max))) {
        return Error{Fault::invalid, fmt::format("recorder_size: '{}' is neither 0 nor a size from {} to {}", escaped(text),
                                                 size_text(recorder::cold_bytes_min), size_text(recorder::cold_bytes_max))};
    }
    return *bytes / static_cast<std::int64_t>(recorder::segment_bytes) * static_cast<std::int64_t>(recorder::segment_bytes);
}

}  // namespace

Result<Settings> settings_from_toml(const std::string& text, const std::string& name) {
    Settings settings;
    try {
        const toml::table table = toml::parse(text, name);
        for (const auto& [key, node] : table) {
            const auto line = node.source().begin.line;
            if (key == "alert" || key == "sentinel" || key == "admission") continue;
            if (std::ranges::find(known, key.str()) == known.end()) return unknown_key(name, line, key.str());
            const std::string place = fmt::format("{}:{}", name, line);
            if (const auto word = node.value<std::string>(); word && node.is_string()) settings.emplace(key.str(), Setting{*word, place});
            else if (const auto number = node.value<std::int64_t>(); number && node.is_integer()) settings.emplace(key.str(), Setting{std::to_string(*number), place});
            else return Error{Fault::invalid, fmt::format("{}:{}: '{}' must be a text or a whole number", name, line, key.str())};
        }
    } catch (const toml::parse_error& error) {
        return Error{Fault::invalid, fmt::format("{}:{}: {}", name, error.source().begin.line, error.description())};
    }
    return settings;
}

namespace {

constexpr std::string_view variable_prefix = "ASSAY_";

std::string variable_of(std::string_view key) {
    std::string name{variable_prefix};
    for (const char c : key) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

}  // namespace

Settings settings_from_environment(const char* const* environment) {
    Settings settings;
    for (const std::string_view key : known) {
        const std::string name = variable_of(key);
        for (const char* const* entry = environment; *entry != nullptr; ++entry) {
            const std::string_view variable{*entry};
            if (variable.starts_with(name + '=')) settings.emplace(key, Setting{std::string{variable.substr(name.size() + 1)}, name});
        }
    }
    return settings;
}

std::vector<MistakenVariable> mistaken_variables(const char* const* environment) {
    std::vector<std::string> names;
    for (const std::string_view key : known) names.push_back(variable_of(key));
    // Those of participants' commands are not mistaken for a setting's.
    std::vector<std::string_view> all{"ASSAY_SERVER", "ASSAY_COURSE", "ASSAY_MODULE", "ASSAY_TOKEN", "ASSAY_CA_FILE"};
    all.insert(all.end(), names.begin(), names.end());
    std::vector<MistakenVariable> mistaken;
    for (const char* const* entry = environment; *entry != nullptr; ++entry) {
        const std::string_view name = std::string_view{*entry}.substr(0, std::string_view{*entry}.find('='));
        if (!name.starts_with(variable_prefix) || std::ranges::find(all, name) != all.end()) continue;
        if (const auto near = nearest(name, all)) mistaken.push_back({std::string{name}, std::string{*near}});
    }
    return mistaken;
}

namespace {

Result<> check_address(std::string_view key, const std::string& value) {
    if (auto address = http::parse_address(value); !address) return address.take_error().in(key);
    return ok;
}

Result<> apply(Config& config, std::string_view key, const std::string& value) {
    if (key == "data") {
        if (value.empty()) return Error{Fault::invalid, "data: the directory's name is empty"};
        config.data = value;
    } else if (key == "listen") {
        ASSAY_CHECK(check_address(key, value));
        config.listen = value;
    } else if (key == "ops_listen") {
        if (!value.empty()) ASSAY_CHECK(check_address(key, value));
        config.ops_listen = value;
    } else if (key == "user") {
        config.user = value;
    } else if (key == "public_url") {
        if (!value.empty() && !value.starts_with("http://") && !value.starts_with("https://"))
            return Error{Fault::invalid, fmt::format("public_url: '{}' does not begin with http:// or https://", escaped(value))};
        config.public_url = value;
        while (config.public_url.ends_with('/')) config.public_url.pop_back();
    } else if (key == "clients") {
        config.clients = value;
    } else if (key == "slots") {
        ASSAY_TRY(config.slots, count_from(key, value, "one per core", sandbox::slots_max));
    } else if (key == "cores_per_slot") {
        ASSAY_TRY(config.cores_per_slot, count_from(key, value, "all slots share all cores", cores_per_slot_max));
    } else if (key == "cpu_weight") {
        ASSAY_TRY(config.cpu_weight, cpu_weight_from(value));
    } else if (key == "jobs_group") {
        ASSAY_TRY(config.jobs_group, jobs_group_from(value));
    } else if (key == "disk_read_mib_per_s") {
        ASSAY_TRY(config.disk_reads.mib_per_s, disk_pace_from(key, value, sandbox::DiskPace::mib_per_s_least));
    } else if (key == "disk_reads_per_s") {
        ASSAY_TRY(config.disk_reads.reads_per_s, disk_pace_from(key, value, sandbox::DiskPace::reads_per_s_least));
    } else if (key == "scratch_disk_mib_max") {
        ASSAY_TRY(config.scratch_disk_mib_max, count_from(key, value, "none is offered", scratch_disk_mib_most));
    } else if (key == "disk_reserve") {
        ASSAY_TRY(config.disk_reserve_bytes, disk_reserve_from(value));
    } else if (key == "uploads_in_flight") {
        ASSAY_TRY(config.uploads_in_flight_bytes, in_flight_bytes_from(value));
    } else if (key == "recorder_size") {
        ASSAY_TRY(config.recorder_bytes, recorder_bytes_from(value));
    }
    return ok;
}

}  // namespace

Result<Config> config_from(const std::vector<Settings>& sources, bool as_root) {
    Config config;
    config.data = as_root ? "/var/lib/assay" : "./assay-data";
    for (const Settings& source : sources) {
        for (const auto& [key, setting] : source) {
            Result<> applied = apply(config, key, setting.value);
            if (!applied) return setting.place.empty() ? applied.take_error() : applied.take_error().in(setting.place);
        }
    }
    return config;
}

Result<int> slots_of(const Config& config, int cores) {
    const int own = config.cores_per_slot;
    if (own == 0) return config.slots > 0 ? config.slots : std::min(cores, sandbox::slots_max);
    const int slots_max = std::min((cores - 1) / own, sandbox::slots_max);
    if (slots_max == 0 || config.slots > slots_max) {
        return Error{Fault::invalid, fmt::format("cores_per_slot: {} for each of {} slots, and one for the server, are more than the {} of this machine; {}",
                                                 own, std::max(1, config.slots), cores,
                                                 slots_max == 0 ? std::string{"leave it out"} : fmt::format("set slots to at most {}", slots_max))};
    }
    return config.slots > 0 ? config.slots : slots_max;
}

std::optional<std::string> config_path(const std::string& given) {
    if (!given.empty()) return given;
    for (const char* const path : {"./assay.toml", "/etc/assay/assay.toml"}) {
        if (sys::info_of_path(path)) return path;
    }
    return std::nullopt;
}

}  // namespace assay::serve
