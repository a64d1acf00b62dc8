#include "base/text.hh"

#include <gtest/gtest.h>

#include <array>

namespace assay {

TEST(Text, Base64GoesBothWaysAndRefusesSloppyForms) {
    for (const std::string_view raw : {"", "f", "fo", "foo", "foob", "\xff\x00\x80"}) {
        EXPECT_EQ(from_base64(to_base64(bytes_of(raw))).value(), raw);
    }
    EXPECT_EQ(to_base64(bytes_of("foob")), "Zm9vYg==");
    for (const std::string_view bad : {"Zg", "Zg=", "Z===", "Zm9v\n", "Zh==", "=Zg="}) EXPECT_FALSE(from_base64(bad)) << bad;
}

// Overlong forms, surrogates and truncated sequences have been used to smuggle names past checks.
TEST(Text, Utf8IsStrict) {
    for (const std::string_view good : {"", "abc", "中文", "\xF0\x9F\x98\x80", "\xED\x9F\xBF"}) EXPECT_TRUE(valid_utf8(good)) << good;
    for (const std::string_view bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\x80", "\xFF"}) EXPECT_FALSE(valid_utf8(bad));
    EXPECT_EQ(replace_invalid_utf8("a\xE4\xB8z"), "a\xEF\xBF\xBDz");
}

TEST(Text, EscapedNeverMovesACursor) {
    EXPECT_EQ(escaped("a\x1b[2Jb\r\n"), "a\\x1b[2Jb\\x0d\\n");
    EXPECT_EQ(escaped("x\xE2\x80\xAEy"), "x\\u{202e}y");
    EXPECT_EQ(escaped("\xff"), "\\xff");
}

TEST(Text, SizesAndDurationsReadAlikeEverywhere) {
    EXPECT_EQ(parse_size("12MiB").value(), 12 * 1024 * 1024);
    EXPECT_EQ(parse_size("12 MiB").value(), 12 * 1024 * 1024);
    EXPECT_EQ(parse_size("512").value(), 512);
    EXPECT_EQ(parse_duration_ms("60 s").value(), 60'000);
    EXPECT_EQ(parse_duration_ms("200ms").value(), 200);
    EXPECT_EQ(parse_duration_ms("0.5s").value(), 500);
    EXPECT_EQ(parse_duration_ms(".25 s").value(), 250);
    EXPECT_EQ(parse_duration_ms("1. min").value(), 60'000);
    EXPECT_EQ(parse_duration_ms("0.0625 s").value(), 63);  // To the nearest.
    EXPECT_EQ(parse_size("0.1 KiB").value(), 102);
    EXPECT_EQ(parse_size("1.10 GiB").value(), 1181116006);
    EXPECT_EQ(parse_size("000000000000000000000012").value(), 12);
    for (const std::string_view bad :
         {"", "-1", "12 mib", "x", "1e3 s", "inf", "nan", "99999999TiB", ".", ". MiB", "1.2.3", "1,5 MiB", "+1"})
        EXPECT_FALSE(parse_size(bad)) << bad;
    EXPECT_FALSE(parse_size(std::string(400, '9')));
    EXPECT_FALSE(parse_size("0." + std::string(400, '1')));  // More digits than a number of the machine's has room for.
    for (const std::string_view bad : {"", "5", "-1s", "5 sec", "99999d"}) EXPECT_FALSE(parse_duration_ms(bad)) << bad;
}

TEST(Text, DurationsNameNoUnitOfWhichThereIsNone) {
    const std::pair<double, const char*> rows[] = {{0, "0 ms"},          {140, "140 ms"},         {3200, "3.2 s"},         {60'000, "1 min"},
                                                   {125'000, "2 min 5 s"}, {300'000, "5 min"},      {3'600'000, "1 h"},      {3'659'000, "1 h"},
                                                   {9'000'000, "2 h 30 min"}};
    for (const auto& [milliseconds, text] : rows) EXPECT_EQ(duration_text(milliseconds), text);
}

TEST(Text, NearestOffersOnlyWhatIsNear) {
    constexpr std::array<std::string_view, 3> words{"serve", "submit", "status"};
    EXPECT_EQ(nearest("sreve", words), "serve");
    EXPECT_EQ(nearest("subbmit", words), "submit");
    EXPECT_FALSE(nearest("frobnicate", words));
}

}  // namespace assay
