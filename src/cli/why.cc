// assay why: looks, lets the rules speak, prints.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/why.hh"
#include "base/text.hh"
#include "cli/act.hh"
#include "cli/commands.hh"
#include "cli/why_machine.hh"
#include "diagnosis/rules.hh"
#include "diagnosis/sampler.hh"
#include "model/json.hh"
#include "participant/chain.hh"
#include "participant/language.hh"
#include "participant/talk.hh"

namespace assay::cli {
namespace {

using participant::language;
using participant::misused;
using participant::print_line;
using What = wording::Diagnosis;
constexpr std::size_t unread_shown_max = 12;

void print_block(wording::Language language, What label, const std::vector<std::string>& texts) {
    const std::string head = diagnosis::text_of(language, {label, {}});
    for (std::size_t i = 0; i < texts.size(); ++i)
        print_line(fmt::format("  {:<{}}  {}", i == 0 ? head : "", std::max<std::size_t>(head.size(), 10),
                               escaped(texts[i], 2000)));
}

void print_finding(const diagnosis::Finding& finding) {
    const wording::Language spoken = language();
    const auto texts = [&](const std::vector<diagnosis::Line>& lines) {
        std::vector<std::string> out;
        for (const diagnosis::Line& line : lines) out.push_back(diagnosis::text_of(spoken, line));
        return out;
    };
    print_line(fmt::format(
        "{}: {} ({})", to_string(finding.kind), to_string(finding.cause),
        diagnosis::text_of(spoken, {What::label_confidence, {std::string{to_string(finding.confidence)}}})));
    print_line(escaped(diagnosis::text_of(spoken, finding.summary), 2000));
    std::string numbers;
    for (const diagnosis::Number& number : finding.decided_by)
        numbers += fmt::format("{}{} {:.4g}", numbers.empty() ? "" : " · ", number.name, number.value);
    print_block(spoken, What::label_remedy, {diagnosis::text_of(spoken, finding.remedy)});
    if (!finding.awaited.empty()) print_block(spoken, What::label_awaits, {finding.awaited});
    print_block(spoken, What::label_decided, {numbers});
    print_block(spoken, What::label_evidence, texts(finding.evidence));
    print_block(spoken, What::label_against, texts(finding.against));
    std::vector<std::string> unread = finding.unread;
    if (unread.size() > unread_shown_max) {
        const std::size_t more = unread.size() - unread_shown_max;
        unread.resize(unread_shown_max);
        unread.push_back(fmt::format("… +{}", more));
    }
    print_block(spoken, What::label_unread, unread);
}

constexpr std::size_t line_bytes_max = 2000;
constexpr std::size_t chain_bytes_max = 1 << 20;

// Those that a chain of reasons ends with.
std::vector<std::uint64_t> jobs_of(const std::string& answer) {
    std::vector<std::uint64_t> jobs;
    const auto json = model::parse_json(answer, {.size_max = chain_bytes_max});
    if (!json || !json->is_object() || !json->contains("steps")) return jobs;
    for (const auto& step : (*json)["steps"]) {
        if (!step.is_object() || !step.contains("jobs")) continue;
        for (const auto& job : step["jobs"]) {
            if (job.is_number_unsigned()) jobs.push_back(job.get<std::uint64_t>());
        }
    }
    return jobs;
}

// Whether it may be the machine that it waits for.
bool under_way(const std::string& answer) {
    const auto json = model::parse_json(answer, {.size_max = chain_bytes_max});
    if (!json || !json->is_object()) return false;
    const auto state = json->value("state", nlohmann::json{});
    return state == model::to_string(model::State::queued) || state == model::to_string(model::State::running);
}

}  // namespace

ExitCode why_submission(const StaffOptions& options, const std::string& submission) {
    const bool chinese = !options.json && language() == wording::Language::chinese;
    const auto told_in = chinese ? wording::Language::chinese : wording::Language::english;
    auto answer =
        act(options.data,
            {"GET", fmt::format("/admin/submissions/{}/why?chinese={}", segment(submission), chinese ? 1 : 0), "", ""},
            [&](serve::Rooms& rooms) {
                const std::int64_t now_ms = sys::to_ms(sys::system_clock().wall());
                return api::why_json(*rooms.store, queue::Board{now_ms}, SubmissionId{submission},
                                     diagnosis::Audience::staff, told_in, now_ms);
            });
    if (!answer || options.json) return print(std::move(answer));
    const ExitCode code = participant::print_chain(*answer);
    for (const std::string& line : jobs_now(options.data, jobs_of(*answer))) print_line(escaped(line, line_bytes_max));
    if (!under_way(*answer)) return code;
    for (const std::string& line : machine_now(options.data))
        print_line(escaped(line, line_bytes_max));  // The bottom of it, when it is the machine.
    return code;
}

ExitCode why_process(const WhyOptions& options) {
    const auto window_ms = parse_duration_ms(options.window);
    if (!window_ms) return misused(window_ms.error());
    if (const std::chrono::milliseconds window{*window_ms}; window < diagnosis::window_min || window > diagnosis::window_max)
        return misused({Fault::invalid, "--for: from 500ms to 5min"});
    const auto seen =
        diagnosis::observe({.pid = options.pid, .group = options.group}, std::chrono::milliseconds{*window_ms});
    if (!seen) return fail(seen.error());
    const diagnosis::Finding finding = diagnosis::explain(*seen);
    if (options.json) print_line(diagnosis::to_json(finding, wording::Language::english));
    else print_finding(finding);
    return ExitCode::done;
}

}  // namespace assay::cli
