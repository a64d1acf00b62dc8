#include "client/transport.hh"

#include <optional>
#include <utility>

#include "base/text.hh"
#include "sys/net.hh"
#include "tls/stream.hh"
#include "wording/client_side.hh"

namespace assay::client {
namespace {

using wording::ClientSide;

constexpr std::size_t name_bytes_max = 300;  // of what a certificate says

Error distrusted(const Url& url, const tls::Distrust& it, wording::Language language) {
    const auto denied = [&](ClientSide what, const std::string& detail) {
        return Error{Fault::denied, say(language, what, {url.text(), escaped(detail, name_bytes_max)})};
    };
    using enum tls::Distrust::Why;
    switch (it.why) {
        case expired: return denied(ClientSide::tls_expired, it.until);
        case not_yet: return denied(ClientSide::tls_not_yet, it.until);
        case self_signed: return denied(ClientSide::tls_self_signed, it.names);
        case unknown_authority: return denied(ClientSide::tls_unknown_authority, it.issuer);
        case wrong_name: return denied(ClientSide::tls_wrong_name, it.names);
        case no_authorities: return denied(ClientSide::tls_no_authorities, it.issuer);
        case other: break;
    }
    return denied(ClientSide::tls_other, it.detail);
}

// A machine's list is long, and read once.
Result<tls::Trust> trust_in(const std::string& ca_file) {
    thread_local std::optional<std::pair<std::string, tls::Trust>> last;
    if (!last || last->first != ca_file) {
        ASSAY_TRY(tls::Trust read, tls::Trust::open(ca_file));
        last.emplace(ca_file, std::move(read));
    }
    return last->second;
}

}  // namespace

struct Transport::Way {
    http::Client client;
};

Transport::Transport(std::unique_ptr<Way> way) : way_{std::move(way)} {}
Transport::Transport(Transport&&) noexcept = default;
Transport& Transport::operator=(Transport&&) noexcept = default;
Transport::~Transport() = default;

Result<Transport> Transport::reach(const Url& url, const Belief& belief) {
    std::optional<tls::Trust> trust;
    if (url.tls) {
        auto read = trust_in(belief.ca_file);
        if (!read) return Error{Fault::invalid, say(belief.language, ClientSide::tls_ca_file, {read.error().text()})};
        trust = std::move(*read);
    }
    auto socket = sys::connect_tcp(url.host, url.port);
    if (!socket) return Error{Fault::unreachable, socket.error().text()};  // A name that nobody has is no reason to give up for good.
    tls::Stream stream{std::move(*socket)};
    if (trust) {
        ASSAY_CHECK(stream.set_timeouts(handshake_max));
        const auto started = stream.start(url.host, *trust);
        if (!started) return Error{started.error().fault(), say(belief.language, ClientSide::tls_failed, {started.error().text()})};
        if (*started) return distrusted(url, **started, belief.language);
    }
    return Transport{std::make_unique<Way>(http::Client{std::move(stream)})};
}

Result<http::Answer> Transport::send(const http::Outgoing& request, std::chrono::milliseconds quiet,
                                     const std::function<Result<>(ByteView)>& sink) {
    return way_->client.send(request, quiet, sink);
}

bool Transport::reached() const { return true; }
sys::Unconfirmed Transport::unconfirmed() const { return way_->client.unconfirmed(); }
bool Transport::shows_interim_answers() { return true; }

}  // namespace assay::client
