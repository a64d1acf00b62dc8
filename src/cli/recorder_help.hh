// What stands below the options of assay record and assay replay.
#pragma once

namespace assay::cli {

inline constexpr const char* record_footer =
    R"(A frame holds pressure, memory, reclaim, processors, disks, network and control groups, and while something is wrong the busiest
tasks and those that wait uninterruptibly. It is small and cheap: about 1 KB and half a millisecond. A server records by itself; this is
for machines without one.

  assay record --out before-lunch.rec --for 2h
  assay replay before-lunch.rec

What the host refuses (memory that stays, a place before others, to be killed last) is said at the start, and it goes on without.
Exit codes: 0 done, 1 failed, or frames did not reach the disk, 2 wrong usage.)";

inline constexpr const char* replay_footer =
    R"(TIME is 17:15:50, 2026-10-15 17:15:50, 2026-10-15T17:15:50+08:00, or -10min for so long ago. Rows and plots tell the worst moment of
each step; --json and --csv tell every frame. On a terminal rows can be scrolled.

  assay replay --at 17:15:50                 what led to it
  assay replay --from -2h --html look.html   a page to send to somebody
  assay replay FILE --json | jq .rates.memory_full_share

some: at least one task waited for it; full: all that could have run did. Exit codes: 0 done, 1 failed, or there is nothing, 2 wrong usage.)";

}  // namespace assay::cli
