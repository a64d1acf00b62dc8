// Hundreds of seeded afternoons of figures that come and go at random, restarts and silences among them: whatever happens, each incident
// is told of once, and once more when it is over.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "alert/engine.hh"

namespace assay::alert {
namespace {

constexpr std::int64_t begin_ms = 1'760'000'000'000;
constexpr std::int64_t look_ms = 5000;

std::vector<Rule> rules() {
    std::vector<Rule> made;
    for (const RuleText& text : {RuleText{"a", "x > 1", 10'000, Severity::day, "", "c d"},
                                 RuleText{"b", "max(y, 1min) > 1", 0, Severity::wake, "shared"},
                                 RuleText{"c", "z > 1 and x < 5", 30'000, Severity::day, "shared"},
                                 RuleText{"d", "avg(x, 2min) > 0.5", 0, Severity::info}}) {
        made.push_back(rule_from(text).value());
    }
    return made;
}

struct Told {
    int firing = 0, resolved = 0, escalated = 0;
    std::int64_t fired_ms = 0;
    std::string cause;
};

class Day {
public:
    explicit Day(unsigned seed) : random_{seed}, engine_{std::make_unique<Engine>("box", rules())} {}

    void run() {
        for (int look = 0; look < 2000; ++look) {  // not quite three hours
            step(true);
            if (one_of(300)) restart();
            if (one_of(200))
                (void)engine_->silence({std::to_string(look), one_of(2) ? "*" : "shared", "x", "y", now_ms_,
                                        now_ms_ + 60'000 * (1 + pick(20))},
                                       now_ms_);
        }
        for (int look = 0; look < 1000; ++look) step(false);  // All quiet: whatever was told ends.
    }

    void check() const {
        for (const auto& [incident, it] : told_) {
            EXPECT_EQ(it.firing, 1) << incident;
            EXPECT_EQ(it.resolved, 1) << incident;
            EXPECT_LE(it.escalated, 1) << incident;
        }
        EXPECT_TRUE(engine_->incidents().empty());
        // Three changes of a cause within ten minutes are the most that is ever said.
        for (const auto& [cause, at] : changes_) {
            for (std::size_t i = 3; i < at.size(); ++i) EXPECT_GE(at[i] - at[i - 3], 600'000) << cause;
        }
    }
    std::size_t incidents() const { return told_.size(); }

private:
    unsigned pick(unsigned count) { return std::uniform_int_distribution<unsigned>{0, count - 1}(random_); }
    bool one_of(unsigned count) { return pick(count) == 0; }

    void step(bool lively) {
        for (const char* const name : {"x", "y", "z"}) {
            if (!lively) figures_.set(name, 0);
            else if (one_of(20)) figures_.set(name, pick(6));
        }
        Figures seen = figures_;
        if (lively && one_of(15)) seen = {};  // Could not be read.
        for (const Message& message : engine_->look(seen, now_ms_)) note(message);
        now_ms_ += look_ms;
    }

    void note(const Message& message) {
        EXPECT_TRUE(ids_.insert(message.id).second) << message.id;
        Told& it = told_[message.incident];
        it.cause = message.cause;
        if (message.kind == Message::Kind::firing) ++it.firing;
        if (message.kind == Message::Kind::resolved) {
            EXPECT_EQ(it.firing, 1) << "over, but never told of";
            EXPECT_GE(message.ended_ms, message.since_ms);
            ++it.resolved;
        }
        if (message.kind == Message::Kind::escalated) {
            EXPECT_EQ(it.resolved, 0);
            ++it.escalated;
        }
        if (message.kind == Message::Kind::firing || message.kind == Message::Kind::resolved)
            changes_[message.cause].push_back(message.at_ms);
        EXPECT_FALSE(message.parts.empty());
    }

    void restart() {
        auto next = std::make_unique<Engine>("box", rules());
        next->remember(engine_->memory(), now_ms_);
        engine_ = std::move(next);
    }

    std::mt19937 random_;
    std::unique_ptr<Engine> engine_;
    Figures figures_;
    std::int64_t now_ms_ = begin_ms;
    std::map<std::string, Told> told_;
    std::map<std::string, std::vector<std::int64_t>> changes_;
    std::set<std::string> ids_;
};

TEST(Simulation, EachIncidentIsToldOnceAndEndsOnce) {
    std::size_t incidents = 0;
    for (unsigned seed = 1; seed <= 150 && !::testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        Day day{seed};
        day.run();
        day.check();
        incidents += day.incidents();
    }
    EXPECT_GT(incidents, 700U);  // It was not about nothing.
}

}  // namespace
}  // namespace assay::alert
