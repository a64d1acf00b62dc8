#include "alert/wire.hh"

#include "sys/net.hh"

namespace assay::alert {

Result<Wire> Wire::connect(const std::string& host, std::uint16_t port, sys::TimePoint deadline) {
    ASSAY_TRY(sys::Fd socket, sys::connect_tcp(host, port));
    return Wire{std::move(socket), deadline};
}

Wire Wire::over(sys::Fd connected, sys::TimePoint deadline) { return Wire{std::move(connected), deadline}; }

Result<> Wire::arm() {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - sys::system_clock().now());
    if (left.count() <= 0) return Error{Fault::timed_out, "it did not answer in time"};
    return stream_.set_timeouts(left);
}

Result<> Wire::start_tls(const std::string& host, const std::string& ca_file) {
    ASSAY_TRY(const tls::Trust trust, tls::Trust::open(ca_file));
    ASSAY_CHECK(arm());
    ASSAY_TRY(const auto distrust, stream_.start(host, trust));
    if (distrust) return Error{Fault::denied, "TLS: its certificate is not trusted: " + distrust->detail};
    return ok;
}

Result<> Wire::send(std::string_view text) {
    ASSAY_CHECK(arm());
    return stream_.send(bytes_of(text));
}

Result<std::size_t> Wire::receive(std::span<char> buffer) {
    ASSAY_CHECK(arm());
    return stream_.receive(std::as_writable_bytes(buffer));
}

}  // namespace assay::alert
