// The verifier's answer as JSON: {"manifest": …}, {"refused": …} or {"error": …}. The manifest's listing stays behind: who
// accepts an upload needs its sums, and 20,000 names that hostile bytes chose are not worth parsing for that.
#include <fmt/format.h>

#include "archive/verify.hh"
#include "model/codec.inc"
#include "model/json.hh"

namespace assay::archive {
namespace {

constexpr model::JsonBounds answer_bounds{.size_max = answer_bytes_max, .depth_max = 4, .values_max = 100};

}  // namespace

// Enumerations of this room travel as numbers: both ends are the same executable.
struct WireManifest {
    int format = 0;
    std::int64_t entries = 0;
    std::int64_t unpacked_bytes = 0;
    std::string stripped;
    std::int64_t names_converted = 0;
};
struct WireError {
    int fault = 0;
    std::string text;
};
struct WireAnswer {
    std::optional<WireManifest> manifest;
    std::optional<Refused> refused;
    std::optional<WireError> error;
};

template <class V, model::Of<WireManifest> T>
void fields(V& visit, T& it) {
    visit("format", it.format);
    visit("entries", it.entries);
    visit("unpacked_bytes", it.unpacked_bytes);
    visit("stripped", it.stripped);
    visit("names_converted", it.names_converted);
}

template <class V, model::Of<Refused> T>
void fields(V& visit, T& it) {
    visit("fault", it.fault);
    visit("arguments", it.arguments);
    visit("entry", it.entry);
    visit("offset", it.offset);
    visit("limit", it.limit);
    visit("value", it.value);
}

template <class V, model::Of<WireError> T>
void fields(V& visit, T& it) {
    visit("fault", it.fault);
    visit("text", it.text);
}

template <class V, model::Of<WireAnswer> T>
void fields(V& visit, T& it) {
    visit("manifest", it.manifest);
    visit("refused", it.refused);
    visit("error", it.error);
}

std::string answer_to_json(const Result<Verdict>& verdict) {
    WireAnswer answer;
    if (!verdict) {
        answer.error = WireError{static_cast<int>(verdict.error().fault()), verdict.error().text()};
    } else if ((*verdict).refused) {
        answer.refused = (*verdict).refused;
    } else {
        const Manifest& manifest = *(*verdict).manifest;
        WireManifest& wire = answer.manifest.emplace();
        wire.format = static_cast<int>(manifest.format);
        wire.entries = manifest.entries;
        wire.unpacked_bytes = manifest.unpacked_bytes;
        wire.stripped = manifest.stripped;
        wire.names_converted = manifest.names_converted;
    }
    return model::JsonWriter::text_of_struct(answer);
}

Result<Verdict> answer_from_json(std::string_view text) {
    const auto json = model::parse_json(text, answer_bounds);
    auto read = json ? model::JsonReader::read<WireAnswer>(*json) : Result<WireAnswer>{json.error()};
    if (!read) return Error{Fault::internal, "the verifier's answer is not understood: " + read.error().text()};
    WireAnswer& answer = *read;
    Verdict verdict;
    if (answer.error) {
        const bool known = answer.error->fault >= 0 && answer.error->fault <= static_cast<int>(Fault::internal);
        return Error{known ? static_cast<Fault>(answer.error->fault) : Fault::internal, std::move(answer.error->text)};
    }
    if (answer.refused) {
        // The sentence counts on them, and a parser that was taken over can answer anything.
        if (answer.refused->arguments.size() != model::argument_count(answer.refused->fault)) {
            return Error{Fault::internal, "the verifier's answer has too few arguments, or too many"};
        }
        verdict.refused = std::move(answer.refused);
        return verdict;
    }
    if (!answer.manifest) return Error{Fault::internal, "the verifier's answer holds no verdict"};
    Manifest& manifest = verdict.manifest.emplace();
    if (answer.manifest->format < 0 || answer.manifest->format > static_cast<int>(Format::unknown)) {
        return Error{Fault::internal, "the verifier's answer names an unknown format"};
    }
    manifest.format = static_cast<Format>(answer.manifest->format);
    manifest.entries = answer.manifest->entries;
    manifest.unpacked_bytes = answer.manifest->unpacked_bytes;
    manifest.stripped = std::move(answer.manifest->stripped);
    manifest.names_converted = answer.manifest->names_converted;
    return verdict;
}

std::string sentence(const Refused& refused) {
    std::string text = fmt::format("{}: {}", model::to_string(refused.code()), model::to_string(refused.fault));
    for (const std::string& argument : refused.arguments) text += fmt::format(" '{}'", argument);
    if (!refused.entry.empty()) text += fmt::format(", entry '{}'", refused.entry);
    if (refused.offset > 0) text += fmt::format(", at byte {}", refused.offset);
    return text;
}

}  // namespace assay::archive
