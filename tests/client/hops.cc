// Who answers, as the client sees it: for each line "PORT METHOD PATH BODY_BYTES HEADER_BYTES" of standard input one line
// "server STATUS" or "PRODUCT|TROUBLE STATUS". For the cases that stand behind real proxies.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "base/text.hh"
#include "client/hop.hh"
#include "http/client.hh"
#include "sys/net.hh"

namespace {

using namespace assay;
using namespace std::chrono_literals;

constexpr std::string_view troubles[] = {"too_large", "header_too_large", "too_slow", "no_server", "no_answer",
                                         "method",    "forbidden",        "sign_in",  "moved",     "rate",
                                         "page"};

std::string ask(std::uint16_t port, const std::string& method, const std::string& path, std::size_t body_bytes,
                std::size_t header_bytes) {
    auto socket = sys::connect_tcp("127.0.0.1", port);
    if (!socket) return "failed: " + socket.error().text();
    const std::string body(body_bytes, 'x');
    http::Outgoing request{
        .method = method,
        .target = path,
        .headers = {{"Host", "127.0.0.1"}, {"Connection", "close"}, {"Authorization", "Bearer wrong"}}};
    if (header_bytes > 0) request.headers.emplace_back("X-Large", std::string(header_bytes, 'x'));
    std::size_t sent = 0;
    if (body_bytes > 0) {
        request.size = static_cast<std::int64_t>(body_bytes);
        request.body = [&]() -> Result<ByteView> {
            const std::size_t begin = std::exchange(sent, std::min(body.size(), sent + (64u << 10)));
            return bytes_of(std::string_view{body}.substr(begin, sent - begin));
        };
    }
    http::Client client{std::move(*socket)};
    const auto answer = client.send(request, 20s);
    if (!answer) return "failed: " + answer.error().text();
    const auto hop = client::hop_of(*answer, static_cast<std::int64_t>(body_bytes));
    if (!hop) return fmt::format("server {}", answer->status);
    return fmt::format("{}|{} {}", hop->product, troubles[static_cast<std::size_t>(hop->trouble)], answer->status);
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words{line};
        std::uint16_t port = 0;
        std::string method, path;
        std::size_t body_bytes = 0, header_bytes = 0;
        words >> port >> method >> path >> body_bytes >> header_bytes;
        std::cout << ask(port, method, path, body_bytes, header_bytes) << std::endl;
    }
}
