// The commands of a participant: submit, login, status, watch, log, and the receipt's half of verify. Results go to stdout, talk
// to stderr. Each returns its exit code.
#pragma once

#include <string>

#include "cli/exit_code.hh"
#include "client/settings.hh"

namespace assay::cli {

struct ParticipantOptions {
    client::Settings flags;
    bool json = false;
};

struct SubmitOptions {
    std::string path = ".";
    std::string receipt_file;
    std::string key;         // Idempotency-Key; empty: a fresh one
    bool watch = false;
    bool dry_run = false;
    bool verbose = false;
    bool use_ignore_files = true;
};
ExitCode submit_command(const ParticipantOptions&, const SubmitOptions&);
ExitCode login_command(const ParticipantOptions&);
ExitCode status_command(const ParticipantOptions&, const std::string& id);
ExitCode watch_command(const ParticipantOptions&, const std::string& id);
ExitCode why_command(const ParticipantOptions&, const std::string& id);
ExitCode log_command(const ParticipantOptions&, const std::string& id);
// `key`: base64, or a file with it or with the answer of /api/v1/receipt-keys; empty: the server is asked. `archive`: may be empty.
ExitCode verify_receipt(const ParticipantOptions&, const std::string& receipt_file, const std::string& key, const std::string& archive);

}  // namespace assay::cli
