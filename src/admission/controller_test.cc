#include "admission/controller.hh"

#include <gtest/gtest.h>

namespace assay::admission {
namespace {

constexpr std::int64_t total = 1000 << 20;

// A machine that is well, and what of it is not.
struct Moment {
    double available = 0.5;
    Stall memory{};
    Stall io{};
    double refaults = 0;
    std::optional<std::int64_t> sync_ms{};
    Stall cpu{};
    std::vector<JobMemory> jobs{};
    bool blind = false;

    Samples samples() const {
        Samples s;
        s.seconds = 1;
        s.blind = blind;
        if (!blind) {
            s.cpu = cpu;
            s.memory_stall = memory;
            s.io = io;
        }
        s.memory = Memory{.total_bytes = total, .available_bytes = static_cast<std::int64_t>(available * total)};
        s.refaults_per_s = refaults;
        s.sync_ms = sync_ms;
        s.jobs = jobs;
        return s;
    }
};

class Play {
public:
    Decision pass(const Moment& moment, sys::Duration after = 1s) {
        now_ += after;
        Step step = decide(moment.samples(), now_, state_);
        state_ = step.state;
        return step.decision;
    }

private:
    sys::TimePoint now_{1h};
    State state_;
};

const Moment thrash{.available = 0.05, .memory = {0.5, 0.3}, .io = {0.9, 0.6}, .refaults = 3000};

TEST(Controller, LevelsByWhatIsSeen) {
    const struct {
        const char* what;
        Moment moment;
        int level;
        Resource resource = Resource::memory;
    } cases[] = {
        {"an idle machine", {}, 0},
        {"processors that are all taken are what a machine that grades is for", {.cpu = {1, 0.9}}, 0},
        {"a cache that is refilled", {.available = 0.3, .memory = {0.4, 0.3}, .io = {0.9, 0.8}}, 0},
        {"a program that thrashes below its own limit", {.available = 0.6, .memory = {0.9, 0.3}, .refaults = 5000}, 0},
        {"a disk that is busy, and still quick", {.io = {1, 0.9}, .sync_ms = 120}, 0},
        {"stalls, and little left", {.available = 0.15, .memory = {0.08, 0}}, 1},
        {"little left, and nobody waits for it", {.available = 0.06}, 0},
        {"hardly anything left", {.available = 0.04}, 1},
        {"everything waits for memory", {.available = 0.11, .memory = {0.3, 0.12}}, 2},
        {"the same, booked as io", {.available = 0.11, .memory = {0.06, 0.01}, .io = {0.9, 0.5}, .refaults = 800}, 2},
        {"nothing left", {.available = 0.02}, 2},
        {"no pressure figures, a tenth left", {.available = 0.11, .blind = true}, 0},
        {"no pressure figures, less", {.available = 0.09, .blind = true}, 1},
        {"no pressure figures, next to nothing", {.available = 0.04, .blind = true}, 2},
        {"receipts wait two seconds", {.sync_ms = 2000}, 1, Resource::disk},
        {"receipts wait ten", {.sync_ms = 10'000}, 2, Resource::disk},
        {"both: the worse is named", {.available = 0.04, .sync_ms = 10'000}, 2, Resource::disk},
    };
    for (const auto& c : cases) {
        const Decision decision = Play{}.pass(c.moment);
        EXPECT_EQ(decision.level, c.level) << c.what;
        if (c.level > 0) EXPECT_EQ(decision.resource, c.resource) << c.what;
        EXPECT_EQ(decision.changed, c.level > 0) << c.what;
        EXPECT_FALSE(decision.end_slot) << c.what;
    }
}

// What the kernel does not tell can neither raise anything nor be called calm by guess.
TEST(Controller, WithoutAnyFigureNothingIsDecided) {
    const Step step = decide({}, sys::TimePoint{1h}, {});
    EXPECT_EQ(step.decision.level, 0);
}

// Up at once; down when ten seconds passed in which nothing would have kept it.
TEST(Controller, ComesDownOnlyAfterTenCalmSeconds) {
    Play play;
    EXPECT_EQ(play.pass({.available = 0.15, .memory = {0.08, 0}}).level, 1);
    for (int i = 0; i < 9; ++i) EXPECT_EQ(play.pass({}).level, 1);
    EXPECT_EQ(play.pass({.available = 0.15, .memory = {0.03, 0}}).level, 1);  // Too little to begin it, enough to keep it.
    for (int i = 0; i < 10; ++i) EXPECT_EQ(play.pass({}).level, 1) << i;
    const Decision calm = play.pass({});
    EXPECT_EQ(calm.level, 0);
    EXPECT_TRUE(calm.changed);
}

TEST(Controller, ComesDownOneLevelWhereTheLowerOneIsStillSo) {
    Play play;
    EXPECT_EQ(play.pass({.available = 0.02}).level, 2);
    const Moment low{.available = 0.045};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(play.pass(low).level, 2);
    EXPECT_EQ(play.pass(low).level, 1);
    for (int i = 0; i < 60; ++i) EXPECT_EQ(play.pass({.available = 0.055}).level, 1);  // Within the margin of the bound.
}

TEST(Controller, EndsTheJobThatGrowsMostOnceConfirmed) {
    Moment moment = thrash;
    moment.jobs = {{.slot = 0, .anonymous_bytes = 900 << 20, .grown_bytes = 1 << 20},  // Large, and was so before.
                   {.slot = 2, .anonymous_bytes = 200 << 20, .grown_bytes = 190 << 20},
                   {.slot = 3, .anonymous_bytes = 60 << 20, .grown_bytes = 60 << 20}};
    Play play;
    const Decision first = play.pass(moment, 200ms);
    EXPECT_EQ(first.level, 2);
    EXPECT_FALSE(first.end_slot) << "a trigger alone";
    EXPECT_FALSE(play.pass(moment, 200ms).end_slot);
    EXPECT_FALSE(play.pass(moment, 200ms).end_slot);
    const Decision confirmed = play.pass(moment, 200ms);
    EXPECT_EQ(confirmed.level, 3);
    EXPECT_EQ(confirmed.end_slot, 2);
    // It needs time to go, and refaults to decay: nobody else is ended meanwhile.
    for (int i = 0; i < 99; ++i) EXPECT_FALSE(play.pass(moment, 200ms).end_slot) << i;
    EXPECT_TRUE(play.pass(moment, 200ms).end_slot);
}

// Memory that comes back while we look ends nothing, however bad the moment before was.
TEST(Controller, ALookThatDoesNotConfirmBeginsAnew) {
    Play play;
    Moment moment = thrash;
    moment.jobs = {{.slot = 1, .anonymous_bytes = 500 << 20, .grown_bytes = 500 << 20}};
    Moment relief = moment;
    relief.refaults = 20;
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(play.pass(moment, 200ms).end_slot);
        EXPECT_FALSE(play.pass(moment, 200ms).end_slot);
        EXPECT_FALSE(play.pass(relief, 200ms).end_slot);
    }
}

// The hog may be nobody's job: then the explanation says so, and no bystander pays.
TEST(Controller, EndsNobodyWhenNoJobGrows) {
    Play play;
    Moment moment = thrash;
    moment.jobs = {{.slot = 0, .anonymous_bytes = 400 << 20, .grown_bytes = 2 << 20}};
    Decision decision;
    for (int i = 0; i < 5; ++i) decision = play.pass(moment, 200ms);
    EXPECT_EQ(decision.level, 3);
    EXPECT_TRUE(decision.nobody_to_end);
    EXPECT_FALSE(decision.end_slot);
}

TEST(Controller, SaysWhatItRestsOn) {
    const Decision decision = Play{}.pass({.available = 0.15, .memory = {0.08, 0.01}, .refaults = 12});
    EXPECT_TRUE(evidence_text(decision).starts_with("memory_available_ratio 0.15, memory_some_ratio 0.08, memory_full_ratio 0.01"))
        << evidence_text(decision);
    EXPECT_TRUE(evidence_text(decision).contains("refaults_per_s 12"));
}

}  // namespace
}  // namespace assay::admission
