#include "participant/talk.hh"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/text.hh"
#include "participant/commands.hh"
#include "participant/language.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/program.hh"
#include "sys/sha256.hh"
#include "wording/archive_faults.hh"

namespace assay::participant {

using wording::Told;

std::optional<std::string> variable(const char* name) {
    return sys::variable(name);
}

void say(std::string_view text) { sys::print(stderr, "assay: " + std::string{text} + "\n"); }

std::string told(Told it, std::initializer_list<std::string_view> arguments) {
    return wording::say(language(), it, arguments);
}

void print_line(std::string_view text) {
    sys::print(stdout, text);
    if (!text.ends_with('\n')) sys::print(stdout, "\n");
    std::fflush(stdout);
}

ExitCode fail(const Error& error) {
    say(error.text());
    return exit_code_of(error.fault());
}

ExitCode refused(const ParticipantOptions& options, const client::Refused& why) {
    constexpr std::size_t text_max = 2000;
    if (options.json) {
        print_line(nlohmann::ordered_json{
            {"type", "assay-refusal/1"},
            {"refused", why.code.empty() ? "proxy" : why.code},
            {"status", why.status},
            {"detail", why.text},
            {"next",
             why.next}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    say(escaped(why.text, text_max));
    if (!why.next.empty()) say(escaped(why.next, text_max));
    const bool beyond =
        why.code.empty() && why.status >= 502 && why.status <= 504;  // Something answered, but not the server.
    return beyond ? ExitCode::unreachable : ExitCode::failed;
}

ExitCode failed(const ParticipantOptions& options, const Error& error) {
    if (options.json) {
        const nlohmann::ordered_json json{
            {"type", "assay-error/1"}, {"error", to_string(error.fault())}, {"text", error.text()}};
        print_line(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    return fail(error);
}

client::Refused refused_here(model::Refusal code, std::string text) {
    return {.code = std::string{to_string(code)},
            .text = std::move(text),
            .next = wording::next_step(language(), code),
            .status = model::http_status(code)};
}

client::Refused refused_here(const archive::Refused& it) {
    const std::string detail =
        wording::sentence(language(), it.fault, it.arguments, {it.entry, it.limit, it.value, it.offset});
    return refused_here(it.code(), wording::with_detail(language(), wording::meaning(language(), it.code()), detail));
}

ExitCode misused(const Error& error) {
    say(error.text());
    return error.fault() == Fault::unreachable ? ExitCode::unreachable : ExitCode::misused;
}

Result<Asking> asking(const ParticipantOptions& options) {
    std::error_code failure;
    const std::string folder = std::filesystem::current_path(failure).generic_string();
    ASSAY_TRY(const client::Settings found, client::settings(options.flags, variable, folder, language()));
    if (!found.server) { return Error{Fault::missing, told(Told::no_server, {client::project_file_name})}; }
    ASSAY_TRY(client::Url url, client::parse_url(*found.server, language()));
    return Asking{found, std::move(url), options.json};
}

client::Server server_at(const Asking& asked, const std::string& token, OnSilence on_silence) {
    if (!on_silence) on_silence = [json = asked.json](const client::Silence& it) { tell(it, json); };
    return {asked.url, token, language(), asked.settings.ca_file.value_or(""), {.tell = std::move(on_silence)}};
}

void tell(const client::Silence& it, bool json) {
    const std::int64_t since_s = it.since.count() / 1000, left_s = it.left.count() / 1000;
    if (json) {
        print_line(nlohmann::ordered_json{{"type", "assay-wait/1"},
                                          {"for", to_string(it.of)},
                                          {"server", it.server},
                                          {"since_s", since_s},
                                          {"left_s", left_s > 0 ? nlohmann::ordered_json(left_s) : nlohmann::ordered_json(nullptr)}}
                       .dump());
    }
    const Told what = it.of == client::Silence::Of::connecting ? Told::silent_connecting
                      : it.of == client::Silence::Of::network  ? Told::silent_network
                                                               : Told::silent_server;
    say(told(what, {it.server, std::to_string(since_s), std::to_string(left_s)}));
}

Result<client::Server> server_for(const Asking& asked, OnSilence on_silence) {
    ASSAY_TRY(const client::FoundToken token,
              client::token_for(variable, asked.url.text(), asked.settings.course.value_or("*"), language()));
    if (!token.warning.empty()) say(token.warning);
    return server_at(asked, token.token, std::move(on_silence));
}

void end_when_interrupted(std::function<void()> last_words) {
    auto signals = sys::signal_descriptor({SIGINT, SIGTERM});
    if (!signals) return;
    std::thread{[fd = std::move(*signals), said = "\nassay: " + told(Told::interrupted) + "\n", last_words = std::move(last_words)] {
        if (!sys::next_signal(fd)) return;
        sys::print(stderr, said);
        if (last_words) last_words();
        sys::exit_now(static_cast<int>(ExitCode::interrupted));
    }}.detach();
}

ExitCode watch_to_end(const ParticipantOptions& options, const client::Server& server, const std::string& id) {
    std::string said;
    std::string last;
    const auto heard = [&](const client::Standing& standing, const std::string& json) {
        last = json;
        if (options.json && !standing.over()) print_line(json);
        else if (options.json) return true;  // It is printed whole below.
        else if (const std::string line = client::line_of(standing, language()); line != said && !standing.over()) {
            sys::print(stderr, line + "\n");
            said = line;
        }
        return true;
    };
    const auto ended = server.watch(id, heard);
    if (!ended) return failed(options, ended.error());
    if (!*ended) return refused(options, ended->error());
    if (options.json) {
        // Events leave out the stages. Where they cannot be had any more, the verdict is known all the same.
        const auto whole = server.text("/api/v1/submissions/" + http::percent_encoded((*ended)->id));
        print_line(whole && *whole ? **whole : last);
    } else {
        print_line(client::line_of(**ended, language()));
    }
    return (*ended)->verdict == "passed" ? ExitCode::done : ExitCode::failed;
}

Result<Sum> sum_of(const sys::Fd& file, std::int64_t size_max) {
    sys::Sha256 sha256;
    std::vector<std::byte> piece(client::piece_bytes);
    Sum sum;
    for (;;) {
        ASSAY_TRY(const std::size_t count, sys::read_at(file, piece, sum.size));
        if (count == 0) break;
        sha256.add(ByteView{piece}.first(count));
        sum.size += static_cast<std::int64_t>(count);
        if (sum.size > size_max) break;
    }
    sum.sha256 = std::move(sha256).hex();
    return sum;
}

}  // namespace assay::participant
