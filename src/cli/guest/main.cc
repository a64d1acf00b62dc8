// /assay/run as a trusted stage finds it: runs a command as a guest of the stage (sandbox/guests.hh); parses its own command line
// and nothing else. A program of its own, static and small: it starts in any image, and for each test of a submission.
#include <span>
#include <string_view>

#include "cli/guest/options.hh"
#include "cli/outcome_json.hh"
#include "grade/grade.hh"
#include "sandbox/guests.hh"

namespace assay::cli {
namespace {

int refused(const Error& error) {
    sandbox::guest_says(2, "/assay/run: " + error.text() + "\n");
    return sandbox::exit_refused;
}

int run(std::span<const char* const> words) {
    const Result<GuestOptions> options = guest_options(words);
    if (!options) return refused(options.error());
    if (options->help) {
        sandbox::guest_says(1, guest_help);
        return 0;
    }
    const auto done = sandbox::run_guest("/assay/socket", options->command, options->limits);
    if (!done) return refused(done.error());
    if (options->report >= 0) {
        const std::string json =
            outcome_json(done->outcome, grade::verdict_of(done->outcome, false, false), false) + "\n";
        if (!sandbox::guest_says(options->report, json))
            return refused({Fault::system, "--report: the descriptor cannot be written to"});
    }
    return sandbox::guest_exit_code(done->outcome);
}

}  // namespace
}  // namespace assay::cli

int main(int argc, char** argv) {
    return assay::cli::run(std::span{argv, static_cast<std::size_t>(argc)}.subspan(argc > 0 ? 1 : 0));
}
