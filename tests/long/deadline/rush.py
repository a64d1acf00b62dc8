"""Sends a deadline's submissions at once, and holds the server to its promises; figures go to stderr in one block at the end."""
import hashlib
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.parse
from bisect import bisect_left, bisect_right
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import outside
from packed import tar_of

COURSE, MODULES, PARTICIPANTS = "RUSH", ("M1", "M2", "M3"), 300
SENDERS = 64
PAGE_EVERY_S = 0.05
GRADED_WITHIN_S = 2400.0
FLOOD = 0.2  # of all, by one participant

work = Path(os.environ["WORK"])
binary = os.environ["ASSAY"]
count = int(os.environ.get("ASSAY_RUSH_SUBMISSIONS", "2000"))
random.seed(7)


class Receipt(NamedTuple):
    identity: str
    participant: str
    module: str
    digest: str
    at_ms: float  # when the answer was in hand: by then it was in line


def assay(*arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ASSAY_")}
    return subprocess.run([binary, *arguments, "--data", str(work / "data")], check=True, env=clean, timeout=120,
                          stdout=subprocess.PIPE, text=True).stdout


def write_course(folder: Path) -> None:
    folder.mkdir()
    (folder / "course.toml").write_text(f'[course]\nid = "{COURSE}"\ntitle = "Rush"\ntimezone = "UTC"\n')
    for module in MODULES:
        (folder / module).mkdir()
        (folder / module / "module.toml").write_text(
            f'[module]\nid = "{module}"\ntitle = "{module}"\nsupersede = false\n'
            '[upload]\nunpacked_max = "1 MiB"\nentries_max = 16\n'
            '[[stage]]\nname = "check"\nrun = "grep -q 42 answer.txt"\n'
            'limits = { cpu = "2 s", wall = "60 s", memory = "32 MiB", disk = "8 MiB", processes = 4 }\n')


def archive_of(number: int) -> bytes:
    return tar_of({"answer.txt": f"42 {number}\n".encode()}, "w:gz")


class Connections(threading.local):
    """One kept connection of each thread."""
    connection: http.client.HTTPConnection | None = None


kept = Connections()
again = threading.Lock()
refused_busy = 0


def ask(address: str, method: str, target: str, body: bytes | None = None, headers: dict[str, str] = {}) -> tuple[int, bytes]:
    for attempt in (1, 2):  # A server may end a kept connection between two requests.
        if kept.connection is None:
            kept.connection = http.client.HTTPConnection(address, timeout=120)
        try:
            kept.connection.request(method, target, body, headers)
            answer = kept.connection.getresponse()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            kept.connection.close()
            kept.connection = None
            if attempt == 2:
                raise
    raise AssertionError


def hand_in(address: str, token: str, participant: str, module: str, number: int) -> Receipt:
    global refused_busy
    archive = archive_of(number)
    border = "rush-border"
    fields = (("token", token), ("course", COURSE), ("module", module))
    body = b"".join(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields)
    body += f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="a.tar.gz"\r\n\r\n'.encode() + archive
    body += f"\r\n--{border}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={border}", "Accept": "application/json"}
    while True:
        status, answer = ask(address, "POST", "/upload", body, headers)
        if status == 200:
            return Receipt(json.loads(answer)["id"], participant, module, hashlib.sha256(archive).hexdigest(), time.time() * 1000)
        if status != 503:
            raise RuntimeError(f"{participant} {module}: {status} {answer[:300]!r}")
        with again:
            refused_busy += 1
        time.sleep(0.5)  # What Retry-After would ask for at least.


class PageWatch(threading.Thread):
    def __init__(self, address: str, pages: list[str]):
        super().__init__(daemon=True)
        self.address, self.pages = address, pages
        self.over = threading.Event()
        self.taken_ms: list[float] = []
        self.failures: list[str] = []

    def run(self) -> None:
        while not self.over.wait(PAGE_EVERY_S):
            began = time.monotonic()
            try:
                status, body = ask(self.address, "GET", random.choice(self.pages))
                if status != 200 or b"</html>" not in body:
                    self.failures.append(f"{status}")
            except OSError as error:
                self.failures.append(repr(error))
            self.taken_ms.append((time.monotonic() - began) * 1000)


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def wait_until_graded(database: Path) -> tuple[int, float]:
    """Reads the rows themselves: two thousand questions a second would be another rush."""
    began = time.monotonic()
    while True:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
            left = rows.execute("SELECT count(*) FROM submission WHERE state <> 'graded'").fetchone()[0]
        if left == 0 or time.monotonic() - began > GRADED_WITHIN_S:
            return left, time.monotonic() - began
        time.sleep(1)


def out_of_turn(database: Path, receipts: list[Receipt]) -> list[str]:
    """While somebody's oldest job waits and none of his runs, every other participant starts at most one."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        runs = rows.execute("SELECT submission.participant, submission.id, attempt.started_ms, attempt.ended_ms FROM attempt"
                            " JOIN job ON job.id = attempt.job JOIN submission ON submission.id = job.submission"
                            " ORDER BY attempt.started_ms, job.id").fetchall()
    starts: dict[str, list[int]] = defaultdict(list)
    mine: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for participant, identity, started, ended in runs:
        starts[participant].append(started)
        mine[participant].append((identity, started, ended))
    in_hand = {receipt.identity: receipt.at_ms for receipt in receipts}
    problems = []
    for participant, own in mine.items():
        free_ms = 0.0
        for identity, started, ended in own:
            waits_from = max(in_hand[identity], free_ms)
            free_ms = ended
            for other, theirs in starts.items():
                if other == participant:
                    continue
                between = bisect_left(theirs, started) - bisect_right(theirs, waits_from)
                if between > 1:
                    problems.append(f"{identity} of {participant} waited while {other} started {between}")
    return problems


def main() -> None:
    write_course(work / "course")
    server = outside.Server(binary, work / "data")
    server.start()
    assay("course", "apply", str(work / "course"))
    roster = work / "roster.csv"
    roster.write_text("id,name\n" + "".join(f"s{number:03},S {number}\n" for number in range(PARTICIPANTS)))
    assay("roster", "import", COURSE, str(roster))
    people = [line.split(",") for line in assay("roster", "export", COURSE).splitlines()]
    columns = {name: index for index, name in enumerate(people[0])}
    people = [(row[columns["id"]], row[columns["token"]], row[columns["key"]]) for row in people[1:]]
    flood = int(count * FLOOD)
    tasks = [(people[0], MODULES[number % 3], number) for number in range(flood)]
    tasks += [(people[1 + number % (PARTICIPANTS - 1)], MODULES[number // (PARTICIPANTS - 1) % 3], flood + number) for number in range(count - flood)]
    random.shuffle(tasks)

    address = urllib.parse.urlsplit(server.url).netloc
    pid = server.child.pid
    watch = PageWatch(address, [f"/oj/{COURSE}/{module}/{key}" for _, _, key in people for module in MODULES])
    watch.start()
    cpu_before, began = cpu_s(pid), time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        sent = [senders.submit(hand_in, address, person[1], person[0], module, number) for person, module, number in tasks]
        receipts = [one.result() for one in sent]
    sent_s = time.monotonic() - began
    database = work / "data/assay.db"
    left, _ = wait_until_graded(database)
    all_s = time.monotonic() - began
    watch.over.set()
    watch.join()
    cpu_used, peak = cpu_s(pid) - cpu_before, peak_mib(pid)
    metrics = subprocess.run(["curl", "-s", "--unix-socket", str(work / "data/admin.sock"), "http://assay/metrics"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    published = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line.startswith("assay_queue_expected_start"))
    told = {when: (float(published.get(f'assay_queue_expected_start_error_seconds{{told="{when}"}}', "nan")),
                   100 * float(published.get(f'assay_queue_expected_start_error_ratio{{told="{when}"}}', "nan"))) for when in ("first", "half_way")}
    silence_s = float(published.get("assay_queue_expected_start_silence_seconds", "nan"))

    lost = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        verdicts = dict(rows.execute("SELECT submission, verdict FROM verdict").fetchall())
    for receipt in receipts:
        blob = work / "data/blobs" / receipt.digest[:2] / receipt.digest
        if not blob.is_file() or hashlib.sha256(blob.read_bytes()).hexdigest() != receipt.digest:
            lost.append(f"{receipt.identity}: its bytes")
        if verdicts.get(receipt.identity) != "passed":
            lost.append(f"{receipt.identity}: its verdict is {verdicts.get(receipt.identity)}")
    turns = out_of_turn(database, receipts)
    code = server.end(signal.SIGTERM)

    print("graded: all" if left == 0 and len({r.identity for r in receipts}) == count else f"graded: all but {left} of {len(receipts)}")
    print("lost: none" if not lost else f"lost: {len(lost)}, such as {lost[0]}")
    print("turns: in order" if not turns else f"turns: {len(turns)} wrong, such as {turns[0]}")
    print("page: answered" if watch.taken_ms and not watch.failures else f"page: {len(watch.failures)} failed, such as {watch.failures[:1]}")
    if code != 0:
        print(f"the server ended with {code}")
    (work / "figures").write_text(f"""figures
  submissions             {count} by {PARTICIPANTS} participants in {len(MODULES)} modules, {flood} of them by one
  sent in                 {sent_s:.1f} s by {SENDERS} connections ({refused_busy} answers 503, sent again)
  all graded after        {all_s:.1f} s, {count / all_s:.1f} a second
  page                    {len(watch.taken_ms)} asked, p50 {quantile(watch.taken_ms, 0.5):.1f} ms, p99 {quantile(watch.taken_ms, 0.99):.1f} ms
  server process          {cpu_used:.1f} s CPU, {1000 * cpu_used / count:.1f} ms a submission, {peak:.0f} MiB at most
  expected start          wrong by {told["first"][0]:.1f} s, {told["first"][1]:.0f} % of the wait (medians, of what was told first, after {silence_s:.1f} s)
                          half-way by {told["half_way"][0]:.1f} s, {told["half_way"][1]:.0f} % of what was left
""")


main()
