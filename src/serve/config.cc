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

constexpr std::array<std::string_view, 10> known{"data", "listen", "user", "public_url", "clients", "slots", "cpu_weight", "disk_reserve", "uploads_in_flight", "recorder_size"};
constexpr std::int64_t in_flight_bytes_least = 4LL << 20;  // what may be set; it lets a few go on at once
constexpr int cpu_weight_max = 10'000;  // the kernel's

Error unknown_key(std::string_view name, std::uint32_t line, std::string_view key) {
    std::string text = fmt::format("{}:{}: unknown key '{}'", name, line, escaped(key));
    if (const auto near = nearest(key, known)) text += fmt::format("; did you mean '{}'?", *near);
    return {Fault::invalid, text};
}

Result<int> slots_from(const std::string& text) {
    int value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || value < 0 || value > sandbox::slots_max) {
        return Error{Fault::invalid, fmt::format("slots: '{}' is not a number from 0 (one per core) to {}", escaped(text), sandbox::slots_max)};
    }
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
            if (const auto word = node.value<std::string>(); word && node.is_string()) settings.emplace(key.str(), *word);
            else if (const auto number = node.value<std::int64_t>(); number && node.is_integer()) settings.emplace(key.str(), std::to_string(*number));
            else return Error{Fault::invalid, fmt::format("{}:{}: '{}' must be a text or a whole number", name, line, key.str())};
        }
    } catch (const toml::parse_error& error) {
        return Error{Fault::invalid, fmt::format("{}:{}: {}", name, error.source().begin.line, error.description())};
    }
    return settings;
}

Settings settings_from_environment(const char* const* environment) {
    Settings settings;
    for (const std::string_view key : known) {
        std::string prefix = "ASSAY_";
        for (const char c : key) prefix += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        prefix += '=';
        for (const char* const* entry = environment; *entry != nullptr; ++entry) {
            const std::string_view variable{*entry};
            if (variable.starts_with(prefix)) settings.emplace(key, variable.substr(prefix.size()));
        }
    }
    return settings;
}

Result<Config> config_from(const std::vector<Settings>& sources, bool as_root) {
    Config config;
    config.data = as_root ? "/var/lib/assay" : "./assay-data";
    for (const Settings& source : sources) {
        for (const auto& [key, value] : source) {
            if (key == "data") config.data = value;
            else if (key == "listen") config.listen = value;
            else if (key == "user") config.user = value;
            else if (key == "public_url") config.public_url = value;
            else if (key == "clients") config.clients = value;
            else if (key == "slots") {
                ASSAY_TRY(config.slots, slots_from(value));
            } else if (key == "cpu_weight") {
                ASSAY_TRY(config.cpu_weight, cpu_weight_from(value));
            } else if (key == "disk_reserve") {
                ASSAY_TRY(config.disk_reserve_bytes, disk_reserve_from(value));
            } else if (key == "uploads_in_flight") {
                ASSAY_TRY(config.uploads_in_flight_bytes, in_flight_bytes_from(value));
            } else if (key == "recorder_size") {
                ASSAY_TRY(config.recorder_bytes, recorder_bytes_from(value));
            }
        }
    }
    if (config.data.empty()) return Error{Fault::invalid, "data: the directory's name is empty"};
    if (auto address = http::parse_address(config.listen); !address) return address.take_error().in("listen");
    const bool web = config.public_url.starts_with("http://") || config.public_url.starts_with("https://");
    if (!config.public_url.empty() && !web) {
        return Error{Fault::invalid, fmt::format("public_url: '{}' does not begin with http:// or https://", escaped(config.public_url))};
    }
    while (config.public_url.ends_with('/')) config.public_url.pop_back();
    return config;
}

std::optional<std::string> config_path(const std::string& given) {
    if (!given.empty()) return given;
    for (const char* const path : {"./assay.toml", "/etc/assay/assay.toml"}) {
        if (sys::info_of_path(path)) return path;
    }
    return std::nullopt;
}

}  // namespace assay::serve
