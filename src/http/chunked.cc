#include "http/chunked.hh"

#include <algorithm>

namespace assay::http {
namespace {

constexpr std::size_t digits_max = 15;  // 2^60 - 1 bytes: no overflow in any sum.

Error broken(std::string_view what) { return {Fault::invalid, "broken chunked body: " + std::string{what}}; }

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

Result<ByteView> Chunked::next(ByteView& input) {
    while (!input.empty() && state_ != State::finished) {
        if (state_ != State::data) {
            const char c = static_cast<char>(input.front());
            input = input.subspan(1);
            ASSAY_CHECK(step(c));
            continue;
        }
        const ByteView run = input.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
        input = input.subspan(run.size());
        left_ -= run.size();
        if (left_ == 0) state_ = State::data_cr;
        return run;
    }
    return ByteView{};
}

Result<> Chunked::step(char c) {
    switch (state_) {
        case State::size:
            if (const int value = hex_value(c); value >= 0) {
                if (++digits_ > digits_max) return broken("a chunk too large");
                left_ = left_ * 16 + static_cast<std::uint64_t>(value);
                return ok;
            }
            if (digits_ == 0) return broken("no chunk size");
            if (c == '\r') state_ = State::size_lf;
            else if (c == ';') state_ = State::extension;
            else return broken("a chunk size that is not hexadecimal");
            return ok;
        case State::extension:
            if (++line_bytes_ > size_line_bytes_max) return broken("a chunk extension too long");
            if (c == '\r') state_ = State::size_lf;
            else if (control(c)) return broken("a control character in a chunk extension");
            return ok;
        case State::size_lf:
            if (c != '\n') return broken("a chunk size line without CR LF");
            state_ = left_ == 0 ? State::trailer : State::data;
            digits_ = 0;
            line_bytes_ = 0;
            return ok;
        case State::data_cr:
            if (c != '\r') return broken("more data than the chunk's size");
            state_ = State::data_lf;
            return ok;
        case State::data_lf:
            if (c != '\n') return broken("more data than the chunk's size");
            state_ = State::size;
            return ok;
        case State::trailer:
            if (++line_bytes_ > trailer_bytes_max) return broken("trailers too long");
            if (c == '\r') {
                state_ = State::trailer_lf;
                return ok;
            }
            if (control(c)) return broken("a control character in a trailer");
            if (line_empty_ && (c == ' ' || c == '\t')) return broken("a folded trailer");
            line_empty_ = false;
            return ok;
        case State::trailer_lf:
            if (c != '\n') return broken("a trailer without CR LF");
            state_ = line_empty_ ? State::finished : State::trailer;
            line_empty_ = true;
            return ok;
        case State::data:
        case State::finished: break;
    }
    return ok;
}

}  // namespace assay::http
