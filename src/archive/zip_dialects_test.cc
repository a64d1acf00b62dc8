// Zips as packers write them that do more than the format's first edition: larger counts, names in two encodings, filled-up fields.
#include <gtest/gtest.h>

#include "archive/archive.hh"
#include "archive/verify.hh"
#include "archive/zip_builder.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

using model::Refusal;

Verdict judge(std::string_view bytes) {
    const sys::Fd file = sys::memory_file("zip", bytes_of(bytes), false).value();
    return verify(file, {}).value();
}
std::string said(const Verdict& verdict) { return verdict.refused ? sentence(*verdict.refused) : "accepted"; }

// The end of a zip as packers write it that count with eight bytes: the larger record, its locator, and an end record of all ones.
struct LargeEnd {
    std::string record, locator, end;

    std::string done(std::string_view before) const { return std::string{before} + record + locator + end; }
};
LargeEnd large_end(std::string_view sound, std::uint64_t count) {
    const std::size_t first = sound.find("PK\x01\x02"), at = sound.find("PK\x05\x06");
    const auto number = [](std::uint64_t value, std::size_t bytes) { return ZipBuilder::number(value, bytes); };
    return {.record = "PK\x06\x06" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) + number(count, 8) + number(count, 8) + number(at - first, 8) + number(first, 8),
            .locator = "PK\x06\x07" + number(0, 4) + number(at, 8) + number(1, 4),
            .end = "PK\x05\x06" + std::string(16, '\xff') + number(0, 2)};
}

TEST(ZipDialects, ReadsALargeDirectoryEnd) {
    const std::string sound = changed_zip([](ZipBuilder&) {});
    const std::string before = sound.substr(0, sound.find("PK\x05\x06")), small_end = sound.substr(before.size());
    EXPECT_EQ(said(judge(large_end(sound, 3).done(before))), "accepted");
    // Many write both, and in the end record what fits.
    LargeEnd both = large_end(sound, 3);
    both.end = small_end;
    EXPECT_EQ(judge(both.done(before)).manifest->entries, 3);
    both.end[10] ^= 1;
    EXPECT_TRUE(said(judge(both.done(before))).starts_with("damaged: header_broken \'zip\'"));

    const auto refused = [&](std::size_t at, std::string LargeEnd::* part) {
        LargeEnd wrong = large_end(sound, 3);
        (wrong.*part)[at] ^= 1;
        const Verdict verdict = judge(wrong.done(before));
        EXPECT_TRUE(verdict.refused && verdict.refused->code() == Refusal::damaged) << at << ": " << said(verdict);
    };
    for (std::size_t at = 0; at < 56; ++at) {
        if (at < 12 || at >= 16) refused(at, &LargeEnd::record);  // between them: versions
    }
    for (std::size_t at = 0; at < 16; ++at) refused(at, &LargeEnd::locator);
    LargeEnd none = large_end(sound, 3);
    none.locator.clear();
    EXPECT_TRUE(said(judge(none.done(before))).starts_with("damaged: header_broken \'zip\'"));
    none.record.clear();
    EXPECT_TRUE(said(judge(none.done(before))).starts_with("damaged: header_broken \'zip\'"));
    EXPECT_TRUE(said(judge(none.end)).starts_with("damaged: header_broken \'zip\'"));

    const Verdict many = judge(large_end(sound, 65'535).done(before));
    ASSERT_TRUE(many.refused);
    EXPECT_EQ(many.refused->fault, ArchiveFault::zip_large);
    EXPECT_EQ(many.refused->limit, 65'534);
    EXPECT_EQ(many.refused->value, 65'535);
}

// Streaming packers do not know sizes yet where they write the first header, and some fill them with ones.
TEST(ZipDialects, ReadsSizesThatAreNotKnownYet) {
    ZipBuilder zip = ZipBuilder{}.described("a", "abc");
    zip.entries[0].local.size = zip.entries[0].local.compressed = 0xFFFF'FFFF;
    EXPECT_EQ(said(judge(zip.done())), "accepted");
}

// A disk's number that stands in the larger field, as all else of its record does.
TEST(ZipDialects, ReadsADiskNumberInTheLargeField) {
    for (const unsigned disk : {0u, 1u}) {
        const std::string zip = changed_zip([&](ZipBuilder& it) {
            it.entries[1].central.extra = ZipBuilder::number(1, 2) + ZipBuilder::number(4, 2) + ZipBuilder::number(disk, 4);
            it.entries[1].disk = 0xFFFF;
        });
        EXPECT_EQ(said(judge(zip)).starts_with("damaged: header_broken"), disk != 0) << said(judge(zip));
    }
    EXPECT_TRUE(said(judge(changed_zip([](ZipBuilder& it) {
                    it.entries[1].disk = 0xFFFF;
                }))).starts_with("damaged: header_broken"));
}

// Packers that align content fill the extra field up with fewer bytes than a field has.
TEST(ZipDialects, ReadsExtraFieldsThatAreFilledUp) {
    for (const std::size_t count : {1u, 2u, 3u}) {
        EXPECT_TRUE(judge(changed_zip([&](ZipBuilder& zip) {
                        zip.entries[1].local.extra = std::string(count, '\0');
                    })).manifest);
    }
    EXPECT_TRUE(said(judge(changed_zip([](ZipBuilder& zip) {
                    zip.entries[1].local.extra = std::string("\0\0\x01\0", 4);
                }))).starts_with("damaged: header_broken \'zip\'"));
}

// A name that a packer could not write in its own encoding stands in UTF-8 beside what it wrote instead.
TEST(ZipDialects, TakesTheUnicodeNameBesideAReplacement) {
    const auto named = [](unsigned flags) {
        return changed_zip([&](ZipBuilder& zip) {
            for (ZipBuilder::Header* const header : {&zip.entries[1].local, &zip.entries[1].central}) {
                header->extra = unicode_path("b", "作业");
                header->flags = flags;
            }
        });
    };
    const Verdict verdict = judge(named(0));
    ASSERT_TRUE(verdict.manifest) << said(verdict);
    EXPECT_EQ(verdict.manifest->listing.at(2).path, "作业");
    EXPECT_TRUE(said(judge(named(0x800))).starts_with("damaged: header_broken \'zip\'"));  // Two names in one encoding.
}

// What stands where a Unix mode would is none when the packer says that it ran elsewhere.
TEST(ZipDialects, TakesModesOnlyFromUnix) {
    std::string zip = ZipBuilder{}.file("run", "x", 0100755).link("link", "run").done();
    EXPECT_TRUE(judge(zip).manifest->listing.at(1).executable);
    for (std::size_t at = zip.find("PK\x01\x02"); at != zip.npos; at = zip.find("PK\x01\x02", at + 1)) zip[at + 5] = 0;
    const Verdict verdict = judge(zip);
    ASSERT_TRUE(verdict.manifest) << said(verdict);
    EXPECT_FALSE(verdict.manifest->listing.at(1).executable);
    EXPECT_EQ(verdict.manifest->listing.at(0).kind, Entry::Kind::regular);
}

}  // namespace
}  // namespace assay::archive
