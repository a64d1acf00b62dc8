#include "diagnosis/chain.hh"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "wording/chain.hh"
#include "wording/duration.hh"

namespace assay::diagnosis {
namespace {

using wording::Chain;

struct Teller {
    wording::Language language;
    std::int64_t now_ms;
    std::string say(Chain it, const std::vector<std::string>& arguments = {}) const {
        return wording::say(language, it, arguments);
    }
    std::string lasted(std::int64_t since_ms) const {
        return wording::duration(language, static_cast<double>(std::max<std::int64_t>(0, now_ms - since_ms)));
    }
    std::string doing(const RunningJob& job) const {
        if (job.stage.empty()) return say(Chain::in_no_stage);
        std::string text =
            say(Chain::in_stage, {job.stage, std::to_string(job.tests_done), std::to_string(job.tests_all)});
        if (job.reason) text += "; " + wording::sentence(language, *job.reason);
        return text;
    }
};

bool for_a_slot(model::Reason reason) {
    return reason == model::Reason::slot || reason == model::Reason::fair_share || reason == model::Reason::pressure;
}

// What the slots do meanwhile.
Step slots(const Standing& at, Audience audience, const Teller& teller) {
    Step step{.code = "running",
              .text = teller.say(Chain::slots_run, {std::to_string(at.running.size()), std::to_string(at.slots)})};
    std::int64_t others = 0;
    std::int64_t oldest_ms = teller.now_ms;
    for (const RunningJob& job : at.running) {
        const bool own = job.participant == at.participant && job.course == at.course;
        if (audience == Audience::staff) {
            step.jobs.push_back(job.job);
            step.evidence.push_back(
                teller.say(Chain::job_runs, {job.submission, job.course + "/" + job.module, job.participant,
                                             teller.lasted(job.started_ms), teller.doing(job)}));
        } else if (own) {
            step.evidence.push_back(
                teller.say(Chain::own_runs, {job.submission, teller.lasted(job.started_ms), teller.doing(job)}));
        }
        if (own) continue;
        ++others;
        oldest_ms = std::min(oldest_ms, job.started_ms);
    }
    if (audience == Audience::participant && others > 0)
        step.evidence.push_back(teller.say(Chain::others_run, {std::to_string(others), teller.lasted(oldest_ms)}));
    if (audience == Audience::staff) step.remedy = teller.say(Chain::behind_all);
    return step;
}

}  // namespace

std::vector<Step> chain(const Standing& at, Audience audience, wording::Language language, std::int64_t now_ms,
                        const std::string& zone, TimeText time_text) {
    const Teller teller{language, now_ms};
    const bool staff = audience == Audience::staff;
    if (!at.reason) {
        const auto own = std::ranges::find(at.running, at.submission, &RunningJob::submission);
        Step step{.code = std::string{model::to_string(at.state)}};
        step.text = own != at.running.end() ? teller.say(Chain::runs_now, {teller.doing(*own)})
                                            : teller.say(Chain::no_longer_waits, {wording::name(language, at.state)});
        if (own != at.running.end())
            step.evidence.push_back(
                teller.say(Chain::since, {time_text(own->started_ms, zone), teller.lasted(own->started_ms)}));
        if (staff && own != at.running.end()) {
            step.remedy = teller.say(Chain::behind_all);
            step.jobs = {own->job};
        }
        return {std::move(step)};
    }
    Step first{.code = std::string{model::to_string(*at.reason)}, .text = wording::sentence(language, *at.reason)};
    if (at.detail && (staff || at.detail->text.empty()))
        first.evidence.push_back(wording::sentence(language, *at.detail));  // Its technical part is for staff.
    first.evidence.push_back(teller.say(Chain::since, {time_text(at.since_ms, zone), teller.lasted(at.since_ms)}));
    if (at.position > 0) {
        first.evidence.push_back(teller.say(Chain::position, {std::to_string(at.position)}));
        first.evidence.push_back(at.expected_start_ms
                                     ? teller.say(Chain::expected, {time_text(*at.expected_start_ms, zone)})
                                     : teller.say(Chain::expected_unknown));
    }
    if (staff && at.faults + at.cuts > 0)
        first.evidence.push_back(teller.say(Chain::begun_again, {std::to_string(at.faults), std::to_string(at.cuts)}));
    if (staff) first.remedy = wording::remedy(language, *at.reason);
    std::vector<Step> steps{std::move(first)};
    if (for_a_slot(*at.reason) && !at.running.empty()) steps.push_back(slots(at, audience, teller));
    return steps;
}

std::string to_json(const Standing& at, const std::vector<Step>& steps) {
    using Json = nlohmann::ordered_json;
    Json list = Json::array();
    for (const Step& step : steps) {
        Json one{{"code", step.code},
                 {"text", step.text},
                 {"evidence", step.evidence},
                 {"remedy", step.remedy.empty() ? Json{} : Json(step.remedy)}};
        if (!step.jobs.empty()) one["jobs"] = step.jobs;
        list.push_back(std::move(one));
    }
    return Json{{"type", "assay-why/1"},
                {"submission", at.submission},
                {"state", model::to_string(at.state)},
                {"steps", std::move(list)}}
        .dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::diagnosis
