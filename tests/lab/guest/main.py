"""Inside of the machine: starts a server, lets the load come over it, and says what was seen, a JSON object a line.

    main.py ORDER   ORDER: {"server": "assay"|"gunicorn", "do": "freeze"|"cut"|"calm-cut"|"look", "digest_port", "alert_port", "ids"}
"""
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

LAB, DATA, LOGS = Path("/lab"), Path("/data"), Path("/run/lab")
PORT, PEOPLE = 8080, 40
GROUPS = Path("/sys/fs/cgroup")
CALM_S, INSIDE_S, HOLD_S, HOG_MAX_S, AFTER_S = 15, 60, 40, 120, 15
LOAD_MAX_S = 400
CACHE_FLOOR_MIB = 6
RESIDENTS = 10
STOP = LOGS / "stop"
HOST = "10.0.2.2"  # as QEMU's network calls it
PEOPLE_SQL = """pragma journal_mode = wal;
    create table people (id text primary key, name text, token text unique, key text unique);
    create table submissions (id text primary key, person text, received text, bytes integer, state text, score integer);
    create table tests (submission text, name text, verdict text, score integer, score_max integer, cpu_ms integer,
                        wall_ms integer, memory_kib integer, input text, expected text, got text);
    create index by_person on submissions (person, received);
    create index by_submission on tests (submission);"""


def say(what: str, **more: object) -> None:
    print(json.dumps({"what": what, "t": round(time.time(), 3), **more}, separators=(",", ":")), flush=True)


def group(name: str) -> Path:
    """A control group, as systemd makes one for each service."""
    place = GROUPS / name
    place.mkdir(exist_ok=True)
    return place


def start(words: list[object], place: Path, log: str, **more: object) -> subprocess.Popen:
    with open(LOGS / log, "ab") as out:
        return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=more.pop("stdout", out), stderr=out,
                                preexec_fn=lambda: (place / "cgroup.procs").write_text("0"), **more)


def wait_for(server: subprocess.Popen, ready: object) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not start: " + (LOGS / "server.log").read_text()[-2000:])
        time.sleep(0.1)


def answers() -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{PORT}/oj/LAB/work/keyofperson00000", timeout=60).status == 200
    except OSError:
        return False


class Assay:
    def __init__(self, order: dict) -> None:
        slice_ = group("assay.slice")  # As packaging/systemd has them.
        (slice_ / "memory.min").write_text(str(64 << 20))
        (slice_ / "cgroup.subtree_control").write_text("+memory +io +cpu +pids")
        place = group("assay.slice/assay.service")
        os.setxattr(place, "trusted.delegate", b"1")
        (place / "memory.min").write_text(str(64 << 20))
        config = LOGS / "assay.toml"
        config.write_text(f'[alert]\nhost = "lab"\ndigest_to = "{HOST}:{order["digest_port"]}"\ndigest_secret = "sixteen bytes or more"\n'
                          f'[alert.receivers.ops]\ntype = "webhook"\nurl = "http://{HOST}:{order["alert_port"]}/server"\n')
        fresh = not (DATA / "assay.db").exists()
        self.process = start(["/usr/bin/assay", "serve", "--data", DATA, "--config", config, "--listen", f"0.0.0.0:{PORT}"], place, "server.log")
        wait_for(self.process, lambda: "server.started" in (LOGS / "server.log").read_text())
        say("kept_memory", bytes=int((place / "assay-outside/memory.min").read_text()))
        if fresh:
            self.command("course", "apply", LAB / "course")
            self.command("roster", "import", "LAB", LAB / "roster.csv")

    def command(self, *words: object) -> str:
        ended = subprocess.run(["/usr/bin/assay", *map(str, words), "--data", str(DATA)], capture_output=True, text=True, timeout=300)
        if ended.returncode != 0:
            say("failed", words=[str(word) for word in words], code=ended.returncode, text=ended.stderr[-1000:])
        return ended.stdout

    def kept(self, ids: list[str]) -> list[str]:
        database = sqlite3.connect(DATA / "assay.db", timeout=20)
        known = {row[0] for row in database.execute("select id from submission")}
        return [one for one in ids if one in known]

    def tell(self, begin: float, hog_at: float) -> None:
        say("why", json=json.loads(self.command("why", "--last", "--json") or "{}"))
        if hog_at:
            say("why_then", json=json.loads(self.command("why", "--at", time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(hog_at)), "--json") or "{}"))
        frames = [json.loads(line) for line in self.command("replay", "--all", "--json").splitlines()]
        times = [frame["real_time_ns"] / 1e9 for frame in frames]
        hog = [[round(frame["real_time_ns"] / 1e9, 1), group["anon_bytes"] >> 20] for frame in frames for group in frame.get("cgroups", []) if group["name"].endswith("other/hog")]
        say("hog_grew", mib=hog)
        say("frames", times=[round(at, 3) for at in times if at >= begin])

    def log(self) -> list[str]:
        wanted = ("admission", "text_locked", "refused", "recorder.lost", "helper.lost", "runner.ended")
        return [line for line in (LOGS / "server.log").read_text().splitlines() if any(word in line for word in wanted)]


class Gunicorn:
    def __init__(self, _order: dict) -> None:
        place = group("gunicorn.service")
        if not (DATA / "people.db").exists():
            database = sqlite3.connect(DATA / "people.db")
            database.executescript(PEOPLE_SQL)
            with database:
                database.executemany("insert into people values (?, ?, ?, ?)",
                                     [(f"p{i:05}", f"Person {i}", f"TOKEN-OF-PERSON-{i:05}", f"keyofperson{i:05}") for i in range(PEOPLE)])
            database.close()
        environment = os.environ | {"BENCH_FOLDER": str(DATA)}
        self.process = start(["/usr/bin/gunicorn", "-w", "4", "-b", f"0.0.0.0:{PORT}", "--chdir", LAB / "peer", "--log-level", "info", "app:app"],
                             place, "server.log", env=environment)
        wait_for(self.process, lambda: (LOGS / "server.log").read_text().count("Booting worker") >= 4)
        self.runner = start(["/usr/bin/python3", LAB / "runner.py", DATA], place, "runner.log")

    def kept(self, ids: list[str]) -> list[str]:
        database = sqlite3.connect(DATA / "people.db", timeout=20)
        known = {row[0] for row in database.execute("select id from submissions")}
        return [one for one in ids if one in known and (DATA / one).exists()]

    def tell(self, _begin: float, _hog_at: float) -> None:
        pass

    def log(self) -> list[str]:
        return [line for line in (LOGS / "server.log").read_text().splitlines() if "TIMEOUT" in line or "signal" in line]


def number_of(file: str, name: str) -> int:
    return next((int(line.split()[1]) for line in Path(file).read_text().splitlines() if line.split()[0] == name), 0)


def load(server: Assay | Gunicorn, order: dict) -> None:
    freeze = order["do"] == "freeze"
    seconds = LOAD_MAX_S  # ended before, by who started it
    other = group("other")
    (other / "cgroup.subtree_control").write_text("+memory +io")
    for i in range(RESIDENTS):
        start([LAB / "load", "resident", LAB / "text", seconds, i], group("other/residents"), "residents.log")
    start(["/bin/sh", "-c", f"while :; do gcc -O1 -o /data/compiled {LAB}/compile.c; sleep 2; done"], group("other/compiler"), "compiler.log")
    monitor = "while :; do date +%s.%N; cat /proc/meminfo /proc/vmstat /proc/diskstats >/dev/null; sleep 1; done"
    start(["/bin/sh", "-c", monitor], group("other/monitor"), "other.log", stdout=open(LOGS / "monitor", "wb"))
    ticker = start([LAB / "load", "ticker", seconds], GROUPS, "ticker.log", stdout=None)
    hog_words = [LAB / "hog.tar.gz", CALM_S] if freeze else []
    blocked = start([LAB / "load", "blocked", server.process.pid, seconds], GROUPS, "blocked.log", stdout=None)
    begin, hog_at = time.time(), 0.0
    probe = start(["/usr/bin/python3", LAB / "probe.py", PORT, STOP, PEOPLE, LAB / "work.tar.gz", *hog_words], GROUPS, "probe.log", stdout=None)
    (Path("/proc") / str(probe.pid) / "oom_score_adj").write_text("-1000")
    (Path("/proc") / str(ticker.pid) / "oom_score_adj").write_text("-1000")
    say("phase", name="calm")
    if freeze:
        sleep_until(begin + CALM_S)
        say("phase", name="inside")
    if order["do"] != "calm-cut":
        sleep_until(begin + CALM_S + (INSIDE_S if freeze else 0))
        say("phase", name="outside")
        hog = start([LAB / "load", "hog", CACHE_FLOOR_MIB, HOLD_S, HOG_MAX_S, "/data/hog.tmp"], group("other/hog"), "hog.log", stdout=None)
        hog_at = time.time()
        hog.wait()
        say("phase", name="after")
        hog_at = (hog_at + time.time()) / 2
    sleep_until(time.time() + (LOAD_MAX_S if order["do"] == "calm-cut" else AFTER_S))
    STOP.touch()
    probe.wait()
    for place in ("residents", "compiler", "monitor"):
        (GROUPS / "other" / place / "cgroup.kill").write_text("1")
    ticker.kill()
    blocked.kill()
    say("phase", name="ended")
    monitor_times = [float(line) for line in (LOGS / "monitor").read_text().split()]
    say("monitor", times=[round(at, 3) for at in monitor_times])
    server.tell(begin, hog_at)


def sleep_until(at: float) -> None:
    while (left := at - time.time()) > 0:
        time.sleep(left)


def main() -> None:
    order = json.loads(sys.argv[1])
    LOGS.mkdir()
    DATA.mkdir(exist_ok=True)
    for words in (["link", "set", "eth0", "up"], ["addr", "add", "10.0.2.15/24", "dev", "eth0"], ["route", "add", "default", "via", HOST]):
        subprocess.run(["/usr/bin/busybox", "ip", *words], check=True)
    (GROUPS / "cgroup.subtree_control").write_text("+memory +io +cpu +pids")
    (LOGS / "accepted").touch()
    server = Assay(order) if order["server"] == "assay" else Gunicorn(order)
    wait_for(server.process, answers)
    say("started", pid=server.process.pid)
    if order["do"] == "look":  # After a power cut.
        say("kept", ids=server.kept(order["ids"]))
        server.tell(0, 0)
    else:
        load(server, order)
    say("oom", kills=number_of("/proc/vmstat", "oom_kill"))
    for name in ("server.log", "runner.log", "probe.log", "hog.log"):
        if (LOGS / name).exists():
            lines = server.log() if name == "server.log" else (LOGS / name).read_text().splitlines()[-5:]
            say("log", name=name, lines=lines[-200:])
    if order["do"] != "look":
        say("kept", ids=server.kept((LOGS / "accepted").read_text().split()))
    say("done")


main()
