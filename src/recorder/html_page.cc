// One page with everything in it. Its policy allows the one script below, by its hash, and nothing from anywhere.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "recorder/timeline.hh"
#include "sys/sha256.hh"
#include "sys/zone.hh"

namespace assay::recorder {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view style =
#include "recorder/page.css.inc"
    ;
constexpr std::string_view script =
#include "recorder/page.js.inc"
    ;

constexpr std::size_t bands_listed_max = 50;

std::int64_t ms_of(std::int64_t ns) { return ns / 1'000'000; }

std::string in_html(std::string_view text) {
    std::string out;
    for (const char c : escaped(text, 400)) {
        if (c == '<') out += "&lt;";
        else if (c == '>') out += "&gt;";
        else if (c == '&') out += "&amp;";
        else if (c == '"') out += "&quot;";
        else out += c;
    }
    return out;
}

// JSON inside a <script>: nothing in it may end that.
std::string in_script(const Json& json) {
    std::string out;
    for (const char c : json.dump()) {
        if (c == '<') out += "\\u003c";
        else out += c;
    }
    return out;
}

double tenth(double value) { return static_cast<double>(static_cast<std::int64_t>(value * 10 + 0.5)) / 10; }

Json series(const Timeline& timeline) {
    Json all;
    const auto add = [&](const char* name, auto&& value) {
        Json values = Json::array();
        for (const Point& point : timeline.points()) values.push_back(value(point));
        all[name] = std::move(values);
    };
    add("t", [](const Point& p) { return ms_of(p.time_ns); });
    add("memory_full", [](const Point& p) { return tenth(p.worst.memory_full_share * 100); });
    add("io_full", [](const Point& p) { return tenth(p.worst.io_full_share * 100); });
    add("cpu_some", [](const Point& p) { return tenth(p.worst.cpu_some_share * 100); });
    add("refaults", [](const Point& p) { return tenth(p.worst.refaults_per_s); });
    add("major_faults", [](const Point& p) { return tenth(p.worst.major_faults_per_s); });
    add("available", [](const Point& p) { return tenth(p.available_share * 100); });
    add("disk_busy", [](const Point& p) { return tenth(p.worst.disk_busy_share * 100); });
    add("read_mb", [](const Point& p) { return tenth(p.worst.read_bytes_per_s / 1e6); });
    add("write_mb", [](const Point& p) { return tenth(p.worst.written_bytes_per_s / 1e6); });
    add("cpu_busy", [](const Point& p) { return tenth((p.worst.cpu_user_share + p.worst.cpu_system_share) * 100); });
    add("steal", [](const Point& p) { return tenth(p.worst.cpu_steal_share * 100); });
    add("loop_lag", [](const Point& p) { return p.worst.loop_lag_ms_max; });
    add("late", [](const Point& p) { return p.late_ms; });
    add("waiting", [](const Point& p) { return p.jobs_waiting; });
    add("gap", [](const Point& p) { return tenth(p.gap_s); });
    return all;
}

// Who did it, and who else was there: jobs that ran in the band are no more than witnesses.
std::string suspects(const Timeline& timeline, const Band& band) {
    constexpr int named_max = 4;
    std::string text = timeline.offender_of(band);
    int named = 0;
    for (const LineJob& job : timeline.jobs()) {
        if (job.from_ns > band.to_ns || job.to_ns < band.from_ns) continue;
        if (text.starts_with(fmt::format("job {} ", job.job))) continue;
        if (++named > named_max) break;
        text += fmt::format("{}job {}{}", named > 1 ? ", " : text.empty() ? "running: " : "; running: ", job.job,
                            job.verdict.empty() ? "" : " (" + job.verdict + ")");
    }
    return text;
}

std::string list_of_bands(const Timeline& timeline, const std::vector<Band>& bands, const std::string& zone) {
    if (bands.empty()) return "<p class=\"calm\">No sign of trouble in this time.</p>";
    std::string rows;
    for (const Band& band : bands) {
        const Rates& worst = band.worst.worst;
        std::string figures = fmt::format(
            "memory full {:.0f} %, io full {:.0f} %, {:.0f} refaults/s, disk {:.0f} %, {:.0f} % of memory available",
            worst.memory_full_share * 100, worst.io_full_share * 100, worst.refaults_per_s, worst.disk_busy_share * 100,
            band.worst.available_share * 100);
        if (worst.loop_lag_ms_max >= 100) figures += fmt::format(", server {} ms late", worst.loop_lag_ms_max);
        if (band.worst.gap_s > 0) figures += fmt::format(", no frame for {:.1f} s", band.worst.gap_s);
        rows += fmt::format("<tr><td>{}</td><td>{}</td><td><b>{}</b><br>{}</td><td>{}</td></tr>",
                            in_html(sys::date_and_time(sys::wall_from_ms(ms_of(band.from_ns)), zone)),
                            in_html(duration_text(static_cast<double>(ms_of(band.to_ns - band.from_ns)))),
                            in_html(words_of_signs(band.signs)), in_html(figures), in_html(suspects(timeline, band)));
    }
    return "<table class=\"bands\"><tr><th>from</th><th>for</th><th>what was seen, at its "
           "worst</th><th>who did it</th></tr>" +
           rows + "</table>";
}

}  // namespace

std::string html_page(const Timeline& timeline, const std::string& title, const std::string& zone) {
    auto bands = timeline.bands();
    const std::size_t unlisted = bands.size() > bands_listed_max ? bands.size() - bands_listed_max : 0;
    Json data = series(timeline);
    data["offset_s"] =
        timeline.points().empty()
            ? 0
            : sys::local_time(sys::wall_from_ms(ms_of(timeline.points().front().time_ns)), zone).offset_s;
    data["bands"] = Json::array();
    for (const Band& band : bands)
        data["bands"].push_back({ms_of(band.from_ns), ms_of(band.to_ns), words_of_signs(band.signs)});
    data["jobs"] = Json::array();
    for (const LineJob& job : timeline.jobs())
        data["jobs"].push_back({job.job, ms_of(job.from_ns), ms_of(job.to_ns), replace_invalid_utf8(job.verdict)});
    data["groups"] = Json::array();
    for (const LineGroup& group : timeline.groups()) {
        Json points = Json::array();
        for (const auto& [time_ns, bytes] : group.memory)
            points.push_back({ms_of(time_ns), tenth(static_cast<double>(bytes) / (1 << 20))});
        data["groups"].push_back({{"name", replace_invalid_utf8(group.name)}, {"points", std::move(points)}});
    }
    data["events"] = Json::array();
    for (const LineEvent& event : timeline.events()) {
        const auto kind = static_cast<EventKind>(event.event.kind);
        if (kind == EventKind::job_started || kind == EventKind::job_ended) continue;  // those are lanes
        data["events"].push_back({ms_of(event.time_ns), replace_invalid_utf8(words_of_event(event.event))});
    }
    bands.resize(std::min(bands.size(), bands_listed_max));

    const auto digest = from_hex(sys::sha256_hex(bytes_of(script)));
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'sha256-{}'\">"
        "<title>assay: {}</title><style>{}</style></head><body><h1>What the recorder saw</h1><p "
        "class=\"range\">{}</p>{}{}"
        "<div id=\"plots\"></div><p class=\"hint\">Points tell the worst moment of their step. Point at a plot to read "
        "values; drag to look closer, "
        "double-click to see all.</p><div id=\"tip\" hidden></div><script type=\"application/json\" "
        "id=\"data\">{}</script><script>{}</script></body></html>\n",
        to_base64(bytes_of(digest.value_or(""))), in_html(title), style, in_html(title),
        list_of_bands(timeline, bands, zone), unlisted > 0 ? fmt::format("<p>and {} more</p>", unlisted) : "",
        in_script(data), script);
}

}  // namespace assay::recorder
