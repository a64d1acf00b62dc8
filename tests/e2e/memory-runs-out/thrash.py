"""A machine that thrashes as long as it is told to, and what becomes of the jobs on it. PROC URL TOKENS.CSV"""
import csv
import sys
import threading
import time
from pathlib import Path

import outside
import press

GROWS = "python3 -c 'import time; held = bytearray(48 << 20); time.sleep(15)'"
STAYS = "sleep 30"
NOTICED_S = 40.0

proc, url = Path(sys.argv[1]), sys.argv[2]
with open(sys.argv[3], encoding="utf-8") as rows:
    TOKEN = {row["id"]: row["token"] for row in csv.DictReader(rows)}


class Thrash:
    """While it lasts: 5 % of memory, everything waits half of the time, 2,000 pages a second are read again."""

    def __enter__(self):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self) -> None:
        begin = time.monotonic()
        while not self.over.wait(0.05):
            passed = time.monotonic() - begin
            press.machine(proc, 0.05, stalled_us=round(passed * 500_000), refaults=round(passed * 2000))

    def __exit__(self, *_) -> None:
        self.over.set()
        self.thread.join()
        press.machine(proc, 0.5)


def hand_in(who: str, script: str) -> str:
    answer, line = press.Upload(url, TOKEN[who], script).finish()
    if answer.status != 200:
        raise SystemExit(f"not accepted: {answer.status} {line}")
    return line.split()[3]


def until(what: str, holds):
    deadline = time.monotonic() + NOTICED_S
    while not (found := holds()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {NOTICED_S:.0f} s: {what}")
        time.sleep(0.05)
    return found


def state(identity: str, who: str) -> dict:
    return outside.submission(url, identity, TOKEN[who])


def grown() -> bool:
    """Whether some process holds what the growing job takes: only then may it be seen to have grown."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        rss = next((int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon:")), 0)
        if rss >= 48 << 10 and "held = bytearray" in (status.parent / "cmdline").read_bytes().decode(errors="replace"):
            return True
    return False


def end_once(identity: str, who: str, then: str) -> dict:
    until("it holds its memory", grown)
    with Thrash():
        return until(f"it is {then}", lambda: (s := state(identity, who))["state"] == then and s)


until("grading is ready", lambda: outside.get(f"{url}/readyz")[0] == 200)
beside = hand_in("s01", STAYS)
outside.wait_for(url, beside, TOKEN["s01"], {"running"})
first = hand_in("s02", GROWS)
waiting = end_once(first, "s02", "queued")
print("ended:", waiting["reason"]["code"], "·", waiting["reason"]["details"].split(" (")[0])
print("it waits to be alone; beside it:", state(beside, "s01")["state"])
found = outside.wait_for(url, first, TOKEN["s02"], {"graded"}, 120)
print("once more:", found["verdict"])
print("the one beside it:", outside.wait_for(url, beside, TOKEN["s01"], {"graded"})["verdict"])

second = hand_in("s03", GROWS)
end_once(second, "s03", "queued")
outside.wait_for(url, second, TOKEN["s03"], {"running"}, 60)
found = end_once(second, "s03", "graded")
print("ended twice:", found["verdict"])
