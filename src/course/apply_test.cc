// Against the real store in a folder of its own: what apply promises is about what is durable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "course/course.hh"
#include "course/identity.hh"
#include "course/roster.hh"
#include "sys/disk.hh"
#include "sys/file.hh"

namespace assay::course {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t now_ms = 1'790'000'000'000;
const Machine machine{.memory_bytes = 8LL << 30, .cpus = 2};

class ApplyTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "assay-course-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        for (const char* name : {"/blobs", "/tmp", "/keys"}) ASSERT_TRUE(sys::make_directory(folder_ + name));
        auto opened = store::open_sqlite({.path = folder_ + "/assay.db"});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
        auto keys = store::Keys::open(folder_ + "/keys", now_ms);
        ASSERT_TRUE(keys) << keys.error().text();
        keys_.emplace(std::move(*keys));
        blobs_.emplace(sys::real_disk(), folder_ + "/blobs", folder_ + "/tmp");
    }
    void TearDown() override {
        store_.reset();
        std::filesystem::remove_all(folder_);
    }

    static std::vector<archive::SourceFile> files(const std::string& run = "make", const std::string& more = "") {
        return {{.path = "course.toml", .content = "[course]\nid = \"ICS\"\ntimezone = \"UTC\"\n"},
                {.path = "PA1/module.toml",
                 .content = "[module]\nid = \"PA1\"\n" + more + "[[stage]]\nname = \"build\"\nrun = \"" + run + "\"\n"},
                {.path = "hello/module.toml",
                 .content = "[module]\nid = \"hello\"\n[[stage]]\nname = \"run\"\nrun = \"true\"\n"}};
    }
    Result<std::vector<std::string>> apply_files(std::vector<archive::SourceFile> from, bool dry_run = false) {
        ASSAY_TRY(const Compiled compiled, compile(std::move(from), "UTC"));
        ASSAY_TRY(Applied applied, apply(*store_, *blobs_, compiled, machine, dry_run, now_ms));
        last_json_ = applied.json;
        return std::move(applied.lines);
    }
    std::string error_of(const std::string& more) {
        const auto applied = apply_files(files("make", more));
        return applied ? "applied" : applied.error().text();
    }

    std::string folder_;
    std::unique_ptr<store::Store> store_;
    std::optional<store::Keys> keys_;
    std::optional<store::Blobs> blobs_;
    std::string last_json_;
};

TEST_F(ApplyTest, IsIdempotentAndTellsTheDifference) {
    auto lines = apply_files(files());
    ASSERT_TRUE(lines) << lines.error().text();
    EXPECT_THAT(*lines,
                ElementsAre("ICS: new course, dates in UTC", "PA1: new (revision 1)", "hello: new (revision 1)"));
    EXPECT_THAT(*apply_files(files()), ElementsAre("PA1: unchanged (revision 1)", "hello: unchanged (revision 1)"));
    EXPECT_THAT(*apply_files(files("make all")),
                ElementsAre("PA1: revision 2 (was 1)", HasSubstr("  what was judged before stays as it is"), "hello: unchanged (revision 1)"));
    const auto json = nlohmann::json::parse(last_json_);
    EXPECT_EQ(json["modules"][0]["change"], "revised");
    EXPECT_EQ(json["modules"][0]["revision"], 2);
    EXPECT_EQ(json["modules"][0]["details"].size(), 1U);

    // The current revision's files are there, and they are what was compiled.
    ASSERT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto module, reading.module(CourseId{"ICS"}, ModuleId{"PA1"}));
        ASSAY_TRY(const auto revision, reading.revision(module->revision));
        EXPECT_EQ(revision->number, 2);
        ASSAY_TRY(const std::string tar, blobs_->get(revision->digest, 1 << 20));
        EXPECT_EQ(tar, compile(files("make all"), "UTC")->modules[0].revision_tar);
        return ok;
    }));
}

TEST_F(ApplyTest, ADryRunChangesNothing) {
    EXPECT_THAT(*apply_files(files(), true), ElementsAre("ICS: new course, dates in UTC", "PA1: new (revision 1)",
                                                         "hello: new (revision 1)", HasSubstr("--dry-run")));
    EXPECT_EQ(*list_json(*store_, now_ms), "[]");
    EXPECT_TRUE(sys::list_directory(folder_ + "/blobs")->empty());
}

TEST_F(ApplyTest, ARemovedFolderArchivesAndComesBack) {
    ASSERT_TRUE(apply_files(files()));
    auto without = files();
    without.pop_back();
    EXPECT_THAT(*apply_files(without), ElementsAre("PA1: unchanged (revision 1)", HasSubstr("hello: archived")));
    EXPECT_THAT(*apply_files(without), ElementsAre("PA1: unchanged (revision 1)"));
    EXPECT_THAT(*list_json(*store_, now_ms), testing::Not(HasSubstr("hello")));
    EXPECT_THAT(*apply_files(files()),
                ElementsAre("PA1: unchanged (revision 1)", "hello: back from the archive (revision 1)"));
}

TEST_F(ApplyTest, ACoursesOwnKeysAreUpdated) {
    ASSERT_TRUE(apply_files(files()));
    auto moved = files();
    moved[0].content = "[course]\nid = \"ICS\"\ntitle = \"Systems\"\ntimezone = \"Asia/Shanghai\"\n";
    // The zone is part of each plan: dates and TZ of the stages follow it.
    EXPECT_THAT(*apply_files(moved),
                ElementsAre("ICS: title \"ICS\" -> \"Systems\"", "ICS: timezone \"UTC\" -> \"Asia/Shanghai\"",
                            "PA1: revision 2 (was 1)", HasSubstr("  what was judged"), "hello: revision 2 (was 1)",
                            HasSubstr("  what was judged")));
}

// What an author changed by mistake he sees before it matters.
TEST_F(ApplyTest, SaysWhatARevisionChangesAndWhetherItNeedsARun) {
    ASSERT_TRUE(apply_files(files("make", "due = 2026-10-15T23:59:59\n")));
    EXPECT_THAT(*apply_files(files("make", "due = 2026-10-16T23:59:59\ncloses = 2026-10-20\nlate = { per_day = 0.1 }\npass = 5\n")),
                ElementsAre("PA1: revision 2 (was 1)", "  due 2026-10-15T23:59:59.000+00:00 -> 2026-10-16T23:59:59.000+00:00",
                            "  closes 2026-10-15T23:59:59.000+00:00 -> 2026-10-20T23:59:59.000+00:00",
                            "  late none -> grace 0 ms, 0.1 a day, at most 1", "  pass none -> 5", HasSubstr("  nothing has to run again"),
                            "hello: unchanged (revision 1)"));
    auto with_tests = files();
    with_tests[1].content = "[module]\nid = \"PA1\"\n[[stage]]\nname = \"tests\"\ntests = \"*.t\"\n";
    with_tests.push_back({.path = "PA1/a.t", .content = "[[test]]\nname = \"a\"\nrun = \"x\"\n[[test]]\nname = \"b\"\nrun = \"x\"\n"});
    EXPECT_THAT(*apply_files(with_tests, true), testing::AllOf(testing::Contains("  stage 'tests' is new"), testing::Contains("  stage 'build' is gone")));
    ASSERT_TRUE(apply_files(with_tests));
    with_tests.back().content = "[[test]]\nname = \"a\"\nrun = \"y\"\n[[test]]\nname = \"c\"\nrun = \"x\"\n";
    EXPECT_THAT(*apply_files(with_tests, true), testing::Contains("  tests of stage 'tests': 1 new, 1 gone, 1 changed"));
}

TEST_F(ApplyTest, RefusesWhatCanNeverRunNamingTheNumbers) {
    struct Case {
        const char* limits;
        const char* upload;
        const char* error;
    };
    for (const auto& [limits, upload, error] : {
             Case{"disk = \"100 MiB\"", "", "its disk of 100 MiB is smaller than unpacked_max, 128 MiB"},
             {"disk = \"64 MiB\"", "unpacked_max = \"1 MiB\"\nentries_max = 15500",
              "16384 inodes, and entries_max of 15500 needs 16500"},
             {"memory = \"512 MiB\", disk = \"257 MiB\"", "",
              "its memory of 512 MiB is smaller than twice its disk of 257 MiB"},
             {"memory = \"9 GiB\", disk = \"1 GiB\"", "", "more than this machine could ever give, 8 GiB"},
             {"memory = \"512 MiB\", disk = \"256 MiB\"", "", "applied"},
             {"memory = \"64 MiB\", disk = \"1 MiB\"", "unpacked_max = \"1 MiB\"\nentries_max = 24", "applied"},
         }) {
        auto given = files();
        given[1].content = "[module]\nid = \"PA1\"\n[upload]\n" + std::string{upload} +
                           "\n[[stage]]\nname = \"build\"\nrun = \"make\"\nlimits = { " + limits + " }\n";
        const auto applied = apply_files(given);
        EXPECT_THAT(applied ? "applied" : applied.error().text(), HasSubstr(error)) << limits;
    }
}

TEST_F(ApplyTest, ScratchOnDiskIsMeasuredByWhatTheServerOffers) {
    auto given = files();
    given[1].content += "scratch = \"disk\"\nlimits = { memory = \"512 MiB\", disk = \"20 GiB\" }\n";
    const auto compiled = compile(given, "UTC");
    ASSERT_TRUE(compiled) << compiled.error().text();
    const auto told = [&](std::int64_t bytes_max, const std::string& lacks) {
        const Machine offers{
            .memory_bytes = 8LL << 30, .cpus = 2, .scratch_disk_bytes_max = bytes_max, .scratch_disk_lacks = lacks};
        const auto applied = apply(*store_, *blobs_, *compiled, offers, true, now_ms);
        return applied ? "applied" : applied.error().text();
    };
    EXPECT_EQ(told(20LL << 30, ""), "applied");
    EXPECT_EQ(
        told(0, ""),
        "PA1: stage 'build' can never run well: this server offers no scratch on disk; set scratch_disk_mib_max in its "
        "assay.toml, or leave out scratch = \"disk\"");
    EXPECT_THAT(told((20LL << 30) - 1, ""), HasSubstr("its disk of 20 GiB is more than scratch on disk may have here"));
    EXPECT_EQ(told(20LL << 30, "scratch on disk cannot be had: x; y"),
              "PA1: stage 'build' can never run well: scratch on disk cannot be had: x; y");
}

TEST_F(ApplyTest, ListsModulesAndWhetherTheyAreOpen) {
    ASSERT_TRUE(apply_files(files("make", "due = 2020-01-01T00:00:00Z\n")));
    const auto json = nlohmann::json::parse(*list_json(*store_, now_ms));
    EXPECT_EQ(json, (nlohmann::json::parse(R"([{"id":"ICS","title":"ICS","modules":[
        {"id":"PA1","title":"PA1","revision":1,"open":false},{"id":"hello","title":"hello","revision":1,"open":true}]}])")));
    EXPECT_EQ(*list_text(json.dump()),
              "ICS  ICS\n  PA1  PA1  (revision 1, not open)\n  hello  hello  (revision 1, open)\n");
}

// What the machine lacks is told when a module is applied, not at the first hand-in; and it may still be installed.
TEST_F(ApplyTest, NotesAProgramThatThisMachineLacks) {
    auto compiled = compile(files("no-such-program-of-assay --fast"), "UTC");
    ASSERT_TRUE(compiled) << compiled.error().text();
    ASSERT_TRUE(pin_images(*compiled, {}));
    EXPECT_THAT(compiled->warnings,
                ElementsAre("PA1: stage 'build': this machine has no program 'no-such-program-of-assay' in "
                            "/usr/local/bin:/usr/bin:/bin"));
    auto there = compile(files("./run.sh"), "UTC");
    ASSERT_TRUE(there);
    ASSERT_TRUE(pin_images(*there, {}));
    EXPECT_THAT(there->warnings, ElementsAre());
}

// A spreadsheet would run such an id wherever grades are opened; who has one already keeps it, and his roster comes back.
TEST_F(ApplyTest, ANewIdIsNoFormula) {
    const CourseId course{"ICS"};
    ASSERT_TRUE(apply_files(files()));
    for (const char* id : {"=1+1", "+49", "-7", "@a"}) {
        const auto refused = import_roster(*store_, *keys_, course, *parse_roster(std::string{"id\n1\n"} + id + "\n"));
        ASSERT_FALSE(refused) << id;
        EXPECT_EQ(refused.error().fault(), Fault::invalid);
        EXPECT_THAT(refused.error().text(), HasSubstr(std::string{"the id "} + id + " begins with"));
    }
    EXPECT_TRUE(export_roster(*store_, *keys_, course)->empty());

    ASSERT_TRUE(store_->write_and_wait([&](store::Tx& tx) {
        return tx.put_participant({.course = course,
                                   .id = ParticipantId{"-7"},
                                   .token_hash = "a",
                                   .token_sealed = keys_->seal("token of -7"),
                                   .key_hash = "b",
                                   .key_sealed = keys_->seal("keyofminus7")});
    }));
    const auto exported = export_roster(*store_, *keys_, course);
    ASSERT_EQ(exported->size(), 1U);
    EXPECT_TRUE(import_roster(*store_, *keys_, course, *parse_roster(roster_csv(*exported))));
}

TEST_F(ApplyTest, ARosterIsImportedWholeAndComesBack) {
    const CourseId course{"ICS"};
    EXPECT_THAT(import_roster(*store_, *keys_, course, {}).error().text(), HasSubstr("there is no course 'ICS'"));
    ASSERT_TRUE(apply_files(files()));
    const auto rows = parse_roster("id,name,token\n1,陈一鸣,\n2,Bo,my own secret\n");
    ASSERT_TRUE(rows);
    auto done = import_roster(*store_, *keys_, course, *rows);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(done->added, 2);

    auto exported = export_roster(*store_, *keys_, course);
    ASSERT_TRUE(exported) << exported.error().text();
    ASSERT_EQ(exported->size(), 2U);
    EXPECT_EQ((*exported)[0].name, "陈一鸣");
    EXPECT_EQ((*exported)[0].token.size(), 19U);
    EXPECT_EQ((*exported)[1].token, "my own secret");
    EXPECT_GE((*exported)[0].key.size(), 20U);

    // What was exported and comes back unchanged changes nothing; a file without tokens keeps them.
    done = import_roster(*store_, *keys_, course, *parse_roster(roster_csv(*exported)));
    EXPECT_EQ(done->unchanged, 2);
    done = import_roster(*store_, *keys_, course, *parse_roster("id,name\n1,陈\n3,Ada\n"));
    EXPECT_EQ(done->updated, 1);
    EXPECT_EQ(done->added, 1);
    EXPECT_EQ((*export_roster(*store_, *keys_, course))[0].token, (*exported)[0].token);

    // A token that is taken refuses the whole file.
    const auto taken =
        import_roster(*store_, *keys_, course, {{.id = "4"}, {.id = "5", .token = (*exported)[0].token}});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().fault(), Fault::conflict);
    EXPECT_THAT(taken.error().text(), HasSubstr("5: "));
    EXPECT_EQ(export_roster(*store_, *keys_, course)->size(), 3U);
}

TEST_F(ApplyTest, ATokenFindsItsOwnerUntilItIsReset) {
    ASSERT_TRUE(apply_files(files()));
    const CourseId course{"ICS"};
    ASSERT_TRUE(import_roster(*store_, *keys_, course, {{.id = "1"}}));
    const std::string old = (*export_roster(*store_, *keys_, course))[0].token;
    const auto owners = [&](const std::string& token) {
        std::size_t count = 0;
        EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
            ASSAY_TRY(const auto people, who(reading, *keys_, token));
            count = people.size();
            return ok;
        }));
        return count;
    };
    EXPECT_EQ(owners(lower_ascii(old)), 1U);
    const auto fresh = reset_secret(*store_, *keys_, course, ParticipantId{"1"}, Secret::token);
    ASSERT_TRUE(fresh);
    EXPECT_EQ(owners(old), 0U);
    EXPECT_EQ(owners(*fresh), 1U);
    EXPECT_EQ(reset_secret(*store_, *keys_, course, ParticipantId{"2"}, Secret::token).error().fault(), Fault::missing);
}

TEST_F(ApplyTest, AKeyIsReplacedAndItsOldLinksEnd) {
    ASSERT_TRUE(apply_files(files()));
    const CourseId course{"ICS"};
    ASSERT_TRUE(import_roster(*store_, *keys_, course, {{.id = "1"}}));
    const RosterRow before = (*export_roster(*store_, *keys_, course))[0];
    const auto fresh = reset_secret(*store_, *keys_, course, ParticipantId{"1"}, Secret::key);
    ASSERT_TRUE(fresh) << fresh.error().text();
    const RosterRow after = (*export_roster(*store_, *keys_, course))[0];
    EXPECT_EQ(after.key, *fresh);
    EXPECT_NE(after.key, before.key);
    EXPECT_EQ(after.token, before.token);
    EXPECT_EQ(reset_text(ParticipantId{"1"}, Secret::key, "abc", true), R"({"participant":"1","key":"abc"})");
}

// Leaving a course is no deletion: whoever is named again takes part again, with the token he had.
TEST_F(ApplyTest, SyncMakesThoseInactiveWhomTheFileDoesNotName) {
    ASSERT_TRUE(apply_files(files()));
    const CourseId course{"ICS"};
    ASSERT_TRUE(import_roster(*store_, *keys_, course, {{.id = "1"}, {.id = "2", .name = "Bo"}, {.id = "3"}}));
    const std::string token = (*export_roster(*store_, *keys_, course))[1].token;
    const std::vector<RosterRow> fewer{{.id = "1"}, {.id = "4"}};
    const auto missing = missing_from(*store_, course, fewer);
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing_text(*missing, false), "2 Bo\n3 \n");
    EXPECT_EQ(missing_text(*missing, true), R"([{"id":"2","name":"Bo"},{"id":"3","name":""}])");
    EXPECT_EQ(export_roster(*store_, *keys_, course)->size(), 3U) << "a preview changes nothing";

    const auto synced = import_roster(*store_, *keys_, course, fewer, true);
    ASSERT_TRUE(synced) << synced.error().text();
    EXPECT_EQ(synced->added, 1);
    EXPECT_THAT(synced->inactive, ElementsAre("2", "3"));
    EXPECT_EQ(export_roster(*store_, *keys_, course)->size(), 2U);
    EXPECT_THAT(import_roster(*store_, *keys_, course, fewer, true)->inactive, ElementsAre());

    EXPECT_EQ(import_roster(*store_, *keys_, course, {{.id = "2"}})->updated, 1);
    EXPECT_EQ((*export_roster(*store_, *keys_, course))[1].token, token);
}

TEST_F(ApplyTest, AnExtensionMovesTheDatesOfOne) {
    ASSERT_TRUE(apply_files(files("make", "due = 2026-10-15T23:59:59\n")));
    const CourseId course{"ICS"};
    const ModuleId module{"PA1"};
    ASSERT_TRUE(import_roster(*store_, *keys_, course, {{.id = "1"}}));
    const ParticipantId one{"1"};
    const auto until = [&](const std::string& text) {
        const auto extended = extend(*store_, course, one, module, text, false);
        return extended ? *extended : extended.error().text();
    };
    EXPECT_EQ(until("2026-10-20T12:00:00+08:00"), "PA1: due 2026-10-20T04:00:00.000+00:00 for 1 (2026-10-15T23:59:59.000+00:00 for the others)");
    EXPECT_EQ(until("2026-10-20"), "PA1: due 2026-10-20T23:59:59.000+00:00 for 1 (2026-10-15T23:59:59.000+00:00 for the others)");
    EXPECT_EQ(until("2026-10-20 08:30:00"), "PA1: due 2026-10-20T08:30:00.000+00:00 for 1 (2026-10-15T23:59:59.000+00:00 for the others)");
    EXPECT_THAT(until("2026-10-01"), HasSubstr("as for the others"));
    for (const char* wrong : {"", "tomorrow", "2026-13-01", "12:00:00", "2026-10-20\nx = 1", "1"}) EXPECT_THAT(until(wrong), HasSubstr("is no date such as")) << wrong;
    EXPECT_TRUE(store_->read([&](store::Reading& reading) -> Result<> {
        ASSAY_TRY(const auto kept, reading.extension(course, module, one));
        EXPECT_EQ(kept, 1'790'899'199'000);  // The newest that could be read: 2026-10-01.
        return ok;
    }));
    EXPECT_THAT(extend(*store_, course, ParticipantId{"9"}, module, "2026-10-20", false).error().text(), HasSubstr("no participant '9'"));
    EXPECT_THAT(extend(*store_, course, one, ModuleId{"PA9"}, "2026-10-20", false).error().text(), HasSubstr("no module 'PA9'"));
    EXPECT_THAT(extend(*store_, course, one, ModuleId{"hello"}, "2026-10-20", false).error().text(), HasSubstr("has no `due`"));
}

TEST_F(ApplyTest, ReadsAFolderWithoutDotEntriesAndRefusesLinks) {
    const std::string top = folder_ + "/made";
    std::filesystem::create_directories(top + "/PA1/.git");
    ASSERT_TRUE(sys::write_file_durably(top + "/course.toml", "[course]\n"));
    ASSERT_TRUE(sys::write_file_durably(top + "/PA1/run.sh", "x"));
    ASSERT_TRUE(sys::write_file_durably(top + "/PA1/.git/config", "x"));
    ASSERT_TRUE(sys::change_mode(top + "/PA1/run.sh", 0755));
    const auto read = read_folder(top);
    ASSERT_TRUE(read) << read.error().text();
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ((*read)[0].path, "PA1/run.sh");
    EXPECT_TRUE((*read)[0].executable);
    EXPECT_EQ((*read)[1].content, "[course]\n");
    std::filesystem::create_symlink("/etc/passwd", top + "/PA1/link");
    EXPECT_THAT(read_folder(top).error().text(), HasSubstr("PA1/link is a symbolic link"));
}

}  // namespace
}  // namespace assay::course
