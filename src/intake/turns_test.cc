// Whose archive is judged next: what is promised, by tables and against seeded floods.
#include "intake/turns.hh"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace assay::intake {
namespace {

using namespace std::chrono_literals;

Party party(const std::string& who) { return {CourseId{"C"}, ParticipantId{who}}; }

// Verifiers without a clock: archives come, are judged for a while in the order of turns, and are noted as they start.
class House {
public:
    struct Archive {
        std::string who;
        sys::Duration came{};
        sys::Duration takes{};
        std::size_t started_before_it = 0;  // archives that had started when it came
        std::optional<std::size_t> number;  // of its start
        std::size_t others_without = 0;     // who waited with none judged when it started beside another of its sender's
    };

    explicit House(std::size_t seats) : turns_{{.seats = seats}} {}

    // In the order of coming.
    void come(const std::string& who, sys::Duration at, sys::Duration takes) { archives_.push_back({who, at, takes, 0, {}, 0}); }

    void run() {
        std::size_t next = 0;
        while (next < archives_.size() || !judged_.empty()) {
            const bool end_first = !judged_.empty() && (next == archives_.size() || judged_.begin()->first <= archives_[next].came);
            if (end_first) {
                const auto [ends, index] = *judged_.begin();
                judged_.erase(judged_.begin());
                now_ = ends;
                --working_[archives_[index].who];
                turns_.ended(party(archives_[index].who), archives_[index].takes);
            } else {
                now_ = archives_[next].came;
                archives_[next].started_before_it = order_.size();
                turns_.join(party(archives_[next].who), false);
                ++waiting_[archives_[next].who];
                ++next;
            }
            while (const auto ticket = turns_.next()) start(*ticket - 1);
        }
    }

    const std::vector<Archive>& archives() const { return archives_; }
    // Names of who started, in order.
    std::string order() const {
        std::string names;
        for (const std::size_t index : order_) names += archives_[index].who;
        return names;
    }
    std::size_t starts_of(const std::string& who, std::size_t from, std::size_t to) const {
        return static_cast<std::size_t>(std::count_if(order_.begin() + static_cast<std::ptrdiff_t>(from), order_.begin() + static_cast<std::ptrdiff_t>(to),
                                                      [&](std::size_t index) { return archives_[index].who == who; }));
    }
    // How much of the first `starts` archives' time was theirs.
    sys::Duration time_of(const std::string& who, std::size_t starts) const {
        sys::Duration sum{};
        for (std::size_t i = 0; i < starts; ++i) sum += archives_[order_[i]].who == who ? archives_[order_[i]].takes : 0s;
        return sum;
    }

private:
    void start(std::size_t index) {
        Archive& archive = archives_[index];
        archive.number = order_.size();
        order_.push_back(index);
        --waiting_[archive.who];
        if (working_[archive.who] > 0) {
            for (const auto& [who, count] : waiting_) archive.others_without += count > 0 && working_[who] == 0 ? 1U : 0U;
        }
        ++working_[archive.who];
        judged_.emplace(now_ + archive.takes, index);
    }

    Turns turns_;
    sys::Duration now_{};
    std::vector<Archive> archives_;
    std::multimap<sys::Duration, std::size_t> judged_;  // by when they end
    std::vector<std::size_t> order_;
    std::map<std::string, int> waiting_;
    std::map<std::string, int> working_;
};

TEST(Turns, TheTableOfWhoComesNext) {
    struct Row {
        const char* why;
        std::size_t seats;
        std::vector<House::Archive> come;
        const char* order;
    };
    const auto at = [](const char* who, sys::Duration came, sys::Duration takes) { return House::Archive{who, came, takes, 0, {}, 0}; };
    const Row table[] = {
        {"one each: as they came", 1, {at("a", 0s, 1s), at("b", 1ms, 1s), at("c", 2ms, 1s)}, "abc"},
        {"who had a turn comes after who had none", 1, {at("a", 0s, 1s), at("a", 1ms, 1s), at("a", 2ms, 1s), at("b", 3ms, 1s)}, "abaa"},
        {"time counts, not archives", 1,
         {at("a", 0s, 3s), at("a", 1ms, 3s), at("b", 2ms, 1s), at("b", 3ms, 1s), at("b", 4ms, 1s), at("b", 5ms, 1s)}, "abbbab"},
        {"two seats: nobody has both while others wait", 2, {at("a", 0s, 2s), at("a", 1ms, 2s), at("a", 2ms, 2s), at("b", 3ms, 3s), at("c", 4ms, 1s)}, "aabca"},
        {"nobody else is there: both seats", 2, {at("a", 0s, 2s), at("a", 1ms, 2s), at("a", 2ms, 2s)}, "aaa"},
        {"to have been away earns nothing", 1,
         {at("b", 0s, 1s), at("a", 1ms, 1s), at("a", 2ms, 1s), at("a", 3ms, 1s), at("b", 2500ms, 1s), at("b", 2600ms, 1s)}, "baabab"},
        {"what nobody wanted costs nothing", 1,
         {at("a", 0s, 9s), at("a", 9s, 9s), at("b", 18s, 1s), at("a", 18100ms, 1s), at("b", 18200ms, 1s)}, "aabab"},
    };
    for (const Row& row : table) {
        House house{row.seats};
        for (const auto& it : row.come) house.come(it.who, it.came, it.takes);
        house.run();
        EXPECT_EQ(house.order(), row.order) << row.why;
    }
}

class TurnsOverTime : public ::testing::TestWithParam<unsigned> {};

// 4,000 slow archives of one participant, all at once, and six hundred people who hand in once each, now and then.
TEST_P(TurnsOverTime, AFloodOf4000CostsAnybodyAtMostOneArchiveMoreThanWhatIsBeingJudged) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    House house{static_cast<std::size_t>(pick(1, 4))};
    struct Coming {
        sys::Duration at;
        std::string who;
        sys::Duration takes;
    };
    std::vector<Coming> coming;
    for (int i = 0; i < 4000; ++i) coming.push_back({pick(0, 5'000) * 1ms, "flood", pick(2'000, 9'000) * 1ms});
    for (int i = 0; i < 600; ++i) coming.push_back({pick(0, 2'000'000) * 1ms, "p" + std::to_string(i), pick(1, 3'000) * 1ms});
    std::ranges::sort(coming, {}, &Coming::at);
    for (const Coming& it : coming) house.come(it.who, it.at, it.takes);
    house.run();
    for (const auto& it : house.archives()) {
        ASSERT_TRUE(it.number);
        EXPECT_EQ(it.others_without, 0u) << it.who;
        if (it.who != "flood") EXPECT_LE(house.starts_of("flood", it.started_before_it, *it.number), 1u) << it.who;
    }
}

// Everybody has far more in line than gets a turn, of very different lengths: the time is shared all the same.
TEST_P(TurnsOverTime, TimeIsSharedEquallyWhileAllWait) {
    std::mt19937 random{GetParam()};
    const auto pick = [&](int from, int to) { return std::uniform_int_distribution{from, to}(random); };
    House house{static_cast<std::size_t>(pick(1, 3))};
    const std::map<std::string, int> longest_ms{{"a", 9'000}, {"b", 900}, {"c", 90}, {"d", 3'000}};
    for (int i = 0; i < 2000; ++i) {
        for (const auto& [who, ms] : longest_ms) house.come(who, i * 1us, pick(ms / 2, ms) * 1ms);
    }
    house.run();
    for (std::size_t starts = 100; starts <= 1000; starts += 100) {
        for (const auto& [one, one_ms] : longest_ms) {
            for (const auto& [other, other_ms] : longest_ms) {
                const sys::Duration apart = house.time_of(one, starts) - house.time_of(other, starts);
                EXPECT_LE(apart, 2 * std::max(one_ms, other_ms) * 1ms) << one << " and " << other << " after " << starts;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, TurnsOverTime, ::testing::Range(1u, 9u));

// For want of room somebody goes who takes most of it, never a newcomer for his sake.
TEST(Turns, WhoHasMostFilesInLineLosesHisNewest) {
    Turns turns{{.seats = 1, .files_max = 4}};
    const auto come = [&turns](const char* who, bool holds_file = true) { return turns.join(party(who), holds_file); };
    EXPECT_EQ(come("flood").out, std::nullopt);  // 1
    EXPECT_EQ(come("flood").out, std::nullopt);  // 2
    EXPECT_EQ(come("flood").out, std::nullopt);  // 3
    EXPECT_EQ(come("a").out, std::nullopt);      // 4
    EXPECT_EQ(come("b").out, 3u);
    EXPECT_EQ(come("c", false).out, std::nullopt) << "it takes no room that is short";
    EXPECT_EQ(come("c").out, 2u);                // 7
    EXPECT_EQ(come("c").out, 8u) << "c has most by then";
    EXPECT_EQ(come("d").out, 9u) << "of equals the newcomer";
    EXPECT_EQ(turns.waiting(), 5u);
    EXPECT_EQ(turns.waiting_of(party("c")), 2u);
    EXPECT_EQ(turns.next(), 1u);
    EXPECT_EQ(turns.next(), std::nullopt) << "one seat";
    EXPECT_EQ(come("d").out, std::nullopt) << "what is judged does not wait";
    turns.ended(party("flood"), 1s);
    EXPECT_EQ(turns.next(), 4u);
}

TEST(Turns, WhoeverGivesUpIsPassedOver) {
    Turns turns{{.seats = 1}};
    EXPECT_EQ(turns.join(party("a"), true).ticket, 1u);
    EXPECT_EQ(turns.join(party("b"), true).ticket, 2u);
    EXPECT_EQ(turns.join(party("b"), true).ticket, 3u);
    turns.leave(party("a"), 1);
    turns.leave(party("b"), 2);
    EXPECT_EQ(turns.next(), 3u);
    turns.ended(party("b"), 1s);
    EXPECT_EQ(turns.next(), std::nullopt);
    EXPECT_EQ(turns.waiting(), 0u);
}

}  // namespace
}  // namespace assay::intake
