// What is said of a hand-in before it goes, to a person and to a program.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/text.hh"
#include "participant/hand_in.hh"

namespace assay::participant {
namespace {

using wording::Told;
using Json = nlohmann::ordered_json;

constexpr std::size_t largest_shown_max = 5;
constexpr std::size_t stays_shown_max = 10;
constexpr std::size_t warnings_shown_max = 10;
constexpr std::size_t globs_shown_max = 1000;  // bytes

std::string time_left(std::int64_t ms) {
    const std::int64_t minutes = ms / 60'000, hours = minutes / 60, days = hours / 24;
    if (days > 0) return told(Told::left_days, {std::to_string(days), std::to_string(hours % 24)});
    if (hours > 0) return told(Told::left_hours, {std::to_string(hours), std::to_string(minutes % 60)});
    return told(Told::left_minutes, {std::to_string(minutes)});
}

// By the server's clock, whatever this machine's says.
std::optional<std::int64_t> ms_until(const client::Limits& limits, const std::string& date) {
    const auto then = client::instant_ms(date), now = client::instant_ms(limits.now);
    return then && now ? std::optional{*then - *now} : std::nullopt;
}

// "2026-10-15 23:59:59" of the course's zone.
std::string clock_time(const std::string& date) {
    std::string text = date.substr(0, 19);
    if (text.size() > 10) text[10] = ' ';
    return escaped(text);
}

std::string deadlines(const client::Limits& limits) {
    std::string lines;
    const auto line = [&](const std::string& date, Told coming) {
        const auto left = ms_until(limits, date);
        if (!left) return;
        const std::string zone = escaped(limits.timezone);
        lines += (*left < 0 ? told(Told::plan_was_due, {clock_time(date), zone})
                            : told(coming, {clock_time(date), zone, time_left(*left)})) +
                 "\n";
    };
    line(limits.due, Told::plan_due);
    if (limits.closes != limits.due) line(limits.closes, Told::plan_closes);
    return lines.empty() ? told(Told::plan_no_deadline) + "\n" : lines;
}

std::string joined(const std::vector<std::string>& words) {
    return escaped(fmt::format("{}", fmt::join(words, " ")), globs_shown_max);
}

std::string line_of(const archive::Entry& entry) {
    const bool file = entry.kind == archive::Entry::Kind::regular;
    const std::string tail = entry.kind == archive::Entry::Kind::directory ? "/"
                             : entry.kind == archive::Entry::Kind::symlink ? " -> " + escaped(entry.target)
                                                                           : "";
    return fmt::format("  {:>9}  {}{}\n", file ? size_text(entry.size) : "", escaped(entry.path, 1000), tail);
}

std::string files(const HandIn& it, bool verbose) {
    std::string text;
    if (verbose) {
        text = told(Told::plan_goes) + "\n";
        for (const archive::Entry& entry : it.selection.goes) text += line_of(entry);
        return text;
    }
    const auto largest = largest_of(it.selection.goes, largest_shown_max);
    if (!largest.empty()) text = told(Told::plan_largest) + "\n";
    for (const archive::Entry* const entry : largest) text += line_of(*entry);
    return text;
}

std::string more(std::size_t all, std::size_t shown) {
    return all > shown ? "  " + told(Told::plan_more, {std::to_string(all - shown)}) + "\n" : "";
}

std::string stays(const std::vector<client::Stay>& all, bool verbose) {
    if (all.empty()) return {};
    std::string text = told(Told::plan_stays, {std::to_string(all.size())}) + "\n";
    const std::size_t shown = verbose ? all.size() : std::min(all.size(), stays_shown_max);
    for (std::size_t i = 0; i < shown; ++i)
        text += fmt::format("  {}{}  ({})\n", escaped(all[i].path, 1000), all[i].directory ? "/" : "", why(all[i]));
    return text + more(all.size(), shown);
}

std::string_view to_string(client::Stay::Why why) {
    switch (why) {
        case client::Stay::Why::tool: return "tool";
        case client::Stay::Why::module: return "module";
        case client::Stay::Why::rule: return "rule";
    }
    return "";
}

std::string_view to_string(archive::Entry::Kind kind) {
    switch (kind) {
        case archive::Entry::Kind::directory: return "folder";
        case archive::Entry::Kind::regular: return "file";
        case archive::Entry::Kind::symlink: return "link";
    }
    return "";
}

Json json_of(const client::Stay& it) {
    Json json{{"path", it.path}, {"kind", it.directory ? "folder" : "file"}, {"why", to_string(it.why)}};
    if (it.why == client::Stay::Why::rule) {
        json["file"] = it.ruling.file;
        json["line"] = it.ruling.line;
    }
    json["rule"] = it.ruling.rule;
    return json;
}

}  // namespace

std::vector<const archive::Entry*> largest_of(const std::vector<archive::Entry>& entries, std::size_t count_max) {
    std::vector<const archive::Entry*> largest;
    for (const archive::Entry& entry : entries) {
        if (entry.kind == archive::Entry::Kind::regular) largest.push_back(&entry);
    }
    const std::size_t count = std::min(largest.size(), count_max);
    std::ranges::partial_sort(largest, largest.begin() + static_cast<std::ptrdiff_t>(count), [](const auto* a, const auto* b) {
        return a->size != b->size ? a->size > b->size : a->path < b->path;
    });
    largest.resize(count);
    return largest;
}

std::string why(const client::Stay& it) {
    switch (it.why) {
        case client::Stay::Why::tool: return told(Told::stays_tool);
        case client::Stay::Why::module: return told(Told::stays_module, {escaped(it.ruling.rule)});
        case client::Stay::Why::rule:
            return fmt::format("{}:{}: {}", escaped(it.ruling.file), it.ruling.line, escaped(it.ruling.rule));
    }
    return {};
}

std::string text_of(const client::Warning& it) {
    using Kind = client::Warning::Kind;
    const std::string path = escaped(it.path);
    switch (it.kind) {
        case Kind::crlf_script: return told(Told::crlf_script, {path});
        case Kind::crlf_makefile: return told(Told::crlf_makefile, {path});
        case Kind::product:
            if (it.count == 1) return told(Told::product, {path, size_text(it.size), escaped(it.rule)});
            return told(Told::products, {path, size_text(it.size), escaped(it.rule), std::to_string(it.count)});
        case Kind::windows_name: return told(Told::windows_name, {path});
        case Kind::kept_back: return told(Told::kept_back, {path, escaped(it.rule)});
    }
    return {};
}

std::string shown(const HandIn& it, const Target& target, const client::Limits& limits, bool verbose) {
    const model::UploadRules& rules = limits.rules;
    const std::string entries = std::to_string(it.entries), unpacked = size_text(it.unpacked_bytes),
                      size = size_text(it.sum.size);
    std::string text = told(it.folder ? Told::plan_folder : Told::plan_file,
                            {entries, unpacked, size, archive::to_string(it.format)}) +
                       "\n";
    text += "sha256: " + it.sum.sha256 + "\n";
    text += told(Told::plan_to, {escaped(target.course), escaped(target.module), escaped(target.server)}) + "\n";
    text += told(Told::plan_limits, {size_text(rules.size_max), size_text(rules.unpacked_max),
                                     std::to_string(rules.entries_max), joined(rules.formats)}) +
            "\n";
    if (!rules.required.empty()) text += told(Told::plan_required, {joined(rules.required)}) + "\n";
    text += deadlines(limits) + files(it, verbose) + stays(it.selection.stays, verbose);
    const std::size_t warned = verbose ? it.warnings.size() : std::min(it.warnings.size(), warnings_shown_max);
    for (std::size_t i = 0; i < warned; ++i) text += told(Told::warning, {text_of(it.warnings[i])}) + "\n";
    return text + more(it.warnings.size(), warned);
}

std::string json_of(const HandIn& it, const Target& target, const client::Limits& limits, bool dry_run) {
    const model::UploadRules& rules = limits.rules;
    Json json{{"type", "assay-hand-in/1"},
              {"dry_run", dry_run},
              {"server", target.server},
              {"course", target.course},
              {"module", target.module},
              {"path", it.path},
              {"format", archive::to_string(it.format)},
              {"size", it.sum.size},
              {"sha256", it.sum.sha256},
              {"entries", it.entries},
              {"unpacked_bytes", it.unpacked_bytes},
              {"limits",
               {{"size_max", rules.size_max},
                {"unpacked_max", rules.unpacked_max},
                {"entries_max", rules.entries_max},
                {"formats", rules.formats},
                {"required", rules.required}}}};
    const auto date = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    json["due"] = date(limits.due);
    json["closes"] = date(limits.closes);
    json["timezone"] = limits.timezone;
    const auto left = ms_until(limits, limits.due.empty() ? limits.closes : limits.due);
    json["left_ms"] = left ? Json(*left) : Json(nullptr);
    json["goes"] = Json::array();
    for (const archive::Entry& entry : it.selection.goes)
        json["goes"].push_back({{"path", entry.path}, {"kind", to_string(entry.kind)}, {"size", entry.size}});
    json["stays"] = Json::array();
    for (const client::Stay& stay : it.selection.stays) json["stays"].push_back(json_of(stay));
    json["warnings"] = Json::array();
    for (const client::Warning& warning : it.warnings) {
        json["warnings"].push_back({{"kind", client::to_string(warning.kind)},
                                    {"path", warning.path},
                                    {"count", warning.count},
                                    {"size", warning.size},
                                    {"rule", warning.rule},
                                    {"text", text_of(warning)}});
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::participant
