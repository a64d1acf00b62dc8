// assay check URL: is the way to this server fit? The client room looks and judges; here is the table.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "participant/commands.hh"
#include "participant/language.hh"
#include "participant/talk.hh"
#include "client/way.hh"
#include "sys/program.hh"
#include "sys/terminal.hh"

namespace assay::participant {
namespace {

using client::Grade;
using client::WayFinding;
using wording::WaySaid;

void print_table(const std::vector<WayFinding>& findings) {
    for (const WayFinding& one : findings) {
        sys::print(stdout, fmt::format("{:<4}  {}: {}\n", client::to_string(one.grade), wording::name(language(), one.step), one.text));
        if (!one.cure.empty()) sys::print(stdout, fmt::format("      → {}\n", one.cure));
    }
    const bool warned = std::ranges::any_of(findings, [](const WayFinding& one) { return one.grade == Grade::warn; });
    const bool bad = std::ranges::any_of(findings, [](const WayFinding& one) { return one.grade == Grade::bad; });
    print_line("\n" + wording::say(language(), bad      ? WaySaid::not_fit
                                              : warned ? WaySaid::fit_with_warnings
                                                       : WaySaid::fit));
}

void print_json(const client::Way& way, const client::Url& url, const std::vector<WayFinding>& findings, bool fit) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const WayFinding& one : findings) {
        list.push_back({{"name", wording::id_of(one.step)},
                        {"value", one.text},
                        {"verdict", client::to_string(one.grade)},
                        {"cure", one.cure}});
    }
    const nlohmann::ordered_json json{{"type", "assay-way/1"},
                                      {"url", url.text()},
                                      {"reached", way.reach.passed},
                                      {"fit", fit},
                                      {"version", way.version},
                                      {"in_front", way.front},
                                      {"passed_bytes", way.passed_bytes},
                                      {"refused_bytes", way.refused_bytes},
                                      {"findings", list}};
    print_line(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

ExitCode check_url_command(const std::string& address, bool json) {
    const auto asked = asking({.flags = {.server = address}});
    if (!asked) return misused(asked.error());
    const client::Belief belief{.ca_file = asked->settings.ca_file.value_or(""), .language = language()};
    const client::Url* const url = &asked->url;
    end_when_interrupted();
    const bool shown = sys::is_terminal(2) && variable("TERM") != "dumb";
    const auto told = [&](wording::WayStep step) {
        if (shown)
            sys::print(stderr, "\r" + wording::say(language(), WaySaid::looking_at, {wording::name(language(), step)}) + "\033[K");
    };
    const client::Way way = client::probe_way(*url, belief, told);
    if (shown) sys::print(stderr, "\r\033[K");
    const auto findings = client::findings_of(way, *url, language());
    const bool fit = std::ranges::none_of(findings, [](const WayFinding& one) { return one.grade == Grade::bad; });
    json ? print_json(way, *url, findings, fit) : print_table(findings);
    return fit ? ExitCode::done : way.reach.passed ? ExitCode::failed : ExitCode::unreachable;
}

}  // namespace assay::participant
