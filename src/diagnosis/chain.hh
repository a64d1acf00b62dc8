// Chain: why a submission waits, step by step down to what it all waits for. Pure: the queue recorded its reasons when it decided; they
// are told here, not guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/wait_detail.hh"
#include "wording/wording.hh"

namespace assay::diagnosis {

// A job that runs now.
struct RunningJob {
    std::int64_t job = 0;  // its number, as the recorder and `why --job` know it
    std::string submission, course, module, participant;
    std::int64_t started_ms = 0;
    std::string stage;  // empty: not in one yet
    std::int64_t tests_done = 0, tests_all = 0;
    std::optional<model::Reason> reason;  // why its next test has not begun
};

// Where a submission stands, as the queue says it.
struct Standing {
    std::string submission, course, participant;
    model::State state = model::State::queued;
    std::optional<model::Reason> reason;  // while it waits or is held
    std::optional<model::WaitDetail> detail;
    std::int64_t since_ms = 0;
    std::int64_t position = 0;
    std::optional<std::int64_t> expected_start_ms;
    std::int64_t faults = 0, cuts = 0;  // that made it begin again
    int slots = 0;
    std::vector<RunningJob> running;  // of everybody
};

enum class Audience : std::uint8_t { participant, staff };

struct Step {
    std::string code;  // a reason's word, "running", or a state's word
    std::string text;
    std::vector<std::string> evidence;
    std::string remedy;  // for staff alone
    std::vector<std::int64_t> jobs;  // for staff alone: those it speaks of, so that whoever can may look at them
};

// The first step is about the submission, each further one about what the one before waits for. A participant reads nothing of others:
// no name, no id, no module. `time_text`: of a wall-clock time in ms.
using TimeText = std::string (*)(std::int64_t ms, const std::string& zone);
std::vector<Step> chain(const Standing&, Audience, wording::Language, std::int64_t now_ms, const std::string& zone,
                        TimeText);

// {"type": "assay-why/1", "submission", "state", "steps": [{"code", "text", "evidence", "remedy", "jobs"}]}
std::string to_json(const Standing&, const std::vector<Step>&);

}  // namespace assay::diagnosis
