// Client: HTTP/1.1 over a connected stream, encrypted or not, blocking, one request at a time, keep-alive. For the runner, the admin
// socket and participants.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hh"
#include "base/text.hh"
#include "http/outgoing.hh"
#include "sys/fd.hh"
#include "tls/stream.hh"

namespace assay::http {

class Client {
public:
    static constexpr std::size_t body_bytes_max = 80u << 20;
    explicit Client(sys::Fd socket) : Client{tls::Stream{std::move(socket)}} {}
    explicit Client(tls::Stream stream) : stream_{std::move(stream)} {}

    // Blocks at most `timeout` between two signs of life. After an error the connection is spent.
    Result<Answer> request(std::string_view method, std::string_view target, std::string_view content_type,
                           ByteView body, std::chrono::milliseconds timeout);
    // The body goes to `sink` as it arrives instead of into memory.
    Result<Answer> download(std::string_view target, std::chrono::milliseconds timeout,
                            const std::function<Result<>(ByteView)>& sink);

    // The body is sent piece by piece, and no further once an answer is there. `sink` (may be empty) as of download.
    Result<Answer> send(const Outgoing&, std::chrono::milliseconds timeout, const std::function<Result<>(ByteView)>& sink = {});
    // The way that a CONNECT opened, for whoever speaks over it from here on.
    tls::Stream take_stream() && { return std::move(stream_); }
    // As of Stream.
    sys::Unconfirmed unconfirmed() const { return stream_.unconfirmed(); }

private:
    using Sending = std::function<Result<>()>;
    Result<bool> interim_head(std::chrono::milliseconds within);
    Result<Answer> exchange(const std::string& head, const Sending& send_body, std::chrono::milliseconds timeout,
                            const std::function<Result<>(ByteView)>* sink);
    tls::Stream stream_;
    std::string buffered_;
};

}  // namespace assay::http
