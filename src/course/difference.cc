#include "course/difference.hh"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.hh"
#include "grade/regrade.hh"
#include "sys/zone.hh"

namespace assay::course {
namespace {

std::string late_text(const std::optional<model::Late>& late) {
    if (!late) return "none";
    return fmt::format("grace {}, {} a day, at most {}", duration_text(static_cast<double>(late->grace_ms)), late->per_day, late->cap);
}

// A test with its stage around it, so that two compare as a whole.
std::string text_of(const model::TestPlan& test) {
    model::Plan alone;
    alone.stages.emplace_back().tests.push_back(test);
    return model::to_json(alone);
}

std::string tests_difference(const model::StagePlan& before, const model::StagePlan& after) {
    std::map<std::string_view, const model::TestPlan*> old;
    for (const model::TestPlan& test : before.tests) old.emplace(test.name, &test);
    std::size_t fresh = 0, changed = 0;
    for (const model::TestPlan& test : after.tests) {
        const auto found = old.find(test.name);
        if (found == old.end()) {
            ++fresh;
            continue;
        }
        changed += text_of(*found->second) != text_of(test) ? 1 : 0;
        old.erase(found);
    }
    if (fresh + changed + old.size() == 0) return {};
    return fmt::format("tests of stage '{}': {} new, {} gone, {} changed", after.name, fresh, old.size(), changed);
}

}  // namespace

std::vector<std::string> plan_difference(const model::Plan& before, const model::Plan& after) {
    std::vector<std::string> lines;
    const auto compare = [&](std::string_view what, const std::string& old, const std::string& now) {
        if (old != now) lines.push_back(fmt::format("{} {} -> {}", what, old, now));
    };
    const auto time = [&](const std::optional<std::int64_t>& ms) {
        return ms ? sys::rfc3339(sys::wall_from_ms(*ms), after.timezone) : std::string{"none"};
    };
    const auto number = [](const auto& value) { return value ? fmt::format("{}", *value) : std::string{"none"}; };
    const auto image = [](const model::Plan& plan) {
        return plan.image_pin ? fmt::format("{} ({})", plan.image, plan.image_pin->digest.substr(0, model::digest_digits_min)) : plan.image;
    };
    compare("image", image(before), image(after));
    compare("opens", time(before.opens_ms), time(after.opens_ms));
    compare("due", time(before.due_ms), time(after.due_ms));
    compare("closes", time(before.closes_ms), time(after.closes_ms));
    compare("late", late_text(before.late), late_text(after.late));
    compare("submissions_max", number(before.submissions_max), number(after.submissions_max));
    compare("counts", std::string{model::to_string(before.counts)}, std::string{model::to_string(after.counts)});
    compare("pass", number(before.pass), number(after.pass));
    for (const model::StagePlan& stage : after.stages) {
        const auto old = std::ranges::find(before.stages, stage.name, &model::StagePlan::name);
        if (old == before.stages.end()) {
            lines.push_back(fmt::format("stage '{}' is new", stage.name));
            continue;
        }
        compare(fmt::format("points of stage '{}'", stage.name), number(old->points), number(stage.points));
        if (std::string tests = tests_difference(*old, stage); !tests.empty()) lines.push_back(std::move(tests));
    }
    for (const model::StagePlan& stage : before.stages) {
        const bool kept = std::ranges::find(after.stages, stage.name, &model::StagePlan::name) != after.stages.end();
        if (!kept) lines.push_back(fmt::format("stage '{}' is gone", stage.name));
    }
    lines.emplace_back(grade::runs_alike(before, after)
                           ? "nothing has to run again: scores follow points and dates by themselves"
                           : "what was judged before stays as it is; `assay rejudge ID` judges one on this revision");
    return lines;
}

}  // namespace assay::course
