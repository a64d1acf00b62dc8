// Line: the durable order of work. Each function is the body of one transaction: it reads, asks the policy, and writes.
//
// A lease is (job, attempt, epoch). Its deadline lives in memory (LeaseTable) and ends with the process; a stale token is
// refused by the conditions here, whatever the runner believes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hh"
#include "model/report.hh"
#include "queue/feed.hh"
#include "queue/policy.hh"
#include "store/store.hh"

namespace assay::queue {

struct Token {
    JobId job;
    std::int64_t attempt = 0;
    std::int64_t epoch = 0;
    bool operator==(const Token&) const = default;
};

struct Lease {
    Token token;
    SubmissionId submission;
    std::string sha256;
    std::int64_t size = 0;
    RevisionId revision;
    bool alone = false;
    std::int64_t joined_ms = 0;                  // as of store::PastRun
    Topic topic;                                 // whose page differs now, as below
};

// The next epoch: larger than any before, over restarts too.
Result<std::int64_t> begin_epoch(store::Tx&);

// At a start, before anything is leased: every running job's attempt ends as `cut` and the job is queued again at its place.
// Returns how many.
Result<std::int64_t> void_all_leases(store::Tx&, std::int64_t now_ms);

// Starts an attempt of the job that `choose` names. `situation` was read from this same Tx. nullopt: nothing may start.
Result<std::optional<Lease>> grant(store::Tx&, const Situation&, std::int64_t epoch);

// What a report says, as the rows need it. Made outside the transaction: reports can be large.
struct Finished {
    model::Verdict verdict = model::Verdict::failed;
    std::optional<double> score;
    std::optional<double> score_max;
    std::string report;  // model::to_json(Report)
    std::optional<model::FaultFound> fault;
};
Finished finished_from(const model::Report&);

// What the end of an attempt brought about: for the log and counters, after COMMIT. Empty: this very attempt had ended so
// before, its answer was lost.
struct Ended {
    std::optional<model::AttemptEnd> attempt;
    std::optional<model::Verdict> verdict;       // it ended the job
    std::optional<SubmissionId> submission;  // whose verdict it is
    std::optional<model::FaultFound> fault;  // why the verdict is one
    bool kept_old = false;                       // a rejudge's fault, which leaves the earlier verdict in place
    std::optional<store::Standing> broken;       // the module was paused by it: grader_broken
    std::optional<Topic> topic;
    std::optional<std::int64_t> length_ms;       // of an attempt that brought a verdict
};

// What a report must meet to be committed. Each is needed: the room's simulation fails without any one of them. That there is no
// verdict yet follows from `running`, and the key of the table of verdicts holds it besides.
enum class Condition : unsigned char {
    running,        // the job runs, and was not given back, held or judged
    attempt,        // this attempt of it does
    epoch,          // for this session, not for one of another life of this directory
    newer,          // its generation is later than the one shown, else the submission has moved with its job
    no_worse,       // and a fault of ours does not take an earlier verdict's place
};
class Conditions {
public:
    constexpr bool operator[](Condition condition) const { return (bits_ >> static_cast<unsigned>(condition) & 1u) != 0; }
    constexpr Conditions without(Condition condition) const {
        Conditions fewer = *this;
        fewer.bits_ &= ~(1u << static_cast<unsigned>(condition));
        return fewer;
    }

private:
    unsigned bits_ = ~0u;
};
constexpr Conditions all_conditions;

// Commits a report under these conditions: one conditional change. Only a test leaves one out.
// Errors: conflict (stale token). The same token again is success (a lost answer); what it brings then is not looked at.
Result<Ended> finish(store::Tx&, const Token&, const Finished&, std::int64_t now_ms, Conditions = all_conditions);

// Ends an attempt that brought no verdict. fault: counted, and at faults_max the job ends as system_fault with a report that
// names the faults and holds what the best attempt had finished; cut: back in line, uncounted. `reason` is what people are told
// while it waits again; `partial`: the report of what was finished (ProgressTable). The same token again is success and changes
// nothing. Errors: conflict.
Result<Ended> give_back(store::Tx&, const Token&, model::AttemptEnd, std::optional<model::Reason> reason,
                        const std::string& detail, std::int64_t now_ms, const std::string& partial = {});

// Whether the token is the lease of a job that runs now.
Result<bool> holds(store::Reading&, const Token&);

}  // namespace assay::queue
