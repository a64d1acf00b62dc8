// Client: plain HTTP/1.1 over a connected stream socket, blocking, one request at a time, keep-alive. For the runner, the
// admin socket and tools. Not for the open Internet.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hh"
#include "base/text.hh"
#include "http/fields.hh"
#include "sys/fd.hh"

namespace assay::http {

struct Answer {
    int status = 0;
    std::vector<Header> headers;
    std::string body;
    bool continued = false;  // 100 Continue came before the body was sent (Outgoing::expect)
    std::string_view header(std::string_view name) const;
};

// A request in full, to a server that need not be ours.
struct Outgoing {
    std::string method = "GET";
    std::string target;
    std::vector<Header> headers;                 // Host among them; Content-Length is added
    std::int64_t size = 0;                       // of the body
    std::function<Result<ByteView>()> body;      // its next bytes, valid until the next call; asked until `size` were given
    std::chrono::milliseconds expect{0};         // set: Expect: 100-continue, and the body waits so long for leave
};

class Client {
public:
    static constexpr std::size_t body_bytes_max = 80u << 20;
    explicit Client(sys::Fd socket) : socket_{std::move(socket)} {}

    // Blocks at most `timeout` between two signs of life. After an error the connection is spent.
    Result<Answer> request(std::string_view method, std::string_view target, std::string_view content_type,
                           ByteView body, std::chrono::milliseconds timeout);
    // The body goes to `sink` as it arrives instead of into memory.
    Result<Answer> download(std::string_view target, std::chrono::milliseconds timeout,
                            const std::function<Result<>(ByteView)>& sink);

    // The body is sent piece by piece, and no further once an answer is there. `sink` (may be empty) as of download.
    Result<Answer> send(const Outgoing&, std::chrono::milliseconds timeout, const std::function<Result<>(ByteView)>& sink = {});

private:
    using Sending = std::function<Result<>()>;
    Result<bool> interim_head(std::chrono::milliseconds within);
    Result<Answer> exchange(const std::string& head, const Sending& send_body, std::chrono::milliseconds timeout,
                            const std::function<Result<>(ByteView)>* sink);
    sys::Fd socket_;
    std::string buffered_;
};

}  // namespace assay::http
