// A mail's conversation with its server: RFC 5321, STARTTLS (RFC 3207), AUTH PLAIN (RFC 4954).
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "alert/wire.hh"

namespace assay::alert {
namespace {

constexpr std::size_t reply_bytes_max = 16u << 10;

class Conversation {
public:
    Conversation(Wire wire, const Receiver& receiver) : wire_{std::move(wire)}, receiver_{receiver} {}

    Result<> run(std::string_view mail) {
        if (receiver_.tls == SmtpTls::implicit) ASSAY_CHECK(wire_.start_tls(receiver_.host, receiver_.ca_file));
        ASSAY_CHECK(expect(2, "its greeting"));
        ASSAY_CHECK(greet());
        if (receiver_.tls == SmtpTls::starttls) {
            if (!offers("STARTTLS"))
                return Error{Fault::denied, "it does not offer STARTTLS, and without it nothing is sent"};
            ASSAY_CHECK(ask("STARTTLS", 2));
            // What came before the handshake was said by anybody.
            if (!bytes_.empty()) return Error{Fault::denied, "it spoke between STARTTLS and TLS"};
            ASSAY_CHECK(wire_.start_tls(receiver_.host, receiver_.ca_file));
            ASSAY_CHECK(greet());
        }
        if (!receiver_.user.empty()) {
            std::string plain{'\0'};
            plain += receiver_.user + '\0' + receiver_.password;
            ASSAY_CHECK(wire_.send("AUTH PLAIN " + to_base64(bytes_of(plain)) + "\r\n"));
            ASSAY_CHECK(expect(2, "AUTH"));
        }
        ASSAY_CHECK(ask(fmt::format("MAIL FROM:<{}>", receiver_.sender), 2));
        for (const std::string& recipient : receiver_.recipients)
            ASSAY_CHECK(ask(fmt::format("RCPT TO:<{}>", recipient), 2));
        ASSAY_CHECK(ask("DATA", 3));
        ASSAY_CHECK(wire_.send(dot_stuffed(mail)));
        ASSAY_CHECK(expect(2, "the mail"));
        (void)wire_.send("QUIT\r\n");  // It has the mail; how it says goodbye does not matter.
        return ok;
    }

private:
    Result<> greet() { return ask("EHLO assay", 2); }

    Result<> ask(const std::string& command, int wanted) {
        ASSAY_CHECK(wire_.send(command + "\r\n"));
        return expect(wanted, command);
    }

    // The next reply must be of this class.
    Result<> expect(int wanted, std::string_view to_what) {
        std::array<char, 4096> buffer;
        for (;;) {
            ASSAY_TRY(auto reply, take_reply(bytes_));
            if (reply) {
                last_ = std::move(*reply);
                if (last_.code / 100 == wanted) return ok;
                const std::string words = last_.lines.empty() ? "" : last_.lines.front();
                return Error{Fault::denied, fmt::format("it answered {} to {}: {}", last_.code, escaped(to_what, 80),
                                                        escaped(words, 120))};
            }
            ASSAY_TRY(const std::size_t count, wire_.receive(buffer));
            if (count == 0)
                return Error{Fault::unreachable,
                             fmt::format("it closed without an answer to {}", escaped(to_what, 80))};
            bytes_.append(buffer.data(), count);
        }
    }

    bool offers(std::string_view what) const {
        for (const std::string& line : last_.lines) {
            if (equal_ignoring_case(line, what)) return true;
        }
        return false;
    }

    Wire wire_;
    const Receiver& receiver_;
    std::string bytes_;
    SmtpReply last_;
};

}  // namespace

Result<std::optional<SmtpReply>> take_reply(std::string& bytes) {
    SmtpReply reply;
    std::size_t at = 0;
    for (;;) {
        const std::size_t end = bytes.find('\n', at);
        if (end == std::string::npos || end > reply_bytes_max) {
            if (bytes.size() > reply_bytes_max) return Error{Fault::too_large, "its reply does not end"};
            return std::optional<SmtpReply>{};
        }
        std::string_view line = std::string_view{bytes}.substr(at, end - at);
        if (line.ends_with('\r')) line.remove_suffix(1);
        at = end + 1;
        int code = 0;
        const bool numbered =
            line.size() >= 3 && std::from_chars(line.data(), line.data() + 3, code).ptr == line.data() + 3;
        const bool parted = line.size() == 3 || (line.size() > 3 && (line[3] == ' ' || line[3] == '-'));
        if (!numbered || !parted || code < 200 || code > 599)
            return Error{Fault::invalid, "its reply is no SMTP: " + escaped(line, 80)};
        reply.code = code;
        reply.lines.emplace_back(line.size() > 4 ? line.substr(4) : std::string_view{});
        if (line.size() == 3 || line[3] == ' ') break;
    }
    bytes.erase(0, at);
    return std::optional{std::move(reply)};
}

std::string dot_stuffed(std::string_view mail) {
    std::string stuffed;
    bool line_begins = true;
    for (const char c : mail) {
        if (line_begins && c == '.') stuffed += '.';
        stuffed += c;
        line_begins = c == '\n';
    }
    if (!line_begins) stuffed += "\r\n";
    return stuffed + ".\r\n";
}

Result<> send_mail(const Receiver& receiver, std::string_view mail, sys::TimePoint deadline) {
    ASSAY_TRY(Wire wire, Wire::connect(receiver.host, receiver.port, deadline));
    return Conversation{std::move(wire), receiver}.run(mail);
}

}  // namespace assay::alert
