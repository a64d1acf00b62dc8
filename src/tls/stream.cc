// OpenSSL sees bytes in memory alone; what goes over the socket, and how long that may take, stays ours. So "is there an answer?"
// can be told from "the other side renewed its keys", which makes a socket readable too.
#include "tls/stream.hh"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "sys/net.hh"
#include "sys/socket.hh"

namespace assay::tls {
namespace {

constexpr std::size_t record_bytes = 17u << 10;  // a little more than the largest
constexpr int names_shown_max = 5;

// Where the systems that people have keep their authorities.
constexpr const char* authority_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the same, newer
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, the BSDs
};

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL* session) const { SSL_free(session); }
};
struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string tls_words() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const words = code == 0 ? nullptr : ERR_reason_error_string(code);
    return words == nullptr ? "the connection broke" : words;
}

bool is_address(const std::string& host) { return host.contains(':') || host.find_first_not_of("0123456789.") == std::string::npos; }

Distrust::Why why_of(int code) {
    using enum Distrust::Why;
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED: return expired;
        case X509_V_ERR_CERT_NOT_YET_VALID: return not_yet;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return self_signed;
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_UNTRUSTED: return unknown_authority;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return wrong_name;
        default: return other;
    }
}

std::string text_in(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string common_name(const X509_NAME* name) {
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    return at < 0 ? std::string{} : text_in(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string names_of(const X509* certificate) {
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::string shown;
    int count = 0;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && count < names_shown_max; ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) continue;
        shown += (count++ == 0 ? "" : ", ") + text_in(name->d.dNSName);
    }
    return count > 0 ? shown : common_name(X509_get_subject_name(certificate));
}

std::string date_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

// Looks at the chain as OpenSSL does, and keeps what is to be said of the server's own certificate.
int look_at(X509_STORE_CTX* chain, void* argument) {
    const int good = X509_verify_cert(chain);
    if (good == 1) return good;
    auto& session = *static_cast<std::optional<Distrust>*>(SSL_get_app_data(
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()))));
    const int code = X509_STORE_CTX_get_error(chain);
    const bool authorities = *static_cast<const bool*>(argument);
    session = Distrust{.why = !authorities && why_of(code) == Distrust::Why::unknown_authority ? Distrust::Why::no_authorities : why_of(code),
                       .detail = X509_verify_cert_error_string(code)};
    if (const X509* const own = X509_STORE_CTX_get0_cert(chain)) {
        session->names = names_of(own);
        session->issuer = common_name(X509_get_issuer_name(own));
    }
    if (const X509* const at = X509_STORE_CTX_get_current_cert(chain))
        session->until = date_of(session->why == Distrust::Why::not_yet ? X509_get0_notBefore(at) : X509_get0_notAfter(at));
    return good;
}

// The settings of this program are in its own hands: a configuration file of OpenSSL's, of another version perhaps, is not read.
void begin_openssl() {
    static const int begun = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    (void)begun;
}

}  // namespace

struct Trust::Context {
    std::unique_ptr<SSL_CTX, FreeContext> context;
    bool authorities = true;  // whether there are any
};

Result<Trust> Trust::open(const std::string& ca_file) {
    begin_openssl();
    ERR_clear_error();
    auto made = std::make_shared<Context>();
    made->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = made->context.get();
    if (context == nullptr) return Error{Fault::system, "TLS: " + tls_words()};
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, look_at, &made->authorities);
    const auto load = [&](const std::string& file) -> Result<> {
        if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) return ok;
        return Error{Fault::invalid, "no certificates can be read from " + escaped(file) + ": " + tls_words()};
    };
    const auto named = [](const char* name) {
        const char* const value = std::getenv(name);
        return std::string{value == nullptr ? "" : value};
    };
    if (!ca_file.empty()) {
        ASSAY_CHECK(load(ca_file));
    } else if (const std::string file = named(X509_get_default_cert_file_env()); !file.empty()) {
        ASSAY_CHECK(load(file));
    } else if (!named(X509_get_default_cert_dir_env()).empty()) {
        SSL_CTX_set_default_verify_paths(context);
    } else {
        made->authorities = false;
        for (const char* const one : authority_files) {
            std::error_code failure;
            if (!std::filesystem::exists(one, failure)) continue;
            ASSAY_CHECK(load(one));
            made->authorities = true;
            break;
        }
    }
    return Trust{std::move(made)};
}

struct Stream::Session {
    std::unique_ptr<SSL, FreeSession> ssl;
    BIO* came = nullptr;   // from the socket; the session's
    BIO* going = nullptr;  // to it
    std::optional<Distrust> distrust;
    std::shared_ptr<Trust::Context> trust;

    // What OpenSSL wants to be sent.
    Result<> flush(const sys::Fd& socket) const {
        std::array<std::byte, record_bytes> bytes;
        for (;;) {
            const int count = BIO_read(going, bytes.data(), static_cast<int>(bytes.size()));
            if (count <= 0) return ok;
            ASSAY_CHECK(sys::send_all(socket, ByteView{bytes}.first(static_cast<std::size_t>(count))));
        }
    }
    void give(ByteView bytes) const {
        if (bytes.empty()) BIO_set_mem_eof_return(came, 0);
        else BIO_write(came, bytes.data(), static_cast<int>(bytes.size()));
    }
    Result<> more(const sys::Fd& socket) const {
        ASSAY_CHECK(flush(socket));
        std::array<std::byte, record_bytes> bytes;
        ASSAY_TRY(const std::size_t count, sys::receive(socket, bytes));
        give(ByteView{bytes}.first(count));
        return ok;
    }
    bool wants_more(int returned) const { return SSL_get_error(ssl.get(), returned) == SSL_ERROR_WANT_READ; }
};

Stream::Stream(sys::Fd connected) : socket_{std::move(connected)} {}
Stream::~Stream() {
    // Nobody waits for what the other side says to it.
    if (!session_ || !socket_) return;
    SSL_shutdown(session_->ssl.get());
    std::array<std::byte, record_bytes> bytes;
    const int count = BIO_read(session_->going, bytes.data(), static_cast<int>(bytes.size()));
    if (count > 0) (void)sys::send_some(socket_, ByteView{bytes}.first(static_cast<std::size_t>(count)));
    ERR_clear_error();
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Result<> Stream::set_timeouts(std::chrono::milliseconds timeout) { return sys::set_timeouts(socket_, timeout); }

sys::Unconfirmed Stream::unconfirmed() const { return sys::unconfirmed_of(socket_); }

Result<std::optional<Distrust>> Stream::start(const std::string& host, const Trust& trust) {
    ERR_clear_error();
    auto session = std::make_unique<Session>();
    session->trust = trust.context_;
    session->ssl.reset(SSL_new(trust.context_->context.get()));
    SSL* const ssl = session->ssl.get();
    if (ssl == nullptr) return Error{Fault::system, "TLS: " + tls_words()};
    session->came = BIO_new(BIO_s_mem());
    session->going = BIO_new(BIO_s_mem());
    if (session->came == nullptr || session->going == nullptr) return Error{Fault::system, "TLS: no memory"};
    BIO_set_mem_eof_return(session->came, -1);  // Empty is not the end.
    SSL_set_bio(ssl, session->came, session->going);
    SSL_set_app_data(ssl, &session->distrust);
    bool named = true;
    if (is_address(host)) {
        named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    } else {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        named = SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
    }
    if (!named) return Error{Fault::system, "TLS: " + tls_words()};
    for (;;) {
        const int done = SSL_connect(ssl);
        if (done == 1) break;
        if (session->wants_more(done)) {
            ASSAY_CHECK(session->more(socket_));
            continue;
        }
        (void)session->flush(socket_);  // So that the other side's log says why.
        if (session->distrust) return std::move(session->distrust);
        return Error{Fault::unreachable, "TLS: " + tls_words()};
    }
    ASSAY_CHECK(session->flush(socket_));
    session_ = std::move(session);
    return std::optional<Distrust>{};
}

Result<> Stream::send(ByteView bytes) {
    if (!session_) return sys::send_all(socket_, bytes);
    ERR_clear_error();
    while (!bytes.empty()) {
        std::size_t taken = 0;
        const ByteView piece = bytes.first(std::min(bytes.size(), record_bytes));
        const int done = SSL_write_ex(session_->ssl.get(), piece.data(), piece.size(), &taken);
        if (done == 1) {
            bytes = bytes.subspan(taken);
            ASSAY_CHECK(session_->flush(socket_));
        } else if (session_->wants_more(done)) {
            ASSAY_CHECK(session_->more(socket_));
        } else {
            return Error{Fault::unreachable, "TLS: " + tls_words()};
        }
    }
    return ok;
}

Result<std::size_t> Stream::receive(std::span<std::byte> buffer) {
    if (!session_) return sys::receive(socket_, buffer);
    ERR_clear_error();
    for (;;) {
        std::size_t count = 0;
        const int done = SSL_read_ex(session_->ssl.get(), buffer.data(), buffer.size(), &count);
        if (done == 1) return count;
        const int why = SSL_get_error(session_->ssl.get(), done);
        if (why == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
        if (why != SSL_ERROR_WANT_READ) return Error{Fault::unreachable, "TLS: " + tls_words()};
        ASSAY_CHECK(session_->more(socket_));
    }
}

Result<bool> Stream::wait_readable(sys::TimePoint deadline) {
    if (!session_) return sys::wait_readable(socket_, deadline);
    ERR_clear_error();
    for (;;) {
        std::byte next;
        std::size_t count = 0;
        const int done = SSL_peek_ex(session_->ssl.get(), &next, 1, &count);
        if (done == 1 || !session_->wants_more(done)) return true;
        ASSAY_CHECK(session_->flush(socket_));
        ASSAY_TRY(const bool readable, sys::wait_readable(socket_, deadline));
        if (!readable) return false;
        std::array<std::byte, record_bytes> bytes;
        ASSAY_TRY(const auto came, sys::receive_some(socket_, bytes));
        if (came) session_->give(ByteView{bytes}.first(*came));
    }
}

}  // namespace assay::tls
