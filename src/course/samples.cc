#include "course/samples.hh"

#include <map>

#include <fmt/format.h>

#include "base/text.hh"
#include "course/section.hh"

namespace assay::course {
namespace {

constexpr std::string_view folder = "samples/";
constexpr std::string_view sources = "src/";
constexpr std::string_view expectation = "expect.toml";
constexpr double score_max = 1e9;

Result<> read_expectation(const std::string& file, std::string_view text, Sample& sample) {
    ASSAY_TRY(const Value root, parse_toml(file, text));
    constexpr std::string_view known[] = {"verdict", "score"};
    ASSAY_TRY(const Section section, Section::open(file, root, std::string{expectation}, known));
    ASSAY_CHECK(section.require("verdict"));
    ASSAY_TRY(const auto word, section.text("verdict"));
    const auto verdict = model::parse<model::Verdict>(*word);
    if (!verdict) return section.problem("verdict", fmt::format("'{}' is no verdict; passed, failed, build_failed and time_limit are some", escaped(*word, 40)));
    sample.verdict = *verdict;
    ASSAY_TRY(sample.score, section.number("score", 0, score_max));
    return ok;
}

}  // namespace

Result<std::vector<Sample>> read_samples(const std::string& shown, const std::vector<archive::SourceFile>& module) {
    std::map<std::string, Sample, std::less<>> samples;
    std::map<std::string, std::string_view, std::less<>> expectations;
    for (const archive::SourceFile& file : module) {
        std::string_view path = file.path;
        if (!path.starts_with(folder)) continue;
        path.remove_prefix(folder.size());
        const std::size_t slash = path.find('/');
        if (slash == path.npos) continue;  // A README beside the samples.
        const std::string name{path.substr(0, slash)};
        path.remove_prefix(slash + 1);
        Sample& sample = samples[name];
        sample.name = name;
        if (path == expectation) expectations.emplace(name, file.content);
        if (!path.starts_with(sources)) continue;
        sample.files.push_back({std::string{path.substr(sources.size())}, file.executable, file.content});
    }
    if (samples.size() > samples_max) return Error{Fault::too_large, fmt::format("{}/samples: more than {} samples", shown, samples_max)};
    std::vector<Sample> all;
    for (auto& [name, sample] : samples) {
        const std::string where = shown + "/samples/" + name;
        const auto expected = expectations.find(name);
        if (expected == expectations.end()) return Error{Fault::invalid, where + " has no expect.toml, which says its verdict and score"};
        if (sample.files.empty()) return Error{Fault::invalid, where + " has no files in src/"};
        ASSAY_CHECK(read_expectation(where + "/" + std::string{expectation}, expected->second, sample));
        all.push_back(std::move(sample));
    }
    return all;
}

std::vector<archive::SourceFile> new_module(const std::string& id) {
    const auto file = [](const char* path, std::string content) { return archive::SourceFile{path, false, std::move(content)}; };
    return {
        file("README.md", fmt::format("# {}\n\nHand in a file `sum.py` that reads whole numbers, one a line, and prints their sum.\n", id)),
        file("module.toml", fmt::format(R"([module]
id = "{}"
title = "Sums"
# opens = 2026-09-01T00:00:00+08:00
# due = 2026-10-15T23:59:59+08:00

[upload]
size_max = "1 MiB"
unpacked_max = "8 MiB"
entries_max = 200
required = ["sum.py"]

# Each test of these files runs by itself, in a fresh sandbox that begins with the submission.
[[stage]]
name = "tests"
tests = "tests/*.toml"
limits = {{ cpu = "2 s", wall = "10 s", memory = "128 MiB", processes = 16, output = "64 KiB", disk = "32 MiB" }}
)", id)),
        file("tests/sums.toml", R"([defaults]
run = "python3 sum.py"
points = 25

[[test]]
name = "two numbers"
stdin = "1\n2\n"
stdout = "3\n"

[[test]]
name = "below zero"
stdin = "-5\n3\n"
stdout = "-2\n"

[[test]]
name = "nothing"
stdin = ""
stdout = "0\n"

# Participants see that it failed, not what was fed and expected.
[[test]]
name = "large numbers"
stdin = "9007199254740993\n9007199254740993\n"
stdout = "18014398509481986\n"
visibility = "hidden"
)"),
        file("samples/correct/expect.toml", "verdict = \"passed\"\nscore = 100\n"),
        file("samples/correct/src/sum.py", "import sys\n\nprint(sum(int(line) for line in sys.stdin))\n"),
        file("samples/wrong/expect.toml", "# Adds as floating-point numbers: the hidden test notices.\nverdict = \"failed\"\nscore = 75\n"),
        file("samples/wrong/src/sum.py", "import sys\n\nprint(int(sum(float(line) for line in sys.stdin)))\n"),
    };
}

}  // namespace assay::course
