// Report: the machine-readable outcome of an attempt. Written by the runner, stored once per generation, shown by api and web.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "model/limits.hh"
#include "model/words.hh"

namespace assay::model {

// Bounds of what a report keeps; larger texts are cut in the middle and say so.
constexpr std::size_t report_size_max = 8u << 20;
constexpr std::size_t stage_output_kept_max = 64u << 10;  // of each stream: half head, half tail
constexpr std::size_t test_output_kept_max = 4u << 10;

struct Usage {
    double cpu_ms = 0;
    double wall_ms = 0;
    std::int64_t memory_peak_bytes = 0;
    std::int64_t processes_peak = 0;
    std::optional<bool>
        trustworthy_timing;  // false: what else the machine did could have stretched its times; nullopt: not known
    std::optional<double>
        memory_stalled_ms;  // so long it waited for memory, at its limit; only where that is much of its time
};

// How a stage or test ended that was run once more, alone: a limit of time had ended it while its timing was not trustworthy.
struct FirstTry {
    Verdict verdict = Verdict::failed;
    Usage usage;
};

// Why a test failed whose program ran to its end, as data. `wording` makes the sentence of it.
struct Difference {
    DifferenceKind kind = DifferenceKind::character;
    std::optional<std::int64_t> line;     // character, word, number: 1-based, in what was expected
    std::optional<std::int64_t> column;   // character: 1-based, in characters
    std::optional<std::int64_t> word;     // word, number: 1-based
    // character, word, number: from there to the end of the line or word, escaped and shortened; empty: the line ends there,
    // nullopt: all ends there. exit_code: the numbers. pattern: the pattern.
    std::optional<std::string> expected;
    std::optional<std::string> got;
    std::optional<std::string> file;      // of which file it is; nullopt: of what was printed
    bool operator==(const Difference&) const = default;
};

struct TestReport {
    std::string name;
    Verdict verdict = Verdict::failed;
    double score = 0;
    double score_max = 0;
    Visibility visibility = Visibility::visible;
    std::optional<int> exit_code;
    std::optional<int> signal;
    Usage usage;
    std::optional<FirstTry> first_try;
    // Texts (invalid UTF-8 replaced); empty when not kept. Whoever shows them applies `visibility`.
    std::string input;
    std::string expected;
    std::string got;
    std::string errors;      // stderr
    std::string message;     // from a grader or checker
    std::string fault;       // why a system_fault or grader_fault, for staff
    std::optional<Difference> difference;
};

struct StageReport {
    std::string name;
    bool trusted = false;
    Verdict verdict = Verdict::failed;
    std::optional<int> exit_code;
    std::optional<int> signal;
    Usage usage;  // of a stage of tests: of all of them; its timing is trustworthy when all of theirs is
    std::optional<FirstTry> first_try;
    std::string output;      // stdout, cut; a trusted stage's is for staff
    std::string errors;      // stderr, cut
    std::int64_t output_dropped_bytes = 0;
    std::int64_t errors_dropped_bytes = 0;
    std::string fault;       // why a system_fault or grader_fault, for staff
    std::string message;     // what a grader's report says to the participant,
    Visibility message_visibility = Visibility::visible;  // and when he sees it
    std::vector<std::string> notes;  // for staff: what of a grader's report was read over, what was not run again
    std::optional<double> score;
    std::optional<double> score_max;
    Limits limits;           // as read back from the kernel
    Guarantees guarantees;
    std::optional<Scratch> scratch;  // nullopt: in memory
    std::vector<TestReport> tests;
    std::int64_t tests_left_out = 0;  // counted in the score, but not kept: the report would have been too large
};

struct Report {
    Verdict verdict = Verdict::failed;
    std::optional<double> score;      // nullopt: the module has no points
    std::optional<double> score_max;
    std::vector<StageReport> stages;  // as far as they were reached
    bool partial = false;             // a fault of ours ended it: what stands here counts for nothing
    std::string runner;               // "local" or the runner's name
    std::string kernel;               // uname release, for staff
};

// The first fault that a report tells of, with where it stands; `test` is empty when it is the stage's own. For staff.
struct FaultFound {
    std::string stage;
    std::string test;
    std::string text;
};
std::optional<FaultFound> first_fault(const Report&);

// `for_participant` leaves out what is for staff: output of trusted stages, faults, and what visibility hides (`due_passed`
// opens after_due).
std::string to_json(const Report&);
std::string to_json(const Difference&);
Result<Report> report_from_json(std::string_view);  // errors: invalid, too_large
Report for_participant(Report, bool due_passed);

}  // namespace assay::model
