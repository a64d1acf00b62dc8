// Changes to single participants, and who has left.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "course/document.hh"
#include "course/roster.hh"
#include "course/section.hh"
#include "grade/lateness.hh"
#include "sys/random.hh"
#include "sys/zone.hh"

namespace assay::course {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<store::Participant> known(store::Reading& reading, const CourseId& course, const ParticipantId& id) {
    ASSAY_TRY(auto person, reading.participant(course, id));
    if (!person) {
        return Error{Fault::missing, fmt::format("there is no participant '{}' in '{}'", escaped(id.text()), escaped(course.text()))};
    }
    return std::move(*person);
}

// As in module.toml: the file's own reader knows dates already.
Result<std::int64_t> moment_of(const std::string& text, const std::string& timezone) {
    const Error unreadable{Fault::invalid, fmt::format("--until: '{}' is no date such as 2026-10-20T23:59:59+08:00 or 2026-10-20", escaped(text, 60))};
    constexpr std::string_view allowed = "0123456789-:.+TtZz ";
    if (text.empty() || text.find_first_not_of(allowed) != std::string::npos) return unreadable;
    const std::string file = "--until";
    const auto document = parse_toml(file, "until = " + text);
    if (!document) return unreadable;
    constexpr std::string_view known_keys[] = {"until"};
    ASSAY_TRY(const Section section, Section::open(file, *document, "--until", known_keys));
    const auto moment = section.time_ms("until", timezone, Section::Day::ends);
    if (!moment || !*moment) return unreadable;
    return **moment;
}

struct Extension {
    std::int64_t until_ms = 0;
    std::int64_t due_ms = 0;  // of everybody else
    std::string timezone;
};

Result<Extension> put_extension(store::Tx& tx, const CourseId& course_id, const ParticipantId& participant, const ModuleId& module_id,
                                const std::string& until) {
    ASSAY_TRY(const auto course, tx.course(course_id));
    if (!course) return Error{Fault::missing, fmt::format("there is no course '{}'", escaped(course_id.text()))};
    ASSAY_TRY([[maybe_unused]] const store::Participant person, known(tx, course_id, participant));
    ASSAY_TRY(const auto module, tx.module(course_id, module_id));
    if (!module) return Error{Fault::missing, fmt::format("there is no module '{}' in '{}'", escaped(module_id.text()), escaped(course_id.text()))};
    ASSAY_TRY(const auto revision, tx.revision(module->revision));
    if (!revision) return Error{Fault::internal, "the module's revision is not in the store"};
    ASSAY_TRY(const model::Plan plan, model::plan_from_json(revision->plan));
    if (!plan.due_ms) return Error{Fault::invalid, fmt::format("{} has no `due`, so there is nothing to extend", module_id.text())};
    Extension extension{.due_ms = *plan.due_ms, .timezone = course->timezone};
    ASSAY_TRY(extension.until_ms, moment_of(until, course->timezone));
    ASSAY_CHECK(tx.put_extension(course_id, module_id, participant, extension.until_ms));
    return extension;
}

}  // namespace

Result<std::vector<store::Participant>> missing_from(store::Store& store, const CourseId& course, const std::vector<RosterRow>& rows) {
    std::set<std::string_view> named;
    for (const RosterRow& row : rows) named.insert(row.id);
    std::vector<store::Participant> people;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto found, reading.course(course));
        if (!found) return Error{Fault::missing, fmt::format("there is no course '{}'; apply it first", escaped(course.text()))};
        ASSAY_TRY(people, reading.participants(course));
        return ok;
    }));
    std::erase_if(people, [&](const store::Participant& person) { return !person.active || named.contains(person.id.text()); });
    return people;
}

std::string missing_text(const std::vector<store::Participant>& people, bool json) {
    Json list = Json::array();
    std::string text;
    for (const store::Participant& person : people) {
        list.push_back({{"id", person.id.text()}, {"name", person.name}});
        text += fmt::format("{} {}\n", person.id.text(), escaped(person.name));
    }
    return json ? text_of(list) : text;
}

Result<std::string> reset_secret(store::Store& store, const store::Keys& keys, const CourseId& course, const ParticipantId& participant,
                                 Secret which) {
    const std::string fresh = which == Secret::token ? new_token() : new_key();
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(store::Participant person, known(tx, course, participant));
        if (which == Secret::token) {
            person.token_hash = keys.hash("token", fresh);
            person.token_sealed = keys.seal(fresh);
        } else {
            person.key_hash = keys.hash("key", fresh);
            person.key_sealed = keys.seal(fresh);
        }
        return tx.put_participant(person);
    }));
    return fresh;
}

std::string reset_text(const ParticipantId& participant, Secret which, const std::string& fresh, bool json) {
    if (!json) return fresh;
    return text_of({{"participant", participant.text()}, {which == Secret::token ? "token" : "key", fresh}});
}

Result<std::string> extend(store::Store& store, const CourseId& course, const ParticipantId& participant, const ModuleId& module,
                           const std::string& until, bool json) {
    Extension done;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(done, put_extension(tx, course, participant, module, until));
        return ok;
    }));
    const auto shown = [&](std::int64_t ms) { return sys::rfc3339(sys::wall_from_ms(ms), done.timezone); };
    if (json) {
        return text_of({{"course", course.text()},
                        {"module", module.text()},
                        {"participant", participant.text()},
                        {"until", shown(done.until_ms)},
                        {"due", shown(done.due_ms)}});
    }
    std::string text = fmt::format("{}: due {} for {}", module.text(), shown(std::max(done.until_ms, done.due_ms)), participant.text());
    text += done.until_ms > done.due_ms ? fmt::format(" ({} for the others)", shown(done.due_ms)) : std::string{" as for the others: it is no later than their date"};
    return text;
}

}  // namespace assay::course
