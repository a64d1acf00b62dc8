// One folder packed in each of the six formats, then damaged in every small way: each prefix of the pack, and single flipped
// bits. None may be accepted. `flips COUNT` tries COUNT bits chosen by a fixed generator, `flips all` every bit.
//
// Bits that no reader of the format can hold to anything, because what is packed is the same either way:
//   bzip2  the digit that tells the largest block (a bound on memory, and any larger one will do; any smaller one as well, while
//          the blocks fit), and the bits that fill up the last byte
// They are tried as well, and must decode to the same bytes or be refused.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "archive/archive.hh"
#include "archive/folder.hh"
#include "archive/member.hh"
#include "archive/verify.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;

constexpr Format formats[] = {Format::tar, Format::tar_gz, Format::tar_bz2, Format::tar_xz, Format::tar_zst, Format::zip};

// Some of everything: text, what does not compress, runs of zeros, an empty file, names that need extended headers.
void write_tree(const fs::path& root) {
    const auto file = [&](const std::string& path, const std::string& content, bool executable = false) {
        fs::create_directories((root / path).parent_path());
        std::ofstream{root / path, std::ios::binary} << content;
        if (executable) fs::permissions(root / path, fs::perms::owner_exec, fs::perm_options::add);
    };
    std::mt19937 random{1};
    std::string noise;
    for (int i = 0; i < 1500; ++i) noise += static_cast<char>(random());
    std::string text;
    for (int i = 0; i < 60; ++i) text += "int f" + std::to_string(i) + "(int x) { return x * " + std::to_string(random() % 1000) + "; }\n";
    file("Makefile", "all:\n\tcc -o calc src/calc.c\n");
    file("src/calc.c", text);
    file("src/目录/深.txt", "深\n");
    file("data/noise", noise);
    file("data/zeros", std::string(3000, '\0'));
    file("data/" + std::string(120, 'n'), "long");
    file("empty", "");
    file("run.sh", "#!/bin/sh\n", true);
    fs::create_symlink("src/calc.c", root / "link");
}

Result<std::string> packed(const fs::path& root, Format format) {
    ASSAY_TRY(const sys::Fd out, sys::memory_file("pack", {}, false));
    struct All : Picker {
        Result<bool> goes(const std::string&, const sys::FileInfo&) override { return true; }
    } all;
    ASSAY_TRY(const std::vector<Entry> entries, list_folder(root.string(), all));
    ASSAY_TRY(const Packing packing, pack_folder(root.string(), entries, format, out));
    if (packing.trouble) return Error{Fault::conflict, packing.trouble->path};
    ASSAY_CHECK(sys::rewind(out));
    return sys::read_all(out, 64u << 20);
}

std::optional<Manifest> accepted(const std::string& bytes) {
    const sys::Fd file = sys::memory_file("archive", bytes_of(bytes), false).value();
    auto verdict = verify(file, {});
    if (!verdict) {
        std::printf("not judged: %s\n", verdict.error().text().c_str());
        std::exit(1);
    }
    return std::move(verdict->manifest);
}

std::string why(const std::string& bytes) {
    const sys::Fd file = sys::memory_file("archive", bytes_of(bytes), false).value();
    const auto verdict = verify(file, {});
    return verdict && verdict->refused ? sentence(*verdict->refused) : "";
}

// Names, kinds, modes, targets and contents, as one text.
std::string contents(const std::string& bytes, Format format) {
    Input input{bytes_of(bytes)};
    const auto reader = members_of(format, input, model::NameEncoding::utf_8);
    std::string all;
    std::vector<std::byte> part(buffer_bytes);
    for (;;) {
        auto member = reader->next();
        if (!member || !*member) return all;
        const Member& it = **member;
        all += it.name + ':' + std::to_string(static_cast<int>(it.kind)) + (it.executable ? "x" : "-") + it.target + ':' + std::to_string(it.size) + '\n';
        for (;;) {
            auto count = reader->read(part);
            if (!count || *count == 0) break;
            all += text_of(ByteView{part}.first(*count));
        }
    }
}

std::set<std::size_t> immune_bits(const std::string& pack, Format format) {
    std::set<std::size_t> bits;
    if (format != Format::tar_bz2) return bits;
    for (std::size_t bit = 0; bit < 8; ++bit) bits.insert(3 * 8 + bit);
    for (std::size_t bit = 0; bit < 7; ++bit) bits.insert((pack.size() - 1) * 8 + bit);
    return bits;
}

std::string flipped(std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    return bytes;
}

bool try_format(const fs::path& root, Format format, std::size_t count) {
    const auto pack = packed(root, format);
    if (!pack || !accepted(*pack)) {
        std::printf("%s: the pack itself is refused: %s\n", std::string{to_string(format)}.c_str(), pack ? why(*pack).c_str() : pack.error().text().c_str());
        return false;
    }
    const std::set<std::size_t> immune = immune_bits(*pack, format);
    std::vector<std::size_t> bits;
    for (std::size_t bit = 0; bit < pack->size() * 8; ++bit) {
        if (!immune.contains(bit)) bits.push_back(bit);
    }
    std::mt19937 random{2};
    std::ranges::shuffle(bits, random);
    bits.resize(std::min(bits.size(), count));

    std::size_t flips_accepted = 0, cuts_accepted = 0, changed = 0;
    for (const std::size_t bit : bits) {
        if (!accepted(flipped(*pack, bit))) continue;
        ++flips_accepted;
        std::printf("%s: accepted with bit %zu of byte %zu flipped\n", std::string{to_string(format)}.c_str(), bit % 8, bit / 8);
    }
    for (const std::size_t bit : immune) {
        const std::string other = flipped(*pack, bit);
        if (accepted(other) && contents(other, format) != contents(*pack, format)) ++changed;
    }
    for (std::size_t size = 0; size < pack->size(); ++size) {
        if (!accepted(pack->substr(0, size))) continue;
        ++cuts_accepted;
        std::printf("%s: accepted when cut to %zu of %zu bytes\n", std::string{to_string(format)}.c_str(), size, pack->size());
    }
    std::printf("%-8s %6zu bytes: %zu of %zu flips accepted, %zu of %zu truncations, %zu of %zu immune bits change what is packed\n",
                std::string{to_string(format)}.c_str(), pack->size(), flips_accepted, bits.size(), cuts_accepted, pack->size(), changed, immune.size());
    std::fflush(stdout);
    return flips_accepted == 0 && cuts_accepted == 0 && changed == 0;
}

}  // namespace
}  // namespace assay::archive

int main(int argc, char** argv) {
    namespace fs = std::filesystem;
    const std::string_view wanted = argc == 2 ? argv[1] : "";
    const std::size_t count = wanted == "all" ? SIZE_MAX : std::strtoul(argc == 2 ? argv[1] : "0", nullptr, 10);
    std::string name = (fs::temp_directory_path() / "assay-flips-XXXXXX").string();
    if (count == 0 || ::mkdtemp(name.data()) == nullptr) {
        std::fprintf(stderr, "usage: flips COUNT|all\n");
        return 2;
    }
    assay::archive::write_tree(name);
    bool sound = true;
    for (const assay::archive::Format format : assay::archive::formats) sound = assay::archive::try_format(name, format, count) && sound;
    fs::remove_all(name);
    return sound ? 0 : 1;
}
