// Plan: what `course apply` makes of a module's folder: everything resolved, nothing left to look up or to default.
//
// It is stored with the revision, sent to the runner with a lease, and never contains a path of the author's machine.
// Bytes that a test feeds or expects are inside; the files of `grader/` are in the revision's archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hh"
#include "base/result.hh"
#include "model/image.hh"
#include "model/limits.hh"
#include "model/words.hh"

namespace assay::model {

// A file of /work that a test must leave, compared as stdout is.
struct ExpectedFile {
    std::string path;                         // relative, inside /work
    std::string bytes;
};

struct TestPlan {
    std::string name;                         // unique in its stage
    std::vector<std::string> command;         // argv with args appended; never a shell
    std::string stdin_bytes;
    std::optional<std::string> stdout_bytes;  // expected; nullopt = not compared
    int exit_code = 0;
    std::vector<ExpectedFile> files;
    Compare compare = Compare::exact;
    double tolerance = 1e-6;                  // of Compare::float_: absolute or relative, whichever is more lenient
    std::vector<std::string> checker;         // of Compare::checker: argv of a trusted command, /grader being the module's files
    double points = 1;
    Visibility visibility = Visibility::visible;
    Limits limits;
};

struct StagePlan {
    std::string name;                     // unique in the module: 1..64 of a-z0-9_-
    bool trusted = false;
    bool required = true;
    std::vector<std::string> command;     // empty for a stage of tests
    Limits limits;
    std::optional<Scratch> scratch;  // of its commands and tests; nullopt = in memory
    std::vector<TestPlan> tests;
    std::string report;                   // file name in /out; empty = no report, or ReportFormat::exit, which needs no file
    std::optional<ReportFormat> report_format;  // nullopt = no report
    std::optional<double> points;         // of a report stage, or of a tests stage in a module with a report
    bool scratch_on_disk() const { return scratch == Scratch::disk; }
    bool has_tests() const { return !tests.empty(); }
    bool has_report() const { return report_format.has_value(); }
};

// How often one participant may upload to the module.
struct Rate {
    std::int64_t count = 0;                   // 1 …
    std::int64_t per_ms = 0;
    bool operator==(const Rate&) const = default;
};

// What lateness costs. Points are taken off the submission's own score, never below zero.
struct Late {
    std::int64_t grace_ms = 0;                // after `due` at no cost
    double per_day = 0;                       // 0..1, share of the full score for each day begun after `due`
    double cap = 1;                           // 0..1, at most this share is taken
    bool operator==(const Late&) const = default;
};

// What an upload to the module must respect.
struct UploadRules {
    std::int64_t size_max = 12LL << 20;
    std::vector<std::string> formats{"tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst", "zip"};
    std::int64_t unpacked_max = 128LL << 20;
    std::int64_t entries_max = 20'000;
    std::vector<std::string> required;    // globs relative to the root of the submission
    Symlinks symlinks = Symlinks::inside;
    NameEncoding names = NameEncoding::utf_8;
    std::optional<Rate> rate;             // nullopt = no bound
    std::vector<std::string> ignore{"__MACOSX/", "._*", ".DS_Store", "Thumbs.db"};
};

struct Plan {
    std::string title;
    std::string image = "host";
    std::optional<ImagePin> image_pin;    // what the name meant when the revision was made; nullopt: the host's own folders
    std::string timezone = "UTC";         // IANA name, of the course
    UploadRules upload;
    std::vector<StagePlan> stages;        // 1..16
    std::string files_sha256;             // of the module's files that trusted commands see; empty = not known
    std::optional<double> pass;           // the score that passes; nullopt = the full score
    // Dates in milliseconds since 1970 UTC; nullopt = no bound.
    std::optional<std::int64_t> opens_ms;
    std::optional<std::int64_t> due_ms;
    std::optional<std::int64_t> closes_ms;
    std::optional<Late> late;
    std::int64_t upload_grace_ms = 30LL * 60 * 1000;  // for the rest of what was declared in time
    std::optional<std::int64_t> submissions_max;
    bool supersede = true;
    Counts counts = Counts::last;
};

constexpr std::size_t plan_size_max = 64u << 20;  // of its JSON; tests' bytes are inside as base64
constexpr std::size_t plan_stages_max = 16;

std::string to_json(const Plan&);
Result<Plan> plan_from_json(std::string_view);  // errors: invalid (with the path of what is wrong), too_large
std::string to_json(const UploadRules&);
Result<UploadRules> upload_rules_from_json(std::string_view);  // the same errors

}  // namespace assay::model
