// The command table. Parses, calls, prints; holds no logic. Roles of the server (runner, verifier) start from this executable
// as well; they are not for people and stand in no help text.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>

#include "archive/verifiers.hh"
#include "base/text.hh"
#include "cli/alert.hh"
#include "cli/commands.hh"
#include "cli/module_folder.hh"
#include "cli/recorder_rows.hh"
#include "image/image.hh"
#include "model/image.hh"
#include "participant/rows.hh"
#include "recorder/record.hh"
#include "runner/runner.hh"
#include "serve/data_directory.hh"
#include "sys/file.hh"
#include "sys/process.hh"

namespace assay::cli {
namespace {

extern "C" char** environ;

constexpr std::size_t config_bytes_max = 1 << 20;
constexpr const char* staff_group = "For staff";

// Flag > environment > file > default. Exits with 2 on a wrong key or value.
Result<serve::Config> configuration(const std::string& file, const serve::Settings& flags) {
    std::vector<serve::Settings> sources;
    alert::Config alerts{.rules = alert::shipped_rules()};
    admission::Thresholds thresholds;
    if (const auto path = serve::config_path(file)) {
        ASSAY_TRY(const std::string text, sys::read_file(*path, config_bytes_max));
        ASSAY_TRY(serve::Settings settings, serve::settings_from_toml(text, *path));
        sources.push_back(std::move(settings));
        ASSAY_TRY(alerts, alert::config_from_toml(text, *path));
        ASSAY_TRY(thresholds, serve::thresholds_from_toml(text, *path));
    }
    for (const auto& [name, meant] : serve::mistaken_variables(environ))
        fmt::print(stderr, "assay: the variable {} is no setting; did you mean {}?\n", escaped(name, 60), meant);
    sources.push_back(serve::settings_from_environment(environ));
    sources.push_back(flags);
    ASSAY_TRY(serve::Config config, serve::config_from(sources, sys::effective_uid() == 0));
    config.alert = std::move(alerts);
    config.admission = thresholds;
    return config;
}

struct Common {
    std::string config;
    serve::Settings flags;
};

void add_data_option(CLI::App& app, Common& common) {
    app.add_option_function<std::string>("--data", [&common](const std::string& v) { common.flags["data"] = v; },
                                         "the data directory (default: /var/lib/assay as root, else ./assay-data)")
        ->type_name("DIR");
    app.add_option("--config", common.config, "the configuration file (default: ./assay.toml, else /etc/assay/assay.toml)")->type_name("FILE");
}

// The rules of a module as its author has it on disk.
Result<model::UploadRules> rules_of(const std::string& folder) {
    ASSAY_TRY(ModuleFolder read, read_module(folder));
    return std::move(read.module.plan.upload);
}

// Enough to run a program with limits and to understand what is said of it.
constexpr const char* run_footer =
    R"(Sizes are written as 512KiB, 64MiB, 1GiB; times as 200ms, 1.5s, 2min. The command sees an empty writable /work, the
machine's programs read-only, no network and no other process.

  assay run --cpu 2s --memory 64MiB -- python3 -c 'print(6 * 7)'
  assay run --bind "$PWD:/src" --chdir /src -- make -n
  assay run --stdin input.txt --json -- ./solution

Its output passes through; then one line on stderr says what became of it:

  passed         it exited with 0                failed          it exited with something else
  time_limit     --cpu was used up               wall_limit      --wall was over
  memory_limit   the kernel ended it for memory  output_limit    it printed more than --output
  crashed        a signal ended it               process_limit   --processes were in use and it did not exit with 0
  disk_limit     --disk was full, likewise       io_limit        --io was used up
  forbidden      it made a system call that ends a program
  system_fault   not its fault but ours; the text says what

With --repeat N: that for each run, and what they have together.

With --json: an object for each run, the same and all figures, among them `limits` as the kernel says them, `guarantees` (how exactly each limit holds
on this machine: `assay check` tells why), `trustworthy_timing` (false: the machine was too busy for the times to mean much) and `memory_stalled_ms`
(of a program at its memory limit: how long it waited for what had been thrown out of memory to be read in again).

Exit codes: 0 passed, 1 any other verdict, 2 wrong usage, 4 interrupted.)";

constexpr const char* why_footer =
    R"(The answer begins with a class and a cause:

  slow          it gets on, held back by: throttled_by_quota, oversubscribed, neighbour, stolen, storage_data,
                storage_metadata, io_limit, memory_thrash
  intermittent  the same, in pauses of a second and more
  hang          it does not get on: deadlock, fork_inherited_lock, spin, livelock, storage_hang, blocked_on_peer, stopped, ended,
                worker_crashed, worker_killed_for_memory, descriptor_limit, process_limit, disk_full
  healthy       busy, sleeping, waits_for_requests

then what to do, what is awaited, the three numbers that decided, what was seen, what speaks against it, and what could not be
read. Nothing is stopped, traced or changed. Of a submission: why it waits, and what that waits for in turn. Of
the server (--at, --last, --job): what stalled it, who did it, and what came of it, from what its recorder kept.

  assay why A1b2C3d4E5f6G7h8
  assay why --last
  assay why --pid 4711
  assay why --cgroup /system.slice/train.service --for 10s --json)";

int parse_and_run(int argc, char** argv) {
    CLI::App app{"assay: hand in, check, run in a sandbox, grade, show."};
    app.set_version_flag("--version", std::string{"assay "} + ASSAY_VERSION);
    app.require_subcommand(1);
    app.footer(participant::exit_codes_text);
    Common common;
    participant::Rows rows;
    ExitCode& code = rows.code;
    std::optional<Error>& wrong = rows.wrong;
    const auto with_config = [&](auto&& call) {
        auto config = configuration(common.config, common.flags);
        if (!config) {
            wrong = config.take_error();
            return;
        }
        code = call(*config);
    };

    CLI::App* const serve = app.add_subcommand("serve", "Run the server: everything on one machine, no other service needed");
    add_data_option(*serve, common);
    serve->add_option_function<std::string>("--listen", [&](const std::string& v) { common.flags["listen"] = v; },
                                            "where to listen (default 127.0.0.1:8080; port 0 picks a free one)")->type_name("ADDR:PORT");
    serve->add_option_function<std::string>("--user", [&](const std::string& v) { common.flags["user"] = v; },
                                            "who owns a data directory that root owns")->type_name("NAME");
    serve->add_option_function<std::string>("--public-url", [&](const std::string& v) { common.flags["public_url"] = v; },
                                            "the address people use, for links and receipts")->type_name("URL");
    serve->add_option_function<std::string>("--clients", [&](const std::string& v) { common.flags["clients"] = v; },
                                            "the folder of the clients that /get offers (default: clients in the data directory)")->type_name("DIR");
    serve->add_option_function<std::string>("--slots", [&](const std::string& v) { common.flags["slots"] = v; },
                                            "jobs that run at once (default: one per core)")->type_name("N");
    serve->callback([&] { with_config([](const serve::Config& config) { return serve_command(config); }); });

    bool json = false;
    const auto staff = [&](const serve::Config& config) {
        return StaffOptions{.data = config.data, .json = json, .scratch_disk_mib_max = config.scratch_disk_mib_max};
    };

    CLI::App* const course = app.add_subcommand("course", "Courses and their modules")->require_subcommand(1);
    std::string folder;
    bool dry_run = false;
    CLI::App* const apply = course->add_subcommand("apply", "Create or update a course from its folder; prints the difference");
    apply->add_option("DIR", folder, "the course's folder (with course.toml)")->required();
    apply->add_flag("--dry-run", dry_run, "only print what would change");
    apply->add_flag("--json", json, "print JSON");
    add_data_option(*apply, common);
    apply->callback([&] { with_config([&](const serve::Config& c) { return course_apply(staff(c), folder, dry_run); }); });
    CLI::App* const list = course->add_subcommand("list", "The courses and their modules");
    list->add_flag("--json", json, "print JSON");
    add_data_option(*list, common);
    list->callback([&] { with_config([&](const serve::Config& c) { return course_list(staff(c)); }); });

    CLI::App* const module = app.add_subcommand("module", "A module's folder, before its course is applied")->require_subcommand(1);
    CLI::App* const begun = module->add_subcommand("new", "Write a small module that passes its own check");
    begun->add_option("DIR", folder, "the folder to make; its name becomes the module's id")->required();
    begun->callback([&] { code = module_new(folder); });
    CLI::App* const checked = module->add_subcommand("check", "Run the module's samples three times each, without a server; warn of chance and of what can be forged");
    checked->add_option("DIR", folder, "the module's folder (with module.toml)")->required();
    checked->add_flag("--json", json, "print JSON");
    add_data_option(*checked, common);
    checked->callback([&] { with_config([&](const serve::Config& c) { return module_check(staff(c), folder); }); });

    CLI::App* const roster = app.add_subcommand("roster", "Who takes part in a course")->require_subcommand(1);
    std::string course_id;
    std::string participant;
    std::string file;
    CLI::App* const import = roster->add_subcommand("import", "Add and update participants from a CSV file (never removes)");
    import->add_option("COURSE", course_id)->required();
    import->add_option("FILE.csv", file, "header: id, optionally name, email, group, token, key")->required();
    ImportOptions import_options;
    import->add_flag("--sync", import_options.sync, "make those inactive whom the file does not name; says who, and asks");
    import->add_flag("--yes", import_options.yes, "with --sync: do not ask");
    import->add_flag("--json", json, "print JSON");
    add_data_option(*import, common);
    import->callback([&] { with_config([&](const serve::Config& c) { return roster_import(staff(c), course_id, file, import_options); }); });
    CLI::App* const exported = roster->add_subcommand("export", "Print all participants as CSV, with tokens and keys");
    exported->add_option("COURSE", course_id)->required();
    add_data_option(*exported, common);
    exported->callback([&] { with_config([&](const serve::Config& c) { return roster_export(staff(c), course_id); }); });
    const auto on_secret = [&](const char* name, const char* of_whom, const char* help,
                               ExitCode (*command)(const StaffOptions&, const std::string&, const std::string&)) {
        CLI::App* const reset = roster->add_subcommand(name, of_whom)->require_subcommand(1)->add_subcommand("reset", help);
        reset->add_option("COURSE", course_id)->required();
        reset->add_option("ID", participant, "the participant")->required();
        reset->add_flag("--json", json, "print JSON");
        add_data_option(*reset, common);
        reset->callback([&, command] { with_config([&](const serve::Config& c) { return command(staff(c), course_id, participant); }); });
    };
    on_secret("token", "Participants' tokens", "Give a participant a new token; the old one ends at once", roster_token_reset);
    on_secret("key", "Participants' keys, which are in the links to their pages", "Give a participant a new key; his old links end at once",
              roster_key_reset);
    std::string extended_module;
    std::string until;
    CLI::App* const extended = roster->add_subcommand("extend", "Move a module's due date for one participant");
    extended->add_option("COURSE", course_id)->required();
    extended->add_option("ID", participant, "the participant")->required();
    extended->add_option("MODULE", extended_module)->required();
    extended->add_option("--until", until, "such as 2026-10-20T23:59:59+08:00; without an offset in the course's zone")->required()->type_name("TIME");
    extended->add_flag("--json", json, "print JSON");
    add_data_option(*extended, common);
    extended->callback([&] { with_config([&](const serve::Config& c) { return roster_extend(staff(c), course_id, participant, extended_module, until); }); });

    CLI::App* const queue = app.add_subcommand("queue", "What runs and waits, and why")->require_subcommand(1);
    std::string module_id;
    std::string submission;
    CLI::App* const listed = queue->add_subcommand("list", "What runs, waits (in order, with the reason) and is held");
    listed->add_flag("--json", json, "print JSON");
    add_data_option(*listed, common);
    listed->callback([&] { with_config([&](const serve::Config& c) { return queue_list(staff(c)); }); });
    const auto on_module = [&](const char* name, const char* help, ExitCode (*command)(const StaffOptions&, const std::string&, const std::string&)) {
        CLI::App* const sub = queue->add_subcommand(name, help);
        sub->add_option("COURSE", course_id)->required();
        sub->add_option("MODULE", module_id)->required();
        add_data_option(*sub, common);
        sub->callback([&, command] { with_config([&](const serve::Config& c) { return command(staff(c), course_id, module_id); }); });
    };
    on_module("pause", "Start nothing of a module until it is resumed; what runs goes on", queue_pause);
    on_module("resume", "End a pause of a module, also one that its broken grader caused", queue_resume);
    const auto on_submission = [&](CLI::App& at, const char* name, const char* help, ExitCode (*command)(const StaffOptions&, const std::string&)) {
        CLI::App* const sub = at.add_subcommand(name, help);
        sub->add_option("ID", submission, "the submission")->required();
        add_data_option(*sub, common);
        sub->callback([&, command] { with_config([&](const serve::Config& c) { return command(staff(c), submission); }); });
    };
    on_submission(*queue, "hold", "Take a waiting submission out of line", queue_hold);
    on_submission(*queue, "release", "Put a held submission back in line", queue_release);
    on_submission(*queue, "cancel",
                  "Take a submission out for good, also while it runs; it is not judged and costs no try",
                  queue_cancel);
    CLI::App* const again = app.add_subcommand("rejudge", "Judge what is graded again, one submission or a module's; each verdict stays until the new one is there");
    CLI::Option* const again_one = again->add_option("ID", submission, "one submission");
    CLI::Option* const again_course = again->add_option("--course", course_id, "with --module: all that are graded")->excludes(again_one);
    CLI::Option* const again_module = again->add_option("--module", module_id)->needs(again_course)->excludes(again_one);
    again_course->needs(again_module);
    std::string again_verdict;
    again->add_option("--verdict", again_verdict, "only those with this verdict, such as grader_fault")->needs(again_module);
    add_data_option(*again, common);
    again->callback([&] {
        if (submission.empty() && module_id.empty()) throw CLI::RequiredError{"ID, or --course and --module,"};
        with_config([&](const serve::Config& c) {
            return submission.empty() ? rejudge_module(staff(c), course_id, module_id, again_verdict) : rejudge(staff(c), submission);
        });
    });

    CLI::App* const exports = app.add_subcommand("export", "What leaves the server for other programs")->require_subcommand(1);
    CLI::App* const grades = exports->add_subcommand("grades", "Print what counts of every participant, as CSV");
    grades->add_option("COURSE", course_id)->required();
    grades->add_option("MODULE", module_id, "one module, archived or not (default: all that are not)");
    grades->add_flag("--json", json, "print JSON");
    add_data_option(*grades, common);
    grades->callback([&] { with_config([&](const serve::Config& c) { return export_grades(staff(c), course_id, module_id); }); });
    CLI::App* const archives = exports->add_subcommand(
        "submissions",
        "Write what people handed in, as they sent it, as one tar: of each the one that counts, else the newest");
    bool every = false;
    archives->add_option("COURSE", course_id)->required();
    archives->add_option("MODULE", module_id, "one module, archived or not (default: all that are not)");
    archives->add_flag("--all", every, "the others of each as well");
    archives->add_flag("--json", json, "print a list of them as JSON, and no tar");
    archives->footer(
        "In it: MODULE/PARTICIPANT-SUBMISSION.KIND. For example: assay export submissions ICS2024 PA1 | tar -xf - -C "
        "FOLDER");
    add_data_option(*archives, common);
    archives->callback([&] {
        with_config([&](const serve::Config& c) { return export_submissions(staff(c), course_id, module_id, every); });
    });

    CLI::App* const image = app.add_subcommand("image", "Roots for sandboxes, made elsewhere: imported once, never changed")->require_subcommand(1);
    std::string image_name;
    std::string image_source;
    CLI::App* const imported = image->add_subcommand("import", "Import a root file system; from then on NAME means it");
    imported->add_option("NAME", image_name, "such as python:3.12")->required();
    imported->add_option("SOURCE", image_source, "a folder, a tar (.gz, .bz2, .xz, .zst), an OCI layout or its tar, or what `docker save`, podman or skopeo wrote")->required();
    imported->add_flag("--json", json, "print JSON");
    add_data_option(*imported, common);
    imported->callback([&] { with_config([&](const serve::Config& c) { return image_import(c, json, image_name, image_source); }); });
    CLI::App* const images = image->add_subcommand("list", "The images: size, digest, where from, and which modules run in them");
    images->add_flag("--json", json, "print JSON");
    add_data_option(*images, common);
    images->callback([&] { with_config([&](const serve::Config& c) { return image_list(staff(c)); }); });
    CLI::App* const removed = image->add_subcommand("remove", "Remove an image that no module needs any more");
    removed->add_option("NAME", image_name, "its name, or at least 12 digits of its digest")->required();
    add_data_option(*removed, common);
    removed->callback([&] { with_config([&](const serve::Config& c) { return image_remove(staff(c), image_name); }); });

    CLI::App* const keys = app.add_subcommand("keys", "The keys that sign receipts and commitments")->require_subcommand(1);
    std::string key_use = "receipt";
    CLI::App* const keys_shown = keys->add_subcommand("list", "Every public key that ever signed, and when");
    CLI::App* const rotated = keys->add_subcommand("rotate", "Sign with a fresh key from now on; what older keys signed stays valid");
    rotated->add_option("--use", key_use, "what it signs: receipt (default) or commitment")->type_name("USE")->check(CLI::IsMember({"receipt", "commitment"}));
    for (CLI::App* const sub : {keys_shown, rotated}) {
        sub->add_flag("--json", json, "print JSON");
        add_data_option(*sub, common);
    }
    keys_shown->callback([&] { with_config([&](const serve::Config& c) { return keys_list(staff(c)); }); });
    rotated->callback([&] { with_config([&](const serve::Config& c) { return keys_rotate(staff(c), key_use); }); });
    AlertOptions alert_options;
    add_alert_commands(app, alert_options, [&](CLI::App& sub) { add_data_option(sub, common); },
                       [&](auto command) { with_config([&](const serve::Config& c) { return command(staff(c)); }); }, json);

    std::string watched_url;
    CLI::App* const sentinel = app.add_subcommand("sentinel", "Watch a server from another machine, and tell staff when it is silent");
    sentinel->add_option("URL", watched_url, "the server's address")->required();
    sentinel->add_option("--config", common.config, "the configuration file: [sentinel] and [alert.receivers] (default: ./assay.toml, else /etc/assay/assay.toml)")
        ->type_name("FILE");
    sentinel->callback([&] { code = sentinel_command(watched_url, common.config); });

    const participant::Other other{.rules_of = rules_of, .check_host = [&] {
        with_config([&](const serve::Config& c) { return check_command(c.data, rows.options.json); });
        return code;
    }};
    add_data_option(*participant::add_rows(app, rows, other), common);

    WhyOptions why_options;
    CLI::App* const why = app.add_subcommand("why", "Why is this waiting, slow or stuck? Looks from outside; needs no server, and no root for one's own processes");
    why->footer(why_footer);
    CLI::Option* const why_pid = why->add_option("--pid", why_options.pid, "a process, with all it started")->type_name("PID")->check(CLI::Range(1, std::numeric_limits<int>::max()));
    CLI::Option* const why_group = why->add_option("--cgroup", why_options.group, "the processes of a control group and those below it")->type_name("GROUP")->excludes(why_pid);
    why->add_option("--for", why_options.window, "how long to look, 500ms to 5min (default 3s)")->type_name("TIME");
    CLI::Option* const why_submission_option = why->add_option("SUBMISSION", submission, "a submission: of one's own on a server, or of anybody in --data")->excludes(why_pid)->excludes(why_group);
    WhyMachineOptions machine;
    CLI::Option* const why_at = why->add_option("--at", machine.at, "what stalled the server at this time, such as 17:15:50, from what was recorded")->type_name("TIME")->excludes(why_pid)->excludes(why_group)->excludes(why_submission_option);
    bool why_last = false;
    CLI::Option* const last = why->add_flag("--last", why_last, "what stalled it last")->excludes(why_pid)->excludes(why_group)->excludes(why_submission_option)->excludes(why_at);
    why->add_option("--job", machine.job, "what held a job, by its number")->type_name("N")->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))->excludes(why_pid)->excludes(why_group)->excludes(why_submission_option)->excludes(why_at)->excludes(last);
    why->add_option("--server", rows.options.flags.server, "the server, with the token kept for it (or ASSAY_SERVER, or server in .assay.toml)")->type_name("URL");
    add_data_option(*why, common);
    why->add_flag("--json", why_options.json, "print one object");
    why->callback([&] {
        rows.options.json = json = why_options.json;
        if (why_options.pid != 0 || !why_options.group.empty()) code = why_process(why_options);
        else if (why_last || !machine.at.empty() || machine.job != 0) with_config([&](const serve::Config& c) {
            machine.data = c.data;
            machine.json = json;
            return why_machine(machine);
        });
        else if (why_submission_option->count() == 0) wrong = Error{Fault::invalid, "why takes a submission, --pid, --cgroup, --job, --at or --last"};
        else if (rows.options.flags.server && !common.flags.contains("data")) code = participant::why_command(rows.options, submission);
        else with_config([&](const serve::Config& c) {
            // Without a word, whoever has a data directory here is staff of it, and everybody else takes part somewhere.
            const bool here = common.flags.contains("data") || serve::holds_data(c.data);
            return here ? why_submission(staff(c), submission) : participant::why_command(rows.options, submission);
        });
    });

    add_recorder_rows(app, code, [&](CLI::App& row) { add_data_option(row, common); }, with_config);

    RunOptions options;
    CLI::App* const run = app.add_subcommand("run", "Run one command in the sandbox, without a server");
    run->footer(run_footer);
    run->add_option("--cpu", options.cpu, "CPU time of the whole process tree (default 10s)")->type_name("TIME");
    run->add_option("--wall", options.wall, "real time (default 30s)")->type_name("TIME");
    run->add_option("--memory", options.memory, "memory, scratch included (default 512MiB)")->type_name("SIZE");
    run->add_option("--processes", options.processes, "tasks at once, from 1 (default 64)")->type_name("N")->check(CLI::Range(1, 100'000));
    run->add_option("--output", options.output, "stdout and stderr together (default 1MiB)")->type_name("SIZE");
    run->add_option("--disk", options.disk, "writable scratch (default: a quarter of the memory)")->type_name("SIZE");
    run->add_option("--scratch", options.scratch,
                    "where that is: memory (default), or disk, which cgroup version 2 bounds in its pace")
        ->type_name("NAME")
        ->check(CLI::IsMember({"memory", "disk"}));
    run->add_option("--io", options.io, "what it may read from and write to block devices (cgroup version 2; default: no bound)")->type_name("SIZE");
    run->add_option("--open-files", options.open_files, "open files of one process, from 8 (default 256)")->type_name("N")->check(CLI::Range(8, 1 << 20));
    run->add_option("--cores", options.cores, "CPUs it sees, and their worth of CPU time per time (default: all)")->type_name("N")->check(CLI::Range(1, 4096));
    run->add_option("--disk-read-mib-per-s", options.disk_read_mib_per_s, "how fast it may read what is not cached (default 64; 0: as fast as the disk can)")->type_name("N");
    run->add_option("--image", options.image, "the root it sees: an imported image, or host (default): the machine's own folders")->type_name("NAME");
    add_data_option(*run, common);
    run->add_option("--profile", options.profile, "system calls it may make: language (default) suits compilers and runtimes, compiled is tight")->type_name("NAME")->check(CLI::IsMember({"language", "compiled"}));
    run->add_option("--network", options.network, "none (default) or host")->type_name("NAME")->check(CLI::IsMember({"none", "host"}));
    run->add_option("--stdin", options.stdin_path, "a file to read as standard input (default: empty)")->type_name("FILE");
    run->add_option("--bind", options.binds, "show a host directory inside, read-only unless :rw")->type_name("HOST:INSIDE[:rw]")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    run->add_option("--env", options.environment, "set a variable")->type_name("K=V")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    run->add_option("--chdir", options.directory, "where the command starts (default: an empty /work)")->type_name("DIR");
    run->add_option("--repeat", options.repeat,
                    "run it so often, each time from the beginning: how far do its times differ?")
        ->type_name("N")
        ->check(CLI::Range(1, 1'000'000));
    run->add_flag("--json", options.json, "print one object instead of passing the output through");
    run->add_option("COMMAND", options.command, "the program and its arguments, after --; never a shell")->required();
    run->positionals_at_end();
    // What follows "--" is the command as it stands: the parser would take an argument such as "[a,b]" apart.
    char** const words = std::find(argv, argv + argc, std::string_view{"--"});
    const bool marked = argc > 1 && std::string_view{argv[1]} == "run" && argv + argc - words > 1;
    const int parsed_argc = marked ? static_cast<int>(words - argv) + 2 : argc;
    run->callback([&] {
        if (marked) options.command.assign(words + 1, argv + argc);
        if (options.image == model::host_image &&
            options.scratch == "memory") {  // No configuration is needed, and a wrong one is no reason not to run.
            code = run_command(options);
            return;
        }
        with_config([&](const serve::Config& c) {
            options.data = c.data;
            return run_command(options);
        });
    });

    for (CLI::App* const sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (sub->get_group() != participant::participants_group) sub->group(staff_group);
    }
    return static_cast<int>(participant::run(app, parsed_argc, argv, rows));
}

// Started by the server or its helper, with descriptors instead of arguments that people could write.
std::optional<int> role(int argc, char** argv) {
    if (argc != 2) return std::nullopt;
    std::string_view name{argv[1]};
    if (name == "verifier") return archive::verifier_main();
    if (name == "importer") return image::importer_main();
    constexpr std::string_view recorder{"recorder-"};
    if (name.starts_with(recorder)) return recorder::recorder_main(name.substr(recorder.size()));
    constexpr std::string_view runner{"runner-"};
    if (!name.starts_with(runner)) return std::nullopt;
    name.remove_prefix(runner.size());
    int slots = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), slots);
    if (failure != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return runner::runner_main(slots);
}

}  // namespace
}  // namespace assay::cli

int main(int argc, char** argv) {
    if (const auto code = assay::cli::role(argc, argv)) return *code;
    return assay::cli::parse_and_run(argc, argv);
}
