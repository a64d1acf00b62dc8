// What stages hand to each other: the submission, sealed states, the trusted stage's world and its report.
#include "sandbox/fixture.hh"
#include "sys/file.hh"

namespace assay::sandbox::testing {
namespace {

class Stage : public SandboxTest {
protected:
    static Request sealed(const std::string& script, std::string stage) {
        Request request = shell(script, std::move(stage));
        request.seal = true;
        return request;
    }
    static Request trusted(const std::string& script) {
        Request request = shell(script, "score");
        request.trust = Trust::trusted;
        request.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/out"};
        return request;
    }
};

TEST_F(Stage, SubmissionIsUnpackedIntoTheFirstStage) {
    const sys::Fd tree = archive("s/a=one\ns/d/\ns/d/b=two\nt/c=three\n");
    Request wanted = shell("ls -l a | cut -c1-10; cat a d/b; ls; touch d/new");
    wanted.submission = Fill{.archive = tree.get(), .prefix = "s/"};
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.exit_code, 0) << done.outcome.errors.head;
    EXPECT_EQ(done.outcome.output.head, "-rwxr-xr-x\nonetwoa\nd\n");
}

// What unpacks has its keeper's descriptors at first, and is under the stage's limits as well.
TEST_F(Stage, AFewOpenFilesAreEnoughToUnpack) {
    const sys::Fd tree = archive("a=one\nd/\nd/b=two\n");
    Request wanted = shell("cat a d/b; ulimit -n");
    wanted.submission = Fill{.archive = tree.get(), .prefix = ""};
    wanted.limits.open_files = 8;
    const Finished done = run(wanted);
    EXPECT_EQ(done.outcome.output.head, "onetwo8\n") << done.outcome.errors.head;
}

TEST_F(Stage, EachRunStartsFromTheSealedStateAndItsOwnWritesVanish) {
    Job job = open_job();
    const sys::Fd tree = archive("a=one\nkeep/\nkeep/x=x\nkeep/y=y\n");
    Request first = sealed("echo built > b; echo junk > /tmp/junk; echo junk > /dev/shm/junk", "build");
    first.submission = Fill{.archive = tree.get(), .prefix = ""};
    EXPECT_EQ(run(job, first).outcome.exit_code, 0);

    for (int i = 0; i < 2; ++i) {  // The second finds what the first found.
        const Finished done = run(job, shell("ls; ls /tmp /dev/shm; cat a b; echo changed > a; rm b; touch new"));
        EXPECT_EQ(done.outcome.output.head, "a\nb\nkeep\n/dev/shm:\n\n/tmp:\nonebuilt\n") << done.outcome.errors.head;
        EXPECT_EQ(done.outcome.exit_code, 0);
    }
}

// A stage that is run again finds what it found the first time, and what it left then is nowhere.
TEST_F(Stage, ComesInPlaceOfItself) {
    Job job = open_job();
    const sys::Fd tree = archive("a=one\n");
    Request build = sealed("cat a; ls; echo changed > a; echo x > left", "build");
    build.submission = Fill{.archive = tree.get(), .prefix = ""};
    EXPECT_EQ(run(job, build).outcome.output.head, "onea\n");
    build.again = true;
    EXPECT_EQ(run(job, build).outcome.output.head, "onea\n");
    Request second = sealed("cat a; ls; rm a", "second");
    EXPECT_EQ(run(job, second).outcome.output.head, "changed\na\nleft\n");
    second.again = true;
    EXPECT_EQ(run(job, second).outcome.output.head, "changed\na\nleft\n");
    EXPECT_EQ(run(job, shell("ls")).outcome.output.head, "left\n");
    const Finished seen = run(job, trusted("ls /stages /stages/build"));
    EXPECT_EQ(seen.outcome.output.head, "/stages:\nbuild\nsecond\n\n/stages/build:\na\nleft\n")
        << seen.outcome.errors.head;

    build.submission.reset();
    EXPECT_FALSE(job.run(build));  // Another was sealed since.
    EXPECT_EQ(run(job, shell("ls")).outcome.output.head, "left\n");
}

// Deleting, replacing and renaming what lies in a state below must look like on any file system, and be kept by the next seal.
TEST_F(Stage, DeletionsAndRenamesLayer) {
    Job job = open_job();
    const sys::Fd tree = archive("gone=1\nd/\nd/a=1\nd/b=2\nr/\nr/f=old\n");
    Request first = sealed("true", "first");
    first.submission = Fill{.archive = tree.get(), .prefix = ""};
    (void)run(job, first);
    const Finished second = run(job, sealed("set -e; rm gone; rm -r d; mkdir d; echo 3 > d/c; mv r s; ls d s", "second"));
    EXPECT_EQ(second.outcome.exit_code, 0) << second.outcome.errors.head;
    EXPECT_EQ(second.outcome.output.head, "d:\nc\n\ns:\nf\n");
    EXPECT_EQ(run(job, shell("find . | sort | tr '\\n' ' '; cat s/f")).outcome.output.head, ". ./d ./d/c ./s ./s/f old");
    const Finished seen = run(job, trusted("cd /stages; find first second | sort | tr '\\n' ' '; cat second/s/f"));
    EXPECT_EQ(seen.outcome.output.head,
              "first first/d first/d/a first/d/b first/gone first/r first/r/f second second/d second/d/c second/s second/s/f old")
        << seen.outcome.errors.head;
}

// Sealed states count to the job alone: the next stage has its whole limit.
TEST_F(Stage, SealedStateDoesNotCrowdOutTheNextStage) {
    constexpr std::int64_t memory = 96 << 20;
    Job job = open_job(0, memory);
    Request first = sealed("head -c 60M /dev/zero > big", "build");
    first.limits.memory_bytes = memory;
    EXPECT_EQ(run(job, first).outcome.exit_code, 0);
    Request second = python("x = bytearray(70 << 20); print('fits')");
    second.limits.memory_bytes = memory;
    const Finished done = run(job, second);
    EXPECT_EQ(done.outcome.output.head, "fits\n");
    EXPECT_FALSE(done.outcome.oom_killed);
    second.command.back() = "x = bytearray(100 << 20)";
    EXPECT_TRUE(run(job, second).outcome.oom_killed);
}

TEST_F(Stage, WhatDoesNotFitIsToldWithItsReason) {
    const sys::Fd tree = archive("big=" + std::string(3 << 20, 'x') + "\n");
    Request wanted = shell("true");
    wanted.submission = Fill{.archive = tree.get(), .prefix = ""};
    wanted.limits.disk_bytes = 2 << 20;
    const Finished full = run(wanted);
    EXPECT_TRUE(full.fill_failed);
    EXPECT_TRUE(full.outcome.disk_full);
    EXPECT_FALSE(full.outcome.started);

    const sys::Fd more = archive("big=" + std::string(40 << 20, 'x') + "\n");
    wanted.submission->archive = more.get();
    wanted.limits.disk_bytes = 64 << 20;
    wanted.limits.memory_bytes = 24 << 20;
    const Finished bomb = run(wanted);
    EXPECT_TRUE(bomb.fill_failed);
    EXPECT_TRUE(bomb.outcome.oom_killed);
}

TEST_F(Stage, TrustedStageSeesItsWorldReadOnly) {
    Job job = open_job();
    const sys::Fd submission = archive("a=original\nevil@/etc/passwd\n");
    const sys::Fd bundle = archive("grader/score.py=print('scored')\nother/x=1\n");
    Request first = sealed("echo changed > a; ln -s a link; echo made > out", "build");
    first.submission = Fill{.archive = submission.get(), .prefix = ""};
    EXPECT_EQ(run(job, first).outcome.exit_code, 0);

    Request wanted = trusted("pwd; python3 /grader/score.py; ls /grader /stages /submission; cat /submission/a /stages/build/a; "
                             "for f in /submission/evil /stages/build/link; do cat $f; done; "
                             "for d in /grader /submission /stages /stages/build /; do touch $d/new; done; "
                             "cp /bin/true true; ./true && echo ran; /grader/score.py; env | sort");
    wanted.submission = Fill{.archive = submission.get(), .prefix = ""};
    wanted.grader = Fill{.archive = bundle.get(), .prefix = "grader/"};
    const Finished done = run(job, wanted);
    EXPECT_EQ(done.outcome.output.head,
              "/out\nscored\n/grader:\nscore.py\n\n/stages:\nbuild\n\n/submission:\na\nevil\noriginalchanged\nran\nHOME=/out\n"
              "PATH=/usr/local/bin:/usr/bin:/bin\nPWD=/out\n");
    const std::string& errors = done.outcome.errors.head;
    EXPECT_THAT(errors, ::testing::HasSubstr("/submission/evil: Too many levels"));
    EXPECT_THAT(errors, ::testing::HasSubstr("/stages/build/link: Too many levels"));
    for (const char* const place : {"/grader/new", "/submission/new", "/stages/build/new", "/new"}) {
        EXPECT_THAT(errors, ::testing::ContainsRegex(std::string{place} + "[^\n]*: (Read-only|Permission)"));
    }
    EXPECT_THAT(errors, ::testing::HasSubstr("/grader/score.py: Permission denied"));
}

// The grader's files count to the stage's memory, not to the `disk` of /out.
TEST_F(Stage, GraderMayBeLargerThanTheDiskOfItsStage) {
    Job job = open_job();
    const sys::Fd bundle = archive("grader/data=" + std::string(6 << 20, 'x') + "\n");
    Request wanted = trusted("wc -c < /grader/data");
    wanted.grader = Fill{.archive = bundle.get(), .prefix = "grader/"};
    wanted.limits.disk_bytes = 1 << 20;
    EXPECT_EQ(run(job, wanted).outcome.output.head, "6291456\n");
}

TEST_F(Stage, ReportIsHandedBackOnlyWhenItIsAPlainFile) {
    Job job = open_job();
    const auto report_of = [&](const std::string& script) {
        Request wanted = trusted(script);
        wanted.report = "results.json";
        const Finished done = run(job, wanted);
        EXPECT_EQ(done.outcome.exit_code, 0) << done.outcome.errors.head;
        return text_of_report(done);
    };
    EXPECT_EQ(report_of("echo '{}' > results.json"), "{}\n");
    EXPECT_EQ(report_of("true"), "(none)");
    EXPECT_EQ(report_of("mkfifo results.json"), "(none)");
    EXPECT_EQ(report_of("ln -s /etc/passwd results.json"), "(none)");
    EXPECT_EQ(report_of("mkdir results.json"), "(none)");
    EXPECT_EQ(report_of("head -c 5M /dev/zero > results.json"), "(none)");
    Request climbing = trusted("true");
    climbing.report = "../x";
    EXPECT_FALSE(job.run(climbing));
}

TEST_F(Stage, UntrustedStageSeesNothingOfTheTrustedWorld) {
    Job job = open_job();
    (void)run(job, sealed("true", "build"));
    const Finished done = run(job, shell("ls -d /grader /submission /stages /out"));
    EXPECT_EQ(done.outcome.output.head, "");
    Request wanted = shell("true");
    const sys::Fd bundle = archive("x=1\n");
    wanted.grader = Fill{.archive = bundle.get(), .prefix = ""};
    EXPECT_FALSE(job.run(wanted));
}

TEST_F(Stage, JobsSideBySideDoNotMeet) {
    Job one = open_job(0);
    Job two = open_job(1);
    EXPECT_FALSE(client_->open_job(1, 1 << 20));
    (void)run(one, sealed("echo secret > mine", "build"));
    (void)run(two, sealed("echo other > mine", "build"));
    EXPECT_EQ(run(one, shell("cat mine")).outcome.output.head, "secret\n");
    EXPECT_EQ(run(two, shell("cat mine")).outcome.output.head, "other\n");
}

}  // namespace
}  // namespace assay::sandbox::testing
