#include "base/metrics.hh"

#include <gtest/gtest.h>

#include <thread>

namespace assay::metrics {
namespace {

std::string shown(const Registry& registry) {
    Page page;
    registry.write(page);
    return page.text();
}

TEST(Metrics, ThePageIsPrometheusText) {
    Registry registry;
    EXPECT_EQ(shown(registry), "");
    registry.counter("b_total", "What b did.", {{"how", "well"}, {"why", "a \"quoted\\ \nreason"}}).add(3);
    registry.counter("b_total", "What b did.", {{"how", "badly"}, {"why", ""}}).add();
    constexpr double bounds[] = {0.5, 2};
    Histogram& histogram = registry.histogram("a_seconds", "How long a took.", bounds);
    for (const double value : {0.25, 0.5, 1.0, 99.0}) histogram.observe(value);
    EXPECT_EQ(shown(registry), "# HELP a_seconds How long a took.\n"
                               "# TYPE a_seconds histogram\n"
                               "a_seconds_bucket{le=\"0.5\"} 2\n"
                               "a_seconds_bucket{le=\"2\"} 3\n"
                               "a_seconds_bucket{le=\"+Inf\"} 4\n"
                               "a_seconds_sum 100.75\n"
                               "a_seconds_count 4\n"
                               "# HELP b_total What b did.\n"
                               "# TYPE b_total counter\n"
                               "b_total{how=\"badly\",why=\"\"} 1\n"
                               "b_total{how=\"well\",why=\"a \\\"quoted\\\\ \\nreason\"} 3\n");
}

TEST(Metrics, AGaugeFollowsWhatIsThere) {
    Registry registry;
    Gauge& gauge = registry.gauge("open", "How many.", {{"kind", "a"}});
    {
        const Present one{gauge};
        const Present two{gauge};
        EXPECT_EQ(shown(registry), "# HELP open How many.\n# TYPE open gauge\nopen{kind=\"a\"} 2\n");
    }
    EXPECT_TRUE(shown(registry).ends_with("open{kind=\"a\"} 0\n"));
}

TEST(Metrics, AHistogramHasLabelsToo) {
    Registry registry;
    constexpr double bounds[] = {1};
    registry.histogram("h", "", bounds, {{"route", "/a"}}).observe(0.5);
    registry.histogram("h", "", bounds, {{"route", "/b"}}).observe(2);
    registry.histogram("h", "", bounds, {{"route", "/nobody"}});
    const std::string page = shown(registry);
    EXPECT_TRUE(page.contains("h_bucket{route=\"/a\",le=\"1\"} 1\n")) << page;
    EXPECT_TRUE(page.contains("h_bucket{route=\"/b\",le=\"1\"} 0\n"));
    EXPECT_TRUE(page.contains("h_sum{route=\"/b\"} 2\n"));
    EXPECT_FALSE(page.contains("/nobody"));
    EXPECT_EQ(page.find("# TYPE h"), page.rfind("# TYPE h"));
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameCounter) {
    Registry registry;
    EXPECT_EQ(&registry.counter("n", "", {{"a", "1"}}), &registry.counter("n", "", {{"a", "1"}}));
    EXPECT_NE(&registry.counter("n", "", {{"a", "1"}}), &registry.counter("n", "", {{"a", "2"}}));
}

TEST(Metrics, ManySeriesStayBounded) {
    Registry registry;
    for (std::size_t i = 0; i < series_max + 10; ++i) registry.counter("n", "", {{"a", std::to_string(i)}}).add();
    Counter& known = registry.counter("n", "", {{"a", "0"}});
    EXPECT_EQ(known.value(), 1u);
    EXPECT_EQ(shown(registry).find("a=\"" + std::to_string(series_max) + "\""), std::string::npos);
}

TEST(Metrics, NothingIsLostBetweenThreads) {
    Registry registry;
    constexpr double bounds[] = {1};
    Counter& counter = registry.counter("n", "");
    Histogram& histogram = registry.histogram("h", "", bounds);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 10'000; ++n) {
                    counter.add();
                    histogram.observe(1);
                }
            });
        }
    }
    EXPECT_EQ(counter.value(), 40'000u);
    EXPECT_NE(shown(registry).find("h_sum 40000\n"), std::string::npos);
}

}  // namespace
}  // namespace assay::metrics
