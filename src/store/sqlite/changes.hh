// Changes: the writing half, for the one writer connection.
#pragma once

#include "store/sqlite/queries.hh"

namespace assay::store::sqlite {

class Changes final : public Queries<Tx> {
public:
    using Queries<Tx>::Queries;

    Result<> put_course(const Course&) override;
    Result<RevisionId> add_revision(const Revision&) override;
    Result<> put_module(const Module&) override;
    Result<> put_participant(const Participant&) override;
    Result<> put_extension(const CourseId&, const ModuleId&, const ParticipantId&, std::int64_t until_ms) override;
    Result<> add_submission(const Submission&) override;
    Result<JobId> add_job(const Job&) override;
    Result<> move(const SubmissionId&, model::State to) override;
    Result<> move_job(JobId, model::State to) override;
    Result<> hold(const SubmissionId&, model::Reason why) override;
    Result<> advance(const SubmissionId&, std::int64_t generation, RevisionId) override;
    Result<> put_standing(const Standing&) override;
    Result<> put_turn(JobId, std::int64_t started_ms) override;
    Result<> supersede(const SubmissionId& older, const SubmissionId& by) override;
    Result<> update_job(const Job&) override;
    Result<> add_attempt(const Attempt&) override;
    Result<> end_attempt(JobId, std::int64_t number, model::AttemptEnd, const std::string& detail, std::int64_t ended_ms) override;
    Result<> keep_partial(JobId, std::int64_t number, const std::string& report) override;
    Result<> add_verdict(const VerdictRow&) override;
    Result<> note_upload_key(const UploadKey&) override;
    Result<> forget_upload_keys(std::int64_t before_ms) override;
    Result<> add_commitment(const Commitment&) override;
    Result<> keep_promise(const SubmissionId&) override;
    Result<> forget_commitments(std::int64_t until_before_ms) override;
    Result<> put_signing_key(const SigningKey&) override;
    Result<> put_setting(const std::string& name, const std::string& value) override;

private:
    Result<> change_one(const std::string& sql, std::initializer_list<Value> values, std::string_view what);
};

}  // namespace assay::store::sqlite
