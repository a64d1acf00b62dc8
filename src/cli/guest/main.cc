// /assay/run: this executable as a trusted stage finds it. Runs a command as a guest of the stage (sandbox/guests.hh); parses
// its own command line and nothing else.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/outcome_json.hh"
#include "grade/grade.hh"
#include "sandbox/guests.hh"
#include "sys/file.hh"

namespace assay::cli {
namespace {

constexpr std::int64_t as_the_stage = -1;

struct Asked {
    std::string cpu, wall, memory, output, disk;
    std::int64_t processes = as_the_stage;
    std::int64_t open_files = as_the_stage;
    int report = -1;
    std::vector<std::string> command;
};

Result<model::Limits> limits_of(const Asked& asked) {
    model::Limits limits;
    limits.processes = asked.processes;
    limits.open_files = asked.open_files;
    const auto read = [](const char* flag, const std::string& text, auto parse, std::int64_t& into) -> Result<> {
        into = as_the_stage;
        if (text.empty()) return ok;
        Result<std::int64_t> value = parse(text);
        if (!value) return value.take_error().in(flag);
        into = *value;
        return ok;
    };
    ASSAY_CHECK(read("--cpu", asked.cpu, parse_duration_ms, limits.cpu_ms));
    ASSAY_CHECK(read("--wall", asked.wall, parse_duration_ms, limits.wall_ms));
    ASSAY_CHECK(read("--memory", asked.memory, parse_size, limits.memory_bytes));
    ASSAY_CHECK(read("--output", asked.output, parse_size, limits.output_bytes));
    ASSAY_CHECK(read("--disk", asked.disk, parse_size, limits.disk_bytes));
    return limits;
}

int refused(const Error& error) {
    fmt::print(stderr, "/assay/run: {}\n", error.text());
    return sandbox::exit_refused;
}

}  // namespace

int assay_run(int argc, char** argv) {
    Asked asked;
    CLI::App app{"Runs a participant's program beside a trusted stage: untrusted, from the newest sealed /work.", "/assay/run"};
    app.footer("Exit codes: the program's own, 128 + its signal, 124 a limit ended it, 125 refused. Limits are at most the stage's.");
    app.add_option("--cpu", asked.cpu, "CPU time of the whole process tree")->type_name("TIME");
    app.add_option("--wall", asked.wall, "real time")->type_name("TIME");
    app.add_option("--memory", asked.memory, "memory, scratch included; of all that run at once: the stage's")->type_name("SIZE");
    app.add_option("--processes", asked.processes, "tasks at once");
    app.add_option("--output", asked.output, "stdout and stderr together")->type_name("SIZE");
    app.add_option("--disk", asked.disk, "writable scratch")->type_name("SIZE");
    app.add_option("--open-files", asked.open_files, "open files of one process");
    app.add_option("--report", asked.report, "a descriptor to write to what it did, as `assay run --json` prints it")->type_name("FD");
    app.add_option("COMMAND", asked.command, "the program and its arguments, after --; never a shell")->required();
    app.positionals_at_end();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : sandbox::exit_refused;
    }
    const auto limits = limits_of(asked);
    if (!limits) return refused(limits.error());
    const auto done = sandbox::run_guest("/assay/socket", asked.command, *limits);
    if (!done) return refused(done.error());
    if (asked.report >= 0) {
        sys::Fd report{asked.report};
        const std::string json = outcome_json(done->outcome, grade::verdict_of(done->outcome, false, false), false) + "\n";
        if (const auto written = sys::write_all(report, json); !written) return refused(written.error());
    }
    return sandbox::guest_exit_code(done->outcome);
}

}  // namespace assay::cli
