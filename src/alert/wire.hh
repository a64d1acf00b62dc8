// Wire: a blocking connection to a receiver, with TLS where it is wanted. A certificate must be valid for the host's name, by the
// system's authorities or a file of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alert/receiver.hh"
#include "base/result.hh"
#include "base/text.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "tls/stream.hh"

namespace assay::alert {

class Wire {
public:
    // `deadline` bounds everything that is done with it. Errors of all: unreachable, timed_out, denied (a certificate).
    static Result<Wire> connect(const std::string& host, std::uint16_t port, sys::TimePoint deadline);
    static Wire over(sys::Fd connected, sys::TimePoint deadline);  // a blocking socket

    // From here on encrypted. `ca_file`: empty for the system's authorities.
    Result<> start_tls(const std::string& host, const std::string& ca_file);
    Result<> send(std::string_view);
    Result<std::size_t> receive(std::span<char> buffer);  // 0: the other side is done

private:
    Wire(sys::Fd socket, sys::TimePoint deadline) : stream_{std::move(socket)}, deadline_{deadline} {}
    Result<> arm();  // the socket's own timeouts, from what is left
    tls::Stream stream_;
    sys::TimePoint deadline_;
};

// http:// or https://. Pure.
struct WebAddress {
    bool tls = false;
    std::string host;  // without brackets
    std::uint16_t port = 80;
    std::string target;  // path and query, at least "/"
    std::string host_header;
};
Result<WebAddress> parse_web_address(std::string_view url);  // errors: invalid; the text does not hold the url

struct WebAnswer {
    int status = 0;
    std::string body;  // at most answer_bytes_max
};
constexpr std::size_t answer_bytes_max = 64u << 10;

// What a server sent from the beginning on; nullopt: more must come (`ended`: no more will). Errors: invalid, too_large. Pure.
Result<std::optional<WebAnswer>> read_answer(std::string_view bytes, bool ended);

// One POST on a connection of its own; redirections are not followed.
Result<WebAnswer> post(const Posting&, const std::string& ca_file, sys::TimePoint deadline);

// One mail, by RFC 5321 with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954), as the receiver says.
Result<> send_mail(const Receiver&, std::string_view mail, sys::TimePoint deadline);

// Takes one reply off the front of `bytes`: its code and the text of its lines. nullopt: it is not complete. Errors: invalid,
// too_large. Pure.
struct SmtpReply {
    int code = 0;
    std::vector<std::string> lines;
};
Result<std::optional<SmtpReply>> take_reply(std::string& bytes);
// `.` doubled at the beginning of lines, and the line that ends the mail.
std::string dot_stuffed(std::string_view mail);

}  // namespace assay::alert
