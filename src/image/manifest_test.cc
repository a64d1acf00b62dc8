// What an index, a manifest and a configuration say, and what they had better not.
#include "image/manifest.hh"

#include <gmock/gmock.h>

#include <map>

#include <fmt/format.h>

#include "image/limits.hh"

namespace assay::image {
namespace {

using ::testing::HasSubstr;

const std::string a(64, 'a'), b(64, 'b'), c(64, 'c'), d(64, 'd');

std::string descriptor(const std::string& digest, const std::string& type, const std::string& more = "") {
    return fmt::format(R"({{"mediaType": "{}", "digest": "sha256:{}", "size": 10{}}})", type, digest, more);
}
std::string platform(std::string_view os, std::string_view machine, const std::string& variant = "") {
    return fmt::format(R"(, "platform": {{"os": "{}", "architecture": "{}"{}}})", os, machine, variant.empty() ? "" : ", \"variant\": \"" + variant + "\"");
}
std::string index(const std::string& manifests) { return R"({"manifests": [)" + manifests + "]}"; }
const std::string manifest_type = "application/vnd.oci.image.manifest.v1+json";
const std::string index_type = "application/vnd.oci.image.index.v1+json";
const std::string layer_type = "application/vnd.oci.image.layer.v1.tar+gzip";

std::string configuration(const std::string& machine, const std::string& diff_ids, const std::string& env = "") {
    return fmt::format(R"({{"architecture": "{}", "os": "linux", "config": {{"Env": [{}]}}, "rootfs": {{"diff_ids": [{}]}}}})", machine, env, diff_ids);
}

class ManifestTest : public ::testing::Test {
protected:
    // A layout of one layer.
    ManifestTest() {
        files_["index.json"] = index(descriptor(a, manifest_type));
        at(a) = fmt::format(R"({{"config": {}, "layers": [{}]}})", descriptor(b, "config"), descriptor(c, layer_type));
        at(b) = configuration(std::string{architecture()}, "\"sha256:" + d + "\"", R"("PATH=/x", "A=1=2")");
    }
    std::string& at(const std::string& digest) { return files_["blobs/sha256/" + digest]; }

    Result<Manifest> oci() { return read(true); }
    Result<Manifest> docker() { return read(false); }
    std::string problem(bool is_oci = true) {
        auto manifest = read(is_oci);
        return manifest ? "none" : manifest.error().text();
    }
    Result<Manifest> read(bool is_oci) {
        return read_manifest(is_oci, [this](const Blob& blob) -> Result<std::string> {
            const auto found = files_.find(blob.path);
            if (found == files_.end()) return Error{Fault::missing, blob.path + " is not there"};
            return found->second;
        });
    }

    std::map<std::string, std::string> files_;
};

TEST_F(ManifestTest, AnIndexLeadsToLayersAndConfiguration) {
    const auto manifest = oci();
    ASSERT_TRUE(manifest) << manifest.error().text();
    ASSERT_EQ(manifest->layers.size(), 1U);
    EXPECT_EQ(manifest->layers[0].path, "blobs/sha256/" + c);
    EXPECT_EQ(manifest->layers[0].sha256, c);
    EXPECT_EQ(manifest->layers[0].size, 10);
    EXPECT_EQ(manifest->configuration.diff_ids, std::vector{d});
    EXPECT_EQ(manifest->configuration.environment, (std::vector<std::string>{"PATH=/x", "A=1=2"}));
}

// Builders put other machines, and notes about the build, beside what is meant.
TEST_F(ManifestTest, OfManyPlatformsThisMachinesIsTaken) {
    const std::string here{architecture()};
    files_["index.json"] = index(descriptor(d, index_type));
    at(d) = index(descriptor(c, manifest_type, platform("linux", "s390x")) + "," + descriptor(c, manifest_type, platform("unknown", "unknown")) + "," +
                  descriptor(c, manifest_type, platform("linux", here, "v3")) + "," + descriptor(a, manifest_type, platform("linux", here)));
    EXPECT_TRUE(oci()) << problem();
    at(d) = index(descriptor(c, manifest_type, platform("linux", "s390x")) + "," + descriptor(c, manifest_type, platform("windows", here)));
    EXPECT_EQ(oci().error().fault(), Fault::unsupported);
    EXPECT_THAT(problem(), HasSubstr("but for linux/s390x, windows/"));
}

TEST_F(ManifestTest, TwoTagsOfOneImageAreOneAndTwoImagesAreNot) {
    files_["index.json"] = index(descriptor(a, manifest_type) + "," + descriptor(a, manifest_type));
    EXPECT_TRUE(oci()) << problem();
    files_["index.json"] = index(descriptor(a, manifest_type) + "," + descriptor(c, manifest_type));
    EXPECT_THAT(problem(), HasSubstr("2 images; save the one that is meant alone"));
}

TEST_F(ManifestTest, AnIndexInItselfEnds) {
    files_["index.json"] = index(descriptor(d, index_type));
    at(d) = index(descriptor(d, index_type));
    EXPECT_THAT(problem(), HasSubstr("an index more than 3 deep"));
}

TEST_F(ManifestTest, SaysWhatIsWrong) {
    const auto with = [&](const std::string& path, const std::string& text, bool is_oci = true) {
        const std::string before = std::exchange(files_[path], text);
        std::string found = problem(is_oci);
        files_[path] = before;
        return found;
    };
    const std::string manifest = "blobs/sha256/" + a, config = "blobs/sha256/" + b;
    EXPECT_THAT(with("index.json", "[]"), HasSubstr("index.json: an index without manifests"));
    EXPECT_THAT(with("index.json", "{}"), HasSubstr("an index without manifests"));
    EXPECT_THAT(with("index.json", index("")), HasSubstr("no image"));
    EXPECT_THAT(with("index.json", index("1, null, []")), HasSubstr("a digest that is not sha256"));
    EXPECT_THAT(with("index.json", index(R"({"digest": "sha512:00", "size": 1})")), HasSubstr("not sha256 and 64 hex digits: \"sha512:00\""));
    EXPECT_THAT(with("index.json", index(R"({"digest": "sha256:../../../etc/passwd", "size": 1})")), HasSubstr("not sha256"));
    EXPECT_THAT(with("index.json", index(fmt::format(R"({{"digest": "sha256:{}", "size": -1}})", a))), HasSubstr("no number of bytes"));
    EXPECT_THAT(with("index.json", index(fmt::format(R"({{"digest": "sha256:{}", "size": 1e300}})", a))), HasSubstr("no number of bytes"));
    EXPECT_THAT(with(manifest, "{}"), HasSubstr("a manifest without layers"));
    EXPECT_THAT(with(manifest, R"({"layers": [{"mediaType": "tar+encrypted"}]})"), HasSubstr("a layer of a kind that cannot be read"));
    std::string many = "{\"layers\": [0";
    for (std::size_t i = 0; i < layers_max; ++i) many += ",0";
    EXPECT_THAT(with(manifest, many + "]}"), HasSubstr("129 layers; at most 128"));
    const std::string here{architecture()};
    EXPECT_THAT(with(config, configuration("mips", "")), HasSubstr("but for linux/mips"));
    EXPECT_THAT(with(config, configuration(here, "")), HasSubstr("it does not name one digest for each layer"));
    EXPECT_THAT(with(config, configuration(here, "\"sha256:0\"")), HasSubstr("the digest of a layer that is not sha256"));
    const std::string one = "\"sha256:" + d + "\"";
    for (const char* const variable : {"\"PATH\"", "\"=x\"", "1", "\"A=\\u0000\""}) {
        EXPECT_THAT(with(config, configuration(here, one, variable)), HasSubstr("a variable that is not NAME=value")) << variable;
    }
    std::string variables = "\"A=1\"";
    for (std::size_t i = 0; i < variables_max; ++i) variables += ",\"A=1\"";
    EXPECT_THAT(with(config, configuration(here, one, variables)), HasSubstr("more than 64 variables"));
    EXPECT_THAT(with(config, configuration(here, one, "\"A=" + std::string(variables_bytes_max, 'x') + "\"")), HasSubstr("or 16 KiB of them"));
    EXPECT_THAT(with("manifest.json", "{}", false), HasSubstr("no list of images"));
    EXPECT_THAT(with("manifest.json", R"({"layers": []})", false), HasSubstr("take `oci:`"));
    EXPECT_THAT(with("manifest.json", "[1]", false), HasSubstr("an image without layers"));
    EXPECT_THAT(with("manifest.json", "[1, 2]", false), HasSubstr("2 images"));
    EXPECT_THAT(with("manifest.json", R"([{"Layers": [1]}])", false), HasSubstr("a layer without a name"));
}

TEST_F(ManifestTest, FilesOfADockerArchiveAreWhatTheirNamesSay) {
    files_["manifest.json"] = fmt::format(R"([{{"Config": "{}.json", "Layers": ["some/layer.tar"]}}])", b);
    files_[b + ".json"] = at(b);
    const auto manifest = docker();
    ASSERT_TRUE(manifest) << manifest.error().text();
    EXPECT_EQ(manifest->layers[0].sha256, "");
    files_["manifest.json"] = fmt::format(R"([{{"Config": "blobs/sha256/{}", "Layers": ["blobs/sha256/{}"]}}])", b, c);
    EXPECT_EQ(docker()->layers[0].sha256, c);
}

}  // namespace
}  // namespace assay::image
