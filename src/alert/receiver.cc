// The forms of the receivers, as their makers' documentation of robots and webhooks gives them (docs/formats/alerts.md).
#include "alert/receiver.hh"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

#include "alert/state.hh"
#include "alert/text.hh"
#include "base/text.hh"
#include "http/message.hh"
#include "model/json.hh"
#include "sys/sha256.hh"

namespace assay::alert {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::pair<ReceiverKind, std::string_view> kinds[] = {
    {ReceiverKind::webhook, "webhook"}, {ReceiverKind::slack, "slack"},       {ReceiverKind::ntfy, "ntfy"},
    {ReceiverKind::feishu, "feishu"},   {ReceiverKind::dingtalk, "dingtalk"}, {ReceiverKind::wecom, "wecom"},
    {ReceiverKind::smtp, "smtp"},       {ReceiverKind::exec, "exec"}};

// What each takes of one message, in bytes, with room for what stands around it.
constexpr std::size_t text_max = 16'000;
constexpr std::size_t wecom_text_max = 4'000;
constexpr std::size_t said_max = 120;  // of an answer, in an error

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// A header's text beyond ASCII (RFC 2047); words of at most 75 characters, never cut inside a character.
std::string encoded_words(std::string_view text) {
    if (is_ascii(text)) return std::string{text};
    constexpr std::size_t piece_max = 45;  // bytes: 60 characters of base64, and the frame
    std::string words;
    while (!text.empty()) {
        std::size_t size = std::min(piece_max, text.size());
        while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
        if (!words.empty()) words += "\r\n ";
        words += "=?UTF-8?B?" + to_base64(bytes_of(text.substr(0, size))) + "?=";
        text.remove_prefix(size);
    }
    return words;
}

std::string markdown_of(const Text& text) {
    std::string markdown = "**" + text.title + "**\n\n";
    for (const std::string& line : text.lines) markdown += line + "\n\n";
    return markdown;
}

const char* ntfy_priority(Severity severity) {
    switch (severity) {
        case Severity::wake: return "urgent";
        case Severity::day: return "default";
        case Severity::info: return "low";
    }
    return "default";
}

std::string base64_hmac(std::string_view key, std::string_view message) {
    return to_base64(bytes_of(sys::hmac_sha256(bytes_of(key), bytes_of(message))));
}

// The number and the words of an answer that is a JSON object.
Result<> judge_code(std::string_view body, std::initializer_list<const char*> code_names,
                    std::initializer_list<const char*> text_names) {
    const auto json = model::parse_json(body, {.size_max = 64u << 10});
    if (json && json->is_object()) {
        for (const char* const name : code_names) {
            if (!json->contains(name) || !(*json)[name].is_number_integer()) continue;
            const auto code = (*json)[name].get<std::int64_t>();
            if (code == 0) return ok;
            std::string said;
            for (const char* const text : text_names) {
                if (said.empty() && json->contains(text) && (*json)[text].is_string())
                    said = (*json)[text].get<std::string>();
            }
            return Error{Fault::denied, fmt::format("it refused with code {}: {}", code, escaped(said, said_max))};
        }
    }
    return Error{Fault::denied, fmt::format("its answer says neither yes nor no: {}", escaped(body, said_max))};
}

}  // namespace

std::string_view to_string(ReceiverKind kind) {
    return std::ranges::find(kinds, kind, &std::pair<ReceiverKind, std::string_view>::first)->second;
}

std::optional<ReceiverKind> receiver_kind_of(std::string_view text) {
    for (const auto& [kind, name] : kinds) {
        if (name == text) return kind;
    }
    return std::nullopt;
}

std::string webhook_signature(std::string_view secret, std::string_view timestamp, std::string_view body) {
    return "sha256=" +
           to_hex(bytes_of(sys::hmac_sha256(bytes_of(secret), bytes_of(fmt::format("{}.{}", timestamp, body)))));
}

// The secret is part of the key and the message is empty: so Feishu has it.
std::string feishu_sign(std::string_view secret, std::string_view timestamp_s) {
    return base64_hmac(fmt::format("{}\n{}", timestamp_s, secret), "");
}

std::string dingtalk_sign(std::string_view secret, std::string_view timestamp_ms) {
    return base64_hmac(secret, fmt::format("{}\n{}", timestamp_ms, secret));
}

Posting posting_for(const Receiver& receiver, const Message& message, const std::string& zone, std::int64_t now_ms) {
    const Text text = text_of(message, receiver.language, zone);
    const std::string timestamp_s = std::to_string(now_ms / 1000);
    Posting posting{.url = receiver.url, .headers = {{"Content-Type", "application/json; charset=utf-8"}}};
    switch (receiver.kind) {
        case ReceiverKind::webhook:
            posting.body = to_json(message, text.title, text.body());
            posting.headers.emplace_back("Assay-Message-Id", message.id);
            posting.headers.emplace_back("Assay-Timestamp", timestamp_s);
            if (!receiver.secret.empty())
                posting.headers.emplace_back("Assay-Signature",
                                             webhook_signature(receiver.secret, timestamp_s, posting.body));
            break;
        case ReceiverKind::slack:
            posting.body = dump({{"text", shortened("*" + text.title + "*\n" + text.body(), text_max)}});
            break;
        case ReceiverKind::ntfy:
            posting.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                               {"X-Priority", ntfy_priority(message.severity)},
                               {"X-Message-Id", message.id}};
            if (!receiver.secret.empty()) posting.headers.emplace_back("Authorization", "Bearer " + receiver.secret);
            posting.body = shortened(text.title + "\n" + text.body(), wecom_text_max);
            break;
        case ReceiverKind::feishu: {
            Json json = Json::object();
            if (!receiver.secret.empty())
                json = {{"timestamp", timestamp_s}, {"sign", feishu_sign(receiver.secret, timestamp_s)}};
            json["msg_type"] = "text";
            json["content"] = {{"text", shortened(text.title + "\n" + text.body(), text_max)}};
            posting.body = dump(json);
            break;
        }
        case ReceiverKind::dingtalk:
            if (!receiver.secret.empty()) {
                const std::string timestamp_ms = std::to_string(now_ms);
                posting.url +=
                    fmt::format("{}timestamp={}&sign={}", receiver.url.contains('?') ? '&' : '?', timestamp_ms,
                                http::percent_encoded(dingtalk_sign(receiver.secret, timestamp_ms)));
            }
            posting.body =
                dump({{"msgtype", "markdown"},
                      {"markdown", {{"title", text.title}, {"text", shortened(markdown_of(text), text_max)}}}});
            break;
        case ReceiverKind::wecom:
            posting.body = dump(
                {{"msgtype", "markdown"}, {"markdown", {{"content", shortened(markdown_of(text), wecom_text_max)}}}});
            break;
        case ReceiverKind::smtp:
        case ReceiverKind::exec: break;  // no POST
    }
    return posting;
}

Result<> judge_answer(ReceiverKind kind, int status, std::string_view body) {
    if (status < 200 || status > 299)
        return Error{Fault::denied, fmt::format("it answered {}: {}", status, escaped(body, said_max))};
    switch (kind) {
        case ReceiverKind::feishu: return judge_code(body, {"code", "StatusCode"}, {"msg", "StatusMessage"});
        case ReceiverKind::dingtalk:
        case ReceiverKind::wecom: return judge_code(body, {"errcode"}, {"errmsg"});
        default: return ok;
    }
}

std::string mail_for(const Receiver& receiver, const Message& message, const std::string& zone, std::int64_t now_ms) {
    const Text text = text_of(message, receiver.language, zone);
    const std::size_t at = receiver.sender.find('@');
    const std::string domain = at == std::string::npos ? "localhost" : receiver.sender.substr(at + 1);
    std::string mail;
    const auto header = [&mail](std::string_view name, std::string_view value) {
        mail += fmt::format("{}: {}\r\n", name, value);
    };
    header("From", receiver.sender);
    header("To", fmt::format("{}", fmt::join(receiver.recipients, ", ")));
    header("Subject", encoded_words(text.title));
    header("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(static_cast<std::time_t>(now_ms / 1000))));
    header("Message-ID", fmt::format("<{}@{}>", message.id, domain));
    header("References", fmt::format("<{}@{}>", message.incident, domain));  // All of one incident are a thread.
    header("Auto-Submitted", "auto-generated");
    if (message.severity == Severity::wake) header("X-Priority", "1");
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=utf-8");
    header("Content-Transfer-Encoding", "base64");
    mail += "\r\n";
    constexpr std::size_t line_max = 76;
    const std::string body = to_base64(bytes_of(text.title + "\n\n" + text.body()));
    for (std::size_t begin = 0; begin < body.size(); begin += line_max) mail += body.substr(begin, line_max) + "\r\n";
    return mail;
}

}  // namespace assay::alert
