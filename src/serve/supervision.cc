#include "serve/supervision.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.hh"
#include "sys/net.hh"
#include "sys/reach.hh"
#include "sys/socket.hh"

namespace assay::serve {
namespace {

constexpr std::string_view kept_name = "assay-public";
constexpr int feeds_in_time = 4;
constexpr std::chrono::milliseconds probe_max{2'000};
constexpr std::string_view healthy = "HTTP/1.1 200 ";

// What listens everywhere is asked at home.
std::string askable(const std::string& host) {
    if (host == "0.0.0.0") return "127.0.0.1";
    return host == "::" ? "::1" : host;
}

// A name may stand for any address, and port 0 for any port.
bool is_same(const std::string& bound, const http::Server::Address& wanted) {
    const bool numeric = wanted.host.contains(':') || wanted.host.find_first_not_of("0123456789.") == std::string::npos;
    const auto [host, port] = std::pair{bound.substr(0, bound.rfind(':')), bound.substr(bound.rfind(':'))};
    const std::string asked = sys::address_text(wanted.host, wanted.port);
    return (!numeric || host == asked.substr(0, asked.rfind(':'))) && (wanted.port == 0 || port == asked.substr(asked.rfind(':')));
}

bool answers(const http::Server::Address& address, std::chrono::milliseconds within) {
    const sys::Reached reached = sys::reach_tcp(address.host, address.port, sys::system_clock().now() + within);
    if (reached.how != sys::Reach::connected || !sys::set_timeouts(reached.socket, within)) return false;
    const std::string request = fmt::format("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", address.host);
    if (!sys::send_all(reached.socket, bytes_of(request))) return false;
    std::array<std::byte, healthy.size()> begin{};
    for (std::size_t got = 0; got < begin.size();) {
        const auto count = sys::receive(reached.socket, std::span{begin}.subspan(got));
        if (!count || *count == 0) return false;
        got += *count;
    }
    return text_of(begin) == healthy;
}

}  // namespace

Result<sys::Fd> public_listener(sys::ServiceManager& manager, const http::Server::Address& wanted) {
    std::optional<sys::Fd> listener;
    for (sys::PassedDescriptor& passed : manager.take_descriptors()) {
        const auto address = sys::bound_address(passed.fd);
        const bool ours = passed.name == kept_name;
        if (listener || !address || (ours && !is_same(*address, wanted))) {
            log::info("supervision.descriptor_dropped", {{"name", passed.name}, {"address", address ? *address : address.error().text()}});
            if (ours) (void)manager.tell(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", kept_name));
            continue;
        }
        log::info("supervision.socket_taken_over", {{"name", passed.name}, {"address", *address}});
        listener = std::move(passed.fd);
        if (ours) return std::move(*listener);  // It is kept already.
    }
    if (listener) return std::move(*listener);  // The socket unit holds it.
    ASSAY_TRY(sys::Fd fresh, sys::listen_tcp(wanted.host, wanted.port));
    const std::array descriptors{fresh.get()};
    if (auto told = manager.tell(fmt::format("FDSTORE=1\nFDNAME={}", kept_name), descriptors); !told) {
        log::warn("supervision.socket_not_kept", {{"error", told.error().text()}});
    }
    return fresh;
}

Watchdog::Watchdog(const sys::ServiceManager& manager, const Pulse& pulse, http::Server::Address address)
    : manager_{manager}, pulse_{pulse}, address_{askable(address.host), address.port},
      every_{manager.watchdog().value_or(std::chrono::microseconds{0}) / feeds_in_time} {
    if (every_.count() > 0) thread_ = std::thread{[this] { run(); }};
}

Watchdog::~Watchdog() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

std::string Watchdog::trouble() const {
    if (const sys::Duration beat = pulse_.oldest_beat(); beat > every_ * (feeds_in_time / 2)) {
        return fmt::format("a loop has not turned for {:.1f} s", sys::ms_of(beat) / 1000);
    }
    const auto within = std::min(probe_max, std::chrono::duration_cast<std::chrono::milliseconds>(every_));
    return answers(address_, within) ? "" : "it does not answer /healthz through its own socket";
}

void Watchdog::run() {
    std::string before;
    std::unique_lock lock{mutex_};
    do {
        lock.unlock();
        const std::string now = trouble();
        if (now.empty()) (void)manager_.tell("WATCHDOG=1");
        if (now.empty() != before.empty()) {
            log::write(now.empty() ? log::Level::info : log::Level::error, now.empty() ? "watchdog.fed_again" : "watchdog.not_fed", {{"why", now.empty() ? before : now}});
        }
        before = now;
        lock.lock();
    } while (!wake_.wait_for(lock, every_, [this] { return stopping_; }));
}

}  // namespace assay::serve
