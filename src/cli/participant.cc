#include "cli/participant.hh"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "archive/archive.hh"
#include "base/shown.hh"
#include "base/text.hh"
#include "cli/commands.hh"
#include "cli/language.hh"
#include "client/server.hh"
#include "model/json.hh"
#include "store/keys.hh"
#include "sys/file.hh"
#include "sys/process.hh"
#include "sys/random.hh"
#include "sys/sha256.hh"
#include "sys/terminal.hh"
#include "wording/archive_faults.hh"

namespace assay::cli {
namespace {

using wording::Told;

constexpr std::string_view key_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t key_size = 32;
constexpr std::size_t document_bytes_max = 1u << 20;
constexpr std::size_t token_bytes_max = 1024;
constexpr std::string_view public_key_hint = "the key is base64 of 32 bytes, or a file with it";

std::optional<std::string> variable(const char* name) {
    const char* const value = std::getenv(name);  // Before any thread of ours.
    return value != nullptr && *value != '\0' ? std::optional<std::string>{value} : std::nullopt;
}

void say(std::string_view text) { std::fprintf(stderr, "assay: %.*s\n", static_cast<int>(text.size()), text.data()); }

std::string told(Told told, std::initializer_list<std::string_view> arguments = {}) { return wording::say(language(), told, arguments); }

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (!text.ends_with('\n')) std::fputc('\n', stdout);
    std::fflush(stdout);
}

// A refusal of the server or of what is before it. Its words are for a person; --json has the code.
ExitCode refused(const ParticipantOptions& options, const client::Refused& why) {
    constexpr std::size_t text_max = 2000;
    if (options.json) {
        print(nlohmann::ordered_json{{"refused", why.code.empty() ? "proxy" : why.code}, {"status", why.status}, {"detail", why.text}, {"next", why.next}}
                  .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    say(escaped(why.text, text_max));
    if (!why.next.empty()) say(escaped(why.next, text_max));
    const bool beyond = why.code.empty() && why.status >= 502 && why.status <= 504;  // Something answered, but not the server.
    return beyond ? ExitCode::unreachable : ExitCode::failed;
}

// Ctrl-C ends at once, with the exit code that says so. Whatever was sent is one submission or none: the key says which.
void end_when_interrupted() {
    auto signals = sys::signal_descriptor({SIGINT, SIGTERM});
    if (!signals) return;
    std::thread{[fd = std::move(*signals), said = "\nassay: " + told(Told::interrupted) + "\n"] {
        if (!sys::next_signal(fd)) return;
        std::fputs(said.c_str(), stderr);
        sys::exit_now(static_cast<int>(ExitCode::interrupted));
    }}.detach();
}

// One line that is written over, for a person alone.
class Progress {
public:
    explicit Progress(std::int64_t whole) : whole_{whole}, shown_{sys::is_terminal(2)} {}
    ~Progress() {
        if (shown_ && percent_ >= 0) std::fputs("\r\033[K", stderr);
    }
    void at(std::int64_t sent) {
        const auto percent = static_cast<int>(whole_ > 0 ? sent * 100 / whole_ : 100);
        if (!shown_ || percent == percent_) return;
        percent_ = percent;
        std::fprintf(stderr, "\r%s\033[K", told(Told::sending, {size_text(sent), size_text(whole_), std::to_string(percent)}).c_str());
    }

private:
    const std::int64_t whole_;
    const bool shown_;
    int percent_ = -1;
};

struct Asking {
    client::Settings settings;
    client::Url url;
};

Result<Asking> asking(const ParticipantOptions& options) {
    std::error_code failure;
    const std::string folder = std::filesystem::current_path(failure).string();
    ASSAY_TRY(const client::Settings found, client::settings(options.flags, variable, folder));
    if (!found.server) {
        return Error{Fault::missing, told(Told::no_server, {client::project_file_name})};
    }
    ASSAY_TRY(client::Url url, client::parse_url(*found.server));
    return Asking{found, std::move(url)};
}

Result<client::Server> server_for(const Asking& asked) {
    ASSAY_TRY(const client::FoundToken token, client::token_for(variable, asked.url.text(), asked.settings.course.value_or("*")));
    if (!token.warning.empty()) say(token.warning);
    return client::Server{asked.url, token.token, std::string{wording::tag(language())}};
}

ExitCode misused(const Error& error) {
    say(error.text());
    return error.fault() == Fault::unreachable ? ExitCode::unreachable : ExitCode::misused;
}

// What is no part of the work, beside what the module ignores anyway.
constexpr const char* never_handed_in[] = {".git/", ".hg/", ".svn/", ".jj/", ".assay.toml"};

// The smallest to send of the formats that every reader knows, where the module takes it.
archive::Format format_for(const model::UploadRules& rules) {
    for (const archive::Format format : {archive::Format::tar_gz, archive::Format::tar_zst, archive::Format::tar_xz, archive::Format::tar_bz2,
                                         archive::Format::zip}) {
        if (std::ranges::find(rules.formats, to_string(format)) != rules.formats.end()) return format;
    }
    return archive::Format::tar;
}

// The archive: a file as it is, or a folder packed in memory.
Result<sys::Fd> archive_of(const std::string& path, const model::UploadRules& rules) {
    std::error_code failure;
    if (!std::filesystem::is_directory(path, failure)) return sys::open_read(path);
    std::vector<std::string> ignore = rules.ignore;
    ignore.insert(ignore.end(), std::begin(never_handed_in), std::end(never_handed_in));
    ASSAY_TRY(sys::Fd pack, sys::memory_file("submission", {}, false));
    ASSAY_TRY(const archive::Packed packed, archive::pack_folder(path, ignore, format_for(rules), pack));
    for (const std::string& left_out : packed.left_out) say(told(Told::left_out, {escaped(left_out)}));
    return pack;
}

struct Sum {
    std::int64_t size = 0;
    std::string sha256;
};
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

// What the server would refuse, found here before a byte moves.
std::optional<client::Refused> refused_here(const archive::Refused& it) {
    const std::string detail = wording::sentence(language(), it.fault, it.arguments, {it.entry, it.limit, it.value, it.offset});
    return client::Refused{.code = std::string{to_string(it.code())},
                           .text = wording::with_detail(language(), wording::meaning(language(), it.code()), detail),
                           .next = wording::next_step(language(), it.code()),
                           .status = model::http_status(it.code())};
}

Result<std::optional<client::Refused>> check(const sys::Fd& file, const Sum& sum, const client::Limits& limits) {
    const auto refusal = [](model::Refusal code, std::string text) {
        return std::optional{client::Refused{std::string{to_string(code)}, std::move(text), wording::next_step(language(), code), model::http_status(code)}};
    };
    if (!limits.open) {
        const bool over = !limits.closes.empty() && limits.opens.empty();
        const auto code = over ? model::Refusal::closed : model::Refusal::not_open;
        return refusal(code, told(Told::closed_now, {limits.opens.empty() ? told(Told::opens_at_once) : limits.opens,
                                                     limits.closes.empty() ? told(Told::closes_never) : limits.closes}));
    }
    if (sum.size > limits.rules.size_max) {
        return refusal(model::Refusal::too_large, told(Told::file_too_large, {std::to_string(limits.rules.size_max), std::to_string(sum.size)}));
    }
    ASSAY_TRY(const archive::Verdict verdict, archive::verify(file, limits.rules));
    if (verdict.refused) return refused_here(*verdict.refused);
    if (verdict.manifest->names_converted > 0) say(told(Told::converted, {std::to_string(verdict.manifest->names_converted), "GB18030"}));
    return std::optional<client::Refused>{};
}

ExitCode watch_to_end(const ParticipantOptions& options, const client::Server& server, const std::string& id) {
    std::string said;
    const auto heard = [&](const client::Standing& standing, const std::string& json) {
        if (options.json) print(json);
        else if (const std::string line = client::line_of(standing); line != said && !standing.over()) {
            std::fprintf(stderr, "%s\n", line.c_str());
            said = line;
        }
        return true;
    };
    const auto ended = server.watch(id, heard);
    if (!ended) return fail(ended.error());
    if (!*ended) return refused(options, ended->error());
    if (!options.json) print(client::line_of(**ended));
    return (*ended)->verdict == "passed" ? ExitCode::done : ExitCode::failed;
}

// Asks one path and prints what came.
ExitCode show(const ParticipantOptions& options, const std::string& path, const std::function<ExitCode(const std::string&)>& shown) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto server = server_for(*asked);
    if (!server) return fail(server.error());
    end_when_interrupted();
    const auto answer = server->text(path);
    if (!answer) return fail(answer.error());
    if (!*answer) return refused(options, answer->error());
    return shown(**answer);
}

std::string path_of(const std::string& id) { return "/api/v1/submissions/" + (id.empty() ? "-" : http::percent_encoded(id)); }

// The public key of this id in the answer of /api/v1/receipt-keys.
Result<std::string> key_among(std::string_view document, const std::string& key_id) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(document, {}));
    const auto keys = json.is_object() ? json.find("keys") : json.end();
    if (keys == json.end() || !keys->is_array()) return Error{Fault::invalid, "these are no receipt keys"};
    for (const auto& one : *keys) {
        if (!one.is_object() || one.value("key_id", nlohmann::json()) != key_id) continue;
        const auto key = one.value("public_key", nlohmann::json());
        if (!key.is_string()) continue;
        if (auto raw = from_base64(key.get<std::string>())) return std::move(*raw);
    }
    return Error{Fault::missing, "the receipt was signed with a key that is not among them (" + escaped(key_id) + ")"};
}

Result<std::string> public_key(const ParticipantOptions& options, const std::string& given, const nlohmann::json& receipt) {
    const auto text = [&](const char* name) {
        return receipt.is_object() && receipt.contains(name) && receipt[name].is_string() ? receipt[name].get<std::string>() : std::string{};
    };
    if (!given.empty()) {
        if (auto raw = from_base64(given)) return std::move(*raw);
        auto content = sys::read_file(given, document_bytes_max);
        if (!content) return Error{Fault::invalid, fmt::format("{} ({})", public_key_hint, content.error().text())};
        if (auto raw = from_base64(trimmed(*content))) return std::move(*raw);
        return key_among(*content, text("key_id"));
    }
    // Whom to believe is the user's to say; only without a word is it the server that the receipt names.
    ParticipantOptions from = options;
    if (!from.flags.server && !variable("ASSAY_SERVER")) {
        from.flags.server = text("server");
        say(fmt::format("the key is that of the server the receipt names, {}", escaped(text("server"))));
    }
    ASSAY_TRY(const Asking asked, asking(from));
    const client::Server server{asked.url, "", ""};
    ASSAY_TRY(const auto answer, server.text("/api/v1/receipt-keys"));
    if (!answer) return Error{Fault::invalid, answer.error().text};
    return key_among(*answer, text("key_id"));
}

Result<model::Receipt> checked(const ParticipantOptions& options, const std::string& receipt_file, const std::string& key, const std::string& archive) {
    ASSAY_TRY(const std::string document, sys::read_file(receipt_file, document_bytes_max));
    ASSAY_TRY(const nlohmann::json json, model::parse_json(document, {.size_max = document_bytes_max, .depth_max = 4, .values_max = 100}));
    ASSAY_TRY(const std::string raw, public_key(options, key, json));
    ASSAY_TRY(const model::Receipt receipt, store::check_receipt(trimmed(document), raw));
    if (archive.empty()) return receipt;
    ASSAY_TRY(const sys::Fd file, sys::open_read(archive));
    ASSAY_TRY(const Sum sum, sum_of(file, receipt.size));
    if (sum.size != receipt.size || sum.sha256 != receipt.sha256) {
        return Error{Fault::invalid, fmt::format("the receipt is genuine, but of other bytes than {}", escaped(archive))};
    }
    return receipt;
}

}  // namespace

ExitCode submit_command(const ParticipantOptions& options, const SubmitOptions& submit) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto& [server_name, course, module] = asked->settings;
    if (!course || !module) return misused({Fault::missing, told(Told::no_module)});
    const auto server = server_for(*asked);
    if (!server) return fail(server.error());
    end_when_interrupted();

    const auto limits = server->limits(*course, *module);
    if (!limits) return fail(limits.error());
    if (!*limits) return refused(options, limits->error());
    auto file = archive_of(submit.path, (*limits)->rules);
    if (!file) return fail(file.take_error().in(submit.path));
    const auto sum = sum_of(*file, (*limits)->rules.size_max);
    if (!sum) return fail(sum.error());
    const auto wrong = check(*file, *sum, **limits);
    if (!wrong) return fail(wrong.error());
    if (*wrong) return refused(options, **wrong);

    std::optional<Progress> progress{std::in_place, sum->size};
    const auto sent = server->submit({.course = *course,
                                      .module = *module,
                                      .file = &*file,
                                      .size = sum->size,
                                      .sha256 = sum->sha256,
                                      .key = submit.key.empty() ? sys::random_text(key_size, key_alphabet) : submit.key,
                                      .progress = [&](std::int64_t bytes) { progress->at(bytes); }});
    progress.reset();
    if (!sent) return fail(sent.error());
    if (!*sent) return refused(options, sent->error());
    const client::Receipt& receipt = **sent;
    if (!submit.receipt_file.empty()) {
        if (auto kept = sys::write_file_durably(submit.receipt_file, receipt.document); !kept) say(kept.take_error().in("keep the receipt").text());
    }
    if (options.json) print(receipt.document);
    else print(told(receipt.again ? Told::received_before : Told::received, {receipt.received.id, escaped(receipt.received.at)}));
    return submit.watch ? watch_to_end(options, *server, receipt.received.id) : ExitCode::done;
}

ExitCode login_command(const ParticipantOptions& options) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    std::string token;
    {
        const sys::EchoOff silent;
        if (sys::is_terminal(0)) std::fputs(told(Told::token_prompt).c_str(), stderr);
        for (int c = std::getchar(); c != EOF && c != '\n' && token.size() < token_bytes_max; c = std::getchar()) token += static_cast<char>(c);
    }
    if (sys::is_terminal(0)) std::fputc('\n', stderr);
    token = trimmed(token);
    if (token.empty()) return misused({Fault::invalid, told(Told::no_token)});
    end_when_interrupted();
    const client::Server server{asked->url, token, std::string{wording::tag(language())}};
    const auto known = server.knows_token();
    if (!known) return fail(known.error());
    if (!*known) return refused(options, known->error());
    if (!**known) {
        return refused(options, {.code = "bad_token", .text = wording::meaning(language(), model::Refusal::bad_token),
                                 .next = wording::next_step(language(), model::Refusal::bad_token), .status = 401});
    }
    const auto kept = client::store_token(variable, {asked->url.text(), asked->settings.course.value_or("*"), token});
    if (!kept) return fail(kept.error());
    if (options.json) print(nlohmann::json{{"server", asked->url.text()}, {"stored", *kept}}.dump());
    else say(told(Told::token_kept, {asked->url.text(), *kept}));
    return ExitCode::done;
}

ExitCode status_command(const ParticipantOptions& options, const std::string& id) {
    return show(options, path_of(id), [&](const std::string& json) {
        const auto standing = client::standing_from(json);
        if (!standing) return fail(standing.error());
        print(options.json ? json : client::line_of(*standing));
        return ExitCode::done;
    });
}

ExitCode watch_command(const ParticipantOptions& options, const std::string& id) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto server = server_for(*asked);
    if (!server) return fail(server.error());
    end_when_interrupted();
    return watch_to_end(options, *server, id);
}

ExitCode log_command(const ParticipantOptions& options, const std::string& id) {
    return show(options, path_of(id) + "/log", [&](const std::string& log) {
        print(shown(log));  // Whoever the server is, nothing it says may move this terminal.
        return ExitCode::done;
    });
}

ExitCode verify_receipt(const ParticipantOptions& options, const std::string& receipt_file, const std::string& key, const std::string& archive) {
    const auto receipt = checked(options, receipt_file, key, archive);
    if (options.json) {
        nlohmann::ordered_json json{{"genuine", receipt.has_value()}};
        if (receipt) json["id"] = receipt->id.text();
        else json["error"] = receipt.error().text();
        print(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (!receipt) return fail(receipt.error());
    if (!options.json) {
        print(fmt::format("genuine: {} of {} in {}/{}, {} bytes, received {}", receipt->id.text(), escaped(receipt->participant.text()),
                          escaped(receipt->course.text()), escaped(receipt->module.text()), receipt->size, escaped(receipt->received_last_byte)));
    }
    return ExitCode::done;
}

}  // namespace assay::cli
