// Stream: a connected, blocking socket, encrypted from when it is told to; the one place that meets OpenSSL. A certificate must be
// one of trusted authorities and be for the host's name.
//
// Threading: one thread at a time. How long it blocks is the socket's own timeouts' to say (set_timeouts).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.hh"
#include "base/text.hh"
#include "sys/clock.hh"
#include "sys/fd.hh"
#include "sys/net.hh"

namespace assay::tls {

// Whose certificates are believed. Cheap to copy.
class Trust {
public:
    // `ca_file`: authorities in PEM, instead of all others; empty: those that SSL_CERT_FILE or SSL_CERT_DIR name, else this machine's.
    // Errors: invalid (nothing there can be read).
    static Result<Trust> open(const std::string& ca_file);

private:
    friend class Stream;
    struct Context;
    explicit Trust(std::shared_ptr<Context> context) : context_{std::move(context)} {}
    std::shared_ptr<Context> context_;
};

// Why a certificate is not believed.
struct Distrust {
    enum class Why : unsigned char { expired, not_yet, self_signed, unknown_authority, wrong_name, no_authorities, other };
    Why why = Why::other;
    std::string detail;  // in OpenSSL's words
    std::string names;   // whom the certificate is for; as it is, not escaped
    std::string issuer;  // likewise
    std::string until;   // when it ends, likewise
};

class Stream {
public:
    explicit Stream(sys::Fd connected);
    ~Stream();
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;

    Result<> set_timeouts(std::chrono::milliseconds);
    // From here on encrypted; nullopt: by somebody who is believed to be `host`. After anything else the connection is spent.
    // Errors: unreachable, timed_out, system.
    Result<std::optional<Distrust>> start(const std::string& host, const Trust&);

    // All of it. Errors: unreachable, timed_out.
    Result<> send(ByteView);
    // At least one byte, or 0 at the end. Errors: unreachable (an encrypted end that was cut off among them), timed_out.
    Result<std::size_t> receive(std::span<std::byte> buffer);
    // What was sent and has not arrived yet. From any thread, while the stream lives and is not moved.
    sys::Unconfirmed unconfirmed() const;
    // Waits until receive() has something to give, be it the end. false: the deadline passed.
    Result<bool> wait_readable(sys::TimePoint deadline);

private:
    struct Session;
    sys::Fd socket_;
    std::unique_ptr<Session> session_;
};

}  // namespace assay::tls
