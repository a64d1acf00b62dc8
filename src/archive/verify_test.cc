#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "archive/archive.hh"
#include "archive/source.hh"
#include "archive/tar_builder.hh"
#include "archive/verify.hh"
#include "sys/file.hh"
#include "testing/patience.hh"

namespace assay::archive {
namespace {

using model::Refusal;
using model::UploadRules;

Verdict judge(std::string_view bytes, const UploadRules& rules = {}) {
    const sys::Fd file = sys::memory_file("archive", bytes_of(bytes), true).value();
    auto verdict = verify(file, rules);
    EXPECT_TRUE(verdict) << verdict.error().text();
    return std::move(verdict).value();
}

std::string said(const Verdict& verdict) {
    if (!verdict.refused) return "accepted";
    return sentence(*verdict.refused);
}

void expect_refused(std::string_view bytes, Refusal code, std::string_view text, const UploadRules& rules = {}) {
    const Verdict verdict = judge(bytes, rules);
    ASSERT_TRUE(verdict.refused) << "accepted, wanted " << to_string(code) << ": " << text;
    EXPECT_EQ(to_string(verdict.refused->code()), to_string(code)) << said(verdict);
    EXPECT_EQ(verdict.refused->arguments.size(), model::argument_count(verdict.refused->fault)) << said(verdict);
    EXPECT_NE(said(verdict).find(text), std::string::npos) << said(verdict) << "\nwanted: " << text;
}

std::string sample_tar() {
    return TarBuilder{}.dir("work/").file("work/Makefile", "all:\n", 0755).file("work/src/main.c", std::string(700, 'c')).link("work/m", "src/main.c").done();
}

std::vector<std::string> paths_of(const Verdict& verdict) {
    std::vector<std::string> paths;
    if (verdict.manifest) {
        for (const Entry& entry : verdict.manifest->listing) paths.push_back(entry.path);
    }
    return paths;
}

TEST(Verify, TakesASoundTreeInEachFormatAndStripsTheWrappingFolder) {
    for (const auto& [bytes, format] : {std::pair{sample_tar(), Format::tar}, {gzip(sample_tar()), Format::tar_gz}, {bzip2(sample_tar()), Format::tar_bz2},
                                       {xz(sample_tar()), Format::tar_xz}, {zstd(sample_tar()), Format::tar_zst}}) {
        const Verdict verdict = judge(bytes);
        ASSERT_TRUE(verdict.manifest) << said(verdict);
        EXPECT_EQ(verdict.manifest->format, format);
        EXPECT_EQ(verdict.manifest->stripped, "work");
        EXPECT_EQ(verdict.manifest->entries, 4);
        EXPECT_EQ(verdict.manifest->unpacked_bytes, 705);
        EXPECT_EQ(paths_of(verdict), (std::vector<std::string>{"Makefile", "m", "src", "src/main.c"}));
        EXPECT_TRUE(verdict.manifest->listing[0].executable);
        EXPECT_EQ(verdict.manifest->listing[1].target, "src/main.c");
        EXPECT_FALSE(verdict.manifest->listing[3].executable);
    }
}

TEST(Verify, StripsOnlyWhatReallyWrapsEverything) {
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("a/x").file("b").done())), (std::vector<std::string>{"a", "a/x", "b"}));
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("a").done())), (std::vector<std::string>{"a"}));
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("a/b/x").done())), (std::vector<std::string>{"b", "b/x"}));
    // What is ignored goes first, so that a Mac's companion folder does not keep the wrapping folder from being found.
    EXPECT_EQ(paths_of(judge(TarBuilder{}.dir("./").file("./a/x").file("./__MACOSX/a/._x").file("a/.DS_Store").file("._a").done())),
              (std::vector<std::string>{"x"}));
}

// Whoever hands in the one folder that is asked for has packed rightly.
TEST(Verify, StripsNoFolderThatIsRequired) {
    UploadRules rules;
    rules.required = {"src/*.c", "src/"};
    const auto paths = [&](const std::string& archive) { return paths_of(judge(archive, rules)); };
    EXPECT_EQ(paths(TarBuilder{}.file("src/a.c").done()), (std::vector<std::string>{"src", "src/a.c"}));
    EXPECT_EQ(paths(TarBuilder{}.file("w/src/a.c").done()), (std::vector<std::string>{"src", "src/a.c"}));
    EXPECT_EQ(paths(TarBuilder{}.file("src/src/a.c").done()), (std::vector<std::string>{"src", "src/a.c"}));
    EXPECT_TRUE(judge(TarBuilder{}.file("src/f").link("src/l", "../src/f").file("src/a.c").done(), rules).manifest) << "inside what is kept";
    expect_refused(TarBuilder{}.file("src/a.h").done(), Refusal::required_missing, "required_below 'src/*.c' 'src'", rules);
}

TEST(Verify, KnowsNamesHoweverTheyAreWritten) {
    const std::string long_name = "d/" + std::string(120, 'n');
    const std::string chinese = "目录/文件.c";
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("top").pax("path", long_name).file("short").done()))[1], long_name);
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("top").member("././@LongLink", 'L', long_name + '\0').file("short").done()))[1], long_name);
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("top").pax("path", chinese).file("short").done())).at(2), chinese);
    // A global header with a comment is what `git archive` writes.
    EXPECT_TRUE(judge(TarBuilder{}.pax("comment", "abc", 'g').file("a").done()).manifest);
    std::string ustar = TarBuilder::header("name", '0', 0);
    ustar.replace(345, 3, "pre");
    EXPECT_EQ(paths_of(judge(TarBuilder{}.file("top").raw(TarBuilder::checksummed(ustar)).done()))[1], "pre/name");
    // v7: no magic at all, a directory is a name with a slash.
    std::string v7 = TarBuilder::header("old/", '\0', 0);
    v7.replace(257, 8, std::string(8, '\0'));
    EXPECT_EQ(paths_of(judge(TarBuilder{}.raw(TarBuilder::checksummed(v7)).file("b").done())), (std::vector<std::string>{"b", "old"}));
}

TEST(Verify, ReadsSizesInOctalBase256AndPax) {
    std::string base256 = TarBuilder::header("a", '0', 0);
    base256.replace(124, 12, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x03", 12));
    EXPECT_EQ(judge(TarBuilder{}.raw(TarBuilder::checksummed(base256)).content("abc").done()).manifest->unpacked_bytes, 3);
    EXPECT_EQ(judge(TarBuilder{}.pax("size", "3").raw(TarBuilder::header("a", '0', 0)).content("abc").done()).manifest->unpacked_bytes, 3);
    for (const std::string_view lie : {"\x80\0\0\0\xff\0\0\0\0\0\0\x03", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "0000000000x\0", "-0000000003\0"}) {
        std::string header = TarBuilder::header("a", '0', 0);
        header.replace(124, 12, std::string(lie.data(), 12));
        expect_refused(TarBuilder{}.raw(TarBuilder::checksummed(header)).content("abc").done(), Refusal::damaged, "header_broken 'tar'");
    }
    for (const char* lie : {"-1", "99999999999999999999", "1x", ""}) {
        expect_refused(TarBuilder{}.pax("size", lie).file("a").done(), Refusal::damaged, "header_broken 'pax'");
    }
    expect_refused(TarBuilder{}.pax("size", "5000").file("a").done(), Refusal::damaged, "data_cut 'tar'");
}

// The reader that judges and the one that unpacks must never disagree about where the next header is.
TEST(Verify, RefusesMalformedExtensions) {
    for (const char* records : {"5", "99 path=x\n", "10 path=xy", "0 a=b\n", "7 pathx\n", "6 =ab\n", "-6 a=b\n"}) {
        expect_refused(TarBuilder{}.member("pax", 'x', records).file("a").done(), Refusal::damaged, "header_broken 'pax'");
    }
    expect_refused(TarBuilder{}.file("b").pax("path", "x").done(), Refusal::damaged, "header_broken 'tar'");
    expect_refused(TarBuilder{}.pax("path", "x", 'g').file("a").done(), Refusal::format, "global_header 'path'");
    expect_refused(TarBuilder{}.pax("GNU.sparse.major", "1").file("a").done(), Refusal::format, "sparse");
    expect_refused(TarBuilder{}.pax("path", std::string("a\0b", 3)).file("a").done(), Refusal::unsafe, "name_invisible");
    expect_refused(TarBuilder{}.raw(TarBuilder::header("L", 'L', 2u << 20)).done(), Refusal::unsafe, "headers_too_large");
    TarBuilder many;
    const std::string text = fmt::format("{} comment={}\n", 700'000, std::string(700'000 - 16, 'x'));
    for (int i = 0; i < 100; ++i) many.member("pax", 'x', text).file(fmt::format("f{}", i));
    expect_refused(gzip(many.done(), 1), Refusal::unsafe, "headers_too_large");
}

TEST(Verify, RefusesEveryTruncation) {
    for (const std::string& sound : {sample_tar(), gzip(sample_tar()), bzip2(sample_tar()), xz(sample_tar()), zstd(sample_tar())}) {
        for (std::size_t size = 0; size < sound.size(); ++size) {
            const Verdict verdict = judge(std::string_view{sound}.substr(0, size));
            ASSERT_TRUE(verdict.refused) << size << " of " << sound.size();
        }
    }
}

std::string decoded(const std::string& bytes, Format format) {
    Input input{bytes_of(bytes)};
    const auto source = source_of(format, input);
    std::string all;
    std::array<std::byte, 4096> part;
    for (;;) {
        auto count = source->read(part);
        if (!count || *count == 0) return all;
        all += text_of(ByteView{part}.first(*count));
    }
}

// A flip may only pass when what it decodes to is the same to the byte: gzip's text flag, time, extra flags and system, the
// padding bits after the last block, a match of equal length elsewhere in a run; bzip2's block size digit and the code lengths
// of symbols that do not occur.
TEST(Verify, RefusesEveryFlippedBitThatMatters) {
    const std::string tar = sample_tar();
    for (const auto& [sound, format] : {std::pair{gzip(tar), Format::tar_gz}, {bzip2(tar), Format::tar_bz2}, {xz(tar), Format::tar_xz}, {zstd(tar), Format::tar_zst}}) {
        ASSERT_EQ(decoded(sound, format), tar);
        std::size_t passed = 0;
        for (std::size_t byte = 0; byte < sound.size(); ++byte) {
            for (int bit = 0; bit < 8; ++bit) {
                std::string flipped = sound;
                flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
                if (judge(flipped).refused) continue;
                ++passed;
                EXPECT_EQ(decoded(flipped, format), tar) << "byte " << byte << " bit " << bit;
            }
        }
        EXPECT_LT(passed, sound.size() * 8 / 10);
    }
}

// A plain tar has checksums over headers only; a flip in one of them is refused.
TEST(Verify, RefusesFlippedHeaderBits) {
    const std::string sound = sample_tar();
    for (std::size_t byte = 0; byte < 512; ++byte) {
        if (byte == 155 || byte == 154) continue;  // Ends the checksum's digits: blank or zero read alike.
        std::string flipped = sound;
        flipped[byte] = static_cast<char>(flipped[byte] ^ 1);
        EXPECT_TRUE(judge(flipped).refused) << byte;
    }
}

TEST(Verify, RefusesWhatFollowsTheEnd) {
    const std::string tar = sample_tar();
    EXPECT_TRUE(judge(tar + std::string(9000, '\0')).manifest);
    EXPECT_TRUE(judge(gzip(tar) + std::string(9000, '\0')).manifest);
    EXPECT_TRUE(judge(bzip2(tar) + std::string(9000, '\0')).manifest);
    EXPECT_TRUE(judge(xz(tar) + std::string(9000, '\0')).manifest);
    EXPECT_TRUE(judge(zstd(tar) + std::string(9000, '\0')).manifest);
    expect_refused(tar + "x", Refusal::damaged, "trailing 'tar'");
    expect_refused(tar + tar, Refusal::damaged, "trailing 'tar'");
    expect_refused(gzip(tar) + "twelve bytes", Refusal::damaged, "trailing 'gzip'");
    for (const char* const short_of_a_header : {"x", "junk"}) {
        expect_refused(gzip(tar) + short_of_a_header, Refusal::damaged, "trailing 'gzip'");
        expect_refused(xz(tar) + short_of_a_header, Refusal::damaged, "trailing 'xz'");
        expect_refused(zstd(tar) + short_of_a_header, Refusal::damaged, "trailing 'zstd'");
    }
    expect_refused(gzip(tar) + "\x1f\x8b", Refusal::damaged, "data_cut 'gzip'");
    expect_refused(gzip(tar) + std::string("\0x", 2), Refusal::damaged, "trailing 'gzip'");
    expect_refused(bzip2(tar) + "x", Refusal::damaged, "trailing 'bzip2'");
    expect_refused(bzip2(tar) + std::string("\0x", 2), Refusal::damaged, "trailing 'bzip2'");
    expect_refused(xz(tar) + "\xFDseven other bytes", Refusal::damaged, "trailing 'xz'");
    expect_refused(xz(tar) + std::string("\0x", 2), Refusal::damaged, "trailing 'xz'");
    expect_refused(zstd(tar) + "other bytes", Refusal::damaged, "trailing 'zstd'");
    expect_refused(zstd(tar) + std::string("\0x", 2), Refusal::damaged, "trailing 'zstd'");
    expect_refused(gzip(tar + std::string(17u << 20, '\0')), Refusal::unpacks_too_large, "padding");
}

// Parallel packers write one member or stream per block; together they are one tar.
TEST(Verify, JoinsMembersAndStreams) {
    const std::string tar = sample_tar();
    const std::string a = tar.substr(0, 700), b = tar.substr(700);
    EXPECT_TRUE(judge(gzip(a) + gzip("") + gzip(b)).manifest);
    EXPECT_TRUE(judge(bzip2(a) + bzip2(b)).manifest);
    EXPECT_TRUE(judge(xz(a) + xz("") + std::string(8, '\0') + xz(b)).manifest);
    expect_refused(xz(a) + std::string(5, '\0') + xz(b), Refusal::damaged, "trailing 'xz'");
    EXPECT_TRUE(judge(zstd(a) + zstd("") + zstd(b)).manifest);
    expect_refused(gzip(a), Refusal::damaged, "data_cut 'tar'");
    std::string empties = gzip(tar);
    const std::string empty = gzip("");
    for (int i = 0; i < 70'000; ++i) empties += empty;
    expect_refused(empties, Refusal::unsafe, "empty_members");
    for (const auto compress : {+[](std::string_view data) { return xz(data); }, +[](std::string_view data) { return zstd(data); }}) {
        std::string many = compress(tar);
        const std::string nothing = compress("");
        for (int i = 0; i < 70'000; ++i) many += nothing;
        expect_refused(many, Refusal::unsafe, "empty_members");
    }
}

// A stream that nobody can verify is as good as a damaged one, and one that needs much memory is sent only to use it.
TEST(Verify, RefusesStreamsWithoutChecksumAndWithLargeWindows) {
    const std::string tar = sample_tar();
    for (const lzma_check check : {LZMA_CHECK_CRC32, LZMA_CHECK_SHA256}) EXPECT_TRUE(judge(xz(tar, check)).manifest);
    expect_refused(xz(tar, LZMA_CHECK_NONE), Refusal::format, "no_checksum 'xz'");
    expect_refused(xz(tar) + xz("", LZMA_CHECK_NONE), Refusal::format, "no_checksum 'xz'");
    expect_refused(zstd(tar, false), Refusal::format, "no_checksum 'zstd'");
    expect_refused(zstd(tar) + zstd("", false), Refusal::format, "no_checksum 'zstd'");
    for (const char first : {'\x50', '\x5F'}) {
        const std::string skippable = first + std::string{"\x2A\x4D\x18\x04\0\0\0skip", 11};
        expect_refused(zstd(tar) + skippable, Refusal::format, "skippable_frame");
    }
    // Frames of old zstd, which the library may still read.
    expect_refused(zstd(tar) + "\x27\xB5\x2F\xFD" + "old frame", Refusal::damaged, "trailing 'zstd'");

    EXPECT_TRUE(judge(xz(tar, LZMA_CHECK_CRC64, 8)).manifest);
    expect_refused(xz(tar, LZMA_CHECK_CRC64, 9), Refusal::format, "window_too_large 'xz' '40 MiB'");
    EXPECT_TRUE(judge(zstd(tar, true, 25)).manifest);
    expect_refused(zstd(tar, true, 26), Refusal::format, "window_too_large 'zstd' '40 MiB'");
}

TEST(Verify, RefusesBombsOfEveryCompression) {
    const std::string tar = TarBuilder{}.raw(TarBuilder::header("zeros", '0', 100u << 20)).bytes + std::string(100u << 20, '\0') + TarBuilder{}.raw(TarBuilder::header("more", '0', 100u << 20)).bytes;
    const auto from = std::chrono::steady_clock::now();
    for (const std::string& bomb : {xz(tar, LZMA_CHECK_CRC32, 0), zstd(tar)}) {
        EXPECT_LT(bomb.size(), 1u << 20);
        expect_refused(bomb, Refusal::unpacks_too_large, "unpacked '128 MiB'");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds{20} * testing::patience());
}

TEST(Verify, NeedsBothEndBlocks) {
    const std::string tar = TarBuilder{}.file("a").bytes;
    expect_refused(tar, Refusal::damaged, "end_missing");
    expect_refused(gzip(tar), Refusal::damaged, "end_missing");
    expect_refused(tar + std::string(512, '\0'), Refusal::damaged, "end_missing");
    expect_refused(tar + std::string(512, '\0') + TarBuilder{}.file("b").done(), Refusal::damaged, "data_broken 'tar'");
    expect_refused(TarBuilder{}.dir("./").done(), Refusal::empty, "nothing_left");
    expect_refused(gzip(std::string(10240, '\0')), Refusal::empty, "only_zeros");
}

TEST(Verify, RefusesNamesThatLeadElsewhere) {
    struct Case {
        std::string name;
        std::string text;
    };
    const Case cases[] = {
        {"../x", "name_upward"},      {"a/../../x", "name_upward"}, {"a/..", "name_upward"},          {"/etc/passwd", "name_absolute"}, {"..", "name_upward"},
        {"C:/x", "name_absolute"},     {"./c:x", "name_absolute"},    {"a\\..\\x", "name_backslash"}, {"a\x1b[2J", "name_invisible"},     {"a\nb", "name_invisible"},
        {"\xff", "name_encoding"},     {"a\u202e.c", "name_invisible"}, {"a\u200b", "name_invisible"}, {std::string(256, 'n'), "name_too_long '255'"},
        {"\xC0\xAE\xC0\xAE/x", "name_encoding"},
    };
    for (const auto& [name, text] : cases) expect_refused(TarBuilder{}.file("ok").pax("path", name).file("y").done(), Refusal::unsafe, text);
    std::string deep = "d";
    for (int i = 0; i < 64; ++i) deep += "/d";
    expect_refused(TarBuilder{}.pax("path", deep).file("y").done(), Refusal::unsafe, "name_too_deep '64'");
    std::string wide;
    for (int i = 0; i < 8; ++i) wide += std::string(200, 'w') + "/";
    expect_refused(TarBuilder{}.pax("path", wide + "x").file("y").done(), Refusal::unsafe, "name_too_long '1024'");
    expect_refused(TarBuilder{}.file("").done(), Refusal::unsafe, "name_empty");
    expect_refused(TarBuilder{}.link(".", "x").done(), Refusal::unsafe, "name_empty");
    // The refusal's own text never carries what it refuses to a terminal.
    EXPECT_EQ(judge(TarBuilder{}.file("a\x1b[2J").done()).refused->entry, "a\\x1b[2J");
}

TEST(Verify, RefusesNamesThatMeet) {
    expect_refused(TarBuilder{}.file("a").file("a").done(), Refusal::unsafe, "twice 'a'");
    expect_refused(TarBuilder{}.file("a").file("./a").done(), Refusal::unsafe, "twice 'a'");
    expect_refused(TarBuilder{}.file("a").dir("a").done(), Refusal::unsafe, "twice 'a'");
    expect_refused(TarBuilder{}.file("a").file("a/b").done(), Refusal::unsafe, "below_no_folder 'a'");
    expect_refused(TarBuilder{}.file("a/b").file("a").done(), Refusal::unsafe, "twice 'a'");
    expect_refused(TarBuilder{}.file("Makefile").file("makefile").done(), Refusal::unsafe, "names_meet 'Makefile' 'makefile'");
    expect_refused(TarBuilder{}.file("Src/a").file("src/b").done(), Refusal::unsafe, "names_meet 'Src' 'src'");
    expect_refused(TarBuilder{}.file("Ä").file("ä").done(), Refusal::unsafe, "names_meet");
    expect_refused(TarBuilder{}.file("é").file("e\u0301").done(), Refusal::unsafe, "names_meet");        // NFC and NFD
    expect_refused(TarBuilder{}.file("각").file("\u1100\u1161\u11a8").done(), Refusal::unsafe, "names_meet");  // Hangul
    expect_refused(TarBuilder{}.file("a\u0323\u0307").file("a\u0307\u0323").done(), Refusal::unsafe, "names_meet");  // order of marks
    EXPECT_TRUE(judge(TarBuilder{}.dir("a").dir("a/").file("a/b").dir("a").file("中").file("申").done()).manifest);
}

TEST(Verify, KeepsLinksInside) {
    const auto tree = [](std::string_view name, std::string_view target) { return TarBuilder{}.file("a/b/f").file("g").link(name, target).done(); };
    for (const auto& [name, target] : {std::pair{"l", "a"}, {"a/l", "../g"}, {"a/b/l", "../../g"}, {"l", "./a/b/"}, {"l", "nowhere"}}) {
        EXPECT_TRUE(judge(tree(name, target)).manifest) << target << said(judge(tree(name, target)));
    }
    struct Case {
        const char* name;
        const char* target;
        const char* text;
    };
    const Case cases[] = {
        {"l", "/etc/passwd", "link_absolute '/etc/passwd'"}, {"l", "C:/x", "link_absolute"},  {"l", "..", "link_outside '..'"},
        {"a/l", "../../g", "link_outside"},                  {"l", "a/..", "link_upward"},    {"l", "a/../../x", "link_upward"},
        {"l", "", "link_target ''"},                         {"l", "a\nb", "link_target 'a\\nb'"},
    };
    for (const auto& [name, target, text] : cases) expect_refused(tree(name, target), Refusal::unsafe, text);
    expect_refused(TarBuilder{}.link("l", "a").file("l/x").file("a/x").done(), Refusal::unsafe, "below_no_folder 'l'");
    // Inside the archive but outside what is left when the wrapping folder is gone.
    expect_refused(TarBuilder{}.file("w/f").link("w/l", "../w/f").done(), Refusal::unsafe, "link_outside '../w/f'");
}

TEST(Verify, TakesHardLinksToEarlierFilesAsCopies) {
    const Verdict verdict = judge(TarBuilder{}.file("a", "abc", 0755).hardlink("b", "./a").done());
    ASSERT_TRUE(verdict.manifest) << said(verdict);
    EXPECT_EQ(verdict.manifest->unpacked_bytes, 6);
    EXPECT_TRUE(verdict.manifest->listing[1].executable);
    for (const char* target : {"later", "d", "/etc/passwd", "../x", "A"}) {
        expect_refused(TarBuilder{}.file("a").dir("d").hardlink("b", target).file("later").done(), Refusal::unsafe, "hard_link");
    }
    UploadRules rules;
    rules.unpacked_max = 10'000;
    TarBuilder bomb;
    bomb.file("a", std::string(4000, 'a'));
    for (int i = 0; i < 5; ++i) bomb.hardlink(fmt::format("l{}", i), "a");
    expect_refused(bomb.done(), Refusal::unpacks_too_large, "unpacked", rules);
}

TEST(Verify, RefusesOtherTypes) {
    for (const char type : {'3', '4', '6'}) expect_refused(TarBuilder{}.member("x", type, "").done(), Refusal::format, "device, entry 'x'");
    expect_refused(TarBuilder{}.member("x", 'S', "").done(), Refusal::format, "sparse, entry 'x'");
    for (const char type : {'V', 'M', 'D', 'N', 'Z', '\x01'}) {
        expect_refused(TarBuilder{}.member("x", type, "").done(), Refusal::format, fmt::format("member_type '{}'", escaped({&type, 1})));
    }
    expect_refused(TarBuilder{}.member("x", '5', "content").done(), Refusal::format, "content_unexpected");
}

TEST(Verify, CountsWhileItStreams) {
    UploadRules rules;
    rules.unpacked_max = 10'000;
    rules.entries_max = 3;
    EXPECT_TRUE(judge(TarBuilder{}.file("a", std::string(5000, 'a')).file("b", std::string(5000, 'b')).done(), rules).manifest);
    const Verdict large = judge(TarBuilder{}.file("a", std::string(5000, 'a')).file("b", std::string(5001, 'b')).done(), rules);
    ASSERT_TRUE(large.refused);
    EXPECT_EQ(large.refused->fault, ArchiveFault::unpacked);
    EXPECT_EQ(large.refused->limit, 10'000);
    EXPECT_EQ(large.refused->value, 10'001);
    EXPECT_EQ(large.refused->entry, "b");
    EXPECT_EQ(large.refused->offset, 512 + 5120);
    EXPECT_TRUE(judge(TarBuilder{}.file("a").file("b").file("c").done(), rules).manifest);
    expect_refused(TarBuilder{}.file("a").file("b").file("c").file("d").done(), Refusal::too_many_entries, "entries '3'", rules);
    expect_refused(TarBuilder{}.file("a/b/c/d").done(), Refusal::too_many_entries, "entries '3'", rules);  // folders nobody names
    TarBuilder same;
    for (int i = 0; i < 4; ++i) same.dir("a");
    expect_refused(same.done(), Refusal::too_many_entries, "entries '3'", rules);
    TarBuilder names;
    for (int i = 0; i < 9000; ++i) names.pax("path", fmt::format("{:04}{}/{}/{}/{}", i, std::string(240, 'a'), std::string(240, 'b'), std::string(240, 'c'), std::string(200, 'd'))).file("x");
    expect_refused(gzip(names.done(), 1), Refusal::too_many_entries, "names_too_large");
}

TEST(Verify, RefusesABombWithoutUnpackingIt) {
    const auto from = std::chrono::steady_clock::now();
    const std::string bomb = gzip(TarBuilder{}.raw(TarBuilder::header("zeros", '0', 1u << 30)).bytes + std::string(64u << 20, '\0'), 1);
    expect_refused(bomb, Refusal::unpacks_too_large, "unpacked '128 MiB'");
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds{20} * testing::patience());
}

TEST(Verify, NamesWhatIsRequiredAndMissing) {
    UploadRules rules;
    rules.required = {"Makefile", "src/*.c", "docs/"};
    EXPECT_TRUE(judge(TarBuilder{}.file("Makefile").file("src/a.c").file("docs/x").done(), rules).manifest);
    EXPECT_TRUE(judge(TarBuilder{}.file("w/Makefile").file("w/src/a.c").dir("w/docs").done(), rules).manifest);
    expect_refused(TarBuilder{}.file("Makefile").file("src/deep/a.c").file("docs/x").done(), Refusal::required_missing, "required 'src/*.c'", rules);
    expect_refused(TarBuilder{}.file("Makefile").file("src/a.c").file("docs").done(), Refusal::required_missing, "required 'docs/'", rules);
    expect_refused(TarBuilder{}.file("w/Makefile").file("w/src/a.c").done(), Refusal::required_missing, "required_below 'docs/' 'w'", rules);
}

TEST(Verify, SaysWhatAFileIsInsteadOfAnArchive) {
    expect_refused("", Refusal::empty, "no_bytes");
    expect_refused("<!DOCTYPE html><html>", Refusal::not_an_archive, "html_page");
    expect_refused("#include <stdio.h>\nint main(void) {}\n", Refusal::not_an_archive, "plain_text");
    expect_refused(std::string(4096, '\0'), Refusal::empty, "only_zeros");
    expect_refused("\x7f" "ELF\x02\x01\x01", Refusal::not_an_archive, "unknown_format 'tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip'");
    expect_refused("\x1f\xef\xbf\xbd\x08", Refusal::not_an_archive, "read_as_text");
    // Shorter than one block it was never a tar: calling it cut would send people looking for the rest.
    expect_refused(gzip("just text"), Refusal::not_an_archive, "no_tar");
    expect_refused(gzip(TarBuilder::header("a", '0', 1).substr(0, 400)), Refusal::damaged, "data_cut 'tar'");
    expect_refused(gzip(std::string(600, 't')), Refusal::not_an_archive, "no_tar");
    expect_refused(gzip(gzip(sample_tar()) + std::string(600, 'x')), Refusal::not_an_archive, "no_tar");
    expect_refused("Rar!\x1A\x07", Refusal::format, "format_not_taken 'rar'");
    expect_refused("7z\xBC\xAF\x27\x1C", Refusal::format, "format_not_taken '7z'");
    UploadRules only_tar;
    only_tar.formats = {"tar"};
    expect_refused(gzip(sample_tar()), Refusal::format, "format_not_taken 'tar.gz' 'tar'", only_tar);
}

// Sent through a text-mode write every LF becomes CR LF; the sentence says so instead of leaving people to guess.
TEST(Verify, RecognisesTextMode) {
    std::string noise;
    unsigned state = 1;
    for (int i = 0; i < 20'000; ++i) noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    std::string translated;
    for (const char c : gzip(TarBuilder{}.file("noise", noise).done())) {
        if (c == '\n') translated += '\r';
        translated += c;
    }
    expect_refused(translated, Refusal::damaged, "text_mode");

    // A tar of text from Windows that was never closed is something else: nothing was put between its blocks.
    std::string text;
    for (int i = 0; i < 60; ++i) text += "line " + std::to_string(i) + "\r\n";
    const std::string unclosed = TarBuilder{}.file("a.txt", text).bytes;
    expect_refused(unclosed, Refusal::damaged, "end_missing");
    std::string tar_translated;
    for (const char c : TarBuilder{}.file("a.txt", "one\ntwo\n" + std::string(20, '\n')).done()) tar_translated += c == '\n' ? "\r\n" : std::string(1, c);
    expect_refused(tar_translated, Refusal::damaged, "text_mode");
}

}  // namespace
}  // namespace assay::archive
