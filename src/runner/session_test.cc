// The protocol loop against a scripted server on the other end of socket pairs, with a stand-in for the evaluation.
#include "runner/session.hh"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "runner/protocol.hh"
#include "sys/file.hh"
#include "sys/net.hh"
#include "sys/sha256.hh"
#include "sys/socket.hh"

namespace assay::runner {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr auto patience = 10s;  // far more than anything here takes

struct Asked {
    std::string target;  // without query
    std::string body;
};
using Said = std::pair<int, std::string>;

// Answers each request of one connection until it closes. Just enough HTTP for our own client.
void answer_requests(const sys::Fd& socket, const std::function<std::optional<Said>(const Asked&)>& answer) {
    std::string bytes;
    std::array<std::byte, 65536> buffer;
    const auto more = [&] {
        const auto got = sys::receive(socket, buffer);
        if (!got || *got == 0) return false;
        bytes += text_of(std::span{buffer}.first(*got));
        return true;
    };
    for (;;) {
        std::size_t end = 0;
        while ((end = bytes.find("\r\n\r\n")) == bytes.npos) {
            if (!more()) return;
        }
        const std::string head = lower_ascii(bytes.substr(0, end));
        std::size_t length = 0;
        if (const std::size_t at = head.find("content-length:"); at != head.npos) length = std::stoul(head.substr(at + 15));
        while (bytes.size() < end + 4 + length) {
            if (!more()) return;
        }
        const std::string target = bytes.substr(bytes.find(' ') + 1, bytes.find(" HTTP/") - bytes.find(' ') - 1);
        const auto said = answer({target.substr(0, target.find('?')), bytes.substr(end + 4, length)});
        bytes.erase(0, end + 4 + length);
        if (!said) return;
        const std::string length_line = said->first == 204 ? "" : fmt::format("Content-Length: {}\r\n", said->second.size());
        (void)sys::send_all(socket, bytes_of(fmt::format("HTTP/1.1 {} X\r\n{}\r\n{}", said->first, length_line, said->second)));
    }
}

model::Plan small_plan() {
    model::Plan plan;
    plan.stages.emplace_back().name = "build";
    return plan;
}

// A server with one job to give, and what the runner did with it.
class ScriptedServer {
public:
    std::string session = R"({"epoch":3,"lease_ms":2000,"heartbeat_ms":20})";
    std::string archive = "bytes of a submission";
    std::string revision = "bytes of a revision";
    int jobs = 1;
    std::function<Said()> heartbeat = [] { return Said{200, R"({"drop":[],"drain":false})"}; };
    std::function<Said(int tries)> result = [](int) { return Said{200, R"({"accepted":true})"}; };

    std::vector<sys::Fd> connect(int slots) {
        std::vector<sys::Fd> ours;
        for (int i = 0; i <= slots; ++i) {
            auto pair = sys::socket_pair(sys::PairKind::stream).value();
            ours.push_back(std::move(pair.first));
            ends_.push_back(std::make_unique<sys::Fd>(std::move(pair.second)));
            threads_.emplace_back([this, end = ends_.back().get()] {
                answer_requests(*end, [this](const Asked& asked) { return answer(asked); });
                sys::shut_both(*end);
            });
        }
        return ours;
    }
    ~ScriptedServer() { close(); }
    void close() {
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
        }
        changed_.notify_all();
        for (const auto& end : ends_) sys::shut_both(*end);
    }
    // Waits for the runner's n-th result (1-based) and returns its body.
    std::string wait_for_result(std::size_t n = 1) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, patience, [&] { return results_.size() >= n; })) return "no result came";
        return results_[n - 1];
    }
    int revisions_sent() const { return revisions_sent_; }
    int leases_asked() const { return leases_asked_; }
    std::vector<std::string> events() {
        const std::lock_guard lock{mutex_};
        return events_;
    }

private:
    std::optional<Said> answer(const Asked& asked) {
        if (asked.target == "/api/v1/runner/session") return Said{200, session};
        if (asked.target == "/api/v1/runner/heartbeat") return heartbeat();
        if (asked.target == "/api/v1/runner/lease") return lease();
        if (asked.target == "/api/v1/runner/input") return Said{200, archive};
        if (asked.target == "/api/v1/runner/revision") return ++revisions_sent_, Said{200, revision};
        const std::lock_guard lock{mutex_};
        if (asked.target == "/api/v1/runner/events") return events_.push_back(asked.body), Said{204, ""};
        if (asked.target != "/api/v1/runner/result") return Said{404, ""};
        results_.push_back(asked.body);
        changed_.notify_all();
        return result(static_cast<int>(results_.size()));
    }

    std::optional<Said> lease() {
        ++leases_asked_;
        std::unique_lock lock{mutex_};
        if (jobs_given_ == jobs) {  // Nothing more: the poll hangs until the test ends.
            changed_.wait_for(lock, patience, [&] { return closed_; });
            return std::nullopt;
        }
        ++jobs_given_;
        return Said{200, fmt::format(R"({{"token":{{"job":{},"attempt":1,"epoch":3}},"submission":"s","sha256":"{}","size":{},)"
                                     R"("revision":{{"id":5,"digest":"{}"}},"plan":{}}})",
                                     jobs_given_, sys::sha256_hex(bytes_of("bytes of a submission")), archive.size(),
                                     sys::sha256_hex(bytes_of("bytes of a revision")),
                                     model::to_json(small_plan()))};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    int jobs_given_ = 0;
    std::atomic<int> revisions_sent_{0};
    std::atomic<int> leases_asked_{0};
    std::vector<std::string> results_;
    std::vector<std::string> events_;
    std::vector<std::unique_ptr<sys::Fd>> ends_;
    std::vector<std::jthread> threads_;
};

// The runner beside the test; `ended` becomes readable knowledge by joining.
class RunnerThread {
public:
    RunnerThread(ScriptedServer& server, int slots, Evaluator evaluate)
        : evaluate_{std::move(evaluate)}, thread_{[this, sockets = server.connect(slots)]() mutable {
              result_ = serve_leases(std::move(sockets), "local", evaluate_);
          }} {}
    Result<> join() {
        thread_.join();
        return result_;
    }

private:
    Evaluator evaluate_;
    Result<> result_ = ok;
    std::thread thread_;
};

std::string content_of(int fd) {
    const sys::Fd copy{fd};
    std::array<std::byte, 100> buffer;
    const auto got = sys::read_at(copy, buffer, 0);
    const_cast<sys::Fd&>(copy).release();
    return std::string{text_of(std::span{buffer}.first(*got))};
}

// Stands in for an evaluation that goes on until it is told to stop.
Result<model::Report> run_until_stopped(const std::atomic<bool>& stop, int wake_fd) {
    sys::Fd wake{wake_fd};
    const auto woken = sys::wait_readable(wake, sys::system_clock().now() + patience);
    wake.release();
    EXPECT_TRUE(woken && *woken) << "nothing woke the evaluation";
    EXPECT_TRUE(stop);
    return Error{Fault::interrupted, "stopped"};
}

TEST(Session, LeasesFetchesEvaluatesAndReports) {
    ScriptedServer server;
    RunnerThread runner{server, 1, [](int slot, const Work& work, const auto&, int, const auto& told) -> Result<model::Report> {
        EXPECT_EQ(slot, 0);
        EXPECT_EQ(work.plan.stages.at(0).name, "build");
        EXPECT_EQ(content_of(work.submission), "bytes of a submission");
        EXPECT_EQ(content_of(work.revision), "bytes of a revision");
        told({"build", "", {}, {}});
        model::StageReport build;
        build.name = "build";
        told({"build", "", build, {}});
        model::Report report;
        report.verdict = model::Verdict::passed;
        return report;
    }};
    const std::string result = server.wait_for_result();
    EXPECT_TRUE(result.starts_with(R"({"token":{"job":1,"attempt":1,"epoch":3},"report":{)")) << result;
    EXPECT_TRUE(result.contains(R"("verdict":"passed")")) << result;
    EXPECT_TRUE(result.contains(R"("runner":"local")")) << result;
    const auto events = server.events();
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0], event_request({1, 1, 3}, 1, "build", ""));
    EXPECT_TRUE(events[1].contains(R"("sequence":2,"stage":"build","test":"","report":{)")) << events[1];
    server.close();
    EXPECT_TRUE(runner.join());
}

// Beginnings of tests may be left out; that one waits never is, nor that it waits no longer.
TEST(Session, TellsWhyATestHasNotBegunAndThatItHas) {
    ScriptedServer server;
    RunnerThread runner{server, 1, [](int, const Work&, const auto&, int, const auto& told) -> Result<model::Report> {
                            told({"tests", "", {}, {}});
                            told({"tests", "adds", {}, {}});  // Too soon to be told.
                            told({"tests", "adds", {}, model::Reason::pressure});
                            told({"tests", "adds", {}, {}});
                            return model::Report{};
                        }};
    (void)server.wait_for_result();
    const auto events = server.events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1], event_request({1, 1, 3}, 2, "tests", "adds", {}, model::Reason::pressure));
    EXPECT_EQ(events[2], event_request({1, 1, 3}, 3, "tests", "adds"));
    server.close();
    EXPECT_TRUE(runner.join());
}

TEST(Session, ARevisionIsFetchedOnce) {
    ScriptedServer server;
    server.jobs = 3;
    RunnerThread runner{server, 1, [](auto&&...) { return model::Report{}; }};
    EXPECT_TRUE(server.wait_for_result(3).contains(R"("job":3)"));
    EXPECT_EQ(server.revisions_sent(), 1);
    server.close();
    EXPECT_TRUE(runner.join());
}

TEST(Session, AnErrorOfOursIsAFaultOfTheAttempt) {
    ScriptedServer server;
    RunnerThread runner{server, 1, [](auto&&...) -> Result<model::Report> { return Error{Fault::internal, "no room at all"}; }};
    EXPECT_EQ(server.wait_for_result(), fault_request({1, 1, 3}, "no room at all"));
    server.close();
    EXPECT_TRUE(runner.join());
}

// Bytes that changed on their way must never be graded.
TEST(Session, WrongBytesAreAFaultAndAreNotEvaluated) {
    ScriptedServer server;
    server.archive = "other bytes altogether";
    std::atomic<bool> evaluated{false};
    RunnerThread runner{server, 1, [&](auto&&...) { return evaluated = true, model::Report{}; }};
    EXPECT_TRUE(server.wait_for_result().contains("digest"));
    EXPECT_FALSE(evaluated);
    server.close();
    EXPECT_TRUE(runner.join());
}

// A stale token's report is worth nothing, but the runner itself is fine and takes the next job.
TEST(Session, AFencedResultIsDroppedAndWorkGoesOn) {
    ScriptedServer server;
    server.jobs = 2;
    server.result = [](int tries) { return tries == 1 ? Said{409, R"({"code":"fenced"})"} : Said{200, "{}"}; };
    RunnerThread runner{server, 1, [](auto&&...) { return model::Report{}; }};
    EXPECT_TRUE(server.wait_for_result(2).contains(R"("job":2)"));
    server.close();
    EXPECT_TRUE(runner.join());
}

TEST(Session, AServerInTroubleGetsTheResultAgain) {
    ScriptedServer server;
    server.result = [](int tries) { return tries == 1 ? Said{503, "{}"} : Said{200, "{}"}; };
    RunnerThread runner{server, 1, [](auto&&...) { return model::Report{}; }};
    EXPECT_EQ(server.wait_for_result(1), server.wait_for_result(2));
    server.close();
    EXPECT_TRUE(runner.join());
}

// Without this the reason would be lost with the connection, and the next attempt would end the same way.
TEST(Session, AReportThatTheServerCannotReadBecomesAFaultThatSaysSo) {
    ScriptedServer server;
    server.result = [](int tries) { return tries == 1 ? Said{400, "'report' is odd"} : Said{200, "{}"}; };
    RunnerThread runner{server, 1, [](auto&&...) { return model::Report{}; }};
    const std::string fault = server.wait_for_result(2);
    EXPECT_TRUE(fault.contains("\"fault\":")) << fault;
    EXPECT_TRUE(fault.contains("'report' is odd")) << fault;
    server.close();
    EXPECT_TRUE(runner.join());
}

TEST(Session, AHeartbeatCanDropOneJobWithoutEndingTheSession) {
    ScriptedServer server;
    server.jobs = 2;
    server.heartbeat = [] { return Said{200, R"({"drop":[{"job":1,"attempt":1,"epoch":3}],"drain":false})"}; };
    RunnerThread runner{server, 1, [calls = 0](int, const Work&, const auto& stop, int wake, const auto&) mutable {
        return ++calls == 1 ? run_until_stopped(stop, wake) : Result<model::Report>{model::Report{}};
    }};
    EXPECT_TRUE(server.wait_for_result(1).contains(R"("job":2)"));
    server.close();
    EXPECT_TRUE(runner.join());
}

class SessionEnds : public testing::TestWithParam<std::pair<const char*, Said>> {};

// Each of these means that the work is no longer ours: it stops, nothing is reported, the runner ends.
TEST_P(SessionEnds, AndStopsAllWork) {
    ScriptedServer server;
    server.result = [](int) {
        ADD_FAILURE() << "a stopped job was reported";
        return Said{200, "{}"};
    };
    std::atomic<bool> working{false};
    server.heartbeat = [&] { return working ? GetParam().second : Said{200, R"({"drop":[],"drain":false})"}; };
    RunnerThread runner{server, 2, [&](int, const Work&, const auto& stop, int wake, const auto&) {
        working = true;
        return run_until_stopped(stop, wake);
    }};
    EXPECT_TRUE(runner.join());
    EXPECT_TRUE(working);
}

INSTANTIATE_TEST_SUITE_P(Heartbeat, SessionEnds,
                         testing::Values(std::pair{"drain", Said{200, R"({"drop":[],"drain":true})"}},
                                         std::pair{"replaced", Said{409, R"({"code":"fenced"})"}},
                                         std::pair{"nonsense", Said{200, "what?"}},
                                         std::pair{"trouble_too_long", Said{503, "{}"}}),
                         [](const auto& info) { return std::string{info.param.first}; });

TEST(Session, EndsWithTheServersConnections) {
    ScriptedServer server;
    RunnerThread runner{server, 1, [&](int, const Work&, const auto& stop, int wake, const auto&) {
        server.close();
        return run_until_stopped(stop, wake);
    }};
    EXPECT_TRUE(runner.join());
}

TEST(Session, DoesNotBeginOnAnAnswerItCannotRead) {
    ScriptedServer server;
    server.session = "{}";
    RunnerThread runner{server, 1, [](auto&&...) { return model::Report{}; }};
    EXPECT_FALSE(runner.join());
    EXPECT_EQ(server.leases_asked(), 0);
}

}  // namespace
}  // namespace assay::runner
