// A sandbox that is offered and taken (protocol.hh), by clients that do not keep to what was agreed.
#include <unistd.h>

#include "sandbox/command.hh"
#include "sandbox/fixture.hh"
#include "sandbox/protocol.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

using namespace std::chrono_literals;

class Offered : public SandboxTest {
protected:
    void SetUp() override {
        SandboxTest::SetUp();
        if (IsSkipped()) return;
        auto pair = sys::socket_pair(sys::PairKind::seqpacket).value();
        job_ = std::move(pair.first);
        const sys::Fd helper = connect_client(helper_).value();
        ToHelper open{};
        open.kind = ToHelper::Kind::open_job;
        open.memory_max_bytes = 256LL << 20;
        const int passed[] = {pair.second.get()};
        ASSERT_TRUE(send(helper, open, passed));
        pair.second.reset();
        ASSERT_EQ(next(FromKeeper::Kind::opened).message.failed, 0U);
        ASSERT_EQ(answer_to(order({"/bin/true"})).failed, 0U);
        offer_ = next(FromKeeper::Kind::offered);
        ASSERT_EQ(offer_.descriptors.size(), 3U);
    }
    void TearDown() override {
        offer_ = {};
        job_.reset();
        SandboxTest::TearDown();
    }

    static ToKeeper order(const std::vector<std::string>& command) {
        ToKeeper order{};
        order.kind = ToKeeper::Kind::run;
        order.limits = {.memory_bytes = 64LL << 20, .disk_bytes = 16LL << 20};
        EXPECT_TRUE(order.stage.set("test"));
        if (!command.empty()) EXPECT_TRUE(place_command(pack_command(command, {}, "/work"), order.command));
        return order;
    }
    static ToKeeper taken() {
        ToKeeper taken = order({});
        taken.taken = 1;
        taken.taken_ns = sys::system_clock().now().time_since_epoch().count();
        return taken;
    }
    // The first message of that kind; those before it are passed over.
    Received<FromKeeper> next(FromKeeper::Kind kind) {
        for (;;) {
            const Result<bool> there = sys::wait_readable(job_, sys::system_clock().now() + 20s * patience());
            if (!there || !*there) {
                ADD_FAILURE() << "no message of kind " << static_cast<int>(kind);
                return {};
            }
            Result<Received<FromKeeper>> message = receive<FromKeeper>(job_);
            if (!message) {
                ADD_FAILURE() << message.error().text();
                return {};
            }
            if (message->message.kind == kind) return std::move(*message);
        }
    }
    FromKeeper answer_to(const ToKeeper& order) {
        EXPECT_TRUE(send(job_, order));
        return next(FromKeeper::Kind::finished).message;
    }
    // Tells the launcher that waits, and nobody else.
    void start(const std::vector<std::string>& command) {
        Assignment assignment{.rlimits = offer_.message.rlimits, .has_stdin = 0, .command = order(command).command};
        ASSERT_TRUE(send(offer_.descriptors[0], assignment));
    }
    // Of what was started: until everything that could write it is gone.
    std::string output() {
        std::string text;
        char piece[256];
        while (sys::wait_readable(offer_.descriptors[1], sys::system_clock().now() + 20s * patience()).value()) {
            const ssize_t size = ::read(offer_.descriptors[1].get(), piece, sizeof piece);
            if (size <= 0) return text;
            text.append(piece, static_cast<std::size_t>(size));
        }
        return text + " (and still open)";
    }

    sys::Fd job_;
    Received<FromKeeper> offer_;
};

TEST_F(Offered, BeginsWhenItsLauncherIsToldAndIsCountedFromThen) {
    start({"/bin/echo", "told"});
    const FromKeeper answer = answer_to(taken());
    EXPECT_EQ(answer.failed, 0U) << answer.fault.view();
    EXPECT_EQ(answer.started, 1U);
    EXPECT_EQ(answer.code, 0);
    EXPECT_GT(answer.wall_ms, 0);
    EXPECT_EQ(output(), "told\n");
}

TEST_F(Offered, IsEndedWhenNobodySaysThatItWasTaken) {
    start({"/bin/sh", "-c", "echo begun; exec sleep 600"});
    EXPECT_EQ(output(), "begun\n");
    const FromKeeper after = answer_to(order({"/bin/true"}));
    EXPECT_EQ(after.failed, 0U) << after.fault.view();
    EXPECT_EQ(after.code, 0);
}

TEST_F(Offered, IsNotRunUnderOtherLimits) {
    start({"/bin/sh", "-c", "echo begun; exec sleep 600"});
    ToKeeper more = taken();
    more.limits.memory_bytes *= 2;
    EXPECT_EQ(answer_to(more).failed, 1U);
    EXPECT_THAT(output(), ::testing::AnyOf("begun\n", ""));
    EXPECT_EQ(answer_to(order({"/bin/true"})).failed, 0U);
}

TEST_F(Offered, StandsUntilTheNextOrderAlone) {
    ASSERT_EQ(answer_to(order({"/bin/true"})).failed, 0U);
    ToKeeper again = taken();
    again.limits.wall_ms = 500;
    const FromKeeper late = answer_to(again);  // Of none, or of the next one, whose launcher was told nothing: it would wait for ever.
    EXPECT_TRUE(late.failed == 1 || late.wall_exceeded == 1) << late.fault.view();
}

// A clock that a client made up neither gives a command more time nor takes any from it.
TEST_F(Offered, BeganNoEarlierThanItWasOfferedAndNoLaterThanWeHeard) {
    start({"/bin/true"});
    ToKeeper early = taken();
    early.taken_ns = 0;
    const FromKeeper answer = answer_to(early);
    EXPECT_EQ(answer.failed, 0U);
    EXPECT_EQ(answer.wall_exceeded, 0U);
    EXPECT_LT(answer.wall_ms, 20'000 * patience());
}

TEST_F(Offered, OnlyToPlainCommands) {
    const std::function<void(ToKeeper&)> changes[] = {[](ToKeeper& o) { o.trusted = 1; }, [](ToKeeper& o) { o.has_stdin = 1; },
                                                      [](ToKeeper& o) { o.stdin_pipe = 1; }, [](ToKeeper& o) { o.command.size = 8; },
                                                      [](ToKeeper& o) { o.seal = o.again = 1; }, [](ToKeeper& o) { o.has_submission = 1; }};
    for (const auto& change : changes) {
        ToKeeper other = taken();
        change(other);
        EXPECT_FALSE(check(other, static_cast<std::size_t>(other.has_stdin + other.has_submission), false));
    }
    EXPECT_TRUE(check(taken(), 0, false));
}

}  // namespace
}  // namespace assay::sandbox::testing
