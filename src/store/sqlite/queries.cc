#include "store/sqlite/queries.hh"

#include <algorithm>

#include "base/assert.hh"

namespace assay::store::sqlite {
namespace {

constexpr const char* course_columns = "SELECT id, title, timezone, language, contact FROM course";
Course read_course(const Row& row) { return {CourseId{row.text(0)}, row.text(1), row.text(2), row.text(3), row.text(4)}; }

constexpr const char* module_columns = "SELECT course, id, title, archived, revision FROM module";
Module read_module(const Row& row) {
    return {CourseId{row.text(0)}, ModuleId{row.text(1)}, row.text(2), row.integer(3) != 0, RevisionId{row.integer(4)}};
}

constexpr const char* revision_columns =
    "SELECT revision.id, revision.course, revision.module, number, digest, plan, created_ms FROM revision";
Revision read_revision(const Row& row) {
    return {RevisionId{row.integer(0)}, CourseId{row.text(1)}, ModuleId{row.text(2)}, row.integer(3), row.text(4), row.text(5),
            row.integer(6)};
}

constexpr const char* participant_columns =
    "SELECT course, id, name, email, group_name, active, token_hash, token_sealed, key_hash, key_sealed FROM participant";
Participant read_participant(const Row& row) {
    return {CourseId{row.text(0)}, ParticipantId{row.text(1)}, row.text(2), row.text(3), row.text(4), row.integer(5) != 0,
            row.text(6), row.text(7), row.text(8), row.text(9)};
}

// The one writer keeps these columns to our words.
template <class E>
E word(const Row& row, int column) {
    const auto value = model::parse<E>(row.text(column));
    ASSAY_ASSERT(value.has_value());
    return *value;
}
template <class E>
std::optional<E> optional_word(const Row& row, int column) {
    if (row.null(column)) return std::nullopt;
    return word<E>(row, column);
}
std::optional<double> optional_real(const Row& row, int column) {
    if (row.null(column)) return std::nullopt;
    return row.real(column);
}

constexpr const char* submission_columns =
    "SELECT id, course, module, participant, revision, state, sha256, size, first_byte_ms, last_byte_ms, receipt, generation,"
    " superseded_by, held_reason, declared, committed_ms, names_converted FROM submission";
Submission read_submission(const Row& row) {
    Submission s;
    s.id = SubmissionId{row.text(0)};
    s.course = CourseId{row.text(1)};
    s.module = ModuleId{row.text(2)};
    s.participant = ParticipantId{row.text(3)};
    s.revision = RevisionId{row.integer(4)};
    s.state = word<model::State>(row, 5);
    s.sha256 = row.text(6);
    s.size = row.integer(7);
    s.first_byte_ms = row.integer(8);
    s.last_byte_ms = row.integer(9);
    s.receipt = row.text(10);
    s.generation = row.integer(11);
    if (!row.null(12)) s.superseded_by = SubmissionId{row.text(12)};
    s.held_reason = optional_word<model::Reason>(row, 13);
    s.declared = row.integer(14) != 0;
    if (!row.null(15)) s.committed_ms = row.integer(15);
    s.names_converted = row.integer(16);
    return s;
}

#define ASSAY_JOB_COLUMNS \
    "SELECT job.id, job.submission, job.generation, place, job.state, attempts, faults, cuts_in_a_row, reason, reason_details," \
    " reason_since_ms, epoch, job.started_ms, job.revision"
constexpr const char* job_columns = ASSAY_JOB_COLUMNS " FROM job";
Job read_job(const Row& row) {
    Job job;
    job.id = JobId{row.integer(0)};
    job.submission = SubmissionId{row.text(1)};
    job.generation = row.integer(2);
    job.place = row.integer(3);
    job.state = word<model::State>(row, 4);
    job.attempts = row.integer(5);
    job.faults = row.integer(6);
    job.cuts_in_a_row = row.integer(7);
    job.reason = optional_word<model::Reason>(row, 8);
    job.reason_details = row.text(9);
    job.reason_since_ms = row.integer(10);
    job.epoch = row.integer(11);
    job.started_ms = row.integer(12);
    if (!row.null(13)) job.revision = RevisionId{row.integer(13)};
    return job;
}

#define ASSAY_QUEUED \
    ASSAY_JOB_COLUMNS ", submission.course, submission.module, participant, coalesce(job.revision, submission.revision), last_byte_ms," \
                      " coalesce(turn.started_ms, 0)" \
                      " FROM job JOIN submission ON submission.id = job.submission" \
                      " LEFT JOIN turn ON turn.course = line_course AND turn.flow = line_flow"
constexpr const char* queued_columns = ASSAY_QUEUED;
// Seeks from one head of the line to the next instead of reading the jobs between them.
#define ASSAY_NEXT(where) \
    "(SELECT next.id FROM job AS next INDEXED BY job_turn WHERE next.state = 'queued' AND " where \
    " ORDER BY next.line_course, next.line_flow, next.line_module, next.place, next.id LIMIT 1)"
constexpr const char* head_columns =
    "WITH RECURSIVE head (id) AS ("
    "SELECT * FROM (SELECT id FROM job INDEXED BY job_turn WHERE state = 'queued'"
    " ORDER BY line_course, line_flow, line_module, place, id LIMIT 1)"
    " UNION ALL SELECT coalesce("
    ASSAY_NEXT("next.line_course = it.line_course AND next.line_flow = it.line_flow AND next.line_module > it.line_module") ", "
    ASSAY_NEXT("next.line_course = it.line_course AND next.line_flow > it.line_flow") ", "
    ASSAY_NEXT("next.line_course > it.line_course") ") FROM head JOIN job AS it ON it.id = head.id) "
    ASSAY_QUEUED " WHERE job.id IN (SELECT id FROM head) ORDER BY place, job.id";
#undef ASSAY_NEXT
#undef ASSAY_QUEUED
#undef ASSAY_JOB_COLUMNS
QueuedJob read_queued(const Row& row) {
    return {read_job(row), CourseId{row.text(14)}, ModuleId{row.text(15)}, ParticipantId{row.text(16)}, RevisionId{row.integer(17)},
            row.integer(18), row.integer(19)};
}

constexpr const char* standing_columns =
    "SELECT standing.course, standing.module, paused, paused_since_ms, standing.revision, faults_in_a_row, faults_of,"
    " faults_of_several FROM standing";
// A newer revision ends the pause for a broken grader, never that of staff.
#define ASSAY_PAUSED \
    "JOIN module ON module.course = standing.course AND module.id = standing.module" \
    " WHERE (paused = 'module_paused' OR (paused = 'grader_broken' AND standing.revision = module.revision))"
Standing read_standing(const Row& row) {
    Standing s;
    s.course = CourseId{row.text(0)};
    s.module = ModuleId{row.text(1)};
    s.paused = optional_word<model::Reason>(row, 2);
    s.paused_since_ms = row.integer(3);
    s.revision = RevisionId{row.integer(4)};
    s.faults_in_a_row = row.integer(5);
    if (!row.null(6)) s.faults_of = ParticipantId{row.text(6)};
    s.faults_of_several = row.integer(7) != 0;
    return s;
}

Attempt read_attempt(const Row& row) {
    return {JobId{row.integer(0)}, row.integer(1), row.integer(2), row.integer(3), row.integer(4),
            optional_word<model::AttemptEnd>(row, 5), row.text(6), row.text(7)};
}

PastRun read_past_run(const Row& row) {
    return {CourseId{row.text(0)}, ModuleId{row.text(1)}, row.integer(2), row.integer(3), row.integer(4)};
}

VerdictRow read_verdict(const Row& row) {
    return {SubmissionId{row.text(0)}, row.integer(1), word<model::Verdict>(row, 2), optional_real(row, 3), optional_real(row, 4),
            row.text(5), row.integer(6), row.integer(7)};
}

SigningKey read_signing_key(const Row& row) {
    SigningKey key{word<model::KeyUse>(row, 0), row.text(1), row.text(2), row.integer(3), {}};
    if (!row.null(4)) key.until_ms = row.integer(4);
    return key;
}

Commitment read_commitment(const Row& row) {
    Commitment it{CourseId{row.text(0)}, ModuleId{row.text(1)}, ParticipantId{row.text(2)}, row.text(3), row.integer(4), row.integer(5),
                  row.integer(6), row.text(7), {}};
    if (!row.null(8)) it.submission = SubmissionId{row.text(8)};
    return it;
}

std::string read_text(const Row& row) { return row.text(0); }
std::int64_t read_number(const Row& row) { return row.integer(0); }

std::string with(const char* columns, const char* rest) { return std::string{columns} + " " + rest; }
std::string_view view(const std::string& text) { return text; }

}  // namespace

template <class Base>
Result<std::vector<Course>> Queries<Base>::courses() {
    return database_.all<Course>(with(course_columns, "ORDER BY id"), {}, read_course);
}
template <class Base>
Result<std::optional<Course>> Queries<Base>::course(const CourseId& id) {
    return database_.first<Course>(with(course_columns, "WHERE id = ?"), {view(id.text())}, read_course);
}
template <class Base>
Result<std::vector<Module>> Queries<Base>::modules(const CourseId& course) {
    return database_.all<Module>(with(module_columns, "WHERE course = ? ORDER BY id"), {view(course.text())}, read_module);
}
template <class Base>
Result<std::optional<Module>> Queries<Base>::module(const CourseId& course, const ModuleId& id) {
    return database_.first<Module>(with(module_columns, "WHERE course = ? AND id = ?"), {view(course.text()), view(id.text())},
                                   read_module);
}
template <class Base>
Result<std::optional<Revision>> Queries<Base>::revision(RevisionId id) {
    return database_.first<Revision>(with(revision_columns, "WHERE id = ?"), {id.value}, read_revision);
}
template <class Base>
Result<std::vector<Revision>> Queries<Base>::current_revisions() {
    return database_.all<Revision>(
        with(revision_columns, "JOIN module ON module.revision = revision.id WHERE archived = 0 ORDER BY revision.id"), {}, read_revision);
}

template <class Base>
Result<std::vector<Participant>> Queries<Base>::participants(const CourseId& course) {
    return database_.all<Participant>(with(participant_columns, "WHERE course = ? ORDER BY id"), {view(course.text())}, read_participant);
}
template <class Base>
Result<std::optional<Participant>> Queries<Base>::participant(const CourseId& course, const ParticipantId& id) {
    return database_.first<Participant>(with(participant_columns, "WHERE course = ? AND id = ?"),
                                        {view(course.text()), view(id.text())}, read_participant);
}
template <class Base>
Result<std::vector<Participant>> Queries<Base>::participants_by_token(const std::string& token_hash) {
    return database_.all<Participant>(with(participant_columns, "WHERE token_hash = ? ORDER BY course"), {Blob{token_hash}},
                                      read_participant);
}
template <class Base>
Result<std::optional<Participant>> Queries<Base>::participant_by_key(const CourseId& course, const std::string& key_hash) {
    return database_.first<Participant>(with(participant_columns, "WHERE key_hash = ? AND course = ?"),
                                        {Blob{key_hash}, view(course.text())}, read_participant);
}

template <class Base>
Result<std::optional<std::int64_t>> Queries<Base>::extension(const CourseId& course, const ModuleId& module, const ParticipantId& participant) {
    return database_.first<std::int64_t>("SELECT until_ms FROM extension WHERE course = ? AND module = ? AND participant = ?",
                                         {view(course.text()), view(module.text()), view(participant.text())}, read_number);
}

template <class Base>
Result<std::optional<std::int64_t>> Queries<Base>::latest_extension(const CourseId& course, const ModuleId& module) {
    return database_.first<std::int64_t>(
        "SELECT until_ms FROM extension WHERE course = ? AND module = ? ORDER BY until_ms DESC LIMIT 1",
        {view(course.text()), view(module.text())}, read_number);
}

template <class Base>
Result<std::optional<Submission>> Queries<Base>::submission(const SubmissionId& id) {
    return database_.first<Submission>(with(submission_columns, "WHERE id = ?"), {view(id.text())}, read_submission);
}
template <class Base>
Result<std::vector<Submission>> Queries<Base>::submissions(const CourseId& course, const ModuleId& module,
                                                           const ParticipantId& participant, int count_max) {
    return database_.all<Submission>(
        with(submission_columns, "WHERE course = ? AND module = ? AND participant = ? ORDER BY sequence DESC LIMIT ?"),
        {view(course.text()), view(module.text()), view(participant.text()), std::int64_t{count_max}}, read_submission);
}
template <class Base>
Result<std::int64_t> Queries<Base>::submissions_counted(const CourseId& course, const ModuleId& module,
                                                        const ParticipantId& participant) {
    ASSAY_TRY(const auto count,
              database_.first<std::int64_t>(
                  "SELECT count(*) FROM submission AS s"
                  " LEFT JOIN verdict AS v ON v.submission = s.id AND v.generation = s.generation"
                  " WHERE course = ? AND module = ? AND participant = ? AND state NOT IN ('superseded', 'cancelled')"
                  " AND coalesce(v.verdict, '') NOT IN ('system_fault', 'grader_fault')",
                  {view(course.text()), view(module.text()), view(participant.text())}, read_number));
    return *count;
}
template <class Base>
Result<std::optional<std::int64_t>> Queries<Base>::nth_newest_ms(const CourseId& course, const ModuleId& module,
                                                                 const ParticipantId& participant, std::int64_t nth) {
    ASSAY_ASSERT(nth >= 1);
    return database_.first<std::int64_t>(
        "SELECT last_byte_ms FROM submission WHERE course = ? AND module = ? AND participant = ? ORDER BY sequence DESC LIMIT 1 OFFSET ?",
        {view(course.text()), view(module.text()), view(participant.text()), nth - 1}, read_number);
}
template <class Base>
Result<std::optional<SubmissionId>> Queries<Base>::upload_key(const CourseId& course, const ModuleId& module,
                                                              const ParticipantId& participant, const std::string& key,
                                                              std::int64_t since_ms) {
    ASSAY_TRY(const auto id, database_.first<std::string>("SELECT submission FROM upload_key WHERE course = ? AND module = ?"
                                                          " AND participant = ? AND key = ? AND noted_ms >= ?",
                                                          {view(course.text()), view(module.text()), view(participant.text()), view(key),
                                                           since_ms},
                                                          read_text));
    return id ? std::optional{SubmissionId{*id}} : std::nullopt;
}
template <class Base>
Result<std::optional<VerdictRow>> Queries<Base>::verdict(const SubmissionId& id, std::int64_t generation) {
    return database_.first<VerdictRow>(
        "SELECT submission, generation, verdict, score, score_max, report, started_ms, finished_ms FROM verdict"
        " WHERE submission = ? AND generation = ?",
        {view(id.text()), generation}, read_verdict);
}
template <class Base>
Result<std::optional<Job>> Queries<Base>::job(JobId id) {
    return database_.first<Job>(with(job_columns, "WHERE id = ?"), {id.value}, read_job);
}
template <class Base>
Result<std::optional<Job>> Queries<Base>::job_of(const SubmissionId& id, std::int64_t generation) {
    return database_.first<Job>(with(job_columns, "WHERE submission = ? AND generation = ?"), {view(id.text()), generation}, read_job);
}
template <class Base>
Result<std::optional<Job>> Queries<Base>::newest_job(const SubmissionId& id) {
    return database_.first<Job>(with(job_columns, "WHERE submission = ? ORDER BY generation DESC LIMIT 1"), {view(id.text())}, read_job);
}
template <class Base>
Result<std::vector<QueuedJob>> Queries<Base>::waiting(int count_max) {
    return database_.all<QueuedJob>(with(queued_columns, "WHERE job.state = 'queued' ORDER BY place, job.id LIMIT ?"),
                                    {std::int64_t{count_max}}, read_queued);
}
template <class Base>
Result<std::vector<QueuedJob>> Queries<Base>::heads() {
    return database_.all<QueuedJob>(head_columns, {}, read_queued);
}
template <class Base>
Result<std::vector<QueuedJob>> Queries<Base>::running() {
    return database_.all<QueuedJob>(with(queued_columns, "WHERE job.state = 'running' ORDER BY job.id"), {}, read_queued);
}
template <class Base>
Result<std::vector<Submission>> Queries<Base>::held(int count_max) {
    return database_.all<Submission>(with(submission_columns, "WHERE state = 'held' ORDER BY sequence LIMIT ?"),
                                     {std::int64_t{count_max}}, read_submission);
}
template <class Base>
Result<std::vector<QueuedJob>> Queries<Base>::held_rejudges(int count_max) {
    return database_.all<QueuedJob>(
        with(queued_columns, "WHERE job.state = 'held' AND job.generation > submission.generation ORDER BY place, job.id LIMIT ?"),
        {std::int64_t{count_max}}, read_queued);
}
template <class Base>
Result<Standing> Queries<Base>::standing(const CourseId& course, const ModuleId& module) {
    ASSAY_TRY(const auto found, database_.first<Standing>(with(standing_columns, "WHERE course = ? AND module = ?"),
                                                          {view(course.text()), view(module.text())}, read_standing));
    if (found) return *found;
    Standing none;
    none.course = course;
    none.module = module;
    return none;
}
template <class Base>
Result<std::vector<Standing>> Queries<Base>::paused() {
    return database_.all<Standing>(
        with(standing_columns, ASSAY_PAUSED " ORDER BY standing.course, standing.module"),
        {}, read_standing);
}
template <class Base>
Result<std::vector<Attempt>> Queries<Base>::attempts(JobId id) {
    return database_.all<Attempt>(
        "SELECT job, number, epoch, started_ms, ended_ms, outcome, detail, partial FROM attempt WHERE job = ? ORDER BY number", {id.value},
        read_attempt);
}
template <class Base>
Result<std::vector<PastRun>> Queries<Base>::past_runs(int count_max) {
    ASSAY_TRY(auto runs, database_.all<PastRun>(
        "SELECT course, module, CASE WHEN job.generation > 1 THEN attempt.started_ms ELSE last_byte_ms END, attempt.started_ms, ended_ms"
        " FROM attempt JOIN job ON job.id = attempt.job JOIN submission ON submission.id = job.submission"
        " WHERE outcome = 'verdict' ORDER BY attempt.job DESC LIMIT ?",
        {std::int64_t{count_max}}, read_past_run));
    std::ranges::sort(runs, {}, &PastRun::ended_ms);
    return std::move(runs);
}
template <class Base>
Result<std::vector<SigningKey>> Queries<Base>::signing_keys(model::KeyUse use) {
    return database_.all<SigningKey>("SELECT use, key_id, public_key, from_ms, until_ms FROM signing_key WHERE use = ? ORDER BY from_ms, key_id",
                                     {model::to_string(use)}, read_signing_key);
}
template <class Base>
Result<std::vector<Commitment>> Queries<Base>::commitments(const CourseId& course, const ModuleId& module, const ParticipantId& participant,
                                                           std::int64_t at_ms) {
    return database_.all<Commitment>("SELECT course, module, participant, sha256, size, committed_ms, until_ms, document, submission"
                                     " FROM commitment WHERE course = ? AND module = ? AND participant = ? AND until_ms >= ?"
                                     " ORDER BY committed_ms, sha256, size",
                                     {view(course.text()), view(module.text()), view(participant.text()), at_ms}, read_commitment);
}
template <class Base>
Result<std::optional<std::int64_t>> Queries<Base>::latest_commitment(const CourseId& course, const ModuleId& module) {
    return database_.first<std::int64_t>("SELECT until_ms FROM commitment WHERE course = ? AND module = ? AND submission IS NULL"
                                         " ORDER BY until_ms DESC LIMIT 1",
                                         {view(course.text()), view(module.text())}, read_number);
}
template <class Base>
Result<std::optional<std::string>> Queries<Base>::setting(const std::string& name) {
    return database_.first<std::string>("SELECT value FROM setting WHERE name = ?", {view(name)}, read_text);
}
template <class Base>
Result<std::vector<std::string>> Queries<Base>::digests() {
    return database_.all<std::string>("SELECT sha256 FROM submission UNION SELECT digest FROM revision ORDER BY 1", {}, read_text);
}

#undef ASSAY_PAUSED

template class Queries<Reading>;
template class Queries<Tx>;

}  // namespace assay::store::sqlite
