#include "client/transport.hh"

#include "sys/net.hh"

namespace assay::client {

struct Transport::Way {
    http::Client client;
};

Transport::Transport(std::unique_ptr<Way> way) : way_{std::move(way)} {}
Transport::Transport(Transport&&) noexcept = default;
Transport& Transport::operator=(Transport&&) noexcept = default;
Transport::~Transport() = default;

Result<Transport> Transport::reach(const Url& url) {
    ASSAY_TRY(sys::Fd socket, sys::connect_tcp(url.host, url.port));
    return Transport{std::make_unique<Way>(http::Client{std::move(socket)})};
}

Result<http::Answer> Transport::send(const http::Outgoing& request, std::chrono::milliseconds quiet,
                                     const std::function<Result<>(ByteView)>& sink) {
    return way_->client.send(request, quiet, sink);
}

bool Transport::reached() const { return true; }
bool Transport::shows_interim_answers() { return true; }

}  // namespace assay::client
