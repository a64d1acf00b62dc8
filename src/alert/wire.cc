#include "alert/wire.hh"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>

#include "sys/net.hh"
#include "sys/socket.hh"

namespace assay::alert {
namespace {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
};

std::string tls_words() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const words = code == 0 ? nullptr : ERR_reason_error_string(code);
    return words == nullptr ? "the connection broke" : words;
}

bool is_address(const std::string& host) {
    return host.contains(':') || host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

struct Wire::Tls {
    std::unique_ptr<SSL_CTX, FreeContext> context;
    std::unique_ptr<SSL, FreeSession> session;
};

Wire::Wire(sys::Fd socket, sys::TimePoint deadline) : socket_{std::move(socket)}, deadline_{deadline} {}
Wire::~Wire() = default;
Wire::Wire(Wire&&) noexcept = default;
Wire& Wire::operator=(Wire&&) noexcept = default;

Result<Wire> Wire::connect(const std::string& host, std::uint16_t port, sys::TimePoint deadline) {
    ASSAY_TRY(sys::Fd socket, sys::connect_tcp(host, port));
    return Wire{std::move(socket), deadline};
}

Wire Wire::over(sys::Fd connected, sys::TimePoint deadline) { return Wire{std::move(connected), deadline}; }

Result<> Wire::arm() {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - sys::system_clock().now());
    if (left.count() <= 0) return Error{Fault::timed_out, "it did not answer in time"};
    return sys::set_timeouts(socket_, left);
}

Result<> Wire::start_tls(const std::string& host, const std::string& ca_file) {
    ERR_clear_error();
    auto tls = std::make_unique<Tls>();
    tls->context.reset(SSL_CTX_new(TLS_client_method()));
    if (!tls->context) return Error{Fault::system, "TLS: " + tls_words()};
    SSL_CTX_set_min_proto_version(tls->context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context.get(), SSL_VERIFY_PEER, nullptr);
    const bool trusts = ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(tls->context.get()) == 1
                            : SSL_CTX_load_verify_locations(tls->context.get(), ca_file.c_str(), nullptr) == 1;
    if (!trusts) return Error{Fault::invalid, "TLS: the certificates to trust cannot be read: " + tls_words()};
    tls->session.reset(SSL_new(tls->context.get()));
    SSL* const session = tls->session.get();
    bool named = session != nullptr && SSL_set_fd(session, socket_.get()) == 1;
    if (named && is_address(host)) {
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
    } else if (named) {
        SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        named = SSL_set1_host(session, host.c_str()) == 1 && SSL_set_tlsext_host_name(session, host.c_str()) == 1;
    }
    if (!named) return Error{Fault::system, "TLS: " + tls_words()};
    ASSAY_CHECK(arm());
    if (SSL_connect(session) != 1) {
        const long verdict = SSL_get_verify_result(session);
        if (verdict != X509_V_OK)
            return Error{Fault::denied,
                         std::string{"TLS: its certificate is not trusted: "} + X509_verify_cert_error_string(verdict)};
        return Error{Fault::unreachable, "TLS: " + tls_words()};
    }
    tls_ = std::move(tls);
    return ok;
}

Result<> Wire::send(std::string_view text) {
    ASSAY_CHECK(arm());
    if (!tls_) return sys::send_all(socket_, bytes_of(text));
    ERR_clear_error();
    std::size_t written = 0;
    if (text.empty() || SSL_write_ex(tls_->session.get(), text.data(), text.size(), &written) == 1)
        return ok;  // All of it, or none.
    return Error{Fault::unreachable, "TLS: " + tls_words()};
}

Result<std::size_t> Wire::receive(std::span<char> buffer) {
    ASSAY_CHECK(arm());
    if (!tls_) return sys::receive(socket_, std::as_writable_bytes(buffer));
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_read_ex(tls_->session.get(), buffer.data(), buffer.size(), &count) == 1) return count;
    switch (SSL_get_error(tls_->session.get(), 0)) {
        case SSL_ERROR_ZERO_RETURN: return std::size_t{0};
        case SSL_ERROR_WANT_READ:
            return Error{Fault::timed_out, "it did not answer in time"};  // The socket's own timeout.
        default: return Error{Fault::unreachable, "TLS: " + tls_words()};
    }
}

}  // namespace assay::alert
