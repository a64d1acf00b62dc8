#include "api/log_text.hh"

#include <fmt/format.h>

#include "base/shown.hh"
#include "base/text.hh"
#include "wording/catalogue.hh"

namespace assay::api {

namespace {

using enum wording::Sentence;

constexpr std::size_t name_bytes_max = 200;

class Teller {
public:
    Teller(wording::Language language, bool due_passed) : language_{language}, due_passed_{due_passed} {}

    std::string text_of(const model::Report& report) && {
        for (const model::StageReport& stage : report.stages) add(stage);
        return std::move(log_);
    }

private:
    std::string say(wording::Sentence it, std::initializer_list<std::string_view> arguments = {}) const {
        return wording::say(language_, it, arguments);
    }

    void add(const model::StageReport& stage) {
        log_ += fmt::format(
            "=== {}\n", say(log_stage, {escaped(stage.name, name_bytes_max), wording::name(language_, stage.verdict)}));
        add_timing(stage);
        add_stream("stdout", stage.output, stage.trusted ? 0 : stage.output_dropped_bytes);
        add_stream("stderr", stage.errors, stage.trusted ? 0 : stage.errors_dropped_bytes);
        add_stream(say(log_message), stage.message, 0);
        for (const model::TestReport& test : stage.tests) add(test);
        if (stage.tests_left_out > 0)
            log_ += fmt::format("--- {}\n", say(tests_not_kept, {std::to_string(stage.tests_left_out)}));
    }

    void add(const model::TestReport& test) {
        const std::string points =
            say(score_of, {fmt::format("{:g}", test.score), fmt::format("{:g}", test.score_max)});
        const std::string name = escaped(test.name, name_bytes_max);
        log_ += fmt::format("--- {}", say(log_test, {name, wording::name(language_, test.verdict), points}));
        if (const std::string secret = secrecy(test); !secret.empty()) log_ += fmt::format(" ({})", secret);
        log_ += '\n';
        if (test.difference) add_lines(wording::sentence(language_, *test.difference));
        if (!test.message.empty()) add_lines(test.message);
        add_timing(test);
        add_stream(say(log_test_errors, {name}), test.errors, 0);
    }

    // Why nothing more is told of a test, as on the page.
    std::string secrecy(const model::TestReport& test) const {
        switch (test.visibility) {
            case model::Visibility::visible: return {};
            case model::Visibility::after_due: return due_passed_ ? std::string{} : say(test_after_due);
            case model::Visibility::hidden: return say(test_hidden);
        }
        return {};
    }

    // What is to be known of its times.
    template <class Part>
    void add_timing(const Part& part) {
        if (part.first_try) {
            log_ += fmt::format("--- {}\n", say(first_try, {wording::name(language_, part.first_try->verdict),
                                                            duration_text(part.first_try->usage.wall_ms)}));
        }
        if (part.usage.memory_stalled_ms)
            log_ += fmt::format("--- {}\n", say(log_memory_full, {duration_text(*part.usage.memory_stalled_ms)}));
        if (part.usage.trustworthy_timing == false) log_ += fmt::format("--- {}\n", say(log_busy));
    }

    // Set off, so that no line of it can pass for one of ours.
    void add_lines(std::string_view text) {
        const std::string safe = shown(trimmed(text));
        for (const std::string_view line : split(safe, '\n')) log_ += fmt::format("    {}\n", line);
    }

    void add_stream(std::string_view name, const std::string& text, std::int64_t dropped_bytes) {
        if (text.empty()) return;
        log_ += fmt::format("--- {}\n{}", name, shown(text));
        if (!log_.ends_with('\n')) log_ += '\n';
        if (dropped_bytes > 0) log_ += fmt::format("--- {}\n", say(log_dropped, {size_text(dropped_bytes)}));
    }

    wording::Language language_;
    bool due_passed_;
    std::string log_;
};

}  // namespace

std::string log_text(const model::Report& report, wording::Language language, bool due_passed) {
    return Teller{language, due_passed}.text_of(report);
}

}  // namespace assay::api
