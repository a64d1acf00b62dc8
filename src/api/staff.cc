#include "api/staff.hh"

#include <fmt/format.h>

#include "base/text.hh"
#include "wording/wording.hh"

namespace assay::api {

// What takes work away is written on a spent disk too: it changes rows that are there, and is what helps then. What brings work
// back, or adds to what is kept, waits for room.
Result<std::string> act_on(store::Store& store, ModuleCommand command, const CourseId& course, const ModuleId& module, std::int64_t now_ms) {
    std::string said;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        switch (command) {
            case ModuleCommand::pause: {
                ASSAY_TRY(said, queue::pause(tx, course, module, now_ms));
                return ok;
            }
            case ModuleCommand::resume: {
                ASSAY_TRY(said, queue::resume(tx, course, module));
                return ok;
            }
        }
        return ok;
    }, command == ModuleCommand::pause ? store::Need::essential : store::Need::ordinary));
    return said;
}

Result<std::string> rejudge_all(store::Store& store, const CourseId& course, const ModuleId& module, const std::string& verdict) {
    const auto only = model::parse<model::Verdict>(verdict);
    if (!verdict.empty() && !only) return Error{Fault::invalid, fmt::format("'{}' is no verdict, such as grader_fault", escaped(verdict, 40))};
    std::string said;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(said, queue::rejudge_all(tx, course, module, only));
        return ok;
    }));
    return said;
}

Result<std::string> act_on(store::Store& store, SubmissionCommand command, const SubmissionId& id, std::int64_t now_ms) {
    std::string said;
    ASSAY_CHECK(store.write_and_wait([&](store::Tx& tx) -> Result<> {
        switch (command) {
            case SubmissionCommand::hold: {
                ASSAY_TRY(said, queue::hold(tx, id, now_ms));
                return ok;
            }
            case SubmissionCommand::release: {
                ASSAY_TRY(said, queue::release(tx, id));
                return ok;
            }
            case SubmissionCommand::rejudge: {
                ASSAY_TRY(said, queue::rejudge(tx, id));
                return ok;
            }
        }
        return ok;
    }, command == SubmissionCommand::hold ? store::Need::essential : store::Need::ordinary));
    return said;
}

Result<queue::Cancelled> cancel(store::Store& store, const SubmissionId& id, std::int64_t now_ms) {
    queue::Cancelled done;
    const auto change = [&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(done, queue::cancel(tx, id, now_ms));
        return ok;
    };
    ASSAY_CHECK(store.write_and_wait(change, store::Need::essential));
    return done;
}

Result<std::string> queue_json(store::Store& store, const queue::Board& board, std::int64_t now_ms) {
    constexpr auto english = wording::Language::english;
    const auto wait_text = [](const queue::Waiting& waiting) {
        return queue::WaitText{.text = wording::sentence(english, waiting.reason),
                               .details = waiting.detail ? wording::sentence(english, *waiting.detail) : ""};
    };
    std::string json;
    ASSAY_CHECK(store.read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(json, queue::queue_json(reading, board, now_ms, wait_text));
        return ok;
    }));
    return json;
}

}  // namespace assay::api
