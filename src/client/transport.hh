// Transport: how requests get to one server and its answers back, by what the system offers for it: a socket of our own on Linux,
// to the proxy that variables name or straight there;
// WinHTTP on Windows (src/client/windows/), with the system's proxy settings and certificates. Blocking, bounded in time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "client/url.hh"
#include "http/client.hh"
#include "wording/wording.hh"

namespace assay::client {

constexpr std::chrono::seconds handshake_max{15};  // of TLS, without a sign of life

// How whoever is there is believed, and in what language it is said why not.
struct Belief {
    std::string ca_file;  // certificates to believe instead of those that this machine does; empty: those. Not on Windows
    wording::Language language = wording::Language::english;
};

class Transport {
public:
    // Encrypted when the address says so. Errors: unreachable, timed_out (in words, with what to do); denied (whoever is there does not prove who he is; in words,
    // with what to do), invalid (the file of certificates). On Windows that is found out by what is sent.
    static Result<Transport> reach(const Url&, const Belief&);
    Transport(Transport&&) noexcept;
    Transport& operator=(Transport&&) noexcept;
    ~Transport();

    // As http::Client::send: one request after another, until an error or an answer that ends the connection.
    Result<http::Answer> send(const http::Outgoing&, std::chrono::milliseconds quiet, const std::function<Result<>(ByteView)>& sink = {});
    // Whether there was ever a connection.
    bool reached() const;
    // What was sent and has not arrived yet, where that can be seen. From any thread, while this lives and is not moved.
    sys::Unconfirmed unconfirmed() const;

    // What has not arrived yet is not to arrive: it would take the way from what comes after it. The connection is spent.
    void give_up();

    // Whether it shows answers before the answer (100 Continue). Where not, Outgoing::expect is left out.
    static bool shows_interim_answers();

private:
    struct Way;
    explicit Transport(std::unique_ptr<Way>);
    std::unique_ptr<Way> way_;
};

}  // namespace assay::client
