// Rows: the durable facts, as values. Times are milliseconds since 1970 UTC; texts are UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hh"
#include "model/words.hh"

namespace assay::store {

struct Course {
    CourseId id;
    std::string title;
    std::string timezone = "UTC";   // IANA name
    std::string language = "en";    // "en" or "zh"
    std::string contact;
};

struct Revision {                   // immutable
    RevisionId id;
    CourseId course;
    ModuleId module;
    std::int64_t number = 0;        // 1-based within the module
    std::string digest;             // SHA-256 of the module's files as one deterministic tar, kept in the blob store
    std::string plan;               // model::to_json(Plan)
    std::int64_t created_ms = 0;
};

struct Module {
    CourseId course;
    ModuleId id;
    std::string title;
    bool archived = false;
    RevisionId revision;            // the current one
};

struct Participant {
    CourseId course;
    ParticipantId id;
    std::string name;
    std::string email;
    std::string group;
    bool active = true;
    // Keyed hashes for lookup, sealed copies for export (Keys). Never the secrets themselves.
    std::string token_hash;
    std::string token_sealed;
    std::string key_hash;
    std::string key_sealed;
};

struct Submission {
    SubmissionId id;
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    RevisionId revision;
    model::State state = model::State::queued;
    std::string sha256;
    std::int64_t size = 0;
    std::int64_t first_byte_ms = 0;
    std::int64_t last_byte_ms = 0;
    bool declared = false;          // its SHA-256 came with the first byte, and was right
    std::optional<std::int64_t> committed_ms;  // of a commitment to these bytes, which came in its time
    std::int64_t names_converted = 0;          // in the archive, from the module's encoding to UTF-8
    std::string receipt;            // the exact signed document
    std::int64_t generation = 1;    // the one whose job or verdict is the submission's
    std::optional<SubmissionId> superseded_by;
    std::optional<model::Reason> held_reason;  // while held: held_by_staff, submissions_used
};

// The evaluation of one submission's generation. `place` orders the line: smaller first; a replacement takes the place of
// what it replaces.
//
// The job of the submission's own generation moves together with it. A rejudge adds a job of the next generation beside the
// verdict that is there; the submission, already graded, does not move. Only the commit of the new verdict moves its
// generation (and its revision) forward:
//
//                       submission              job 1      job 2                        verdict rows
//   graded              graded, generation 1    graded     -                            1
//   rejudge             graded, generation 1    graded     queued                       1
//   lease, give back    graded, generation 1    graded     queued <-> running           1
//   commit of verdict 2 graded, generation 2    graded     graded                       1, 2
//   or, 2 is a fault    graded, generation 1    graded     graded                       1, 2   (1 stays the one shown)
//
// So: job.generation == submission.generation: both have one state. job.generation > it: the submission is graded, and the
// job waits, runs, or ended by a fault of ours that must not cost the participant the verdict he has. At most one job of a
// submission waits or runs.
struct Job {
    JobId id;
    SubmissionId submission;
    std::int64_t generation = 1;
    std::int64_t place = 0;
    model::State state = model::State::queued;
    std::optional<RevisionId> revision;         // of a rejudge: what it runs on; else the submission's
    std::int64_t attempts = 0;                  // started so far, also the number of the newest one
    std::int64_t faults = 0;                    // ended by an infrastructure fault
    std::int64_t cuts_in_a_row = 0;             // ended by a server stop or restart since the last fault or verdict
    std::optional<model::Reason> reason;        // recorded when it went back: runner_lost or retry
    std::string reason_details;                 // runner_lost: a word of WaitDetailKind; retry: the fault, for staff
    std::int64_t reason_since_ms = 0;
    std::int64_t epoch = 0;                     // session epoch that holds the lease while running
    std::int64_t started_ms = 0;                // of the newest attempt
};

// A job that waits or runs, with what decisions about it need. Rejudges of a course share their turns, whoever handed in.
struct QueuedJob {
    Job job;
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    RevisionId revision;            // what it runs on
    std::int64_t received_ms = 0;
    std::int64_t turn_ms = 0;       // when one of his jobs (of the rejudges: one of those) started last; 0: none has
};

// How a module stands in line: whether it is paused, and its faults in a row. Faults and a pause for them (grader_broken)
// belong to one revision: a newer one begins without. A pause by staff stays until they resume it.
struct Standing {
    CourseId course;
    ModuleId module;
    std::optional<model::Reason> paused;        // module_paused, grader_broken
    std::int64_t paused_since_ms = 0;
    RevisionId revision;                        // of the faults
    std::int64_t faults_in_a_row = 0;           // verdicts: system_fault, grader_fault
    std::optional<ParticipantId> faults_of;     // the first one of that row
    bool faults_of_several = false;             // not his alone
    bool operator==(const Standing&) const = default;
};

struct Attempt {
    JobId job;
    std::int64_t number = 0;        // 1-based
    std::int64_t epoch = 0;
    std::int64_t started_ms = 0;
    std::int64_t ended_ms = 0;
    std::optional<model::AttemptEnd> end;  // nullopt while it runs
    std::string detail;             // for staff
    std::string partial;            // model::to_json(Report): what was finished when a fault ended it; empty: nothing was
};

// An attempt that brought a verdict, with what tells how long such work takes.
struct PastRun {
    CourseId course;
    ModuleId module;
    std::int64_t joined_ms = 0;     // when it came into line; of a rejudge that is not noted: its start
    std::int64_t started_ms = 0;
    std::int64_t ended_ms = 0;
};

struct VerdictRow {                 // written once, never edited
    SubmissionId submission;
    std::int64_t generation = 1;
    model::Verdict verdict = model::Verdict::failed;
    std::optional<double> score;
    std::optional<double> score_max;
    std::string report;             // model::to_json(Report)
    std::int64_t started_ms = 0;
    std::int64_t finished_ms = 0;
};

// The Idempotency-Key a client gave with an upload, and what it stands for.
struct UploadKey {
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    std::string key;
    SubmissionId submission;
    std::int64_t noted_ms = 0;
};

// That an archive of this size and SHA-256 existed at a time; its bytes may follow.
struct Commitment {
    CourseId course;
    ModuleId module;
    ParticipantId participant;
    std::string sha256;
    std::int64_t size = 0;
    std::int64_t committed_ms = 0;
    std::int64_t until_ms = 0;      // by when the last byte must have come
    std::string document;           // the exact signed one
    std::optional<SubmissionId> submission;  // that its bytes became
};

struct SigningKey {
    model::KeyUse use = model::KeyUse::receipt;
    std::string key_id;
    std::string public_key;         // 32 raw bytes
    std::int64_t from_ms = 0;
    std::optional<std::int64_t> until_ms;  // nullopt: it is the one that signs
    bool operator==(const SigningKey&) const = default;
};

}  // namespace assay::store
