#include "participant/chain.hh"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "model/json.hh"
#include "participant/talk.hh"

namespace assay::participant {
namespace {

constexpr std::size_t chain_bytes_max = 1 << 20;
constexpr std::size_t line_bytes_max = 2000;

}  // namespace

ExitCode print_chain(const std::string& answer) {
    const auto json = model::parse_json(answer, {.size_max = chain_bytes_max});
    if (!json) return fail(json.error());
    const auto text = [](const nlohmann::json& of, const char* name) {
        return of.is_object() && of.contains(name) && of[name].is_string()
                   ? escaped(of[name].get<std::string>(), line_bytes_max)
                   : std::string{};
    };
    const auto steps = json->is_object() ? json->find("steps") : json->end();
    if (steps == json->end() || !steps->is_array()) return fail({Fault::invalid, "the server's answer has no steps"});
    std::string indent;
    for (const auto& step : *steps) {
        print_line(fmt::format("{}{}: {}", indent, text(step, "code"), text(step, "text")));
        if (const auto evidence = step.find("evidence");
            step.is_object() && evidence != step.end() && evidence->is_array()) {
            for (const auto& one : *evidence) {
                if (one.is_string())
                    print_line(fmt::format("{}  {}", indent, escaped(one.get<std::string>(), line_bytes_max)));
            }
        }
        if (const std::string remedy = text(step, "remedy"); !remedy.empty())
            print_line(fmt::format("{}  → {}", indent, remedy));
        indent += "  ";
    }
    return ExitCode::done;
}

ExitCode why_command(const ParticipantOptions& options, const std::string& id) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto server = server_for(*asked);
    if (!server) return failed(options, server.error());
    end_when_interrupted();
    const auto answer = server->text("/api/v1/submissions/" + (id.empty() ? "-" : http::percent_encoded(id)) + "/why");
    if (!answer) return failed(options, answer.error());
    if (!*answer) return refused(options, answer->error());
    if (!options.json) return print_chain(**answer);
    print_line(**answer);
    return ExitCode::done;
}

}  // namespace assay::participant
