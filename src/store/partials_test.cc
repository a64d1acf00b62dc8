#include "store/partials.hh"

#include <gtest/gtest.h>

#include <filesystem>

#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::store {
namespace {

constexpr std::int64_t now_ms = 1'790'000'000'000;

struct Shelf {
    std::string folder = std::filesystem::temp_directory_path() / ("assay-partials-" + sys::random_text(8, "abcdefgh"));
    Partials partials{folder, "this boot"};
    std::int64_t made_ms = now_ms - 100;

    Shelf() { EXPECT_TRUE(sys::make_directory(folder)); }
    ~Shelf() { EXPECT_TRUE(sys::remove_tree(folder)); }
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;

    Partial begin(std::int64_t length, const std::string& who = "ann") {
        auto made = partials.create({.id = {},
                                     .course = CourseId{"ICS"},
                                     .module = ModuleId{"PA1"},
                                     .participant = ParticipantId{who},
                                     .length = length},
                                    made_ms++);
        EXPECT_TRUE(made) << made.error().text();
        return *made;
    }
    Partials::Hold hold(const std::string& id) {
        auto held = partials.hold(id, now_ms, [] {}, [] {});
        EXPECT_TRUE(held) << held.error().text();
        return std::move(held).value();
    }
    void bring(const std::string& id, std::string_view bytes) {
        auto held = hold(id);
        EXPECT_TRUE(held.begin_part(false));
        EXPECT_TRUE(held.append(bytes_of(bytes)));
        EXPECT_TRUE(held.end_part(true, now_ms));
    }
    std::string content(const std::string& id) { return *sys::read_file(folder + "/" + id + ".part", 1000); }
};

TEST(Partials, PartsAddUpToWhatWasPromised) {
    Shelf shelf;
    const Partial made = shelf.begin(10);
    shelf.bring(made.id, "hello");
    EXPECT_EQ(shelf.partials.find(made.id, now_ms)->offset, 5);
    shelf.bring(made.id, "world");
    EXPECT_TRUE(shelf.partials.find(made.id, now_ms)->whole());
    EXPECT_EQ(shelf.content(made.id), "helloworld");
}

TEST(Partials, AnUnfinishedPartIsOverwritten) {
    Shelf shelf;
    const Partial made = shelf.begin(10);
    {
        auto held = shelf.hold(made.id);
        ASSERT_TRUE(held.begin_part(false));
        ASSERT_TRUE(held.append(bytes_of("xxx")));  // The request fails here, on the disk's side.
    }
    EXPECT_EQ(shelf.partials.find(made.id, now_ms)->offset, 0);
    shelf.bring(made.id, "hello");
    EXPECT_EQ(shelf.content(made.id), "hello");
}

TEST(Partials, APartWithAWrongSumIsAsIfItHadNotCome) {
    Shelf shelf;
    const Partial made = shelf.begin(10);
    shelf.bring(made.id, "he");
    for (const bool good : {false, true}) {
        auto held = shelf.hold(made.id);
        ASSERT_TRUE(held.begin_part(true));
        ASSERT_TRUE(held.append(bytes_of("llo")));
        ASSERT_TRUE(held.end_part(good, now_ms));
        EXPECT_EQ(held.partial().offset, good ? 5 : 2);
        EXPECT_EQ(shelf.content(made.id), good ? "hello" : "he");
    }
}

TEST(Partials, SurviveTheirProcess) {
    Shelf shelf;
    const Partial made = shelf.begin(10);
    shelf.bring(made.id, "hello");
    const Partial over = shelf.begin(4, "bob");
    shelf.bring(over.id, "done");
    ASSERT_TRUE(shelf.hold(over.id).became(SubmissionId{"AAAAAAAAAAAAAAAA"}, now_ms));
    ASSERT_TRUE(sys::write_file_durably(shelf.folder + "/stray", "?"));
    ASSERT_TRUE(sys::write_file_durably(shelf.folder + "/" + made.id + ".check", "half of a part"));

    Partials next{shelf.folder, "this boot"};
    ASSERT_TRUE(next.load(now_ms));
    ASSERT_EQ(next.count(), 2u);
    EXPECT_EQ(next.find(made.id, now_ms)->offset, 5);
    EXPECT_EQ(next.find(made.id, now_ms)->participant.text(), "ann");
    EXPECT_EQ(next.find(over.id, now_ms)->submission->text(), "AAAAAAAAAAAAAAAA");
    EXPECT_TRUE(next.find(over.id, now_ms)->whole());
    EXPECT_FALSE(sys::info_of_path(shelf.folder + "/stray"));
    EXPECT_FALSE(sys::info_of_path(shelf.folder + "/" + made.id + ".check"));

    // Of what the machine held when it went down, only what was synced is sure, and how much that was is not known.
    for (int i = 0; i < 2; ++i) {
        Partials later{shelf.folder, "another boot"};
        ASSERT_TRUE(later.load(now_ms));
        EXPECT_EQ(later.find(made.id, now_ms)->offset, i == 0 ? 0 : 3);
        auto held = later.hold(made.id, now_ms, [] {}, [] {});
        ASSERT_TRUE(held);
        ASSERT_TRUE(held->begin_part(false));
        ASSERT_TRUE(held->append(bytes_of("new")));
        ASSERT_TRUE(held->end_part(true, now_ms));
    }
    EXPECT_EQ(shelf.content(made.id), "newnew");
}

TEST(Partials, ADamagedPromiseIsForgotten) {
    Shelf shelf;
    for (const char* const text :
         {"", "{", "[]", R"({"course":"a"})",
          R"({"course":"a","module":"b","participant":"c","length":-1,"sha256":"","first_byte_ms":1})"}) {
        const std::string id = shelf.begin(10, text).id;
        ASSERT_TRUE(sys::write_file_durably(shelf.folder + "/" + id + ".json", text));
    }
    Partials next{shelf.folder, "this boot"};
    ASSERT_TRUE(next.load(now_ms));
    EXPECT_EQ(next.count(), 0u);
    EXPECT_TRUE(std::filesystem::is_empty(shelf.folder));
}

TEST(Partials, ExpireAndMakeRoom) {
    Shelf shelf;
    const std::string first = shelf.begin(10).id;
    EXPECT_FALSE(shelf.partials.find(first, now_ms + Partials::kept_ms));
    EXPECT_FALSE(shelf.partials.hold(first, now_ms + Partials::kept_ms, [] {}, [] {}));
    for (std::size_t i = 1; i < Partials::own_max; ++i) (void)shelf.begin(10);
    EXPECT_TRUE(shelf.partials.find(first, now_ms));
    const std::string other = shelf.begin(10, "bob").id;
    (void)shelf.begin(10);
    EXPECT_FALSE(shelf.partials.find(first, now_ms)) << "the oldest of the same participant makes room";
    EXPECT_TRUE(shelf.partials.find(other, now_ms));
    EXPECT_EQ(shelf.partials.count(), Partials::own_max + 1);
}

TEST(Partials, WhatIsOverMakesRoomForWhatBegins) {
    Shelf shelf;
    Partials few{shelf.folder, "this boot", nullptr, 2};
    const auto begin = [&](const char* who, std::int64_t at_ms) {
        return few.create({.id = {}, .course = CourseId{"c"}, .module = ModuleId{"m"}, .participant = ParticipantId{who}, .length = 1}, at_ms);
    };
    const auto first = begin("ann", now_ms), second = begin("bob", now_ms);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(begin("cy", now_ms).error().fault(), Fault::busy);
    {
        auto held = few.hold(second->id, now_ms, [] {}, [] {});
        ASSERT_TRUE(held && held->became(SubmissionId{"AAAAAAAAAAAAAAAA"}, now_ms));
        EXPECT_EQ(begin("cy", now_ms).error().fault(), Fault::busy) << "somebody is being told what became of it";
    }
    EXPECT_TRUE(begin("cy", now_ms));
    EXPECT_TRUE(few.find(first->id, now_ms));
    EXPECT_FALSE(few.find(second->id, now_ms));
}

TEST(Partials, BelongToOneRequestAtATime) {
    Shelf shelf;
    const std::string id = shelf.begin(10).id;
    int asked = 0;
    int freed = 0;
    {
        auto held = shelf.partials.hold(id, now_ms, [&] { ++asked; }, [] {});
        ASSERT_TRUE(held);
        auto second = shelf.partials.hold(id, now_ms, [] {}, [&] { ++freed; });
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().fault(), Fault::busy);
        EXPECT_EQ(asked, 1);
        EXPECT_EQ(freed, 0);
    }
    EXPECT_EQ(freed, 1);
    auto held = shelf.hold(id);
    held.remove();
    held.remove();
    EXPECT_FALSE(shelf.partials.find(id, now_ms));
    EXPECT_TRUE(std::filesystem::is_empty(shelf.folder));
}

}  // namespace
}  // namespace assay::store
