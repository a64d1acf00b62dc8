#include "intake/tus.hh"

#include <array>
#include <charconv>

#include "base/text.hh"
#include "http/wire.hh"

namespace assay::intake::tus {
namespace {

std::optional<std::int64_t> number_of(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

bool brings_a_part(const http::Request& request) {
    const std::string_view type = request.header("content-type");
    return equal_ignoring_case(trimmed(type.substr(0, type.find(';'))), part_type);
}

// "name base64,name base64"; a name alone has no value. nullopt: it is not that.
std::optional<std::string> value_in(std::string_view metadata, std::string_view name) {
    std::string found;
    for (const std::string_view pair : split(metadata, ',')) {
        const std::string_view words = trimmed(pair);
        const std::size_t space = std::min(words.find(' '), words.size());
        const auto value = from_base64(trimmed(words.substr(space)));
        if (!value) return std::nullopt;
        if (words.substr(0, space) == name) found = *value;
    }
    return found;
}

std::expected<std::optional<Checksum>, Wrong> checksum_of(const http::Request& request) {
    const std::string_view text = trimmed(request.header("upload-checksum"));
    if (text.empty()) return std::nullopt;
    const std::size_t space = std::min(text.find(' '), text.size());
    struct Kind {
        std::string_view name;
        Algorithm algorithm;
        std::size_t size;
    };
    for (const Kind& kind : {Kind{"sha1", Algorithm::sha1, 20}, Kind{"sha256", Algorithm::sha256, 32}}) {
        if (text.substr(0, space) != kind.name) continue;
        auto digest = from_base64(trimmed(text.substr(space)));
        if (!digest || digest->size() != kind.size) return std::unexpected{Wrong{400, "Upload-Checksum cannot be read: it is the algorithm, a space, and base64"}};
        return Checksum{kind.algorithm, std::move(*digest)};
    }
    return std::unexpected{Wrong{400, "Upload-Checksum names an algorithm that is not known here; known are " + std::string{algorithms}}};
}

}  // namespace

std::string method_of(const http::Request& request) {
    const std::string_view other = request.header("x-http-method-override");
    return request.method == "POST" && !other.empty() ? std::string{other} : request.method;
}

std::optional<Wrong> version_wrong(const http::Request& request) {
    const std::string_view said = request.header("tus-resumable");
    if (said.empty() || said == version) return std::nullopt;
    return Wrong{412, "this server speaks version " + std::string{version} + " of the protocol (Tus-Resumable)"};
}

std::expected<Creation, Wrong> creation_of(const http::Request& request) {
    const auto length = number_of(trimmed(request.header("upload-length")));
    if (!length) return std::unexpected{Wrong{400, "Upload-Length must say how many bytes will come"}};
    const std::string_view metadata = request.header("upload-metadata");
    if (metadata.size() > metadata_bytes_max) return std::unexpected{Wrong{400, "Upload-Metadata is longer than " + size_text(metadata_bytes_max)}};
    Creation creation{.length = *length, .with_upload = brings_a_part(request)};
    for (const auto& [name, field] : {std::pair{"course", &creation.course}, {"module", &creation.module}, {"sha256", &creation.sha256}}) {
        auto value = metadata.empty() ? std::optional{std::string{}} : value_in(metadata, name);
        if (!value) return std::unexpected{Wrong{400, "Upload-Metadata cannot be read: it is names and base64, with a comma between pairs"}};
        *field = value->empty() ? request.parameter(name).value_or("") : std::move(*value);
    }
    return creation;
}

std::expected<Part, Wrong> part_of(const http::Request& request, bool created) {
    if (!created && !brings_a_part(request)) return std::unexpected{Wrong{415, "a part is sent as Content-Type: " + std::string{part_type}}};
    Part part;
    if (!created) {
        const auto offset = number_of(trimmed(request.header("upload-offset")));
        if (!offset) return std::unexpected{Wrong{400, "Upload-Offset must say where the part begins"}};
        part.offset = *offset;
    }
    auto checksum = checksum_of(request);
    if (!checksum) return std::unexpected{std::move(checksum).error()};
    part.checksum = std::move(*checksum);
    return part;
}

http::Response marked(http::Response response) {
    response.with("Tus-Resumable", std::string{version}).with("Cache-Control", "no-store");
    if (response.status == 412) response.with("Tus-Version", std::string{version});
    return response;
}

http::Response marked(http::Response response, const store::Partial& partial) {
    response = marked(std::move(response));
    response.with("Upload-Offset", std::to_string(partial.offset)).with("Upload-Length", std::to_string(partial.length));
    response.with("Upload-Expires", http::http_date(sys::wall_from_ms(partial.touched_ms + store::Partials::kept_ms)));
    if (partial.submission) response.with("Assay-Submission", partial.submission->text());
    return response;
}

}  // namespace assay::intake::tus
