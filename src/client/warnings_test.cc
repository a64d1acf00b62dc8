#include "client/warnings.hh"

#include <gtest/gtest.h>

#include "client/ignore.hh"

namespace assay::client {
namespace {

std::string told(const std::vector<std::pair<std::string, std::string>>& files,
                 std::vector<std::string> required = {}) {
    Watch watch{std::move(required)};
    std::vector<archive::Entry> entries;
    for (const auto& [path, content] : files)
        watch.see(entries.emplace_back(archive::Entry{.path = path, .size = std::ssize(content)}), content, path == "meant.o");
    std::string text;
    for (const Warning& it : watch.warnings(entries)) {
        text += std::string{to_string(it.kind)} + " " + it.path + " " + std::to_string(it.count) + "x" +
                std::to_string(it.size) + " " + it.rule + "\n";
    }
    return text;
}

TEST(Warnings, LineEndsMatterWhereAProgramReadsThem) {
    EXPECT_EQ(told({{"run", "#!/bin/sh\r\n"},
                    {"a.txt", "x\r\n"},
                    {"src/Makefile", "all:\r\n"},
                    {"b.mk", "x\r\n"},
                    {"c.sh", "#!/bin/sh\n"}}),
              "crlf_script run 1x11 \ncrlf_makefile src/Makefile 1x6 \ncrlf_makefile b.mk 1x3 \n");
}

TEST(Warnings, BuildProductsAreNamedByTheLineThatLeavesThem) {
    const std::string elf =
        "\x7F"
        "ELF rest";
    std::string windows(0x44, '\0');
    windows.replace(0, 2, "MZ");
    windows[0x3C] = 0x40;
    windows.replace(0x40, 2, "PE");
    EXPECT_EQ(told({{"a.o", elf},
                    {"b/c.o", "xx"},
                    {"p/__pycache__/x/y.pyc", "1"},
                    {"calc", elf},
                    {"w.dat", windows},
                    {"MZ", "MZ is text"}}),
              "product w.dat 1x68 /w.dat\nproduct a.o 2x11 *.o\nproduct calc 1x9 /calc\nproduct p/__pycache__/x/y.pyc "
              "1x1 __pycache__/\n");
    EXPECT_EQ(told({{"calc", elf}, {"a.o", elf}}, {"calc", "*.o"}), "");  // what the module asks for
    EXPECT_EQ(told({{"meant.o", elf}}), "");
}

TEST(Warnings, NamesThatWindowsLacks) {
    EXPECT_EQ(told({{"src/aux.c", ""},
                    {"a:b", ""},
                    {"end.", ""},
                    {"COM1", ""},
                    {"com0", ""},
                    {"auxiliary", ""},
                    {"nul .txt", ""}}),
              "windows_name src/aux.c 1x0 \nwindows_name a:b 1x0 \nwindows_name end. 1x0 \nwindows_name COM1 1x0 "
              "\nwindows_name nul .txt 1x0 \n");
}

TEST(Warnings, TheRuleForAPathMeansItAlone) {
    for (const std::string path : {"a*b", "#x", "!y", "a\\", "[z]", "end ", "two  ", "src/a b"}) {
        Ignore ignore;
        ASSERT_TRUE(ignore.enter("", rule_for(path, false), ""));
        EXPECT_TRUE(ignore.ruling(path, false)) << path;
        EXPECT_FALSE(ignore.ruling("other/" + path, false)) << path;
    }
}

}  // namespace
}  // namespace assay::client
