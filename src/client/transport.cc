#include "client/transport.hh"

#include <optional>
#include <utility>

#include "base/text.hh"
#include "client/forward_proxy.hh"
#include "sys/file.hh"
#include "sys/net.hh"
#include "sys/program.hh"
#include "sys/reset.hh"
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

// Through a proxy to whom is meant; from here on its bytes are its own.
Result<tls::Stream> tunnel(tls::Stream stream, const ForwardProxy& proxy, const Url& url, wording::Language language) {
    const std::string place = sys::address_text(url.host, url.port);
    http::Outgoing request{.method = "CONNECT", .target = place, .headers = {{"Host", place}, {"User-Agent", "assay/" ASSAY_VERSION}}};
    if (!proxy.authorization.empty()) request.headers.emplace_back("Proxy-Authorization", proxy.authorization);
    http::Client client{std::move(stream)};
    const auto answer = client.send(request, handshake_max);
    if (!answer) return Error{Fault::unreachable, say(language, ClientSide::proxy_unreachable, {proxy.name, answer.error().text()})};
    if (answer->status < 300) return std::move(client).take_stream();
    const bool beyond = answer->status >= 500;  // It did not get there; that may change by itself.
    const ClientSide what = beyond                  ? ClientSide::proxy_got_nowhere
                            : answer->status == 407 ? ClientSide::proxy_wants_password
                                                    : ClientSide::proxy_refused;
    return Error{beyond ? Fault::unreachable : Fault::denied, say(language, what, {proxy.name, place, std::to_string(answer->status)})};
}

}  // namespace

struct Transport::Way {
    http::Client client;
    sys::Fd socket;             // the same connection, once more
    std::string origin;         // of requests that a proxy passes on: what makes their targets whole; empty: none does
    std::string authorization;  // for that proxy; may be empty
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
    ASSAY_TRY(const auto proxy, forward_proxy_for(url, sys::variable, belief.language));
    auto socket = sys::connect_tcp(proxy ? proxy->host : url.host, proxy ? proxy->port : url.port);
    if (!socket && proxy) return Error{Fault::unreachable, say(belief.language, ClientSide::proxy_unreachable, {proxy->name, socket.error().text()})};
    // A name that nobody has is no reason to give up for good.
    if (!socket) return Error{Fault::unreachable, say(belief.language, ClientSide::check_network, {socket.error().text()})};
    ASSAY_TRY(sys::Fd again, sys::duplicate(*socket));
    tls::Stream stream{std::move(*socket)};
    if (proxy && trust) {
        ASSAY_TRY(stream, tunnel(std::move(stream), *proxy, url, belief.language));
    }
    if (trust) {
        ASSAY_CHECK(stream.set_timeouts(handshake_max));
        const auto started = stream.start(url.host, *trust);
        if (!started) return Error{started.error().fault(), say(belief.language, ClientSide::tls_failed, {started.error().text()})};
        if (*started) return distrusted(url, **started, belief.language);
    }
    auto way = std::make_unique<Way>(http::Client{std::move(stream)}, std::move(again));
    if (proxy && !trust) {
        way->origin = "http://" + url.host_header();
        way->authorization = proxy->authorization;
    }
    return Transport{std::move(way)};
}

Result<http::Answer> Transport::send(const http::Outgoing& request, std::chrono::milliseconds quiet,
                                     const std::function<Result<>(ByteView)>& sink) {
    if (way_->origin.empty()) return way_->client.send(request, quiet, sink);
    http::Outgoing passed_on = request;
    passed_on.target = way_->origin + request.target;
    if (!way_->authorization.empty()) passed_on.headers.emplace_back("Proxy-Authorization", way_->authorization);
    return way_->client.send(passed_on, quiet, sink);
}

bool Transport::reached() const { return true; }
sys::Unconfirmed Transport::unconfirmed() const { return way_->client.unconfirmed(); }
void Transport::give_up() { sys::reset_when_closed(way_->socket); }
bool Transport::shows_interim_answers() { return true; }

}  // namespace assay::client
