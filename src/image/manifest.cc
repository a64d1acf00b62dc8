#include "image/manifest.hh"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hh"
#include "image/limits.hh"
#include "model/json.hh"

namespace assay::image {
namespace {

using Json = nlohmann::json;

constexpr model::JsonBounds bounds{.size_max = json_bytes_max, .depth_max = 16, .values_max = 200'000};
constexpr std::string_view sha256_prefix = "sha256:";

Error wrong(std::string_view file, std::string_view what) { return {Fault::invalid, fmt::format("{}: {}", escaped(file), what)}; }

Result<Json> parse(const ReadText& read, const Blob& blob) {
    ASSAY_TRY(const std::string text, read(blob));
    auto json = model::parse_json(text, bounds);
    if (!json) return json.take_error().in(escaped(blob.path));
    return json;
}

// The member `name` when it is there and a text; else empty.
std::string text_at(const Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}
const Json& member(const Json& object, const char* name) {
    static const Json nothing;
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() ? *found : nothing;
}

std::optional<std::string> digest_from(std::string_view text) {
    if (!text.starts_with(sha256_prefix)) return std::nullopt;
    text.remove_prefix(sha256_prefix.size());
    if (text.size() != 64 || text.find_first_not_of("0123456789abcdef") != text.npos) return std::nullopt;
    return std::string{text};
}

Result<Blob> blob_of(const Json& descriptor, std::string_view file) {
    const std::string said = text_at(descriptor, "digest");
    const auto digest = digest_from(said);
    if (!digest) return wrong(file, fmt::format("a digest that is not sha256 and 64 hex digits: \"{}\"", escaped(said, 100)));
    const Json& size = member(descriptor, "size");
    if (!size.is_number_integer() || size.get<double>() < 0 || size.get<double>() > static_cast<double>(bytes_max)) {
        return wrong(file, "a size that is no number of bytes");
    }
    return Blob{.path = "blobs/sha256/" + *digest, .sha256 = *digest, .size = size.get<std::int64_t>()};
}

struct Platform {
    std::string os;
    std::string machine;
    std::string variant;
};
Platform platform_of(const Json& of) {
    return {text_at(of, "os"), text_at(of, "architecture"), text_at(of, "variant")};
}
// arm64 has one variant that is meant; of amd64 the later ones need instructions that this machine may lack.
bool runs_here(const Platform& platform) {
    const bool plain = platform.variant.empty() || platform.variant == "v8" || platform.variant == "v1";
    return platform.os == "linux" && platform.machine == architecture() && plain;
}

class Reader {
public:
    explicit Reader(const ReadText& read) : read_{read} {}

    Result<Manifest> oci() {
        ASSAY_TRY(const Json index, parse(read_, {.path = "index.json", .sha256 = {}, .size = {}}));
        ASSAY_TRY(const Blob chosen, choose(index, "index.json", 1));
        ASSAY_TRY(const Json manifest, parse(read_, chosen));
        const Json& layers = member(manifest, "layers");
        if (!layers.is_array()) return wrong(chosen.path, "a manifest without layers");
        if (layers.size() > layers_max) return too_many(layers.size());
        Manifest result;
        for (const Json& layer : layers) {
            const std::string type = text_at(layer, "mediaType");
            if (!type.contains("tar") || type.contains("encrypted")) {
                return wrong(chosen.path, fmt::format("a layer of a kind that cannot be read: \"{}\"", escaped(type, 100)));
            }
            ASSAY_TRY(Blob blob, blob_of(layer, chosen.path));
            result.layers.push_back(std::move(blob));
        }
        ASSAY_TRY(const Blob config, blob_of(member(manifest, "config"), chosen.path));
        ASSAY_TRY(result.configuration, configuration(config, result.layers.size()));
        return result;
    }

    Result<Manifest> docker() {
        constexpr std::string_view file = "manifest.json";
        ASSAY_TRY(const Json images, parse(read_, {.path = std::string{file}, .sha256 = {}, .size = {}}));
        if (images.is_object() && images.contains("layers"))
            return wrong(file, "one image in the folders of `skopeo copy … dir:`; take `oci:` or `docker-archive:`");
        if (!images.is_array() || images.empty()) return wrong(file, "no list of images");
        if (images.size() > 1) return wrong(file, fmt::format("{} images; save the one that is meant alone", images.size()));
        const Json& image = images.front();
        const Json& layers = member(image, "Layers");
        if (!layers.is_array()) return wrong(file, "an image without layers");
        if (layers.size() > layers_max) return too_many(layers.size());
        Manifest result;
        for (const Json& layer : layers) {
            if (!layer.is_string()) return wrong(file, "a layer without a name");
            result.layers.push_back(named(layer.get<std::string>()));
        }
        ASSAY_TRY(result.configuration, configuration(named(text_at(image, "Config")), result.layers.size()));
        return result;
    }

private:
    static Error too_many(std::size_t count) {
        return {Fault::too_large, fmt::format("the image has {} layers; at most {} are taken", count, layers_max)};
    }

    // Files of a docker-archive are often named after what they hold.
    static Blob named(std::string path) {
        Blob blob{.path = std::move(path), .sha256 = {}, .size = {}};
        std::string_view name{blob.path};
        if (name.starts_with("blobs/sha256/")) {
            name.remove_prefix(std::string_view{"blobs/sha256/"}.size());
        } else if (name.ends_with(".json")) {
            name.remove_suffix(std::string_view{".json"}.size());
        }
        if (const auto digest = digest_from(fmt::format("{}{}", sha256_prefix, name))) blob.sha256 = *digest;
        return blob;
    }

    // The manifest for this machine that an index leads to.
    Result<Blob> choose(const Json& index, std::string_view file, std::size_t depth) {
        const Json& all = member(index, "manifests");
        if (!all.is_array()) return wrong(file, "an index without manifests");
        if (all.size() > index_manifests_max) return wrong(file, fmt::format("{} manifests; at most {} are taken", all.size(), index_manifests_max));
        std::vector<const Json*> fit;
        std::set<std::string> digests;
        std::set<std::string> others;
        for (const Json& one : all) {
            const bool told = member(one, "platform").is_object();
            const Platform platform = platform_of(member(one, "platform"));
            if (platform.os == "unknown" || member(one, "annotations").contains("vnd.docker.reference.type")) continue;  // What was noted while building.
            if (told && !runs_here(platform)) {
                others.insert(fmt::format("{}/{}", escaped(platform.os, 20), escaped(platform.machine, 20)));
                continue;
            }
            if (digests.insert(text_at(one, "digest")).second) fit.push_back(&one);
        }
        if (fit.empty() && others.empty()) return wrong(file, "no image");
        if (fit.empty()) {
            return Error{Fault::unsupported, fmt::format("the image is not for this machine (linux/{}) but for {}", architecture(), fmt::join(others, ", "))};
        }
        if (fit.size() > 1) return wrong(file, fmt::format("{} images; save the one that is meant alone", fit.size()));
        ASSAY_TRY(Blob blob, blob_of(*fit.front(), file));
        const std::string type = text_at(*fit.front(), "mediaType");
        if (!type.contains("index") && !type.contains("manifest.list")) return blob;
        if (depth == index_depth_max) return wrong(file, fmt::format("an index more than {} deep", index_depth_max));
        ASSAY_TRY(const Json inner, parse(read_, blob));
        return choose(inner, blob.path, depth + 1);
    }

    Result<Configuration> configuration(const Blob& blob, std::size_t layers) {
        ASSAY_TRY(const Json json, parse(read_, blob));
        const Platform platform = platform_of(json);
        if (platform.os != "linux" || platform.machine != architecture()) {
            return Error{Fault::unsupported, fmt::format("the image is not for this machine (linux/{}) but for {}/{}", architecture(),
                                                         escaped(platform.os, 20), escaped(platform.machine, 20))};
        }
        Configuration result;
        const Json& diff_ids = member(member(json, "rootfs"), "diff_ids");
        if (!diff_ids.is_array() || diff_ids.size() != layers) return wrong(blob.path, "it does not name one digest for each layer");
        for (const Json& one : diff_ids) {
            const auto digest = one.is_string() ? digest_from(one.get_ref<const std::string&>()) : std::nullopt;
            if (!digest) return wrong(blob.path, "the digest of a layer that is not sha256 and 64 hex digits");
            result.diff_ids.push_back(*digest);
        }
        const Json& environment = member(member(json, "config"), "Env");
        std::size_t bytes = 0;
        for (const Json& one : environment.is_array() ? environment : Json::array()) {
            const std::string variable = one.is_string() ? one.get<std::string>() : std::string{};
            const std::size_t equals = variable.find('=');
            if (equals == 0 || equals == std::string::npos || variable.contains('\0')) return wrong(blob.path, "a variable that is not NAME=value");
            bytes += variable.size();
            if (result.environment.size() == variables_max || bytes > variables_bytes_max) {
                return wrong(blob.path, fmt::format("more than {} variables, or {} of them", variables_max, size_text(variables_bytes_max)));
            }
            result.environment.push_back(variable);
        }
        return result;
    }

    const ReadText& read_;
};

}  // namespace

std::string_view architecture() {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__riscv)
    return "riscv64";
#else
    return "unknown";
#endif
}

Result<Manifest> read_manifest(bool oci, const ReadText& read) { return oci ? Reader{read}.oci() : Reader{read}.docker(); }

}  // namespace assay::image
