#include "cli/recorder_rows.hh"

#include <CLI/CLI.hpp>

#include <memory>

#include "cli/commands.hh"

namespace assay::cli {
namespace {

constexpr const char* record_footer =
    R"(A frame holds pressure, memory, reclaim, processors, disks, network and control groups, and while something is wrong the busiest
tasks and those that wait uninterruptibly. It is small and cheap: about 1 KB and half a millisecond. A server records by itself; this is
for machines without one.

  assay record --out before-lunch.rec --for 2h
  assay replay before-lunch.rec

What the host refuses (memory that stays, a place before others, to be killed last) is said at the start, and it goes on without.
Exit codes: 0 done, 1 failed, or frames did not reach the disk, 2 wrong usage.)";

constexpr const char* replay_footer =
    R"(TIME is 17:15:50, 2026-10-15 17:15:50, 2026-10-15T17:15:50+08:00, or -10min for so long ago. Rows and plots tell the worst moment of
each step; --json and --csv tell every frame. On a terminal rows can be scrolled.

  assay replay --at 17:15:50                 what led to it
  assay replay --from -2h --html look.html   a page to send to somebody
  assay replay FILE --json | jq .rates.memory_full_share

some: at least one task waited for it; full: all that could have run did. Exit codes: 0 done, 1 failed, or there is nothing, 2 wrong usage.)";

}  // namespace

void add_recorder_rows(CLI::App& app, ExitCode& code, const std::function<void(CLI::App&)>& add_data, const WithConfig& with_config) {
    const auto record = std::make_shared<RecordCommand>();  // lives as long as the table
    CLI::App* const recorded = app.add_subcommand("record", "Record what the machine does, through every freeze; without a server and without root");
    recorded->footer(record_footer);
    recorded->add_option("--out", record->out, "a file to record into (16 MiB, the oldest is overwritten)")->type_name("FILE");
    add_data(*recorded);
    recorded->add_option("--size", record->size, "of the file, or of the ring on the data directory's disk")->type_name("SIZE");
    recorded->add_option("--for", record->for_time, "how long (default: until Ctrl-C)")->type_name("TIME");
    recorded->add_option("--hz", record->hz, "frames a second (default: 1, and 5 for a minute after a sign of trouble)")->type_name("N");
    recorded->add_flag("--json", record->json, "print JSON at the end");
    recorded->callback([&code, with_config, record] {
        if (!record->out.empty()) {
            code = record_command(*record);
            return;
        }
        with_config([record](const serve::Config& c) {
            record->data = c.data;
            return record_command(*record);
        });
    });

    const auto replay = std::make_shared<ReplayCommand>();
    CLI::App* const replayed = app.add_subcommand("replay", "Look back at what was recorded: a time-line, a page with plots, or data");
    replayed->footer(replay_footer);
    replayed->add_option("FILE", replay->path, "a file of assay record (default: the data directory's recording)");
    add_data(*replayed);
    CLI::Option* const live = replayed->add_flag("--live", replay->live, "follow the data directory's recorder as it records");
    replayed->add_option("--at", replay->at, "around this moment: two minutes before it, one after")->type_name("TIME")->excludes(live);
    replayed->add_option("--from", replay->from, "from then on")->type_name("TIME")->excludes("--at");
    replayed->add_option("--to", replay->to, "until then")->type_name("TIME")->excludes("--at");
    replayed->add_flag("--all", replay->all, "all there is (default: the last 15 minutes)");
    CLI::Option* const as_json = replayed->add_flag("--json", replay->json, "one object for each frame");
    replayed->add_flag("--csv", replay->csv, "one line for each frame")->excludes(as_json)->excludes(live);
    replayed->add_option("--html", replay->html, "write a page with plots; - is standard output")->type_name("FILE")->excludes(live);
    replayed->callback([&code, with_config, replay] {
        if (!replay->path.empty()) {
            code = replay_command(*replay);
            return;
        }
        with_config([replay](const serve::Config& c) {
            replay->path = c.data;
            return replay_command(*replay);
        });
    });
}

}  // namespace assay::cli
