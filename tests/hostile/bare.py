"""Programs of the table in no sandbox: what the machine itself takes from who works beside them. They run in a group that comes last, as
jobs do, with as many processes, as much memory and as slow a disk as their line says; once and for all runs of a stretch they are in
namespaces and a root of bubblewrap's, so that they find what they look for, and bare.c starts and ends them. Needs root, version 1,
bubblewrap and gcc."""
import contextlib
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import apart
import catalogue

# Whom nothing stops but a limit: what else is refused inside, this would do. `sync` is everybody's, and page cache can be thrown away.
CASES = frozenset("A1 A2 A6 A7 A8 A13 A17 B1 B8 B10 B11 B12 B13 C5 C7 D17 E1 F1 F3 F4 F5 F6".split())
# In a group of this bench's own, jobs would take the turns of all that is in it, the server, as far as the rest of the machine goes.
AS_A_SERVER_HAS_THEM = frozenset({"cpu"})


def disk_of(path: str) -> Path:
    """What the kernel says of the whole disk that it lies on."""
    device = os.stat(path).st_dev
    found = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve()
    return found.parent if (found / "partition").exists() else found


class Groups:
    """Beside all that the machine does, not below it. (SCHED_IDLE is no such thing: it counts among the processes of a session alone, and that
    has a turn like any other's.)"""

    def __init__(self, group: apart.Group, disk_read_mib_per_s: int | None):
        turns = Path(next(iter(set(apart.group_trees(frozenset())) - set(apart.group_trees(AS_A_SERVER_HAS_THEM))))) / f"hostile-{os.getpid()}-bare"
        self.processes, self.memory, self.disk = (Path(next(folder for folder in group.own if os.path.exists(f"{folder}/{limit}"))) / "bare" for limit in
                                                  ("pids.max", "memory.limit_in_bytes", "blkio.throttle.read_bps_device"))
        self.folders = [turns, *{self.processes, self.memory, self.disk}]
        for folder in self.folders:
            folder.mkdir()
        (turns / "cpu.idle").write_text("1")
        if disk_read_mib_per_s is not None:
            (self.disk / "blkio.throttle.read_bps_device").write_text(f"{(disk_of('/usr') / 'dev').read_text().strip()} {disk_read_mib_per_s << 20}")

    def enter(self, limits: dict[str, str]) -> None:
        (self.processes / "pids.max").write_text(str(int(limits["processes"]) + 1))  # bare.c is one.
        (self.memory / "memory.limit_in_bytes").write_text(str(catalogue.size_of(limits["memory"])))
        for folder in self.folders:
            (folder / "cgroup.procs").write_text("0")

    def end(self) -> None:
        """All that is in them: a fork bomb has more processes than the one that was started."""
        (self.processes / "pids.max").write_text("0")
        deadline = time.monotonic() + apart.SETTLE_S
        while pids := (self.processes / "cgroup.procs").read_text().split():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            if time.monotonic() > deadline:
                raise SystemExit(f"what is in {self.processes} does not end: {' '.join(pids)}")
            time.sleep(0.001)

    def remove(self) -> None:
        for folder in self.folders:
            folder.rmdir()


class Bare:
    def __init__(self, group: apart.Group, place: Path, programs: Path, disk_read_mib_per_s: int | None):
        self.groups, self.programs, self.starter = Groups(group, disk_read_mib_per_s), programs, place / "bare"
        subprocess.run(["gcc", "-O1", "-o", self.starter, catalogue.HERE / "bare.c"], check=True)

    def command_of(self, limits: dict[str, str], command: list[str]) -> list[str | Path]:
        room = str(catalogue.size_of(limits["disk"]))
        # With programs that use one core at a time, the time of a run is what it may use of it.
        ms = min(catalogue.ms_of(limits["cpu"]), catalogue.ms_of(limits["wall"]))
        return ["bwrap", "--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc", *(word for name in ("bin", "lib", "lib64") for word in ("--symlink", f"usr/{name}", f"/{name}")),
                "--proc", "/proc", "--dev", "/dev", *(word for folder in ("/tmp", "/work") for word in ("--perms", "1777", "--size", room, "--tmpfs", folder)),
                "--ro-bind", self.programs, "/mnt", "--ro-bind", self.starter, "/bare", "--chdir", "/work", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--as-pid-1",
                "--die-with-parent", *(word for right in ("SETUID", "SETGID", "KILL") for word in ("--cap-add", f"CAP_{right}")),
                "/bare", str(int(ms)), str(catalogue.size_of(limits["output"])), *command]

    def repeat(self, limits: dict[str, str], command: list[str], given: Path, until: float) -> None:
        def become() -> None:
            self.groups.enter(limits)
            resource.setrlimit(resource.RLIMIT_STACK, (catalogue.size_of(limits["memory"]), resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_CORE, (1, 1))  # As inside: no dump, and no handler of dumps.
        with open(given, "rb") as stdin, subprocess.Popen(self.command_of(limits, command), preexec_fn=become, stdin=stdin, stdout=subprocess.DEVNULL) as child:
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise SystemExit(f"{' '.join(command)} in no sandbox ended with {child.wait(max(0.0, until - time.monotonic()))}")
            self.groups.end()
