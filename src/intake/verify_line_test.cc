#include "intake/verify_line.hh"

#include <gtest/gtest.h>

#include <future>
#include <string>

namespace assay::intake {
namespace {

using namespace std::chrono_literals;
using Turned = std::expected<VerifyLine::Seat, NoTurn>;

class VerifyLineTest : public ::testing::Test {
protected:
    // In line when it returns.
    std::future<Turned> come(const std::string& who, sys::Duration patience = 1h, bool holds_file = true) {
        const auto answer = std::make_shared<std::promise<Turned>>();
        std::promise<void> asked;
        loop.post([&] {
            loop::start<Turned>(line.turn({CourseId{"C"}, ParticipantId{who}}, holds_file, sys::system_clock().now() + patience),
                                [answer](Turned turned) { answer->set_value(std::move(turned)); });
            asked.set_value();
        });
        asked.get_future().wait();
        return answer->get_future();
    }

    VerifyLine line{{.seats = 1, .files_max = 2}};
    loop::Loop loop;
};

TEST_F(VerifyLineTest, ASeatGoesFromOneToTheNext) {
    auto first = come("flood");
    auto second = come("flood");
    auto other = come("a");
    std::optional<Turned> seat = first.get();
    ASSERT_TRUE(*seat);
    EXPECT_EQ(other.wait_for(0s), std::future_status::timeout);
    seat.reset();  // On a thread that is no loop.
    seat.emplace(other.get());
    ASSERT_TRUE(*seat);
    EXPECT_EQ(second.wait_for(0s), std::future_status::timeout);
    seat.reset();
    EXPECT_TRUE(second.get());
    EXPECT_EQ(line.oldest_ms(), 0);
}

TEST_F(VerifyLineTest, WhoseTurnDoesNotComeInTimeIsTold) {
    std::optional<Turned> seat = come("flood").get();
    auto kept = come("a");
    const Turned late = come("a", 0s).get();
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().why, NoTurn::Why::too_late);
    EXPECT_EQ(late.error().own, 1u);
    seat.reset();
    EXPECT_TRUE(kept.get());
}

TEST_F(VerifyLineTest, WhoHasToGoForWantOfRoomIsTold) {
    const Turned seat = come("flood").get();
    auto kept = come("flood");
    auto newest = come("flood");
    auto other = come("a");
    const Turned out = newest.get();
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().why, NoTurn::Why::no_room);
    EXPECT_EQ(out.error().own, 1u);
    line.stop();
    for (auto* const waits : {&kept, &other}) {
        const Turned stopped = waits->get();
        ASSERT_FALSE(stopped);
        EXPECT_EQ(stopped.error().why, NoTurn::Why::stopping);
    }
    EXPECT_EQ(come("b").get().error().why, NoTurn::Why::stopping);
}

}  // namespace
}  // namespace assay::intake
