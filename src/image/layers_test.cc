// Layers onto a tree: what each leaves, and that nothing of it is ever anywhere else.
#include "image/layers.hh"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "archive/tar.hh"
#include "archive/tar_builder.hh"
#include "image/limits.hh"
#include "image/layout.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::image {
namespace {

using archive::TarBuilder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

class LayersTest : public ::testing::Test {
protected:
    LayersTest() {
        fs::create_directories(base_ / "tree");
        std::ofstream{base_ / "outside"} << "untouched";
        tree_ = sys::open_directory((base_ / "tree").string()).value();
        layers_.emplace(tree_, room_bytes_, [this](const Progress& progress) { last_ = progress; });
    }
    ~LayersTest() override {
        EXPECT_EQ(content("../outside"), "untouched");
        EXPECT_EQ(std::distance(fs::directory_iterator{base_}, {}), 2);
        fs::remove_all(base_);
    }

    // What was wrong; empty: nothing.
    std::string apply(const TarBuilder& tar, bool whiteouts = true) {
        const std::string bytes = tar.done();
        archive::Input input{bytes_of(bytes)};
        archive::TarReader reader{archive::plain_source(input), archive::TarKind::layer};
        auto applied = layers_->apply(reader, whiteouts);
        return applied ? "" : applied.error().text();
    }
    std::string content(const std::string& path) {
        std::ifstream file{base_ / "tree" / path};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    std::vector<std::string> names(const std::string& folder = "") {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator{base_ / "tree" / folder}) all.push_back(entry.path().filename());
        std::ranges::sort(all);
        return all;
    }
    static constexpr std::int64_t room_bytes_ = 1 << 20;
    fs::path base_ = fs::temp_directory_path() / ("assay-layers-" + sys::random_text(12, "abcdef"));
    sys::Fd tree_;
    std::optional<Layers> layers_;
    Progress last_;
};

TEST_F(LayersTest, ALaterOneReplacesWhatItNames) {
    ASSERT_EQ(apply(TarBuilder{}.dir("a/").file("a/f", "old").link("l", "a").file("x", "x").hardlink("same", "x")), "");
    ASSERT_EQ(apply(TarBuilder{}.file("a/f", "new").file("./x", "y").dir("l/").file("/l/inside")), "");
    EXPECT_EQ(content("a/f"), "new");
    EXPECT_EQ(content("x"), "y");
    EXPECT_EQ(content("same"), "x");  // Another name of what it was, which nobody changed.
    EXPECT_THAT(names("l"), ElementsAre("inside"));
    EXPECT_THAT(names("a"), ElementsAre("f"));
    ASSERT_EQ(apply(TarBuilder{}.file("a", "a file now").link("l", "nowhere")), "");
    EXPECT_EQ(content("a"), "a file now");
    EXPECT_TRUE(fs::is_symlink(base_ / "tree/l"));
}

TEST_F(LayersTest, AWhiteoutTakesAwayWhatIsBelowItsLayerAlone) {
    ASSERT_EQ(apply(TarBuilder{}.file("a/one").file("a/two").file("a/deep/three").file("b")), "");
    ASSERT_EQ(apply(TarBuilder{}.file("a/new").file("a/.wh.one").file("a/deep/four").file("a/.wh.deep").file(".wh.b").file(".wh.never")), "");
    EXPECT_THAT(names(), ElementsAre("a"));
    EXPECT_THAT(names("a"), ElementsAre("deep", "new", "two"));
    EXPECT_THAT(names("a/deep"), ElementsAre("four"));
    // Wherever in the layer it stands.
    ASSERT_EQ(apply(TarBuilder{}.file("a/newer").file("a/.wh..wh..opq").file("a/newest").file("c/.wh..wh..opq").file(".wh..wh.plnk")), "");
    EXPECT_THAT(names("a"), ElementsAre("newer", "newest"));
    ASSERT_EQ(apply(TarBuilder{}.dir("a/").file("a/.wh..wh..opq")), "");
    EXPECT_THAT(names("a"), IsEmpty());
}

TEST_F(LayersTest, APlainTarHasNoWhiteouts) {
    ASSERT_EQ(apply(TarBuilder{}.file("a").file(".wh.a"), false), "");
    EXPECT_THAT(names(), ElementsAre(".wh.a", "a"));
}

TEST_F(LayersTest, NothingIsFoundThroughALink) {
    fs::create_directory(base_ / "tree/real");
    const std::string out = base_.string();
    for (const std::string& target : {std::string{".."}, out, std::string{"real"}, std::string{"/"}, std::string{"out"}}) {
        const auto refused = [&](const TarBuilder& next) {
            EXPECT_EQ(apply(TarBuilder{}.link("out", target)), "");
            EXPECT_THAT(apply(next), HasSubstr("leads through a link or a file")) << target;
        };
        refused(TarBuilder{}.file("out/f"));
        refused(TarBuilder{}.dir("out/d/"));
        refused(TarBuilder{}.link("out/l", "x"));
        refused(TarBuilder{}.hardlink("h", "out/outside"));
        refused(TarBuilder{}.file("f").hardlink("out/h", "f"));
        refused(TarBuilder{}.file("out/.wh.outside"));
        refused(TarBuilder{}.file("out/.wh..wh..opq"));
        refused(TarBuilder{}.member("out/dev", '3', ""));
    }
    EXPECT_THAT(names("real"), IsEmpty());
    ASSERT_EQ(apply(TarBuilder{}.file("file")), "");
    EXPECT_THAT(apply(TarBuilder{}.file("file/below")), HasSubstr("leads through a link or a file"));
}

// A hard link to a link is that link's other name, not a way to what it points at.
TEST_F(LayersTest, AHardLinkNeverFollows) {
    ASSERT_EQ(apply(TarBuilder{}.link("l", "../outside").hardlink("h", "l").file("h2/f").hardlink("self", "self")), "self: a hard link to what is not there: self");
    EXPECT_TRUE(fs::is_symlink(base_ / "tree/h"));
    EXPECT_THAT(apply(TarBuilder{}.dir("d/").hardlink("h", "d")), HasSubstr("a folder has one name"));
    EXPECT_THAT(apply(TarBuilder{}.hardlink("h", "../outside")), HasSubstr("climbs out"));
    EXPECT_THAT(apply(TarBuilder{}.hardlink("h", "/")), HasSubstr("a hard link to the root"));
    // Over a link it takes the link's place.
    ASSERT_EQ(apply(TarBuilder{}.file("f", "f").hardlink("l", "f")), "");
    EXPECT_EQ(content("l"), "f");
}

TEST_F(LayersTest, LeavesOutWhatARootOfOursDoesNotHave) {
    ASSERT_EQ(apply(TarBuilder{}
                        .member("su", '0', "x", "", 04755).member("sg", '5', "", "", 02750).member("sticky", '5', "", "", 01777)
                        .member("dev", '3', "").member("disk", '4', "").member("pipe", '6', "")
                        .pax("SCHILY.xattr.security.capability", "x").file("ping", "x", 0755)
                        .file("closed", "x", 0000).member("dark", '5', "", "", 0000)), "");
    EXPECT_THAT(names(), ElementsAre("closed", "dark", "ping", "sg", "sticky", "su"));
    const auto mode = [&](const char* name) { return static_cast<unsigned>(fs::status(base_ / "tree" / name).permissions()); };
    EXPECT_EQ(mode("su"), 0755U);
    EXPECT_EQ(mode("sg"), 0750U);
    EXPECT_EQ(mode("sticky"), 0777U);
    EXPECT_EQ(mode("closed"), 0400U);  // Or we could not read it to know it.
    EXPECT_EQ(mode("dark"), 0700U);
    const Left left = layers_->finish().value();
    EXPECT_EQ(left.devices, 3);
    EXPECT_EQ(left.set_ids, 2);
    EXPECT_EQ(left.attributes, 1);
}

TEST_F(LayersTest, MakesSureOfWhereASandboxMounts) {
    ASSERT_EQ(apply(TarBuilder{}.link("var", "..").link("etc/passwd", "/outside").dir("etc/hosts/").file("etc/hosts/x").file("etc/group", "kept")), "");
    const auto left = layers_->finish();
    ASSERT_TRUE(left) << left.error().text();
    EXPECT_THAT(left->replaced, ElementsAre("var", "etc/passwd", "etc/hosts"));
    for (const char* const folder : {"etc", "var", "var/tmp"}) EXPECT_TRUE(fs::is_directory(fs::symlink_status(base_ / "tree" / folder))) << folder;
    for (const char* const name : {"passwd", "group", "hosts", "nsswitch.conf", "hostname", "resolv.conf"}) {
        EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(base_ / "tree/etc" / name))) << name;
    }
    EXPECT_EQ(content("etc/group"), "kept");
}

TEST_F(LayersTest, EveryBoundHasAName) {
    EXPECT_THAT(apply(TarBuilder{}.file("big", std::string(room_bytes_ + 1, 'x'))), HasSubstr("more than 1 MiB, which is the room there is for it"));
    layers_.emplace(tree_, room_bytes_, [](const Progress&) {});
    std::string deep = "d";
    for (std::size_t i = 0; i < path_depth_max; ++i) deep += "/d";
    EXPECT_THAT(apply(TarBuilder{}.pax("path", deep).file("x")), HasSubstr("more than 100 folders deep"));
    EXPECT_THAT(apply(TarBuilder{}.pax("path", std::string(256, 'n')).file("x")), HasSubstr("a part of more than 255 bytes"));
    EXPECT_THAT(apply(TarBuilder{}.pax("linkpath", std::string(4001, 'n')).link("x", "y")), HasSubstr("a link to nothing, or to too long a name"));
    EXPECT_THAT(apply(TarBuilder{}.link("x", "")), HasSubstr("a link to nothing"));
    for (const char* const name : {"../x", "a/../../x", "..", "a/.."}) EXPECT_THAT(apply(TarBuilder{}.file(name)), HasSubstr("climbs out")) << name;
    EXPECT_THAT(apply(TarBuilder{}.file("./")), HasSubstr("no name for what is no folder"));
    EXPECT_EQ(apply(TarBuilder{}.dir("./")), "");
    for (const char* const name : {"a/.wh.", "a/.wh..", "a/.wh..."}) EXPECT_THAT(apply(TarBuilder{}.file(name)), HasSubstr("a whiteout of nothing")) << name;
    TarBuilder wide;
    for (int i = 0; i < 128; ++i) wide.file(fmt::format("f{}", i));
    ASSERT_EQ(apply(wide), "");
    EXPECT_THAT(layers_->finish().error().text(), HasSubstr("at its top; at most 128"));
}

// The same tree has the same name, however it was put together; anything a program could tell apart has another.
TEST_F(LayersTest, TheDigestIsOfWhatIsThere) {
    const auto digest = [&](std::vector<std::string> environment = {}) { return info_of_tree(tree_, std::move(environment)).value().digest; };
    ASSERT_EQ(apply(TarBuilder{}.file("b", "2").dir("d/").link("l", "b").file("a", "1")), "");
    const std::string first = digest();
    ASSERT_EQ(apply(TarBuilder{}.file("a", "x").file("extra")), "");
    const std::string other = digest();
    EXPECT_NE(other, first);
    ASSERT_EQ(apply(TarBuilder{}.file("a", "1").file(".wh.extra")), "");
    EXPECT_EQ(digest(), first);
    EXPECT_NE(digest({"A=1"}), first);
    EXPECT_NE(digest({"A=1"}), digest({"A=1", ""}));
    std::set<std::string> all{first};
    for (const TarBuilder& change : {TarBuilder{}.file("a", "1", 0755), TarBuilder{}.link("a", "1"), TarBuilder{}.dir("a/"), TarBuilder{}.member("d", '5', "", "", 0700)}) {
        ASSERT_EQ(apply(change), "");
        EXPECT_TRUE(all.insert(digest()).second);
    }
}

class LayoutTest : public LayersTest {
protected:
    Result<std::vector<std::string>> apply_file(const std::string& bytes) {
        const sys::Fd file = sys::memory_file("source", bytes_of(bytes), true).value();
        const sys::Fd spool = sys::memory_file("spool", {}, false).value();
        return apply_source(file, Input::file, spool, *layers_);
    }
    std::string problem(const std::string& bytes) {
        auto applied = apply_file(bytes);
        return applied ? "none" : applied.error().text();
    }
};

TEST_F(LayoutTest, AFileSystemComesInAnyCompression) {
    const std::string tar = TarBuilder{}.dir("./").file("./a", "1").done();
    for (const std::string& bytes : {tar, archive::gzip(tar), archive::bzip2(tar), archive::xz(tar), archive::zstd(tar)}) {
        layers_.emplace(tree_, room_bytes_, [](const Progress&) {});
        EXPECT_EQ(problem(bytes), "none");
        EXPECT_EQ(content("a"), "1");
    }
}

TEST_F(LayoutTest, WhatIsSpooledNeedsRoomAsWell) {
    const std::string tar = TarBuilder{}.file("a", std::string(room_bytes_ * 2 / 3, 'x')).done();
    EXPECT_EQ(problem(tar), "none");
    layers_.emplace(tree_, room_bytes_, [](const Progress&) {});
    EXPECT_THAT(problem(archive::gzip(tar)), HasSubstr("which is the room there is for it"));
}

TEST_F(LayoutTest, LinksInAnArchiveLeadToItsOwnMembersOrNowhere) {
    const auto with = [&](const std::string& target) {
        return problem(TarBuilder{}.file("manifest.json", R"([{"Config": "c.json", "Layers": ["x/layer.tar"]}])").link("c.json", target).done());
    };
    EXPECT_THAT(with("../../etc/passwd"), HasSubstr("c.json is not in the archive"));
    EXPECT_THAT(with("c.json"), HasSubstr("c.json is not in the archive"));
    EXPECT_THAT(with("manifest.json"), HasSubstr("not for this machine"));  // Read, and no configuration.
}

}  // namespace
}  // namespace assay::image
