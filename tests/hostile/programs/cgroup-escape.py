"""A group of its own choice: none is to be seen, let alone written."""
import os
from hostile import begin, check, held
begin()
check("its own groups are the roots", {line.strip().split(":", 2)[2] for line in open("/proc/self/cgroup")} == {"/"})
check("none is mounted", "cgroup" not in open("/proc/self/mountinfo").read())
for path in ("/sys", "/sys/fs/cgroup", "/cgroup", "/proc/cgroups"):
    check(path, not os.path.exists(path) or path == "/proc/cgroups")
for name in ("oom_score_adj", "uid_map", "gid_map", "setgroups", "loginuid"):
    try:
        os.write(os.open(f"/proc/self/{name}", os.O_WRONLY), b"-1000" if name == "oom_score_adj" else b"0 0 1")
        check(f"{name} was written", name == "oom_score_adj" and int(open("/proc/self/oom_score_adj").read()) >= 0)
    except OSError:
        check(name, True)
held()
