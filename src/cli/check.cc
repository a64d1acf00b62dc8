// assay check: is this host fit? What sandboxes need is the sandbox room's to find (survey.hh); here are the disk and the table.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "cli/check_load.hh"
#include "cli/commands.hh"
#include "sandbox/survey.hh"
#include "sys/clock.hh"
#include "sys/file.hh"

namespace assay::cli {
namespace {

constexpr std::size_t syncs = 9;
constexpr std::size_t block_bytes = 4096;
constexpr double sync_ms_good = 50;

// The folder itself, or the nearest above it that is there: the data directory may not have been made yet.
std::string existing(std::string folder) {
    while (!sys::open_directory(folder)) {
        const std::size_t slash = folder.rfind('/');
        if (slash == std::string::npos) return ".";
        if (slash == 0) return "/";
        folder.resize(slash);
    }
    return folder;
}

// The median of a few writes made durable, in a file that has no name and is gone afterwards.
Result<double> sync_ms(const std::string& folder) {
    ASSAY_TRY(const sys::Fd file, sys::anonymous_file(folder));
    const std::string block(block_bytes, 'x');
    std::array<double, syncs> took{};
    for (double& one : took) {
        const sys::TimePoint begin = sys::system_clock().now();
        ASSAY_CHECK(sys::write_all(file, block));
        ASSAY_CHECK(sys::sync_data(file));
        one = sys::ms_of(sys::system_clock().now() - begin);
    }
    std::ranges::nth_element(took, took.begin() + syncs / 2);
    return took[syncs / 2];
}

sandbox::Finding disk(const std::string& data) {
    const std::string folder = existing(data);
    const Result<double> took = sync_ms(folder);
    using sandbox::Standing;
    if (!took) return {"disk sync", took.error().text(), Standing::weak, "a file system with O_TMPFILE that you may write to: ext4, xfs or btrfs; --data names the folder"};
    const bool good = *took <= sync_ms_good;
    return {"disk sync", fmt::format("{:.1f} ms, median of {} in {}", *took, syncs, folder), good ? Standing::fine : Standing::weak,
            good ? "" : "put the data directory on a disk of its own, or a faster one: each receipt waits for this"};
}

void print_table(const sandbox::Survey& survey) {
    std::size_t name_width = 0;
    for (const sandbox::Finding& finding : survey.findings) name_width = std::max(name_width, finding.name.size());
    for (const sandbox::Finding& finding : survey.findings) {
        fmt::print("{:<{}}  {:<11}  {}\n", finding.name, name_width, sandbox::to_string(finding.standing), finding.value);
        if (!finding.cure.empty()) fmt::print("{:<{}}  {:<11}  → {}\n", "", name_width, "", finding.cure);
    }
    fmt::print("\n{}\n", survey.can_grade ? "This host can grade." : "This host cannot grade: a server here takes submissions and keeps them until it can.");
}

void print_json(const sandbox::Survey& survey) {
    nlohmann::ordered_json findings = nlohmann::ordered_json::array();
    for (const sandbox::Finding& finding : survey.findings) {
        findings.push_back({{"name", finding.name}, {"value", replace_invalid_utf8(finding.value)}, {"verdict", sandbox::to_string(finding.standing)}, {"cure", finding.cure}});
    }
    fmt::print("{}\n", nlohmann::ordered_json{{"can_grade", survey.can_grade}, {"findings", findings}}.dump(2));
}

}  // namespace

ExitCode check_command(const std::string& data, bool json) {
    sandbox::Survey survey = sandbox::survey_host();
    survey.findings.push_back(disk(data));
    std::ranges::move(load_findings(), std::back_inserter(survey.findings));
    json ? print_json(survey) : print_table(survey);
    return survey.can_grade ? ExitCode::done : ExitCode::failed;
}

}  // namespace assay::cli
