#include "cli/alert.hh"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "alert/engine.hh"
#include "alert/keeper.hh"
#include "base/text.hh"
#include "cli/act.hh"
#include "http/message.hh"
#include "participant/talk.hh"
#include "sys/process.hh"

namespace assay::cli {
namespace {

Result<std::string> ask(const StaffOptions& options, const char* method, const std::string& target) {
    return act(options.data, {method, target, method == std::string_view{"POST"} ? "text/plain" : "", ""},
               [&](serve::Rooms&) -> Result<std::string> {
                   return Error{Fault::missing,
                                "no server runs on " + options.data + ", and only a server tells of alerts"};
               });
}

ExitCode list(const StaffOptions& options) {
    auto listed = ask(options, "GET", "/admin/alerts");
    if (!listed || options.json) return print(std::move(listed));
    return print(alert::list_text(*listed));
}

ExitCode test(const StaffOptions& options, const AlertOptions& it) {
    auto tested = ask(options, "POST", "/admin/alerts/test?receiver=" + http::percent_encoded(it.receiver));
    const bool failed = !tested || tested->contains("): failed: ");
    const ExitCode printed = print(std::move(tested));
    return printed == ExitCode::done && failed ? ExitCode::failed : printed;
}

ExitCode silence(const StaffOptions& options, const AlertOptions& it) {
    const auto for_ms = parse_duration_ms(it.length);
    if (!for_ms) return participant::misused(Error{for_ms.error()}.in("--for"));
    if (*for_ms < 1 || *for_ms > alert::silence_ms_max)
        return participant::misused({Fault::invalid, "--for: a silence lasts at least 1ms and at most 31d"});
    const std::string author = it.author.empty() ? sys::name_of_uid(sys::effective_uid()).value_or("staff") : it.author;
    return print(
        ask(options, "POST",
            fmt::format("/admin/alerts/silence?match={}&for_ms={}&author={}&reason={}", http::percent_encoded(it.match),
                        *for_ms, http::percent_encoded(author), http::percent_encoded(it.reason))));
}

ExitCode unsilence(const StaffOptions& options, const AlertOptions& it) {
    return print(ask(options, "POST", "/admin/alerts/unsilence?id=" + http::percent_encoded(it.id)));
}

}  // namespace

void add_alert_commands(CLI::App& app, AlertOptions& options, const std::function<void(CLI::App&)>& add_data,
                        const std::function<void(std::function<ExitCode(const StaffOptions&)>)>& run, bool& json) {
    CLI::App* const alert =
        app.add_subcommand("alert", "What is wrong, who is told of it, and silences")->require_subcommand(1);
    CLI::App* const listed = alert->add_subcommand("list", "What is wrong now, the silences, and the receivers");
    listed->add_flag("--json", json, "print JSON, every rule included");
    add_data(*listed);
    listed->callback([run] { run(list); });
    CLI::App* const tested = alert->add_subcommand("test", "Send a test message and say whether it was taken");
    tested->add_option("RECEIVER", options.receiver, "one of [alert.receivers] (default: all)");
    add_data(*tested);
    tested->callback([run, &options] { run([&options](const StaffOptions& staff) { return test(staff, options); }); });
    CLI::App* const silenced = alert->add_subcommand("silence", "Say nothing of a rule or a cause for a while");
    silenced->add_option("MATCH", options.match, "a rule or a cause by name, or * for all")->required();
    silenced->add_option("--for", options.length, "how long, at most 31d (default 1h)")->type_name("TIME");
    silenced->add_option("--reason", options.reason, "why")->required()->type_name("TEXT");
    silenced->add_option("--author", options.author, "who (default: the user that runs this)")->type_name("NAME");
    add_data(*silenced);
    silenced->callback(
        [run, &options] { run([&options](const StaffOptions& staff) { return silence(staff, options); }); });
    CLI::App* const ended = alert->add_subcommand("unsilence", "End a silence");
    ended->add_option("ID", options.id, "as `alert list` names it")->required();
    add_data(*ended);
    ended->callback(
        [run, &options] { run([&options](const StaffOptions& staff) { return unsilence(staff, options); }); });
}

}  // namespace assay::cli
