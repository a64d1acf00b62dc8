#include "queue/view.hh"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "grade/lateness.hh"
#include "grade/regrade.hh"
#include "queue/policy.hh"
#include "sys/zone.hh"

namespace assay::queue {
namespace {

Result<std::pair<model::Plan, std::int64_t>> plan_of(store::Reading& reading, RevisionId id) {
    ASSAY_TRY(const auto revision, reading.revision(id));
    if (!revision) return Error{Fault::internal, "a submission or module names a revision that is not there"};
    ASSAY_TRY(model::Plan plan, model::plan_from_json(revision->plan));
    return std::pair{std::move(plan), revision->number};
}

// The module as it is for one participant.
struct Terms {
    model::Plan plan;  // with his dates
    RevisionId revision;
    std::int64_t revision_number = 0;
    std::optional<std::int64_t> extended_until_ms;
    grade::Dates dates;
};

Result<Terms> terms_of(store::Reading& reading, const store::Module& module, const ParticipantId& participant) {
    Terms terms;
    terms.revision = module.revision;
    ASSAY_TRY(auto plan, plan_of(reading, module.revision));
    terms.plan = std::move(plan.first);
    terms.revision_number = plan.second;
    ASSAY_TRY(terms.extended_until_ms, reading.extension(module.course, module.id, participant));
    terms.dates = grade::dates_of(terms.plan, terms.extended_until_ms);
    terms.plan.due_ms = terms.dates.due_ms;
    terms.plan.closes_ms = terms.dates.closes_ms;
    return terms;
}

// What a graded submission is worth.
struct Worth {
    model::Verdict verdict = model::Verdict::failed;
    std::optional<double> score;
    std::optional<double> score_max;
    double penalty = 0;
    std::optional<model::Report> report;
};

// What is read once for all submissions of a view.
class Looking {
public:
    Looking(store::Reading& reading, const Board& board, const Terms& terms, std::int64_t now_ms)
        : reading_{reading}, board_{board}, terms_{terms}, now_ms_{now_ms} {}

    Result<SubmissionView> at(const store::Submission& submission) {
        SubmissionView view;
        view.submission = submission;
        ASSAY_TRY(const Run* const run, run_of(submission.revision));
        view.revision_number = run->number;
        if (!run->alike) view.newer_revision = terms_.revision_number;
        view.handed_in_ms = grade::handed_in_ms(arrived(submission), terms_.plan.upload_grace_ms);
        view.late = lateness(submission).late;
        view.due_passed = due_passed();
        switch (submission.state) {
            case model::State::queued: {
                ASSAY_TRY(const auto job, reading_.job_of(submission.id, submission.generation));
                if (!job) return Error{Fault::internal, "a queued submission has no job"};
                ASSAY_TRY(view.waiting, waiting(*job, submission.last_byte_ms));
                break;
            }
            case model::State::held: {
                ASSAY_TRY(view.waiting, explain_held(reading_, submission));
                break;
            }
            case model::State::running: {
                ASSAY_TRY(const auto job, reading_.job_of(submission.id, submission.generation));
                if (job) {
                    view.started_ms = job->started_ms;
                    view.progress = progress(*job);
                }
                break;
            }
            case model::State::graded: {
                ASSAY_CHECK(add_verdict(view));
                ASSAY_TRY(view.rejudge, rejudge_of(submission));
                break;
            }
            case model::State::cancelled: case model::State::superseded: break;
        }
        return view;
    }

    // Which of these counts; reads no more verdicts than the answer needs.
    Result<std::optional<std::size_t>> counting_of(std::span<const store::Submission> newest_first) {
        std::vector<Countable> countables;
        for (const store::Submission& s : newest_first) {
            Countable countable{s.state, {}, lateness(s).late, {}};
            if (s.state == model::State::graded) {
                ASSAY_TRY(const auto verdict, reading_.verdict(s.id, s.generation));
                if (verdict) {
                    ASSAY_TRY(const Worth worth, worth_of(s, *verdict, false));
                    countable.verdict = worth.verdict;
                    countable.score = worth.score;
                }
            }
            countables.push_back(countable);
            if (terms_.plan.counts != model::Counts::best && counting(countables, terms_.plan.counts)) break;
        }
        return counting(countables, terms_.plan.counts);
    }

private:
    bool due_passed() const { return terms_.dates.due_ms && now_ms_ > *terms_.dates.due_ms; }

    // A revision that submissions were accepted on.
    struct Run {
        std::int64_t number = 0;
        bool alike = true;                // running on the current one would be no other run
        std::optional<model::Plan> plan;  // nullopt: it is the current one
    };

    Result<const Run*> run_of(RevisionId id) {
        if (const auto known = runs_.find(id); known != runs_.end()) return &known->second;
        Run run{.number = terms_.revision_number};
        if (id != terms_.revision) {
            ASSAY_TRY(auto plan, plan_of(reading_, id));
            run.number = plan.second;
            run.alike = grade::runs_alike(plan.first, terms_.plan);
            run.plan = std::move(plan.first);
        }
        return &runs_.emplace(id, std::move(run)).first->second;
    }

    grade::Lateness lateness(const store::Submission& s) const { return lateness_of(arrived(s), terms_.plan, terms_.dates); }

    // Stored reports are looked into while `reports_shown_bytes_max` lasts; after that what was stored with them stands.
    Result<Worth> worth_of(const store::Submission& s, const store::VerdictRow& row, bool with_report) {
        if (const auto known = worths_.find(s.id); known != worths_.end() && !with_report) return known->second;
        Worth worth{row.verdict, row.score, row.score_max, 0, {}};
        ASSAY_TRY(const Run* const run, run_of(s.revision));
        if (with_report || run->plan) report_bytes_ += row.report.size();
        if ((with_report || run->plan) && report_bytes_ <= reports_shown_bytes_max) {
            ASSAY_TRY(model::Report report, model::report_from_json(row.report));
            if (run->plan) report = grade::regraded(std::move(report), *run->plan, terms_.plan);
            worth = {report.verdict, report.score, report.score_max, 0, {}};
            if (with_report) worth.report = model::for_participant(std::move(report), due_passed());
        }
        if (worth.score && worth.score_max) {
            worth.penalty = grade::penalty(lateness(s), *worth.score, *worth.score_max);
            *worth.score -= worth.penalty;
        }
        worths_.insert_or_assign(s.id, Worth{worth.verdict, worth.score, worth.score_max, worth.penalty, {}});
        return worth;
    }

    Result<Waiting> waiting(const store::Job& job, std::int64_t received_ms) {
        ASSAY_TRY(const auto snapshot, board_.recent(reading_, now_ms_, job.id));
        auto explained = explain(snapshot->situation, job.id);
        if (!explained) {
            explained = Waiting{.since_ms = received_ms,
                                .detail = model::WaitDetail{.kind = model::WaitDetailKind::far_back, .number = waiting_read_max},
                                .position = waiting_read_max + 1};
        }
        explained->moves = snapshot->moves;
        return *explained;
    }

    std::optional<Progress> progress(const store::Job& job) const {
        auto found = board_.progress().at(job.id);
        if (found) found->report = model::for_participant(std::move(found->report), due_passed());
        return found;
    }

    Result<std::optional<Rejudge>> rejudge_of(const store::Submission& submission) {
        ASSAY_TRY(const auto job, reading_.newest_job(submission.id));
        if (!job || job->generation <= submission.generation || over(*job)) return std::optional<Rejudge>{};
        Rejudge rejudge{.generation = job->generation, .state = job->state};
        if (job->state == model::State::queued) {
            ASSAY_TRY(rejudge.waiting, waiting(*job, submission.last_byte_ms));
        }
        if (job->state == model::State::held) rejudge.waiting = explain_held(*job);
        if (job->state == model::State::running) {
            rejudge.started_ms = job->started_ms;
            rejudge.progress = progress(*job);
        }
        return std::optional{std::move(rejudge)};
    }

    Result<> add_verdict(SubmissionView& view) {
        ASSAY_TRY(const auto row, reading_.verdict(view.submission.id, view.submission.generation));
        if (!row) return Error{Fault::internal, "a graded submission has no verdict"};
        view.started_ms = row->started_ms;
        view.finished_ms = row->finished_ms;
        ASSAY_TRY(Worth worth, worth_of(view.submission, *row, true));
        view.verdict = worth.verdict;
        view.score = worth.score;
        view.score_max = worth.score_max;
        view.penalty = worth.penalty;
        if (worth.penalty > 0) view.score_before_penalty = *worth.score + worth.penalty;
        view.report = std::move(worth.report);
        return ok;
    }

    store::Reading& reading_;
    const Board& board_;
    const Terms& terms_;
    std::int64_t now_ms_;
    std::map<RevisionId, Run> runs_;
    std::map<SubmissionId, Worth> worths_;  // without reports
    std::size_t report_bytes_ = 0;
};

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

void add_end(Json& out, const std::optional<int>& exit_code, const std::optional<int>& signal) {
    if (exit_code) out["exit_code"] = *exit_code;
    if (signal) out["signal"] = *signal;
}

void add_usage(Json& out, const model::Usage& usage) {
    out["cpu_ms"] = usage.cpu_ms;
    out["wall_ms"] = usage.wall_ms;
    out["memory_peak_bytes"] = usage.memory_peak_bytes;
    if (usage.trustworthy_timing) out["trustworthy_timing"] = *usage.trustworthy_timing;
    if (usage.memory_stalled_ms) out["memory_stalled_ms"] = *usage.memory_stalled_ms;
}

void add_first_try(Json& out, const std::optional<model::FirstTry>& first) {
    if (!first) return;
    out["first_try"] = {{"verdict", model::to_string(first->verdict)}};
    add_usage(out["first_try"], first->usage);
}

Json json_of(const model::TestReport& test) {
    Json out{{"name", test.name}, {"verdict", model::to_string(test.verdict)}, {"score", test.score}, {"score_max", test.score_max}};
    add_end(out, test.exit_code, test.signal);
    add_usage(out, test.usage);
    add_first_try(out, test.first_try);
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) out[name] = value;
    };
    text("input", test.input);
    text("expected", test.expected);
    text("got", test.got);
    text("errors", test.errors);
    text("message", test.message);
    if (test.difference) out["difference"] = Json::parse(model::to_json(*test.difference));
    return out;
}

// `over`: else it is under way, and its verdict not known.
Json json_of(const model::StageReport& stage, bool over = true) {
    Json out{{"name", stage.name}, {"verdict", over ? Json(model::to_string(stage.verdict)) : Json(nullptr)}};
    add_end(out, stage.exit_code, stage.signal);
    add_usage(out, stage.usage);
    add_first_try(out, stage.first_try);
    out["output"] = stage.output;
    out["errors"] = stage.errors;
    if (!stage.message.empty()) out["message"] = stage.message;
    out["score"] = or_null(stage.score);
    out["score_max"] = or_null(stage.score_max);
    out["tests"] = Json::array();
    for (const auto& test : stage.tests) out["tests"].push_back(json_of(test));
    return out;
}

// {stage, test, tests_done, tests_all, reason, stages}: `reason` is why that has not begun yet, or null; `stages` as of a
// submission, as far as they are finished.
Json json_of(const Progress& progress) {
    Json out{{"stage", progress.stage}, {"test", progress.test}, {"tests_done", progress.tests_done}, {"tests_all", progress.tests_all}};
    out["reason"] = progress.reason ? Json(model::to_string(*progress.reason)) : Json(nullptr);
    out["stages"] = Json::array();
    for (const auto& stage : progress.report.stages) {
        out["stages"].push_back(json_of(stage, progress.stage_over || stage.name != progress.stage));
    }
    return out;
}

}  // namespace

std::optional<std::size_t> counting(std::span<const Countable> newest_first, model::Counts counts) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < newest_first.size(); ++i) {
        const Countable& it = newest_first[i];
        const bool in_play =
            it.state == model::State::queued || it.state == model::State::running || it.state == model::State::graded;
        if (!in_play || faulted(it.verdict)) continue;
        switch (counts) {
            case model::Counts::last: return i;
            case model::Counts::last_on_time:
                if (!it.late) return i;
                break;
            case model::Counts::best: {
                if (it.state != model::State::graded) break;
                const auto worth = [](const Countable& c) {
                    return c.score.value_or(c.verdict == model::Verdict::passed ? 1.0 : 0.0);
                };
                // Of equals the earliest: it was reached first.
                if (!best || worth(it) >= worth(newest_first[*best])) best = i;
                break;
            }
        }
    }
    return best;
}

Result<std::optional<model::Report>> newest_report(store::Reading& reading, const SubmissionId& id) {
    ASSAY_TRY(const auto submission, reading.submission(id));
    if (!submission) return Error{Fault::missing, "there is no submission '" + escaped(id.text(), 40) + "'"};
    ASSAY_TRY(const auto job, reading.newest_job(id));
    const bool judged_again = job && job->state == model::State::graded && job->generation > submission->generation;
    ASSAY_TRY(const auto row, reading.verdict(id, judged_again ? job->generation : submission->generation));
    if (!row) return std::optional<model::Report>{};
    ASSAY_TRY(model::Report report, model::report_from_json(row->report));
    return std::optional{std::move(report)};
}

bool costs_a_try(const SubmissionView& view) {
    const model::State state = view.submission.state;
    return state != model::State::superseded && state != model::State::cancelled && !faulted(view.verdict);
}

const Waiting* in_line(const SubmissionView& view) {
    const auto& waiting = view.rejudge ? view.rejudge->waiting : view.waiting;
    return waiting && waiting->position > 0 ? &*waiting : nullptr;
}

Result<Waiting> explain_held(store::Reading& reading, const store::Submission& submission) {
    ASSAY_TRY(const auto job, reading.job_of(submission.id, submission.generation));  // None when it was never in line.
    const std::int64_t since_ms = job && job->reason_since_ms != 0 ? job->reason_since_ms : submission.last_byte_ms;
    return Waiting{.reason = submission.held_reason.value_or(model::Reason::held_by_staff), .since_ms = since_ms};
}

Waiting explain_held(const store::Job& rejudge) {
    return {.reason = rejudge.reason.value_or(model::Reason::held_by_staff), .since_ms = rejudge.reason_since_ms};
}

Result<std::optional<SubmissionView>> view_submission(store::Reading& reading, const Board& board, const SubmissionId& id,
                                                      std::int64_t now_ms) {
    ASSAY_TRY(const auto submission, reading.submission(id));
    if (!submission) return std::optional<SubmissionView>{};
    ASSAY_TRY(const auto module, reading.module(submission->course, submission->module));
    if (!module) return Error{Fault::internal, "a submission names a module that is not there"};
    ASSAY_TRY(const Terms terms, terms_of(reading, *module, submission->participant));
    ASSAY_TRY(const auto all, reading.submissions(submission->course, submission->module, submission->participant, submissions_counted_max));

    Looking looking{reading, board, terms, now_ms};
    ASSAY_TRY(SubmissionView view, looking.at(*submission));
    ASSAY_TRY(const auto counts, looking.counting_of(all));
    view.counts = counts && all[*counts].id == id;
    return std::optional{std::move(view)};
}

Result<ModuleView> view_module(store::Reading& reading, const Board& board, const store::Course& course, const store::Module& module,
                               const store::Participant& participant, std::int64_t now_ms) {
    ModuleView view;
    view.course = course;
    view.module = module;
    view.participant = participant;
    ASSAY_TRY(Terms terms, terms_of(reading, module, participant.id));
    view.revision_number = terms.revision_number;
    view.extended_until_ms = terms.extended_until_ms;

    ASSAY_TRY(const auto all, reading.submissions(course.id, module.id, participant.id, submissions_counted_max));
    Looking looking{reading, board, terms, now_ms};
    const std::size_t shown = std::min<std::size_t>(all.size(), submissions_shown_max);
    for (std::size_t i = 0; i < shown; ++i) {
        ASSAY_TRY(SubmissionView one, looking.at(all[i]));
        view.submissions.push_back(std::move(one));
    }
    ASSAY_TRY(const auto counts, looking.counting_of(all));
    if (counts && *counts < shown) view.submissions[*counts].counts = true;
    view.plan = std::move(terms.plan);
    return view;
}

std::string to_json(const SubmissionView& view, const std::string& timezone, const std::string& base_url,
                    const std::function<WaitText(const Waiting&)>& wait_text, Detail detail) {
    const store::Submission& s = view.submission;
    const auto time = [&](const std::optional<std::int64_t>& ms) {
        return ms ? Json(sys::rfc3339(sys::wall_from_ms(*ms), timezone)) : Json(nullptr);
    };
    Json out{
        {"id", s.id.text()},
        {"course", s.course.text()},
        {"module", s.module.text()},
        {"revision", view.revision_number},
        {"participant", s.participant.text()},
        {"state", model::to_string(s.state)},
        {"generation", s.generation},
        {"verdict", view.verdict ? Json(model::to_string(*view.verdict)) : Json(nullptr)},
        {"score", or_null(view.score)},
        {"score_max", or_null(view.score_max)},
        {"reason", nullptr},
        {"position", nullptr},
        {"expected_start", nullptr},
        {"received_at", time(s.last_byte_ms)},
        {"committed_at", time(s.committed_ms)},
        {"handed_in_at", time(view.handed_in_ms)},
        {"started_at", time(view.started_ms)},
        {"finished_at", time(view.finished_ms)},
        {"names_converted", s.names_converted},
        {"counts", view.counts},
        {"progress", view.progress ? json_of(*view.progress) : Json(nullptr)},
    };
    if (detail == Detail::whole) out["partial"] = view.report && view.report->partial;
    const auto add_waiting = [&](Json& to, const Waiting& w) {
        const WaitText said = wait_text(w);
        to["reason"] = {{"code", model::to_string(w.reason)}, {"text", said.text}, {"since", time(w.since_ms)}, {"details", said.details}};
        if (w.position > 0) to["position"] = w.position;
        to["expected_start"] = time(w.expected_start_ms);
    };
    if (view.waiting) add_waiting(out, *view.waiting);
    if (const auto& again = view.rejudge) {
        Json& to = out["rejudge"];
        to = {{"generation", again->generation}, {"state", model::to_string(again->state)}, {"reason", nullptr}, {"position", nullptr},
              {"expected_start", nullptr}, {"started_at", time(again->started_ms)},
              {"progress", again->progress ? json_of(*again->progress) : Json(nullptr)}};
        if (again->waiting) add_waiting(to, *again->waiting);
    }
    if (view.late) out["late"] = true;
    if (view.score_before_penalty) {
        out["penalty"] = view.penalty;
        out["score_before_penalty"] = *view.score_before_penalty;
    }
    if (view.newer_revision) out["newer_revision"] = *view.newer_revision;
    if (s.superseded_by && s.state == model::State::superseded) out["superseded_by"] = s.superseded_by->text();
    const std::string self = base_url + "/api/v1/submissions/" + s.id.text();
    out["links"] = {{"self", self}, {"report", self + "/report"}, {"log", self + "/log"}, {"receipt", self + "/receipt"}};
    if (detail == Detail::whole) {
        out["stages"] = Json::array();
        if (view.report) {
            for (const auto& stage : view.report->stages) out["stages"].push_back(json_of(stage));
        }
    }
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace assay::queue
