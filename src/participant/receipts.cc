#include "participant/commands.hh"

#include <nlohmann/json.hpp>

#include <cstdio>

#include "base/shown.hh"
#include "base/text.hh"
#include "participant/commands.hh"
#include "participant/language.hh"
#include "participant/talk.hh"
#include "client/server.hh"
#include "model/json.hh"
#include "proof/proof.hh"
#include "sys/file.hh"
#include "sys/program.hh"
#include "sys/terminal.hh"

namespace assay::participant {
namespace {

using wording::Told;

constexpr std::size_t document_bytes_max = 1u << 20;
constexpr std::size_t token_bytes_max = 1024;

// Asks one path and prints what came.
ExitCode show(const ParticipantOptions& options, const std::string& path, const std::function<ExitCode(const std::string&)>& shown) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto server = server_for(*asked);
    if (!server) return failed(options, server.error());
    end_when_interrupted();
    const auto answer = server->text(path);
    if (!answer) return failed(options, answer.error());
    if (!*answer) return refused(options, answer->error());
    return shown(**answer);
}

std::string path_of(const std::string& id) { return "/api/v1/submissions/" + (id.empty() ? "-" : http::percent_encoded(id)); }

// The public key of this id in the answer of /api/v1/receipt-keys.
Result<std::string> key_among(std::string_view document, const std::string& key_id) {
    ASSAY_TRY(const nlohmann::json json, model::parse_json(document, {}));
    const auto keys = json.is_object() ? json.find("keys") : json.end();
    if (keys == json.end() || !keys->is_array()) return Error{Fault::invalid, told(Told::receipt_no_keys)};
    for (const auto& one : *keys) {
        if (!one.is_object() || one.value("key_id", nlohmann::json()) != key_id) continue;
        const auto key = one.value("public_key", nlohmann::json());
        if (!key.is_string()) continue;
        if (auto raw = from_base64(key.get<std::string>())) return std::move(*raw);
    }
    return Error{Fault::missing, told(Told::receipt_key_missing, {escaped(key_id)})};
}

Result<std::string> public_key(const ParticipantOptions& options, const std::string& given, const nlohmann::json& proof) {
    const auto text = [&](const char* name) {
        return proof.is_object() && proof.contains(name) && proof[name].is_string() ? proof[name].get<std::string>() : std::string{};
    };
    if (!given.empty()) {
        if (auto raw = from_base64(given)) return std::move(*raw);
        auto content = sys::read_file(given, document_bytes_max);
        if (!content)
            return Error{Fault::invalid, told(Told::receipt_key_hint, {escaped(content.error().text(), 1000)})};
        if (auto raw = from_base64(trimmed(*content))) return std::move(*raw);
        return key_among(*content, text("key_id"));
    }
    // Whom to believe is the user's to say; only without a word is it the server that the document names.
    ParticipantOptions from = options;
    if (!from.flags.server && !variable("ASSAY_SERVER")) {
        from.flags.server = text("server");
        say(told(Told::receipt_server, {escaped(text("server"))}));
    }
    ASSAY_TRY(const Asking asked, asking(from));
    const client::Server server = server_at(asked, "");
    const bool commitment = text("type") == model::commitment_type;
    ASSAY_TRY(const auto answer, server.text(commitment ? "/api/v1/commitment-keys" : "/api/v1/receipt-keys"));
    if (!answer) return Error{Fault::invalid, answer.error().text};
    return key_among(*answer, text("key_id"));
}

// What a genuine document says.
struct Genuine {
    std::string id;      // of a receipt
    std::string sha256;
    std::int64_t size = 0;
    std::string said;    // for a person
};

Genuine said_by(const model::Receipt& it) {
    return {it.id.text(), it.sha256, it.size,
            told(Told::receipt_genuine, {it.id.text(), escaped(it.participant.text()), escaped(it.course.text()), escaped(it.module.text()),
                                         std::to_string(it.size), escaped(it.received_last_byte)})};
}

Genuine said_by(const model::Commitment& it) {
    return {"", it.sha256, it.size,
            told(Told::commitment_genuine, {escaped(it.participant.text()), escaped(it.course.text()), escaped(it.module.text()),
                                            std::to_string(it.size), escaped(it.committed_at), escaped(it.bytes_until)})};
}

// Why it is not genuine, for whoever sits here.
Error in_words(const proof::Wrong& wrong, Told word) {
    const auto sentence = [&] {
        using enum proof::Defect;
        switch (wrong.what) {
            case unreadable: return Told::proof_unreadable;
            case type: return Told::proof_type;
            case text_missing: return Told::proof_text_missing;
            case size_missing: return Told::proof_size_missing;
            case key_size: return Told::proof_key_size;
            case signature_unreadable: return Told::proof_signature_unreadable;
            case other_key: return Told::proof_other_key;
            case members_more: return Told::proof_members_more;
            case signature_wrong: return Told::proof_signature_wrong;
        }
        return Told::proof_unreadable;
    };
    return {Fault::invalid, told(sentence(), {told(word), escaped(wrong.argument)})};
}

Result<Genuine> checked(const ParticipantOptions& options, const std::string& receipt_file, const std::string& key, const std::string& archive) {
    ASSAY_TRY(const std::string document, sys::read_file(receipt_file, document_bytes_max));
    ASSAY_TRY(const nlohmann::json json, model::parse_json(document, {.size_max = document_bytes_max, .depth_max = 4, .values_max = 100}));
    ASSAY_TRY(const std::string raw, public_key(options, key, json));
    Genuine genuine;
    if (json.is_object() && json.value("type", nlohmann::json()) == model::commitment_type) {
        const auto commitment = proof::check_commitment(trimmed(document), raw);
        if (!commitment) return in_words(commitment.error(), Told::commitment_word);
        genuine = said_by(*commitment);
    } else {
        const auto receipt = proof::check_receipt(trimmed(document), raw);
        if (!receipt) return in_words(receipt.error(), Told::receipt_word);
        genuine = said_by(*receipt);
    }
    if (archive.empty()) return genuine;
    ASSAY_TRY(const sys::Fd file, sys::open_read(archive));
    ASSAY_TRY(const Sum sum, sum_of(file, genuine.size));
    if (sum.size != genuine.size || sum.sha256 != genuine.sha256) {
        return Error{Fault::invalid, told(Told::receipt_other, {escaped(archive)})};
    }
    return genuine;
}

}  // namespace

ExitCode login_command(const ParticipantOptions& options) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    std::string token;
    {
        const sys::EchoOff silent;
        if (sys::is_terminal(0)) sys::print(stderr, told(Told::token_prompt));
        for (int c = std::getchar(); c != EOF && c != '\n' && token.size() < token_bytes_max; c = std::getchar()) token += static_cast<char>(c);
    }
    if (sys::is_terminal(0)) sys::print(stderr, "\n");
    token = trimmed(token);
    if (token.empty()) return misused({Fault::invalid, told(Told::no_token)});
    end_when_interrupted();
    const client::Server server = server_at(*asked, token);
    const auto known = server.knows_token();
    if (!known) return failed(options, known.error());
    if (!*known) return refused(options, known->error());
    if (!**known) {
        return refused(options, {.code = "bad_token", .text = wording::meaning(language(), model::Refusal::bad_token),
                                 .next = wording::next_step(language(), model::Refusal::bad_token), .status = 401});
    }
    const auto kept =
        client::store_token(variable, {asked->url.text(), asked->settings.course.value_or("*"), token}, language());
    if (!kept) return failed(options, kept.error());
    if (options.json) print_line(nlohmann::json{{"server", asked->url.text()}, {"stored", *kept}}.dump());
    else say(told(Told::token_kept, {asked->url.text(), *kept}));
    return ExitCode::done;
}

ExitCode status_command(const ParticipantOptions& options, const std::string& id) {
    return show(options, path_of(id), [&](const std::string& json) {
        const auto standing = client::standing_from(json);
        if (!standing) return failed(options, standing.error());
        print_line(options.json ? json : client::line_of(*standing, language()));
        return ExitCode::done;
    });
}

ExitCode watch_command(const ParticipantOptions& options, const std::string& id) {
    const auto asked = asking(options);
    if (!asked) return misused(asked.error());
    const auto server = server_for(*asked);
    if (!server) return failed(options, server.error());
    end_when_interrupted();
    return watch_to_end(options, *server, id);
}

ExitCode log_command(const ParticipantOptions& options, const std::string& id) {
    if (options.json) {
        return show(options, path_of(id) + "/report", [](const std::string& report) {
            print_line(report);
            return ExitCode::done;
        });
    }
    return show(options, path_of(id) + "/log", [](const std::string& log) {
        print_line(shown(log));  // Whoever the server is, nothing it says may move this terminal.
        return ExitCode::done;
    });
}

ExitCode verify_receipt(const ParticipantOptions& options, const std::string& receipt_file, const std::string& key, const std::string& archive) {
    const auto genuine = checked(options, receipt_file, key, archive);
    if (options.json) {
        nlohmann::ordered_json json{{"genuine", genuine.has_value()}};
        if (!genuine) json["error"] = genuine.error().text();
        else if (!genuine->id.empty()) json["id"] = genuine->id;
        print_line(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    if (!genuine) return fail(genuine.error());
    if (!options.json) print_line(genuine->said);
    return ExitCode::done;
}

}  // namespace assay::participant
