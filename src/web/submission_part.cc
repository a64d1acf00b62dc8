#include <algorithm>

#include "base/shown.hh"
#include "base/text.hh"
#include "web/pages.hh"

namespace assay::web {

namespace {

using model::State;

constexpr double tolerance = 1e-6;  // of sums of decimal fractions

Html time_of(const ModulePage& of, std::int64_t ms) { return time_at(ms, of.view.course.timezone); }

Html state_badge(const Look& look, const queue::SubmissionView& view) {
    const auto named = [&](Tone tone) { return badge(tone, wording::name(look.language, view.submission.state)); };
    switch (view.submission.state) {
        case State::queued: return named(Tone::waiting);
        case State::running: return named(Tone::working);
        case State::held: case State::cancelled: case State::superseded: return named(Tone::quiet);
        case State::graded: break;
    }
    return view.verdict ? badge(look, *view.verdict, view.score) : named(Tone::quiet);
}

// Whatever else keeps it from starting, the reason says so itself.
bool start_unknown(const queue::Waiting& waiting) {
    const bool in_line = waiting.position > 0 && waiting.position <= queue::waiting_read_max;
    return in_line && (waiting.reason == model::Reason::slot || waiting.reason == model::Reason::fair_share);
}

Html waiting_part(const Look& look, const ModulePage& of, const queue::Waiting& waiting) {
    Html facts = phrase(look, Sentence::waits_since, {time_of(of, waiting.since_ms)});
    if (waiting.position > 0 && waiting.position <= queue::waiting_read_max) {
        facts += Html{" · "};
        facts += look.say(Sentence::position, {std::to_string(waiting.position)});
    }
    if (waiting.expected_start_ms) {
        facts += Html{" · "};
        facts += phrase(look, Sentence::expected_start, {time_of(of, *waiting.expected_start_ms)});
    } else if (start_unknown(waiting)) {
        facts += Html{" · "};
        facts += look.say(Sentence::expected_unknown);
    }
    Html inside;
    inside += el("p", {{"class", "reason"}}, {el("strong", {}, {look.say(Sentence::waits_because)}), el("code", {}, {to_string(waiting.reason)})});
    inside += el("p", {}, {wording::sentence(look.language, waiting.reason)});
    inside += el("p", {{"class", "hint"}}, {facts});
    if (waiting.detail) inside += el("p", {{"class", "hint"}}, {el("bdi", {}, {wording::sentence(look.language, *waiting.detail)})});
    return el("div", {{"class", "why"}}, {inside});
}

Html progress_part(const Look& look, const queue::Progress& progress) {
    Html facts;
    if (!progress.stage.empty()) facts += look.say(Sentence::running_stage, {progress.stage});
    if (progress.tests_all > 0) {
        if (!progress.stage.empty()) facts += Html{" · "};
        facts += look.say(Sentence::running_tests, {std::to_string(progress.tests_done), std::to_string(progress.tests_all)});
    }
    Html both = el("p", {{"class", "hint"}}, {facts});
    if (progress.reason) {
        both += el("p", {{"class", "hint"}},
                   {el("code", {}, {to_string(*progress.reason)}), " ", look.say(Sentence::running_waits)});
    }
    if (progress.tests_all <= 0) return both;
    both += el("progress", {{"max", std::to_string(progress.tests_all)}, {"value", std::to_string(progress.tests_done)}, {"aria-hidden", "true"}});
    return both;
}

// Beside the verdict that stays: how far the next one is.
Html again_part(const Look& look, const ModulePage& of, const queue::Rejudge& again) {
    Html inside = el("p", {}, {look.say(Sentence::again)});
    if (again.waiting) inside += waiting_part(look, of, *again.waiting);
    if (again.state == State::running) {
        inside += el("p", {}, {look.say(Sentence::running_now)});
        if (again.progress) inside += progress_part(look, *again.progress);
    }
    return el("div", {{"class", "again"}}, {inside});
}

bool passed_by_points(const queue::SubmissionView& view) {
    if (view.verdict != model::Verdict::passed || !view.score || !view.score_max) return false;
    return view.score_before_penalty.value_or(*view.score) < *view.score_max - tolerance;
}

Html standing_part(const Look& look, const ModulePage& of, const queue::SubmissionView& view) {
    Html inside;
    switch (view.submission.state) {
        case State::queued: case State::held:
            if (view.waiting) inside += waiting_part(look, of, *view.waiting);
            break;
        case State::running:
            inside += el("p", {}, {look.say(Sentence::running_now)});
            if (view.progress) inside += progress_part(look, *view.progress);
            break;
        case State::superseded:
            inside += el("p", {}, {look.say(Sentence::superseded_by,
                                            {view.submission.superseded_by ? view.submission.superseded_by->text() : "–"})});
            break;
        case State::cancelled: inside += el("p", {}, {look.say(Sentence::cancelled)}); break;
        case State::graded:
            if (view.verdict) inside += el("p", {}, {passed_by_points(view) ? look.say(Sentence::passed_by_points) : wording::sentence(look.language, *view.verdict)});
            if (view.rejudge) inside += again_part(look, of, *view.rejudge);
            break;
    }
    if (view.submission.names_converted > 0) {
        inside += el("p", {{"class", "hint"}}, {look.say(Sentence::names_converted, {std::to_string(view.submission.names_converted)})});
    }
    if (view.score_before_penalty) {
        inside += el("p", {{"class", "hint"}}, {look.say(Sentence::late_cost, {number_text(view.penalty), number_text(*view.score_before_penalty)})});
    } else if (view.late) {
        inside += el("p", {{"class", "hint"}}, {look.say(Sentence::late_free)});
    }
    if (view.newer_revision) {
        inside += el("p", {{"class", "hint"}}, {look.say(Sentence::revision_old, {std::to_string(view.revision_number),
                                                                                   std::to_string(*view.newer_revision)})});
    }
    return inside;
}

// The report that most people came for: the newest, the one that counts, the one asked for. Others are one step away.
bool opened(const ModulePage& of, const queue::SubmissionView& view) {
    const auto newest = std::ranges::find_if(of.view.submissions, [](const auto& one) { return one.report || one.progress; });
    return view.progress || view.counts || view.submission.id.text() == of.shown || &view == &*newest;
}

}  // namespace

std::string id_of(const queue::SubmissionView& view) { return "s-" + view.submission.id.text(); }

Html submission_part(const Look& look, const ModulePage& of, const queue::SubmissionView& view, bool full, Room& room) {
    const std::string& id = view.submission.id.text();
    Html line;
    line += el("h3", {{"id", "h-" + id}}, {el("code", {}, {id})});
    line += state_badge(look, view);
    if (view.score && view.score_max) {
        line += el("span", {{"class", "points"}}, {score_text(look, *view.score, *view.score_max)});
    }
    if (view.late) line += el("span", {{"class", "mark"}}, {look.say(Sentence::late_mark)});
    if (view.rejudge) line += el("span", {{"class", "mark"}}, {look.say(Sentence::again_mark)});
    if (view.counts) line += el("span", {{"class", "mark"}}, {look.say(Sentence::counts_mark)});

    const Html away = el("span", {{"class", "away"}}, {" ", id});  // Links that read alike lead to different places.
    Html links;
    links += el("span", {}, {phrase(look, Sentence::received_at, {time_of(of, view.submission.last_byte_ms)})});
    if (view.submission.committed_ms && *view.submission.committed_ms == view.handed_in_ms && view.handed_in_ms < view.submission.last_byte_ms) {
        links += el("span", {}, {phrase(look, Sentence::committed_at, {time_of(of, view.handed_in_ms)})});
    }
    links += el("span", {}, {size_text(view.submission.size)});
    links += el("a", {{"href", of.address / "receipt" / id}, {"download"}}, {look.say(Sentence::receipt_link), away});
    const bool more = !full && view.submission.state == State::graded;
    if (more) {
        links += el("a", {{"href", look.link(of.address).with("show", id).at(id_of(view))}}, {look.say(Sentence::show_details), away});
    }

    Html inside;
    inside += el("header", {}, {line});
    inside += el("p", {{"class", "facts"}}, {links});
    if (full || view.submission.state != State::graded || view.rejudge) inside += standing_part(look, of, view);
    const auto& due_ms = of.view.plan.due_ms;
    const bool due_passed = due_ms && of.now_ms > *due_ms;
    if (full && view.report && view.report->partial) inside += el("p", {}, {look.say(Sentence::partial_results)});
    // What is finished while it runs stands where the whole will: what is opened stays open.
    const bool begun = view.progress && !view.progress->report.stages.empty();
    const model::Report* const shown = view.report ? &*view.report : begun ? &view.progress->report : nullptr;
    if (full && shown) {
        const Html report = report_part(look, *shown, id, due_passed, room);
        const Html summary = el("summary", {}, {look.say(Sentence::report_title), away});
        inside += opened(of, view) ? el("details", {{"class", "report"}, {"open"}}, {summary, report})
                                   : el("details", {{"class", "report"}}, {summary, report});
    }
    const std::string_view shape = full || view.submission.state != State::graded ? "card submission" : "card submission brief";
    return el("article", {{"id", id_of(view)}, {"class", shape}, {"aria-labelledby", "h-" + id}}, {inside});
}

}  // namespace assay::web
