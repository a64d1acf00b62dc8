#include "sandbox/pressure.hh"

#include <gtest/gtest.h>

namespace assay::sandbox::testing {
namespace {

TEST(Timing, IsTrustedUnlessTheMachineCouldHaveStretchedIt) {
    constexpr std::int64_t ms = 1'000;
    const Stalls base{.cpu_us = 700 * ms,
                      .memory_us = 20 * ms,
                      .io_us = 10 * ms,
                      .stolen_us = 5'000 * ms,
                      .throttled_us = 0,
                      .busy_us = 90'000 * ms,
                      .own_us = 300 * ms};
    struct Case {
        const char* name;
        Stalls grown;
        std::int64_t wall_us;
        bool expected;
    };
    const Case cases[] = {
        {"a quiet machine",
         {.cpu_us = 0, .memory_us = 0, .io_us = 0, .stolen_us = 0, .throttled_us = 0},
         1000 * ms,
         true},
        {"a tenth is allowed", {.cpu_us = 100 * ms}, 1000 * ms, true},
        {"more than a tenth is not", {.cpu_us = 100 * ms + 1}, 1000 * ms, false},
        {"waiting for memory", {.memory_us = 200 * ms}, 1000 * ms, false},
        {"waiting for a disk", {.io_us = 200 * ms}, 1000 * ms, false},
        {"a hypervisor gave the CPU to another", {.stolen_us = 200 * ms}, 1000 * ms, false},
        {"kinds do not add up, since one wait may be both",
         {.cpu_us = 60 * ms, .memory_us = 60 * ms, .io_us = 60 * ms},
         1000 * ms,
         true},
        {"a short program and less than can be told", {.cpu_us = 5 * ms}, 6 * ms, true},
        {"a short program and more", {.cpu_us = 5 * ms + 1}, 6 * ms, false},
        {"held back by its own limit", {.cpu_us = 500 * ms, .throttled_us = 495 * ms}, 1000 * ms, true},
        {"more threads than CPUs on a machine that is its own",
         {.cpu_us = 900 * ms, .busy_us = 2040 * ms, .own_us = 1990 * ms},
         1000 * ms,
         true},
        {"the same beside others", {.cpu_us = 900 * ms, .busy_us = 2040 * ms, .own_us = 1900 * ms}, 1000 * ms, false},
        {"one thread that others keep from a CPU",
         {.cpu_us = 400 * ms, .busy_us = 2000 * ms, .own_us = 600 * ms},
         1000 * ms,
         false},
        {"others that are busy on CPUs it does not want",
         {.cpu_us = 10 * ms, .busy_us = 2000 * ms, .own_us = 1000 * ms},
         1000 * ms,
         true},
        {"counters that do not quite agree",
         {.cpu_us = 900 * ms, .busy_us = 1980 * ms, .own_us = 1990 * ms},
         1000 * ms,
         true},
        {"held back by its own limit and by others", {.cpu_us = 500 * ms, .throttled_us = 300 * ms}, 1000 * ms, false},
    };
    for (const Case& one : cases) {
        const auto plus = [](const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) { return std::optional{*a + b.value_or(0)}; };
        const Stalls after{.cpu_us = plus(base.cpu_us, one.grown.cpu_us),
                           .memory_us = plus(base.memory_us, one.grown.memory_us),
                           .io_us = plus(base.io_us, one.grown.io_us),
                           .stolen_us = plus(base.stolen_us, one.grown.stolen_us),
                           .throttled_us = plus(base.throttled_us, one.grown.throttled_us),
                           .busy_us = one.grown.busy_us ? plus(base.busy_us, one.grown.busy_us) : std::nullopt,
                           .own_us = plus(base.own_us, one.grown.own_us)};
        EXPECT_EQ(timing_is_trustworthy(base, after, one.wall_us), one.expected) << one.name;
    }
}

// What is read in again and again is thrown out for want of memory that it may have, and not for others.
TEST(Timing, OfAProgramAtItsMemoryLimitIsItsOwn) {
    constexpr std::int64_t ms = 1'000, limit = 64 << 20;
    const Stalls before{
        .of_group = true, .cpu_us = 0, .memory_us = 100 * ms, .io_us = 0, .stolen_us = 0, .refaulted_bytes = 1 << 20};
    Stalls waited = before;  // for memory, as the kernel calls it
    waited.memory_us = waited.io_us = 900 * ms;
    Stalls read = before;  // what it had read before
    read.io_us = 700 * ms;
    read.refaulted_bytes = 40 << 20;
    for (const auto& [after, stalled_us] : {std::pair{waited, 800 * ms}, {read, 700 * ms}}) {
        EXPECT_EQ(timing_is_trustworthy(before, after, 1000 * ms), false);
        EXPECT_EQ(timing_is_trustworthy(before, after, 1000 * ms, limit), true);
        EXPECT_EQ(memory_stalled_us(before, after, limit), stalled_us);
        Stalls beside_others = after;
        beside_others.stolen_us = 200 * ms;
        EXPECT_EQ(timing_is_trustworthy(before, beside_others, 1000 * ms, limit), false);
        Stalls machine = before, later = after;  // of which nobody knows whose it was
        machine.of_group = later.of_group = false;
        EXPECT_EQ(timing_is_trustworthy(machine, later, 1000 * ms, limit), false);
        EXPECT_EQ(memory_stalled_us(machine, later, limit), std::nullopt);
    }
    Stalls large_file = read;  // whose pages fill its memory and are not needed again
    large_file.refaulted_bytes = 2 << 20;
    EXPECT_EQ(timing_is_trustworthy(before, large_file, 1000 * ms, limit), false);
    EXPECT_EQ(memory_stalled_us(before, large_file, limit), 0);
}

TEST(Timing, IsNotJudgedWhereTheKernelSaysNothing) {
    EXPECT_EQ(timing_is_trustworthy({}, {}, 1'000'000), std::nullopt);
    EXPECT_EQ(timing_is_trustworthy({.cpu_us = 1}, {}, 1'000'000), std::nullopt);
    // What is not told is not held against it.
    EXPECT_EQ(timing_is_trustworthy({.cpu_us = 1}, {.cpu_us = 1, .io_us = 900'000}, 1'000'000), true);
}

TEST(Pressure, IsReadFromTheKernelsFiles) {
    EXPECT_EQ(total_stalled_us("some avg10=0.00 avg60=1.31 avg300=2.81 total=134835117\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"), 134835117);
    for (const char* const text : {"", "some avg10=0.00\n", "full avg10=0.00 total=7\n", "some total=-5", "some total=\nfull total=3"}) {
        EXPECT_EQ(total_stalled_us(text), std::nullopt) << text;
    }
    EXPECT_EQ(stolen_us("cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 800 9 10\n", 100), 800'000);
    for (const char* const text : {"", "cpu", "cpu  1 2 3\n", "intr 1 2 3 4 5 6 7 8 9 10 11 12"}) EXPECT_EQ(stolen_us(text, 100), std::nullopt) << text;
    EXPECT_EQ(busy_us("cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 800 9 10\n", 100), 190'000);
    EXPECT_EQ(busy_us("cpu  1 2 3 4 5 6\n", 100), std::nullopt);
}

}  // namespace
}  // namespace assay::sandbox::testing
