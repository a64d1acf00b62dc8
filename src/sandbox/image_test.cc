// A root that somebody else made: what a command sees of it, and what it cannot make us do.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "sandbox/fixture.hh"
#include "sys/file.hh"
#include "sys/random.hh"

namespace assay::sandbox::testing {
namespace {

namespace fs = std::filesystem;

const std::string digest(64, 'a');

// A data directory with one image: a shell, and what every import makes sure of.
class Image : public SandboxTest {
protected:
    void SetUp() override {
        SandboxTest::SetUp();
        if (IsSkipped()) return;
        if (::access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "needs busybox-static";
        data_ = fs::temp_directory_path() / ("assay-image-" + sys::random_text(8, "abcdef"));
        root_ = data_ / "images" / digest / "root";
        for (const char* const folder : {"bin", "etc", "var/tmp", "opt/tool"}) fs::create_directories(root_ / folder);
        for (const char* const name : {"passwd", "group", "hosts", "nsswitch.conf", "hostname", "resolv.conf"}) put(std::string{"etc/"} + name, "of the image\n");
        fs::copy("/bin/busybox", root_ / "bin/busybox");
        for (const char* const name : {"sh", "cat", "ls", "id", "touch", "readlink"}) fs::create_symlink("busybox", root_ / "bin" / name);
        restart(true, data_);
    }
    void TearDown() override {
        SandboxTest::TearDown();
        if (!data_.empty()) fs::remove_all(data_);
    }
    void put(const std::string& path, const std::string& text) { std::ofstream{root_ / path} << text; }

    std::string printed(const std::string& script) {
        Result<Job> job = client_->open_job(0, 256LL << 20, digest);
        if (!job) return job.error().text();
        Result<Finished> done = job->run(shell(script));
        if (!done) return done.error().text();
        return done->outcome.output.text() + done->outcome.errors.text();
    }

    fs::path data_;
    fs::path root_;
};

TEST_F(Image, IsAllThatACommandSees) {
    put("opt/tool/readme", "from the image\n");
    put("etc/motd", "welcome\n");
    EXPECT_EQ(printed("cat /opt/tool/readme /etc/motd; ls /"), "from the image\nwelcome\nbin\ndev\netc\nopt\nproc\ntmp\nvar\nwork\n");
    EXPECT_EQ(printed("id -un; cat /etc/hostname; ls /usr 2>&1"), "student\nassay\nls: /usr: No such file or directory\n");
}

TEST_F(Image, IsNeverWrittenTo) {
    ::chmod((root_ / "opt/tool").c_str(), 0777);
    EXPECT_EQ(printed("touch /opt/tool/x /etc/x /x 2>&1 | cat; touch /work/x /tmp/x /var/tmp/x /dev/shm/x && echo scratch"),
              "touch: /opt/tool/x: Read-only file system\ntouch: /etc/x: Read-only file system\ntouch: /x: Read-only file system\nscratch\n");
    EXPECT_FALSE(fs::exists(root_ / "opt/tool/x"));
}

// Whoever made the image chose these names to be followed by whoever mounts over them.
TEST_F(Image, NamesOfOursAreOursWhateverTheyAreInIt) {
    for (const char* const name : {"dev", "proc", "tmp", "work", "assay", "sys"}) fs::create_symlink("/opt/tool", root_ / name);
    EXPECT_EQ(printed("ls /opt/tool; cat /dev/null; readlink /tmp; readlink /work; ls -d /proc/self; pwd"), "/proc/self\n/work\n");
}

TEST_F(Image, ALinkWhereWeMountIsRefused) {
    fs::remove(root_ / "var/tmp");
    fs::create_symlink("/opt/tool", root_ / "var/tmp");
    EXPECT_THAT(printed("echo ran"), ::testing::HasSubstr("var/tmp"));
    fs::remove(root_ / "var/tmp");
    fs::create_directory(root_ / "var/tmp");
    fs::remove(root_ / "etc/passwd");
    fs::create_symlink("/opt/tool", root_ / "etc/passwd");
    EXPECT_THAT(printed("echo ran"), ::testing::HasSubstr("etc/passwd"));
}

TEST_F(Image, SetuidMeansNothing) {
    ::chmod((root_ / "bin/busybox").c_str(), 04755);
    EXPECT_EQ(printed("id -u"), "1000\n");
}

TEST_F(Image, OneThatIsGoneIsSaidToBeMissing) {
    const Result<Job> job = client_->open_job(0, 64LL << 20, std::string(64, 'b'));
    ASSERT_FALSE(job);
    EXPECT_EQ(job.error().fault(), Fault::missing);
    EXPECT_EQ(job.error().text(), "the image bbbbbbbbbbbb is not there");
    EXPECT_FALSE(client_->open_job(1, 64LL << 20, "../../etc"));
}

TEST_F(Image, ABindGoesWhereTheImageHasAFolderOrNothing) {
    const auto bound = [&](const std::string& inside) {
        const sys::Fd directory = sys::open_directory((root_ / "opt").string()).value();
        Result<Job> job = client_->open_job(0, 256LL << 20, digest);
        if (!job) return job.error().text();
        Request wanted = shell("ls " + inside);
        wanted.binds.push_back({.directory = directory.get(), .inside = inside, .writable = false});
        Result<Finished> done = job->run(wanted);
        return done ? done->outcome.output.text() : done.error().text();
    };
    EXPECT_EQ(bound("/data/set"), "tool\n");
    EXPECT_EQ(bound("/opt/tool"), "tool\n");
    EXPECT_THAT(bound("/opt/new"), ::testing::HasSubstr("is not in the image"));
}

}  // namespace
}  // namespace assay::sandbox::testing
