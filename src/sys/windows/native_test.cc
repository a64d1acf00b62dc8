#include "sys/windows/native.hh"

#include <gtest/gtest.h>

namespace assay::sys {
namespace {

// No length is too long, and no name means another file, whatever form a path comes in.
TEST(Native, PathsBecomeExtendedOnes) {
    constexpr std::wstring_view here = L"C:\\work\\it";
    const struct {
        std::wstring_view path, extended;
    } rows[] = {
        {L"a/b", L"\\\\?\\C:\\work\\it\\a\\b"},
        {L"a\\b", L"\\\\?\\C:\\work\\it\\a\\b"},
        {L".", L"\\\\?\\C:\\work\\it"},
        {L"./a/./b//c/", L"\\\\?\\C:\\work\\it\\a\\b\\c"},
        {L"../a", L"\\\\?\\C:\\work\\a"},
        {L"../../../../a", L"\\\\?\\C:\\a"},
        {L"/a", L"\\\\?\\C:\\a"},
        {L"/", L"\\\\?\\C:\\"},
        {L"D:/a/../b", L"\\\\?\\D:\\b"},
        {L"D:\\", L"\\\\?\\D:\\"},
        {L"aux.c", L"\\\\?\\C:\\work\\it\\aux.c"},
        {L"a. ", L"\\\\?\\C:\\work\\it\\a. "},
        {L"\\\\server\\share\\a\\b", L"\\\\?\\UNC\\server\\share\\a\\b"},
        {L"//server/share/a/../b", L"\\\\?\\UNC\\server\\share\\b"},
        {L"\\\\?\\C:\\a", L"\\\\?\\C:\\a"},
        {L"学生/作业", L"\\\\?\\C:\\work\\it\\学生\\作业"},
    };
    for (const auto& [path, extended] : rows) EXPECT_EQ(extended_path(here, path), extended);
    EXPECT_EQ(extended_path(L"\\\\server\\share\\x", L"a"), L"\\\\?\\UNC\\server\\share\\x\\a");
    EXPECT_EQ(extended_path(L"\\\\server\\share\\x", L"\\a"), L"\\\\?\\UNC\\server\\share\\a");
    EXPECT_EQ(extended_path(L"\\\\?\\C:\\work", L"a"), L"\\\\?\\C:\\work\\a");
}

TEST(Native, ForbiddenNamesAreTold) {
    for (const char* const name : {"a", "a.b", "con1", "auxiliary", "com", "com10", "学生", ".a", "a b"}) EXPECT_EQ(why_forbidden(name), nullptr) << name;
    for (const char* const name : {"con", "NUL", "aux.c", "Com1.txt", "lpt9", "a:b", "a?", "a ", "a.", "a\\b", "a\x01", "nul .txt"})
        EXPECT_NE(why_forbidden(name), nullptr) << name;
}

TEST(Native, WhatIsNoTextIsAnError) {
    EXPECT_EQ(wide("\xff").error().fault(), Fault::invalid);
    const std::wstring half{L'a', wchar_t{0xD800}};
    EXPECT_EQ(narrow(half).error().fault(), Fault::invalid);
    EXPECT_EQ(*narrow(*wide("学生 🎓")), "学生 🎓");
    EXPECT_EQ(native_path("a:b").error().fault(), Fault::invalid);
    EXPECT_EQ(native_path("C:a").error().fault(), Fault::invalid);
    EXPECT_EQ(native_path("\xff").error().fault(), Fault::invalid);
}

}  // namespace
}  // namespace assay::sys
