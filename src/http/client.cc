#include "http/client.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "http/chunked.hh"
#include "sys/clock.hh"

namespace assay::http {
namespace {

constexpr std::size_t answer_head_bytes_max = 32u << 10;
constexpr std::size_t read_bytes = 64u << 10;

Error broken(std::string_view what) { return {Fault::invalid, fmt::format("the answer is no HTTP: {}", what)}; }

// Takes the first complete head off `buffered`; the answer's status is 0 when there is none yet.
Result<Answer> take_head(std::string& buffered) {
    Answer answer;
    const std::size_t end = buffered.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (buffered.size() > answer_head_bytes_max) return broken("its header does not end");
        return answer;
    }
    const std::string_view head = std::string_view{buffered}.substr(0, end + 2);
    const std::size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    int status = 0;
    const bool known = line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ';
    if (!known || std::from_chars(line.data() + 9, line.data() + 12, status).ec != std::errc{} || status < 100)
        return broken("its status line");
    auto fields = parse_fields(head.substr(line_end + 2));
    if (!fields) return broken(fields.error().text);
    answer.status = status;
    answer.headers = std::move(*fields);
    buffered.erase(0, end + 4);
    return answer;
}

Result<std::optional<std::int64_t>> length_of(const Answer& answer) {
    const std::string_view text = answer.header("Content-Length");
    if (text.empty()) return std::optional<std::int64_t>{};
    std::int64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error != std::errc{} || end != text.data() + text.size() || length < 0) return broken("its Content-Length");
    return std::optional{length};
}

}  // namespace

Result<Answer> Client::request(std::string_view method, std::string_view target, std::string_view content_type,
                               ByteView body, std::chrono::milliseconds timeout) {
    std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: assay\r\nContent-Length: {}\r\n", method, target, body.size());
    if (!content_type.empty()) head += fmt::format("Content-Type: {}\r\n", content_type);
    return exchange(head + "\r\n", [&] { return stream_.send(body); }, timeout, nullptr);
}

Result<Answer> Client::download(std::string_view target, std::chrono::milliseconds timeout,
                                const std::function<Result<>(ByteView)>& sink) {
    return exchange(fmt::format("GET {} HTTP/1.1\r\nHost: assay\r\n\r\n", target), [] { return ok; }, timeout, &sink);
}

Result<Answer> Client::send(const Outgoing& outgoing, std::chrono::milliseconds timeout, const std::function<Result<>(ByteView)>& sink) {
    std::string head = fmt::format("{} {} HTTP/1.1\r\n", outgoing.method, outgoing.target);
    for (const auto& [name, value] : outgoing.headers) head += fmt::format("{}: {}\r\n", name, value);
    if (outgoing.body) head += fmt::format("Content-Length: {}\r\n", outgoing.size);
    if (outgoing.body && outgoing.expect.count() > 0) head += "Expect: 100-continue\r\n";
    std::optional<Error> ours;  // The body could not be read: no answer can help.
    std::optional<std::chrono::milliseconds> continued;
    const auto send_body = [&]() -> Result<> {
        if (outgoing.body && outgoing.expect.count() > 0) {
            const sys::TimePoint asked = sys::system_clock().now();
            ASSAY_TRY(const bool answered, interim_head(outgoing.expect));
            if (answered && buffered_.substr(0, 12).ends_with(" 100"))
                continued = std::chrono::ceil<std::chrono::milliseconds>(sys::system_clock().now() - asked);
            if (answered && !continued) return ok;
        }
        for (std::int64_t left = outgoing.body ? outgoing.size : 0; left > 0;) {
            ASSAY_TRY(const bool answered, stream_.wait_readable(sys::system_clock().now()));
            if (answered) return ok;
            auto piece = outgoing.body();
            if (!piece) return ours.emplace(piece.take_error());
            if (piece->empty() || static_cast<std::int64_t>(piece->size()) > left) {
                return ours.emplace(Fault::invalid, "the body changed its size while it was sent");
            }
            ASSAY_CHECK(stream_.send(*piece));
            left -= static_cast<std::int64_t>(piece->size());
        }
        return ok;
    };
    auto answer = exchange(head + "\r\n", send_body, timeout, sink ? &sink : nullptr);
    if (ours) return *ours;
    if (answer) answer->continued = continued;
    return answer;
}

// Whether a whole head has come into `buffered_`.
Result<bool> Client::interim_head(std::chrono::milliseconds within) {
    const sys::TimePoint deadline = sys::system_clock().now() + within;
    std::array<std::byte, 1024> bytes;
    while (!buffered_.contains("\r\n\r\n") && buffered_.size() <= answer_head_bytes_max) {
        ASSAY_TRY(const bool readable, stream_.wait_readable(deadline));
        if (!readable) return false;
        ASSAY_TRY(const std::size_t count, stream_.receive(bytes));
        if (count == 0) return false;
        buffered_ += text_of(ByteView{bytes}.first(count));
    }
    return true;
}

Result<Answer> Client::exchange(const std::string& head, const Sending& send_body, std::chrono::milliseconds timeout,
                                const std::function<Result<>(ByteView)>* sink) {
    const bool head_only = head.starts_with("HEAD ");
    std::array<std::byte, read_bytes> bytes;
    const auto receive_more = [&]() -> Result<bool> {
        ASSAY_TRY(const std::size_t count, stream_.receive(bytes));
        buffered_ += text_of(ByteView{bytes}.first(count));
        return count > 0;
    };
    ASSAY_CHECK(stream_.set_timeouts(timeout));
    // A server may refuse and close before it has taken everything; then its answer is already there.
    Result<> sent = stream_.send(bytes_of(head));
    if (sent) sent = send_body();
    if (!sent && sent.error().fault() != Fault::unreachable) return sent.take_error();  // Of the body itself, or a timeout.

    Answer answer;
    for (;;) {
        ASSAY_TRY(answer, take_head(buffered_));
        if (answer.status >= 200) break;
        if (answer.status > 0) continue;  // An interim answer.
        const Result<bool> more = receive_more();
        if (!more || !*more) {
            if (!sent) return sent.take_error();
            return more ? Error{Fault::unreachable, "the server closed without an answer"} : more.error();
        }
    }

    const auto give = [&](ByteView part) -> Result<> {
        if (sink != nullptr && answer.status < 300) return (*sink)(part);
        if (part.size() > body_bytes_max - answer.body.size())
            return Error{Fault::too_large, "the answer is larger than " + size_text(body_bytes_max)};
        answer.body += text_of(part);
        return ok;
    };
    const bool opened = head.starts_with("CONNECT ") && answer.status < 300;  // What follows is the other side's.
    if (head_only || opened || answer.status == 204 || answer.status == 304) return answer;
    const bool chunked = equal_ignoring_case(answer.header("Transfer-Encoding"), "chunked");
    ASSAY_TRY(const std::optional<std::int64_t> length, length_of(answer));
    Chunked chunks;
    std::int64_t left = length.value_or(0);
    const bool to_the_end = !chunked && !length;
    while (chunked ? !chunks.finished() : to_the_end || left > 0) {
        if (buffered_.empty()) {
            ASSAY_TRY(const bool more, receive_more());
            if (!more && to_the_end) break;
            if (!more) return Error{Fault::unreachable, "the server closed inside its answer"};
        }
        ByteView input = bytes_of(buffered_);
        const std::size_t before = input.size();
        ByteView run = input;
        if (chunked) {
            ASSAY_TRY(run, chunks.next(input));
        } else {
            if (!to_the_end)
                run = input.first(
                    static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(before))));
            input = input.subspan(run.size());
            left -= static_cast<std::int64_t>(run.size());
        }
        ASSAY_CHECK(give(run));
        buffered_.erase(0, before - input.size());
    }
    return answer;
}

}  // namespace assay::http
