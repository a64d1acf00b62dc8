#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/ranges.h>

#include "archive/archive.hh"
#include "archive/tar_builder.hh"
#include "archive/verify.hh"
#include "archive/zip_builder.hh"
#include "sys/file.hh"

namespace assay::archive {
namespace {

namespace fs = std::filesystem;

// An empty directory that is the current one for as long as the object lives.
class Here {
public:
    Here() : before_{fs::current_path()} {
        std::string name = (fs::temp_directory_path() / "assay-archive-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        fs::create_directory(root_ / "in");
        fs::current_path(root_ / "in");
    }
    ~Here() {
        fs::current_path(before_);
        fs::remove_all(root_);
    }
    const fs::path& root() const { return root_; }

    // "dir d", "file f x content", "link l -> t", sorted by path.
    std::string listing() const {
        std::vector<std::string> lines;
        for (const auto& entry : fs::recursive_directory_iterator(root_ / "in")) {
            const std::string path = entry.path().lexically_relative(root_ / "in").string();
            if (entry.is_symlink()) {
                lines.push_back(fmt::format("{} -> {}", path, fs::read_symlink(entry.path()).string()));
            } else if (entry.is_directory()) {
                lines.push_back(path + "/");
            } else {
                std::ostringstream content;
                content << std::ifstream{entry.path()}.rdbuf();
                const bool executable = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
                lines.push_back(fmt::format("{}{}={}", path, executable ? "*" : "", content.str()));
            }
        }
        std::ranges::sort(lines);
        return fmt::format("{}", fmt::join(lines, " "));
    }

private:
    fs::path before_;
    fs::path root_;
};

sys::Fd memory(std::string_view bytes) { return sys::memory_file("archive", bytes_of(bytes), true).value(); }

Result<> unpack(std::string_view bytes, std::string_view argument = "") { return unpack_here(memory(bytes), argument); }

TEST(Unpack, WritesWhatVerifyLists) {
    const std::string tar = TarBuilder{}
                                .dir("w")
                                .file("w/run", "abc", 06755)
                                .file("w/.DS_Store")
                                .dir("w/d")
                                .file("w/d/目录", "深")
                                .link("w/l", "d/目录")
                                .hardlink("w/h", "w/run")
                                .file("w/e/f/g", "")
                                .done();
    for (const std::string& bytes : {tar, gzip(tar), bzip2(tar), xz(tar), zstd(tar)}) {
        const Here here;
        const auto done = unpack(bytes);
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_EQ(here.listing(), "d/ d/目录=深 e/ e/f/ e/f/g= h*=abc l -> d/目录 run*=abc");
        EXPECT_EQ(fs::status("run").permissions(), static_cast<fs::perms>(0755));
        EXPECT_EQ(fs::status("d/目录").permissions(), static_cast<fs::perms>(0644));
        EXPECT_EQ(fs::status("e/f").permissions(), static_cast<fs::perms>(0755));
    }
}

TEST(Unpack, WritesAZipAlike) {
    const std::string bytes = ZipBuilder{}
                                  .file("w/run", "abc", 0106755)
                                  .file("w/.DS_Store")
                                  .dir("w/d/")
                                  .described("w/d/目录", "深")
                                  .link("w/l", "d/目录")
                                  .file("w/e/f/g", "")
                                  .done();
    const Here here;
    const auto done = unpack(bytes);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(here.listing(), "d/ d/目录=深 e/ e/f/ e/f/g= l -> d/目录 run*=abc");
    EXPECT_EQ(fs::status("run").permissions(), static_cast<fs::perms>(0755));
    const auto files = read_tar(bytes_of(ZipBuilder{}.file("a", "1").dir("d/").file("d/b", "2").done()), 1 << 20).value();
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[1].content, "2");
}

TEST(Unpack, TakesOnlyWhatLiesBelowAPrefix) {
    const std::string tar = TarBuilder{}.file("grader/a", "1").file("grader/sub/b", "2").file("graderx", "3").file("samples/c", "4").done();
    const Here here;
    ASSERT_TRUE(unpack(tar, "grader/"));
    EXPECT_EQ(here.listing(), "a=1 sub/ sub/b=2");
    EXPECT_TRUE(unpack(pack_tar({}).value(), "grader/"));  // A module may have no files at all.
}

// A module that ignores other names may strip another folder; the runner hands its list over.
TEST(Unpack, FollowsTheModulesIgnoreList) {
    const std::string tar = TarBuilder{}.file("w/a", "1").file("build/o", "2").file("w/.DS_Store", "3").done();
    model::UploadRules rules;
    EXPECT_EQ(fill_argument(rules), "");
    rules.ignore = {"build/"};
    const Here here;
    ASSERT_TRUE(unpack(tar, fill_argument(rules)));
    EXPECT_EQ(here.listing(), ".DS_Store=3 a=1");
}

// What verify lists is what the sandbox gets, in every encoding.
TEST(Unpack, FollowsTheModulesEncodingAndLinks) {
    const std::string gb_folder = "\xC4\xBF\xC2\xBC", gb_file = gb_folder + "/\xCE\xC4";
    const std::string tar = TarBuilder{}.file("top").file(gb_file, "1").link("l", gb_file).hardlink("h", gb_file).pax("path", "目录/深").file("x", "2").done();
    model::UploadRules rules;
    rules.names = model::NameEncoding::gb18030;
    const auto verdict = verify(memory(tar), rules);
    ASSERT_TRUE(verdict->manifest) << sentence(*verdict->refused);
    EXPECT_EQ(verdict->manifest->names_converted, 3);
    {
        const Here here;
        ASSERT_TRUE(unpack(tar, fill_argument(rules)));
        EXPECT_EQ(here.listing(), "h=1 l -> 目录/文 top=x 目录/ 目录/文=1 目录/深=2");
    }
    EXPECT_FALSE(unpack(tar));
    rules.symlinks = model::Symlinks::refuse;
    EXPECT_EQ(verify(memory(tar), rules)->refused->fault, ArchiveFault::link_not_taken);
    EXPECT_FALSE(unpack(tar, fill_argument(rules)));
    for (const char* bad : {"\n", "\nutf-8", "\nlatin1\ninside", "\nutf-8\nfollow"}) EXPECT_FALSE(unpack(tar, bad));
    rules.ignore = {"l"};  // What does not count may be what it likes.
    EXPECT_TRUE(verify(memory(tar), rules)->manifest);
}

TEST(Unpack, RefusesWhatVerifyRefusesAndWritesNothing) {
    for (const std::string& bad : {TarBuilder{}.file("ok").file("../x").done(), TarBuilder{}.file("ok").link("l", "/").file("l/x").done(),
                                   gzip(TarBuilder{}.file("ok").bytes), std::string{"text"}}) {
        const Here here;
        EXPECT_FALSE(unpack(bad));
        EXPECT_EQ(here.listing(), "");
        EXPECT_EQ(std::distance(fs::directory_iterator{here.root()}, {}), 1);
    }
}

// Even a directory that holds something hostile beforehand is never left.
TEST(Unpack, NeverFollowsALinkThatIsAlreadyThere) {
    const Here here;
    fs::create_directory(here.root() / "outside");
    fs::create_symlink("../outside", "d");
    EXPECT_FALSE(unpack(TarBuilder{}.file("d/x").file("y").done()));
    EXPECT_TRUE(fs::is_empty(here.root() / "outside"));
    fs::create_symlink("../outside/z", "y");
    EXPECT_FALSE(unpack(TarBuilder{}.file("y").file("q").done()));
    EXPECT_TRUE(fs::is_empty(here.root() / "outside"));
}

TEST(Unpack, ReadsWhatTarWrites) {
    for (const char* format : {"gnu", "pax", "ustar", "v7"}) {
        const Here here;
        const std::string make = fmt::format(
            "mkdir -p w/src && echo hi >w/src/a.c && ln -s src/a.c w/l && ln w/src/a.c w/h && printf 1 >w/x && chmod +x w/x && "
            "if [ {0} != v7 ]; then mkdir -p w/$(printf 'n%.0s' $(seq 90)) && echo long >w/$(printf 'n%.0s' $(seq 90))/$(printf 'm%.0s' $(seq 90)); fi && "
            "tar --format={0} -czf ../t.gz w && tar --format={0} -cf ../t.tar w && rm -r w", format);
        if (std::system(make.c_str()) != 0) GTEST_SKIP() << "no GNU tar on this machine";
        for (const char* name : {"../t.gz", "../t.tar"}) {
            const auto done = unpack_here(sys::open_read(name).value(), "");
            ASSERT_TRUE(done) << format << ": " << done.error().text();
            const std::string listing = here.listing();
            EXPECT_NE(listing.find("src/a.c=hi\n"), std::string::npos) << listing;
            EXPECT_NE(listing.find("x*=1"), std::string::npos) << listing;
            EXPECT_NE(listing.find("l -> src/a.c"), std::string::npos) << listing;
            EXPECT_NE(listing.find("h=hi\n"), std::string::npos) << listing;
            EXPECT_EQ(listing.find("=long") == std::string::npos, std::string_view{format} == "v7") << listing;
            ASSERT_EQ(std::system("rm -rf ./*"), 0);
        }
    }
}

TEST(Pack, GivesTheSameBytesForTheSameTreeAndComesBackWhole) {
    const std::string long_path = "d/" + std::string(200, 'n');
    std::vector<SourceFile> files{{"b", true, "run"}, {"目录/文", false, std::string("\0\xff", 2)}, {long_path, false, "long"}, {"a", false, ""}};
    const std::string tar = pack_tar(files).value();
    std::ranges::reverse(files);
    EXPECT_EQ(pack_tar(files).value(), tar);
    EXPECT_TRUE((*verify(memory(tar), {})).manifest);
    const auto back = read_tar(bytes_of(tar), 1 << 20).value();
    ASSERT_EQ(back.size(), 4u);
    EXPECT_EQ(back[0].path, "a");
    EXPECT_EQ(back[1].content, "run");
    EXPECT_TRUE(back[1].executable);
    EXPECT_EQ(back[2].path, long_path);
    EXPECT_EQ(back[3].content, std::string("\0\xff", 2));
    EXPECT_EQ(read_tar(bytes_of(tar), 5).error().fault(), Fault::too_large);
    EXPECT_EQ(read_tar(bytes_of(tar.substr(0, 700)), 1 << 20).error().fault(), Fault::invalid);
    for (const char* bad : {"../x", "/x", "", "a/./b"}) EXPECT_FALSE(pack_tar({{bad, false, ""}})) << bad;
    EXPECT_FALSE(pack_tar({{"a", false, ""}, {"A", false, ""}}));
    EXPECT_TRUE(read_tar(bytes_of(pack_tar({}).value()), 1 << 20).value().empty());
}

TEST(Answer, GoesBothWays) {
    const Result<Verdict> sound = verify(memory(TarBuilder{}.file("w/目", "1", 0755).link("w/l", "目").done()), {});
    const auto back = answer_from_json(answer_to_json(sound));
    ASSERT_TRUE(back) << back.error().text();
    ASSERT_TRUE(back->manifest);
    EXPECT_EQ(answer_to_json(back), answer_to_json(sound));
    EXPECT_EQ(back->manifest->stripped, "w");
    EXPECT_EQ(back->manifest->entries, 2);
    EXPECT_TRUE(back->manifest->listing.empty());  // It stays behind.

    const Result<Verdict> meeting = verify(memory(TarBuilder{}.file("a").file("A").done()), {});
    const auto refused = answer_from_json(answer_to_json(meeting));
    EXPECT_EQ(refused->refused->fault, ArchiveFault::names_meet);
    EXPECT_EQ(refused->refused->arguments, (std::vector<std::string>{"a", "A"}));
    EXPECT_EQ(sentence(*refused->refused), "unsafe: names_meet 'a' 'A', entry 'A', at byte 1024");
    EXPECT_EQ(answer_to_json(refused), answer_to_json(meeting));
    const auto error = answer_from_json(answer_to_json(Error{Fault::unsupported, "no filter"}));
    EXPECT_EQ(error.error().fault(), Fault::unsupported);
    for (const char* bad : {"", "{}", "[]", R"({"manifest":{"format":99}})", R"({"manifest":{"listing":[{"kind":7}]}})",
                            R"({"refused":{"fault":"no_such"}})", R"({"refused":{"fault":"twice"}})", R"({"refused":{"fault":"no_bytes","arguments":["x"]}})"}) EXPECT_FALSE(answer_from_json(bad)) << bad;
}

}  // namespace
}  // namespace assay::archive
