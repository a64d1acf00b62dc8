#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "archive/archive.hh"
#include "archive/member.hh"
#include "archive/verify.hh"
#include "archive/zip_builder.hh"
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

std::string said(const Verdict& verdict) { return verdict.refused ? sentence(*verdict.refused) : "accepted"; }

void expect_refused(std::string_view bytes, Refusal code, std::string_view text, const UploadRules& rules = {}) {
    const Verdict verdict = judge(bytes, rules);
    ASSERT_TRUE(verdict.refused) << "accepted, wanted " << to_string(code) << ": " << text;
    EXPECT_EQ(to_string(verdict.refused->code()), to_string(code)) << said(verdict);
    EXPECT_EQ(verdict.refused->arguments.size(), model::argument_count(verdict.refused->fault)) << said(verdict);
    EXPECT_NE(said(verdict).find(text), std::string::npos) << said(verdict) << "\nwanted: " << text;
}

ZipBuilder sample() {
    return ZipBuilder{}.dir("work/").file("work/Makefile", "all:\n", 0100755).file("work/src/main.c", std::string(700, 'c')).link("work/m", "src/main.c").described("work/目录", "深");
}

// All that is unpacked, as one text; empty when it is refused.
std::string contents(std::string_view bytes) {
    Input input{bytes_of(bytes)};
    const auto reader = members_of(Format::zip, input, model::NameEncoding::utf_8);
    std::string all;
    std::array<std::byte, 4096> part;
    for (;;) {
        auto member = reader->next();
        if (!member) return {};
        if (!*member) return all;
        const Member& it = **member;
        all += fmt::format("{} {} {} {} {}:", it.name, static_cast<int>(it.kind), it.executable, it.size, it.target);
        for (;;) {
            auto count = reader->read(part);
            if (!count) return {};
            if (*count == 0) break;
            all += text_of(ByteView{part}.first(*count));
        }
    }
}

TEST(Zip, TakesASoundTree) {
    const Verdict verdict = judge(sample().done());
    ASSERT_TRUE(verdict.manifest) << said(verdict);
    EXPECT_EQ(verdict.manifest->format, Format::zip);
    EXPECT_EQ(verdict.manifest->stripped, "work");
    EXPECT_EQ(verdict.manifest->unpacked_bytes, 708);
    std::string listing;
    for (const Entry& entry : verdict.manifest->listing) listing += fmt::format("{}{}{}{} ", entry.path, entry.executable ? "*" : "", entry.target.empty() ? "" : ">", entry.target);
    EXPECT_EQ(listing, "Makefile* m>src/main.c src src/main.c 目录 ");
}

TEST(Zip, TakesWhatPackersWrite) {
    EXPECT_TRUE(judge(changed_zip([](ZipBuilder& zip) { zip.comment = std::string(65'535, 'c'); })).manifest);
    // Whoever writes in blocks fills the last one with zeros.
    for (const std::size_t zeros : {1u, 9000u, 200'000u}) {
        for (const std::size_t comment : {0u, 3u, 65'535u}) {
            const std::string padded = changed_zip([&](ZipBuilder& zip) { zip.comment = std::string(comment, 'c'); }) +
                                       std::string(zeros, '\0');
            const Verdict verdict = judge(padded);
            EXPECT_TRUE(verdict.manifest) << said(verdict);
            expect_refused(padded + "x", Refusal::damaged, comment == 0 && zeros == 1 ? "trailing 'zip'" : "");
        }
    }
    EXPECT_TRUE(judge(changed_zip([](ZipBuilder& zip) { std::ranges::reverse(zip.entries); })).manifest);
    EXPECT_TRUE(judge(ZipBuilder{}.file("a", "", 0).file("d/", "", 0).done()).manifest);  // no Unix modes
    EXPECT_TRUE(judge(changed_zip([](ZipBuilder& zip) {
                    zip.entries[0].local.flags = zip.entries[0].central.flags = 6;
                })).manifest);
    for (const unsigned method : {0u, 8u}) {
        for (const std::size_t width : {4u, 8u}) {
            for (const bool marked : {false, true}) {
                const Verdict verdict = judge(ZipBuilder{}.described("a", "abc", width, marked, method).described("b", "", width, marked, method).done());
                EXPECT_TRUE(verdict.manifest) << said(verdict);
            }
        }
    }
    // Sizes in the zip64 field although they would fit.
    EXPECT_TRUE(judge(changed_zip([](ZipBuilder& zip) {
                    ZipBuilder::Header& local = zip.entries[1].local;
                    ZipBuilder::Header& central = zip.entries[1].central;
                    const std::string sizes = "\x01" + std::string(1, '\0') + ZipBuilder::number(16, 2) +
                                              ZipBuilder::number(local.size, 8) +
                                              ZipBuilder::number(local.compressed, 8);
                    for (ZipBuilder::Header* const header : {&local, &central}) {
                        header->size = header->compressed = 0xFFFF'FFFF;
                        header->extra = sizes;
                    }
                })).manifest);
}

TEST(Zip, ListsTheDirectoryInAnyOrder) {
    const std::string sound = changed_zip([](ZipBuilder&) {});
    // The directory's records swapped, the entries left where they are.
    const std::size_t first = sound.find("PK\x01\x02"), end = sound.find("PK\x05\x06"), each = (end - first) / 3;
    const std::string records[] = {sound.substr(first, each), sound.substr(first + each, each), sound.substr(first + 2 * each, each)};
    const std::string swapped = sound.substr(0, first) + records[2] + records[0] + records[1] + sound.substr(end);
    EXPECT_EQ(contents(swapped), contents(sound));
    EXPECT_NE(contents(sound), "");
}

TEST(Zip, RefusesEveryTruncation) {
    for (const std::string& sound :
         {sample().done(), changed_zip([](ZipBuilder& zip) { zip.comment = "a comment"; })}) {
        ASSERT_TRUE(judge(sound).manifest);
        for (std::size_t size = 0; size < sound.size(); ++size) {
            ASSERT_TRUE(judge(std::string_view{sound}.substr(0, size)).refused) << size << " of " << sound.size();
        }
    }
}

// Only fields of which the format keeps no second copy, and that change nothing else, may differ unseen: the versions, times and
// attributes of a header, and the padding bits after a deflated entry's last block. Of an attribute the type and the execute bit
// are used, when the byte behind the version says that they are Unix's; no zip can tell that these were changed.
TEST(Zip, RefusesEveryFlippedBitThatMatters) {
    const std::string sound = sample().done();
    const std::string unpacked = contents(sound);
    ASSERT_FALSE(unpacked.empty());
    std::vector<bool> attribute(sound.size());
    for (std::size_t at = sound.find("PK\x01\x02"); at != sound.npos; at = sound.find("PK\x01\x02", at + 1)) {
        for (std::size_t i = 38; i < 42; ++i) attribute[at + i] = true;
        attribute[at + 5] = true;
    }
    std::size_t passed = 0;
    for (std::size_t byte = 0; byte < sound.size(); ++byte) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = sound;
            flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
            if (judge(flipped).refused) continue;
            ++passed;
            if (!attribute[byte]) EXPECT_EQ(contents(flipped), unpacked) << "byte " << byte << " bit " << bit;
        }
    }
    constexpr std::size_t unprotected_bits = (6 + 14) * 8;  // local: version, time; central: versions, time, internal and external attributes
    EXPECT_LE(passed, 5 * unprotected_bits);
}

TEST(Zip, RefusesHeadersThatDisagree) {
    using Header = ZipBuilder::Header;
    void (*const changes[])(Header&) = {
        [](Header& h) { h.name = "x"; },      [](Header& h) { h.checksum ^= 1; }, [](Header& h) { h.size += 1; },
        [](Header& h) { h.compressed += 1; }, [](Header& h) { h.method ^= 8; },   [](Header& h) { h.flags ^= 0x800; },
        [](Header& h) { h.flags ^= 8; },      [](Header& h) { h.flags ^= 2; },
    };
    for (const auto change : changes) {
        expect_refused(changed_zip([&](ZipBuilder& zip) { change(zip.entries[1].local); }), Refusal::damaged,
                       "headers_differ");
    }
    // Zeros may stand only where a descriptor follows.
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.entries[1].local.size = 0; }), Refusal::damaged,
                   "headers_differ");
    for (const std::size_t at : {4u, 8u, 12u}) {
        ZipBuilder zip = ZipBuilder{}.described("a", "abc");
        zip.entries[0].descriptor[at] ^= 1;
        expect_refused(zip.done(), Refusal::damaged, "headers_differ");
    }
    ZipBuilder unmarked = ZipBuilder{}.described("a", "abc");
    unmarked.entries[0].descriptor[0] ^= 1;
    expect_refused(unmarked.done(), Refusal::damaged, "header_broken 'zip'");
    // When something was packed says nothing about what.
    EXPECT_TRUE(judge(changed_zip([](ZipBuilder& zip) { zip.entries[1].local.time ^= 1; })).manifest);
    // Another name for readers that prefer the extra field.
    expect_refused(changed_zip([&](ZipBuilder& zip) { zip.entries[1].central.extra = unicode_path("b", "z"); }),
                   Refusal::damaged, "headers_differ");
    expect_refused(changed_zip([&](ZipBuilder& zip) { zip.entries[1].local.extra = unicode_path("b", "z"); }),
                   Refusal::damaged, "headers_differ");
    const std::string wrong_checksum = unicode_path("x", "b"), empty{"up\x01\0\x01", 5}, no_text = unicode_path("b", "\xff");
    for (const std::string& other : {wrong_checksum, empty, no_text}) {
        expect_refused(changed_zip([&](ZipBuilder& zip) { zip.entries[1].central.extra = other; }), Refusal::damaged,
                       "header_broken 'zip'");
        expect_refused(changed_zip([&](ZipBuilder& zip) { zip.entries[1].local.extra = other; }), Refusal::damaged,
                       "header_broken 'zip'");
    }
}

TEST(Zip, RefusesContentThatIsNotWhatItsHeadersSay) {
    const auto both = [](auto change) {
        return changed_zip([&](ZipBuilder& zip) {
            change(zip.entries[1].local);
            change(zip.entries[1].central);
        });
    };
    expect_refused(both([](auto& h) { h.checksum ^= 1; }), Refusal::damaged, "checksum_wrong 'zip', entry 'b'");
    expect_refused(both([](auto& h) { h.size -= 1; }), Refusal::damaged, "checksum_wrong 'zip'");
    expect_refused(both([](auto& h) { h.size += 1; }), Refusal::damaged, "checksum_wrong 'zip'");
    expect_refused(both([](auto& h) { h.size = 0; }), Refusal::damaged, "checksum_wrong 'zip'");
    expect_refused(both([](auto& h) { h.compressed -= 1; }), Refusal::damaged, "data_broken 'zip'");
    expect_refused(both([](auto& h) { h.method = 0; }), Refusal::damaged, "header_broken 'zip'");
    // Compressed bytes behind the deflated data's own end.
    expect_refused(changed_zip([](ZipBuilder& zip) {
                       ZipBuilder::Entry& entry = zip.entries[1];
                       entry.data += "more";
                       entry.local.compressed += 4;
                       entry.central.compressed += 4;
                   }),
                   Refusal::damaged, "checksum_wrong 'zip'");
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.entries[1].data.assign(zip.entries[1].data.size(), '\xff'); }),
                   Refusal::damaged, "data_broken 'zip'");
}

TEST(Zip, CoversEveryByteOnce) {
    for (const std::size_t at : {0u, 1u, 2u}) {
        const std::string gap = changed_zip([&](ZipBuilder& zip) { zip.entries[at].before = "gap"; });
        if (at == 0) EXPECT_TRUE(judge(gap).refused);  // It does not even begin as a zip.
        else expect_refused(gap, Refusal::unsafe, "entries_overlap");
    }
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.entries[0].before = "PK\x03\x04 and more"; }), Refusal::unsafe,
                   "entries_overlap");
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.entries[2].descriptor = "gap"; }), Refusal::unsafe,
                   "entries_overlap");
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.before_end = "gap"; }), Refusal::damaged,
                   "header_broken 'zip'");
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.count_more = 1; }), Refusal::damaged, "data_cut 'zip'");
    expect_refused(changed_zip([](ZipBuilder& zip) { zip.entries[1].disk = 1; }), Refusal::damaged,
                   "header_broken 'zip'");
    const std::string sound = changed_zip([](ZipBuilder&) {});
    expect_refused(sound + "x", Refusal::damaged, "trailing 'zip'");
    expect_refused(sound + std::string("\0x", 2), Refusal::damaged, "trailing 'zip'");
    expect_refused(sound + sound, Refusal::damaged, "header_broken 'zip'");
    // A second directory in the comment, for readers that look elsewhere.
    expect_refused(changed_zip([&](ZipBuilder& zip) { zip.comment = sound; }), Refusal::damaged, "header_broken 'zip'");
    for (const std::int64_t moved : {-1, 1, 1000}) {
        EXPECT_TRUE(judge(changed_zip([&](ZipBuilder& zip) { zip.entries[1].moved = moved; })).refused);
    }
}

// Many records over one piece of data, or data within data: small to send, large to unpack.
TEST(Zip, RefusesOverlapBombs) {
    const std::string kernel = ZipBuilder::deflated(std::string(1u << 20, '\0'));
    ZipBuilder one;
    one.file("a", std::string(1u << 20, '\0'));
    const std::string sound = one.done();
    const std::size_t first = sound.find("PK\x01\x02"), end = sound.find("PK\x05\x06");
    std::string directory;
    for (int i = 0; i < 1000; ++i) directory += sound.substr(first, end - first);
    const std::string bomb = sound.substr(0, first) + directory + "PK\x05\x06" + std::string(4, '\0') + ZipBuilder::number(1000, 2) + ZipBuilder::number(1000, 2) +
                             ZipBuilder::number(directory.size(), 4) + ZipBuilder::number(first, 4) + std::string(2, '\0');
    expect_refused(bomb, Refusal::unsafe, "entries_overlap, entry 'a'");

    // The first entry's data reaches over the second's header.
    expect_refused(changed_zip([](ZipBuilder& zip) {
                       zip.entries[0].local.compressed += 20;
                       zip.entries[0].central.compressed += 20;
                   }),
                   Refusal::unsafe, "entries_overlap, entry 'a'");
}

TEST(Zip, RefusesWhatItCannotRead) {
    for (const unsigned flag : {0x0001u, 0x0040u, 0x2000u}) {
        expect_refused(
            changed_zip([&](ZipBuilder& zip) { zip.entries[1].local.flags = zip.entries[1].central.flags = flag; }),
            Refusal::format, "encrypted, entry 'b'");
    }
    for (const unsigned flag : {0x0010u, 0x0020u, 0x0080u, 0x1000u, 0x8000u}) {
        expect_refused(
            changed_zip([&](ZipBuilder& zip) { zip.entries[1].local.flags = zip.entries[1].central.flags = flag; }),
            Refusal::damaged, "header_broken 'zip'");
    }
    for (const unsigned method : {1u, 9u, 12u, 14u, 93u, 95u, 99u}) {
        expect_refused(
            changed_zip([&](ZipBuilder& zip) { zip.entries[1].local.method = zip.entries[1].central.method = method; }),
            Refusal::format, fmt::format("method '{}', entry 'b'", method));
    }
    expect_refused(ZipBuilder{}.done(), Refusal::empty, "nothing_left");
    UploadRules no_zip;
    no_zip.formats = {"tar", "tar.gz"};
    expect_refused(sample().done(), Refusal::format, "format_not_taken 'zip' 'tar, tar.gz'", no_zip);
}

TEST(Zip, HoldsNamesAndLinksToTheSameRulesAsATar) {
    for (const auto& [name, text] : {std::pair{"../x", "name_upward"}, {"/x", "name_absolute"}, {"a\\b", "name_backslash"}, {"a\nb", "name_invisible"}, {"", "name_empty"},
                                     {"\xff", "name_encoding"}, {"C:/x", "name_absolute"}, {"ok", "twice 'ok'"}, {"OK", "names_meet"}, {"ok/x", "below_no_folder 'ok'"}}) {
        expect_refused(ZipBuilder{}.file("ok").file(name).done(), Refusal::unsafe, text);
    }
    expect_refused(ZipBuilder{}.file(std::string("a\0b", 3)).done(), Refusal::unsafe, "name_invisible");
    ZipBuilder unmarked = ZipBuilder{}.file("目录");
    unmarked.entries[0].local.flags = unmarked.entries[0].central.flags = 0;
    EXPECT_TRUE(judge(unmarked.done()).manifest);  // A Mac writes UTF-8 and does not say so.
    ZipBuilder unknown = ZipBuilder{}.file("\xCE\xC4\xBC\xFE");  // GB18030
    unknown.entries[0].local.flags = unknown.entries[0].central.flags = 0;
    expect_refused(unknown.done(), Refusal::unsafe, "name_unmarked");

    expect_refused(ZipBuilder{}.link("l", "/etc/passwd").done(), Refusal::unsafe, "link_absolute '/etc/passwd'");
    expect_refused(ZipBuilder{}.link("l", "../x").done(), Refusal::unsafe, "link_outside");
    expect_refused(ZipBuilder{}.link("l", "").done(), Refusal::unsafe, "link_target");
    expect_refused(ZipBuilder{}.link("l", std::string(1025, 'x')).done(), Refusal::unsafe, "link_target");
    expect_refused(ZipBuilder{}.link("l", "a").file("l/x").done(), Refusal::unsafe, "below_no_folder 'l'");
    ZipBuilder wrong = ZipBuilder{}.link("l", "target");
    wrong.entries[0].local.checksum = wrong.entries[0].central.checksum = 1;
    expect_refused(wrong.done(), Refusal::damaged, "checksum_wrong 'zip'");
}

// What packers on Chinese Windows write: names in GB18030, some with the UTF-8 name beside them.
TEST(Zip, TakesNamesInTheModulesEncoding) {
    const std::string gb = "\xC4\xBF\xC2\xBC/\xCE\xC4\xBC\xFE.c";
    const auto zip_of = [&](const std::string& extra) {
        ZipBuilder zip = ZipBuilder{}.file("top").file(gb);
        zip.entries[1].local.flags = zip.entries[1].central.flags = 0;
        zip.entries[1].local.extra = zip.entries[1].central.extra = extra;
        return zip;
    };
    UploadRules rules;
    expect_refused(zip_of("").done(), Refusal::unsafe, "name_unmarked");
    EXPECT_EQ(judge(zip_of(unicode_path(gb, "目录/文件.c")).done()).manifest->listing.at(2).path, "目录/文件.c");
    rules.names = model::NameEncoding::gb18030;
    const Verdict converted = judge(zip_of("").done(), rules);
    ASSERT_TRUE(converted.manifest) << said(converted);
    EXPECT_EQ(converted.manifest->listing.at(2).path, "目录/文件.c");
    EXPECT_EQ(converted.manifest->names_converted, 1);
    EXPECT_EQ(judge(zip_of(unicode_path(gb, "目录/文件.c")).done(), rules).manifest->names_converted, 0);
    EXPECT_EQ(judge(ZipBuilder{}.file("top").file("目录/文件.c").done(), rules).manifest->names_converted, 0);  // marked as UTF-8
    expect_refused(ZipBuilder{zip_of(unicode_path(gb, "../x"))}.done(), Refusal::unsafe, "name_upward", rules);
    ZipBuilder differ = zip_of(unicode_path(gb, "目录/文件.c"));
    differ.entries[1].local.extra.clear();
    expect_refused(differ.done(), Refusal::damaged, "headers_differ", rules);
    ZipBuilder wrong = ZipBuilder{}.file("\xff\xff");
    wrong.entries[0].local.flags = wrong.entries[0].central.flags = 0;
    expect_refused(wrong.done(), Refusal::unsafe, "name_encoding 'GB18030'", rules);
}

TEST(Zip, RefusesOtherTypes) {
    for (const std::uint32_t mode : {010000u, 020000u, 060000u, 0140000u}) expect_refused(ZipBuilder{}.file("x", "", mode).done(), Refusal::format, "device, entry 'x'");
    expect_refused(ZipBuilder{}.file("x", "", 0150000).done(), Refusal::format, "member_type '150000'");
    expect_refused(ZipBuilder{}.file("d/", "content", 040755).done(), Refusal::format, "content_unexpected");
    expect_refused(ZipBuilder{}.file("d", "", 040755).done(), Refusal::damaged, "header_broken 'zip'");
    expect_refused(ZipBuilder{}.file("d/", "", 0100644).done(), Refusal::damaged, "header_broken 'zip'");
    expect_refused(ZipBuilder{}.link("d/", "x").done(), Refusal::damaged, "header_broken 'zip'");
}

TEST(Zip, CountsWhileItStreams) {
    UploadRules rules;
    rules.unpacked_max = 10'000;
    rules.entries_max = 3;
    EXPECT_TRUE(judge(ZipBuilder{}.file("a", std::string(5000, 'a')).file("b", std::string(5000, 'b')).done(), rules).manifest);
    expect_refused(ZipBuilder{}.file("a", std::string(5000, 'a')).file("b", std::string(5001, 'b')).done(), Refusal::unpacks_too_large, "unpacked", rules);
    expect_refused(ZipBuilder{}.file("a").file("b").file("c").file("d").done(), Refusal::too_many_entries, "entries '3'", rules);
    // What is announced is too much: nothing of it is unpacked. What is not announced is never handed on.
    const std::string zeros(64u << 20, '\0');
    ZipBuilder bomb;
    bomb.add("zeros", zeros).local.size = 200u << 20;
    bomb.entries[0].central.size = 200u << 20;
    const auto from = std::chrono::steady_clock::now();
    expect_refused(bomb.done(), Refusal::unpacks_too_large, "unpacked '128 MiB'");
    bomb.entries[0].local.size = bomb.entries[0].central.size = 10;
    expect_refused(bomb.done(), Refusal::damaged, "checksum_wrong 'zip'");
    EXPECT_LT(std::chrono::steady_clock::now() - from, std::chrono::seconds{5} * testing::patience());
    ZipBuilder names;
    for (int i = 0; i < 9000; ++i) names.add(fmt::format("{:04}/{}", i, std::string(1000, 'n')), "", 0, 0);
    expect_refused(names.done(), Refusal::too_many_entries, "names_too_large");
}

// What the usual tools write, and only they can say what that is.
TEST(Zip, ReadsWhatTheUsualToolsWrite) {
    namespace fs = std::filesystem;
    std::string name = (fs::temp_directory_path() / "assay-zip-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const fs::path root = name;
    // A packer that fails must not be hidden by what it writes into.
    const auto shell = [&](const std::string& command) { return std::system(fmt::format("bash -o pipefail -s <<'END'\ncd '{}' && {{ {}; }} >log 2>&1\nEND", root.string(), command).c_str()); };
    ASSERT_EQ(shell("mkdir -p w/src && printf 'all:\\n' >w/Makefile && printf '%9000s' text >w/src/a.c && printf x >w/run && chmod +x w/run && ln -s src/a.c w/l"), 0);
    const std::string python = "python3 -c 'import sys, zipfile\nz = zipfile.ZipFile({}, \"w\", zipfile.{})\nfor n in \"w/Makefile\", \"w/src/a.c\", \"w/run\", \"w/src\": z.write(n)\nz.writestr(\"w/目录\", \"深\")\nz.close()' {}";
    int tried = 0;
    for (const std::string& command : {fmt::format(fmt::runtime(python), "sys.argv[1]", "ZIP_DEFLATED", "made.zip"), fmt::format(fmt::runtime(python), "sys.argv[1]", "ZIP_STORED", "made.zip"),
                                       fmt::format(fmt::runtime(python), "sys.stdout.buffer", "ZIP_DEFLATED", "| cat >made.zip"), std::string{"zip -r made.zip w"},
                                       std::string{"zip -ry made.zip w"}, std::string{"zip -ry - w | cat >made.zip"}, std::string{"7z a made.zip w"},
                                       std::string{"bsdtar --format zip -cf made.zip w"}, std::string{"bsdtar --format zip -c w | cat >made.zip"}}) {
        if (shell(fmt::format("command -v {} && rm -f made.zip", command.substr(0, command.find(' ')))) != 0) continue;
        const int failed = shell(command);
        const std::string log = sys::read_file(root / "log", 1 << 20).value();
        if (log.contains("zip -0 not supported for I/O on pipes")) continue;  // A link into a pipe: Debian mended it in 3.0-13+deb12u1.
        ASSERT_EQ(failed, 0) << command << ": " << log;
        const Verdict verdict = judge(sys::read_file(root / "made.zip", 1 << 20).value());
        ASSERT_TRUE(verdict.manifest) << command << ": " << said(verdict);
        EXPECT_EQ(verdict.manifest->stripped, "w") << command;
        const auto& listing = verdict.manifest->listing;
        const auto run = std::ranges::find(listing, "run", &Entry::path);
        ASSERT_NE(run, listing.end()) << command;
        EXPECT_TRUE(run->executable) << command;
        EXPECT_EQ(std::ranges::find(listing, "src/a.c", &Entry::path)->size, 9000) << command;
        ++tried;
    }
    EXPECT_GE(tried, 3);
    fs::remove_all(root);
}

}  // namespace
}  // namespace assay::archive
