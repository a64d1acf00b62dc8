#include <algorithm>

#include "base/shown.hh"
#include "base/text.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

// What a program printed: its ends, with what is missing said between them.
Html text_part(const Look& look, std::string_view text, std::size_t size_max, Room& room) {
    if (text.empty()) return el("p", {{"class", "hint"}}, {look.say(Sentence::nothing)});
    const Ends ends = ends_of(text, std::min(size_max, room.left));
    room.left -= ends.head.size() + ends.tail.size();
    Html inside;
    inside += ends.head;
    if (ends.left_out_bytes > 0) {
        const auto size = size_text(static_cast<std::int64_t>(ends.left_out_bytes));
        inside += el("span", {{"class", "cut"}}, {"\n", look.say(Sentence::log_cut, {size}), "\n"});
        inside += ends.tail;
    }
    return el("pre", {{"tabindex", "0"}, {"dir", "auto"}}, {inside});
}

// A grader reports points, not times: what nobody measured is a dash, not a zero.
std::string time_text(const model::Usage& usage, double ms) {
    return usage.wall_ms > 0 || usage.cpu_ms > 0 ? duration_text(ms) : "–";
}

std::string memory_text(const model::Usage& usage) { return usage.memory_peak_bytes > 0 ? size_text(usage.memory_peak_bytes) : "–"; }

Html ending_part(const Look& look, const std::optional<int>& exit_code, const std::optional<int>& signal) {
    if (signal) return el("span", {{"class", "hint"}}, {look.say(Sentence::signal, {std::to_string(*signal)})});
    if (exit_code && *exit_code != 0) {
        return el("span", {{"class", "hint"}}, {look.say(Sentence::exit_code, {std::to_string(*exit_code)})});
    }
    return {};
}

Html head_row(const Look& look, std::initializer_list<Sentence> columns) {
    Html row;
    for (const Sentence column : columns) row += el("th", {{"scope", "col"}}, {look.say(column)});
    return el("thead", {}, {el("tr", {}, {row})});
}

Html stages_table(const Look& look, const model::Report& report) {
    Html rows;
    for (const model::StageReport& stage : report.stages) {
        Html row;
        row += el("th", {{"scope", "row"}}, {stage.name});
        row += el("td", {}, {badge(look, stage.verdict), " ", ending_part(look, stage.exit_code, stage.signal)});
        row += el("td", {{"class", "number"}},
                  {stage.score && stage.score_max ? score_text(look, *stage.score, *stage.score_max) : std::string{"–"}});
        row += el("td", {{"class", "number"}}, {time_text(stage.usage, stage.usage.cpu_ms)});
        row += el("td", {{"class", "number"}}, {time_text(stage.usage, stage.usage.wall_ms)});
        row += el("td", {{"class", "number"}}, {memory_text(stage.usage)});
        rows += el("tr", {}, {row});
    }
    using enum Sentence;
    return el("div", {{"class", "scroll"}},
              {el("table", {},
                  {el("caption", {}, {look.say(stages_title)}),
                   head_row(look, {stage_column, result_column, points_column, cpu_column, wall_column, memory_column}),
                   el("tbody", {}, {rows})})});
}

Html test_details(const Look& look, const model::TestReport& test, Room& room) {
    Html inside;
    const auto text = [&](Sentence label, const std::string& content) {
        inside += el("div", {}, {el("h5", {}, {look.say(label)}), text_part(look, content, test_text_max, room)});
    };
    text(Sentence::input, test.input);
    text(Sentence::expected, test.expected);
    text(Sentence::got, test.got);
    if (!test.errors.empty()) text(Sentence::errors, test.errors);
    return el("details", {}, {el("summary", {}, {look.say(Sentence::show_details)}), el("div", {{"class", "texts"}}, {inside})});
}

Html test_rows(const Look& look, const model::TestReport& test, Room& room) {
    const bool texts = !test.input.empty() || !test.expected.empty() || !test.got.empty() || !test.errors.empty();
    Html row;
    row += el("th", {{"scope", "row"}}, {el("bdi", {}, {test.name})});
    row += el("td", {}, {badge(look, test.verdict), " ", ending_part(look, test.exit_code, test.signal)});
    row += el("td", {{"class", "number"}}, {score_text(look, test.score, test.score_max)});
    row += el("td", {{"class", "number"}}, {time_text(test.usage, test.usage.cpu_ms)});
    row += el("td", {{"class", "number"}}, {memory_text(test.usage)});
    Html rows = el("tr", {}, {row});
    Html below;
    if (test.difference) {
        below += el("p", {{"class", "hint"}}, {el("bdi", {}, {wording::sentence(look.language, *test.difference)})});
    }
    if (!test.message.empty()) below += el("p", {{"class", "hint"}}, {el("bdi", {}, {test.message})});
    if (texts) below += test_details(look, test, room);
    if (below.empty()) return rows;
    rows += el("tr", {{"class", "below"}}, {el("td", {{"colspan", "5"}}, {below})});
    return rows;
}

Html tests_table(const Look& look, const model::StageReport& stage, Room& room) {
    const auto passed = std::ranges::count(stage.tests, model::Verdict::passed, &model::TestReport::verdict);
    Html rows;
    const std::size_t listed = std::min(stage.tests.size(), room.tests);
    room.tests -= listed;
    for (std::size_t i = 0; i < listed; ++i) rows += test_rows(look, stage.tests[i], room);
    if (listed < stage.tests.size()) {
        const auto left_out = look.say(Sentence::tests_left_out, {std::to_string(stage.tests.size() - listed)});
        rows += el("tr", {{"class", "below"}}, {el("td", {{"colspan", "5"}}, {left_out})});
    }
    using enum Sentence;
    return el("div", {{"class", "scroll"}},
              {el("table", {{"class", "tests"}},
                  {el("caption", {}, {look.say(tests_title, {stage.name}), " · ",
                                      look.say(tests_passed, {std::to_string(passed), std::to_string(stage.tests.size())})}),
                   head_row(look, {test_column, result_column, points_column, cpu_column, memory_column}),
                   el("tbody", {}, {rows})})});
}

Html log_part(const Look& look, const model::Report& report, const std::string& id, Room& room) {
    Html inside;
    for (const model::StageReport& stage : report.stages) {
        const auto stream = [&](Sentence label, const std::string& text) {
            if (text.empty()) return;
            inside += el("h5", {}, {look.say(label, {stage.name})});
            inside += text_part(look, text, log_text_max, room);
        };
        stream(Sentence::log_output, stage.output);
        stream(Sentence::log_errors, stage.errors);
        if (stage.output_dropped_bytes > 0 && !stage.trusted) {
            inside += el("p", {{"class", "hint"}}, {look.say(Sentence::log_dropped, {size_text(stage.output_dropped_bytes)})});
        }
    }
    if (inside.empty()) inside += el("p", {{"class", "hint"}}, {look.say(Sentence::no_log)});
    return el("details", {{"class", "log"}, {"id", "log-" + id}},
              {el("summary", {}, {look.say(Sentence::log_title)}), el("div", {{"class", "texts"}}, {inside})});
}

}  // namespace

Html report_part(const Look& look, const model::Report& report, const std::string& id, Room& room) {
    Html parts;
    if (!report.stages.empty()) parts += stages_table(look, report);
    for (const model::StageReport& stage : report.stages) {
        if (!stage.message.empty()) {
            parts += el("p", {{"class", "message"}}, {el("strong", {}, {stage.name}), " ", el("bdi", {}, {stage.message})});
        }
        if (!stage.tests.empty()) parts += tests_table(look, stage, room);
    }
    parts += log_part(look, report, id, room);
    return parts;
}

}  // namespace assay::web
