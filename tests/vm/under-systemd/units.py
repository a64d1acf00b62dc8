"""What systemd does with the unit: what it keeps for it, and that nobody is refused while it starts it again."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from visitor import Visitor, healthy

PORT, WAIT_S = 8080, 120


def shown(name: str) -> str:
    return subprocess.run(["systemctl", "show", "assay", "-p", name, "--value"], check=True, text=True, capture_output=True).stdout.strip()


def until(holds: object, what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what} never came: " + subprocess.run(["systemctl", "status", "assay"], text=True, capture_output=True).stdout)
        time.sleep(0.1)


def again(what: str, act: object, restarts: int) -> None:
    """`act` makes it start again; people connect all the time."""
    before, visitor = shown("MainPID"), Visitor(PORT)
    until(lambda: visitor.asked >= 20, "a visitor")
    act(int(before))
    until(lambda: shown("MainPID") not in ("0", before) and shown("ActiveState") == "active", "a new start")
    after = visitor.asked
    until(lambda: visitor.asked >= after + 20, "a visitor")
    visitor.stop.set()
    visitor.join()
    fine = visitor.refused == 0 and visitor.answered >= 20 and healthy(PORT) and shown("NRestarts") == str(restarts)
    print(f"{what}: started anew, no connection refused" if fine else
          (what, visitor.refused, visitor.asked, visitor.answered, shown("NRestarts")), flush=True)


def main() -> None:
    pid = shown("MainPID")
    group = Path(f"/proc/{pid}/cgroup").read_text().strip()
    kept = Path("/sys/fs/cgroup" + group[3:], "memory.min").read_text().strip()
    print(f"{group} keeps {int(kept) >> 20} MiB; oom_score_adj {Path(f'/proc/{pid}/oom_score_adj').read_text().strip()}", flush=True)
    until(lambda: int(shown("NFileDescriptorStore")) == 1, "the socket to keep")
    again("restart", lambda _: subprocess.run(["systemctl", "restart", "assay"], check=True), 0)
    again("kill -9", lambda it: os.kill(it, signal.SIGKILL), 1)
    again("stands still", lambda it: os.kill(it, signal.SIGSTOP), 2)


main()
