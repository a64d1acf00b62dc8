#include "http/multipart.hh"

#include <algorithm>
#include <cstring>

#include "base/assert.hh"
#include "http/head.hh"
#include "http/parameters.hh"

namespace assay::http {
namespace {

constexpr std::size_t padding_bytes_max = 64;  // blanks between a delimiter and its line's end

Error broken(std::string what) { return {Fault::invalid, "broken form data: " + std::move(what)}; }

std::string_view value_of(const std::vector<std::pair<std::string, std::string>>& list, std::string_view name) {
    const auto found = std::ranges::find(list, name, &std::pair<std::string, std::string>::first);
    return found == list.end() ? std::string_view{} : found->second;
}

Result<Part> part_of(std::string_view header_lines) {
    const auto fields = parse_fields(header_lines);
    if (!fields) return broken(fields.error().text);
    std::optional<Part> part;
    for (const auto& [name, value] : *fields) {
        if (equal_ignoring_case(name, "content-transfer-encoding")) {
            const bool plain = equal_ignoring_case(value, "binary") || equal_ignoring_case(value, "8bit") ||
                               equal_ignoring_case(value, "7bit");
            if (!plain) return broken("a part is encoded as '" + escaped(value, 40) + "'; send it as it is");
        }
        if (!equal_ignoring_case(name, "content-disposition")) continue;
        if (part) return broken("a part with two Content-Disposition lines");
        const std::string_view kind = trimmed(std::string_view{value}.substr(0, value.find(';')));
        if (!equal_ignoring_case(kind, "form-data")) return broken("a part that is not form-data");
        const auto parameters =
            parse_parameters(std::string_view{value}.substr(std::min(value.find(';'), value.size())));
        if (!parameters) return broken("a Content-Disposition that cannot be read");
        part.emplace();
        part->name = value_of(*parameters, "name");
        const bool has_filename = std::ranges::any_of(*parameters, [](const auto& p) { return p.first == "filename"; });
        if (has_filename) part->filename = replace_invalid_utf8(value_of(*parameters, "filename"));
        if (part->name.empty() || !valid_utf8(part->name)) return broken("a part without a name");
    }
    if (!part) return broken("a part without Content-Disposition");
    return std::move(*part);
}

}  // namespace

struct Multipart::Inner {
    enum class State { preamble, after_delimiter, closing, line_end, header, data, finished };

    // CR LF "--" boundary. CR stands only at its start, so a failed match can begin again only at the byte that broke it.
    std::string delimiter;
    State state = State::preamble;
    std::size_t matched = 2;  // of the delimiter, at the end of what was fed
    std::size_t implied = 2;  // how much of that was never sent: the line break before a body's or part's first byte
    std::size_t padding = 0;
    std::size_t parts = 0;
    std::string header;

    Result<> feed(std::string_view input, MultipartSink& sink);
    Result<> take_header(char c, MultipartSink& sink);
    Result<std::size_t> take_data(std::string_view input, MultipartSink& sink);
    Result<std::size_t> end_part(std::size_t used, MultipartSink& sink) {
        if (state == State::data) ASSAY_CHECK(sink.end());
        state = State::after_delimiter;
        padding = matched = implied = 0;
        return used;
    }
    Result<> give(std::string_view bytes, MultipartSink& sink) const {
        if (state != State::data || bytes.empty()) return ok;
        return sink.data(bytes_of(bytes));
    }
};

Result<> Multipart::Inner::feed(std::string_view input, MultipartSink& sink) {
    while (!input.empty() && state != State::finished) {
        if (state == State::preamble || state == State::data) {
            ASSAY_TRY(const std::size_t taken, take_data(input, sink));
            input.remove_prefix(taken);
            continue;
        }
        const char c = input.front();
        input.remove_prefix(1);
        switch (state) {
            case State::after_delimiter:
                if (c == '-' && padding == 0) state = State::closing;
                else if (c == '\r') state = State::line_end;
                else if ((c != ' ' && c != '\t') || ++padding > padding_bytes_max)
                    return broken("a delimiter that is not alone on its line");
                break;
            case State::closing:
                if (c != '-') return broken("a delimiter that is not alone on its line");
                state = State::finished;
                break;
            case State::line_end:
                if (c != '\n') return broken("a delimiter line without CR LF");
                if (++parts > parts_max) return broken("more than " + std::to_string(parts_max) + " parts");
                header.clear();
                state = State::header;
                break;
            case State::header: ASSAY_CHECK(take_header(c, sink)); break;
            case State::preamble:
            case State::data:
            case State::finished: break;
        }
    }
    return ok;
}

Result<> Multipart::Inner::take_header(char c, MultipartSink& sink) {
    header += c;
    if (header == "\r\n") return broken("a part without a header");
    if (header.size() > part_header_bytes_max)
        return broken("a part's header is larger than " + size_text(part_header_bytes_max));
    if (!header.ends_with("\r\n\r\n")) return ok;
    ASSAY_TRY(const Part part, part_of(std::string_view{header}.substr(0, header.size() - 2)));
    state = State::data;
    matched = implied = 2;
    std::string{}.swap(header);
    return sink.begin(part);
}

// Returns how much of `input` was used: up to the end of a delimiter, or all of it.
Result<std::size_t> Multipart::Inner::take_data(std::string_view input, MultipartSink& sink) {
    if (matched > 0) {
        const std::size_t more = std::min(delimiter.size() - matched, input.size());
        const std::string_view expected = std::string_view{delimiter}.substr(matched, more);
        const std::size_t same =
            static_cast<std::size_t>(std::ranges::mismatch(expected, input.substr(0, more)).in1 - expected.begin());
        matched += same;
        if (same == more && matched < delimiter.size()) return more;
        if (matched < delimiter.size()) {
            // Not a delimiter after all: what was held back is data, and reads exactly like the delimiter's beginning.
            const std::size_t held = std::exchange(matched, 0);
            const std::size_t unsent = std::exchange(implied, 0);
            ASSAY_CHECK(give(std::string_view{delimiter}.substr(unsent, held - unsent), sink));
            return same;
        }
        return end_part(same, sink);
    }
    const void* const found = ::memmem(input.data(), input.size(), delimiter.data(), delimiter.size());
    if (found != nullptr) {
        const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
        ASSAY_CHECK(give(input.substr(0, at), sink));
        return end_part(at + delimiter.size(), sink);
    }
    const std::size_t last_break = input.rfind('\r');
    std::size_t keep = last_break == std::string_view::npos ? 0 : input.size() - last_break;
    if (keep >= delimiter.size() || !delimiter.starts_with(input.substr(input.size() - keep))) keep = 0;
    ASSAY_CHECK(give(input.substr(0, input.size() - keep), sink));
    matched = keep;
    return input.size();
}

Multipart::Multipart(std::string boundary) : inner_{std::make_unique<Inner>()} {
    ASSAY_ASSERT(!boundary.empty());
    inner_->delimiter = "\r\n--" + boundary;
}
Multipart::Multipart(Multipart&&) noexcept = default;
Multipart::~Multipart() = default;

Result<> Multipart::feed(ByteView bytes, MultipartSink& sink) { return inner_->feed(text_of(bytes), sink); }
bool Multipart::finished() const { return inner_->state == Inner::State::finished; }

Result<Multipart> Multipart::from_content_type(std::string_view content_type) {
    const std::size_t end = std::min(content_type.find(';'), content_type.size());
    if (!equal_ignoring_case(trimmed(content_type.substr(0, end)), "multipart/form-data")) {
        return Error{Fault::invalid, "the body is not multipart/form-data"};
    }
    const auto parameters = parse_parameters(content_type.substr(end));
    const std::string_view boundary = parameters ? value_of(*parameters, "boundary") : std::string_view{};
    const bool sound = !boundary.empty() && boundary.size() <= boundary_bytes_max && !boundary.ends_with(' ') &&
                       std::ranges::all_of(boundary, [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!sound) return Error{Fault::invalid, "multipart/form-data without a sound boundary"};
    return Multipart{std::string{boundary}};
}

}  // namespace assay::http
