#include "store/sqlite/migrations.hh"

#include <array>

namespace assay::store::sqlite {
namespace {

constexpr std::int64_t application_id = 0x61737379;  // "assy": tells our file from any other SQLite database

// Once released, a step is never edited: changes are new steps at the end.
constexpr std::array<const char*, 8> steps{
    // 1: courses, participants, submissions, the line, verdicts.
    R"sql(
CREATE TABLE course (
    id TEXT NOT NULL PRIMARY KEY, title TEXT NOT NULL, timezone TEXT NOT NULL, language TEXT NOT NULL, contact TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revision (
    id INTEGER PRIMARY KEY AUTOINCREMENT, course TEXT NOT NULL REFERENCES course (id), module TEXT NOT NULL,
    number INTEGER NOT NULL, digest TEXT NOT NULL, plan TEXT NOT NULL, created_ms INTEGER NOT NULL,
    UNIQUE (course, module, number)
) STRICT;

CREATE TABLE module (
    course TEXT NOT NULL REFERENCES course (id), id TEXT NOT NULL, title TEXT NOT NULL,
    archived INTEGER NOT NULL CHECK (archived IN (0, 1)), revision INTEGER NOT NULL REFERENCES revision (id),
    PRIMARY KEY (course, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE participant (
    course TEXT NOT NULL REFERENCES course (id), id TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL,
    group_name TEXT NOT NULL, active INTEGER NOT NULL CHECK (active IN (0, 1)),
    token_hash BLOB, token_sealed BLOB, key_hash BLOB, key_sealed BLOB,
    PRIMARY KEY (course, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX participant_token ON participant (token_hash, course) WHERE token_hash IS NOT NULL;
CREATE UNIQUE INDEX participant_key ON participant (key_hash, course) WHERE key_hash IS NOT NULL;

CREATE TABLE submission (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE CHECK (length(id) = 16),
    course TEXT NOT NULL, module TEXT NOT NULL, participant TEXT NOT NULL, revision INTEGER NOT NULL REFERENCES revision (id),
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'graded', 'held', 'cancelled', 'superseded')),
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, first_byte_ms INTEGER NOT NULL, last_byte_ms INTEGER NOT NULL,
    receipt TEXT NOT NULL, generation INTEGER NOT NULL, superseded_by TEXT REFERENCES submission (id), held_reason TEXT,
    FOREIGN KEY (course, module) REFERENCES module (course, id),
    FOREIGN KEY (course, participant) REFERENCES participant (course, id)
) STRICT;
CREATE INDEX submission_of ON submission (course, module, participant, sequence);

CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT, submission TEXT NOT NULL REFERENCES submission (id), generation INTEGER NOT NULL,
    place INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'graded', 'held', 'cancelled', 'superseded')),
    attempts INTEGER NOT NULL, faults INTEGER NOT NULL, cuts_in_a_row INTEGER NOT NULL,
    reason TEXT, reason_details TEXT NOT NULL, reason_since_ms INTEGER NOT NULL, epoch INTEGER NOT NULL, started_ms INTEGER NOT NULL,
    UNIQUE (submission, generation)
) STRICT;
CREATE INDEX job_waiting ON job (place, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (id) WHERE state = 'running';

CREATE TABLE attempt (
    job INTEGER NOT NULL REFERENCES job (id), number INTEGER NOT NULL, epoch INTEGER NOT NULL, started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL, outcome TEXT CHECK (outcome IN ('verdict', 'fault', 'cut')), detail TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE verdict (
    submission TEXT NOT NULL REFERENCES submission (id), generation INTEGER NOT NULL, verdict TEXT NOT NULL,
    score REAL, score_max REAL, report TEXT NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL,
    PRIMARY KEY (submission, generation)
) STRICT;

CREATE TABLE receipt_key (
    key_id TEXT NOT NULL PRIMARY KEY, public_key BLOB NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE counter (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('place', 0);
)sql",
    // 2: rejudging on a revision of its own; how a module stands in line; what is held, found without a search.
    R"sql(
ALTER TABLE job ADD COLUMN revision INTEGER REFERENCES revision (id);

CREATE TABLE standing (
    course TEXT NOT NULL, module TEXT NOT NULL,
    paused TEXT CHECK (paused IN ('module_paused', 'grader_broken')), paused_since_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL, faults_in_a_row INTEGER NOT NULL, faults_of TEXT,
    faults_of_several INTEGER NOT NULL CHECK (faults_of_several IN (0, 1)),
    PRIMARY KEY (course, module),
    FOREIGN KEY (course, module) REFERENCES module (course, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX submission_held ON submission (sequence) WHERE state = 'held';
)sql",
    // 3: what was finished of an attempt that a fault ended.
    "ALTER TABLE attempt ADD COLUMN partial TEXT NOT NULL DEFAULT '';",
    // 4: what an upload's Idempotency-Key stands for.
    R"sql(
CREATE TABLE upload_key (
    course TEXT NOT NULL, module TEXT NOT NULL, participant TEXT NOT NULL, key TEXT NOT NULL,
    submission TEXT NOT NULL REFERENCES submission (id), noted_ms INTEGER NOT NULL,
    PRIMARY KEY (course, module, participant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_key_noted ON upload_key (noted_ms);
)sql",
    // 5: one participant's later dates; what was declared before it came.
    R"sql(
CREATE TABLE extension (
    course TEXT NOT NULL, module TEXT NOT NULL, participant TEXT NOT NULL, until_ms INTEGER NOT NULL,
    PRIMARY KEY (course, module, participant),
    FOREIGN KEY (course, module) REFERENCES module (course, id),
    FOREIGN KEY (course, participant) REFERENCES participant (course, id)
) STRICT, WITHOUT ROWID;

ALTER TABLE submission ADD COLUMN declared INTEGER NOT NULL DEFAULT 0 CHECK (declared IN (0, 1));
)sql",
    // 6: turns: whose jobs they are, beside the job, so that the heads of the line are found by seeking; when each had the last.
    R"sql(
ALTER TABLE job ADD COLUMN line_course TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN line_module TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN line_flow TEXT NOT NULL DEFAULT '';
UPDATE job SET (line_course, line_module, line_flow) =
    (SELECT course, module, CASE WHEN job.generation > 1 THEN '' ELSE participant END FROM submission WHERE id = job.submission);
CREATE INDEX job_turn ON job (line_course, line_flow, line_module, place, id) WHERE state = 'queued';
CREATE TABLE turn (
    course TEXT NOT NULL, flow TEXT NOT NULL, started_ms INTEGER NOT NULL, PRIMARY KEY (course, flow)
) STRICT, WITHOUT ROWID;
)sql",
    // 7: held jobs, found without a search: a rejudge is held though its submission is not.
    "CREATE INDEX job_held ON job (place, id) WHERE state = 'held';",
    // 8: commitments, and keys that sign something else than receipts; what verifying said of names.
    R"sql(
ALTER TABLE submission ADD COLUMN committed_ms INTEGER;
ALTER TABLE submission ADD COLUMN names_converted INTEGER NOT NULL DEFAULT 0;

CREATE TABLE commitment (
    course TEXT NOT NULL, module TEXT NOT NULL, participant TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
    committed_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, document TEXT NOT NULL, submission TEXT REFERENCES submission (id),
    PRIMARY KEY (course, module, participant, sha256, size, committed_ms),
    FOREIGN KEY (course, module) REFERENCES module (course, id),
    FOREIGN KEY (course, participant) REFERENCES participant (course, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX commitment_of ON commitment (course, module, participant, until_ms);
CREATE INDEX commitment_awaited ON commitment (course, module, until_ms) WHERE submission IS NULL;
CREATE INDEX commitment_over ON commitment (until_ms) WHERE submission IS NULL;

ALTER TABLE receipt_key RENAME TO signing_key;
ALTER TABLE signing_key ADD COLUMN use TEXT NOT NULL DEFAULT 'receipt' CHECK (use IN ('receipt', 'commitment'));
)sql",
};

std::int64_t read_number(const Row& row) { return row.integer(0); }

Result<> run_step(Database& database, std::size_t number) {
    ASSAY_CHECK(database.script(steps[number - 1]));
    return database.script("PRAGMA application_id = " + std::to_string(application_id) +
                           "; PRAGMA user_version = " + std::to_string(number));
}

}  // namespace

Result<> migrate(Database& database) {
    ASSAY_TRY(const auto version, database.first<std::int64_t>("PRAGMA user_version", {}, read_number));
    ASSAY_TRY(const auto application, database.first<std::int64_t>("PRAGMA application_id", {}, read_number));
    ASSAY_TRY(const auto tables, database.first<std::int64_t>("SELECT count(*) FROM sqlite_schema", {}, read_number));
    if (application != application_id && (application != 0 || version != 0 || tables != 0)) {
        return Error{Fault::unsupported, "the database is not a store of assay"};
    }
    const auto newest = static_cast<std::int64_t>(steps.size());
    if (*version > newest) {
        return Error{Fault::unsupported, "the database has schema " + std::to_string(*version) + ", this version of assay knows " +
                                             std::to_string(newest) + ": use the newer assay that made it"};
    }
    for (auto number = static_cast<std::size_t>(*version) + 1; number <= steps.size(); ++number) {
        ASSAY_CHECK(database.script("BEGIN IMMEDIATE"));
        if (auto done = run_step(database, number); !done) {
            (void)database.script("ROLLBACK");
            return done.take_error().in("migration " + std::to_string(number));
        }
        ASSAY_CHECK(database.script("COMMIT"));
    }
    return ok;
}

}  // namespace assay::store::sqlite
