#include "store/sqlite/changes.hh"

#include "base/assert.hh"
#include "base/text.hh"

namespace assay::store::sqlite {
namespace {

std::string_view view(const std::string& text) { return text; }

Value blob_or_null(const std::string& bytes) {
    if (bytes.empty()) return nullptr;
    return Blob{bytes};
}
template <class E>
Value word_or_null(const std::optional<E>& value) {
    if (!value) return nullptr;
    return model::to_string(*value);
}
template <class N>
Value number_or_null(const std::optional<N>& value) {
    if (!value) return nullptr;
    return *value;
}

std::int64_t read_number(const Row& row) { return row.integer(0); }

}  // namespace

// Exactly one row, or `missing`.
Result<> Changes::change_one(const std::string& sql, std::initializer_list<Value> values, std::string_view what) {
    ASSAY_TRY(const std::int64_t changed, database_.change(sql, values));
    if (changed != 1) return Error{Fault::missing, "there is no " + std::string{what}};
    return ok;
}

Result<> Changes::put_course(const Course& c) {
    return change_one(
        "INSERT INTO course (id, title, timezone, language, contact) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " title = excluded.title, timezone = excluded.timezone, language = excluded.language, contact = excluded.contact",
        {view(c.id.text()), view(c.title), view(c.timezone), view(c.language), view(c.contact)}, "course");
}

Result<RevisionId> Changes::add_revision(const Revision& r) {
    ASSAY_CHECK(database_.change("INSERT INTO revision (course, module, number, digest, plan, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
                                 {view(r.course.text()), view(r.module.text()), r.number, view(r.digest), view(r.plan), r.created_ms}));
    return RevisionId{database_.last_insert_id()};
}

Result<> Changes::put_module(const Module& m) {
    return change_one(
        "INSERT INTO module (course, id, title, archived, revision) VALUES (?, ?, ?, ?, ?) ON CONFLICT (course, id) DO UPDATE SET"
        " title = excluded.title, archived = excluded.archived, revision = excluded.revision",
        {view(m.course.text()), view(m.id.text()), view(m.title), std::int64_t{m.archived}, m.revision.value}, "module");
}

Result<> Changes::put_participant(const Participant& p) {
    return change_one(
        "INSERT INTO participant (course, id, name, email, group_name, active, token_hash, token_sealed, key_hash, key_sealed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (course, id) DO UPDATE SET name = excluded.name, email = excluded.email,"
        " group_name = excluded.group_name, active = excluded.active, token_hash = excluded.token_hash,"
        " token_sealed = excluded.token_sealed, key_hash = excluded.key_hash, key_sealed = excluded.key_sealed",
        {view(p.course.text()), view(p.id.text()), view(p.name), view(p.email), view(p.group), std::int64_t{p.active},
         blob_or_null(p.token_hash), blob_or_null(p.token_sealed), blob_or_null(p.key_hash), blob_or_null(p.key_sealed)},
        "participant");
}

Result<> Changes::put_extension(const CourseId& course, const ModuleId& module, const ParticipantId& participant, std::int64_t until_ms) {
    return change_one(
        "INSERT INTO extension (course, module, participant, until_ms) VALUES (?, ?, ?, ?) ON CONFLICT (course, module, participant)"
        " DO UPDATE SET until_ms = excluded.until_ms",
        {view(course.text()), view(module.text()), view(participant.text()), until_ms}, "participant");
}

Result<> Changes::add_submission(const Submission& s) {
    const Value by = s.superseded_by ? Value{view(s.superseded_by->text())} : Value{nullptr};
    return change_one(
        "INSERT INTO submission (id, course, module, participant, revision, state, sha256, size, first_byte_ms, last_byte_ms,"
        " receipt, generation, superseded_by, held_reason, declared, committed_ms, names_converted)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {view(s.id.text()), view(s.course.text()), view(s.module.text()), view(s.participant.text()), s.revision.value,
         model::to_string(s.state), view(s.sha256), s.size, s.first_byte_ms, s.last_byte_ms, view(s.receipt), s.generation, by,
         word_or_null(s.held_reason), std::int64_t{s.declared}, number_or_null(s.committed_ms), s.names_converted},
        "submission");
}

Result<JobId> Changes::add_job(const Job& j) {
    std::int64_t place = j.place;
    if (place == 0) {
        // In two statements: RETURNING makes a table of its own each time.
        ASSAY_CHECK(change_one("UPDATE counter SET value = value + 1 WHERE name = 'place'", {}, "counter"));
        ASSAY_TRY(const auto next, database_.first<std::int64_t>("SELECT value FROM counter WHERE name = 'place'", {}, read_number));
        ASSAY_ASSERT(next.has_value());
        place = *next;
    }
    ASSAY_CHECK(database_.change(
        "INSERT INTO job (submission, generation, place, state, attempts, faults, cuts_in_a_row, reason, reason_details,"
        " reason_since_ms, epoch, started_ms, revision, line_course, line_module, line_flow)"
        " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, course, module, CASE WHEN ? > 1 THEN '' ELSE participant END"
        " FROM submission WHERE id = ?",
        {view(j.submission.text()), j.generation, place, model::to_string(j.state), j.attempts, j.faults, j.cuts_in_a_row,
         word_or_null(j.reason), view(j.reason_details), j.reason_since_ms, j.epoch, j.started_ms,
         j.revision ? Value{j.revision->value} : Value{nullptr}, j.generation, view(j.submission.text())}));
    return JobId{database_.last_insert_id()};
}

Result<> Changes::move(const SubmissionId& id, model::State to) {
    ASSAY_TRY(const auto found, submission(id));
    if (!found) return Error{Fault::missing, "there is no submission " + escaped(id.text())};
    ASSAY_ASSERT(model::can_move(found->state, to));
    // What holds it is said by whoever moves it there; it is not remembered beyond.
    ASSAY_CHECK(database_.change("UPDATE submission SET state = ?, held_reason = CASE ? WHEN 'held' THEN held_reason END WHERE id = ?",
                                 {model::to_string(to), model::to_string(to), view(id.text())}));
    ASSAY_CHECK(database_.change("UPDATE job SET state = ? WHERE submission = ? AND generation = ?",
                                 {model::to_string(to), view(id.text()), found->generation}));
    return ok;
}

Result<> Changes::move_job(JobId id, model::State to) {
    ASSAY_TRY(const auto found, job(id));
    if (!found) return Error{Fault::missing, "there is no job " + std::to_string(id.value)};
    ASSAY_TRY(const auto whose, submission(found->submission));
    ASSAY_ASSERT(whose.has_value());
    if (whose->generation == found->generation) return move(whose->id, to);
    ASSAY_ASSERT(whose->state == model::State::graded && whose->generation < found->generation);
    ASSAY_ASSERT(model::can_move(found->state, to));
    return change_one("UPDATE job SET state = ? WHERE id = ?", {model::to_string(to), id.value}, "job");
}

Result<> Changes::hold(const SubmissionId& id, model::Reason why) {
    ASSAY_CHECK(move(id, model::State::held));
    return change_one("UPDATE submission SET held_reason = ? WHERE id = ?", {model::to_string(why), view(id.text())}, "submission");
}

Result<> Changes::advance(const SubmissionId& id, std::int64_t generation, RevisionId revision) {
    return change_one("UPDATE submission SET generation = ?1, revision = ?2 WHERE id = ?3 AND state = 'graded' AND generation < ?1",
                      {generation, revision.value, view(id.text())}, "graded submission of an earlier generation");
}

Result<> Changes::put_standing(const Standing& s) {
    const Value faults_of = s.faults_of ? Value{view(s.faults_of->text())} : Value{nullptr};
    return change_one(
        "INSERT INTO standing (course, module, paused, paused_since_ms, revision, faults_in_a_row, faults_of, faults_of_several)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (course, module) DO UPDATE SET paused = excluded.paused,"
        " paused_since_ms = excluded.paused_since_ms, revision = excluded.revision, faults_in_a_row = excluded.faults_in_a_row,"
        " faults_of = excluded.faults_of, faults_of_several = excluded.faults_of_several",
        {view(s.course.text()), view(s.module.text()), word_or_null(s.paused), s.paused_since_ms, s.revision.value, s.faults_in_a_row,
         faults_of, std::int64_t{s.faults_of_several}},
        "standing");
}

Result<> Changes::put_turn(JobId id, std::int64_t started_ms) {
    return change_one("INSERT OR REPLACE INTO turn (course, flow, started_ms) SELECT line_course, line_flow, ? FROM job WHERE id = ?",
                      {started_ms, id.value}, "job");
}

Result<> Changes::supersede(const SubmissionId& older, const SubmissionId& by) {
    static_assert(model::can_move(model::State::queued, model::State::superseded));
    ASSAY_CHECK(change_one("UPDATE submission SET state = 'superseded', superseded_by = ? WHERE id = ? AND state = 'queued'",
                           {view(by.text()), view(older.text())}, "submission in line"));
    return change_one("UPDATE job SET state = 'superseded' WHERE submission = ? AND state = 'queued'", {view(older.text())}, "job in line");
}

Result<> Changes::update_job(const Job& j) {
    return change_one(
        "UPDATE job SET place = ?, attempts = ?, faults = ?, cuts_in_a_row = ?, reason = ?, reason_details = ?, reason_since_ms = ?,"
        " epoch = ?, started_ms = ? WHERE id = ?",
        {j.place, j.attempts, j.faults, j.cuts_in_a_row, word_or_null(j.reason), view(j.reason_details), j.reason_since_ms, j.epoch,
         j.started_ms, j.id.value},
        "job");
}

Result<> Changes::add_attempt(const Attempt& a) {
    return change_one("INSERT INTO attempt (job, number, epoch, started_ms, ended_ms, outcome, detail, partial) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      {a.job.value, a.number, a.epoch, a.started_ms, a.ended_ms, word_or_null(a.end), view(a.detail), view(a.partial)}, "attempt");
}

Result<> Changes::end_attempt(JobId job, std::int64_t number, model::AttemptEnd end, const std::string& detail, std::int64_t ended_ms) {
    return change_one("UPDATE attempt SET outcome = ?, detail = ?, ended_ms = ? WHERE job = ? AND number = ? AND outcome IS NULL",
                      {model::to_string(end), view(detail), ended_ms, job.value, number}, "attempt under way");
}

Result<> Changes::keep_partial(JobId job, std::int64_t number, const std::string& report) {
    return change_one("UPDATE attempt SET partial = ? WHERE job = ? AND number = ?", {view(report), job.value, number}, "attempt");
}

Result<> Changes::add_verdict(const VerdictRow& v) {
    return change_one(
        "INSERT INTO verdict (submission, generation, verdict, score, score_max, report, started_ms, finished_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        {view(v.submission.text()), v.generation, model::to_string(v.verdict), number_or_null(v.score), number_or_null(v.score_max),
         view(v.report), v.started_ms, v.finished_ms},
        "verdict");
}

Result<> Changes::note_upload_key(const UploadKey& k) {
    return change_one("INSERT INTO upload_key (course, module, participant, key, submission, noted_ms) VALUES (?, ?, ?, ?, ?, ?)",
                      {view(k.course.text()), view(k.module.text()), view(k.participant.text()), view(k.key), view(k.submission.text()),
                       k.noted_ms},
                      "key");
}

Result<> Changes::forget_upload_keys(std::int64_t before_ms) {
    ASSAY_CHECK(database_.change("DELETE FROM upload_key WHERE noted_ms < ?", {before_ms}));
    return ok;
}

Result<> Changes::add_commitment(const Commitment& c) {
    const Value submission = c.submission ? Value{view(c.submission->text())} : Value{nullptr};
    return change_one(
        "INSERT INTO commitment (course, module, participant, sha256, size, committed_ms, until_ms, document, submission)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {view(c.course.text()), view(c.module.text()), view(c.participant.text()), view(c.sha256), c.size, c.committed_ms, c.until_ms,
         view(c.document), submission},
        "commitment");
}

Result<> Changes::keep_promise(const SubmissionId& id) {
    ASSAY_CHECK(database_.change("UPDATE commitment SET submission = ?1 WHERE submission IS NULL AND (course, module, participant, sha256, size) ="
                                 " (SELECT course, module, participant, sha256, size FROM submission WHERE id = ?1)",
                                 {view(id.text())}));
    return ok;
}

Result<> Changes::forget_commitments(std::int64_t until_before_ms) {
    ASSAY_CHECK(database_.change("DELETE FROM commitment WHERE submission IS NULL AND until_ms < ?", {until_before_ms}));
    return ok;
}

Result<> Changes::put_signing_key(const SigningKey& key) {
    return change_one("INSERT INTO signing_key (use, key_id, public_key, from_ms, until_ms) VALUES (?, ?, ?, ?, ?)"
                      " ON CONFLICT (key_id) DO UPDATE SET until_ms = excluded.until_ms",
                      {model::to_string(key.use), view(key.key_id), Blob{key.public_key}, key.from_ms, number_or_null(key.until_ms)}, "key");
}

Result<> Changes::put_setting(const std::string& name, const std::string& value) {
    return change_one("INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                      {view(name), view(value)}, "setting");
}

}  // namespace assay::store::sqlite
