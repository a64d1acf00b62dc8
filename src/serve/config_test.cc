#include "serve/config.hh"

#include <gtest/gtest.h>

#include "sandbox/sandbox.hh"

namespace assay::serve {
namespace {

TEST(Config, LaterSourcesWin) {
    const auto file = settings_from_toml("listen = \"127.0.0.1:1\"\nslots = 3\ncpu_weight = 50\n", "assay.toml");
    ASSERT_TRUE(file) << file.error().text();
    const char* const environment[] = {"ASSAY_SLOTS=4", "ASSAY_OTHER=x", nullptr};
    const auto config = config_from({*file, settings_from_environment(environment)}, false);
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(config->listen, "127.0.0.1:1");
    EXPECT_EQ(config->slots, 4);
    EXPECT_EQ(config->clients, "");
    EXPECT_EQ(config_from({{{"clients", "/srv/clients"}}}, false)->clients, "/srv/clients");
    EXPECT_EQ(config->cpu_weight, 50);
    EXPECT_EQ(config_from({{{"cpu_weight", "idle"}}}, false)->cpu_weight, 0);
    EXPECT_EQ(config_from({}, false)->cpu_weight, 0);
    EXPECT_EQ(config_from({}, false)->jobs_group, "");
    EXPECT_EQ(config_from({{{"jobs_group", "assay-jobs@2.service"}}}, false)->jobs_group, "assay-jobs@2.service");
    EXPECT_EQ(config_from({}, false)->disk_reads.mib_per_s, sandbox::DiskPace{}.mib_per_s);
    const auto slow = config_from({{{"disk_read_mib_per_s", "8"}, {"disk_reads_per_s", "0"}}}, false);
    EXPECT_EQ(slow->disk_reads.mib_per_s, 8);
    EXPECT_EQ(slow->disk_reads.reads_per_s, 0);
    EXPECT_EQ(config_from({}, false)->scratch_disk_mib_max, 0);
    EXPECT_EQ(config_from({{{"scratch_disk_mib_max", "20480"}}}, false)->scratch_disk_mib_max, 20480);
}

TEST(Config, NamesWhatIsWrong) {
    const auto unknown = settings_from_toml("\nslot = 3\n", "assay.toml");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().text(), "assay.toml:2: unknown key 'slot'; did you mean 'slots'?");
    for (const auto& [key, value] : {std::pair{"slots", "-1"},
                                     {"slots", "many"},
                                     {"cpu_weight", "0"},
                                     {"cpu_weight", "10001"},
                                     {"cpu_weight", "busy"},
                                     {"jobs_group", "../assay-jobs.service"},
                                     {"jobs_group", "system.slice/x"},
                                     {"jobs_group", "a b"},
                                     {"disk_read_mib_per_s", "1000001"},
                                     {"disk_read_mib_per_s", "3"},
                                     {"disk_reads_per_s", "-1"},
                                     {"disk_reads_per_s", "99"},
                                     {"scratch_disk_mib_max", "20 GiB"},
                                     {"scratch_disk_mib_max", "4194305"},
                                     {"disk_reserve", "1 KiB"},
                                     {"uploads_in_flight", "1 MiB"},
                                     {"listen", "nowhere"},
                                     {"public_url", "ftp://x"},
                                     {"data", ""}}) {
        const auto config = config_from({{{key, value}}}, false);
        ASSERT_FALSE(config) << key << '=' << value;
        EXPECT_TRUE(config.error().text().starts_with(key)) << config.error().text();
    }
}

TEST(Config, SaysWhereAWrongValueStands) {
    const auto file = settings_from_toml("listen = \"127.0.0.1:1\"\nslots = -1\n", "assay.toml");
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_TRUE(config_from({*file}, false).error().text().starts_with("assay.toml:2: slots: '-1' is not")) << config_from({*file}, false).error().text();
    // Also when a later source would have put it right.
    EXPECT_FALSE(config_from({*file, {{"slots", "2"}}}, false));
    const char* const environment[] = {"ASSAY_PUBLIC_URL=ftp://x", nullptr};
    EXPECT_TRUE(config_from({settings_from_environment(environment)}, false).error().text().starts_with("ASSAY_PUBLIC_URL: public_url: 'ftp://x'"));
}

TEST(Config, NamesVariablesThatLookMisspelt) {
    const char* const environment[] = {"ASSAY_SLOT=4", "ASSAY_SLOTS=4", "ASSAY_TOKEN=x", "ASSAY_SERVER=y", "ASSAY_COURSE=c", "ASSAY_MODULE=m", "ASSAY_PORT_8080_TCP_ADDR=10.0.0.1", "PATH=/bin", nullptr};
    const auto mistaken = mistaken_variables(environment);
    ASSERT_EQ(mistaken.size(), 1U);
    EXPECT_EQ(mistaken.front().name, "ASSAY_SLOT");
    EXPECT_EQ(mistaken.front().meant, "ASSAY_SLOTS");
}

TEST(AdmissionTable, SetsWhatItNamesAndRefusesWhatCannotBe) {
    const auto read = [](const std::string& text) { return thresholds_from_toml("[admission]\n" + text, "assay.toml"); };
    const auto set = read("kill_available = 0.05\ncalm_for = \"30s\"\nkill_refaults_per_s = 500");
    ASSERT_TRUE(set) << set.error().text();
    EXPECT_DOUBLE_EQ(set->kill_available, 0.05);
    EXPECT_EQ(set->calm_for, std::chrono::seconds{30});
    EXPECT_DOUBLE_EQ(set->kill_refaults_per_s, 500);
    EXPECT_DOUBLE_EQ(set->stall_some, admission::Thresholds{}.stall_some);
    EXPECT_TRUE(thresholds_from_toml("slots = 2", "assay.toml"));
    for (const char* const wrong : {"kill_available = 2", "kill_available = \"much\"", "calm_for = 3", "calm_for = \"1ms\"", "kil_available = 0.05",
                                    "kill_available = 0.5", "sync_slow = \"20s\"", "low_available = 0.01"}) {
        const auto refused = read(wrong);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_TRUE(refused.error().text().starts_with("assay.toml:")) << refused.error().text();
    }
    EXPECT_TRUE(read("kil_available = 0.05").error().text().contains("did you mean 'kill_available'"));
    EXPECT_TRUE(settings_from_toml("[admission]\nkill_available = 0.05", "assay.toml"));
}

// A machine may have more cores than there can be sandboxes at once: it grades in as many as there can be.
TEST(Config, SlotsAreNeverMoreThanTheSandboxHas) {
    const struct {
        int slots, cores_per_slot, cores, expected;
    } cases[] = {
        {.slots = 0, .cores_per_slot = 0, .cores = 63, .expected = 63},
        {.slots = 0, .cores_per_slot = 0, .cores = 64, .expected = 64},
        {.slots = 0, .cores_per_slot = 0, .cores = 65, .expected = 64},
        {.slots = 0, .cores_per_slot = 0, .cores = 384, .expected = 64},
        {.slots = 10, .cores_per_slot = 0, .cores = 384, .expected = 10},
        {.slots = 0, .cores_per_slot = 1, .cores = 65, .expected = 64},
        {.slots = 0, .cores_per_slot = 1, .cores = 66, .expected = 64},
        {.slots = 0, .cores_per_slot = 2, .cores = 256, .expected = 64},
        {.slots = 0, .cores_per_slot = 4, .cores = 256, .expected = 63},
        {.slots = 64, .cores_per_slot = 1, .cores = 128, .expected = 64},
    };
    for (const auto& [slots, cores_per_slot, cores, expected] : cases) {
        const auto made = slots_of({.slots = slots, .cores_per_slot = cores_per_slot}, cores);
        ASSERT_TRUE(made) << cores;
        EXPECT_EQ(*made, expected) << cores << " cores, slots = " << slots << ", cores_per_slot = " << cores_per_slot;
        EXPECT_LE(*made, sandbox::slots_max);
    }
    EXPECT_FALSE(config_from({{{"slots", "65"}}}, false));
}

TEST(Config, SlotsWithCoresOfTheirOwnLeaveOneForTheServer) {
    EXPECT_EQ(slots_of({}, 4).value(), 4);
    EXPECT_EQ(slots_of({.slots = 9}, 4).value(), 9);
    EXPECT_EQ(slots_of({.cores_per_slot = 1}, 4).value(), 3);
    EXPECT_EQ(slots_of({.cores_per_slot = 2}, 8).value(), 3);
    EXPECT_EQ(slots_of({.slots = 1, .cores_per_slot = 2}, 8).value(), 1);
    const auto many = slots_of({.slots = 4, .cores_per_slot = 1}, 4);
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().text(),
              "cores_per_slot: 1 for each of 4 slots, and one for the server, are more than the 4 of this machine; set slots to at most 3");
    const auto none = slots_of({.cores_per_slot = 1}, 1);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().text(), "cores_per_slot: 1 for each of 1 slots, and one for the server, are more than the 1 of this machine; leave it out");
}

}  // namespace
}  // namespace assay::serve
