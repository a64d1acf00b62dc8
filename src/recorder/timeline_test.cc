#include "recorder/timeline.hh"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "recorder/example_frames.hh"
#include "recorder/suspicion.hh"

namespace assay::recorder {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

// Sixty seconds: job 17 begins at 10, the machine thrashes from 20 to 29, the job ends at 30.
Timeline incident() {
    Timeline line{example_start_ns, second_ns};
    const auto frame = std::make_unique<Frame>();
    std::uint64_t refaults = 0;
    std::uint64_t full_us = 0;
    for (std::uint64_t second = 0; second < 60; ++second) {
        fill_example(*frame, second, 2);
        const bool bad = second >= 20 && second < 30;
        frame->reclaim.refaults_file_total = refaults += bad ? 4'000 : 0;
        if (bad) frame->memory.available_bytes = frame->memory.total_bytes / 10;
        frame->pressure.memory_full_us_total = full_us += bad ? 300'000 : 0;
        if (bad) frame->cgroups[1].memory_bytes += 900ULL << 20;
        frame->cgroups[1].anon_bytes = (bad ? second - 19 : 0) * (90ULL << 20);
        frame->cgroups[1].job = second >= 10 && second <= 30 ? 17 : 0;
        if (second == 10)
            *frame->events.add() = {.kind = static_cast<std::uint64_t>(EventKind::job_started),
                                    .monotonic_ns = frame->monotonic_ns,
                                    .subject = 17};
        if (second == 30) {
            *frame->events.add() = {.kind = static_cast<std::uint64_t>(EventKind::job_ended),
                                    .monotonic_ns = frame->monotonic_ns,
                                    .subject = 17,
                                    .text = {"memory_limit</script>"}};
        }
        line.add(*frame);
    }
    return line;
}

TEST(Timeline, FindsTheBandAndTheJob) {
    const Timeline line = incident();
    const auto bands = line.bands();
    ASSERT_EQ(bands.size(), 1U);
    EXPECT_EQ(bands[0].from_ns, example_start_ns + 20 * second_ns);
    EXPECT_EQ(bands[0].to_ns, example_start_ns + 30 * second_ns);
    EXPECT_EQ(words_of_signs(bands[0].signs), "memory stall, page cache thrash");
    EXPECT_NEAR(bands[0].worst.worst.refaults_per_s, 4'000, 1);
    EXPECT_EQ(line.offender_of(bands[0]), "job 17 (group assay-0123456789abcdef/slot-1) grew by 900 MiB");
    const auto jobs = line.jobs();
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_EQ(jobs[0].from_ns, example_start_ns + 10 * second_ns);
    EXPECT_EQ(jobs[0].to_ns, example_start_ns + 30 * second_ns);
    EXPECT_EQ(line.groups()[0].name, "assay-0123456789abcdef/slot-1");
}

TEST(Timeline, RowsTellTheWorstOfTheirStep) {
    const Timeline line = incident();
    const std::string row = row_of(line.points()[25], "UTC");
    EXPECT_NE(row.find("30%"), row.npos) << row;
    EXPECT_NE(row.find("page cache thrash"), row.npos) << row;
    EXPECT_EQ(words_of_event(line.events()[0].event), "job 17 started");
}

TEST(Timeline, ALongRangeHasFewPoints) {
    EXPECT_EQ(step_for(0, 60 * second_ns), second_ns / 5);
    EXPECT_EQ(step_for(0, 86'400 * second_ns), 48 * second_ns);
    Timeline line{example_start_ns, step_for(0, 86'400 * second_ns)};
    const auto frame = std::make_unique<Frame>();
    for (std::uint64_t second = 0; second < 86'400; second += 10) {
        fill_example(*frame, second, 0);
        line.add(*frame);
    }
    EXPECT_LE(line.points().size(), points_max);
}

// The page is one file, allows its own script alone, and nothing that was recorded can become part of its markup.
TEST(HtmlPage, StandsAloneAndIsSafe) {
    const std::string page = html_page(incident(), "a <title>", "Asia/Shanghai");
    EXPECT_NE(
        page.find(
            "Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"),
        page.npos);
    EXPECT_EQ(page.find("memory_limit</script>"), page.npos);
    EXPECT_EQ(page.find("<title>assay: a <title>"), page.npos);
    for (const char* const outside : {"src=", "href=", "@import", "url("})
        EXPECT_EQ(page.find(outside), page.npos) << outside;
    EXPECT_NE(page.find("job 17"), page.npos);
    EXPECT_NE(page.find("grew by 900"), page.npos);
}

TEST(FrameText, JsonHasEverySectionByItsNames) {
    const auto before = std::make_unique<Frame>();
    const auto frame = std::make_unique<Frame>();
    fill_example(*before, 4, 1);
    fill_example(*frame, 5, 1);
    const Rates rates = rates_between(*before, *frame);
    const auto json = nlohmann::json::parse(frame_json(*frame, &rates));
    EXPECT_EQ(json["sequence"], 6);
    EXPECT_EQ(json["memory"]["total_bytes"], 8ULL << 30);
    EXPECT_EQ(json["cgroups"][0]["name"], "assay-0123456789abcdef/slot-0");
    EXPECT_NEAR(json["rates"]["disk_busy_share"].get<double>(), 0.009, 0.001);
    EXPECT_FALSE(json.contains("tasks"));
    const std::string header = csv_header();
    const std::string line = csv_line(*frame, rates);
    EXPECT_EQ(std::ranges::count(header, ','), std::ranges::count(line, ','));
}

}  // namespace
}  // namespace assay::recorder
