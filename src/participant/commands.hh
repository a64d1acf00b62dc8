// The commands of a participant. Results go to stdout, talk to stderr. Each returns its exit code.
#pragma once

#include <optional>
#include <string>

#include "participant/exit_code.hh"
#include "client/settings.hh"
#include "model/plan.hh"

namespace assay::participant {

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

// The suffix of `target` says which format.
ExitCode pack_command(const std::string& folder, const std::string& target, bool use_ignore_files, bool json);
// By the rules of a module, its largest archive among them, or by the default ones of what may be in one.
ExitCode verify_command(const std::string& path, const std::optional<model::UploadRules>& module, bool json);
// Is the way to the server at this address fit?
ExitCode check_url_command(const std::string& address, bool json);

}  // namespace assay::participant
