#include "diagnosis/finding.hh"

#include <nlohmann/json.hpp>

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::diagnosis {

std::string_view to_string(Class kind) {
    switch (kind) {
        case Class::healthy: return "healthy";
        case Class::slow: return "slow";
        case Class::intermittent: return "intermittent";
        case Class::hang: return "hang";
    }
    return "";
}

std::string_view to_string(Confidence confidence) {
    switch (confidence) {
        case Confidence::low: return "low";
        case Confidence::medium: return "medium";
        case Confidence::high: return "high";
    }
    return "";
}

std::string_view to_string(Cause cause) {
    switch (cause) {
        case Cause::ended: return "ended";
        case Cause::stopped: return "stopped";
        case Cause::worker_killed_for_memory: return "worker_killed_for_memory";
        case Cause::worker_crashed: return "worker_crashed";
        case Cause::storage_hang: return "storage_hang";
        case Cause::fork_inherited_lock: return "fork_inherited_lock";
        case Cause::deadlock: return "deadlock";
        case Cause::descriptor_limit: return "descriptor_limit";
        case Cause::process_limit: return "process_limit";
        case Cause::disk_full: return "disk_full";
        case Cause::memory_thrash: return "memory_thrash";
        case Cause::throttled_by_quota: return "throttled_by_quota";
        case Cause::io_limit: return "io_limit";
        case Cause::storage_metadata: return "storage_metadata";
        case Cause::storage_data: return "storage_data";
        case Cause::oversubscribed: return "oversubscribed";
        case Cause::neighbour: return "neighbour";
        case Cause::stolen: return "stolen";
        case Cause::livelock: return "livelock";
        case Cause::spin: return "spin";
        case Cause::blocked_on_peer: return "blocked_on_peer";
        case Cause::waits_for_requests: return "waits_for_requests";
        case Cause::sleeping: return "sleeping";
        case Cause::busy: return "busy";
        case Cause::undecided: return "undecided";
    }
    return "";
}

std::string text_of(wording::Language language, const Line& line) {
    ASSAY_ASSERT(line.arguments.size() <= wording::diagnosis_arguments_max);
    return wording::say(language, line.what, line.arguments);
}

std::string to_json(const Finding& finding, wording::Language language) {
    using Json = nlohmann::ordered_json;
    const auto lines = [&](const std::vector<Line>& from) {
        Json texts = Json::array();
        for (const Line& line : from) texts.push_back(text_of(language, line));
        return texts;
    };
    Json decided = Json::object();
    for (const Number& number : finding.decided_by) decided[number.name] = number.value;
    const Json json{
        {"type", "assay-finding/1"},
        {"class", to_string(finding.kind)},
        {"cause", to_string(finding.cause)},
        {"confidence", to_string(finding.confidence)},
        {"summary", text_of(language, finding.summary)},
        {"awaited", finding.awaited.empty() ? Json{} : Json(finding.awaited)},
        {"offender", finding.offender.empty() ? Json{} : Json(finding.offender)},
        {"decided_by", decided},
        {"evidence", lines(finding.evidence)},
        {"against", lines(finding.against)},
        {"remedy", text_of(language, finding.remedy)},
        {"unread", finding.unread},
    };
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::diagnosis
