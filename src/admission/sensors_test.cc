#include "admission/sensors.hh"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace assay::admission {
namespace {

namespace fs = std::filesystem;

// A machine of files, as the kernel would show it.
class SensorsOfFiles : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "assay-sensors-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = pattern;
        fs::create_directories(root_ / "pressure");
        write("meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n");
        write("vmstat", "workingset_refault_file 0\n");
    }
    void TearDown() override { fs::remove_all(root_); }

    void write(const std::string& name, const std::string& text) {
        fs::create_directories((root_ / name).parent_path());
        std::ofstream{root_ / name} << text;
    }
    void write_stalls(int memory_us) {
        for (const char* const name : {"cpu", "io"}) write(fmt::format("pressure/{}", name), "some total=0\nfull total=0\n");
        write("pressure/memory", fmt::format("some avg10=0 total={0}\nfull avg10=0 total={0}\n", memory_us));
    }
    HostFiles files() const { return {.proc = root_.string(), .jobs = (root_ / "jobs").string()}; }
    static sys::TimePoint at(double seconds) { return sys::TimePoint{1h} + std::chrono::duration_cast<sys::Duration>(std::chrono::duration<double>{seconds}); }

    fs::path root_;
};

TEST_F(SensorsOfFiles, SharesAreOfTheLastSecondHoweverOftenItLooks) {
    write_stalls(0);
    Sensors sensors{files(), 2, false};
    EXPECT_FALSE(sensors.look(at(0)).memory_stall) << "the first look has nothing to compare with";
    for (int i = 1; i <= 9; ++i) (void)sensors.look(at(i / 10.0));
    write_stalls(500'000);
    EXPECT_DOUBLE_EQ(sensors.look(at(1)).memory_stall->full, 0.5);
    EXPECT_DOUBLE_EQ(sensors.look(at(1.5)).memory_stall->full, 0.5);
    EXPECT_DOUBLE_EQ(sensors.look(at(2.5)).memory_stall->full, 0);
}

TEST_F(SensorsOfFiles, WithoutPressureFilesItIsBlindAndStillSeesMemory) {
    Sensors sensors{files(), 2, true};
    EXPECT_FALSE(sensors.has_pressure());
    EXPECT_TRUE(sensors.triggers().empty());
    const Samples samples = sensors.look(at(0));
    EXPECT_TRUE(samples.blind);
    EXPECT_DOUBLE_EQ(samples.memory->available_share(), 0.5);
}

TEST_F(SensorsOfFiles, AJobsGrowthIsAgainstItsLeastWithinHalfAMinute) {
    write_stalls(0);
    Sensors sensors{files(), 3, false};
    const auto hold = [&](int slot, int bytes) { write(fmt::format("jobs/job{}/memory.stat", slot), fmt::format("anon {}\nfile 7\n", bytes)); };
    hold(0, 1000);  // Was there before we looked: what it has is no growth.
    EXPECT_EQ(sensors.look(at(0)).jobs.at(0).grown_bytes, 0);
    hold(0, 1500);
    hold(2, 400);  // New: all of it is.
    Samples samples = sensors.look(at(10));
    ASSERT_EQ(samples.jobs.size(), 2u);
    EXPECT_EQ(samples.jobs[0].grown_bytes, 500);
    EXPECT_EQ(samples.jobs[1].slot, 2);
    EXPECT_EQ(samples.jobs[1].grown_bytes, 400);
    fs::remove_all(root_ / "jobs/job2");  // Its job ended, and the next one in that slot begins with nothing.
    EXPECT_EQ(sensors.look(at(20)).jobs.size(), 1u);
    hold(2, 300);
    EXPECT_EQ(sensors.look(at(30)).jobs.at(1).grown_bytes, 300);
    EXPECT_EQ(sensors.look(at(45)).jobs.at(0).grown_bytes, 0) << "what it held half a minute ago it still holds";
}

}  // namespace
}  // namespace assay::admission
