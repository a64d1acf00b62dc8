// Receiver: where messages go, and in which form. The forms are pure; `deliver` speaks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alert/message.hh"
#include "base/result.hh"
#include "wording/wording.hh"

namespace assay::alert {

enum class ReceiverKind { webhook, slack, ntfy, feishu, dingtalk, wecom, smtp, exec };
std::string_view to_string(ReceiverKind);
std::optional<ReceiverKind> receiver_kind_of(std::string_view);

enum class SmtpTls { starttls, implicit, none };

struct Receiver {
    std::string name;                    // 1..64 of a-z0-9_
    ReceiverKind kind = ReceiverKind::webhook;
    Severity from = Severity::info;      // what is less is not sent
    wording::Language language = wording::Language::english;
    int per_minute = 20;                 // messages, 1..600
    std::string url;                     // of all but smtp and exec; may hold a secret: never shown
    std::string secret;  // webhook, feishu, dingtalk: signs; ntfy: a bearer token; empty: nothing is signed
    std::string ca_file;  // certificates to trust instead of the system's
    // smtp
    std::string host;
    std::uint16_t port = 587;
    SmtpTls tls = SmtpTls::starttls;
    std::string user;  // empty: no login
    std::string password;
    std::string sender;  // an address
    std::vector<std::string> recipients;
    // exec: argv, the first an absolute path; the message (assay-alert/1) is on its standard input
    std::vector<std::string> command;
};

constexpr std::size_t receivers_max = 16;
constexpr std::int64_t deliver_ms_max = 10'000;  // of one try, name lookup aside

// A POST, and how its answer is read.
struct Posting {
    std::string url;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};
// Of the kinds that are a POST. `now_ms`: since 1970, for signatures. `zone`: of times that people read.
Posting posting_for(const Receiver&, const Message&, const std::string& zone, std::int64_t now_ms);

// Whether the receiver took it, by its answer: some say 200 and an error in the body. Errors: denied (with its words).
Result<> judge_answer(ReceiverKind, int status, std::string_view body);

// A mail, headers and body, lines ended by CRLF, as DATA sends it before dots are stuffed.
std::string mail_for(const Receiver&, const Message&, const std::string& zone, std::int64_t now_ms);

// Signatures (docs/formats/alerts.md).
std::string webhook_signature(std::string_view secret, std::string_view timestamp,
                              std::string_view body);  // "sha256=<hex>"
std::string feishu_sign(std::string_view secret, std::string_view timestamp_s);  // base64
std::string dingtalk_sign(std::string_view secret, std::string_view timestamp_ms);  // base64

// Sends and waits for the answer, at most deliver_ms_max. Blocking. Errors: unreachable, timed_out, denied, invalid; the text holds
// neither url nor secret.
Result<> deliver(const Receiver&, const Message&, const std::string& zone, std::int64_t now_ms);

}  // namespace assay::alert
