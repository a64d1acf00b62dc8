// Every refusal says what, which entry, where, which limit and how much there was, and what to do: one archive for each fault.
#include <set>

#include <gtest/gtest.h>

#include "archive/archive.hh"
#include "archive/tar_builder.hh"
#include "archive/zip_builder.hh"
#include "base/text.hh"
#include "sys/file.hh"
#include "wording/archive_faults.hh"

namespace assay::archive {
namespace {

using enum model::ArchiveFault;
using model::UploadRules;
using wording::Language;

// What a fault has to say beyond its own sentence. Where in the archive is told by all that are about a place in it.
enum Tells : unsigned { nothing_more = 0, which = 1, where = 2, how_much = 4 };

struct Case {
    ArchiveFault fault;
    std::string bytes;
    unsigned tells = nothing_more;
    UploadRules rules = {};
};

// A name that would move a terminal, were it shown as it is. Once the names are judged it is refused for that alone.
const std::string evil = "e\x1b[31m\xff";
const std::string evil_text = "e\x1b[31m";

TarBuilder behind() { return TarBuilder{}.file("first"); }  // so that nothing is at byte 0
std::string only(char type) { return behind().member(evil, type, "").done(); }
std::string named(std::string_view name) { return behind().pax("path", name).file("x").done(); }

template <class Change>
std::string zip_with(Change change, std::string_view name = evil_text) {
    ZipBuilder zip;
    zip.file("first", "x").file(name, std::string(300, 'b'));
    change(zip);
    return zip.done();
}
template <class Change>
std::string zip_both(Change change, std::string_view name = evil_text) {
    const auto both = [&](ZipBuilder& zip) {
        change(zip.entries[1].local);
        change(zip.entries[1].central);
    };
    return zip_with(both, name);
}

std::string long_names() {
    std::string wide;
    for (const char c : {'a', 'b', 'c'}) wide += std::string(240, c) + "/";
    TarBuilder tar;
    for (int i = 0; i < 12'000; ++i) tar.pax("path", wide + std::to_string(i)).file("x", "");
    return tar.done();
}

std::string empty_streams() {
    std::string many = gzip(TarBuilder{}.file("a").done());
    const std::string empty = gzip("");
    for (int i = 0; i < 70'000; ++i) many += empty;
    return many;
}

std::string many_in_directory() {
    std::string zip = ZipBuilder{}.file("a").done();
    const std::size_t at = zip.find("PK\x05\x06"), first = zip.find("PK\x01\x02");
    const auto number = [](std::uint64_t value, std::size_t bytes) { return ZipBuilder::number(value, bytes); };
    const std::string large = "PK\x06\x06" + number(44, 8) + number(0, 12) + number(70'000, 8) + number(70'000, 8) + number(at - first, 8) + number(first, 8);
    return zip.substr(0, at) + large + "PK\x06\x07" + number(0, 4) + number(at, 8) + number(1, 4) + "PK\x05\x06" + std::string(16, '\xff') + number(0, 2);
}

std::string noise(int size) {
    std::string bytes;
    unsigned state = 1;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

std::string grows_later() {
    return gzip(TarBuilder{}.file("noise", noise(3 << 19)).raw(TarBuilder::header("n", '0', 260u << 20)).bytes + std::string(260u << 20, '\0'), 1);
}

template <class Set>
UploadRules rules(Set set) {
    UploadRules made;
    set(made);
    return made;
}

std::vector<Case> cases() {
    const std::string sound = TarBuilder{}.file("first").file("second").done();
    const std::string skippable{"\x50\x2A\x4D\x18\x04\0\0\0skip", 12};
    std::string lines;
    for (int i = 0; i < 20; ++i) lines += "\x80\r\n";
    const UploadRules large = rules([](UploadRules& r) { r.unpacked_max = 1LL << 32; });
    return {
        {no_bytes, ""},
        {only_zeros, std::string(10240, '\0')},
        {nothing_left, TarBuilder{}.dir("./").done()},
        {read_as_text, "\x1F\xEF\xBF\xBD\x08"},
        {html_page, "<!DOCTYPE html><p>"},
        {plain_text, "int main(void) { return 0; }\n"},
        {unknown_format, "\x7F" "ELF\x02\x01"},
        {no_tar, gzip(std::string(600, 't'))},
        {format_not_taken, gzip(sound), nothing_more, rules([](UploadRules& r) { r.formats = {"zip"}; })},
        {sparse, only('S'), which | where},
        {sparse, behind().pax("GNU.sparse.major", "1").file(evil).done(), which | where},
        {device, only('3'), which | where},
        {member_type, only('V'), which | where},
        {content_unexpected, behind().member(evil, '5', "content").done(), which | where},
        {global_header, behind().pax("path", "x", 'g').file("y").done(), where},
        {encrypted, zip_both([](auto& h) { h.flags = 1; }), which | where},
        {method, zip_both([](auto& h) { h.method = 12; }), which | where},
        {zip_large, many_in_directory(), where | how_much},
        {link_not_taken, behind().link("l", "first").done(), which | where, rules([](UploadRules& r) { r.symlinks = model::Symlinks::refuse; })},
        {no_checksum, zstd(sound, false)},
        {skippable_frame, zstd(sound) + skippable, where},
        {window_too_large, xz(sound, LZMA_CHECK_CRC64, 9), how_much},
        {data_cut, behind().raw(TarBuilder::header("n", '0', 5000)).bytes + "cut", which | where},
        {data_cut, gzip(behind().file("n", noise(4000)).done()).substr(0, 2000), which | where},
        {end_missing, behind().bytes, where},
        {checksum_wrong, zip_both([](auto& h) { h.checksum ^= 1; }, "n"), which | where},
        {data_broken, zip_with([](ZipBuilder& zip) { zip.entries[1].data.assign(zip.entries[1].data.size(), '\xff'); }, "n"), which | where},
        {header_broken, behind().raw(TarBuilder::checksummed(TarBuilder::header(evil, '0', 1).replace(124, 11, "not octal!!"))).done(), which | where},
        {trailing, sound + "x", where},
        {headers_differ, zip_with([](ZipBuilder& zip) { zip.entries[1].local.size += 1; }), which | where},
        {text_mode, "\x1F\x8B\x08" + lines},
        {headers_too_large, behind().member("pax", 'x', std::string(2u << 20, 'x')).done(), where | how_much},
        {empty_members, empty_streams(), where | how_much},
        {entries_overlap, zip_with([](ZipBuilder& zip) { zip.entries[1].before = "gap"; }), where},
        {name_empty, behind().pax("path", "x").link(".", "x").link(".", "x").done(), which | where},
        {name_too_long, named(std::string(300, 'n')), which | where | how_much},
        {name_too_deep, named([] {
             std::string deep = "d";
             for (int i = 0; i < 70; ++i) deep += "/d";
             return deep;
         }()), which | where | how_much},
        {name_absolute, named("/etc/passwd"), which | where},
        {name_upward, named("a/../b"), which | where},
        {name_encoding, named("\xff\xfe"), which | where},
        {name_unmarked, zip_both([](auto& h) { h.name = "\xd7\xf7"; }), which | where},
        {name_invisible, named("a\x1b[2J"), which | where},
        {name_backslash, named("a\\b"), which | where},
        {hard_link, behind().hardlink("h", evil).done(), which | where},
        {twice, behind().file("first").done(), which | where},
        {names_meet, behind().file("FIRST").done(), which | where},
        {below_no_folder, behind().file("first/x").done(), which | where},
        {link_target, behind().link("l", "a\x1b[2J").done(), which | where},
        {link_absolute, behind().link("l", "/etc/passwd").done(), which | where},
        {link_upward, behind().link("l", "a/../../b").done(), which | where},
        {link_outside, behind().link("l", "../x").done(), which | where},
        {entries, behind().file("second").done(), which | where | how_much, rules([](UploadRules& r) { r.entries_max = 1; })},
        {names_too_large, long_names(), which | where | how_much},
        {unpacked, behind().member(evil, '0', std::string(5000, 'c')).done(), which | where | how_much, rules([](UploadRules& r) { r.unpacked_max = 4096; })},
        {file_too_large, behind().raw(TarBuilder::header(evil, '0', 2u << 30)).bytes, which | where | how_much, large},
        {grows_too_fast, grows_later(), which | where | how_much, large},
        {padding, gzip(sound + std::string(17u << 20, '\0')), where | how_much},
        {required, sound, nothing_more, rules([](UploadRules& r) { r.required = {"Makefile"}; })},
        {required_below, TarBuilder{}.file("work/a").done(), nothing_more, rules([](UploadRules& r) { r.required = {"Makefile"}; })},
    };
}

// Of a confined reader that met its bound, or of a format that a later version reads.
constexpr ArchiveFault told_elsewhere[] = {reading_memory, reading_time, reading_crashed, format_unread};

Refused refused(const Case& it) {
    const sys::Fd file = sys::memory_file("archive", bytes_of(it.bytes), false).value();
    auto verdict = verify(file, it.rules);
    if (!verdict || !verdict->refused) return {.fault = reading_crashed, .entry = verdict ? "accepted" : verdict.error().text()};
    return *verdict->refused;
}

bool harmless(std::string_view text) {
    return valid_utf8(text) && text.find_first_of("\x1b\n\r\t") == std::string_view::npos;
}

TEST(Refusals, SayAllThereIsToSay) {
    std::set<ArchiveFault> covered(std::begin(told_elsewhere), std::end(told_elsewhere));
    for (const Case& it : cases()) {
        SCOPED_TRACE(model::to_string(it.fault));
        const Refused why = refused(it);
        EXPECT_EQ(model::to_string(why.fault), model::to_string(it.fault)) << why.entry;
        if (why.fault != it.fault) continue;
        covered.insert(it.fault);
        EXPECT_EQ(!why.entry.empty(), (it.tells & which) != 0) << why.entry;
        EXPECT_TRUE(harmless(why.entry)) << why.entry;
        if ((it.tells & where) != 0) EXPECT_GT(why.offset, 0);
        EXPECT_EQ(why.limit.has_value() && why.value.has_value(), (it.tells & how_much) != 0);
        if (why.limit && why.value) EXPECT_GT(*why.value, *why.limit);
        for (const Language language : {Language::english, Language::chinese}) {
            const std::string said = wording::sentence(language, why.fault, why.arguments, {why.entry, why.limit, why.value, why.offset});
            EXPECT_TRUE(harmless(said)) << said;
            for (const std::string& argument : why.arguments) EXPECT_TRUE(said.contains(argument)) << said;
            EXPECT_TRUE(said.contains(why.entry)) << said;
            if (why.limit) EXPECT_TRUE(said.contains(std::to_string(*why.limit)) && said.contains(std::to_string(*why.value))) << said;
            if (why.offset > 0) EXPECT_TRUE(said.contains(std::to_string(why.offset))) << said;
        }
    }
    for (const ArchiveFault fault : model::all<ArchiveFault>()) EXPECT_TRUE(covered.contains(fault)) << model::to_string(fault) << " has no archive here";
}

// What is wrong is always more than that something is, and what to do is never left out.
TEST(Refusals, SayWhatToDo) {
    for (const ArchiveFault fault : model::all<ArchiveFault>()) {
        const std::vector<std::string> arguments(model::argument_count(fault), "x");
        for (const Language language : {Language::english, Language::chinese}) {
            const std::string said = wording::sentence(language, fault, arguments), next = wording::next_step(language, model::refusal_of(fault));
            for (const std::string_view bare : {"invalid", "invalid.", "无效", "非法", "不合法"}) EXPECT_FALSE(said.ends_with(bare)) << said;
            EXPECT_GT(next.size(), 10u) << model::to_string(fault);
            EXPECT_NE(wording::meaning(language, model::refusal_of(fault)), next);
        }
    }
}

}  // namespace
}  // namespace assay::archive
