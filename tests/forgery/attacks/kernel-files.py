"""Writes to /proc/sys, /sys and the control groups."""

import glob, os
for name in ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
             *glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True), "/proc/self/oom_score_adj", "/proc/1/oom_score_adj"]:
    try:
        open(name, "w").write("|/work/evil")
    except OSError:
        pass
