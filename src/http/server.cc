#include "http/server.hh"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <list>
#include <mutex>
#include <vector>

#include "base/log.hh"
#include "http/connection.hh"
#include "http/metrics.hh"
#include "http/shed.hh"
#include "loop/watch.hh"
#include "sys/net.hh"

namespace assay::http {
namespace {

constexpr std::size_t refused_max = 256;       // told 503 at the same time; more are closed without a word
constexpr std::size_t leaving_max = 256;       // shed and not yet gone, while their places are given away already
constexpr int accepts_in_a_row_max = 64;       // then others of the loop get their turn
constexpr std::chrono::milliseconds accept_pause{50};  // when descriptors have run out
constexpr std::chrono::seconds cut_grace{1};   // for connections to notice that they were cut

sys::TimePoint now() { return sys::system_clock().now(); }

}  // namespace

struct Server::Inner : std::enable_shared_from_this<Server::Inner> {
    Inner(loop::Loops& l, const Router& r, ServerConfig c) : loops{l}, router{r}, config{c} {}

    loop::Loops& loops;
    const Router& router;
    const ServerConfig config;
    std::atomic<bool> stopping{false};
    std::atomic<std::size_t> live{0};     // guests and adopted
    std::atomic<std::size_t> refused{0};

    std::mutex mutex;
    std::condition_variable changed;
    std::list<std::shared_ptr<Connection>> connections;
    Shared shared{config};
    std::vector<std::shared_ptr<loop::Watch>> listeners;
    std::size_t starting = 0;  // handed to a loop, not yet in `connections`

    bool empty() const { return connections.empty() && listeners.empty() && starting == 0; }

    void listen(sys::Fd socket);
    loop::Task<Unit> accept_all(loop::Watch& listener);
    bool make_room();
    void admit(sys::Accepted peer, Role role, std::function<void()> closed);
    void begin(sys::Accepted peer, Role role, std::function<void()> closed);
    std::atomic<std::size_t>& counter(Role role) { return role == Role::refused ? refused : live; }
};

void Server::Inner::listen(sys::Fd socket) {
    auto watch = loop::Watch::of(loops.first(), std::move(socket));
    if (!watch) {
        log::error("http.listen_failed", {{"error", watch.error().text()}});
        return;
    }
    auto listener = std::make_shared<loop::Watch>(std::move(watch).value());
    {
        const std::scoped_lock lock{mutex};
        if (stopping) return;
        listeners.push_back(listener);
    }
    loops.first().post([self = shared_from_this(), listener]() mutable {
        auto accepting = self->accept_all(*listener);
        loop::start<Unit>(std::move(accepting), [self, listener](Unit) mutable {
            const std::scoped_lock lock{self->mutex};
            std::erase(self->listeners, listener);
            listener.reset();  // Closes the socket before anyone hears that it is gone.
            self->changed.notify_all();
        });
    });
}

loop::Task<Unit> Server::Inner::accept_all(loop::Watch& listener) {
    while (!stopping) {
        auto wait = listener.readable(loop::Watch::never);
        (void)co_await wait;
        for (int i = 0; i < accepts_in_a_row_max && !stopping; ++i) {
            auto accepted = sys::accept_one(listener.fd());
            if (!accepted) {
                log::warn("http.accept_failed", {{"error", accepted.error().text()}});
                co_await loop::sleep_until(now() + accept_pause);
                break;
            }
            if (!*accepted) break;
            const bool room = live < config.connections_max || (live < config.connections_max + leaving_max && make_room());
            if (room) admit(std::move(**accepted), Role::guest, {});
            else if (refused < refused_max) admit(std::move(**accepted), Role::refused, {});
        }
    }
    co_return ok;
}

// Whether a connection beyond the cap may come in because another one goes.
bool Server::Inner::make_room() {
    const std::scoped_lock lock{mutex};
    std::vector<Sender> senders;
    senders.reserve(connections.size());
    for (const auto& connection : connections) senders.push_back(connection->sender());
    const std::optional<std::size_t> victim = whom_to_shed(senders, now());
    if (victim) (*std::next(connections.begin(), static_cast<std::ptrdiff_t>(*victim)))->shed();
    return victim.has_value();
}

void Server::Inner::admit(sys::Accepted peer, Role role, std::function<void()> closed) {
    ++counter(role);
    room_metrics().open.add(1);
    {
        const std::scoped_lock lock{mutex};
        ++starting;
    }
    loops.next().post([self = shared_from_this(), peer = std::move(peer), role, closed = std::move(closed)]() mutable {
        self->begin(std::move(peer), role, std::move(closed));
    });
}

void Server::Inner::begin(sys::Accepted peer, Role role, std::function<void()> closed) {
    auto watch = loop::Watch::of(*loop::Loop::current(), std::move(peer.socket));
    std::shared_ptr<Connection> connection;
    if (watch)
        connection =
            std::make_shared<Connection>(config, router, stopping, shared, std::move(watch).value(), std::move(peer), role);
    std::list<std::shared_ptr<Connection>>::iterator place;
    {
        const std::scoped_lock lock{mutex};
        --starting;
        if (connection) place = connections.insert(connections.end(), connection);
    }
    const auto end = [self = shared_from_this(), place, role, closed = std::move(closed)](std::shared_ptr<Connection>& ended) {
        {
            const std::scoped_lock lock{self->mutex};
            if (ended) self->connections.erase(place);
            ended.reset();
            --self->counter(role);
            room_metrics().open.add(-1);
            self->changed.notify_all();
        }
        if (closed) closed();
    };
    if (!connection) {
        log::error("http.watch_failed", {{"error", watch.error().text()}});  // NOLINT(bugprone-use-after-move): only a good one was
        end(connection);
        return;
    }
    auto running = connection->run();
    loop::start<Unit>(std::move(running), [end, connection](Unit) mutable { end(connection); });
}

Server::Server(loop::Loops& loops, const Router& router, ServerConfig config)
    : inner_{std::make_shared<Inner>(loops, router, config)} {}

Server::~Server() { stop(now()); }

Result<Server::Address> Server::listen_tcp(const std::string& host, std::uint16_t port) {
    ASSAY_TRY(sys::Fd socket, sys::listen_tcp(host, port));
    ASSAY_TRY(const std::uint16_t bound, sys::bound_port(socket));
    inner_->listen(std::move(socket));
    return Address{host, bound};
}

void Server::listen(sys::Fd listening) {
    if (const auto done = sys::set_nonblocking(listening); !done) {
        log::error("http.listen_failed", {{"error", done.error().text()}});
        return;
    }
    inner_->listen(std::move(listening));
}

void Server::adopt(sys::Fd connected, std::function<void()> closed) {
    auto peer = sys::accepted_of(std::move(connected));
    if (peer && !inner_->stopping) {
        inner_->admit(std::move(*peer), Role::adopted, std::move(closed));
    } else if (closed) {
        inner_->loops.first().post([closed = std::move(closed)] { closed(); });
    }
}

void Server::stop(sys::TimePoint deadline) {
    ASSAY_ASSERT(loop::Loop::current() == nullptr);
    std::unique_lock lock{inner_->mutex};
    inner_->stopping = true;
    for (const auto& listener : inner_->listeners) {
        listener->home().post([listener] { listener->interrupt(); });
    }
    for (const auto& connection : inner_->connections) connection->wind_down();
    const auto empty = [this] { return inner_->empty(); };
    if (inner_->changed.wait_until(lock, deadline, empty)) return;
    for (const auto& connection : inner_->connections) connection->cut();
    (void)inner_->changed.wait_until(lock, now() + cut_grace, empty);
}

std::size_t Server::connections() const { return inner_->live; }

Result<Server::Address> parse_address(std::string_view text) {
    const Error wrong{Fault::invalid, "not an address: '" + escaped(text) +
                                          "'; expected HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080"};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host.empty() || (!bracketed && host.contains(':'))) return wrong;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return wrong;
    return Server::Address{std::string{host}, port};
}

}  // namespace assay::http
