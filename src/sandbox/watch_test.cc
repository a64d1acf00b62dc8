#include "sandbox/watch.hh"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "sandbox/launch.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace assay::sandbox {
namespace {

using namespace std::chrono_literals;

TEST(NextLook, IsTheEarliestMomentALimitCanBePassed) {
    constexpr std::int64_t ms = 1'000'000;
    const TimeLimits limits{.cpu_ns = 1000 * ms, .wall_ns = 5000 * ms, .cores = 2};
    EXPECT_EQ(next_look(limits, 0, 0).wait, 490ms) << "each core may be charged with a tick less than it has done";
    EXPECT_EQ(next_look(limits, 979 * ms, 600 * ms).wait, 500us);
    EXPECT_EQ(next_look(limits, 980 * ms, 600 * ms).wait, 10ms) << "near the limit the account is settled";
    EXPECT_EQ(next_look(limits, 990 * ms, 600 * ms).wait, 5ms);
    EXPECT_EQ(next_look(limits, 0, 4900 * ms).wait, 100ms);
    EXPECT_EQ(next_look(limits, 1000 * ms - 1, 0).wait, 200us);
    EXPECT_EQ(next_look(limits, 1000 * ms, 0).over, TimeOut::cpu);
    EXPECT_EQ(next_look(limits, 0, 5000 * ms).over, TimeOut::wall);
}

// Of what runs on another processor the kernel knows what it had used at the last tick there.
TEST(Account, OfWhatRunsElsewhereIsSettledWhenAsked) {
    cpu_set_t all;
    ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
    std::vector<std::size_t> cpus;
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &all)) cpus.push_back(cpu);
    }
    struct {
        std::uint32_t size, policy;
        std::uint64_t flags;
        std::int32_t nice;
        std::uint32_t priority;
        std::uint64_t runtime, deadline, period;
    } turns{};
    ASSERT_EQ(::syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0), 0);
    if (turns.runtime == 0) GTEST_SKIP() << "Linux before 6.12";
    if (cpus.size() < 2) GTEST_SKIP() << "one processor: nothing runs elsewhere";
    const auto keep_to = [](std::size_t cpu) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return ::sched_setaffinity(0, sizeof one, &one) == 0;
    };
    const pid_t busy = ::fork();
    if (busy == 0) {
        if (keep_to(cpus.back())) {
            for (;;) asm volatile("");
        }
        ::_exit(1);
    }
    ASSERT_TRUE(keep_to(cpus.front()));
    const std::string place = "/proc/" + std::to_string(busy) + "/schedstat";
    const auto used_ns = [&] { return std::stoll(sys::read_file(place, 256).value()); };
    int unasked = 0, asked = 0;
    constexpr int enough = 100;
    const sys::TimePoint deadline = sys::system_clock().now() + 20s;
    while (asked < unasked + enough && sys::system_clock().now() < deadline) {  // It may not have its processor just now.
        const std::int64_t before = used_ns(), then = used_ns();
        settle_account(busy);
        unasked += then > before;
        asked += used_ns() > then;
    }
    EXPECT_GE(asked, unasked + enough) << unasked << " times it was known unasked";
    EXPECT_EQ(::kill(busy, SIGKILL), 0);
    EXPECT_EQ(::waitpid(busy, nullptr, 0), busy);
    ASSERT_EQ(::sched_setaffinity(0, sizeof all, &all), 0);
}

}  // namespace
}  // namespace assay::sandbox
