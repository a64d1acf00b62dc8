"""What somebody outside the server can do and see: start it, end it, ask it over HTTP, and look for what it left behind.

Used by run, by lib.sh (as `python3 outside.py COMMAND …`) and by the cases that are Python scripts.
"""
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

START_S = 30.0
STOP_S = 30.0
VERDICT_S = 120.0
SETTLE_S = float(os.environ.get("E2E_SETTLE_S", "5"))  # Helper and runner end a moment after the server, when its socket closes.
POLL_S = 0.1


# --- HTTP ---

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, token: str = "") -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def submission(url: str, identity: str, token: str) -> dict:
    status, body = get(f"{url}/api/v1/submissions/{identity}", token)
    if status != 200:
        raise RuntimeError(f"submission {identity}: {status} {body.decode(errors='replace')}")
    return json.loads(body)


def wait_for(url: str, identity: str, token: str, states: set[str], within_s: float = VERDICT_S) -> dict:
    """Asks until the submission is in one of `states`. The error says where it stood instead."""
    deadline = time.monotonic() + within_s
    while (now := submission(url, identity, token))["state"] not in states:
        if time.monotonic() > deadline:
            raise RuntimeError(f"submission {identity} is not {' or '.join(sorted(states))} after {within_s:.0f} s: "
                               f"{now['state']}, reason {now.get('reason')}")
        time.sleep(POLL_S)
    return now


def outcome(found: dict) -> str:
    score = found.get("score")
    return f"{found['verdict']} {'null' if score is None else format(score, 'g')}"


def expected(sample: Path) -> str:
    """The same line from a sample's expect.toml; without a score there, only the verdict is compared."""
    wanted = tomllib.loads((sample / "expect.toml").read_text())
    return outcome(wanted) if "score" in wanted else wanted["verdict"]


def fits(found: dict, sample: Path) -> bool:
    """A loop without end may meet the wall limit first: jobs are idle to the scheduler, and others may leave it no processor."""
    ended, wanted = outcome(found), expected(sample)
    if wanted.startswith("time_limit"):
        ended = ended.replace("wall_limit", "time_limit", 1)
    return (ended + " ").startswith(wanted + " ")


# --- the server as a process ---

class Server:
    """One `assay serve` on a free port, leader of its own process group."""

    def __init__(self, binary: str, data: Path):
        self.binary, self.data = binary, data
        self.log = data.with_suffix(".log")
        self.url = ""
        self.child: subprocess.Popen | None = None

    def spawn(self) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ASSAY_")}
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([self.binary, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"],
                                          cwd=self.data.parent, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                          stderr=log, start_new_session=True)

    def start(self) -> None:
        self.spawn()
        line, deadline = b"", time.monotonic() + START_S
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.child.stdout], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self.child.stdout.fileno(), 4096) if ready else b""
            if not piece:
                raise RuntimeError(f"the server did not say that it listens; it said {line!r}, exit code {self.child.poll()}")
            line += piece
        found = re.fullmatch(rb"listening on (http://\S+:\d+)\n", line)
        if not found:
            raise RuntimeError(f"the server's line is {line!r}")
        self.url = found.group(1).decode()

    def end(self, number: signal.Signals, group: bool = False) -> int:
        """Signals the server, waits for it and gives its exit code; -N when signal N ended it."""
        (os.killpg if group else os.kill)(self.child.pid, number)
        code = self.child.wait(STOP_S)
        self.child.stdout.close()
        return code


# --- processes ---

PF_EXITING = 4  # of the kernel's flags in /proc/PID/stat


class Process(NamedTuple):
    pid: int
    born: int  # Start time in ticks: with the pid it names one process for ever.


def process(pid: int) -> tuple[Process, int] | None:
    """The process and its parent; None when it is gone, a zombie, or dying without memory: it holds nothing any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    dead = fields[0] in "ZX" or (int(fields[6]) & PF_EXITING and fields[20] == "0")
    return None if dead else (Process(pid, int(fields[19])), int(fields[1]))


def processes() -> dict[Process, int]:
    found = (process(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return dict(entry for entry in found if entry)


def descendants(pid: int) -> list[Process]:
    parents = processes()
    below, grown = {pid}, True
    while grown:
        more = {child.pid for child, parent in parents.items() if parent in below} - below
        below |= more
        grown = bool(more)
    return [child for child in parents if child.pid in below and child.pid != pid]


def kill(target: Process, number: signal.Signals) -> None:
    try:
        descriptor = os.pidfd_open(target.pid)
    except OSError:
        return
    try:
        if (now := process(target.pid)) and now[0] == target:  # Not a new process under an old number.
            signal.pidfd_send_signal(descriptor, number)
    except OSError:
        pass
    finally:
        os.close(descriptor)


def read_link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def read_text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


# --- leftovers: what belongs to a data directory ---

def directory_name(data: Path) -> str:
    """What cgroups of this data directory carry in their name; a name nothing has when there is no id yet."""
    identity = read_text(str(data / "id")).partition("\n")[0].strip()
    return f"assay-{identity}" if identity else "assay-without-id"


def belongs(pid: int, data: Path) -> bool:
    below = str(data) + "/"

    def inside(text: str) -> bool:
        return text == str(data) or below in text + "/"

    if directory_name(data) in read_text(f"/proc/{pid}/cgroup"):
        return True
    if inside(read_link(f"/proc/{pid}/cwd")) or inside(read_link(f"/proc/{pid}/root")):
        return True
    try:
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    return any(read_link(f"/proc/{pid}/fd/{number}").startswith(below) for number in descriptors)


def with_inodes(paths: Iterable[str]) -> list[tuple[str, int]]:
    """Each path with its inode, which tells an old one from a new one of the same name; without what is gone by now."""
    found = []
    for path in paths:
        with contextlib.suppress(OSError):  # A living server makes and removes files and groups all the while.
            found.append((path, os.lstat(path).st_ino))
    return found


def cgroups(data: Path) -> list[tuple[str, int]]:
    """Every cgroup of the directory."""
    name, found = directory_name(data), []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mounted, kind, *_ = line.split()
        if kind not in ("cgroup", "cgroup2"):
            continue
        for folder, children, _ in os.walk(mounted):
            found += [path for child in children if name in (path := os.path.join(folder, child))]
    return with_inodes(found)


def temporary_files(data: Path) -> list[tuple[str, int]]:
    return with_inodes(sorted(os.path.join(folder, name) for folder, children, files in os.walk(data / "tmp")
                              for name in [*children, *files]))


def mounts(data: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if f"{data}/" in line or f"{data} " in line or directory_name(data) in line]


def snapshot(data: Path, server: int) -> dict:
    """What is there while the server lives: none of it may outlive the server's successor's start."""
    mine = process(server)
    return {"processes": [*([mine[0]] if mine else []), *descendants(server)],
            "cgroups": cgroups(data), "tmp": temporary_files(data)}


def left_now(data: Path, server: int | None, before: dict | None) -> list[str]:
    before = before or {"processes": [], "cgroups": [], "tmp": []}
    old = {tuple(entry) for entry in before["processes"]}
    ours = {os.getpid(), os.getppid()}
    suspects = [one for one in processes() if tuple(one) in old or (one.pid not in ours and belongs(one.pid, data))]
    # Asked after the list was made: a living server starts and ends sandboxes all the while, and those are its own.
    own = {server, *(child.pid for child in descendants(server))} if server else set()
    found = [f"process {one.pid} {read_text(f'/proc/{one.pid}/cmdline').replace(chr(0), ' ')}".rstrip() for one in suspects
             if (tuple(one) in old or one.pid not in own) and (now := process(one.pid)) and now[0] == one]
    found += [f"mount {line}" for line in mounts(data)]
    groups, files = cgroups(data), temporary_files(data)
    if server:  # A living server has groups and files of its own; only its predecessor's are too many.
        top = directory_name(data)
        groups = [entry for entry in groups if list(entry) in map(list, before["cgroups"]) and not entry[0].endswith(top)]
        files = [entry for entry in files if list(entry) in map(list, before["tmp"])]
    return found + [f"cgroup {path}" for path, _ in groups] + [f"file {path}" for path, _ in files]


def leftovers(data: Path, server: int | None, before: dict | None = None, settle_s: float = SETTLE_S) -> list[str]:
    """What belongs to the directory and should be gone. With a living `server` nothing may be running in it."""
    deadline = time.monotonic() + settle_s
    while (found := left_now(data, server, before)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return found


def hot_rings(data: Path) -> list[Path]:
    """The recorder's ring in memory outlives a recorder that was killed: that is what it is for."""
    try:
        info = os.stat(data)
    except OSError:
        return []
    name = f"assay-recorder-{info.st_dev:x}-{info.st_ino:x}"
    return [path for folder in ("/run/assay", "/dev/shm") if (path := Path(folder) / name).exists()]


def sweep(work: Path) -> None:
    """After a case, its processes are dead; takes away the empty cgroups a failed case may have left, and rings in memory."""
    for identity in [*work.glob("id"), *work.glob("*/id"), *work.glob("*/*/id")]:
        for ring in hot_rings(identity.parent):
            ring.unlink(missing_ok=True)
        for path, _ in sorted(cgroups(identity.parent), reverse=True):
            try:
                os.rmdir(path)
            except OSError:
                pass


# --- for lib.sh ---

def main(command: str, *arguments: str) -> int:
    match command:
        case "wait":  # URL ID TOKEN STATE…
            url, identity, token, *states = arguments
            print(json.dumps(wait_for(url, identity, token, set(states))))
        case "verdict":  # URL ID TOKEN
            print(outcome(wait_for(*arguments, {"graded"})))
        case "fits":  # URL ID TOKEN SAMPLE: silent when the verdict is the sample's
            url, identity, token, sample = arguments
            found = wait_for(url, identity, token, {"graded"})
            if not fits(found, Path(sample)):
                print(f"{outcome(found)}, not {expected(Path(sample))}")
                print(json.dumps(found, ensure_ascii=False, indent=1), file=sys.stderr)
                return 1
        case "snapshot":  # DATA PID
            print(json.dumps(snapshot(Path(arguments[0]), int(arguments[1]))))
        case "leftovers":  # DATA [PID [SNAPSHOT]]
            data, server, before = (*arguments, "", "")[:3]
            saved = json.loads(Path(before).read_text()) if before and Path(before).exists() else None
            print("\n".join(leftovers(Path(data), int(server) if server else None, saved)) or "nothing is left")
        case _:
            raise SystemExit(f"outside.py: no command {command}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except RuntimeError as error:
        raise SystemExit(f"outside.py: {error}") from None
