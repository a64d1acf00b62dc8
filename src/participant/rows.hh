// Rows: the commands of a participant as rows of a command table. Two programs have them: assay, and the participants' own, which
// needs no server's half.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.hh"
#include "model/plan.hh"
#include "participant/commands.hh"

namespace CLI {
class App;
}

namespace assay::participant {

constexpr const char* participants_group = "For participants";
constexpr const char* exit_codes_text = "Exit codes: 0 done, 1 refused or failed, 2 misused, 3 server not reached, 4 interrupted.";

// What the rows read into; outlives the parsing.
struct Rows {
    ParticipantOptions options;
    SubmitOptions submit;
    std::string submission, folder, target, archive, module_folder, receipt, key, address;
    bool use_ignore_files = true;
    ExitCode code = ExitCode::done;  // of the row that was called
    std::optional<Error> wrong;      // or why none could be
};

// What only a program with the server's half can do; where one is missing, so is what leads to it.
struct Other {
    std::function<Result<model::UploadRules>(const std::string& module_folder)> rules_of;
    // `check` without an address.
    std::function<ExitCode()> check_host;
};

// `app`, `rows` and `other` outlive the parsing. Returns the row `check`.
CLI::App* add_rows(CLI::App& app, Rows& rows, const Other& other);
// `why SUBMISSION`, for a program that knows no other why.
void add_why_row(CLI::App& app, Rows& rows);

// Reads the command line and calls its row; what came of it is the exit code. A typo in a command gets a suggestion instead of a
// usage text.
ExitCode run(CLI::App& app, int argc, char** argv, const Rows& rows);

}  // namespace assay::participant
