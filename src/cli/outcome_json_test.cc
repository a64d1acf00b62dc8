#include "cli/outcome_json.hh"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

using Json = nlohmann::ordered_json;

// Written by hand as the library would write it: it reads it, and prints the same again.
void expect_as_printed_by_the_library(const std::string& text) { EXPECT_EQ(Json::parse(text).dump(2), text); }

TEST(OutcomeJson, IsWhatALibraryWouldPrint) {
    model::Outcome outcome;
    expect_as_printed_by_the_library(outcome_json(outcome, model::Verdict::system_fault, true));
    outcome.signal = 11;
    outcome.throttled_ms = 0.25;
    outcome.memory_file_bytes = 1 << 20;
    outcome.memory_stalled_ms = 12.5;
    outcome.processes_peak = 3;
    outcome.io_read_bytes = outcome.io_write_bytes = 0;
    outcome.trustworthy_timing = false;
    outcome.limits.cores = 2;
    outcome.guarantees.cpu = model::Guarantee::exact;
    outcome.fault = "a \"fault\"";
    expect_as_printed_by_the_library(outcome_json(outcome, model::Verdict::crashed, false));
}

TEST(OutcomeJson, TimesKeepTheirNanoseconds) {
    for (const double ms : {0.0, 1.0, 0.001, 0.5, 3.400001, 12.345678, 999.999999, 1'234'567.000001, 604'800'000.0, -1.5}) {
        model::Outcome outcome;
        outcome.cpu_user_ms = outcome.cpu_system_ms = outcome.wall_ms = ms;
        const std::string text = outcome_json(outcome, model::Verdict::passed, false);
        expect_as_printed_by_the_library(text);
        EXPECT_EQ(Json::parse(text)["wall_ms"].get<double>(), ms);
    }
    model::Outcome outcome;
    outcome.cpu_user_ms = 2.0 / 3;
    outcome.cpu_system_ms = -1e-17;  // What is left when one number is taken from another.
    const Json json = Json::parse(outcome_json(outcome, model::Verdict::passed, false));
    EXPECT_EQ(json["cpu_user_ms"].get<double>(), 0.666667);
    EXPECT_EQ(json["cpu_system_ms"].get<double>(), 0);
}

TEST(OutcomeJson, AnyOutputIsText) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    model::Outcome outcome;
    outcome.exit_code = 0;
    outcome.output.head = bytes + "\"quoted\\\" \xE4\xB8\xAD\xE6\x96\x87 \xE2\x80\xA8 \xF0\x9F\x98\x80 \xF0\x9F";
    outcome.output.bytes = static_cast<std::int64_t>(outcome.output.head.size());
    outcome.errors = {.head = "head", .tail = "tail", .bytes = 1008, .dropped_bytes = 1000};
    const std::string text = outcome_json(outcome, model::Verdict::passed, false);
    expect_as_printed_by_the_library(text);
    EXPECT_EQ(Json::parse(text)["stderr"].get<std::string>(), "head\n[… 1000 B …]\ntail");
}

}  // namespace
}  // namespace assay::cli
