// Two layers of any members onto a tree: whatever they say, nothing beside the tree is there or gone, and what is in it is of the
// kinds that a root has. Members are made from the input, since almost no change gets past a header's checksum by luck: a byte
// for the kind, then name and target, each ended by a zero byte.
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "archive/tar.hh"
#include "archive/tar_builder.hh"
#include "base/assert.hh"
#include "image/layers.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t members_max = 64;

std::string_view word(std::string_view& input) {
    const std::string_view text = input.substr(0, std::min(input.find('\0'), input.size()));
    input.remove_prefix(std::min(text.size() + 1, input.size()));
    return text;
}

std::string layer_of(std::string_view input) {
    constexpr std::string_view kinds = "012356";
    archive::TarBuilder tar;
    for (std::size_t i = 0; i < members_max && !input.empty(); ++i) {
        const auto first = static_cast<unsigned char>(input.front());
        input.remove_prefix(1);
        const char kind = kinds[first % kinds.size()];
        const std::string_view name = word(input);
        const std::string_view target = kind == '1' || kind == '2' ? word(input) : "";
        tar.member(name, kind, kind == '0' ? "content" : "", target, static_cast<int>(first) << 4);
    }
    return tar.done();
}

struct Place {
    fs::path base = fs::temp_directory_path() / ("assay-fuzz-" + sys::random_text(12, "abcdef"));
    Place() {
        fs::create_directories(base / "tree");
        std::ofstream{base / "outside"} << "untouched";
    }
    ~Place() { fs::remove_all(base); }
};

}  // namespace

void fuzz(std::string_view input) {
    const Place place;
    const sys::Fd tree = sys::open_directory((place.base / "tree").string()).value();
    constexpr std::int64_t room_bytes = 1 << 20;
    image::Layers layers{tree, room_bytes, [](const image::Progress&) {}};
    const std::string first = layer_of(input.substr(0, input.size() / 2));
    const std::string second = layer_of(input.substr(input.size() / 2));
    bool fine = true;
    for (const std::string& bytes : {first, second}) {
        archive::Input source{bytes_of(bytes)};
        archive::TarReader reader{archive::plain_source(source), archive::TarKind::layer};
        if (fine) fine = layers.apply(reader, true).has_value();
    }
    if (fine && layers.finish()) ASSAY_ASSERT(image::info_of_tree(tree, {}));
    ASSAY_ASSERT(std::distance(fs::directory_iterator{place.base}, {}) == 2);
    ASSAY_ASSERT(sys::read_file((place.base / "outside").string(), 64).value() == "untouched");
}

}  // namespace assay
