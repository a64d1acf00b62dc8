// What each kind of stall looks like in the recording, and beside each what is nearly it and must not be called so.
#include "diagnosis/incident.hh"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "recorder/example_frames.hh"

namespace assay::diagnosis {
namespace {

using wording::Figure;
using wording::Trouble;
constexpr std::int64_t start_ms = 1'790'000'000'000;
constexpr int calm_s = 300;
constexpr int stalled_s = 30;

Moment calm(int second) {
    Moment at{.at_ms = start_ms + second * 1000, .file_memory = 0.3};
    at.figures = {{Figure::memory_full, 0},   {Figure::io_full, 1},
                  {Figure::cpu_some, 5},      {Figure::refaults_per_s, 2},
                  {Figure::available, 40},    {Figure::disk_busy, 10},
                  {Figure::read_per_s, 0.2},  {Figure::written_per_s, 1},
                  {Figure::disk_wait_ms, 1},  {Figure::disk_requests_per_s, 30},
                  {Figure::flush_ms, 20},     {Figure::steal, 0},
                  {Figure::core_busiest, 40}, {Figure::loop_lag_ms, 2},
                  {Figure::late_ms, 0},       {Figure::told_age_ms, 5},
                  {Figure::commit_ms, 5},     {Figure::listen_overflows, 0},
                  {Figure::open_files, 3},    {Figure::uploads, 2},
                  {Figure::connections, 3}, {Figure::gap_s, 1},
                  {Figure::stopped_s, 0},     {Figure::clock_step_s, 0},
                  {Figure::limit_hits, 0},    {Figure::oom_kills, 0},
                  {Figure::throttled, 0},     {Figure::jobs_running, 2}};
    at.groups = {{.name = "/srv", .cpu = 0.1, .written = 1 << 20},
                 {.name = "/jobs/slot-0", .job = 7, .cpu = 0.5, .grown = 1 << 16}};
    return at;
}

struct Row {
    const char* name;
    Trouble trouble;          // the root
    bool stalls;              // else nothing is an incident at all
    const char* offender;     // within its name
    std::function<void(Moment&)> change;  // of the moments that stall
    Trouble never = Trouble::blackout;    // that must not be among the causes, when it is not `blackout`
};

std::vector<Moment> story(const Row& row) {
    std::vector<Moment> moments;
    for (int second = 0; second < calm_s + stalled_s + 60; ++second) {
        moments.push_back(calm(second));
        if (second >= calm_s && second < calm_s + stalled_s) row.change(moments.back());
    }
    return moments;
}

class Incidents : public testing::TestWithParam<Row> {};

TEST_P(Incidents, AreNamedWithWhoDidIt) {
    const Row& row = GetParam();
    const std::vector<Moment> moments = story(row);
    Stalls stalls;
    for (const Moment& at : moments) stalls.add(at);
    ASSERT_EQ(stalls.found().empty(), !row.stalls);
    if (!row.stalls) return;
    ASSERT_EQ(stalls.found().size(), 1u);
    const Incident incident = explain(moments, stalls.found().front());
    ASSERT_FALSE(incident.causes.empty());
    EXPECT_EQ(wording::to_string(incident.causes.front().trouble), wording::to_string(row.trouble));
    EXPECT_NE(incident.causes.front().offender.find(row.offender), std::string::npos)
        << incident.causes.front().offender;
    EXPECT_FALSE(incident.causes.front().evidence.empty());
    if (row.never != Trouble::blackout) {
        for (const Root& root : incident.causes)
            EXPECT_NE(wording::to_string(root.trouble), wording::to_string(row.never));
    }
}

void set(Moment& at, std::initializer_list<std::pair<const Figure, double>> figures) {
    for (const auto& [figure, value] : figures) at.figures[figure] = value;
}

const Row rows[] = {
    {"memory_thrash", Trouble::memory_thrash, true, "job 7",
     [](Moment& at) {
         set(at, {{Figure::refaults_per_s, 4700},
                  {Figure::memory_full, 34},
                  {Figure::io_full, 70},
                  {Figure::available, 2},
                  {Figure::read_per_s, 20},
                  {Figure::disk_busy, 97},
                  {Figure::loop_lag_ms, 30'000}});
         at.file_memory = 0.02;
         at.groups[1].grown = 20 << 20;
     },
     Trouble::disk_reader},
    {"cache_is_filled_anew", Trouble::cache_refill, true, "",
     [](Moment& at) { set(at, {{Figure::memory_full, 25}, {Figure::refaults_per_s, 1}, {Figure::available, 30}}); },
     Trouble::memory_thrash},
    {"job_at_its_limit", Trouble::job_at_limit, true, "job 7",
     [](Moment& at) {
         set(at, {{Figure::limit_hits, 40}, {Figure::oom_kills, 1}});
         at.groups[1].limited = 40;
         at.groups[0].grown = 8 << 20;  // and did not do it
     },
     Trouble::memory_thrash},
    {"disk_writer", Trouble::disk_writer, true, "job 7",
     [](Moment& at) {
         set(at, {{Figure::disk_busy, 99}, {Figure::written_per_s, 180}, {Figure::io_full, 60}});
         at.groups[1].written = 170 << 20;
     },
     Trouble::disk_reader},
    {"disk_reader", Trouble::disk_reader, true, "job 7",
     [](Moment& at) {
         set(at, {{Figure::disk_busy, 99}, {Figure::read_per_s, 180}, {Figure::io_full, 60}});
         at.groups[1].read = 170 << 20;
     },
     Trouble::disk_writer},
    {"disk_busy_for_nobody", Trouble::disk_reader, false, "",
     [](Moment& at) { set(at, {{Figure::disk_busy, 99}, {Figure::read_per_s, 180}, {Figure::io_full, 5}}); }},
    {"disk_slow", Trouble::disk_slow, true, "",
     [](Moment& at) { set(at, {{Figure::disk_wait_ms, 80}, {Figure::io_full, 50}, {Figure::disk_busy, 90}}); },
     Trouble::disk_writer},
    {"fsync_convoy", Trouble::fsync_convoy, true, "/srv",
     [](Moment& at) {
         set(at, {{Figure::flush_ms, 900}, {Figure::commit_ms, 700}, {Figure::io_full, 40}});
         at.blocked = {{.name = "jbd2[9]", .where = "jbd2_journal_commit_transaction", .frames = 5}};
     }},
    {"cpu_starved", Trouble::cpu_starved, true, "job 7",
     [](Moment& at) {
         set(at, {{Figure::cpu_some, 90}, {Figure::loop_lag_ms, 400}, {Figure::core_busiest, 100}});
         at.groups[1].cpu = 1.9;
     },
     Trouble::own_bug},
    {"processors_in_full_use", Trouble::cpu_starved, false, "", [](Moment& at) { set(at, {{Figure::cpu_some, 90}}); }},
    {"steal", Trouble::steal, true, "", [](Moment& at) { set(at, {{Figure::steal, 45}, {Figure::cpu_some, 80}}); },
     Trouble::cpu_starved},
    {"throttled", Trouble::cgroup_throttled, true, "",
     [](Moment& at) { set(at, {{Figure::throttled, 60}, {Figure::loop_lag_ms, 400}, {Figure::cpu_some, 10}}); },
     Trouble::own_bug},
    {"throttled_and_booked_now_and_then", Trouble::cgroup_throttled, true, "",
     [](Moment& at) {
         set(at, {{Figure::loop_lag_ms, 900}, {Figure::cpu_some, 99}, {Figure::gap_s, 0.2}, {Figure::throttled, 0}});
         if (at.at_ms / 1000 % 2 == 0) at.figures[Figure::throttled] = 180;
     },
     Trouble::cpu_starved},
    {"core_pinned", Trouble::core_pinned, true, "/srv",
     [](Moment& at) {
         set(at, {{Figure::core_busiest, 100}, {Figure::loop_lag_ms, 600}});
         at.groups[0].cpu = 1;
     },
     Trouble::own_bug},
    {"a_core_that_a_job_keeps_busy", Trouble::own_bug, true, "",
     [](Moment& at) {
         set(at, {{Figure::core_busiest, 100}, {Figure::loop_lag_ms, 600}});
         at.groups[1].cpu = 1;
     },
     Trouble::core_pinned},
    {"nfs", Trouble::nfs_slow, true, "",
     [](Moment& at) {
         set(at, {{Figure::waits_in_d, 3}, {Figure::io_full, 40}});
         at.blocked = {{.name = "cp[4]", .where = "rpc_wait_bit_killable<nfs4_proc", .frames = 9}};
     }},
    {"open_files", Trouble::descriptors_gone, true, "", [](Moment& at) { set(at, {{Figure::open_files, 99}}); }},
    {"many_open_files", Trouble::descriptors_gone, false, "", [](Moment& at) { set(at, {{Figure::open_files, 80}}); }},
    {"commits", Trouble::commit_stalled, true, "", [](Moment& at) { set(at, {{Figure::commit_ms, 3000}}); }},
    {"commits_a_little_slow", Trouble::commit_stalled, false, "",
     [](Moment& at) { set(at, {{Figure::commit_ms, 200}}); }},
    {"accept_queue", Trouble::accept_queue_full, true, "",
     [](Moment& at) { set(at, {{Figure::listen_overflows, 12}}); }},
    {"slow_clients", Trouble::slow_clients, true, "",
     [](Moment& at) { set(at, {{Figure::uploads, 800}, {Figure::connections, 900}}); }},
    {"a_deadline", Trouble::slow_clients, false, "", [](Moment& at) { set(at, {{Figure::uploads, 90}}); }},
    {"runner", Trouble::runner_lost, true, "", [](Moment& at) { at.runner_lost = true; }},
    {"image", Trouble::image_missing, true, "", [](Moment& at) { at.decisions.emplace_back("image"); }},
    {"disk_full", Trouble::disk_full, true, "", [](Moment& at) { at.decisions.emplace_back("disk_reserve"); }},
    {"clock", Trouble::clock_jump, true, "", [](Moment& at) { set(at, {{Figure::clock_step_s, 600}}); }},
    {"clock_is_corrected", Trouble::clock_jump, false, "", [](Moment& at) { set(at, {{Figure::clock_step_s, 0.4}}); }},
    {"blackout", Trouble::blackout, true, "", [](Moment& at) { set(at, {{Figure::gap_s, 40}}); }},
    {"restart", Trouble::server_stopped, true, "",
     [](Moment& at) {
         if (at.at_ms != start_ms + calm_s * 1000) return;
         set(at, {{Figure::gap_s, 7}, {Figure::stopped_s, 1.3e-07}});
         at.server_stopped = true;
     },
     Trouble::own_bug},
    {"restart_of_a_busy_machine", Trouble::server_stopped, true, "",
     [](Moment& at) {
         set(at, {{Figure::cpu_some, 74}, {Figure::core_busiest, 96}});
         if (at.at_ms == start_ms + calm_s * 1000) set(at, {{Figure::gap_s, 7}}), at.server_stopped = true;
     },
     Trouble::cpu_starved},
    {"restart_in_a_moment", Trouble::server_stopped, false, "", [](Moment& at) { at.server_stopped = true; }},
    {"restart_after_a_full_disk", Trouble::disk_full, true, "",
     [](Moment& at) {
         if (at.at_ms == start_ms + (calm_s + 9) * 1000) set(at, {{Figure::gap_s, 7}}), at.server_stopped = true;
         at.decisions.emplace_back("disk_reserve");
     }},
    {"restart_of_a_machine_that_slept", Trouble::blackout, true, "",
     [](Moment& at) { set(at, {{Figure::gap_s, 7}, {Figure::stopped_s, 60}}), at.server_stopped = true; }},
    {"our_own_fault", Trouble::own_bug, true, "", [](Moment& at) { set(at, {{Figure::loop_lag_ms, 900}}); }},
    {"late_in_a_moment_of_pressure", Trouble::cpu_starved, true, "job 7",
     [](Moment& at) {
         if (at.at_ms < start_ms + (calm_s + 4) * 1000) set(at, {{Figure::loop_lag_ms, 1200}, {Figure::cpu_some, 80}});
         else set(at, {{Figure::limit_hits, 0}});
         if (at.at_ms >= start_ms + (calm_s + 4) * 1000 && at.at_ms % 4000 == 0) set(at, {{Figure::loop_lag_ms, 1200}});
         at.groups[1].cpu = 1.9;
     },
     Trouble::own_bug},
    {"one_late_turn", Trouble::own_bug, false, "",
     [](Moment& at) {
         if (at.at_ms == start_ms + calm_s * 1000) set(at, {{Figure::loop_lag_ms, 300}});
     }},
    {"the_recorder_alone_is_late", Trouble::own_bug, false, "", [](Moment& at) { set(at, {{Figure::late_ms, 1500}}); }},
    {"late_beside_a_silent_server", Trouble::own_bug, true, "",
     [](Moment& at) {
         set(at, {{Figure::late_ms, 1500}});
         at.figures.erase(Figure::loop_lag_ms);
     }},
    {"calm", Trouble::own_bug, false, "", [](Moment&) {}},
};
INSTANTIATE_TEST_SUITE_P(Table, Incidents, testing::ValuesIn(rows), [](const auto& row) { return row.param.name; });

// The memory began it; that commits stalled after it is what came of it.
TEST(Incident, TellsRootsFromConsequences) {
    std::vector<Moment> moments;
    for (int second = 0; second < calm_s + 60; ++second) {
        moments.push_back(calm(second));
        Moment& at = moments.back();
        if (second >= calm_s) {
            set(at, {{Figure::refaults_per_s, 3000}, {Figure::memory_full, 40}, {Figure::available, 3}});
            at.file_memory = 0.05;
            at.groups[1].grown = 10 << 20;
        }
        if (second >= calm_s + 30) set(at, {{Figure::commit_ms, 4000}});
    }
    Stalls stalls;
    for (const Moment& at : moments) stalls.add(at);
    ASSERT_EQ(stalls.found().size(), 1u);
    const Incident incident = explain(moments, stalls.found().front());
    ASSERT_GE(incident.causes.size(), 2u);
    EXPECT_EQ(incident.causes[0].trouble, Trouble::memory_thrash);
    EXPECT_EQ(incident.causes[1].trouble, Trouble::commit_stalled);
    EXPECT_GT(incident.causes[1].since_ms, incident.causes[0].since_ms);
    EXPECT_EQ(incident.causes[0].evidence[2].worst, 3);    // of memory that is available the least is the worst
    EXPECT_EQ(incident.causes[0].evidence[2].usual, 40);
}

// Compilers that each live for four seconds, in no group that is recorded, beside a server that does a little.
std::string offender_beside_compilers(double cores) {
    std::vector<Moment> moments;
    for (int second = 0; second < calm_s + stalled_s; ++second) {
        moments.push_back(calm(second));
        if (second < calm_s) continue;
        Moment& at = moments.back();
        set(at, {{Figure::cpu_some, 90}, {Figure::loop_lag_ms, 400}});
        const int age = second % 4 + 1;
        at.tasks = {{.name = "cc1plus",
                     .pid = static_cast<std::uint64_t>(1000 + second / 4),
                     .born_ms = at.at_ms - age * 1000,
                     .cpu_s = age * cores},
                    {.name = "old", .pid = 9, .born_ms = start_ms - 1'000'000, .cpu_s = 90'000}};  // long ago
    }
    return explain(moments, {.from_ms = start_ms + calm_s * 1000, .to_ms = start_ms + (calm_s + stalled_s) * 1000})
        .causes.front()
        .offender;
}
TEST(Incident, NamesProcessesThatAreInNoGroup) {
    EXPECT_EQ(offender_beside_compilers(1.9), "cc1plus");
    EXPECT_EQ(offender_beside_compilers(0.4), "job 7 (/jobs/slot-0)");
}

TEST(Incident, ReadsFramesAsTheyWereRecorded) {
    const auto before = std::make_unique<recorder::Frame>();
    const auto now = std::make_unique<recorder::Frame>();
    recorder::fill_example(*before, 10, 3);
    recorder::fill_example(*now, 11, 3);
    Moment moment = moment_of(*before, *now, true);
    EXPECT_NEAR(moment.of(Figure::gap_s), 1, 0.01);
    EXPECT_NEAR(moment.of(Figure::available), 50, 1);
    EXPECT_EQ(moment.groups.size(), 2u) << "groups that did nothing are left out";
    Stalls stalls;
    stalls.add(moment);
    EXPECT_TRUE(stalls.found().empty());
    now->cgroups[1].job = 42;
    now->net.listen_overflows_total = now->net.listen_drops_total = 4;
    moment = moment_of(*before, *now, true);
    EXPECT_EQ(moment.of(Figure::listen_overflows), 4);
}

// A server's end and the next one's start leave a gap as a power cut does; a recorder alone that died, too.
TEST(Incident, KnowsARestartFromAPowerCut) {
    using recorder::EventKind;
    struct Case {
        const char* name;
        EventKind last;               // of the frame before the gap
        EventKind first;              // of the frame behind it, beside the recorder's own
        std::uint64_t first_second;   // when that was
        std::uint32_t boot;           // behind the gap
        bool with_server;             // behind the gap
        bool stopped;
    };
    const Case cases[] = {{"told to stop", EventKind::server_stopping, EventKind::none, 0, 7, true, true},
                          {"killed", EventKind::none, EventKind::none, 0, 7, true, true},
                          {"killed, and quick to begin", EventKind::job_ended, EventKind::server_started, 19, 7, true, true},
                          {"the recorder died", EventKind::none, EventKind::server_started, 2, 7, true, false},
                          {"the recorder died long after", EventKind::none, EventKind::job_started, 12, 7, true, false},
                          {"a recorder without a server", EventKind::none, EventKind::none, 0, 7, false, false},
                          {"another boot", EventKind::server_stopping, EventKind::none, 0, 8, true, false}};
    const auto note = [](recorder::Frame& frame, EventKind kind, std::uint64_t second) {
        if (kind == EventKind::none) return;
        *frame.events.add() = {.kind = static_cast<std::uint64_t>(kind), .monotonic_ns = (1'000 + second) * 1'000'000'000};
    };
    for (const Case& it : cases) {
        const auto before = std::make_unique<recorder::Frame>();
        const auto now = std::make_unique<recorder::Frame>();
        recorder::fill_example(*before, 10, 3);
        recorder::fill_example(*now, 20, 3);
        note(*before, it.last, 10);
        note(*now, it.first, it.first_second);
        note(*now, EventKind::boot, 20);
        now->boot = it.boot;
        if (!it.with_server) now->sections &= ~(std::uint64_t{1} << static_cast<unsigned>(recorder::Section::server));
        EXPECT_EQ(moment_of(*before, *now, true).server_stopped, it.stopped) << it.name;
    }
}

// What is nearly zero shows nothing.
TEST(Incident, TellsNoEvidenceThatIsNone) {
    const auto restart = std::ranges::find_if(rows, [](const Row& row) { return row.name == std::string_view{"restart"}; });
    const std::vector<Moment> moments = story(*restart);
    Stalls stalls;
    for (const Moment& at : moments) stalls.add(at);
    const Incident incident = explain(moments, stalls.found().front());
    ASSERT_EQ(incident.causes.size(), 1u);
    ASSERT_EQ(incident.causes[0].evidence.size(), 1u);
    EXPECT_EQ(incident.causes[0].evidence[0].figure, Figure::gap_s);
    EXPECT_EQ(incident.causes[0].evidence[0].worst, 7);
}

std::string clock_text(std::int64_t ms, const std::string&) { return std::to_string((ms - start_ms) / 1000); }

TEST(Incident, SpeaksToPeopleAndPrograms) {
    const std::vector<Moment> moments = story(rows[0]);
    Stalls stalls;
    for (const Moment& at : moments) stalls.add(at);
    const Incident incident = explain(moments, stalls.found().front());
    const std::string json = to_json(incident, wording::Language::english, "UTC", clock_text);
    EXPECT_NE(json.find("\"cause\": \"memory_thrash\""), std::string::npos);
    const auto lines = to_lines(incident, wording::Language::english, "UTC", clock_text);
    EXPECT_NE(lines[1].find("memory_thrash"), std::string::npos);
    EXPECT_NE(lines[2].find("job 7 (/jobs/slot-0), with +"), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace assay::diagnosis
