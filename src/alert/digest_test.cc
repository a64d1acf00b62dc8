#include "alert/digest.hh"

#include <gtest/gtest.h>

#include "alert/watch.hh"

namespace assay::alert {
namespace {

constexpr const char* secret = "sixteen bytes or more";

Digest example(std::uint64_t sequence = 7) {
    return {.started_ms = 1'760'000'000'000,
            .sequence = sequence,
            .at_ms = 1'760'000'007'000,
            .loop_lag_ms = 3,
            .waiting = 12,
            .running = 2,
            .slots = 2,
            .incidents = 1,
            .memory_permille = 41,
            .disk_permille = 930,
            .host = "box",
            .cause = "memory_thrash: a hog"};
}

TEST(Digest, ComesBackAsItWas) {
    const std::string datagram = to_datagram(example(), secret);
    EXPECT_EQ(datagram.size(), digest_bytes);
    const auto back = digest_from(datagram, secret);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, example());
}

TEST(Digest, WhatWasTouchedIsRefused) {
    const std::string datagram = to_datagram(example(), secret);
    for (std::size_t i = 0; i < datagram.size(); ++i) {
        std::string touched = datagram;
        touched[i] = static_cast<char>(touched[i] ^ 1);
        EXPECT_FALSE(digest_from(touched, secret)) << i;
    }
    EXPECT_EQ(digest_from(datagram, "another secret of sixteen").error().fault(), Fault::denied);
    EXPECT_FALSE(digest_from(datagram + "x", secret));
    EXPECT_FALSE(digest_from(datagram.substr(1), secret));
    EXPECT_FALSE(digest_from("", secret));
}

TEST(Digest, LongTextsAreCutBetweenCharacters) {
    Digest digest = example();
    digest.cause.clear();
    for (int i = 0; i < 100; ++i) digest.cause += "一";
    const auto back = digest_from(to_datagram(digest, secret), secret);
    ASSERT_TRUE(back);
    EXPECT_LE(back->cause.size(), digest_cause_max);
    EXPECT_TRUE(back->cause.ends_with("一…"));
}

double figure(const Watch& watch, const char* name, std::int64_t now_ms) {
    Figures figures;
    watch.add_to(figures, now_ms);
    return figures.sum(name, {}).value_or(-1);
}

TEST(Watch, EitherSignOfLifeWillDo) {
    Watch watch{true, 0};
    watch.probed(Sight::answers, {}, 1000);
    EXPECT_EQ(figure(watch, "assay_silence_seconds", 4000), 3);
    EXPECT_TRUE(watch.heard(example(1), 4000));
    EXPECT_FALSE(watch.heard(example(1), 5000));  // Sent again by somebody.
    EXPECT_EQ(figure(watch, "assay_silence_seconds", 6000), 2);
    EXPECT_EQ(figure(watch, "assay_probe_silence_seconds", 6000), 5);
    Digest next_life = example(1);
    next_life.started_ms += 1;
    EXPECT_TRUE(watch.heard(next_life, 7000));
    EXPECT_FALSE(watch.heard(example(9), 8000));
    EXPECT_EQ(figure(Watch{false, 0}, "assay_digest_silence_seconds", 8000), -1);  // None is expected.
}

TEST(Watch, TellsSinceWhenItIsSilent) {
    Watch watch{true, 0};
    const auto age = [&](std::string_view rule, std::int64_t now_ms) {
        Figures figures;
        watch.add_to(figures, now_ms);
        return figures.findings.find(rule)->second.age_ms;
    };
    watch.probed(Sight::answers, {}, 1000);
    EXPECT_TRUE(watch.heard(example(1), 4000));
    EXPECT_EQ(age("server_down", 9000), 5000);
    EXPECT_EQ(age("digest_lost", 9000), 5000);
    EXPECT_EQ(age("server_down", 5000), 4000);  // Its digests go on: it is the probes' silence that counts.
}

TEST(Watch, SaysWhatTheSilenceMeans) {
    struct Case {
        Sight sight;
        std::optional<bool> reference;
        std::optional<std::int64_t> digest_age_ms;
        const char* begins;
    };
    using enum Sight;
    for (const Case& it :
         {Case{refused, {}, {}, "the process is dead: the host answers, and nothing listens at the port"},
          {mute,
           {},
           6000,
           "the process is frozen: connections are taken, and nobody answers; last sign of life 6.0 s ago: 2 run, 12 "
           "wait, "
           "4.1 % of memory free, disk 93.0 % full, loops 3 ms late; then known: memory_thrash: a hog"},
          {mute,
           {},
           500,
           "the process is frozen: connections are taken, and nobody answers, while its signs of life go on; last"},
          {silent, {}, {}, "the host is silent: dead, frozen, or not reachable from here"},
          {silent, true, {}, "the host is silent, while the network is there"},
          {silent, false, {}, "network: neither the host nor the reference answers from here"},
          {no_host, {}, {}, "the host is silent: dead"},
          {silent, {}, 500, "network: the host takes no connection from here, while its signs of life go on"},
          {no_network, {}, {}, "network: this watcher's own machine has no way out"},
          {no_name, {}, {}, "network: the server's name cannot be looked up"},
          {proxy_only, {}, {}, "what stands before the server answers, the server does not"}}) {
        Watch watch{true, 0};
        if (it.digest_age_ms) (void)watch.heard(example(), 10'000 - *it.digest_age_ms);
        watch.probed(it.sight, it.reference, 10'000);
        EXPECT_TRUE(watch.cause(10'000).starts_with(it.begins)) << watch.cause(10'000);
    }
}

}  // namespace
}  // namespace assay::alert
