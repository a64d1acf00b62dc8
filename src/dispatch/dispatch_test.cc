// The whole wire: a real store, real loops, the real server and client over a socket pair. Only the runner is a script.
// long: one script of a runner, and each promise that is made to it.
#include "dispatch/dispatch.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/log.hh"
#include "http/client.hh"
#include "http/server.hh"
#include "model/report.hh"
#include "queue/staff.hh"
#include "queue/view.hh"
#include "sys/file.hh"
#include "sys/program.hh"
#include "sys/random.hh"
#include "sys/socket.hh"
#include "testing/manual_clock.hh"

namespace assay::dispatch {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using model::State;

constexpr auto patience = 30s;  // Only a hang reaches it.

class DispatchTest : public ::testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"", "/blobs", "/tmp", "/revisions"}) ASSERT_TRUE(sys::make_directory(directory_ + name));
        auto opened = store::open_sqlite({.path = directory_ + "/assay.db"});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
        loops_.emplace(2);
        disk_.emplace("disk", 2, 64);
        serve(sys::system_clock());

        revision_digest_ = revisions_.put(bytes_of("the module's files")).value();
        sha256_ = blobs_.put(bytes_of("what was handed in")).value();
        model::Plan plan;
        plan.title = "Module";
        plan.stages.emplace_back();
        plan.stages.back().name = "run";
        plan.stages.back().command = {"true"};
        write([&](store::Tx& tx) -> Result<> {
            ASSAY_CHECK(tx.put_course({.id = CourseId{"C"}, .title = "Course"}));
            ASSAY_TRY(const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 1, revision_digest_, model::to_json(plan), 1}));
            ASSAY_CHECK(tx.put_module({CourseId{"C"}, ModuleId{"M"}, "Module", false, id}));
            for (const char* name : {"p", "q"}) {
                store::Participant participant;
                participant.course = CourseId{"C"};
                participant.id = ParticipantId{name};
                ASSAY_CHECK(tx.put_participant(participant));
            }
            return ok;
        });
    }
    void serve(const sys::Clock& clock) {
        server_.reset();
        dispatcher_.reset();
        router_ = {};
        dispatcher_.emplace(Dispatcher::Parts{*store_, blobs_, revisions_, board_, *loops_, *disk_, clock, [this](const std::string& digest) { return digest == image_there_; }});
        dispatcher_->add_routes(router_);
        server_.emplace(*loops_, router_);
    }
    void TearDown() override {
        server_->stop(sys::system_clock().now() + patience);
        dispatcher_.reset();
        server_.reset();
        loops_->stop();
        disk_.reset();
        loops_.reset();
        store_.reset();
        ASSERT_TRUE(sys::remove_tree(directory_));
    }

    void write(store::Store::Change change) {
        const auto written = store_->write_and_wait(std::move(change));
        ASSERT_TRUE(written) << written.error().text();
    }
    // Revision 2 of the module, as the first but for what `change` makes of its plan.
    void revise(const std::function<void(model::Plan&)>& change) {
        write([&](store::Tx& tx) -> Result<> {
            ASSAY_TRY(const auto before, tx.revision(RevisionId{1}));
            model::Plan plan = model::plan_from_json(before->plan).value();
            change(plan);
            ASSAY_TRY([[maybe_unused]] const RevisionId id, tx.add_revision({{}, CourseId{"C"}, ModuleId{"M"}, 2, revision_digest_, model::to_json(plan), 1}));
            return ok;
        });
    }
    // Everything that was asked of the store before is done.
    void settle() {
        write([](store::Tx&) -> Result<> { return ok; });
    }
    void submit(const std::string& id, const char* participant = "p", std::int64_t revision = 1) {
        write([&](store::Tx& tx) -> Result<> {
            store::Submission s;
            s.id = SubmissionId{id};
            s.course = CourseId{"C"};
            s.module = ModuleId{"M"};
            s.participant = ParticipantId{participant};
            s.revision = RevisionId{revision};
            s.sha256 = sha256_;
            s.size = 18;
            ASSAY_CHECK(tx.add_submission(s));
            store::Job job;
            job.submission = s.id;
            ASSAY_TRY([[maybe_unused]] const JobId made, tx.add_job(job));
            return ok;
        });
        board_.changed();
    }
    State state(const std::string& id) {
        State found = State::cancelled;
        EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto submission, reading.submission(SubmissionId{id}));
            found = submission->state;
            return ok;
        }));
        return found;
    }
    store::Job job() {
        std::optional<store::Job> found;
        EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(found, reading.job(JobId{1}));
            return ok;
        }));
        return found.value();
    }

    http::Client connect() {
        auto pair = sys::socket_pair(sys::PairKind::stream);
        EXPECT_TRUE(pair);
        server_->adopt(std::move(pair->first), [] {});
        return http::Client{std::move(pair->second)};
    }
    static http::Answer ask(http::Client& client, const char* method, const std::string& target, const std::string& body = {}) {
        auto answer = client.request(method, target, "application/json", bytes_of(body), patience);
        EXPECT_TRUE(answer) << answer.error().text();
        return answer ? std::move(*answer) : http::Answer{};
    }
    static http::Answer post(http::Client& client, const std::string& name, const Json& body) {
        return ask(client, "POST", "/api/v1/runner/" + name, body.dump());
    }
    static std::int64_t begin(http::Client& client, int slots = 2) {
        const auto answer = post(client, "session", {{"protocol", 1}, {"name", "local"}, {"slots", slots}, {"can_grade", true}, {"missing", Json::array()}});
        EXPECT_EQ(answer.status, 200) << answer.body;
        return Json::parse(answer.body).at("epoch").get<std::int64_t>();
    }
    static http::Answer poll(http::Client& client, std::int64_t epoch, int wait_ms = 0) {
        return post(client, "lease", {{"epoch", epoch}, {"slot", 0}, {"wait_ms", wait_ms}});
    }
    static Json leased(http::Client& client, std::int64_t epoch, int wait_ms = 0) {
        const auto answer = poll(client, epoch, wait_ms);
        EXPECT_EQ(answer.status, 200) << answer.body;
        return Json::parse(answer.body);
    }
    static Json passed(const Json& token) {
        model::Report report;
        report.verdict = model::Verdict::passed;
        report.score = 3;
        report.score_max = 3;
        return {{"token", token}, {"report", Json::parse(model::to_json(report))}};
    }
    static std::string query(const Json& token) {
        return "?job=" + token.at("job").dump() + "&attempt=" + token.at("attempt").dump() + "&epoch=" + token.at("epoch").dump();
    }

    std::string directory_ = std::filesystem::temp_directory_path() / ("assay-dispatch-" + sys::random_text(8, "abcdefgh"));
    std::unique_ptr<store::Store> store_;
    store::Blobs blobs_{sys::real_disk(), directory_ + "/blobs", directory_ + "/tmp"};
    store::Blobs revisions_{sys::real_disk(), directory_ + "/revisions", directory_ + "/tmp"};
    queue::Board board_{0};
    std::optional<loop::Loops> loops_;
    std::optional<loop::Pool> disk_;
    http::Router router_;
    std::optional<Dispatcher> dispatcher_;
    std::optional<http::Server> server_;
    std::string revision_digest_;
    std::string sha256_;
    std::string image_there_ = "there";  // set while nobody asks
};

constexpr const char* first = "aaaaaaaaaaaaaaaa";
constexpr const char* second = "bbbbbbbbbbbbbbbb";

TEST_F(DispatchTest, FromLeaseToVerdict) {
    auto client = connect();
    EXPECT_EQ(poll(client, 1).status, 409);  // no session yet
    const auto epoch = begin(client);
    EXPECT_EQ(board_.slots(), 2);
    EXPECT_EQ(poll(client, epoch).status, 204);
    submit(first);

    const Json lease = leased(client, epoch);
    const Json& token = lease.at("token");
    EXPECT_EQ(lease.at("submission"), first);
    EXPECT_EQ(lease.at("size"), 18);
    EXPECT_EQ(lease.at("plan").at("title"), "Module");
    EXPECT_EQ(state(first), State::running);

    const auto input = ask(client, "GET", "/api/v1/runner/input" + query(token));
    EXPECT_EQ(input.status, 200);
    EXPECT_EQ(input.body, "what was handed in");
    EXPECT_EQ(input.header("Assay-Sha256"), sha256_);
    const auto revision = ask(client, "GET", "/api/v1/runner/revision?digest=" + lease.at("revision").at("digest").get<std::string>());
    EXPECT_EQ(revision.body, "the module's files");

    const auto event = [&](int sequence) { return post(client, "events", {{"token", token}, {"sequence", sequence}, {"stage", "run"}, {"test", ""}}).status; };
    EXPECT_EQ(event(2), 204);
    EXPECT_EQ(event(2), 204);  // its answer was lost
    EXPECT_EQ(event(1), 409);
    const auto beat = post(client, "heartbeat", {{"epoch", epoch}, {"running", {token}}});
    EXPECT_EQ(Json::parse(beat.body), (Json{{"drop", Json::array()}, {"drain", false}}));

    const auto result = post(client, "result", passed(token));
    EXPECT_EQ(result.status, 200) << result.body;
    EXPECT_EQ(Json::parse(result.body), (Json{{"accepted", true}}));
    EXPECT_EQ(state(first), State::graded);
    EXPECT_EQ(post(client, "result", passed(token)).status, 200);
    EXPECT_EQ(post(client, "result", {{"token", token}, {"fault", "too late"}}).status, 409);
    EXPECT_EQ(ask(client, "GET", "/api/v1/runner/input" + query(token)).status, 409);
}

// A submission whose image was removed waits with that reason, at the cost of no attempt, and nothing else waits with it.
TEST_F(DispatchTest, WithoutItsImageARevisionWaitsUntilItIsBack) {
    revise([](model::Plan& plan) { plan.image_pin = model::ImagePin{.digest = "gone", .environment = {}}; });
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p", 2);
    EXPECT_EQ(poll(client, epoch).status, 204);
    EXPECT_EQ(state(first), State::queued);
    EXPECT_EQ(job().faults, 0);
    const auto why = [&] {
        std::optional<queue::Waiting> waiting;
        EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
            queue::Snapshot snapshot;
            ASSAY_CHECK(snapshot.take(reading, board_, 1'000'000));
            waiting = queue::explain(snapshot.situation, JobId{1});
            return ok;
        }));
        return waiting->reason;
    };
    EXPECT_EQ(why(), model::Reason::image);
    EXPECT_EQ(poll(client, epoch).status, 204);
    submit(second, "q", 1);
    EXPECT_EQ(leased(client, epoch).at("submission"), second);
    dispatcher_->look_for_images();
    EXPECT_EQ(why(), model::Reason::image);

    image_there_ = "gone";
    dispatcher_->look_for_images();
    EXPECT_EQ(leased(client, epoch).at("submission"), first);
}

// Whoever shows a participant's page learns of each start and end of his work, after it is committed, and nobody else does.
TEST_F(DispatchTest, TheFeedIsToldOfWhatAParticipantSees) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p");
    std::vector<State> seen;
    int others = 0;
    const auto of_p = board_.feed().listen({CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}}, [&] { seen.push_back(state(first)); });
    const auto of_q = board_.feed().listen({CourseId{"C"}, ModuleId{"M"}, ParticipantId{"q"}}, [&] { ++others; });

    Json token = leased(client, epoch).at("token");
    settle();
    EXPECT_EQ(seen, (std::vector{State::running}));
    EXPECT_EQ(post(client, "result", {{"token", token}, {"fault", "no room for a sandbox"}}).status, 200);
    EXPECT_EQ(seen, (std::vector{State::running, State::queued}));
    token = leased(client, epoch, 20'000).at("token");  // The back-off is waited for.
    EXPECT_EQ(post(client, "result", passed(token)).status, 200);
    EXPECT_EQ(seen, (std::vector{State::running, State::queued, State::running, State::graded}));
    EXPECT_EQ(post(client, "result", passed(token)).status, 200);  // its answer was lost: nothing is new
    EXPECT_EQ(seen.size(), 4u);
    EXPECT_EQ(others, 0);

    dispatcher_->runner_lost(model::WaitDetailKind::runner_ended);  // Now everybody waits for another reason.
    EXPECT_EQ(others, 1);
}

// A start moves everybody behind it, and those who watch a place in line hear of it, though nothing of theirs has changed.
TEST_F(DispatchTest, WhoWatchesAPlaceInLineHearsOfAStart) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p");
    submit(second, "q");
    std::promise<void> woken;
    const auto following = board_.follow({CourseId{"C"}, ModuleId{"M"}, ParticipantId{"q"}}, [&woken, once = std::make_shared<std::once_flag>()] {
        std::call_once(*once, [&woken] { woken.set_value(); });
    });
    following->place->shows(2, board_.moves().count());
    (void)leased(client, epoch);
    EXPECT_EQ(woken.get_future().wait_for(patience), std::future_status::ready);
}

// A finished test is seen while its job runs, and is not lost with its runner; a stale token adds nothing.
TEST_F(DispatchTest, WhatIsFinishedIsShownAtOnceAndSurvivesItsRunner) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p");
    const Json token = leased(client, epoch).at("token");
    int told = 0;
    const auto of_p = board_.feed().listen({CourseId{"C"}, ModuleId{"M"}, ParticipantId{"p"}}, [&] { ++told; });
    const auto finished = [&](int sequence, const char* test) {
        const Json one{{"name", test}, {"verdict", "passed"}, {"visibility", "hidden"}, {"got", "secret"}};
        const Json report{{"stages", {{{"name", "run"}, {"tests", {one}}}}}};
        return post(client, "events", {{"token", token}, {"sequence", sequence}, {"stage", "run"}, {"test", test}, {"report", report}}).status;
    };
    EXPECT_EQ(finished(1, "adds"), 204);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(finished(1, "adds"), 204);  // its answer was lost
    EXPECT_EQ(finished(2, "divides"), 204);

    std::optional<queue::SubmissionView> view;
    const auto look = [&] {
        EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(view, queue::view_submission(reading, board_, SubmissionId{first}, 1));
            return ok;
        }));
    };
    look();
    ASSERT_TRUE(view && view->progress);
    EXPECT_EQ(view->progress->tests_done, 2);
    EXPECT_EQ(view->progress->report.stages.at(0).tests.at(1).name, "divides");
    EXPECT_EQ(view->progress->report.stages.at(0).tests.at(1).got, "");  // Hidden while it runs as well.

    dispatcher_->runner_lost(model::WaitDetailKind::runner_ended);
    settle();
    EXPECT_EQ(finished(3, "late"), 409);
    look();
    EXPECT_FALSE(view->progress);
    EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto attempts, reading.attempts(JobId{1}));
        EXPECT_TRUE(attempts.at(0).partial.contains("divides"));
        EXPECT_FALSE(attempts.at(0).partial.contains("late"));
        return ok;
    }));
}

TEST_F(DispatchTest, APollIsAnsweredWhenWorkArrives) {
    auto client = connect();
    const auto epoch = begin(client);
    auto answer = std::async(std::launch::async, [&] { return poll(client, epoch, 20'000); });
    submit(first);
    ASSERT_EQ(answer.wait_for(patience), std::future_status::ready);
    EXPECT_EQ(answer.get().status, 200);
}

TEST_F(DispatchTest, APollIsAnsweredWhenItsParticipantIsFreeAgain) {
    auto one = connect();
    auto two = connect();
    const auto epoch = begin(one);
    submit(first);
    submit(second);
    const Json token = leased(one, epoch).at("token");
    auto answer = std::async(std::launch::async, [&] { return poll(two, epoch, 20'000); });
    EXPECT_EQ(post(one, "result", passed(token)).status, 200);
    EXPECT_EQ(Json::parse(answer.get().body).at("submission"), second);
}

TEST_F(DispatchTest, ALostRunnersWorkGoesBackAtOnceAndItsLateReportIsFenced) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    const Json token = leased(client, epoch).at("token");
    dispatcher_->runner_lost(model::WaitDetailKind::runner_ended);
    settle();
    EXPECT_EQ(state(first), State::queued);
    EXPECT_EQ(job().faults, 1);
    EXPECT_EQ(job().reason, model::Reason::runner_lost);
    EXPECT_EQ(job().reason_details, "runner_ended");
    EXPECT_EQ(board_.slots(), 0);
    EXPECT_EQ(post(client, "result", passed(token)).status, 409);
    EXPECT_EQ(post(client, "heartbeat", {{"epoch", epoch}, {"running", {token}}}).status, 409);
    EXPECT_EQ(poll(client, epoch).status, 409);

    const auto next = begin(client);
    EXPECT_GT(next, epoch);
    EXPECT_EQ(leased(client, next, 20'000).at("token").at("attempt"), 2);
}

// Memory runs out: the lease in that slot is void at once, before anything is written, and what its runner says later is fenced.
TEST_F(DispatchTest, TheJobInASlotIsEndedForTheMachinesSake) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    const Json token = leased(client, epoch).at("token");
    EXPECT_FALSE(dispatcher_->end_in_slot(1, "nobody is there"));
    EXPECT_TRUE(dispatcher_->end_in_slot(0, "memory_available_ratio 0.04"));
    EXPECT_EQ(post(client, "events", {{"token", token}, {"sequence", 1}, {"stage", "run"}, {"test", ""}}).status, 409);
    EXPECT_EQ(post(client, "result", passed(token)).status, 409);
    settle();
    EXPECT_EQ(state(first), State::queued);
    EXPECT_EQ(job().reason, model::Reason::pressure);
    EXPECT_EQ(job().reason_details, "memory_available_ratio 0.04");
    EXPECT_FALSE(dispatcher_->end_in_slot(0, "twice"));
}

TEST_F(DispatchTest, WhatStaffCancelledItsRunnerIsToldToDrop) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    const Json token = leased(client, epoch).at("token");
    const auto beat = [&] {
        const auto answer = post(client, "heartbeat", {{"epoch", epoch}, {"running", Json::array({token})}});
        return Json::parse(answer.body).at("drop").size();
    };
    EXPECT_EQ(beat(), 0U);
    queue::Cancelled done;
    ASSERT_TRUE(store_->write_and_wait([&](store::Tx& tx) -> Result<> {
        ASSAY_TRY(done, queue::cancel(tx, SubmissionId{first}, 1));
        return ok;
    }));
    dispatcher_->cancelled(*done.lease);
    EXPECT_EQ(beat(), 1U);
    EXPECT_EQ(post(client, "events", {{"token", token}, {"sequence", 1}, {"stage", "run"}, {"test", ""}}).status, 409);
    EXPECT_EQ(post(client, "result", passed(token)).status, 409);
    dispatcher_->runner_lost(model::WaitDetailKind::runner_ended);  // It is none of the leases that go back.
    settle();
    EXPECT_EQ(state(first), State::cancelled);
}

// Two that do not fit into the machine's memory together run one after the other; that is nobody's fault.
TEST_F(DispatchTest, WhatDoesNotFitBesideOthersWaitsForTheirEnd) {
    board_.set_memory_max(600LL << 20);  // The module's stage may take 512 MiB.
    auto client = connect();
    auto other = connect();
    const auto epoch = begin(client);
    submit(first, "p");
    submit(second, "q");
    const Json token = leased(client, epoch).at("token");
    EXPECT_EQ(poll(other, epoch).status, 204);
    EXPECT_EQ(state(second), State::queued);
    EXPECT_EQ(post(client, "result", passed(token)).status, 200);
    EXPECT_EQ(leased(other, epoch).at("submission"), second);
}

// Scratch on disk for which there is no room costs no attempt, holds up nobody else, and starts when there is.
TEST_F(DispatchTest, WithoutRoomForItsScratchAJobWaitsAndOthersDoNot) {
    revise([](model::Plan& plan) {
        plan.stages.front().scratch = model::Scratch::disk;
        plan.stages.front().limits.disk_bytes = 1 << 30;
        plan.stages.push_back(plan.stages.front());  // What the first leaves stays while the second writes.
        plan.stages.back().name = "more";
    });
    board_.set_scratch_room(std::int64_t{1} << 31);
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p", 2);
    EXPECT_EQ(poll(client, epoch).status, 204);
    EXPECT_EQ(state(first), State::queued);
    EXPECT_EQ(job().faults, 0);
    submit(second, "q", 1);
    EXPECT_EQ(leased(client, epoch).at("submission"), second);
    board_.set_scratch_room(std::int64_t{3} << 30);
    EXPECT_EQ(leased(client, epoch).at("submission"), first);
}

TEST_F(DispatchTest, ASecondSessionEndsTheFirst) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    EXPECT_EQ(poll(client, epoch).status, 200);
    const auto next = begin(client);
    settle();
    EXPECT_EQ(poll(client, epoch).status, 409);
    EXPECT_EQ(poll(client, next, 20'000).status, 200);  // The back-off is waited for.
    EXPECT_EQ(board_.slots(), 2);
}

TEST_F(DispatchTest, AFaultIsCountedAndTheThirdEndsTheJob) {
    testing::ManualClock clock;
    std::mutex guard;
    std::string logged;
    log::set_sink([&](log::Level, const std::string& line) {
        const std::lock_guard lock{guard};
        if (line.contains("verdict.fault")) logged = line;
    });
    serve(clock);
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    for (int i = 1; i <= 3; ++i) {
        const Json token = leased(client, epoch).at("token");
        EXPECT_EQ(token.at("attempt"), i);
        const Json fault{{"token", token}, {"fault", "no room for a sandbox"}};
        EXPECT_EQ(post(client, "result", fault).status, 200);
        EXPECT_EQ(post(client, "result", fault).status, 200);  // its answer was lost
        EXPECT_EQ(poll(client, epoch).status, 204);            // it backs off, or has ended
        clock.advance(i == 1 ? 1s : 30s);
    }
    EXPECT_EQ(state(first), State::graded);
    EXPECT_EQ(poll(client, epoch).status, 204);
    serve(sys::system_clock());  // Before the clock goes.
    log::set_sink([](log::Level, const std::string& line) { sys::print(stderr, line + "\n"); });
    const std::lock_guard lock{guard};
    const Json line = Json::parse(logged);
    EXPECT_EQ(line.at("submission"), first);
    EXPECT_EQ(line.at("course"), "C");
    EXPECT_EQ(line.at("module"), "M");
    EXPECT_EQ(line.at("stage"), "infrastructure");
    EXPECT_TRUE(line.at("fault").get<std::string>().starts_with("attempt 1: no room for a sandbox")) << logged;
}

TEST_F(DispatchTest, DrainPutsRunningWorkBackUncountedAndGrantsNothingMore) {
    auto client = connect();
    auto waiting = connect();
    const auto epoch = begin(client, 1);
    submit(first);
    const Json token = leased(client, epoch).at("token");
    submit(second, "q");
    auto answer = std::async(std::launch::async, [&] { return poll(waiting, epoch, 20'000); });
    dispatcher_->drain(sys::system_clock().now() + patience);
    EXPECT_EQ(answer.get().status, 204);
    EXPECT_EQ(state(first), State::queued);
    EXPECT_EQ(job().faults, 0);
    EXPECT_EQ(job().cuts_in_a_row, 1);
    EXPECT_EQ(poll(client, epoch).status, 204);
    EXPECT_EQ(post(client, "result", passed(token)).status, 409);
    const auto beat = post(client, "heartbeat", {{"epoch", epoch}, {"running", {token}}});
    EXPECT_TRUE(Json::parse(beat.body).at("drain").get<bool>());
    dispatcher_->runner_lost(model::WaitDetailKind::runner_ended);
    settle();
    EXPECT_EQ(job().faults, 0);
}

TEST_F(DispatchTest, ARunnerThatCannotGradeSaysWhy) {
    auto client = connect();
    const auto answer = post(client, "session", {{"protocol", 1}, {"name", "local"}, {"slots", 2}, {"can_grade", false}, {"missing", {"cgroups"}}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(board_.slots(), 0);
    submit(first);
    std::optional<queue::Waiting> why;
    EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
        queue::Snapshot snapshot;
        ASSAY_CHECK(snapshot.take(reading, board_, 1));
        why = queue::explain(snapshot.situation, JobId{1});
        return ok;
    }));
    ASSERT_TRUE(why);
    EXPECT_EQ(why->reason, model::Reason::no_runner);
    EXPECT_EQ(why->detail, (model::WaitDetail{.kind = model::WaitDetailKind::host_lacks, .text = "cgroups"}));
}

// Bytes that are not what their name says never leave the server.
TEST_F(DispatchTest, ADamagedBlobIsNotHandedOut) {
    auto client = connect();
    const auto epoch = begin(client);
    submit(first);
    const Json token = leased(client, epoch).at("token");
    ASSERT_TRUE(sys::write_file_durably(directory_ + "/blobs/" + sha256_.substr(0, 2) + "/" + sha256_, "damaged"));
    const auto input = ask(client, "GET", "/api/v1/runner/input" + query(token));
    EXPECT_EQ(input.status, 500);
    EXPECT_EQ(input.body.find("damaged\""), std::string::npos);
    EXPECT_EQ(ask(client, "GET", "/api/v1/runner/revision?digest=../../etc/passwd").status, 404);
    EXPECT_EQ(ask(client, "GET", "/api/v1/runner/input?job=x").status, 400);
    EXPECT_EQ(ask(client, "POST", "/api/v1/runner/lease", "{").status, 400);
}

// A lease its runner never names in a heartbeat was never received; one that is named lives on.
TEST_F(DispatchTest, WhatNoHeartbeatNamesGoesBack) {
    testing::ManualClock clock;
    serve(clock);
    auto client = connect();
    const auto epoch = begin(client);
    submit(first, "p");
    submit(second, "q");
    const Json named = leased(client, epoch).at("token");
    const Json unnamed = leased(client, epoch).at("token");
    clock.advance(20s);
    EXPECT_EQ(post(client, "heartbeat", {{"epoch", epoch}, {"running", {named}}}).status, 200);
    clock.advance(10s);
    dispatcher_->end_lapsed();
    settle();
    EXPECT_EQ(state(first), State::running);
    EXPECT_EQ(state(second), State::queued);
    const auto beat = post(client, "heartbeat", {{"epoch", epoch}, {"running", {named, unnamed}}});
    EXPECT_EQ(Json::parse(beat.body).at("drop"), Json::array({unnamed}));
    serve(sys::system_clock());  // Before the clock goes.
}

}  // namespace
}  // namespace assay::dispatch
