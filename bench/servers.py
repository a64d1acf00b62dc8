"""The three servers that are compared, each with the same people and started the same way."""
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

from measure import Broken, Scratch, START_S, await_port, children_of, cpu_s, family_cpu_s, free_port, run

HERE = Path(__file__).resolve().parent
COURSE, MODULE = "BENCH", "lab"
PEOPLE = 1000
GRADING_S = 600
TESTS = [  # of course/lab: name, verdict, score, CPU and duration in ms, memory in KiB, input, expected, got
    ("one line", "passed", 10, 1, 2, 308, "$ cat\none\n", "one\n", "one\n"),
    ("two lines", "passed", 10, 1, 2, 256, "$ cat\none\ntwo\n", "one\ntwo\n", "one\ntwo\n"),
    ("a line that is not there", "failed", 0, 1, 1, 480, "$ cat\none\n", "three\n", "one\n"),
]


def token(i: int) -> str:
    return f"TOKEN-OF-PERSON-{i:05}"


def key(i: int) -> str:
    return f"keyofperson{i:05}"


class Server:
    name = ""
    pid = 0
    port = 0

    def path(self, i: int) -> str:
        """Of person i's page."""
        return f"/oj/{COURSE}/{MODULE}/{key(i)}"

    def cpu_s(self) -> float:
        return family_cpu_s(self.pid)


class Assay(Server):
    """All on one machine; its module is paused, so that no submission runs while something else is measured."""
    name = "assay"

    def __init__(self, scratch: Scratch, binary: Path) -> None:
        self.data = scratch.path / "assay-data"
        self.log = scratch.path / "assay.log"
        self.process = scratch.start([binary, "serve", "--data", self.data, "--listen", "127.0.0.1:0"], "assay",
                                     stdout=subprocess.PIPE)
        line = self.process.stdout.readline().decode().strip()
        if not line.startswith("listening on http://"):
            raise Broken(f"assay did not start; it said: {(scratch.path / 'assay.log').read_text()[-2000:]}")
        self.pid, self.port = self.process.pid, int(line.rpartition(":")[2])
        roster = scratch.path / "roster.csv"
        roster.write_text("id,name,token,key\n" + "".join(f"p{i:05},Person {i},{token(i)},{key(i)}\n" for i in range(PEOPLE)))
        self.command = lambda *words: run([binary, *words, "--data", self.data], timeout=START_S, env=scratch.environment)
        for words in (["course", "apply", HERE / "course"], ["roster", "import", COURSE, roster], ["queue", "pause", COURSE, MODULE]):
            self.command(*words)

    def grade(self, count: int) -> bool:
        """Lets so many submissions run, and pauses again; false where nothing can run (not root)."""
        if os.geteuid() != 0:
            return False
        self.command("queue", "resume", COURSE, MODULE)
        deadline = time.monotonic() + GRADING_S
        while self.metric("assay_verdicts_total") < count:
            if time.monotonic() > deadline:
                raise Broken(f"{count} submissions were not graded within {GRADING_S} s")
            time.sleep(0.5)
        self.command("queue", "pause", COURSE, MODULE)
        return True

    def metrics(self) -> list[str]:
        connection = http.client.HTTPConnection("assay")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self.data / "admin.sock"))
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return lines

    def metric(self, name: str) -> float:
        """The sum over its labels."""
        return sum(float(line.rpartition(" ")[2]) for line in self.metrics() if line.split("{")[0].split(" ")[0] == name)

    def connections_max(self) -> int:
        for line in self.log.read_text().splitlines():
            if '"server.started"' in line:
                return json.loads(line)["connections_max"]
        raise Broken("the server does not say how many connections it takes")

    def cpu_s(self) -> float:
        return cpu_s(self.pid)  # The server process: what parses archives is told apart.

    def verifiers_cpu_s(self) -> float:
        """Of every child that the server process has, or had."""
        return family_cpu_s(self.pid) - cpu_s(self.pid)


class Flask(Server):
    """The usual way: gunicorn with its default worker kind, four of them, pages rendered from SQLite."""
    name = "gunicorn + Flask"

    def __init__(self, scratch: Scratch) -> None:
        self.folder = folder = scratch.path / "flask"
        folder.mkdir()
        database = sqlite3.connect(folder / "people.db")
        database.executescript("""
            pragma journal_mode = wal;
            create table people (id text primary key, name text, token text unique, key text unique);
            create table submissions (id text primary key, person text, received text, bytes integer, state text, score integer);
            create table tests (submission text, name text, verdict text, score integer, score_max integer, cpu_ms integer,
                                wall_ms integer, memory_kib integer, input text, expected text, got text);
            create index by_person on submissions (person, received);
            create index by_submission on tests (submission);""")
        with database:
            database.executemany("insert into people values (?, ?, ?, ?)",
                                 [(f"p{i:05}", f"Person {i}", token(i), key(i)) for i in range(PEOPLE)])
        database.close()
        self.port = free_port()
        scratch.environment |= {"BENCH_FOLDER": str(folder)}
        self.process = scratch.start(["gunicorn", "-w", "4", "-b", f"127.0.0.1:{self.port}", "--chdir", HERE / "peer", "--log-level",
                                      "warning", "app:app"], "gunicorn")
        self.pid = self.process.pid
        await_port(self.port, self.process)

    def grade(self) -> None:
        """As assay's module would."""
        database = sqlite3.connect(self.folder / "people.db")
        with database:
            database.execute("update submissions set state = 'failed', score = 20")
            database.executemany("insert into tests select id, ?, ?, ?, 10, ?, ?, ?, ?, ?, ? from submissions", TESTS)
        database.close()


class Nginx(Server):
    """Debian's defaults but for the access log, which the other two do not write either."""
    name = "nginx"

    def __init__(self, scratch: Scratch) -> None:
        folder = scratch.path / "nginx"
        for part in ("pages", "put", "tmp"):
            (folder / part).mkdir(parents=True)
        if os.geteuid() == 0:
            for part in ("put", "tmp"):
                (folder / part).chmod(0o777)
        self.pages = folder / "pages"
        self.port = free_port()
        temporary = "".join(f"{kind}_temp_path {folder}/tmp;" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
            worker_processes {os.cpu_count()}; pid {folder}/pid; error_log {folder}/error.log; daemon off;
            events {{ worker_connections 4096; }}
            http {{
                include /etc/nginx/mime.types; sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000;
                client_body_temp_path {folder}/tmp; {temporary}
                server {{
                    listen 127.0.0.1:{self.port} backlog=4096;
                    location /oj/ {{ alias {self.pages}/; default_type text/html; }}
                    location /put/ {{ alias {folder}/put/; dav_methods PUT; client_max_body_size 20m; }}
                }}
            }}""")
        self.process = scratch.start(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"], "nginx")
        self.pid = self.process.pid
        await_port(self.port, self.process)
        self.put = folder / "put"

    def path(self, i: int) -> str:
        return f"/oj/{key(i)}"

    def write_page(self, i: int, page: bytes) -> None:
        temporary = self.pages / ".next"
        temporary.write_bytes(page)
        temporary.chmod(0o644)
        temporary.rename(self.pages / key(i))


class Least(Server):
    """A program of peer/ that does the part's work and nothing of a server's: what the machine and its kernel leave to save."""
    name = "the least"

    def __init__(self, scratch: Scratch, work: str, material: Path, *libraries: str) -> None:
        program = scratch.path / work
        run(["cc", "-O2", "-o", program, HERE / "peer" / f"{work}.c", *libraries])
        self.port = free_port()
        self.process = scratch.start([program, self.port, material], work)
        self.pid = self.process.pid
        await_port(self.port, self.process)

    @classmethod
    def answering(cls, scratch: Scratch, page: bytes) -> "Least":
        answer = scratch.path / "answer.http"
        answer.write_bytes(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
        return cls(scratch, "answer", answer)

    @classmethod
    def storing(cls, scratch: Scratch) -> "Least":
        folder = scratch.path / "stored"
        folder.mkdir()
        return cls(scratch, "store", folder, "-lcrypto")


__all__ = ["Assay", "COURSE", "Flask", "Least", "MODULE", "Nginx", "PEOPLE", "Server", "children_of", "key", "token"]
