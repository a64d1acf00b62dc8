#include "serve/beacon.hh"

#include "base/log.hh"
#include "http/server.hh"
#include "sys/clock.hh"
#include "sys/net.hh"
#include "sys/reach.hh"

namespace assay::serve {
namespace {

constexpr std::chrono::seconds beacon_every{1};
constexpr std::uint64_t look_up_every = 600;  // datagrams: the watcher's name may come to mean another address
constexpr std::uint64_t retry_every = 30;     // while it means none

}  // namespace

Beacon::Beacon(std::string to, std::string secret, std::function<alert::Digest()> fill)
    : to_{std::move(to)}, secret_{std::move(secret)}, fill_{std::move(fill)}, thread_{[this] { run(); }} {}

Beacon::~Beacon() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Beacon::run() {
    const std::int64_t started_ms = sys::to_ms(sys::system_clock().wall());
    sys::Fd socket;
    std::unique_lock lock{mutex_};
    for (std::uint64_t sequence = 1; !stopping_; ++sequence) {
        lock.unlock();
        if (sequence % look_up_every == 1 || (!socket && sequence % retry_every == 1)) {
            const auto address = http::parse_address(to_);
            auto connected =
                address ? sys::connect_udp(address->host, address->port) : Result<sys::Fd>{address.error()};
            if (connected) socket = std::move(*connected);
            else log::warn("digest.no_watcher", {{"error", connected.error().text()}});
        }
        if (socket) {
            alert::Digest digest = fill_();
            digest.started_ms = started_ms;
            digest.sequence = sequence;
            digest.at_ms = sys::to_ms(sys::system_clock().wall());
            (void)sys::send_some(
                socket, bytes_of(to_datagram(digest, secret_)));  // Whether it arrives is for the watcher to see.
        }
        lock.lock();
        wake_.wait_for(lock, beacon_every, [this] { return stopping_; });
    }
}

}  // namespace assay::serve
