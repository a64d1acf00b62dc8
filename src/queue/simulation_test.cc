// The line against a real store, everything at once, from a seed: uploads, leases, reports, losses, restarts, staff, and a disk
// whose power goes at any write and whose syncs fail. The simulation keeps its own, simpler book and compares. That it has teeth
// is tested as well: with any one condition of the verdict's commit left out, or any kind of sync, it finds something wrong.
#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <sys/wait.h>

#include "base/text.hh"
#include "queue/line_fixture.hh"
#include "queue/staff.hh"
#include "store/blobs.hh"
#include "sys/sha256.hh"
#include "testing/fake_disk.hh"
#include "testing/sqlite_disk.hh"

namespace assay::queue {
namespace {

class Simulation : public LineTest {
protected:
    enum class Forgotten { nothing, syncs_of_rows, sync_of_a_file, sync_of_its_place };

    Simulation() { vfs_ = testing::SqliteDisk::name; }
    void live(unsigned seed);

    int pick(int below) { return std::uniform_int_distribution{0, below - 1}(random_); }

    // The promise that a receipt stands on: the bytes are kept before the row is written. `blow`: what happens to the disk between
    // the two, after which nobody has an answer.
    void arrive(const std::function<void()>& blow = {}) {
        const int number = ++submitted_;
        const int participant = pick(5);
        forget_one_sync();
        ASSERT_TRUE(blobs_->put(bytes_of(bytes_of_number(number))));
        if (blow) blow();
        std::optional<SubmissionId> replaces;
        const auto answered = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto earlier, tx.submissions(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p" + std::to_string(participant)}, 50));
            Arrival arrival{"bytes of " + std::to_string(number), RevisionId{1}, {number, number, false}};
            const auto decision = decide_arrival(arrival, earlier, {}, 0, {}, {});
            std::int64_t place = 0;
            if (decision.replaces) {
                ASSAY_TRY(const auto job, tx.job_of(*decision.replaces, 1));
                place = job->place;
            }
            ASSAY_CHECK(add(tx, number, participant, place));
            if (decision.replaces) ASSAY_CHECK(tx.supersede(*decision.replaces, id_of(number)));
            replaces = decision.replaces;
            return ok;
        });
        if (blow) recover();
        ASSERT_TRUE(answered || blow) << answered.error().text();
        const auto there = read([&](Reading& r) { return r.submission(id_of(number)); });
        if (answered) EXPECT_TRUE(there) << "the receipt of " << number << " is lost";
        if (!there) {
            --submitted_;
        } else if (replaces) {
            replaced_.insert(*replaces);
        }
    }
    static std::string bytes_of_number(int number) { return "bytes of submission " + std::to_string(number); }
    void lease_some() {
        if (const auto lease = grant_one(epoch_)) {
            live_.push_back(lease->token);
            all_.push_back(lease->token);
            EXPECT_FALSE(replaced_.contains(lease->submission));
            EXPECT_FALSE(held_.contains(lease->submission));
            EXPECT_FALSE(paused_);
            EXPECT_FALSE(verdicts_.contains(lease->token.job.value)) << "leased after its verdict";
        }
    }
    void report(Token token, const std::function<void()>& blow = {}) {  // A copy: it is erased from where it came.
        const bool live = std::ranges::find(live_, token) != live_.end();
        const bool own = verdicts_.contains(token.job.value) && verdicts_.at(token.job.value) == token;
        const bool by_grader = pick(6) == 0;
        model::Report report;
        report.verdict = model::Verdict::grader_fault;
        const Finished finished = by_grader ? finished_from(report) : passed();
        if (blow) blow();
        auto result = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(finish(tx, token, finished, now_ms_, conditions_));
            return ok;
        });
        if (blow) {
            recover();
            const auto ended = read([&](Reading& r) { return r.attempts(token.job); });
            const bool there = std::ranges::any_of(ended, [&](const store::Attempt& it) {
                return it.number == token.attempt && it.end == AttemptEnd::verdict;
            });
            if (result) EXPECT_TRUE(there) << "the verdict of job " << token.job.value << " is lost";
            if (live && there && !own) {
                verdicts_.emplace(token.job.value, token);
                if (by_grader) ended_by_grader_.insert(token.job.value);
            }
            return;
        }
        EXPECT_EQ(result.has_value(), live || own) << "job " << token.job.value << " attempt " << token.attempt;
        if (live) verdicts_.emplace(token.job.value, token);
        if (live && by_grader) ended_by_grader_.insert(token.job.value);
        std::erase(live_, token);
    }
    void lose(Token token) {
        const bool live = std::ranges::find(live_, token) != live_.end();
        const bool told_before = std::ranges::find(faulted_, token) != faulted_.end();
        EXPECT_EQ(fault(token).has_value(), live || told_before);
        if (live) faulted_.push_back(token);
        std::erase(live_, token);
        if (live) ++faults_[token.job.value];
        if (live && faults_[token.job.value] == faults_max) ended_by_faults_.insert(token.job.value);
    }
    void restart() {
        open();
        begin_again(static_cast<std::int64_t>(live_.size()));
    }
    void begin_again(std::optional<std::int64_t> running) {
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto voided, void_all_leases(tx, now_ms_));
            if (running) EXPECT_EQ(voided, *running);
            return ok;
        });
        live_.clear();
        epoch_ = epoch();
    }
    // What was asked of the store last has been answered, or never is. Then there is power again, and the server starts.
    void recover() {
        rows_.fail_after(0);
        store_.reset();
        rows_.power_cut(random_);
        files_.crash();
        blobs_.emplace(files_, "/d/blobs", "/d/tmp");
        open();
        begin_again({});
        for (int number = 1; number <= submitted_; ++number) {
            const std::string bytes = bytes_of_number(number);
            if (!read([&](Reading& r) { return r.submission(id_of(number)); })) continue;  // Whoever asked for it knows whether it may.
            const auto kept = blobs_->get(sys::sha256_hex(bytes_of(bytes)), 1000);
            EXPECT_TRUE(kept && *kept == bytes) << "the bytes of " << number << " are lost";
        }
    }
    void cut_power() {
        const std::function<void()> blow = [this] { rows_.fail_after(pick(14)); };
        const int what = pick(3);
        if (what == 0) arrive(blow);
        else if (what == 1 && !live_.empty()) report(live_[static_cast<std::size_t>(pick(static_cast<int>(live_.size())))], blow);
        else recover();
    }
    // A sync fails: what it was for is refused, and is not there afterwards; all else is, and the server goes on.
    void fail_a_sync() {
        rows_.fail_log_syncs(1);
        const std::string name = "refused " + std::to_string(now_ms_);
        const auto refused = store_->write_and_wait([&](Tx& tx) { return tx.put_setting(name, "1"); });
        EXPECT_FALSE(refused);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (store_->read_only() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        EXPECT_FALSE(store_->read_only());
        EXPECT_FALSE(read([&](Reading& r) { return r.setting(name); }));
    }
    // Of the calls of one put (store/blobs.hh): create, write, sync_data, …
    void forget_one_sync() {
        const int next = files_.operations();
        if (forgotten_ == Forgotten::sync_of_a_file) files_.skip(next + 2);
        if (forgotten_ == Forgotten::sync_of_its_place) files_.skip(next + 5);
    }
    // What staff do, each with its expectation from the book alone.
    void toggle_pause() {
        write([&](Tx& tx) -> Result<> {
            if (paused_) ASSAY_CHECK(resume(tx, CourseId{"C"}, ModuleId{"M"}));
            else ASSAY_CHECK(pause(tx, CourseId{"C"}, ModuleId{"M"}, now_ms_));
            return ok;
        });
        paused_ = !paused_;
    }
    // Enough faults in a row pause the module as well. Whether they had.
    bool repaired() {
        if (read([](Reading& r) { return r.paused(); }).empty()) return false;
        write([](Tx& tx) -> Result<> {
            ASSAY_CHECK(resume(tx, CourseId{"C"}, ModuleId{"M"}));
            return ok;
        });
        return true;
    }
    bool staff(Result<std::string> (*act)(Tx&, const SubmissionId&, std::int64_t), int number) {
        const auto result = store_->write_and_wait([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(act(tx, id_of(number), now_ms_));
            return ok;
        });
        EXPECT_TRUE(result || result.error().fault() == Fault::conflict) << result.error().text();
        return result.has_value();
    }
    void hold_or_release() {
        const int number = 1 + pick(submitted_);
        const State before = state(number);
        if (before == State::held) {
            EXPECT_TRUE(staff([](Tx& tx, const SubmissionId& id, std::int64_t) { return release(tx, id); }, number));
            EXPECT_EQ(held_.erase(id_of(number)), 1u);
        } else if (staff(hold, number)) {
            if (before == State::graded) {  // Its rejudge was; the book knows nothing of those that wait for staff.
                EXPECT_TRUE(staff([](Tx& tx, const SubmissionId& id, std::int64_t) { return release(tx, id); }, number));
                return;
            }
            EXPECT_EQ(before, State::queued);
            held_.insert(id_of(number));
        } else {
            EXPECT_NE(before, State::queued);
        }
    }
    void judge_again() {
        const int number = 1 + pick(submitted_);
        const auto again = [](Tx& tx, const SubmissionId& id, std::int64_t) { return rejudge(tx, id); };
        EXPECT_EQ(staff(again, number), state(number) == State::graded);
    }

    // store/rows.hh: what holds of a submission and its jobs at every moment.
    void check_submission(int number) {
        const auto submission = read([&](Reading& r) { return r.submission(id_of(number)); });
        const auto own = read([&](Reading& r) { return r.job_of(id_of(number), submission->generation); });
        ASSERT_TRUE(own);
        EXPECT_EQ(own->state, submission->state);
        EXPECT_GE(submission->generation, shown_[number]);
        shown_[number] = submission->generation;
        EXPECT_EQ(read([&](Reading& r) { return r.verdict(id_of(number), submission->generation); }).has_value(),
                  submission->state == State::graded);
        int under_way = 0;
        for (std::int64_t g = 1; const auto job = read([&](Reading& r) { return r.job_of(id_of(number), g); }); ++g) {
            under_way += job->state == State::queued || job->state == State::running ? 1 : 0;
            if (g > submission->generation) EXPECT_EQ(submission->state, State::graded);
        }
        EXPECT_LE(under_way, 1);
    }

    void check() {
        if (submitted_ > 0) check_submission(1 + pick(submitted_));
        const auto running = read([](Reading& r) { return r.running(); });
        EXPECT_EQ(running.size(), live_.size());
        std::set<std::string> people;
        for (const auto& job : running) EXPECT_TRUE(people.insert(job.participant.text()).second) << "two jobs of one participant";
    }

    testing::SqliteDisk rows_;
    testing::FakeDisk files_{{"/d", "/d/blobs", "/d/tmp"}};
    std::optional<store::Blobs> blobs_{std::in_place, files_, "/d/blobs", "/d/tmp"};
    Forgotten forgotten_ = Forgotten::nothing;
    bool sound_disk_ = false;                 // then more is going on between two restarts
    Conditions conditions_;
    std::mt19937 random_;
    int submitted_ = 0;
    std::int64_t epoch_ = 0;
    std::vector<Token> live_;
    std::vector<Token> all_;
    std::vector<Token> faulted_;
    std::set<SubmissionId> replaced_;
    std::set<SubmissionId> held_;
    bool paused_ = false;
    std::map<int, std::int64_t> shown_;       // submission → newest generation seen
    std::map<std::int64_t, Token> verdicts_;  // job → who brought it
    std::map<std::int64_t, int> faults_;
    std::set<std::int64_t> ended_by_faults_;
    std::set<std::int64_t> ended_by_grader_;
};

void Simulation::live(unsigned seed) {
    random_.seed(seed);
    if (forgotten_ == Forgotten::syncs_of_rows) rows_.forget_syncs();
    epoch_ = epoch();
    for (int step = 0; step < 250; ++step) {
        now_ms_ += pick(2000);
        const int what = pick(100);
        if (what < 25) arrive();
        else if (what < 60) lease_some();
        else if (what < 75 && !live_.empty()) report(live_[static_cast<std::size_t>(pick(static_cast<int>(live_.size())))]);
        else if (what < 85 && !all_.empty()) report(all_[static_cast<std::size_t>(pick(static_cast<int>(all_.size())))]);
        else if (what < 95 && !all_.empty()) lose(all_[static_cast<std::size_t>(pick(static_cast<int>(all_.size())))]);
        else if (what < 97 && !all_.empty()) {
            // From another life of this directory: the numbers of job and attempt were given anew after it was restored.
            Token alien = all_[static_cast<std::size_t>(pick(static_cast<int>(all_.size())))];
            alien.epoch += 1000;
            report(alien);
        } else if (what >= 97) restart();
        if (!sound_disk_ && pick(100) < 4) cut_power();
        if (!sound_disk_ && pick(200) == 0) fail_a_sync();
        if (submitted_ > 0 && pick(100) < 8) hold_or_release();
        if (submitted_ > 0 && pick(100) < 10) judge_again();
        if (pick(100) < (paused_ ? 25 : 3)) toggle_pause();
        check();
        if (HasFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
    for (const SubmissionId& id : held_) {
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(release(tx, id));
            return ok;
        });
    }
    held_.clear();
    if (paused_) toggle_pause();
    for (int i = 0; i < submitted_; ++i) judge_again();
    now_ms_ += 60'000;  // Past every back-off.
    for (int rounds = 0; rounds < 1000; ++rounds) {
        lease_some();
        if (live_.empty() && !repaired()) break;
        if (live_.empty()) continue;
        if (pick(2) == 0) lose(live_.front());
        else report(live_.front());
    }

    for (int number = 1; number <= submitted_; ++number) {
        const auto submission = read([&](Reading& r) { return r.submission(id_of(number)); });
        const auto newest = read([&](Reading& r) { return r.newest_job(id_of(number)); });
        ASSERT_TRUE(submission && newest);
        check_submission(number);
        if (replaced_.contains(id_of(number))) {
            EXPECT_EQ(submission->state, State::superseded);
            EXPECT_EQ(newest->generation, 1);
            continue;
        }
        ASSERT_EQ(submission->state, State::graded) << number;
        std::int64_t shown = 1;
        bool shown_by_faults = true;
        for (std::int64_t g = 1; g <= newest->generation; ++g) {
            const auto job = read([&](Reading& r) { return r.job_of(id_of(number), g); });
            const auto verdict = read([&](Reading& r) { return r.verdict(id_of(number), g); });
            ASSERT_TRUE(job && verdict) << number << ", generation " << g;
            EXPECT_EQ(job->state, State::graded);
            EXPECT_LE(job->faults, faults_max);
            const bool by_faults = ended_by_faults_.contains(job->id.value);
            const bool by_grader = ended_by_grader_.contains(job->id.value);
            EXPECT_EQ(verdict->verdict == model::Verdict::system_fault, by_faults);
            EXPECT_EQ(verdict->verdict == model::Verdict::grader_fault, by_grader);
            EXPECT_NE(by_faults, verdicts_.contains(job->id.value));
            for (const auto& attempt : read([&](Reading& r) { return r.attempts(job->id); })) EXPECT_TRUE(attempt.end);
            const bool a_fault = by_faults || by_grader;
            if (!a_fault || shown_by_faults) shown = g;
            shown_by_faults = shown_by_faults && a_fault;
        }
        EXPECT_EQ(submission->generation, shown) << number;
    }
}

class Simulated : public Simulation, public ::testing::WithParamInterface<unsigned> {};

TEST_P(Simulated, EveryJobEndsOnceAndNothingStaleIsCommitted) { live(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Seeds, Simulated, ::testing::Range(1u, 13u));

// A life with one condition left out, in a process of its own: an assertion of ours that fires is a finding as well.
class WithoutOne : public Simulation {
public:
    using Simulation::Forgotten;
    explicit WithoutOne(Conditions conditions, Forgotten forgotten = Forgotten::nothing) {
        conditions_ = conditions;
        forgotten_ = forgotten;
        sound_disk_ = forgotten == Forgotten::nothing;
    }
    void TestBody() override {}
    static bool finds_something(Conditions conditions, unsigned seed, Forgotten forgotten = Forgotten::nothing) {
        const pid_t child = ::fork();
        if (child == 0) {
            std::freopen("/dev/null", "w", stdout);  // What it finds is no news.
            std::freopen("/dev/null", "w", stderr);
            WithoutOne one{conditions, forgotten};
            one.SetUp();
            one.live(seed);
            one.TearDown();
            std::_Exit(HasFailure() ? 1 : 0);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status != 0;
    }
};

TEST(SimulationsTeeth, EachConditionOfTheVerdictsCommitIsNeeded) {
    const auto found = [](Conditions conditions) {
        for (unsigned seed = 1; seed < 13; ++seed) {
            if (WithoutOne::finds_something(conditions, seed)) return true;
        }
        return false;
    };
    EXPECT_FALSE(found(all_conditions));
    for (const Condition condition : {Condition::running, Condition::attempt, Condition::epoch, Condition::newer, Condition::no_worse}) {
        EXPECT_TRUE(found(all_conditions.without(condition))) << static_cast<int>(condition);
    }
}

TEST(SimulationsTeeth, EachKindOfSyncIsNeeded) {
    using enum WithoutOne::Forgotten;
    for (const auto forgotten : {syncs_of_rows, sync_of_a_file, sync_of_its_place}) {
        bool found = false;
        for (unsigned seed = 1; seed < 13 && !found; ++seed) found = WithoutOne::finds_something(all_conditions, seed, forgotten);
        EXPECT_TRUE(found) << static_cast<int>(forgotten);
    }
}

}  // namespace
}  // namespace assay::queue
