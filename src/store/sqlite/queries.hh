// Queries: everything that is read, on one connection; the same for a reader's snapshot and inside a change.
#pragma once

#include "store/sqlite/database.hh"
#include "store/store.hh"

namespace assay::store::sqlite {

// Base: Reading or Tx. `database` must outlive it.
template <class Base>
class Queries : public Base {
public:
    explicit Queries(Database& database) : database_{database} {}

    Result<std::vector<Course>> courses() override;
    Result<std::optional<Course>> course(const CourseId&) override;
    Result<std::vector<Module>> modules(const CourseId&) override;
    Result<std::optional<Module>> module(const CourseId&, const ModuleId&) override;
    Result<std::optional<Revision>> revision(RevisionId) override;
    Result<std::vector<Revision>> current_revisions() override;

    Result<std::vector<Participant>> participants(const CourseId&) override;
    Result<std::optional<Participant>> participant(const CourseId&, const ParticipantId&) override;
    Result<std::vector<Participant>> participants_by_token(const std::string& token_hash) override;
    Result<std::optional<Participant>> participant_by_key(const CourseId&, const std::string& key_hash) override;

    Result<std::optional<std::int64_t>> extension(const CourseId&, const ModuleId&, const ParticipantId&) override;
    Result<std::optional<std::int64_t>> latest_extension(const CourseId&, const ModuleId&) override;

    Result<std::optional<Submission>> submission(const SubmissionId&) override;
    Result<std::vector<Submission>> submissions(const CourseId&, const ModuleId&, const ParticipantId&, int count_max) override;
    Result<std::int64_t> submissions_counted(const CourseId&, const ModuleId&, const ParticipantId&) override;
    Result<std::optional<std::int64_t>> nth_newest_ms(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t nth) override;
    Result<std::optional<SubmissionId>> upload_key(const CourseId&, const ModuleId&, const ParticipantId&, const std::string& key,
                                                   std::int64_t since_ms) override;
    Result<std::optional<VerdictRow>> verdict(const SubmissionId&, std::int64_t generation) override;
    Result<std::optional<Job>> job(JobId) override;
    Result<std::optional<Job>> job_of(const SubmissionId&, std::int64_t generation) override;
    Result<std::optional<Job>> newest_job(const SubmissionId&) override;
    Result<std::vector<QueuedJob>> waiting(int count_max) override;
    Result<std::vector<QueuedJob>> heads() override;
    Result<std::vector<QueuedJob>> running() override;
    Result<std::vector<Submission>> held(int count_max) override;
    Result<std::vector<QueuedJob>> held_rejudges(int count_max) override;
    Result<Standing> standing(const CourseId&, const ModuleId&) override;
    Result<std::vector<Standing>> paused() override;
    Result<std::vector<Attempt>> attempts(JobId) override;
    Result<std::vector<PastRun>> past_runs(int count_max) override;
    Result<std::vector<SigningKey>> signing_keys(model::KeyUse) override;
    Result<std::vector<Commitment>> commitments(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t at_ms) override;
    Result<std::optional<std::int64_t>> latest_commitment(const CourseId&, const ModuleId&) override;
    Result<std::optional<std::string>> setting(const std::string& name) override;
    Result<std::vector<std::string>> digests() override;

protected:
    Database& database_;
};

extern template class Queries<Reading>;
extern template class Queries<Tx>;

}  // namespace assay::store::sqlite
