#include <algorithm>

#include "base/shown.hh"
#include "base/text.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

using enum Sentence;

// Where a text first differs: a line, and from which character of it on. Both 1-based.
struct Spot {
    std::int64_t line = 0;
    std::int64_t column = 1;
};

std::optional<Spot> spot_of(const model::TestReport& test) {
    if (!test.difference || test.difference->kind != model::DifferenceKind::character) return std::nullopt;
    if (!test.difference->line || test.difference->file) return std::nullopt;
    return Spot{*test.difference->line, test.difference->column.value_or(1)};
}

// The byte at which a spot begins, and the end of its line. nullopt: the text ends before it.
std::optional<std::pair<std::size_t, std::size_t>> place_of(std::string_view text, const Spot& spot) {
    std::size_t at = 0;
    for (std::int64_t line = 1; line < spot.line; ++line) {
        const auto end = text.find('\n', at);
        if (end == std::string_view::npos) return std::nullopt;
        at = end + 1;
    }
    const auto end = std::min(text.find('\n', at), text.size());
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    for (std::int64_t column = 1; column < spot.column && at < end; ++column) {
        ++at;
        while (at < end && continues(text[at])) ++at;
    }
    return std::pair{at, end};
}

// The line from where it differs is marked; where nothing is left of it, its end is.
Html marked(std::string_view text, const std::optional<Spot>& spot) {
    const auto place = spot ? place_of(text, *spot) : std::nullopt;
    if (!place) return text;
    const std::string_view differs = text.substr(place->first, place->second - place->first);
    Html made = text.substr(0, place->first);
    made += el("mark", {}, {differs.empty() ? Html{"⏎"} : Html{differs}});
    made += text.substr(place->second);
    return made;
}

// What a program printed: its ends, with what is missing said between them.
Html text_part(const Look& look, std::string_view text, std::size_t size_max, Room& room, const std::optional<Spot>& spot = {}) {
    if (text.empty()) return el("p", {{"class", "hint"}}, {look.say(Sentence::nothing)});
    const Ends ends = ends_of(text, std::min(size_max, room.left));
    room.left -= ends.head.size() + ends.tail.size();
    Html inside = marked(ends.head, spot);
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

// How it ended, and what is to be known of its times.
template <class Part>
Html result_cell(const Look& look, const Part& part) {
    Html tags;
    if (part.usage.memory_stalled_ms) tags += el("span", {{"class", "tag"}}, {look.say(Sentence::memory_full)});
    if (part.usage.trustworthy_timing == false)
        tags += el("span", {{"class", "tag"}}, {look.say(Sentence::machine_busy)});
    return el("td", {}, {badge(look, part.verdict), " ", ending_part(look, part.exit_code, part.signal), tags});
}

Html first_try_part(const Look& look, const std::optional<model::FirstTry>& first) {
    if (!first) return {};
    const auto ended = look.say(Sentence::first_try,
                                {wording::name(look.language, first->verdict), duration_text(first->usage.wall_ms)});
    return el("p", {{"class", "differs"}}, {ended});
}

// On a phone a row has no column heads above it: its numbers carry their own.
Html number_cell(const Look& look, Sentence column, const std::string& text) {
    return el("td", {{"class", "number"}, {"data-label", look.say(column)}}, {text});
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
        row += result_cell(look, stage);
        row += number_cell(look, points_column, stage.score && stage.score_max ? score_text(look, *stage.score, *stage.score_max) : "–");
        row += number_cell(look, cpu_column, time_text(stage.usage, stage.usage.cpu_ms));
        row += number_cell(look, wall_column, time_text(stage.usage, stage.usage.wall_ms));
        row += number_cell(look, memory_column, memory_text(stage.usage));
        rows += el("tr", {}, {row});
        if (stage.first_try)
            rows +=
                el("tr", {{"class", "below"}}, {el("td", {{"colspan", "6"}}, {first_try_part(look, stage.first_try)})});
    }
    return el("table", {{"class", "stages"}},
              {el("caption", {}, {look.say(stages_title)}),
               head_row(look, {stage_column, result_column, points_column, cpu_column, wall_column, memory_column}),
               el("tbody", {}, {rows})});
}

Html test_details(const Look& look, const model::TestReport& test, Room& room) {
    const auto block = [&](Sentence label, const std::string& content, const std::optional<Spot>& spot = {}) {
        return el("div", {}, {el("h4", {}, {look.say(label)}), text_part(look, content, test_text_max, room, spot)});
    };
    const auto spot = spot_of(test);
    Html inside;
    if (!test.input.empty()) inside += block(Sentence::input, test.input);
    inside += el("div", {{"class", "pair"}}, {block(Sentence::expected, test.expected, spot), block(Sentence::got, test.got, spot)});
    if (!test.errors.empty()) inside += block(Sentence::errors, test.errors);
    const Html summary = el("summary", {}, {look.say(Sentence::show_details), el("span", {{"class", "away"}}, {" · ", test.name})});
    const Html texts = el("div", {{"class", "texts"}}, {inside});
    return el("details", {}, {summary, texts});
}

// Why the texts of a test are not there.
Html secrecy(const Look& look, const model::TestReport& test, bool due_passed) {
    if (test.visibility == model::Visibility::visible || (test.visibility == model::Visibility::after_due && due_passed)) return {};
    const bool hidden = test.visibility == model::Visibility::hidden;
    return el("span", {{"class", "tag"}}, {look.say(hidden ? Sentence::test_hidden : Sentence::test_after_due)});
}

Html test_rows(const Look& look, const model::TestReport& test, bool due_passed, Room& room) {
    const bool texts = !test.input.empty() || !test.expected.empty() || !test.got.empty() || !test.errors.empty();
    Html row;
    row += el("th", {{"scope", "row"}}, {el("bdi", {}, {test.name}), secrecy(look, test, due_passed)});
    row += result_cell(look, test);
    row += number_cell(look, points_column, score_text(look, test.score, test.score_max));
    row += number_cell(look, cpu_column, time_text(test.usage, test.usage.cpu_ms));
    row += number_cell(look, memory_column, memory_text(test.usage));
    Html rows = el("tr", {}, {row});
    Html below = first_try_part(look, test.first_try);
    if (test.difference) {
        below += el("p", {{"class", "differs"}}, {el("bdi", {}, {wording::sentence(look.language, *test.difference)})});
    }
    if (!test.message.empty()) below += el("p", {{"class", "differs"}}, {el("bdi", {}, {test.message})});
    if (texts) below += test_details(look, test, room);
    if (below.empty()) return rows;
    rows += el("tr", {{"class", "below"}}, {el("td", {{"colspan", "5"}}, {below})});
    return rows;
}

// Says once what the tags of a table mean.
Html secrecy_note(const Look& look, const model::StageReport& stage, bool due_passed) {
    const auto any = [&](model::Visibility one) { return std::ranges::find(stage.tests, one, &model::TestReport::visibility) != stage.tests.end(); };
    Html note;
    if (any(model::Visibility::hidden)) note += el("p", {{"class", "hint"}}, {look.say(Sentence::tests_hidden_note)});
    if (any(model::Visibility::after_due) && !due_passed) note += el("p", {{"class", "hint"}}, {look.say(Sentence::tests_after_due_note)});
    return note;
}

// Says once what the tags beside results mean.
Html timing_notes(const Look& look, const model::Report& report) {
    const auto note = [&](Sentence sentence, const auto& marked) {
        const auto anywhere = [&](const model::StageReport& stage) {
            return marked(stage.usage) || std::ranges::any_of(stage.tests, marked, &model::TestReport::usage);
        };
        return std::ranges::any_of(report.stages, anywhere) ? el("p", {{"class", "hint"}}, {look.say(sentence)})
                                                            : Html{};
    };
    Html notes =
        note(Sentence::memory_full_note, [](const model::Usage& usage) { return usage.memory_stalled_ms.has_value(); });
    notes +=
        note(Sentence::machine_busy_note, [](const model::Usage& usage) { return usage.trustworthy_timing == false; });
    return notes;
}

Html tests_table(const Look& look, const model::StageReport& stage, bool due_passed, Room& room) {
    const auto passed = std::ranges::count(stage.tests, model::Verdict::passed, &model::TestReport::verdict);
    Html rows;
    const std::size_t listed = std::min(stage.tests.size(), room.tests);
    room.tests -= listed;
    for (std::size_t i = 0; i < listed; ++i) rows += test_rows(look, stage.tests[i], due_passed, room);
    if (listed < stage.tests.size()) {
        const auto left_out = look.say(Sentence::tests_left_out, {std::to_string(stage.tests.size() - listed)});
        rows += el("tr", {{"class", "below"}}, {el("td", {{"colspan", "5"}}, {left_out})});
    }
    const Html caption = el("caption", {}, {look.say(tests_title, {stage.name}), " · ",
                                            look.say(tests_passed, {std::to_string(passed), std::to_string(stage.tests.size())})});
    const Html head = head_row(look, {test_column, result_column, points_column, cpu_column, memory_column});
    return el("table", {{"class", "tests"}}, {caption, head, el("tbody", {}, {rows})});
}

Html log_part(const Look& look, const model::Report& report, const std::string& id, Room& room) {
    Html inside;
    for (const model::StageReport& stage : report.stages) {
        const auto stream = [&](Sentence label, const std::string& text, std::int64_t dropped_bytes) {
            if (text.empty()) return;
            inside += el("h4", {}, {look.say(label, {stage.name})});
            inside += text_part(look, text, log_text_max, room);
            if (dropped_bytes > 0 && !stage.trusted)
                inside += el("p", {{"class", "hint"}}, {look.say(Sentence::log_dropped, {size_text(dropped_bytes)})});
        };
        stream(Sentence::log_output, stage.output, stage.output_dropped_bytes);
        stream(Sentence::log_errors, stage.errors, stage.errors_dropped_bytes);
    }
    if (inside.empty()) inside += el("p", {{"class", "hint"}}, {look.say(Sentence::no_log)});
    return el("details", {{"class", "log"}, {"id", "log-" + id}},
              {el("summary", {}, {look.say(Sentence::log_title)}), el("div", {{"class", "texts"}}, {inside})});
}

}  // namespace

Html report_part(const Look& look, const model::Report& report, const std::string& id, bool due_passed, Room& room) {
    Html parts;
    if (!report.stages.empty()) parts += stages_table(look, report);
    parts += timing_notes(look, report);
    for (const model::StageReport& stage : report.stages) {
        if (!stage.message.empty()) {
            parts += el("p", {{"class", "message"}}, {el("strong", {}, {stage.name}), " ", el("bdi", {}, {stage.message})});
        }
        if (stage.tests_left_out > 0) {
            parts += el("p", {{"class", "hint"}}, {stage.name, ": ", look.say(tests_not_kept, {std::to_string(stage.tests_left_out)})});
        }
        if (stage.tests.empty()) continue;
        parts += tests_table(look, stage, due_passed, room);
        parts += secrecy_note(look, stage, due_passed);
    }
    parts += log_part(look, report, id, room);
    return parts;
}

}  // namespace assay::web
