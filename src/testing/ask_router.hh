// Asks a router's handler on a loop of its own, as the server would, without a socket.
#pragma once

#include <future>
#include <string>
#include <utility>

#include "http/message.hh"
#include "loop/loop.hh"

namespace assay::testing {

class TextReader final : public http::Reader {
public:
    explicit TextReader(std::string text) : text_{std::move(text)} {}
    loop::Task<Result<std::span<const std::byte>>> next() override {
        const ByteView rest = std::exchange(given_, true) ? ByteView{} : bytes_of(text_);
        co_return Result<std::span<const std::byte>>{rest};
    }
    sys::WallTime last_arrival() const override { return {}; }
    std::int64_t bytes_read() const override { return given_ ? static_cast<std::int64_t>(text_.size()) : 0; }

private:
    std::string text_;
    bool given_ = false;
};

// `target`: path with query.
inline http::Response ask(const http::Router& router, std::string method, std::string_view target,
                          std::vector<http::Header> headers = {}, std::string body = {}, std::optional<sys::Peer> peer = {}) {
    http::Request request;
    const auto mark = target.find('?');
    request.method = std::move(method);
    request.path = http::percent_decoded(target.substr(0, mark), false).value_or("/");
    if (mark != std::string_view::npos) request.query = target.substr(mark + 1);
    request.headers = std::move(headers);
    request.id = "0123456789abcdef";
    request.credentials = peer;
    auto match = router.find(request.method, request.path);

    loop::Loop loop;
    TextReader reader{std::move(body)};
    std::promise<http::Response> answered;
    loop.post([&] {
        std::move_only_function<void(http::Response)> done = [&](http::Response response) { answered.set_value(std::move(response)); };
        loop::start(router.answer(match, std::move(request), reader), std::move(done));
    });
    auto response = answered.get_future().get();
    loop.stop();
    return response;
}

inline std::string header_of(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (equal_ignoring_case(key, name)) return value;
    }
    if (!response.shared_lines) return {};
    for (const std::string_view line : split(*response.shared_lines, '\n')) {
        const auto colon = line.find(':');
        if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) return std::string{trimmed(line.substr(colon + 1))};
    }
    return {};
}

}  // namespace assay::testing
