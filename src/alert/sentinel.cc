#include "alert/sentinel.hh"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "alert/keeper.hh"
#include "alert/watch.hh"
#include "alert/wire.hh"
#include "base/log.hh"
#include "http/server.hh"
#include "sys/net.hh"
#include "sys/reach.hh"
#include "sys/socket.hh"

namespace assay::alert {
namespace {

constexpr std::chrono::seconds probe_every{1};
constexpr std::chrono::seconds probe_max{2};           // of one, from connecting to the answer
constexpr std::chrono::milliseconds look_every{200};
constexpr std::chrono::milliseconds listen_turn{500};  // how soon the listening thread sees that it has to end
constexpr std::size_t read_max = 64u << 10;
// A silence is told at once: what is alive answers again before five seconds are over.
constexpr Pace pace{.group_wait_ms = 0, .resolve_wait_ms = 5'000};

std::int64_t steady_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(sys::system_clock().now().time_since_epoch()).count();
}

Sight sight_of(sys::Reach reach) {
    switch (reach) {
        case sys::Reach::connected: return Sight::mute;  // Until something answers.
        case sys::Reach::refused: return Sight::refused;
        case sys::Reach::silent: return Sight::silent;
        case sys::Reach::no_host: return Sight::no_host;
        case sys::Reach::no_network: return Sight::no_network;
        case sys::Reach::no_name: return Sight::no_name;
    }
    return Sight::silent;
}

Sight probe(const WebAddress& address) {
    const sys::TimePoint deadline = sys::system_clock().now() + probe_max;
    sys::Reached reached = sys::reach_tcp(address.host, address.port, deadline);
    if (reached.how != sys::Reach::connected) return sight_of(reached.how);
    Wire wire = Wire::over(std::move(reached.socket), deadline);
    if (address.tls) {
        const auto secured = wire.start_tls(address.host, "");
        if (!secured) return secured.error().fault() == Fault::denied ? Sight::untrusted : Sight::mute;
    }
    const std::string prefix =
        address.target.ends_with('/') ? address.target.substr(0, address.target.size() - 1) : address.target;
    if (!wire.send(fmt::format("GET {}/healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", prefix,
                               address.host_header)))
        return Sight::mute;
    std::string received;
    std::array<char, 4096> buffer;
    while (received.size() < read_max) {
        const auto count = wire.receive(buffer);
        if (!count) return Sight::mute;
        received.append(buffer.data(), *count);
        const auto answer = read_answer(received, *count == 0);
        if (!answer) return Sight::proxy_only;  // Something talks there, but not as a server of ours does.
        if (!*answer) continue;
        // The server says who it is, with every answer; a proxy that cannot reach it does not.
        return received.substr(0, received.find("\r\n\r\n")).contains("Assay-Server:") ? Sight::answers
                                                                                       : Sight::proxy_only;
    }
    return Sight::proxy_only;
}

bool answers_at_all(const http::Server::Address& reference) {
    const auto how = sys::reach_tcp(reference.host, reference.port, sys::system_clock().now() + probe_max).how;
    return how == sys::Reach::connected || how == sys::Reach::refused;
}

struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;
    Watch watch;
};

void run_probes(Shared& shared, const WebAddress& address, const std::optional<http::Server::Address>& reference) {
    std::unique_lock lock{shared.mutex};
    while (!shared.stopping) {
        lock.unlock();
        const Sight sight = probe(address);
        const bool asks = reference && (sight == Sight::silent || sight == Sight::no_host);
        const std::optional<bool> there = asks ? std::optional{answers_at_all(*reference)} : std::nullopt;
        lock.lock();
        shared.watch.probed(sight, there, steady_ms());
        shared.wake.wait_for(lock, probe_every, [&shared] { return shared.stopping; });
    }
}

void listen_for_digests(Shared& shared, const sys::Fd& socket, const std::string& secret) {
    std::array<std::byte, digest_bytes + 1> datagram;  // One more, so that what is too long shows.
    for (;;) {
        const auto ready = sys::wait_readable(socket, sys::system_clock().now() + listen_turn);
        {
            const std::lock_guard lock{shared.mutex};
            if (shared.stopping || !ready) return;
        }
        if (!*ready) continue;
        const auto count = sys::receive_some(socket, datagram);
        if (!count || !*count) continue;
        const auto digest = digest_from(text_of(ByteView{datagram}.first(**count)), secret);
        if (!digest) continue;  // Anybody can send to a port.
        const std::lock_guard lock{shared.mutex};
        (void)shared.watch.heard(*digest, steady_ms());
    }
}

}  // namespace

Result<> run_sentinel(const std::string& url, const SentinelConfig& config, const std::string& zone,
                      const sys::Fd& stop, const std::function<void(std::uint16_t)>& ready) {
    ASSAY_TRY(const WebAddress address, parse_web_address(url));
    std::optional<http::Server::Address> reference;
    if (!config.reference.empty()) {
        auto parsed = http::parse_address(config.reference);
        if (!parsed) return parsed.take_error().in("reference");
        reference = *parsed;
    }
    sys::Fd socket;
    std::uint16_t port = 0;
    if (!config.digest_listen.empty()) {
        auto parsed = http::parse_address(config.digest_listen);
        if (!parsed) return parsed.take_error().in("digest_listen");
        ASSAY_TRY(socket, sys::listen_udp(parsed->host, parsed->port));
        ASSAY_TRY(port, sys::bound_port(socket));
    }
    Shared shared{.watch = Watch{static_cast<bool>(socket), steady_ms()}};
    std::vector<std::thread> threads;
    threads.emplace_back([&] { run_probes(shared, address, reference); });
    if (socket) threads.emplace_back([&] { listen_for_digests(shared, socket, config.digest_secret); });
    {
        KeeperParts parts{.host = config.name.empty() ? address.host : config.name,
                          .rules = sentinel_rules(),
                          .receivers = config.receivers,
                          .pace = pace};
        parts.look_every = look_every;
        parts.state_path = config.state;
        parts.zone = zone;
        parts.source = [&shared](Figures& figures) {
            const std::lock_guard lock{shared.mutex};
            shared.watch.add_to(figures, steady_ms());
        };
        const Keeper keeper{std::move(parts)};
        ready(port);
        for (bool stopped = false; !stopped;) {
            ASSAY_TRY(stopped, sys::wait_readable(stop, sys::system_clock().now() + std::chrono::hours{1}));
        }
    }
    {
        const std::lock_guard lock{shared.mutex};
        shared.stopping = true;
    }
    shared.wake.notify_all();
    for (std::thread& thread : threads) thread.join();
    return ok;
}

}  // namespace assay::alert
