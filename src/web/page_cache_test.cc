#include "web/page_cache.hh"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "testing/manual_clock.hh"

namespace assay::web {
namespace {

queue::Topic topic_of(const std::string& who) { return {CourseId{"C"}, ModuleId{"M"}, ParticipantId{who}}; }

class Pages : public ::testing::Test {
protected:
    ~Pages() override { loop.stop(); }

    Page page(const std::string& document, const std::string& who = "ann") {
        const auto topic = topic_of(who);
        return {.kept = Kept{document}, .topic = topic, .place = queue::Feed::place_of(topic), .version = feed.version(topic), .until_ms = sys::to_ms(clock.wall()) + 1000, .again = {}};
    }
    std::future<Result<PagePtr>> ask(const std::string& key, PageCache::Render render) {
        auto promise = std::make_shared<std::promise<Result<PagePtr>>>();
        auto future = promise->get_future();
        loop.post([this, key, render = std::move(render), promise] {
            std::move_only_function<void(Result<PagePtr>)> done = [promise](Result<PagePtr> made) { promise->set_value(std::move(made)); };
            loop::start(cache.get(key, render), std::move(done));
        });
        return future;
    }
    PagePtr shown(const std::string& key, const std::string& document) {
        return ask(key, [this, document](const auto&) { return Result<Page>{page(document)}; }).get().value();
    }

    queue::Feed feed;
    testing::ManualClock clock{1'000'000};
    loop::Pool pool{"pages", 2, 16};
    PageCache cache{feed, clock, pool};
    loop::Loop loop;
};

TEST_F(Pages, AreRenderedOncePerChange) {
    EXPECT_EQ(cache.find("key"), nullptr);
    EXPECT_EQ(*shown("key", "one")->kept->document, "one");
    EXPECT_EQ(*shown("key", "two")->kept->document, "one");
    EXPECT_EQ(*cache.find("key")->kept->document, "one");
    feed.changed(topic_of("ann"));
    EXPECT_EQ(cache.find("key"), nullptr);
    EXPECT_EQ(*shown("key", "two")->kept->document, "two");
    clock.advance(std::chrono::milliseconds{1000});
    EXPECT_EQ(cache.find("key"), nullptr);
}

// At a deadline everybody reloads at once: each page is made once, not once for each who asks.
TEST_F(Pages, AreRenderedOnceForAllWhoWait) {
    std::promise<void> go;
    const auto gate = go.get_future().share();
    std::atomic<int> renderings = 0;
    std::vector<std::future<Result<PagePtr>>> asked;
    for (int i = 0; i < 50; ++i) {
        asked.push_back(ask("key", [&, gate](const auto&) {
            ++renderings;
            gate.wait();
            return Result<Page>{page("one")};
        }));
    }
    std::promise<void> all_asked;
    loop.post([&] { all_asked.set_value(); });
    all_asked.get_future().wait();
    go.set_value();
    for (auto& one : asked) EXPECT_EQ(*one.get().value()->kept->document, "one");
    EXPECT_EQ(renderings, 1);
}

// Who comes after a change must not be shown what was read before it, even if he waited for another's rendering.
TEST_F(Pages, WhoAsksAfterAChangeSeesIt) {
    std::promise<void> reading;
    std::promise<void> go;
    const auto gate = go.get_future().share();
    auto first = ask("key", [&, gate](const auto&) {
        Page made = page("before");
        reading.set_value();
        gate.wait();
        return Result<Page>{made};
    });
    reading.get_future().wait();
    feed.changed(topic_of("ann"));
    auto second = ask("key", [&](const auto&) { return Result<Page>{page("after")}; });
    std::promise<void> asked;
    loop.post([&] { asked.set_value(); });
    asked.get_future().wait();
    go.set_value();
    EXPECT_EQ(*first.get().value()->kept->document, "before");
    EXPECT_EQ(*second.get().value()->kept->document, "after");
}

TEST_F(Pages, WhatFailsOrIsNotThereIsNotKept) {
    EXPECT_EQ(ask("key", [](const auto&) { return Result<Page>{Error{Fault::system, "no"}}; }).get().error().text(), "no");
    EXPECT_EQ(ask("key", [](const auto&) { return Result<Page>{Page{}}; }).get().value()->kept.has_value(), false);
    EXPECT_EQ(*shown("key", "there now")->kept->document, "there now");
}

// The rendering is told whose page it was, so that it can note the version before it reads.
TEST_F(Pages, AKnownTopicIsHandedOn) {
    (void)shown("key", "one");
    feed.changed(topic_of("ann"));
    std::optional<queue::Topic> known;
    (void)ask("key", [&](const auto& topic) {
        known = topic;
        return Result<Page>{page("two")};
    }).get();
    EXPECT_EQ(known, topic_of("ann"));
}

TEST_F(Pages, AreBoundedInBytesAndTheOldestGoes) {
    const std::string large(1u << 20, 'x');
    constexpr int count = 64;
    for (int i = 0; i < count; ++i) (void)shown(std::to_string(i), large);
    int kept = 0;
    for (int i = 0; i < count; ++i) kept += cache.find(std::to_string(i)) != nullptr;
    EXPECT_GE(kept, 8);
    EXPECT_LE(kept, 31);
    EXPECT_NE(cache.find(std::to_string(count - 1)), nullptr);
    // Where all are asked for, what was just made stays all the same.
    for (int i = 0; i < count; ++i) (void)cache.find(std::to_string(i));
    for (int i = 0; i < count; ++i) {
        (void)shown("new" + std::to_string(i), large);
        EXPECT_NE(cache.find("new" + std::to_string(i)), nullptr);
    }
    (void)shown("too large", std::string(page_bytes_max + 1, 'x'));
    EXPECT_EQ(cache.find("too large"), nullptr);
}

}  // namespace
}  // namespace assay::web
