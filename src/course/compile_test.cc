#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "course/course.hh"

namespace assay::course {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Files = std::map<std::string, std::string>;

const Files sound = {
    {"course.toml", "[course]\nid = \"ICS\"\ntitle = \"Systems\"\ntimezone = \"Asia/Shanghai\"\nlanguage = \"zh\"\n"},
    {"roster.csv", "id\n"},
    {"PA1/module.toml", R"([module]
id = "PA1"
opens = 2026-09-01T00:00:00+08:00
due = 2026-10-15T23:59:59

[upload]
unpacked_max = "64 MiB"
entries_max = 5000
required = ["Makefile"]

[[stage]]
name = "build"
run = "make -j2 'all of it'"
limits = { cpu = "60 s", memory = "512 MiB" }

[[stage]]
name = "tests"
tests = "tests/*.toml"
points = 3
limits = { memory = "256 MiB", disk = "40 MiB" }

[[stage]]
name = "score"
trusted = true
run = ["python3", "/grader/score.py"]
report = "results.json"
)"},
    {"PA1/tests/b.toml", "[[test]]\nname = \"last\"\nrun = \"./calc\"\n"},
    {"PA1/tests/a.toml", R"([defaults]
run = "./calc"
points = 1
limits = { cpu = "1 s", memory = "64 MiB" }

[[test]]
name = "adds"
args = ["1 + 2"]
stdout = "3\n"
points = 2

[[test]]
name = "from a file"
stdin_file = "tests/data/in"
compare = "whitespace"
visibility = "hidden"
exit_code = 7
limits = { disk = "32 MiB" }
)"},
    {"PA1/tests/data/in", "1\n"},
    {"PA1/grader/score.py", "pass\n"},
    {"PA1/samples/correct/src/Makefile", "all:\n"},
};

Result<Compiled> compile_files(const Files& files) {
    std::vector<archive::SourceFile> list;
    for (const auto& [path, content] : files) list.push_back({.path = path, .executable = false, .content = content});
    return compile(std::move(list), "Europe/Berlin");
}

// The sound course with one text replaced in one file.
Result<Compiled> with(const std::string& file, const std::string& from, const std::string& to) {
    Files files = sound;
    const auto at = files[file].find(from);
    if (at == std::string::npos) return Error{Fault::internal, "the test replaces what is not there: " + from};
    files[file].replace(at, from.size(), to);
    return compile_files(files);
}

std::string error_with(const std::string& file, const std::string& from, const std::string& to) {
    const auto compiled = with(file, from, to);
    return compiled ? "compiled" : compiled.error().text();
}

TEST(Compile, ResolvesAWholeCourse) {
    const auto compiled = compile_files(sound);
    ASSERT_TRUE(compiled) << compiled.error().text();
    EXPECT_EQ(compiled->course.id.text(), "ICS");
    EXPECT_EQ(compiled->course.language, "zh");
    EXPECT_TRUE(compiled->warnings.empty());
    ASSERT_EQ(compiled->modules.size(), 1U);

    const model::Plan& plan = compiled->modules[0].plan;
    EXPECT_EQ(plan.title, "PA1");
    EXPECT_EQ(plan.timezone, "Asia/Shanghai");
    EXPECT_EQ(plan.opens_ms, 1'788'192'000'000);
    EXPECT_EQ(plan.due_ms, 1'792'079'999'000);  // Written without an offset: in the course's zone.
    EXPECT_EQ(plan.closes_ms, plan.due_ms);
    EXPECT_EQ(plan.upload.size_max, 12 << 20);
    EXPECT_EQ(plan.upload.unpacked_max, 64 << 20);
    EXPECT_THAT(plan.upload.required, ElementsAre("Makefile"));

    ASSERT_EQ(plan.stages.size(), 3U);
    EXPECT_THAT(plan.stages[0].command, ElementsAre("make", "-j2", "all of it"));
    EXPECT_EQ(plan.stages[0].limits.cpu_ms, 60'000);
    EXPECT_EQ(plan.stages[0].limits.wall_ms, 30'000);
    EXPECT_EQ(plan.stages[0].limits.disk_bytes, 128 << 20);  // A quarter of the memory.
    EXPECT_TRUE(plan.stages[2].trusted);
    EXPECT_EQ(plan.stages[2].report, "results.json");

    const auto& tests = plan.stages[1].tests;
    ASSERT_EQ(tests.size(), 3U);
    EXPECT_EQ(plan.stages[1].points, 3);
    EXPECT_THAT(tests[0].command, ElementsAre("./calc", "1 + 2"));
    EXPECT_EQ(tests[0].stdout_bytes, "3\n");
    EXPECT_EQ(tests[0].points, 2);
    EXPECT_EQ(tests[0].limits.cpu_ms, 1000);
    EXPECT_EQ(tests[0].limits.memory_bytes, 64 << 20);
    EXPECT_EQ(tests[0].limits.disk_bytes, 16 << 20);  // 40 MiB inherited; a quarter of its own memory.
    EXPECT_EQ(tests[1].stdin_bytes, "1\n");
    EXPECT_EQ(tests[1].stdout_bytes, std::nullopt);
    EXPECT_EQ(tests[1].compare, model::Compare::whitespace);
    EXPECT_EQ(tests[1].visibility, model::Visibility::hidden);
    EXPECT_EQ(tests[1].exit_code, 7);
    EXPECT_EQ(tests[1].limits.disk_bytes, 32 << 20);  // It asked for that itself.
    EXPECT_EQ(tests[2].name, "last");                 // Files by name.
    EXPECT_EQ(tests[2].limits.memory_bytes, 256 << 20);
    EXPECT_EQ(tests[2].limits.disk_bytes, 40 << 20);
}

// A test says how it compares, or [defaults] does; a checker is a way to compare.
TEST(Compile, ResolvesWaysToCompare) {
    Files files = sound;
    files["PA1/checkers/x.py"] = "";
    files["PA1/checkers/y.sh"] = "";
    files["PA1/tests/a.toml"] = R"([defaults]
run = "./calc"
checker = "checkers/x.py"
tolerance = 0.5

[[test]]
name = "checked"
stdout = "3"

[[test]]
name = "compared"
compare = "float"
stdout = "3"

[[test]]
name = "by a shell"
checker = "checkers/y.sh"

[[test]]
name = "by a command"
checker = ["perl", "-w", "/grader/checkers/x.py"]

[[test]]
name = "files"
compare = "regex"
files = { "a/out.txt" = "tests/data/in", "b" = "tests/data/in" }
)";
    const auto compiled = compile_files(files);
    ASSERT_TRUE(compiled) << compiled.error().text();
    const auto& tests = compiled->modules[0].plan.stages[1].tests;
    ASSERT_EQ(tests.size(), 6U);
    EXPECT_EQ(tests[0].compare, model::Compare::checker);
    EXPECT_THAT(tests[0].checker, ElementsAre("python3", "/grader/checkers/x.py"));
    EXPECT_EQ(tests[1].compare, model::Compare::float_);
    EXPECT_EQ(tests[1].tolerance, 0.5);
    EXPECT_THAT(tests[1].checker, ElementsAre());
    EXPECT_THAT(tests[2].checker, ElementsAre("sh", "/grader/checkers/y.sh"));
    EXPECT_THAT(tests[3].checker, ElementsAre("perl", "-w", "/grader/checkers/x.py"));
    ASSERT_EQ(tests[4].files.size(), 2U);
    EXPECT_EQ(tests[4].files[0].path, "a/out.txt");
    EXPECT_EQ(tests[4].files[0].bytes, "1\n");
}

TEST(Compile, ReadsWhatLatenessCosts) {
    const auto compiled = with("PA1/module.toml", "due = 2026-10-15T23:59:59",
                               "due = 2026-10-15T23:59:59\ncloses = 2026-10-20\nupload_grace = \"5 min\"\n"
                               "late = { grace = \"1 h\", per_day = 0.1, cap = 0.5 }");
    ASSERT_TRUE(compiled) << compiled.error().text();
    const model::Plan& plan = compiled->modules[0].plan;
    EXPECT_EQ(plan.late, (model::Late{.grace_ms = 3'600'000, .per_day = 0.1, .cap = 0.5}));
    EXPECT_EQ(plan.upload_grace_ms, 300'000);
    EXPECT_THAT(compiled->warnings, ElementsAre());
    const auto closed = with("PA1/module.toml", "opens", "late = { per_day = 0.1 }\nopens");
    ASSERT_TRUE(closed) << closed.error().text();
    EXPECT_THAT(closed->warnings, ElementsAre(HasSubstr("`closes` is `due`")));
}

// What a trusted command sees is what another run would see differently; points and dates are not.
TEST(Compile, KnowsWhatTrustedCommandsSee) {
    const auto seen = [](const Files& files) {
        const auto compiled = compile_files(files);
        EXPECT_TRUE(compiled) << compiled.error().text();
        return compiled->modules[0].plan.files_sha256;
    };
    Files files = sound;
    files["PA1/notes.txt"] = "x";
    const std::string before = seen(files);
    EXPECT_EQ(before.size(), 64U);
    files["PA1/notes.txt"] = "y";
    EXPECT_EQ(seen(files), before);
    files["PA1/grader/score.py"] = "exit(1)\n";
    EXPECT_NE(seen(files), before);
    files["PA1/checkers/x.py"] = "";
    files["PA1/tests/b.toml"] = "[[test]]\nname = \"last\"\nrun = \"./calc\"\nchecker = \"checkers/x.py\"\n";
    const std::string checked = seen(files);
    files["PA1/tests/b.toml"] += "points = 3\n";
    EXPECT_EQ(seen(files), checked);
    files["PA1/checkers/x.py"] = "import sys\n";
    EXPECT_NE(seen(files), checked);
}

TEST(Compile, TellsAReportsFormatByItsNameOrItsWord) {
    using enum model::ReportFormat;
    const std::pair<const char*, model::ReportFormat> cases[] = {
        {"report = \"r.json\"", results},
        {"report = \"r.xml\"", junit},
        {"report = \"r.tap\"", tap},
        {"report = \"r.xml\"\nformat = \"tap\"", tap},
        {"report = \"stdout\"\nformat = \"autolab\"", autolab},
        {"format = \"exit\"", exit},
    };
    for (const auto& [keys, format] : cases) {
        const auto compiled = with("PA1/module.toml", "report = \"results.json\"", keys);
        ASSERT_TRUE(compiled) << compiled.error().text();
        EXPECT_EQ(compiled->modules[0].plan.stages[2].report_format, format) << keys;
    }
}

TEST(Compile, TheRevisionIsTheFolderWithoutSamples) {
    const auto compiled = compile_files(sound);
    ASSERT_TRUE(compiled);
    const auto files = archive::read_tar(bytes_of(compiled->modules[0].revision_tar), 1 << 20);
    ASSERT_TRUE(files) << files.error().text();
    std::vector<std::string> paths;
    for (const auto& file : *files) paths.push_back(file.path);
    EXPECT_THAT(paths, ElementsAre("grader/score.py", "module.toml", "tests/a.toml", "tests/b.toml", "tests/data/in"));

    Files other = sound;
    other["PA1/samples/wrong/src/Makefile"] = "none:\n";
    EXPECT_EQ(compile_files(other)->modules[0].digest, compiled->modules[0].digest);
    other["PA1/grader/score.py"] = "exit(1)\n";
    EXPECT_NE(compile_files(other)->modules[0].digest, compiled->modules[0].digest);
}

TEST(Compile, TakesWhatAnUploadMayHold) {
    const auto upload = [](const std::string& keys) {
        Files files = sound;
        std::string& toml = files["PA1/module.toml"];
        toml.replace(toml.find("required"), 0, keys + "\n");
        const auto compiled = compile_files(files);
        EXPECT_TRUE(compiled) << compiled.error().text();
        return compiled->modules.at(0).plan.upload;
    };
    EXPECT_EQ(upload("symlinks = \"refuse\"").symlinks, model::Symlinks::refuse);
    EXPECT_EQ(upload("names = \"gb18030\"").names, model::NameEncoding::gb18030);
    EXPECT_THAT(upload("ignore = [\"*.o\", \"build/\", \"out/*.log\"]").ignore, ElementsAre("*.o", "build/", "out/*.log"));
    EXPECT_THAT(upload("ignore = []").ignore, ElementsAre());
    EXPECT_EQ(upload("").ignore, model::UploadRules{}.ignore);

    std::string many = "ignore = [";
    for (int i = 0; i < 20; ++i) many += '"' + std::string(60, static_cast<char>('a' + i)) + "\", ";
    Files files = sound;
    files["PA1/module.toml"].insert(files["PA1/module.toml"].find("required"), many + "]\n");
    EXPECT_THAT(compile_files(files).error().text(), testing::HasSubstr("must not be longer than 993 bytes altogether"));
}

// What an author gets wrong is named with file, line and what to do about it.
TEST(Compile, NamesFileLineAndCure) {
    struct Case {
        const char* file;
        const char* from;
        const char* to;
        const char* error;
    };
    for (const Case& c : {
             Case{"PA1/module.toml", "memory = \"512", "memroy = \"512",
                  "PA1/module.toml:14: unknown key 'memroy' in limits of stage 'build'; did you mean 'memory'?"},
             {"PA1/module.toml", "[upload]", "[uplaod]",
              "PA1/module.toml:6: unknown key 'uplaod' in module.toml; did you mean 'upload'?"},
             {"PA1/module.toml", "id = \"PA1\"", "", "PA1/module.toml:1: [module] lacks 'id'"},
             {"PA1/module.toml", "id = \"PA1\"", "id = \"a/b\"", "PA1/module.toml:2: id in [module]: must be 1 to 64"},
             {"PA1/module.toml", "id = \"PA1\"", "id = 3", "must be text in quotes, not a whole number"},
             {"PA1/module.toml", "\"64 MiB\"", "\"64 MB iB\"", "PA1/module.toml:7: unpacked_max in [upload]: "},
             {"PA1/module.toml", "entries_max = 5000", "entries_max = 0", "whole number from 1 to 1000000"},
             {"PA1/module.toml", "entries_max = 5000", "entries_max = \"5000\"", "whole number"},
             {"PA1/module.toml", "cpu = \"60 s\"", "cpu = 60", "must be text in quotes"},
             {"PA1/module.toml", "opens = 2026-09-01T00:00:00+08:00", "opens = \"2026-09-01\"",
              "must be a date without quotes"},
             {"PA1/module.toml", "opens = 2026", "opens = 2027", "must be before `due`"},
             {"PA1/module.toml", "opens = 2026-09-01T00:00:00+08:00", "closes = 2026-01-01",
              "must not be before `due`"},
             {"PA1/module.toml", "opens", "late = 1\nopens", "late must be a table"},
             {"PA1/module.toml", "opens", "late = { per_day = 2 }\nopens", "PA1/module.toml:3: per_day in late: must be a number from 0 to 1"},
             {"PA1/module.toml", "opens", "late = { grace = 60 }\nopens", "must be text in quotes"},
             {"PA1/module.toml", "opens", "late = { perday = 0.1 }\nopens", "did you mean 'per_day'?"},
             {"PA1/module.toml", "due = 2026-10-15T23:59:59", "late = { per_day = 0.1 }", "without `due` nothing is late"},
             {"PA1/module.toml", "opens", "upload_grace = \"40 d\"\nopens", "must be from"},
             {"PA1/module.toml", "required", "ignore = [\"../*.o\"]\nrequired", "without . or .."},
             {"PA1/module.toml", "required", "symlinks = \"follow\"\nrequired", "symlinks"},
             {"PA1/module.toml", "required", "names = \"gbk\"\nrequired", "names"},
             {"PA1/module.toml", "required", "rate = \"0/min\"\nrequired", "must be like \"30/min\""},
             {"PA1/module.toml", "required", "rate = \"30/fortnight\"\nrequired", "must be like \"30/min\""},
             {"PA1/module.toml", "required", "rate = \"30\"\nrequired", "must be like \"30/min\""},
             {"PA1/module.toml", "required", "rate = \"30 /min\"\nrequired", "must be like \"30/min\""},
             {"PA1/module.toml", "required", "formats = [\"rar\"]\nrequired", "'rar' is none of tar"},
             {"PA1/module.toml", "required", "formats = []\nrequired", "one format at least"},
             {"PA1/module.toml", "[\"Makefile\"]", "[\"../Makefile\"]", "without . or .."},
             {"PA1/module.toml", "[upload]", "[environment]\nimage = \"-x\"\n[upload]", "the name of an imported image"},
             {"PA1/module.toml", "cpu = \"60 s\"", "io = \"1 GiB\"", "this version cannot limit io yet"},
             {"PA1/module.toml", "cpu = \"60 s\"", "cores = 2", "number of cores yet"},
             {"PA1/module.toml", "\"make -j2", "\"make | tee", "'|' would need a shell"},
             {"PA1/module.toml", "name = \"build\"", "name = \"Build\"", "must be 1 to 64 of a-z 0-9 _ -"},
             {"PA1/module.toml", "name = \"build\"", "name = \"tests\"", "there is a stage 'tests' already"},
             {"PA1/module.toml", "name = \"build\"", "name = \"build\"\ntrusted = true",
              "the first stage cannot be trusted"},
             {"PA1/module.toml", "name = \"build\"", "name = \"build\"\nreport = \"results.json\"",
              "only a trusted stage reports"},
             {"PA1/module.toml", "name = \"build\"", "name = \"build\"\npoints = 3",
              "only a stage with tests or with a report"},
             {"PA1/module.toml", "name = \"build\"", "name = \"build\"\ntests = \"tests/*.toml\"",
              "either 'run' or 'tests'"},
             {"PA1/module.toml", "name = \"tests\"", "name = \"tests\"\ntrusted = true", "cannot be trusted"},
             {"PA1/module.toml", "tests/*.toml", "test/*.toml", "no file of the module matches 'test/*.toml'"},
             {"PA1/module.toml", "tests/*.toml", "../*.toml", "must be a relative path"},
             {"PA1/module.toml", "results.json", "results.txt", "'results.txt' does not tell its format"},
             {"PA1/module.toml", "report = \"results.json\"", "format = \"tap\"", "it needs `report`"},
             {"PA1/module.toml", "report = \"results.json\"", "report = \"x.json\"\nformat = \"exit\"", "an exit code needs no file"},
             {"PA1/module.toml", "report = \"results.json\"", "report = \"x\"\nformat = \"tab\"", "did you mean 'tap'?"},
             {"PA1/module.toml", "name = \"build\"", "name = \"build\"\nformat = \"exit\"", "only a trusted stage reports"},
             {"PA1/module.toml", "results.json", "a/results.json", "must be a file name"},
             {"PA1/module.toml", "[[stage]]", "[stage]", "PA1/module.toml"},
             {"PA1/module.toml", "[[stage]]", "[[[stage", "PA1/module.toml:11"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "compare = \"regex\"\nstdout = \"a(b\"",
              "PA1/tests/a.toml:16: stdout in [[test]]: no pattern: missing ): a(b"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "compare = \"whitespce\"", "did you mean 'whitespace'?"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "files = { \"out\" = \"x\" }",
              "there is no file 'x' in the module"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "files = { \"../out\" = \"tests/data/in\" }",
              "'../out' must be a relative path inside /work"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "files = { \"/out\" = \"tests/data/in\" }",
              "'/out' must be a relative path"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "files = { \"out\" = 1 }", "must name a file of the module"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "files = \"out\"", "must be a table of 1 to 32 files"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "checker = \"x.py\"",
              "PA1/tests/a.toml:15: checker in [[test]]: there is no file 'x.py' in the module"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "checker = \"tests/data/in\"", "a path alone must end in .py or .sh"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "checker = \"python3 /grader/x.py\"", "there is no file 'x.py'"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "checker = \"grader/score.py | tee\"", "'|' would need a shell"},
             {"PA1/tests/a.toml", "compare", "checker = \"grader/score.py\"\ncompare", "does not go with compare = \"whitespace\""},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "compare = \"checker\"", "needs the key 'checker'"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"",
              "checker = \"grader/score.py\"\nfiles = { \"out\" = \"tests/data/in\" }", "a checker judges what was printed"},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "tolerance = 0.1", "it belongs to compare = \"float\""},
             {"PA1/tests/a.toml", "compare = \"whitespace\"", "compare = \"float\"\ntolerance = -1", "must be a number from 0"},
             {"PA1/tests/a.toml", "points = 2", "points = -1",
              "PA1/tests/a.toml:10: points in [[test]]: must be a number from 0"},
             {"PA1/tests/a.toml", "points = 2", "points = nan", "must be a number"},
             {"PA1/tests/a.toml", "name = \"from a file\"", "name = \"adds\"", "a second test named 'adds'"},
             {"PA1/tests/a.toml", "name = \"from a file\"", "name = \"from a file\"\nstdin = \"\"",
              "give either stdin or stdin_file"},
             {"PA1/tests/a.toml", "tests/data/in", "../course.toml", "there is no file '../course.toml' in the module"},
             {"PA1/tests/a.toml", "exit_code = 7", "exit_code = 256", "from 0 to 255"},
             {"PA1/tests/b.toml", "run = \"./calc\"", "", "test 'last' has nothing to run"},
             {"PA1/tests/b.toml", "name = \"last\"", "name = \"adds\"",
              "PA1/tests/b.toml:1: a second test named 'adds'"},
             {"course.toml", "Asia/Shanghai", "../../etc/passwd", "course.toml:4: timezone in [course]: "},
             {"course.toml", "\"zh\"", "\"fr\"", "must be one of en, zh"},
             {"course.toml", "title", "titel", "did you mean 'title'?"},
             {"course.toml", "[course]", "[kurs]", "unknown key 'kurs'"},
         }) {
        EXPECT_THAT(error_with(c.file, c.from, c.to), HasSubstr(c.error)) << c.from << " -> " << c.to;
    }
}

// What is written to a disk is no memory: neither its size nor that of its tests hangs on memory then.
TEST(Compile, ScratchOnDiskIsForUntrustedStagesAndTheirTests) {
    const auto compiled = with("PA1/module.toml", "points = 3\nlimits = { memory = \"256 MiB\", disk = \"40 MiB\" }",
                               "points = 3\nscratch = \"disk\"\nlimits = { memory = \"256 MiB\", disk = \"20 GiB\" }");
    ASSERT_TRUE(compiled) << compiled.error().text();
    const auto& stages = compiled->modules[0].plan.stages;
    EXPECT_FALSE(stages[0].scratch);
    EXPECT_TRUE(stages[1].scratch_on_disk());
    EXPECT_EQ(stages[1].tests[0].limits.memory_bytes, 64 << 20);
    EXPECT_EQ(stages[1].tests[0].limits.disk_bytes, 20LL << 30);
    const auto back = model::plan_from_json(model::to_json(compiled->modules[0].plan));
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_TRUE(back->stages[1].scratch_on_disk());

    const auto memory = with("PA1/module.toml", "points = 3", "points = 3\nscratch = \"memory\"");
    ASSERT_TRUE(memory);
    EXPECT_EQ(model::to_json(memory->modules[0].plan), model::to_json(compile_files(sound)->modules[0].plan))
        << "no other plan than without it";
    EXPECT_THAT(error_with("PA1/module.toml", "points = 3", "scratch = \"ssd\""),
                HasSubstr("must be one of memory, disk"));
    EXPECT_THAT(error_with("PA1/module.toml", "trusted = true", "trusted = true\nscratch = \"disk\""),
                HasSubstr("a trusted stage and its guests write to memory"));
}

TEST(Compile, NeedsACourseAndUniqueModules) {
    EXPECT_THAT(compile_files({{"PA1/module.toml", ""}}).error().text(), HasSubstr("there is no course.toml"));
    Files files = sound;
    files["PA2/module.toml"] = files["PA1/module.toml"];
    files["PA2/tests/a.toml"] = files["PA1/tests/b.toml"];
    EXPECT_THAT(compile_files(files).error().text(), HasSubstr("another folder has the module id 'PA1' already"));
    files["PA2/module.toml"] = "[module]\nid = \"PA2\"\n";
    EXPECT_THAT(compile_files(files).error().text(), HasSubstr("at least one [[stage]]"));
}

TEST(Compile, SaysWhatItPassesOver) {
    Files files = sound;
    files["notes/todo.txt"] = "";
    files["course.toml"] = "[course]\nid = \"ICS\"\n";
    const std::string points = "points = 3\n";
    files["PA1/module.toml"].erase(files["PA1/module.toml"].find(points), points.size());
    const auto compiled = compile_files(files);
    ASSERT_TRUE(compiled) << compiled.error().text();
    EXPECT_EQ(compiled->course.timezone, "Europe/Berlin");
    EXPECT_THAT(compiled->warnings, ElementsAre(HasSubstr("dates are in the server's, Europe/Berlin"),
                                                HasSubstr("the tests of stage 'tests' count 0 points"),
                                                HasSubstr("notes has no module.toml")));
}

// Whoever may hand in more than the scorer can hold would make a fault of the grader.
TEST(Compile, SaysWhenATrustedStageMayNotHoldTheSubmission) {
    const auto compiled = with("PA1/module.toml", "trusted = true", "trusted = true\nlimits = { memory = \"64 MiB\" }");
    ASSERT_TRUE(compiled) << compiled.error().text();
    EXPECT_THAT(compiled->warnings, ElementsAre(HasSubstr("stage 'score' finds the submission in its memory, 64 MiB")));
}

TEST(Compile, BoundsTests) {
    Files files = sound;
    std::string many = "[defaults]\nrun = \"x\"\n";
    for (int i = 0; i < 2001; ++i) many += "[[test]]\nname = \"" + std::to_string(i) + "\"\n";
    files["PA1/tests/a.toml"] = many;
    EXPECT_THAT(compile_files(files).error().text(), HasSubstr("at most 2000 tests"));
    files["PA1/tests/a.toml"] = sound.at("PA1/tests/a.toml");
    files["PA1/tests/data/in"] = std::string((16 << 20) + 1, 'x');
    EXPECT_THAT(compile_files(files).error().text(), HasSubstr("larger than 16 MiB"));
}

}  // namespace
}  // namespace assay::course
