"""The catalogue of hostile programs: its table, its programs, and how one line of it is run and judged. Needs root."""
import argparse
import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, NamedTuple

import apart

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CATALOGUE = [f"{letter}{n}" for letter, count in zip("ABCDEF", (19, 14, 21, 20, 13, 9)) for n in range(1, count + 1)]
USUAL = {"cpu": "2s", "wall": "5s", "memory": "64MiB", "disk": "16MiB", "processes": "32", "output": "256KiB", "open-files": "256"}
BACK_S = 15.0        # `assay run` is back by its wall limit and this, however busy the machine
INTERRUPTED = 4      # its exit code then
ASSAY_BYTES_MAX = 128 << 20  # resident memory of `assay run` itself
BIG_BYTES = 256 << 20
KEY = 0x55AA
PID_MAX = 400
UNITS_S = 300


class Line(NamedTuple):
    case: str
    program: str
    limits: dict[str, str]
    verdicts: set[str]
    conditions: list[str]


class Wrong(Exception):
    pass


def read_table() -> list[Line]:
    lines = []
    for number, text in enumerate((HERE / "table").read_text().splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        parts = [part.strip() for part in text.split("|")]
        if len(parts) != 5 or parts[0] not in CATALOGUE or not parts[3]:
            raise SystemExit(f"table:{number}: not `case | program | limits | verdicts | conditions`")
        limits = dict(word.partition("=")[::2] for word in parts[2].split())
        lines.append(Line(parts[0], parts[1], limits, set(parts[3].split()), parts[4].split()))
    if missing := set(CATALOGUE) - {line.case for line in lines}:
        raise SystemExit(f"table: no line for {' '.join(sorted(missing))}")
    return lines


# --- programs ---

def build(into: Path) -> None:
    """Everything that runs inside a sandbox, and the files it looks for; only what is newer than what is there."""
    source = HERE / "programs"
    into.mkdir(parents=True, exist_ok=True)
    headers = max(path.stat().st_mtime for path in source.glob("*.h"))
    commands = [(into / path.stem, path, ["-O1", "-Wno-infinite-recursion", "-pthread"]) for path in sorted(source.glob("*.c"))]
    commands.append((into / "plugin.so", source / "sources/plugin.c", ["-shared", "-fPIC"]))
    for program, path, flags in commands:
        if not program.exists() or program.stat().st_mtime < max(headers, path.stat().st_mtime):
            subprocess.run(["gcc", *flags, "-o", program, path], check=True)
    for path in source.glob("*.py"):
        shutil.copyfile(path, into / path.name)
    shutil.copytree(source / "sources", into / "sources", dirs_exist_ok=True)


def plant(programs: Path) -> None:
    """What only root can make, and what would be too large to carry about."""
    for name, source in (("planted-setuid", "/usr/bin/id"), ("planted-capable", "/usr/bin/cat")):
        shutil.copyfile(source, programs / name)
    os.chmod(programs / "planted-setuid", 0o6755)
    os.chmod(programs / "planted-capable", 0o755)
    os.setxattr(programs / "planted-capable", "security.capability", b"\1\0\0\2" + b"\xff" * 16)  # All of them, effective.
    with open(programs / "big", "wb") as big:
        big.truncate(BIG_BYTES)
    (programs / "big-nonsense").write_text("nonsense + ;\n" * 200_000)
    os.chmod(programs, 0o755)


# --- what goes on outside while a case runs ---

class Lookout:
    """Things of the host's that a program inside must not reach."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        create = 0o1000 | 0o666
        if min(libc.shmget(KEY, 4096, create), libc.semget(KEY, 1, create), libc.msgget(KEY, create)) < 0:
            raise SystemExit("the lookout's IPC objects cannot be made")
        Path("/dev/shm/hostile-lookout").write_text("here")
        self.listener = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):  # Another lookout on this machine does as well: the name is the network namespace's.
            self.listener.bind("\0hostile-lookout")
            self.listener.listen()

class Bystander:
    def __init__(self, name: str, argument: str, log: Path, become: Callable[[], None] | None):
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.child = subprocess.Popen([sys.executable, HERE / "bystander.py", name, argument], stdout=out, preexec_fn=become)
        self.quiet: list[float] = []

    def turns(self) -> list[tuple[float, float]]:
        """When each began and how long it took, in seconds."""
        return [tuple(map(float, line.split())) for line in self.log.read_text().split("\n")[:-1]]

    def took(self, since: float, until: float) -> list[float]:
        return [took for begun, took in self.turns() if begun + took >= since and begun <= until]

    def must_answer(self) -> None:
        """Lives, and ends a turn that it begins from now on."""
        now = time.monotonic()
        while not any(True for _ in self.took(now, float("inf"))):
            if self.child.poll() is not None:
                raise Wrong(f"the bystander `{self.name}` ended with {self.child.returncode}")
            if time.monotonic() > now + 30:
                raise Wrong(f"the bystander `{self.name}` is not answered any more")
            time.sleep(0.01)


def middle_and_tail(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def beside_quiet(bystander: Bystander, took: list[float]) -> str:
    if len(took) < 5:
        return "-"
    (p50, p99), (quiet50, quiet99) = middle_and_tail(took), middle_and_tail(bystander.quiet)
    return f"{p50 / quiet50:.2f}/{p99 / quiet99:.2f}"


# --- one line ---

def size_of(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(KiB|MiB|GiB|)", text).groups()
    return int(number) << {"": 0, "KiB": 10, "MiB": 20, "GiB": 30}[unit]


def ms_of(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(ms|s)", text).groups()
    return float(number) * (1000 if unit == "s" else 1)


def limits_of(line: Line) -> dict[str, str]:
    return USUAL | {key: value for key, value in line.limits.items() if value}


class Runner:
    def __init__(self, options: argparse.Namespace, group: apart.Group, place: Path):
        self.options, self.group, self.place = options, group, place
        self.programs = place / "programs"
        self.bystanders: list[Bystander] = []
        self.server: subprocess.Popen | None = None
        self.helper: int | None = None
        self.lookout = Lookout()
        self.uid: int | None = None
        self.back_s = 0.0
        self.wall_s = 0.0  # of the last program
        self.become: Callable[[], None] | None = None  # what the bystanders do first
        (place / "neighbour").mkdir()
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("ASSAY_") or key == "ASSAY_TEST_PATIENCE"} | {
            "ASSAY": str(options.binary), "PYTHONDONTWRITEBYTECODE": "1"} | ({"ASSAY_CORES_PER_SLOT": "1", "ASSAY_SLOTS": "1"} if options.own_core else {})

    def start_server(self) -> str:
        self.server = subprocess.Popen([self.options.binary, "serve", "--data", self.place / "data", "--listen", "127.0.0.1:0"],
                                       env=self.environment, stdout=subprocess.PIPE, stderr=open(self.place / "server.log", "wb"), start_new_session=True)
        if not select.select([self.server.stdout], [], [], 60)[0]:
            raise SystemExit("the server did not say that it listens")
        said = self.server.stdout.readline().decode()
        if not (found := re.fullmatch(r"listening on (http://\S+)\n", said)):
            raise SystemExit(f"the server said {said!r}: {(self.place / 'server.log').read_text()}")
        for pid in apart.processes():
            status = Path(f"/proc/{pid}/status").read_text()
            if f"\nPPid:\t{self.server.pid}\n" in status and "\nUid:\t0\t" in status:
                self.helper = pid
        if self.helper is None:
            raise SystemExit("the server has no helper")
        return found[1]

    def prepare(self) -> None:
        kinds = [("files", str(self.place / "neighbour"))]
        if self.options.server:
            kinds.append(("page", self.start_server() + "/"))
        if self.options.own_core:
            self.divide_cores()
        self.bystanders = [Bystander(name, argument, self.place / f"{name}.log", self.become) for name, argument in kinds]
        begun = time.monotonic()
        for bystander in self.bystanders:
            bystander.must_answer()
        time.sleep(self.options.quiet_s)  # The measure of a quiet machine, not a synchronisation.
        for bystander in self.bystanders:
            bystander.quiet = bystander.took(begun, time.monotonic())

    def divide_cores(self) -> None:
        """As the server did, for what it does not start: bystanders on its cores, and programs on the other."""
        kept = os.sched_getaffinity(self.server.pid)
        own = os.sched_getaffinity(0) - kept
        if len(own) != 1:
            raise SystemExit(f"--own-core: the server keeps {sorted(kept)} of {sorted(os.sched_getaffinity(0))}")
        self.become = lambda: os.sched_setaffinity(0, kept)
        os.sched_setaffinity(0, own)
        print(f"the server and the neighbour have core {' '.join(map(str, sorted(kept)))}, programs {min(own)}", flush=True)

    def end(self) -> None:
        for bystander in self.bystanders:
            bystander.child.kill()
            bystander.child.wait()
        if self.server:
            self.server.terminate()
            if self.server.wait(30) != 0:
                raise Wrong(f"the server ended with {self.server.returncode}")

    def call(self, command: list, within_s: float, stdin=subprocess.DEVNULL, **more) -> tuple[int, str, str, float]:
        """Exit code, stdout, stderr, largest resident bytes. Its output goes through files, so that nobody waits for a pipe to close; in
        memory, or what is written and removed here would be in the journal that the neighbour's sync waits for."""
        with open(os.memfd_create("out"), "w+b") as out, open(os.memfd_create("err"), "w+b") as err:
            child = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=err, **more)
            watched = os.pidfd_open(child.pid)
            back = select.select([watched], [], [], within_s)[0]
            os.close(watched)
            if not back:
                child.kill()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            said = out.read().decode(errors="replace"), err.read().decode(errors="replace")
            if not back:
                raise Wrong(f"not back after {within_s:.0f} s; stderr: {said[1][-400:]}")
            return child.returncode, *said, usage.ru_maxrss * 1024

    def run(self, line: Line) -> str:
        kind, _, rest = line.program.partition(":")
        match kind:
            case "outside": return self.run_outside(rest)
            case "unit": return self.run_unit(*rest.split())
            case "forgery": return self.run_forgery(rest.split())
            case "stated": return self.find_statement(*rest.split(" ", 1))
        return self.run_inside(line)

    def words_of(self, line: Line) -> list[str]:
        """The command, where the programs are at /mnt."""
        first, *arguments = [word.replace("{big}", "/mnt/big") for word in line.program.split()]
        if (self.programs / first).exists():
            first = f"/mnt/{first}"
        return [*(["/usr/bin/python3", first] if first.endswith(".py") else [first]), *arguments]

    def command_of(self, line: Line, *more: str) -> list:
        options = [word for name, value in limits_of(line).items() for word in (f"--{name}", value)]
        if self.options.disk_read_mib_per_s is not None:
            options += ["--disk-read-mib-per-s", str(self.options.disk_read_mib_per_s)]
        if "stdin" in line.limits:
            options += ["--stdin", str(self.programs / "big")]
        return [self.options.binary, "run", "--json", "--bind", f"{self.programs}:/mnt", *options, *more, "--", *self.words_of(line)]

    def within_s(self, line: Line) -> float:
        """When a run of it must be back."""
        return ms_of(limits_of(line)["wall"]) / 1000 + BACK_S

    def run_inside(self, line: Line) -> str:
        if "{big}" in line.program:
            make_cold(self.programs / "big")
        if "few-pids" in line.limits:
            self.few_pids()
        begun = time.monotonic()
        code, out, err, resident = self.call(self.command_of(line), self.within_s(line), env=self.environment)
        back_s = time.monotonic() - begun
        self.back_s = max(self.back_s, back_s)
        try:
            found = json.loads(out)
        except ValueError:
            raise Wrong(f"no report, exit code {code}: {err.strip()[-600:]}") from None
        if (code == 0) != (found["verdict"] == "passed"):
            raise Wrong(f"exit code {code} with verdict {found['verdict']}")
        # The kernel counts whom it waited for as well: of a program that was ended for its memory that can be more than its own.
        if resident > ASSAY_BYTES_MAX and found["verdict"] != "memory_limit":
            raise Wrong(f"`assay run` used {resident / 1e6:.0f} MB")
        return self.judge(line, found, back_s)

    def repeat_inside(self, line: Line, first_s: float, until: float) -> float:
        """Again and again by one `assay run`, which its caller has started by `first_s` and interrupts at `until`. When it had started."""
        with open(os.memfd_create("out"), "w+b") as out, open(os.memfd_create("err"), "w+b") as err:
            child = subprocess.Popen(self.command_of(line, "--repeat", "1000000"), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=self.environment)
            time.sleep(first_s)  # Its own start, which is measured nowhere.
            begun = time.monotonic()
            time.sleep(max(0.0, until - begun))
            child.send_signal(signal.SIGINT)
            try:
                code = child.wait(self.within_s(line))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                raise Wrong("not back after it was interrupted") from None
            out.seek(0)
            err.seek(0)
            if code != INTERRUPTED:
                raise Wrong(f"exit code {code}: {err.read().decode(errors='replace')[-600:]}")
            report = []
            for text in out:  # Not all at once: what this process has counts as that of `assay run` in its next call.
                report.append(text)
                if text == b"}\n":
                    self.judge(line, json.loads(b"".join(report)), 0.0)
                    report.clear()
        return begun

    def judge(self, line: Line, found: dict, back_s: float) -> str:
        verdict, said = found["verdict"], found["stdout"]
        self.wall_s = found["wall_ms"] / 1000
        if begun := re.match(r"begun (\d+)\n", said):
            self.uid = int(begun[1])
        wrong = []
        if verdict not in line.verdicts:
            wrong.append(f"verdict {verdict}, not {' or '.join(sorted(line.verdicts))}")
        if "NOT HELD" in said:
            wrong.append(" ".join(re.findall(r"NOT HELD: .*", said)[:4]))
        if "silent" not in line.conditions:
            if not begun:
                wrong.append("it never began")
            elif verdict == "passed" and not re.search(r"^held [1-9]\d*$", said, re.M):
                wrong.append("it did not say that it was held")
        measured = {"memory": found["memory_peak_bytes"], "processes": found["processes_peak"] or 0, "wall": found["wall_ms"],
                    "cpu": found["cpu_user_ms"] + found["cpu_system_ms"], "back": back_s * 1000,
                    "output": found["stdout_bytes"] + found["stderr_bytes"]}
        for condition in line.conditions:
            if bound := re.fullmatch(r"(\w+)([<>])=(\w+)", condition):
                name, sign, text = bound.groups()
                limit = size_of(text) if name in ("memory", "processes", "output") else ms_of(text)
                if (measured[name] > limit) if sign == "<" else (measured[name] < limit):
                    wrong.append(f"{name} {measured[name]:.0f}, not {condition}")
            elif condition != "silent":
                name, _, value = condition.partition("=")
                good = {"exit": lambda: found.get("exit_code") == int(value), "signal": lambda: found.get("signal") == int(value),
                        "says": lambda: re.search(value, said), "errors": lambda: re.search(value, found["stderr"])}[name]()
                if not good:
                    wrong.append(f"not {condition}")
        if wrong:
            how = {key: found[key] for key in ("exit_code", "signal", "cpu_user_ms", "wall_ms", "memory_peak_bytes", "processes_peak") if key in found}
            raise Wrong("; ".join(wrong) + f"\n    {how}\n    stdout: {said[-300:]!r}\n    stderr: {found['stderr'][-300:]!r}")
        return verdict

    def few_pids(self) -> None:
        """Since Linux 6.14 each namespace of processes has a largest number of its own; before, it is the machine's, and left alone."""
        version = tuple(map(int, re.match(r"(\d+)\.(\d+)", os.uname().release).groups()))
        if version >= (6, 14):
            Path("/proc/sys/kernel/pid_max").write_text(str(PID_MAX))

    def run_outside(self, name: str) -> str:
        place = Path(tempfile.mkdtemp(dir=self.place))
        code, out, err, _ = self.call(["/usr/bin/python3", HERE / "outside" / f"{name}.py"], 180, env=self.environment | {"PLACE": str(place)})
        shutil.rmtree(place)
        if code != 0 or not re.search(r"^held [1-9]\d*$", out, re.M):
            raise Wrong(f"exit code {code}: {out[-300:]} {err[-1500:]}")
        return "held"

    def run_unit(self, program: str, *tests: str) -> str:
        code, out, err, _ = self.call([self.options.units / program, f"--gtest_filter={':'.join(tests)}"], UNITS_S, env=self.environment, cwd=self.place)
        passed = re.search(r"\[  PASSED  \] (\d+) tests?", out)
        if code != 0 or "[  SKIPPED ]" in out or not passed or int(passed[1]) < len(tests):
            raise Wrong(f"{program}: exit code {code}\n{out[-1500:]}{err[-500:]}")
        return "held"

    def run_forgery(self, names: list[str]) -> str:
        """Hands the attacks in as samples of their module; they must end as tests/forgery/table says."""
        forgery = ROOT / "tests/forgery"
        expected = {name: (verdict, score) for name, verdict, score in
                    (text.split() for text in (forgery / "table").read_text().splitlines() if not text.startswith("#"))}
        with tempfile.TemporaryDirectory(dir=self.place) as folder:  # Gone however it ends: the next line has attacks of its own.
            module = Path(folder) / "Vault"
            shutil.copytree(forgery / "course/Vault", module)
            for name in names:
                sample = module / "samples" / name
                shutil.copytree(forgery / "base", sample / "src")
                shutil.copyfile(forgery / "attacks" / f"{name}.py", sample / "src/attack.py")
                (sample / "expect.toml").write_text('verdict = "{}"\nscore = {}\n'.format(*expected[name]))
            code, out, err, _ = self.call([self.options.binary, "module", "check", "--json", module], 300, env=self.environment)
        samples = json.loads(out)["samples"] if out else []
        bad = [f"{sample['name']}: {sample['runs']}" for sample in samples if not sample["ok"]]
        if bad or len(samples) != len(names):
            raise Wrong(f"{'; '.join(bad)} exit code {code} {err[-800:]}")
        return "held"

    def find_statement(self, document: str, text: str) -> str:
        if text not in " ".join((ROOT / document).read_text().split()):
            raise Wrong(f"{document} does not say: {text}")
        return "stated"

    def reap(self) -> None:
        apart.reap({self.server.pid if self.server else 0, *(bystander.child.pid for bystander in self.bystanders)})

    def one(self, line: Line) -> tuple[str, list[str]]:
        """The verdict, and what was measured beside it."""
        before = apart.Look(self.group, ["/tmp", "/dev/shm", *([str(self.place / "data/tmp")] if self.server else [])], self.helper)
        self.uid = None
        begun = time.monotonic()
        verdict = self.run(line)
        ended = time.monotonic()
        self.reap()
        if left := before.left(self.uid):
            raise Wrong("left behind: " + ", ".join(left[:8]))
        beside = []
        for bystander in self.bystanders:
            bystander.must_answer()
            beside.append(beside_quiet(bystander, bystander.took(begun, ended)))
        return verdict, [f"{ended - begun:.2f}", *beside]


# --- for the programs that run it

def make_cold(file: Path) -> None:
    """Out of the page cache, so that whoever reads it next is charged for it: no program inside can do that any more."""
    with open(file, "rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--binary", type=Path)
    parser.add_argument("--programs", type=Path, help="where `run --build` built them; else they are built into a scratch folder")
    parser.add_argument("--units", type=Path, help="the folder of the rooms' test programs; else that of the binary")
    parser.add_argument("--place", type=Path, default=Path("/var/tmp"), help="where the scratch folder is made; not /tmp (/var/tmp)")
    parser.set_defaults(own_core=False, disk_read_mib_per_s=None)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a case (B12), or all of a letter (B)")


def chosen(cases: list[str]) -> list[Line]:
    lines = read_table()
    if unknown := [case for case in cases if not any(case in (one, one[0]) for one in CATALOGUE)]:
        raise SystemExit(f"no case {' '.join(unknown)}; there are A1 to A19, B1 to B14, C1 to C21, D1 to D20, E1 to E13 and F1 to F9")
    return [line for line in lines if not cases or line.case in cases or line.case[0] in cases]


def in_a_place_apart(options: argparse.Namespace, work: Callable[[apart.Group, Path], int], without: frozenset[str] = frozenset()) -> int:
    """work(group, place) with the programs built in a scratch folder, in namespaces of its own. Its exit code, or 77: not without root."""
    if not options.binary:
        raise SystemExit("--binary is needed")
    if os.geteuid() != 0:
        print("SKIPPED: needs root for namespaces and cgroups")
        return 77
    options.binary = options.binary.resolve()
    options.units = (options.units or options.binary.parent).resolve()
    place = Path(tempfile.mkdtemp(prefix="assay-hostile-", dir=options.place))
    place.chmod(0o755)
    try:
        if options.programs and options.programs.exists():
            shutil.copytree(options.programs, place / "programs", symlinks=True)  # Some are planted beside them, and not in a build folder.
        build(place / "programs")
        options.binary = Path(shutil.copy2(options.binary, place / "assay"))  # One and the same for all lines, whatever is built meanwhile.
        return apart.separate({str(path) for path in (place, options.units)}, lambda group: work(group, place), without)
    finally:
        shutil.rmtree(place, ignore_errors=True)
