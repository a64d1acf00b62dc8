// Store: durable rows. Typed operations, drawn so that another database can stand behind them.
//
// Invariants (SPEC "Durability, to the letter")
//   1. One writer thread. Changes are collected for at most `group_time_max` or `group_changes_max`, run in one transaction, each
//      in its own savepoint, committed with synchronous=FULL, and only then answered.
//   2. A change that returns an error is rolled back to its savepoint; the others are not touched.
//   3. A failed COMMIT refuses its whole batch. When only room was lacking, that is all. After a failed sync, EIO or damage the
//      store is read-only until it has been written whole into a new file, which it does at once and by itself; when that
//      fails it stays so and tries again, each time with a file written anew, after a wait that doubles. Nothing that was refused is there afterwards, and nothing that was committed lacks.
//   4. Every decision two requests could race for is taken inside a change, from the Tx it is given.
//
// Threading: write() from any thread; `change` runs on the writer thread, `done` as well, after COMMIT returned: both must be
// short and may not wait. read() runs on the caller's thread with a connection of its own (WAL snapshot); blocking, so pool threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hh"
#include "store/rows.hh"
#include "sys/clock.hh"

namespace assay::store {

constexpr std::size_t group_changes_max = 256;
constexpr std::chrono::milliseconds group_time_max{2};
constexpr std::size_t changes_waiting_max = 8192;   // more: Fault::busy
constexpr std::chrono::minutes rebuild_wait_max{5};

class Reading {
public:
    virtual ~Reading() = default;

    virtual Result<std::vector<Course>> courses() = 0;                                    // by id
    virtual Result<std::optional<Course>> course(const CourseId&) = 0;
    virtual Result<std::vector<Module>> modules(const CourseId&) = 0;                     // by id, archived ones too
    virtual Result<std::optional<Module>> module(const CourseId&, const ModuleId&) = 0;
    virtual Result<std::optional<Revision>> revision(RevisionId) = 0;
    virtual Result<std::vector<Revision>> current_revisions() = 0;                        // of all modules that are not archived

    virtual Result<std::vector<Participant>> participants(const CourseId&) = 0;           // by id
    virtual Result<std::optional<Participant>> participant(const CourseId&, const ParticipantId&) = 0;
    virtual Result<std::vector<Participant>> participants_by_token(const std::string& token_hash) = 0;  // one per course at most
    virtual Result<std::optional<Participant>> participant_by_key(const CourseId&, const std::string& key_hash) = 0;

    // Until when the participant's dates of the module are moved. nullopt: they are the module's.
    virtual Result<std::optional<std::int64_t>> extension(const CourseId&, const ModuleId&, const ParticipantId&) = 0;
    virtual Result<std::optional<std::int64_t>> latest_extension(const CourseId&, const ModuleId&) = 0;  // of anybody

    virtual Result<std::optional<Submission>> submission(const SubmissionId&) = 0;
    // Newest (last committed) first, at most `count_max`.
    virtual Result<std::vector<Submission>> submissions(const CourseId&, const ModuleId&, const ParticipantId&, int count_max) = 0;
    // How many count to submissions_max: all but the superseded and the cancelled, and those that failed by our or the grader's fault.
    virtual Result<std::int64_t> submissions_counted(const CourseId&, const ModuleId&, const ParticipantId&) = 0;
    // When the last byte of the `nth` newest (1 …) came; nullopt: there are fewer.
    virtual Result<std::optional<std::int64_t>> nth_newest_ms(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t nth) = 0;
    // What a key noted at `since_ms` or later stands for.
    virtual Result<std::optional<SubmissionId>> upload_key(const CourseId&, const ModuleId&, const ParticipantId&, const std::string& key,
                                                           std::int64_t since_ms) = 0;
    virtual Result<std::optional<VerdictRow>> verdict(const SubmissionId&, std::int64_t generation) = 0;
    virtual Result<std::optional<Job>> job(JobId) = 0;
    virtual Result<std::optional<Job>> job_of(const SubmissionId&, std::int64_t generation) = 0;
    virtual Result<std::optional<Job>> newest_job(const SubmissionId&) = 0;               // of the highest generation
    virtual Result<std::vector<QueuedJob>> waiting(int count_max) = 0;                    // by place
    // Of each participant and module, and of a course's rejudges of each module, the one with the smallest place. Cheap however
    // long the line is.
    virtual Result<std::vector<QueuedJob>> heads() = 0;
    virtual Result<std::vector<QueuedJob>> running() = 0;
    virtual Result<std::vector<Submission>> held(int count_max) = 0;                      // oldest first
    virtual Result<std::vector<QueuedJob>> held_rejudges(int count_max) = 0;              // by place; the submission is graded
    virtual Result<Standing> standing(const CourseId&, const ModuleId&) = 0;              // of one never noted: the defaults
    virtual Result<std::vector<Standing>> paused() = 0;  // by course and module; without those a newer revision has ended
    virtual Result<std::vector<Attempt>> attempts(JobId) = 0;
    virtual Result<std::vector<PastRun>> past_runs(int count_max) = 0;                    // of the newest jobs, oldest first
    virtual Result<std::vector<SigningKey>> signing_keys(model::KeyUse) = 0;                     // oldest first
    // Whose bytes may still come at `at_ms`, or did come; oldest first.
    virtual Result<std::vector<Commitment>> commitments(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t at_ms) = 0;
    // Until when bytes of some commitment that was made in the module may come. nullopt: none are awaited.
    virtual Result<std::optional<std::int64_t>> latest_commitment(const CourseId&, const ModuleId&) = 0;
    virtual Result<std::optional<std::string>> setting(const std::string& name) = 0;
    // Digests that blobs are needed for: submissions and revisions. For checks after a crash.
    virtual Result<std::vector<std::string>> digests() = 0;
};

class Tx : public Reading {
public:
    virtual Result<> put_course(const Course&) = 0;
    virtual Result<RevisionId> add_revision(const Revision&) = 0;                          // its id is given by the store
    virtual Result<> put_module(const Module&) = 0;
    virtual Result<> put_participant(const Participant&) = 0;                              // errors: conflict (token or key already someone else's in the course)
    virtual Result<> put_extension(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t until_ms) = 0;
    virtual Result<> add_submission(const Submission&) = 0;
    virtual Result<JobId> add_job(const Job&) = 0;                                         // place 0: at the end of the line
    // Moves the submission and the job of its generation together. Asserts model::can_move.
    virtual Result<> move(const SubmissionId&, model::State to) = 0;
    // Moves the job, and with it the submission when the job is of its generation. Asserts model::can_move.
    virtual Result<> move_job(JobId, model::State to) = 0;
    // queued -> held, for this reason.
    virtual Result<> hold(const SubmissionId&, model::Reason why) = 0;
    // A graded submission shows the verdict of this later generation from now on.
    virtual Result<> advance(const SubmissionId&, std::int64_t generation, RevisionId) = 0;
    virtual Result<> put_standing(const Standing&) = 0;
    // That the participant of this job, or its course's rejudges, had a turn.
    virtual Result<> put_turn(JobId, std::int64_t started_ms) = 0;
    virtual Result<> supersede(const SubmissionId& older, const SubmissionId& by) = 0;
    virtual Result<> update_job(const Job&) = 0;                                           // all but id, submission, generation, state, revision
    virtual Result<> add_attempt(const Attempt&) = 0;
    virtual Result<> end_attempt(JobId, std::int64_t number, model::AttemptEnd, const std::string& detail, std::int64_t ended_ms) = 0;
    virtual Result<> keep_partial(JobId, std::int64_t number, const std::string& report) = 0;  // of an attempt
    virtual Result<> add_verdict(const VerdictRow&) = 0;                                   // errors: conflict (there is one already)
    virtual Result<> note_upload_key(const UploadKey&) = 0;                                // errors: conflict (it stands for something)
    virtual Result<> forget_upload_keys(std::int64_t before_ms) = 0;
    virtual Result<> add_commitment(const Commitment&) = 0;                                // errors: conflict (to these bytes at this time, there is one)
    // The bytes it was about have become this submission. Of the participant's commitments in its module, all to these bytes.
    virtual Result<> keep_promise(const SubmissionId&) = 0;
    virtual Result<> forget_commitments(std::int64_t until_before_ms) = 0;                 // whose bytes never came
    virtual Result<> put_signing_key(const SigningKey&) = 0;                               // of one that is there already: `until_ms`
    virtual Result<> put_setting(const std::string& name, const std::string& value) = 0;
};

class Space;

// Whether a change is made even on a disk that is so full that the reserved room has been given up (space.hh).
enum class Need {
    ordinary,  // refused then, with disk_full
    essential,  // what was promised to somebody (verdicts, work given back), and staff who take work away (pause, hold, cancel)
};

class Store {
public:
    using Change = std::move_only_function<Result<>(Tx&)>;
    using Done = std::move_only_function<void(Result<>)>;
    using Query = std::function<Result<>(Reading&)>;

    virtual ~Store() = default;  // finishes what is queued

    // `done` gets the change's own error, or the commit's. Errors at once (through done): busy (queue full), interrupted.
    virtual void write(Change change, Done done, Need need) = 0;
    void write(Change change, Done done) { write(std::move(change), std::move(done), Need::ordinary); }
    // One consistent snapshot for the whole query.
    virtual Result<> read(const Query&) = 0;
    // Why it takes no changes at the moment (Fault::busy); nullopt: it does.
    virtual std::optional<std::string> read_only() const = 0;

    // write(), waiting for the answer. Not on a loop thread.
    Result<> write_and_wait(Change change, Need need = Need::ordinary);
};

struct StoreConfig {
    std::string path;                             // DIR/assay.db
    Space* space = nullptr;                       // asked before each group; outlives the store
    std::string vfs;                              // SQLite's way to the files, by name; empty: the usual one
    std::chrono::milliseconds rebuild_wait{1000}; // after the first try that failed; doubles up to rebuild_wait_max
};

// Opens or creates, runs the numbered migrations, checks that it is not from a newer version.
Result<std::unique_ptr<Store>> open_sqlite(StoreConfig);

}  // namespace assay::store
