// The line against a real store: its rules one by one, then a seeded simulation of everything at once.
#include "queue/line.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "queue/board.hh"
#include "queue/view.hh"
#include "store/store.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::queue {
namespace {

using model::AttemptEnd;
using model::State;
using store::Reading;
using store::Tx;

SubmissionId id_of(int number) {
    const std::string digits = std::to_string(number);
    return SubmissionId{std::string(16 - digits.size(), '0') + digits};
}

Finished passed() {
    model::Report report;
    report.verdict = model::Verdict::passed;
    report.score = 10;
    report.score_max = 10;
    return finished_from(report);
}

class LineTest : public ::testing::Test {
protected:
    void SetUp() override {
        const std::string memory = "/dev/shm";  // What is tested here is no disk's doing.
        const std::string base = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path().string();
        directory_ = base + "/assay-line-" + sys::random_text(8, "abcdefgh");
        ASSERT_TRUE(sys::make_directory(directory_));
        open();
        model::Plan plan;
        plan.title = "Module";
        plan.stages.emplace_back();
        plan.stages.back().name = "run";
        plan.stages.back().command = {"true"};
        write([&](Tx& tx) -> Result<> {
            ASSAY_CHECK(tx.put_course({.id = CourseId{"C"}, .title = "Course"}));
            ASSAY_TRY(const RevisionId revision,
                      tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 1, std::string(64, 'd'), model::to_json(plan), 1}));
            ASSAY_CHECK(tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, revision}));
            for (int p = 0; p < 5; ++p) {
                store::Participant participant;
                participant.course = CourseId{"C"};
                participant.id = ParticipantId{"p" + std::to_string(p)};
                ASSAY_CHECK(tx.put_participant(participant));
            }
            return ok;
        });
        board_.set_slots(2);
    }
    void TearDown() override {
        store_.reset();
        ASSERT_TRUE(sys::remove_tree(directory_));
    }
    void open() {
        store_.reset();
        auto opened = store::open_sqlite({directory_ + "/assay.db", {}});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
    }
    void write(store::Store::Change change) {
        const auto written = store_->write_and_wait(std::move(change));
        ASSERT_TRUE(written) << written.error().text();
    }
    void submit(int number, int participant) {
        write([&](Tx& tx) { return add(tx, number, participant, 0); });
    }
    static Result<> add(Tx& tx, int number, int participant, std::int64_t place) {
        store::Submission s;
        s.id = id_of(number);
        s.course = CourseId{"C"};
        s.module = ModuleId{"M"};
        s.participant = ParticipantId{"p" + std::to_string(participant)};
        s.revision = RevisionId{1};
        s.sha256 = std::string(64, 'a');
        s.last_byte_ms = number;
        ASSAY_CHECK(tx.add_submission(s));
        store::Job job;
        job.submission = s.id;
        job.place = place;
        ASSAY_TRY([[maybe_unused]] const JobId id, tx.add_job(job));
        return ok;
    }
    std::optional<Lease> grant_one(std::int64_t epoch) {
        std::optional<Lease> lease;
        write([&](Tx& tx) -> Result<> {
            Snapshot snapshot;
            ASSAY_CHECK(snapshot.take(tx, board_, now_ms_));
            ASSAY_TRY(lease, grant(tx, snapshot.situation, epoch));
            return ok;
        });
        return lease;
    }
    std::int64_t epoch() {
        std::int64_t value = 0;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(value, begin_epoch(tx));
            return ok;
        });
        return value;
    }
    Result<> finish_it(const Token& token) {
        return store_->write_and_wait([&](Tx& tx) { return finish(tx, token, passed(), now_ms_); });
    }
    Result<> fault(const Token& token, const std::string& why = "the sandbox broke") {
        return store_->write_and_wait([&](Tx& tx) { return give_back(tx, token, AttemptEnd::fault, model::Reason::retry, why, now_ms_); });
    }
    template <class F>
    auto read(F query) {
        std::optional<typename std::invoke_result_t<F, Reading&>::Value> value;
        const auto result = store_->read([&](Reading& reading) -> Result<> {
            ASSAY_TRY(auto found, query(reading));
            value.emplace(std::move(found));
            return ok;
        });
        EXPECT_TRUE(result) << result.error().text();
        return std::move(value).value();
    }
    State state(int number) {
        return read([&](Reading& r) { return r.submission(id_of(number)); })->state;
    }

    std::string directory_;
    std::unique_ptr<store::Store> store_;
    std::int64_t now_ms_ = 1'000'000;
    Board board_{1'000'000};
};

TEST_F(LineTest, EpochsGrowOverRestarts) {
    const auto first = epoch();
    open();
    EXPECT_GT(epoch(), first);
}

TEST_F(LineTest, AStaleTokenChangesNothingAndALostAnswerIsNoError) {
    submit(1, 0);
    const auto e = epoch();
    const auto lease = grant_one(e);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->submission, id_of(1));
    EXPECT_EQ(state(1), State::running);
    EXPECT_FALSE(grant_one(e));

    Token other = lease->token;
    other.attempt = 2;
    EXPECT_EQ(finish_it(other).error().fault(), Fault::conflict);
    other = lease->token;
    other.epoch = e + 1;
    EXPECT_EQ(finish_it(other).error().fault(), Fault::conflict);
    EXPECT_EQ(finish_it({JobId{99}, 1, e}).error().fault(), Fault::conflict);
    EXPECT_EQ(state(1), State::running);

    EXPECT_TRUE(finish_it(lease->token));
    EXPECT_EQ(state(1), State::graded);
    EXPECT_TRUE(finish_it(lease->token));
    EXPECT_EQ(fault(lease->token).error().fault(), Fault::conflict);
    EXPECT_EQ(read([](Reading& r) { return r.verdict(id_of(1), 1); })->score, 10.0);
}

TEST_F(LineTest, TheThirdFaultEndsItWithAReportThatNamesAll) {
    submit(1, 0);
    const auto e = epoch();
    std::optional<Lease> lease;
    for (const char* why : {"first break", "second break", "third break"}) {
        lease = grant_one(e);
        ASSERT_TRUE(lease);
        ASSERT_TRUE(fault(lease->token, why));
    }
    EXPECT_EQ(state(1), State::graded);
    const auto verdict = read([](Reading& r) { return r.verdict(id_of(1), 1); });
    EXPECT_EQ(verdict->verdict, model::Verdict::system_fault);
    for (const char* why : {"first break", "second break", "third break"}) EXPECT_NE(verdict->report.find(why), std::string::npos);
    // That attempt ended as a fault: a late report of it is not a lost answer.
    EXPECT_EQ(finish_it(lease->token).error().fault(), Fault::conflict);
    EXPECT_FALSE(grant_one(e));
}

TEST_F(LineTest, CutsAreNeverCountedAgainstAJob) {
    submit(1, 0);
    for (int i = 1; i <= 30; ++i) {
        now_ms_ += 60'000;
        const auto lease = grant_one(epoch());
        ASSERT_TRUE(lease) << i;
        EXPECT_EQ(lease->alone, i > cuts_alone);
        std::int64_t voided = 0;
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(voided, void_all_leases(tx, now_ms_));
            return ok;
        });
        EXPECT_EQ(voided, 1);
        EXPECT_EQ(finish_it(lease->token).error().fault(), Fault::conflict);
    }
    const auto lease = grant_one(epoch());
    ASSERT_TRUE(lease);
    ASSERT_TRUE(finish_it(lease->token));
    EXPECT_EQ(state(1), State::graded);
}

TEST_F(LineTest, AViewSaysWhereASubmissionStands) {
    submit(1, 0);
    submit(2, 0);
    const auto e = epoch();
    const auto lease = grant_one(e);
    ASSERT_TRUE(lease);
    const auto text = [](const Waiting& waiting) {
        return WaitText{"sentence for " + std::string{model::to_string(waiting.reason)}, std::string{model::to_string(waiting.detail->kind)}};
    };
    const auto view = [&](int number) { return *read([&](Reading& r) { return view_submission(r, board_, id_of(number), now_ms_); }); };

    EXPECT_EQ(view(1).started_ms, now_ms_);
    const auto waiting = view(2);
    ASSERT_TRUE(waiting.waiting);
    EXPECT_EQ(waiting.waiting->reason, model::Reason::fair_share);
    EXPECT_TRUE(waiting.counts);
    const std::string json = to_json(waiting, "UTC", "http://here", text);
    for (const char* part : {"\"state\":\"queued\"", "\"code\":\"fair_share\"", "\"text\":\"sentence for fair_share\"", "\"details\":\"own_running\"", "\"position\":1",
                             "\"received_at\":\"1970-01-01T00:00:00.002", "\"self\":\"http://here/api/v1/submissions/0000000000000002\"",
                             "\"verdict\":null", "\"revision\":1"}) {
        EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
    }

    ASSERT_TRUE(finish_it(lease->token));
    const auto done = view(1);
    EXPECT_EQ(done.verdict, model::Verdict::passed);
    EXPECT_FALSE(done.counts);
    EXPECT_NE(to_json(done, "UTC", "", text).find("\"score\":10"), std::string::npos);
    EXPECT_FALSE(read([&](Reading& r) { return view_submission(r, board_, id_of(99), now_ms_); }));
}

TEST(Counting, TheOneThatCounts) {
    using model::Verdict;
    model::Plan plan;
    plan.due_ms = 100;
    const std::vector<Countable> all{
        {State::held, {}, 130, {}},
        {State::graded, {}, 120, Verdict::system_fault},
        {State::graded, 5.0, 110, Verdict::failed},
        {State::graded, 7.0, 90, Verdict::failed},
        {State::graded, 7.0, 80, Verdict::failed},
    };
    plan.counts = model::Counts::last;
    EXPECT_EQ(counting(all, plan), 2u);
    plan.counts = model::Counts::last_on_time;
    EXPECT_EQ(counting(all, plan), 3u);
    plan.counts = model::Counts::best;
    EXPECT_EQ(counting(all, plan), 4u);
    EXPECT_EQ(counting({}, plan), std::nullopt);
}

// --- Everything at once, from a seed. The simulation keeps its own, simpler book and compares.

class Simulation : public LineTest, public ::testing::WithParamInterface<unsigned> {
protected:
    int pick(int below) { return std::uniform_int_distribution{0, below - 1}(random_); }

    void arrive() {
        const int number = ++submitted_;
        const int participant = pick(5);
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto earlier, tx.submissions(CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p" + std::to_string(participant)}, 50));
            Arrival arrival{"bytes of " + std::to_string(number), RevisionId{1}, number};
            const auto decision = decide_arrival(arrival, earlier, {}, 0, {});
            std::int64_t place = 0;
            if (decision.replaces) {
                ASSAY_TRY(const auto job, tx.job_of(*decision.replaces, 1));
                place = job->place;
            }
            ASSAY_CHECK(add(tx, number, participant, place));
            if (decision.replaces) {
                ASSAY_CHECK(tx.supersede(*decision.replaces, id_of(number)));
                replaced_.insert(*decision.replaces);
            }
            return ok;
        });
    }
    void lease_some() {
        if (const auto lease = grant_one(epoch_)) {
            live_.push_back(lease->token);
            all_.push_back(lease->token);
            EXPECT_FALSE(replaced_.contains(lease->submission));
            EXPECT_FALSE(verdicts_.contains(lease->token.job.value)) << "leased after its verdict";
        }
    }
    void report(const Token& token) {
        const bool live = std::ranges::find(live_, token) != live_.end();
        const bool own = verdicts_.contains(token.job.value) && verdicts_.at(token.job.value) == token;
        const auto result = finish_it(token);
        EXPECT_EQ(result.has_value(), live || own) << "job " << token.job.value << " attempt " << token.attempt;
        if (live) verdicts_.emplace(token.job.value, token);
        std::erase(live_, token);
    }
    void lose(const Token& token) {
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
        write([&](Tx& tx) -> Result<> {
            ASSAY_TRY(const auto voided, void_all_leases(tx, now_ms_));
            EXPECT_EQ(voided, static_cast<std::int64_t>(live_.size()));
            return ok;
        });
        live_.clear();
        epoch_ = epoch();
    }
    void check() {
        const auto running = read([](Reading& r) { return r.running(); });
        EXPECT_EQ(running.size(), live_.size());
        std::set<std::string> people;
        for (const auto& job : running) EXPECT_TRUE(people.insert(job.participant.text()).second) << "two jobs of one participant";
    }

    std::mt19937 random_{GetParam()};
    int submitted_ = 0;
    std::int64_t epoch_ = 0;
    std::vector<Token> live_;
    std::vector<Token> all_;
    std::vector<Token> faulted_;
    std::set<SubmissionId> replaced_;
    std::map<std::int64_t, Token> verdicts_;  // job → who brought it
    std::map<std::int64_t, int> faults_;
    std::set<std::int64_t> ended_by_faults_;
};

TEST_P(Simulation, EveryJobEndsOnceAndNothingStaleIsCommitted) {
    epoch_ = epoch();
    for (int step = 0; step < 250; ++step) {
        now_ms_ += pick(2000);
        const int what = pick(100);
        if (what < 25) arrive();
        else if (what < 60) lease_some();
        else if (what < 75 && !live_.empty()) report(live_[static_cast<std::size_t>(pick(static_cast<int>(live_.size())))]);
        else if (what < 85 && !all_.empty()) report(all_[static_cast<std::size_t>(pick(static_cast<int>(all_.size())))]);
        else if (what < 95 && !all_.empty()) lose(all_[static_cast<std::size_t>(pick(static_cast<int>(all_.size())))]);
        else if (what >= 97) restart();
        check();
        if (HasFailure()) FAIL() << "seed " << GetParam() << ", step " << step;
    }
    now_ms_ += 60'000;  // Past every back-off.
    for (int rounds = 0; rounds < 1000; ++rounds) {
        lease_some();
        if (live_.empty()) break;
        report(live_.front());
    }

    for (int number = 1; number <= submitted_; ++number) {
        const auto submission = read([&](Reading& r) { return r.submission(id_of(number)); });
        const auto job = read([&](Reading& r) { return r.job_of(id_of(number), 1); });
        const auto verdict = read([&](Reading& r) { return r.verdict(id_of(number), 1); });
        ASSERT_TRUE(submission && job);
        EXPECT_EQ(job->state, submission->state);
        EXPECT_LE(job->faults, faults_max);
        if (replaced_.contains(id_of(number))) {
            EXPECT_EQ(submission->state, State::superseded);
            EXPECT_FALSE(verdict);
            continue;
        }
        ASSERT_EQ(submission->state, State::graded) << number;
        ASSERT_TRUE(verdict);
        const bool by_faults = ended_by_faults_.contains(job->id.value);
        EXPECT_EQ(verdict->verdict == model::Verdict::system_fault, by_faults);
        EXPECT_NE(by_faults, verdicts_.contains(job->id.value));
        for (const auto& attempt : read([&](Reading& r) { return r.attempts(job->id); })) EXPECT_TRUE(attempt.end);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, ::testing::Range(1u, 13u));

}  // namespace
}  // namespace assay::queue
