"""What every part stands on: a scratch folder, processes that end with it, figures of /proc, rounds and goals."""
import contextlib
import mmap
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

START_S = 30
STOP_S = 15
TICKS = os.sysconf("SC_CLK_TCK")


class Broken(Exception):
    """The bench could not be done; the text says why."""


def say(text: str = "") -> None:
    print(text, flush=True)


def load_average() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Broken(f"{process.args[0]} ended at once with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise Broken(f"{process.args[0]} does not listen on port {port}")


class Scratch:
    """A folder of /tmp and the processes started for it; both are gone afterwards."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="assay-bench-", dir="/tmp"))
        self.path.chmod(0o755)  # A server that gives up root must reach what is below.
        self.processes: list[subprocess.Popen] = []
        # Nothing of the caller may configure a server, or send loopback requests elsewhere.
        self.environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"} | {key: value for key, value in os.environ.items()
                            if key != "PATH" and not key.startswith("ASSAY_") and not key.lower().endswith("_proxy")}

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            self.end(process)
        shutil.rmtree(self.path, ignore_errors=True)

    def start(self, arguments: list[object], name: str, **more: object) -> subprocess.Popen:
        log = open(self.path / f"{name}.log", "ab")
        process = subprocess.Popen([str(one) for one in arguments], stdin=subprocess.DEVNULL, stderr=log,
                                   cwd=self.path, env=self.environment, **{"stdout": log, **more})
        log.close()
        self.processes.append(process)
        return process

    def end(self, process: subprocess.Popen) -> None:
        if process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(arguments: list[object], **more: object) -> str:
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, arguments))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def warm_memory(size: int) -> None:
    """Touches that much memory and gives it back. In a virtual machine the first touch of a page is the host's work, charged to
    whoever writes a file into it: 2 s of system time per GB that only those would pay whose files stay."""
    with mmap.mmap(-1, size) as memory:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1


# --- /proc

def fields_of(pid: int) -> list[str]:
    """From the third field of stat on; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children_of(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := fields_of(int(entry))) and int(fields[1]) == pid:
            found.append(int(entry))
    return found


def cpu_s(pid: int) -> float:
    """User and system time of the process itself, all its threads."""
    fields = fields_of(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def family_cpu_s(pid: int) -> float:
    """Of a process and its children, those that have ended included."""
    fields = fields_of(pid)
    ended = (int(fields[13]) + int(fields[14])) / TICKS if fields else 0.0
    return cpu_s(pid) + ended + sum(family_cpu_s(child) for child in children_of(pid))


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def memory_mib(pid: int, name: str = "VmHWM") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise Broken(f"no {name} of process {pid}")


# --- Figures

def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass
class Table:
    """Figures by server and name, one per round."""
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, server: str, **values: float) -> None:
        for name, value in values.items():
            self.figures.setdefault(server, {}).setdefault(name, []).append(value)

    def median(self, server: str, name: str) -> float:
        return statistics.median(self.figures[server][name])

    def show(self) -> None:
        for server, figures in self.figures.items():
            cells = [f"{name} {number(statistics.median(values))} ({number(min(values))}-{number(max(values))})"
                     for name, values in figures.items()]
            say(f"  {server:18} " + "  ".join(cells))


def number(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


class Goals:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def judge(self, text: str, reached: bool, evidence: str) -> None:
        line = f"{'reached    ' if reached else 'not reached'}  {text}: {evidence}"
        self.lines.append(line)
        say("  " + line)

    def at_least(self, text: str, own: float, factor: float, other: float, floor: tuple[str, float] | None = None) -> None:
        """`floor`: whose value `other` could at best have in this run, and that. Where even so the goal is missed, the line says it."""
        self.judge(text, own >= factor * other, against(own, other) + (beyond(floor, own) if floor and own < factor * floor[1] else ""))

    def at_most(self, text: str, own: float, factor: float, other: float, floor: tuple[str, float] | None = None) -> None:
        """`floor`: whose value `own` could at best have in this run, and that."""
        self.judge(text, own <= factor * other, against(own, other) + (beyond(floor, other) if floor and floor[1] > factor * other else ""))


def against(own: float, other: float) -> str:
    return f"{number(own)} against {number(other)}, ratio {own / other if other else float('inf'):.2f}"


def beyond(floor: tuple[str, float], other: float) -> str:
    who, value = floor
    return f"; beyond this machine: {number(value)} for {who}, ratio {max(other / value, value / other):.2f}"


def versions() -> str:
    def line(*arguments: str) -> str:
        done = subprocess.run(arguments, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    import flask
    return ", ".join([line("nginx", "-v").removeprefix("nginx version: "), line("gunicorn", "--version"), f"Flask {flask.__version__}",
                      line("wrk", "-v").split(" Copyright")[0], f"Python {sys.version.split()[0]}"])
