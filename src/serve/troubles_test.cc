#include "serve/troubles.hh"

#include <gtest/gtest.h>

namespace assay::serve {
namespace {

alert::Figures calm() {
    alert::Figures figures;
    figures.set("assay_loop_lag_seconds", 0.01);
    figures.set("assay_memory_available_ratio", 0.5);
    for (const char* const resource : {"cpu", "memory", "io"})
        figures.set("assay_pressure_ratio", std::string{"resource=\""} + resource + "\",kind=\"full\"", 0.01);
    return figures;
}

TEST(MayBeTrouble, OneSignIsEnoughAndABusyProcessorIsNone) {
    EXPECT_FALSE(may_be_trouble(calm()));
    EXPECT_FALSE(may_be_trouble({}));
    auto busy = calm();
    busy.set("assay_pressure_ratio", "resource=\"cpu\",kind=\"some\"", 0.99);
    EXPECT_FALSE(may_be_trouble(busy));
    auto stalled = calm();
    stalled.set("assay_pressure_ratio", "resource=\"memory\",kind=\"full\",x=\"y\"", 0.2);
    EXPECT_TRUE(may_be_trouble(stalled));
    alert::Figures late;
    late.set("assay_loop_lag_seconds", 0.5);
    EXPECT_TRUE(may_be_trouble(late));
}

TEST(AddIncident, TheRootAndWhoDidIt) {
    diagnosis::Incident incident;
    incident.causes.push_back({.trouble = wording::Trouble::disk_writer, .offender = "job 7 (assay-x/job0)", .used = "180 MiB/s"});
    incident.causes.push_back({.trouble = wording::Trouble::cpu_starved});
    alert::Figures figures;
    add_incident(figures, incident);
    EXPECT_EQ(figures.sum("assay_trouble", {"cause=\"disk_writer\""}), 1);
    EXPECT_FALSE(figures.sum("assay_trouble", {"cause=\"cpu_starved\""}));
    EXPECT_EQ(figures.findings["disk_busy"].offender, "job 7 (assay-x/job0): 180 MiB/s");
    EXPECT_EQ(figures.findings["server_slow"].cause, wording::summary(wording::Language::english, wording::Trouble::disk_writer));
    EXPECT_FALSE(figures.findings.contains("grader_broken"));
}

}  // namespace
}  // namespace assay::serve
