#include <algorithm>

#include <fmt/format.h>

#include "base/text.hh"
#include "queue/policy.hh"
#include "web/pages.hh"
#include "wording/duration.hh"

namespace assay::web {

namespace {

Html time_of(const ModulePage& of, std::int64_t ms) { return time_at(ms, of.view.course.timezone); }

// The one whose score leads the page: the one that counts or, while that has none yet, the newest result before it.
const queue::SubmissionView* leading(const queue::ModuleView& view) {
    const auto& all = view.submissions;
    const auto fair = [](const queue::SubmissionView& one) {
        return one.verdict && *one.verdict != model::Verdict::system_fault && *one.verdict != model::Verdict::grader_fault;
    };
    const auto found = std::find_if(std::ranges::find(all, true, &queue::SubmissionView::counts), all.end(), fair);
    return found == all.end() ? nullptr : &*found;
}

bool pending(const queue::SubmissionView& view) {
    return view.submission.state == model::State::queued || view.submission.state == model::State::running;
}

bool judged_again(const queue::SubmissionView& view) { return view.rejudge && view.rejudge->state != model::State::held; }

Html title_part(const ModulePage& of) {
    const auto& view = of.view;
    const std::string& title = view.plan.title.empty() ? view.module.title : view.plan.title;
    Html who;
    who += el("bdi", {}, {view.participant.name.empty() ? view.participant.id.text() : view.participant.name});
    if (!view.participant.name.empty()) who += el("span", {{"class", "id"}}, {view.participant.id.text()});
    return el("div", {{"class", "hero"}},
              {el("p", {{"class", "over"}}, {view.course.title, " · ", view.module.id.text()}),
               el("h1", {}, {title.empty() ? view.module.id.text() : title}), el("p", {{"class", "who"}}, {who})});
}

Html modules_part(const Look& look, const ModulePage& of) {
    if (of.modules.size() < 2) return {};
    Html list;
    for (const ModuleLink& module : of.modules) {
        const Html link = module.current ? el("a", {{"href", look.link(module.address)}, {"aria-current", "page"}}, {module.title})
                                         : el("a", {{"href", look.link(module.address)}}, {module.title});
        list += el("li", {}, {link});
    }
    return el("nav", {{"class", "modules"}, {"aria-label", look.say(Sentence::modules_title)}}, {el("ul", {}, {list})});
}

// What just came in, when it is the participant's.
const queue::SubmissionView* received(const ModulePage& of) {
    const auto& all = of.view.submissions;
    const auto found = std::ranges::find_if(all, [&](const auto& view) { return view.submission.id.text() == of.submitted; });
    return found == all.end() ? nullptr : &*found;
}

Html notice_part(const Look& look, const ModulePage& of) {
    const auto* const view = received(of);
    if (!view) return {};
    const std::string& id = view->submission.id.text();
    const Html receipt = el("a", {{"href", of.address / "receipt" / id}, {"download"}}, {look.say(Sentence::receipt_link)});
    return el("div", {{"id", "received"}, {"class", "notice good"}, {"role", "status"}},
              {el("p", {}, {phrase(look, Sentence::received_notice, {id, time_of(of, view->submission.last_byte_ms)})}),
               el("p", {}, {receipt, " — ", look.say(Sentence::receipt_hint)})});
}

Html score_part(const Look& look, const ModulePage& of) {
    Html inside;
    inside += el("h2", {{"id", "score-title"}}, {look.say(Sentence::score_title)});
    const auto* const lead = leading(of.view);
    if (lead) {
        if (lead->score && lead->score_max) {
            inside += el("p", {{"class", "score"}},
                         {el("strong", {}, {number_text(*lead->score)}), " / ", number_text(*lead->score_max)});
            if (*lead->score_max > 0) {
                inside += el("meter", {{"min", "0"}, {"max", number_text(*lead->score_max)},
                                       {"value", number_text(std::clamp(*lead->score, 0.0, *lead->score_max))},
                                       {"aria-hidden", "true"}});
            }
        }
        inside += el("p", {}, {badge(look, *lead->verdict, lead->score), " ",
                               el("a", {{"href", Address::inside(id_of(*lead))}, {"class", "hint"}},
                                  {look.say(Sentence::score_from, {lead->submission.id.text()})})});
    } else {
        inside += el("p", {{"class", "score none"}}, {look.say(Sentence::score_none)});
    }
    const bool newer = lead && !of.view.submissions.empty() && pending(of.view.submissions.front());
    if (newer) inside += el("p", {{"class", "hint"}}, {look.say(Sentence::score_pending)});
    return el("section", {{"id", "score"}, {"class", "card"}, {"aria-labelledby", "score-title"}}, {inside});
}

std::string counts_text(const Look& look, model::Counts counts) {
    switch (counts) {
        case model::Counts::last: return look.say(Sentence::counts_last);
        case model::Counts::best: return look.say(Sentence::counts_best);
        case model::Counts::last_on_time: return look.say(Sentence::counts_last_on_time);
    }
    return {};
}

std::string late_text(const Look& look, const std::optional<model::Late>& late) {
    if (!late || late->per_day <= 0 || late->cap <= 0) return look.say(Sentence::late_takes_nothing);
    std::string cost = look.say(Sentence::late_takes, {number_text(late->per_day * 100), number_text(late->cap * 100)});
    if (late->grace_ms <= 0) return cost;
    return look.say(Sentence::late_grace, {cost, wording::duration(look.language, static_cast<double>(late->grace_ms))});
}

Html facts_part(const Look& look, const ModulePage& of) {
    const auto& plan = of.view.plan;
    Html list;
    const auto fact = [&list](const std::string& label, const Html& value) {
        list += el("div", {}, {el("dt", {}, {label}), el("dd", {}, {value})});
    };
    const auto date = [&](Sentence label, const std::optional<std::int64_t>& ms) {
        if (ms) fact(look.say(label), phrase(look, Sentence::time_in_zone, {time_of(of, *ms), of.view.course.timezone}));
    };
    date(Sentence::opens_label, plan.opens_ms);
    date(of.view.extended_until_ms ? Sentence::due_extended : Sentence::due_label, plan.due_ms);
    if (plan.closes_ms != plan.due_ms) date(Sentence::closes_label, plan.closes_ms);
    if (!plan.due_ms && !plan.closes_ms) fact(look.say(Sentence::due_label), look.say(Sentence::no_deadline));
    const bool can_be_late = plan.due_ms && plan.closes_ms && *plan.closes_ms > *plan.due_ms;
    if (can_be_late) fact(look.say(Sentence::late_label), late_text(look, plan.late));
    fact(look.say(Sentence::pass_label), plan.pass ? look.say(Sentence::pass_from, {number_text(*plan.pass)}) : look.say(Sentence::pass_all));

    const auto used = std::ranges::count_if(of.view.submissions, queue::costs_a_try);
    fact(look.say(Sentence::used_label), plan.submissions_max
                                             ? look.say(Sentence::used_of, {std::to_string(used), std::to_string(*plan.submissions_max)})
                                             : look.say(Sentence::used_any, {std::to_string(used)}));
    fact(look.say(Sentence::counts_label), counts_text(look, plan.counts));
    if (!of.view.course.contact.empty()) fact(look.say(Sentence::contact_label), el("bdi", {}, {of.view.course.contact}));
    return el("section", {{"class", "card"}, {"aria-labelledby", "facts-title"}},
              {el("h2", {{"id", "facts-title"}}, {look.say(Sentence::module_facts)}), el("dl", {}, {list})});
}

Html form_part(const Look& look, const ModulePage& of) {
    const auto& upload = of.view.plan.upload;
    std::string formats;
    for (const std::string& format : upload.formats) {
        formats += (formats.empty() ? "" : ", ") + format;
    }
    Html form;
    form += el("input", {{"type", "hidden"}, {"name", "course"}, {"value", of.view.course.id.text()}});
    form += el("input", {{"type", "hidden"}, {"name", "module"}, {"value", of.view.module.id.text()}});
    form += el("label", {{"for", "token"}}, {look.say(Sentence::token_label)});
    form += el("input", {{"id", "token"}, {"name", "token"}, {"type", "password"}, {"autocomplete", "current-password"},
                         {"required"}, {"maxlength", "256"}, {"spellcheck", "false"}, {"aria-describedby", "token-hint"}});
    form += el("p", {{"id", "token-hint"}, {"class", "hint"}}, {look.say(Sentence::read_only_link)});
    form += el("label", {{"for", "file"}}, {look.say(Sentence::upload_file)});
    form += el("input", {{"id", "file"}, {"name", "file"}, {"type", "file"}, {"required"}, {"aria-describedby", "file-hint"}});
    form += el("p", {{"id", "file-hint"}, {"class", "hint"}},
               {look.say(Sentence::upload_file_hint, {size_text(upload.size_max), formats})});
    form += el("p", {{"id", "refused"}, {"class", "refusal"}, {"role", "alert"}, {"data-own"}});
    form += el("button", {{"type", "submit"}}, {look.say(Sentence::upload_send)});
    form += el("progress", {{"id", "sending-bar"}, {"max", "100"}, {"value", "0"}, {"hidden"}, {"aria-hidden", "true"}, {"data-own"}});
    form += el("p", {{"id", "sending"}, {"class", "hint"}, {"role", "status"}, {"data-own"}});
    return el("form", {{"id", "hand-in"}, {"method", "post"}, {"action", Address{} / "upload"}, {"enctype", "multipart/form-data"}}, {form});
}

Html get_part(const Look& look, const ModulePage& of) {
    const Address address = look.link(get_address(of.view.course.id.text(), of.view.module.id.text()));
    return el("p", {}, {el("a", {{"href", address}}, {look.say(Sentence::command_line_title)})});
}

// The form, or why there is none. A page that reloads would lose a chosen file: there the form is one step away.
Html upload_part(const Look& look, const ModulePage& of, bool reloads, bool could_reload) {
    const auto& plan = of.view.plan;
    Html inside;
    inside += el("h2", {{"id", "upload-title"}}, {look.say(Sentence::upload_title)});
    const auto closed = queue::closed_at(plan, of.now_ms);
    if (closed == model::Refusal::not_open && plan.opens_ms) {
        inside += el("p", {}, {phrase(look, Sentence::upload_not_open, {time_of(of, *plan.opens_ms)})});
    } else if (closed && (plan.closes_ms || plan.due_ms)) {
        const std::int64_t since = plan.closes_ms ? *plan.closes_ms : *plan.due_ms;
        inside += el("p", {}, {phrase(look, Sentence::upload_closed, {time_of(of, since)})});
    } else if (reloads) {
        inside += el("noscript", {}, {el("p", {{"class", "hint"}}, {look.say(Sentence::reloading)})});
        inside += el("p", {}, {el("a", {{"class", "button quiet"}, {"href", look.link(of.address).with("still", "1").at("upload")}},
                                  {look.say(Sentence::upload_another)})});
        inside += get_part(look, of);
    } else {
        if (could_reload) {
            const Html resume = el("a", {{"href", look.link(of.address)}}, {look.say(Sentence::reload_resume)});
            inside += el("noscript", {}, {el("p", {{"class", "hint"}}, {look.say(Sentence::reloading_stopped), " ", resume})});
        }
        inside += form_part(look, of);
        inside += get_part(look, of);
    }
    return el("section", {{"class", "card"}, {"id", "upload"}, {"aria-labelledby", "upload-title"}}, {inside});
}

Html submissions_part(const Look& look, const ModulePage& of) {
    Html inside;
    inside += el("h2", {{"id", "submissions-title"}}, {look.say(Sentence::submissions_title)});
    if (of.view.submissions.empty()) inside += el("p", {{"class", "hint"}}, {look.say(Sentence::submissions_none)});
    Room room;
    std::size_t number = 0;
    for (const auto& view : of.view.submissions) {
        const bool full = number++ < details_newest || view.counts || view.submission.id.text() == of.shown;
        inside += submission_part(look, of, view, full, room);
    }
    if (number >= static_cast<std::size_t>(queue::submissions_shown_max)) {
        inside += el("p", {{"class", "hint"}}, {look.say(Sentence::submissions_older, {std::to_string(number)})});
    }
    return el("section", {{"class", "submissions"}, {"aria-labelledby", "submissions-title"}}, {inside});
}

Address with_what_is_shown(const ModulePage& of, Address address) {
    if (of.shown) address = address.with("show", *of.shown);
    if (received(of)) address = address.with("submitted", *of.submitted);
    return address;
}

// The newest submission in a line, for those who cannot see the rest change.
Html standing_line(const Look& look, const ModulePage& of) {
    Html said;
    if (!of.view.submissions.empty()) {
        const auto& newest = of.view.submissions.front();
        const bool graded = newest.submission.state == model::State::graded && newest.verdict;
        said += newest.submission.id.text() + ": ";
        said += graded ? wording::name(look.language, *newest.verdict) : wording::name(look.language, newest.submission.state);
        if (newest.rejudge) said += " · " + look.say(Sentence::again_mark);
        if (newest.score && newest.score_max) said += " · " + score_text(look, *newest.score, *newest.score_max);
        if (newest.waiting && newest.waiting->position > 0 && newest.waiting->position <= near_positions) {
            said += " · " + look.say(Sentence::position, {std::to_string(newest.waiting->position)});
        }
    }
    return el("p", {{"id", "standing"}, {"class", "away"}, {"role", "status"}}, {said});
}

}  // namespace

std::optional<int> reload_s(const queue::ModuleView& view) {
    std::optional<int> soonest;
    for (const auto& one : view.submissions) {
        if (!pending(one) && !judged_again(one)) continue;
        const auto& waiting = one.rejudge ? one.rejudge->waiting : one.waiting;
        if (!waiting || waiting->position <= near_positions) return reload_near_s;
        soonest = reload_far_s;
    }
    return soonest;
}

std::string module_page(const Look& seen, const ModulePage& of) {
    Look look = seen;
    look.here = with_what_is_shown(of, of.address);  // The other language shows the same.
    const auto reload = reload_s(of.view);
    const bool reloads = reload && !of.still;
    Html content;
    content += modules_part(look, of);
    content += title_part(of);
    content += standing_line(look, of);
    content += notice_part(look, of);
    content += el("div", {{"class", "columns"}}, {score_part(look, of), facts_part(look, of)});
    content += upload_part(look, of, reloads, reload.has_value());
    content += submissions_part(look, of);
    const Live live{.page = with_what_is_shown(of, look.link(of.address).with("still", "1")),
                    .events = with_what_is_shown(of, look.link(of.address / "events").with("still", "1"))};
    return page(look, {.title = fmt::format("{} {}", of.view.module.id.text(), of.view.module.title),
                       .content = content,
                       .reload_s = reloads ? reload : std::nullopt,
                       .live = live});
}

}  // namespace assay::web
