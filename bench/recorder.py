"""recorder: what the flight recorder costs beside 20 control groups and 200 processes, and how fast a day of frames is read."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import Broken, Goals, say

SECONDS = int(os.environ.get("RECORDER_SECONDS", "60"))
GROUPS = 20
PROCESSES = 200
SLOTS = 4  # of the groups, as many as run jobs at a time on a small machine
WORKS = "import time\nwhile True: bytes(100_000); time.sleep(0.2)"
CPU_GOAL_PERCENT = 0.3
LOCKED_GOAL_MIB = 6.0
DAY_SECONDS = 86_400
ASKED = 5


def group_roots() -> list[Path]:
    """Where a server's groups would be: version 2, or the trees of version 1 and beside them the one of version 2 that tells of stalls."""
    roots = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mounted, kind, options, *_ = line.split()
        if kind == "cgroup2" or kind == "cgroup" and {"memory", "cpu", "cpuacct", "pids"} & set(options.split(",")):
            roots.append(Path(mounted))
    return [root for root in roots if os.access(root, os.W_OK)]


def locked_kib(pid: int) -> int:
    return sum(int(line.split()[1]) for line in Path(f"/proc/{pid}/smaps").read_text().splitlines() if line.startswith("Locked:"))


def cpu_s(pid: int) -> float:
    """Of all threads: to the nanosecond where the kernel tells it, since a tick is as much as ten frames."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def major_faults(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[9])


def bench(binary: Path, _rounds: int, goals: Goals) -> None:
    for active in (SLOTS, GROUPS):
        with tempfile.TemporaryDirectory(prefix="assay-bench-", dir="/var/tmp") as folder:
            measure(binary, Path(folder), active, goals)
    reading(binary.parent, goals)
    with tempfile.TemporaryDirectory(prefix="assay-bench-", dir="/var/tmp") as folder:
        asking(binary, Path(folder) / "day", goals)


def measure(binary: Path, folder: Path, active: int, goals: Goals) -> None:
    """`active`: of the groups, those in which something is done every fifth of a second; the others sleep."""
    made: list[Path] = []
    processes: list[subprocess.Popen] = []
    recorder = None
    try:
        roots = group_roots()
        if not roots:
            say("  no control groups can be made here: measured without")
        groups = [f"assay-bench-{os.getpid()}-{number}" for number in range(GROUPS)]
        for root in roots:
            if (root / "cgroup.subtree_control").exists():
                has = (root / "cgroup.controllers").read_text().split()
                (root / "cgroup.subtree_control").write_text(" ".join(f"+{it}" for it in has if it in ("cpu", "memory", "io", "pids")))
            for name in groups:
                (root / name).mkdir()
                made.append(root / name)
        for number in range(PROCESSES):
            processes.append(subprocess.Popen([sys.executable, "-c", WORKS] if number < active else ["sleep", "1000"]))
            for root in roots:
                (root / groups[number % GROUPS] / "cgroup.procs").write_text(str(processes[-1].pid))
        command = [binary, "record", "--data", folder / "data", "--hz", "1", "--size", "4MB", "--json"]
        recorder = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = b""
        while b"recording into" not in line:
            line = recorder.stderr.readline()
            if not line:
                raise Broken("the recorder ended at once")
            if b"goes without" in line:
                say("  " + line.decode().strip())
        time.sleep(10)  # a fresh ring on the disk is written once, a MiB every two seconds; its begin is no part of a day
        before, faults = cpu_s(recorder.pid), major_faults(recorder.pid)
        began = time.monotonic()
        time.sleep(SECONDS)
        used, took = cpu_s(recorder.pid) - before, time.monotonic() - began
        faults = major_faults(recorder.pid) - faults
        locked = locked_kib(recorder.pid) / 1024
        recorder.send_signal(signal.SIGINT)
        told = json.loads(recorder.communicate(timeout=30)[0])
        percent = used / took * 100
        say(f"  {active} groups at work: {percent:.3f} % of a core at 1 Hz over {took:.0f} s with {GROUPS} groups in {len(roots)} trees and {PROCESSES} processes,"
            f" its disk thread included (sampling alone {told['cpu_us'] / told['frames']:.0f} µs a frame); load average {os.getloadavg()[0]:.1f}")
        say(f"  {locked:.1f} MiB locked, {faults} major faults, at most {told['late_us_max'] / 1000:.1f} ms late, {told['bytes'] / told['frames']:.0f} bytes a frame")
        goals.judge(f"recorder: processor, {active} groups at work", percent <= CPU_GOAL_PERCENT, f"{percent:.3f} % of a core, goal {CPU_GOAL_PERCENT} %")
        goals.judge("recorder: memory", locked <= LOCKED_GOAL_MIB, f"{locked:.1f} MiB locked, goal {LOCKED_GOAL_MIB:.0f} MiB")
        goals.judge("recorder: faults", faults + told["major_faults"] == 0, f"{faults} major faults after the start, goal 0")
    finally:
        for one in [*processes, *([recorder] if recorder else [])]:
            if one.poll() is None:
                one.kill()
            one.wait()
        for group in made:
            group.rmdir()


def reading(build: Path, goals: Goals) -> None:
    program = build / "bench_recorder"
    if not program.exists():
        raise Broken(f"{program} is not there; ninja -C {build} bench_recorder")
    told = json.loads(subprocess.run([program], check=True, capture_output=True, text=True, timeout=300).stdout)
    say(f"  a day of {told['frames']} frames with {told['groups']} groups: {told['bytes'] / 1e6:.0f} MB ({told['bytes'] / told['frames']:.0f} bytes a frame),"
        f" indexed in {told['index_s']:.2f} s, read whole in {told['read_s']:.2f} s, ten minutes of it in {told['part_s'] * 1000:.0f} ms")
    whole = told["index_s"] + told["read_s"]
    goals.judge("recorder: a day read", whole <= 2, f"{whole:.2f} s, goal 2 s")


def asking(binary: Path, day: Path, goals: Goals) -> None:
    """The whole command over a day of frames that ends in trouble, and one that ends in nothing, for which it looks at all of it."""
    maker = binary.parent / "tests" / "machine_frames"
    if not maker.exists():
        raise Broken(f"{maker} is not there; ninja -C {binary.parent} machine_frames")
    for what, cause in (("that ends in trouble", "memory_thrash"), ("without trouble", "*memory_thrash")):
        subprocess.run([maker, day, cause, "2", str(DAY_SECONDS)], check=True)
        took = []
        for _ in range(ASKED):
            began = time.monotonic()
            told = subprocess.run([binary, "why", "--last", "--data", day, "--json"], capture_output=True, text=True, timeout=60).stdout
            took.append(time.monotonic() - began)
        found = "memory_thrash" in told
        if found == cause.startswith("*"):
            raise Broken(f"assay why over a day {what} did not say so: {told[:200]}")
        say(f"  assay why --last over a day {what} ({day.stat().st_size / 1e6:.0f} MB): median {sorted(took)[ASKED // 2]:.2f} s, slowest of {ASKED} {max(took):.2f} s")
        goals.judge(f"recorder: why over a day {what}", max(took) <= 2, f"{max(took):.2f} s, goal 2 s")
