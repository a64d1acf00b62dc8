// What was compiled against what is stored: the difference is worked out once to know which blobs to keep, and again inside
// the change that commits it.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "course/course.hh"
#include "course/difference.hh"

namespace assay::course {
namespace {

constexpr std::int64_t inodes_spare = 1000;  // what a stage makes on top of the submission's entries

// Why this machine cannot give the stage and its tests their scratch on disk; empty: it can.
std::string scratch_disk_lack(const model::StagePlan& stage, const Machine& machine) {
    if (machine.scratch_disk_bytes_max == 0) {
        return "this server offers no scratch on disk; set scratch_disk_mib_max in its assay.toml, or leave out "
               "scratch = \"disk\"";
    }
    if (!machine.scratch_disk_lacks.empty()) return machine.scratch_disk_lacks;
    std::int64_t largest = stage.limits.disk_bytes;
    for (const model::TestPlan& test : stage.tests) largest = std::max(largest, test.limits.disk_bytes);
    if (largest <= machine.scratch_disk_bytes_max) return "";
    return fmt::format(
        "its disk of {} is more than scratch on disk may have here, {} (scratch_disk_mib_max in the "
        "server's assay.toml)",
        size_text(largest), size_text(machine.scratch_disk_bytes_max));
}

}  // namespace

Result<> check_fits(const CompiledModule& module, const Machine& machine) {
    const auto refuse = [&](const model::StagePlan& stage, const std::string& text) {
        return Error{Fault::invalid,
                     fmt::format("{}: stage '{}' can never run well: {}", module.id.text(), stage.name, text)};
    };
    const model::UploadRules& rules = module.plan.upload;
    for (const model::StagePlan& stage : module.plan.stages) {
        const model::Limits& limits = stage.limits;
        if (&stage == &module.plan.stages.front()) {
            if (limits.disk_bytes < rules.unpacked_max) {
                return refuse(
                    stage,
                    fmt::format("its disk of {} is smaller than unpacked_max, {}; it holds the unpacked submission too",
                                size_text(limits.disk_bytes), size_text(rules.unpacked_max)));
            }
            const std::int64_t inodes = model::inodes_of(limits.disk_bytes);
            if (inodes < rules.entries_max + inodes_spare) {
                return refuse(stage, fmt::format("its disk of {} has {} inodes, and entries_max of {} needs {}",
                                                 size_text(limits.disk_bytes), inodes, rules.entries_max,
                                                 rules.entries_max + inodes_spare));
            }
        }
        if (stage.scratch_on_disk()) {
            if (std::string lack = scratch_disk_lack(stage, machine); !lack.empty()) return refuse(stage, lack);
        } else if (limits.memory_bytes / 2 < limits.disk_bytes) {
            return refuse(
                stage,
                fmt::format("its memory of {} is smaller than twice its disk of {}; what it writes is memory as well",
                            size_text(limits.memory_bytes), size_text(limits.disk_bytes)));
        }
        if (machine.memory_bytes > 0 && limits.memory_bytes > machine.memory_bytes) {
            return refuse(stage, fmt::format("its memory of {} is more than this machine could ever give, {}",
                                             size_text(limits.memory_bytes), size_text(machine.memory_bytes)));
        }
    }
    return ok;
}

namespace {

enum class Kind { fresh, revised, retitled, restored, archived, unchanged };

struct Change {
    Kind kind = Kind::unchanged;
    ModuleId module;
    std::int64_t number = 0;                   // of the revision after the change
    const CompiledModule* compiled = nullptr;  // nullptr: archived
    store::Module row;                         // as it shall be, but for a new revision's id
    bool new_revision = false;
    std::vector<std::string> details;          // what a new revision of a module that was there changes
};
struct Difference {
    std::vector<std::string> course_lines;
    bool course_changed = false;
    std::vector<Change> changes;  // by module
};

std::vector<std::string> course_difference(const std::optional<store::Course>& old, const store::Course& now) {
    const std::string& id = now.id.text();
    if (!old) return {fmt::format("{}: new course, dates in {}", id, now.timezone)};
    std::vector<std::string> lines;
    const auto compare = [&](std::string_view what, const std::string& before, const std::string& after) {
        if (before != after)
            lines.push_back(fmt::format("{}: {} \"{}\" -> \"{}\"", id, what, escaped(before), escaped(after)));
    };
    compare("title", old->title, now.title);
    compare("timezone", old->timezone, now.timezone);
    compare("language", old->language, now.language);
    compare("contact", old->contact, now.contact);
    return lines;
}

Result<Change> module_change(store::Reading& reading, const CourseId& course, const CompiledModule& compiled) {
    ASSAY_TRY(const auto old, reading.module(course, compiled.id));
    Change change{.module = compiled.id, .compiled = &compiled};
    change.row = {.course = course, .id = compiled.id, .title = compiled.title, .archived = false, .revision = {}};
    change.new_revision = true;
    change.number = 1;
    if (!old) {
        change.kind = Kind::fresh;
        return change;
    }
    ASSAY_TRY(const auto revision, reading.revision(old->revision));
    if (!revision)
        return Error{Fault::internal,
                     fmt::format("the current revision of module {} is not in the store", compiled.id.text())};
    change.row.revision = old->revision;
    change.new_revision = revision->digest != compiled.digest || revision->plan != model::to_json(compiled.plan);
    change.number = revision->number + (change.new_revision ? 1 : 0);
    if (const auto before = model::plan_from_json(revision->plan); before && change.new_revision) {
        change.details = plan_difference(*before, compiled.plan);
    }
    if (old->archived)
        change.kind = Kind::restored;
    else if (change.new_revision)
        change.kind = Kind::revised;
    else if (old->title != compiled.title)
        change.kind = Kind::retitled;
    return change;
}

Result<Difference> difference(store::Reading& reading, const Compiled& compiled) {
    Difference found;
    ASSAY_TRY(const auto old, reading.course(compiled.course.id));
    found.course_lines = course_difference(old, compiled.course);
    found.course_changed = !found.course_lines.empty();
    std::set<ModuleId> kept;
    for (const CompiledModule& module : compiled.modules) {
        ASSAY_TRY(auto change, module_change(reading, compiled.course.id, module));
        found.changes.push_back(std::move(change));
        kept.insert(module.id);
    }
    ASSAY_TRY(const auto stored, reading.modules(compiled.course.id));
    for (const store::Module& module : stored) {
        if (module.archived || kept.contains(module.id)) continue;
        Change change{.kind = Kind::archived, .module = module.id, .row = module};
        change.row.archived = true;
        found.changes.push_back(std::move(change));
    }
    std::ranges::sort(found.changes, {}, &Change::module);
    return found;
}

Result<> commit(store::Tx& tx, const Compiled& compiled, const std::set<std::string>& kept, std::int64_t now_ms,
                Difference& done) {
    ASSAY_TRY(done, difference(tx, compiled));
    if (done.course_changed) ASSAY_CHECK(tx.put_course(compiled.course));
    for (const Change& change : done.changes) {
        if (change.kind == Kind::unchanged) continue;
        store::Module row = change.row;
        if (change.new_revision) {
            // Its blob must be durable before the row. Only an apply at the same time can have changed what is new.
            if (!kept.contains(change.compiled->digest))
                return Error{Fault::conflict, "the course was changed by someone else meanwhile; apply it again"};
            ASSAY_TRY(row.revision, tx.add_revision({.course = row.course,
                                                     .module = row.id,
                                                     .number = change.number,
                                                     .digest = change.compiled->digest,
                                                     .plan = model::to_json(change.compiled->plan),
                                                     .created_ms = now_ms}));
        }
        ASSAY_CHECK(tx.put_module(row));
    }
    return ok;
}

std::string text_of(const Change& change) {
    const std::string& id = change.module.text();
    switch (change.kind) {
        case Kind::fresh: return fmt::format("{}: new (revision 1)", id);
        case Kind::revised: return fmt::format("{}: revision {} (was {})", id, change.number, change.number - 1);
        case Kind::retitled: return fmt::format("{}: new title", id);
        case Kind::restored: return fmt::format("{}: back from the archive (revision {})", id, change.number);
        case Kind::archived: return fmt::format("{}: archived, for its folder is gone; nothing is deleted", id);
        case Kind::unchanged: return fmt::format("{}: unchanged (revision {})", id, change.number);
    }
    return {};
}

std::string_view word_of(Kind kind) {
    constexpr std::string_view words[] = {"new", "revised", "retitled", "restored", "archived", "unchanged"};
    return words[static_cast<std::size_t>(kind)];
}

Applied tell(const Difference& done, const Compiled& compiled, bool dry_run) {
    Applied applied{.lines = done.course_lines, .json = {}};
    nlohmann::ordered_json modules = nlohmann::ordered_json::array();
    for (const Change& change : done.changes) {
        applied.lines.push_back(text_of(change));
        for (const std::string& detail : change.details) applied.lines.push_back("  " + detail);
        nlohmann::ordered_json entry{{"id", change.module.text()}, {"change", word_of(change.kind)}};
        if (change.compiled != nullptr) entry["revision"] = change.number;
        if (!change.details.empty()) entry["details"] = change.details;
        modules.push_back(std::move(entry));
    }
    for (const std::string& warning : compiled.warnings) applied.lines.push_back("note: " + warning);
    if (dry_run) applied.lines.emplace_back("nothing was changed (--dry-run)");
    const nlohmann::ordered_json json{
        {"course", compiled.course.id.text()}, {"timezone", compiled.course.timezone}, {"dry_run", dry_run},
        {"course_changes", done.course_lines}, {"modules", std::move(modules)},        {"notes", compiled.warnings}};
    applied.json = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return applied;
}

}  // namespace

Result<Applied> apply(store::Store& store, store::Blobs& revisions, const Compiled& compiled, const Machine& machine,
                      bool dry_run, std::int64_t now_ms) {
    for (const CompiledModule& module : compiled.modules) ASSAY_CHECK(check_fits(module, machine));
    Difference expected;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(expected, difference(reading, compiled));
        return ok;
    }));
    if (dry_run) return tell(expected, compiled, dry_run);

    std::set<std::string> kept;
    for (const Change& change : expected.changes) {
        if (!change.new_revision || kept.contains(change.compiled->digest)) continue;
        ASSAY_TRY(const std::string digest, revisions.put(bytes_of(change.compiled->revision_tar)));
        kept.insert(digest);
    }
    Difference done;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) { return commit(tx, compiled, kept, now_ms, done); }));
    return tell(done, compiled, dry_run);
}

Result<std::string> list_json(store::Store& store, std::int64_t now_ms) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto courses, reading.courses());
        for (const store::Course& course : courses) {
            nlohmann::ordered_json modules = nlohmann::ordered_json::array();
            ASSAY_TRY(const auto rows, reading.modules(course.id));
            for (const store::Module& module : rows) {
                if (module.archived) continue;
                ASSAY_TRY(const auto revision, reading.revision(module.revision));
                if (!revision)
                    return Error{Fault::internal,
                                 fmt::format("the revision of module {} is not in the store", module.id.text())};
                ASSAY_TRY(const model::Plan plan, model::plan_from_json(revision->plan));
                const auto closes = plan.closes_ms ? plan.closes_ms : plan.due_ms;
                const bool open = (!plan.opens_ms || *plan.opens_ms <= now_ms) && (!closes || now_ms <= *closes);
                modules.push_back({{"id", module.id.text()},
                                   {"title", module.title},
                                   {"revision", revision->number},
                                   {"open", open}});
            }
            list.push_back({{"id", course.id.text()}, {"title", course.title}, {"modules", std::move(modules)}});
        }
        return ok;
    }));
    return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace assay::course
