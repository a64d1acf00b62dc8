// Commands: what stands behind each row of the command table (main.cc parses, these call and print). Results go to stdout,
// talk to stderr. Each returns its exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "participant/talk.hh"
#include "sandbox/helper.hh"
#include "serve/config.hh"

namespace assay::cli {

using participant::ExitCode;
using participant::fail;

ExitCode serve_command(const serve::Config& config);

struct StaffOptions {
    std::string data;
    bool json = false;
    int scratch_disk_mib_max = 0;  // of the server
};
ExitCode course_apply(const StaffOptions&, const std::string& folder, bool dry_run);
ExitCode course_list(const StaffOptions&);
struct ImportOptions {
    bool sync = false;  // who is not in the file becomes inactive,
    bool yes = false;   // without asking
};
ExitCode roster_import(const StaffOptions&, const std::string& course, const std::string& file, const ImportOptions&);
ExitCode roster_export(const StaffOptions&, const std::string& course);
ExitCode roster_token_reset(const StaffOptions&, const std::string& course, const std::string& participant);
ExitCode roster_key_reset(const StaffOptions&, const std::string& course, const std::string& participant);
ExitCode roster_extend(const StaffOptions&, const std::string& course, const std::string& participant, const std::string& module,
                       const std::string& until);

ExitCode export_grades(const StaffOptions&, const std::string& course, const std::string& module);
// A tar to stdout, with MODULE/PARTICIPANT-SUBMISSION.KIND of each.
ExitCode export_submissions(const StaffOptions&, const std::string& course, const std::string& module, bool all);
ExitCode queue_list(const StaffOptions&);
ExitCode queue_pause(const StaffOptions&, const std::string& course, const std::string& module);
ExitCode queue_resume(const StaffOptions&, const std::string& course, const std::string& module);
ExitCode queue_hold(const StaffOptions&, const std::string& submission);
ExitCode queue_release(const StaffOptions&, const std::string& submission);
ExitCode queue_cancel(const StaffOptions&, const std::string& submission);
ExitCode rejudge(const StaffOptions&, const std::string& submission);
ExitCode rejudge_module(const StaffOptions&, const std::string& course, const std::string& module, const std::string& verdict);

ExitCode keys_list(const StaffOptions&);
ExitCode keys_rotate(const StaffOptions&, const std::string& use);

ExitCode image_import(const serve::Config&, bool json, const std::string& name, const std::string& source);
ExitCode image_list(const StaffOptions&);
ExitCode image_remove(const StaffOptions&, const std::string& name);

// module new: writes a small module that passes its own check. module check: runs the module's samples in the sandbox.
ExitCode module_new(const std::string& folder);
// Its image is one of the data directory's.
ExitCode module_check(const StaffOptions&, const std::string& folder);

struct RecordCommand {
    std::string data;      // a data directory,
    std::string out;       // or, when it is not empty, a file
    std::string size;      // of the file or ring on the disk; empty: the usual one
    std::string for_time;  // empty: until it is interrupted
    std::optional<double> hz;  // nullopt: by what happens
    bool json = false;
};
ExitCode record_command(const RecordCommand&);

struct ReplayCommand {
    std::string path;      // a file or a data directory
    std::string at, from, to;
    std::string html;      // the file to write; "-": standard output
    bool all = false;
    bool live = false;
    bool json = false;
    bool csv = false;
};
ExitCode replay_command(const ReplayCommand&);

struct RunOptions {
    std::string cpu = "10s", wall = "30s", memory = "512MiB", output = "1MiB", disk, io;
    std::int64_t processes = 64;
    std::int64_t open_files = 256;
    std::int64_t cores = 0;
    int disk_read_mib_per_s = sandbox::DiskPace{}.mib_per_s;
    std::string image = "host", profile = "language", network = "none", scratch = "memory";
    std::string stdin_path, directory;
    std::string data;  // where its image is, and its scratch on disk if that is a folder
    std::vector<std::string> binds, environment, command;
    int repeat = 1;
    bool json = false;
};
ExitCode run_command(const RunOptions&);
// Where a helper of our own has scratch on disk: in the data directory `data` if it is there, else in TMPDIR, else in /var/tmp.
sandbox::DiskScratchRules own_disk_scratch(const std::string& data);

struct WhyOptions {
    int pid = 0;               // or
    std::string group;         // a control group
    std::string window = "3s";
    bool json = false;
};
// Why is a process, or a group of them, slow or stuck? Reads only; needs no server. Fails when there is none of that name.
ExitCode why_process(const WhyOptions&);
struct WhyMachineOptions {
    std::string data;
    std::string at;          // a time; or
    std::uint64_t job = 0;   // a job's number; neither: the last incident
    bool json = false;
};
// Why did this machine stall? From what the recorder of a data directory kept.
ExitCode why_machine(const WhyMachineOptions&);
// Why does a submission wait? As staff of a data directory.
ExitCode why_submission(const StaffOptions&, const std::string& submission);

// Is this host fit to serve and to grade? `data`: where the server would keep its data. Fails when grading would be refused.
ExitCode check_command(const std::string& data, bool json);

}  // namespace assay::cli
