#include "participant/rows.hh"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "base/text.hh"
#include "participant/talk.hh"
#include "sys/program.hh"

namespace assay::participant {
namespace {

constexpr const char* submit_footer =
    R"(Of a folder, all goes but what the module ignores, what .gitignore or .assayignore name (as git reads them, from the folder
itself and those in it; .assayignore is read after, and wins), .git, .assay.toml and .assayignore themselves. What goes and what
stays, and by which line, is said before anything is sent; nothing is ever written into the folder.

  assay submit --dry-run            what would be sent, its hash, the limits, the deadline; sends nothing
  assay submit --verbose            the same with every file, then hands it in
  assay submit work.zip --watch     an archive as it is, followed to its verdict

With --json: one object a line: what is handed in (assay-hand-in/1), then the receipt (assay-receipt/1), with --watch each state;
or what was refused (assay-refusal/1), or failed (assay-error/1).

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server was not reached, 4 interrupted.)";

// A typo in a command gets a suggestion instead of a usage text.
std::optional<std::string> unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
    const CLI::App* at = &app;
    for (std::size_t i = 1; i < words.size(); ++i) {
        const std::string_view word{words[i]};
        if (word.starts_with("-")) return std::nullopt;
        std::vector<std::string> names;
        for (const CLI::App* sub : at->get_subcommands([](const CLI::App*) { return true; })) names.push_back(sub->get_name());
        if (names.empty()) return std::nullopt;
        const auto found = std::ranges::find(names, word);
        if (found == names.end()) {
            std::string text = "there is no command '" + escaped(word, 40) + "'";
            const std::vector<std::string_view> views{names.begin(), names.end()};
            if (const auto near = nearest(word, views)) text += "; did you mean '" + *near + "'?";
            return text + " (assay --help lists them)";
        }
        at = at->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; }).front();
    }
    return std::nullopt;
}

// A command that asks a server.
CLI::App* row(CLI::App& app, Rows& rows, const char* name, const char* help, const char* json_help = "print JSON") {
    CLI::App* const sub = app.add_subcommand(name, help);
    sub->group(participants_group);
    sub->add_option("--server", rows.options.flags.server, "the server (or ASSAY_SERVER, or server in .assay.toml)")->type_name("URL");
    sub->add_option("--course", rows.options.flags.course, "the course (or ASSAY_COURSE, or course in .assay.toml)")->type_name("ID");
    sub->add_flag("--json", rows.options.json, json_help);
    return sub;
}

void add_row_about_one(CLI::App& app, Rows& rows, const char* name, const char* help, ExitCode (*command)(const ParticipantOptions&, const std::string&)) {
    CLI::App* const sub = row(app, rows, name, help);
    sub->add_option("ID", rows.submission, "the submission")->required();
    sub->callback([&rows, command] { rows.code = command(rows.options, rows.submission); });
}

void add_submit_row(CLI::App& app, Rows& rows) {
    SubmitOptions& submit = rows.submit;
    CLI::App* const sub = row(app, rows, "submit", "Hand in a folder or an archive, and print the receipt",
                              "print what goes and stays, then the receipt or the refusal, one JSON object a line");
    sub->add_option("PATH", submit.path, "a folder, which is packed, or an archive file (default: this folder)");
    sub->add_option("--module", rows.options.flags.module, "the module (or ASSAY_MODULE, or module in .assay.toml)")->type_name("ID");
    sub->add_option("--receipt", submit.receipt_file, "keep the receipt in this file")->type_name("FILE");
    sub->add_option("--key", submit.key, "the Idempotency-Key (default: a fresh one); the same one makes two tries one submission")->type_name("KEY");
    sub->add_flag("--dry-run", submit.dry_run, "say what would go and what would stay, with the hash, and send nothing");
    sub->add_flag("--verbose", submit.verbose, "list every file that goes or stays");
    sub->add_flag_callback("--no-ignore", [&submit] { submit.use_ignore_files = false; }, "hand in what .gitignore and .assayignore would leave behind");
    sub->footer(submit_footer);
    sub->add_flag("--watch", submit.watch, "follow it to its verdict; exits with 0 only when it passed");
    sub->callback([&rows] { rows.code = submit_command(rows.options, rows.submit); });
}

void add_pack_row(CLI::App& app, Rows& rows) {
    CLI::App* const sub = app.add_subcommand("pack", "Pack a folder and check the result: the same folder always gives the same bytes");
    sub->group(participants_group);
    sub->add_option("DIR", rows.folder, "the folder to pack")->required();
    sub->add_option("-o,--output", rows.target, "the archive: .tar, .tar.gz, .tar.bz2, .tar.xz, .tar.zst or .zip")->type_name("FILE")->required();
    sub->add_flag("--json", rows.options.json, "print JSON");
    sub->add_flag_callback("--no-ignore", [&rows] { rows.use_ignore_files = false; }, "pack what .gitignore and .assayignore would leave out");
    sub->callback([&rows] { rows.code = pack_command(rows.folder, rows.target, rows.use_ignore_files, rows.options.json); });
}

void verify(Rows& rows, const Other& other) {
    if (rows.receipt.empty() && rows.archive.empty()) rows.wrong = Error{Fault::invalid, "verify takes an archive, or --receipt"};
    else if (!rows.receipt.empty() && !rows.module_folder.empty()) rows.wrong = Error{Fault::invalid, "a receipt is checked without --module"};
    else if (!rows.receipt.empty()) rows.code = verify_receipt(rows.options, rows.receipt, rows.key, rows.archive);
    else if (rows.module_folder.empty()) rows.code = verify_command(rows.archive, std::nullopt, rows.options.json);
    else if (const auto rules = other.rules_of(rows.module_folder); !rules) rows.code = fail(rules.error());
    else rows.code = verify_command(rows.archive, *rules, rows.options.json);
}

void add_verify_row(CLI::App& app, Rows& rows, const Other& other) {
    const bool modules = static_cast<bool>(other.rules_of);
    CLI::App* const sub = row(app, rows, "verify", modules ? "Judge an archive by a module's rules, or check a receipt"
                                                           : "Judge an archive by the usual rules, or check a receipt");
    sub->add_option("FILE", rows.archive, "the archive; with --receipt: what it should be of");
    if (modules) sub->add_option("--module", rows.module_folder, "the folder of the module whose rules hold (default: the default rules)")->type_name("DIR");
    sub->add_option("--receipt", rows.receipt, "the receipt")->type_name("FILE");
    sub->add_option("--key", rows.key, "the server's public key: base64, or a file with it (default: the server is asked)")->type_name("KEY");
    sub->callback([&] { verify(rows, other); });
}

CLI::App* add_check_row(CLI::App& app, Rows& rows, const Other& other) {
    CLI::App* const sub = app.add_subcommand("check", other.check_host ? "Is this host fit, or the way to a server? What is missing, and the cure; changes nothing"
                                                                       : "Is the way to a server fit? What is missing, and the cure; changes nothing");
    CLI::Option* const url = sub->add_option("URL", rows.address, "look at the way to this server (half a minute): what stands in front of it, and what that refuses or holds back");
    if (!other.check_host) {
        sub->group(participants_group);
        url->required();
    }
    sub->add_flag("--json", rows.options.json, "print JSON");
    sub->callback([&] { rows.code = rows.address.empty() ? other.check_host() : check_url_command(rows.address, rows.options.json); });
    return sub;
}

}  // namespace

CLI::App* add_rows(CLI::App& app, Rows& rows, const Other& other) {
    add_submit_row(app, rows);
    CLI::App* const login = row(app, rows, "login", "Keep a token, read from standard input, for a server");
    login->callback([&rows] { rows.code = login_command(rows.options); });
    add_row_about_one(app, rows, "status", "Where a submission stands, and why", status_command);
    add_row_about_one(app, rows, "watch", "Follow a submission to its verdict; exits with 0 only when it passed", watch_command);
    add_row_about_one(app, rows, "log", "What the stages of a submission printed", log_command);
    add_pack_row(app, rows);
    add_verify_row(app, rows, other);
    return add_check_row(app, rows, other);
}

void add_why_row(CLI::App& app, Rows& rows) { add_row_about_one(app, rows, "why", "Why a submission waits", why_command); }

ExitCode run(CLI::App& app, int argc, char** argv, const Rows& rows) {
    sys::prepare_streams();
    std::vector<std::string> words = sys::arguments(argc, argv);
    if (const auto unknown = unknown_command(app, words)) {
        say(*unknown);
        return ExitCode::misused;
    }
    try {
        if (!words.empty()) {
            if (app.get_name().empty()) app.name(words.front());
            words.erase(words.begin());
        }
        std::ranges::reverse(words);  // As CLI11 wants them.
        app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        std::ostringstream out, err;
        const int code = app.exit(error, out, err);
        sys::print(stdout, out.str());
        if (!err.str().empty()) sys::print(stderr, "assay: " + err.str());  // as every other sentence of ours
        return code == 0 ? ExitCode::done : ExitCode::misused;
    }
    if (!rows.wrong) return rows.code;
    say(rows.wrong->text());
    return ExitCode::misused;
}

}  // namespace assay::participant
