"""Fills the disk under a server while uploads are on their way, and says what it saw. URL DATA TOKENS.CSV SERVER-PID

The disk is a small tmpfs. It is filled with bytes and, for the one step of an upload that needs no byte but a name, with names.
"""
import csv
import errno
import hashlib
import http.client
import json
import os
import sys
import time
import urllib.parse
from pathlib import Path

import outside
from packed import tar_of

COURSE, MODULE = "FULL", "work"
SALT_BYTES = 1 << 20  # more than the server keeps in memory, and not to be compressed
NOTICED_S = 30.0
RUNS_S = 25           # while that job runs the disk is filled and looked at

url, data, tokens, server_pid = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
filler = data.parent / "filler"
with open(tokens, encoding="utf-8") as rows:
    TOKENS = {row["id"]: row["token"] for row in csv.DictReader(rows)}


def archive(script: str) -> bytes:
    return tar_of({"run.sh": script.encode(), "salt": os.urandom(SALT_BYTES)})


def blob_of(content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    return data / "blobs" / digest[:2] / digest


def until(what: str, holds) -> None:
    deadline = time.monotonic() + NOTICED_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {NOTICED_S:.0f} s: {what}")
        time.sleep(0.02)


def temporary() -> dict[str, int]:
    """Names and sizes of what lies in tmp/; a file may go while we look."""
    found = {}
    for entry in os.scandir(data / "tmp"):
        try:
            found[entry.name] = entry.stat().st_size
        except FileNotFoundError:
            pass
    return found


class Upload:
    """One upload by hand, so that it can stop anywhere."""

    def __init__(self, who: str, content: bytes):
        border = "full-border"
        fields = "".join(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                         for name, value in (("token", TOKENS[who]), ("course", COURSE), ("module", MODULE)))
        head = fields + f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="work.tar"\r\n\r\n'
        self.content = content
        self.head, self.tail = head.encode(), f"\r\n--{border}--\r\n".encode()
        before = set(temporary())
        where = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        self.connection.putrequest("POST", "/upload")
        self.connection.putheader("Content-Type", f"multipart/form-data; boundary={border}")
        self.connection.putheader("Content-Length", str(len(self.head) + len(content) + len(self.tail)))
        self.connection.endheaders(self.head)
        self.before = before
        self.sent = 0

    def send(self, count: int) -> "Upload":
        """So much of the file more; returns when the server has written all but what its parser may hold back."""
        self.connection.send(self.content[self.sent:self.sent + count])
        self.sent = min(self.sent + count, len(self.content))
        until("the bytes sent are in tmp/",
              lambda: any(size >= self.sent - (64 << 10) for name, size in temporary().items() if name not in self.before))
        return self

    def finish(self) -> str:
        try:
            self.connection.send(self.content[self.sent:] + self.tail)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was refused before it was read whole; the answer is there.
        answer = self.connection.getresponse()
        return f"{answer.status} {answer.read().decode().strip()}"


def hand_in(who: str, content: bytes) -> str:
    """The id of what must be accepted."""
    line = Upload(who, content).finish()
    if not line.startswith("200 [SUCC"):
        raise SystemExit(f"not accepted: {line}")
    return line.split()[4]


def fill_bytes() -> None:
    with open(filler, "ab", buffering=0) as file:
        step = 1 << 20
        while step:
            try:
                file.write(bytes(step))
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise
                step //= 2


def fill_names() -> list[Path]:
    made = []
    while True:
        path = data.parent / f"name-{len(made)}"
        try:
            path.touch()
        except OSError as full:
            if full.errno != errno.ENOSPC:
                raise
            return made
        made.append(path)


def state_of(identity: str, who: str) -> dict:
    return outside.submission(url, identity, TOKENS[who])


def reason_of(identity: str, who: str) -> str:
    return (state_of(identity, who).get("reason") or {}).get("code", "")


def ready() -> tuple[int, str]:
    status, body = outside.get(f"{url}/readyz")
    return status, body.decode()


def main() -> None:
    until("grading is ready", lambda: ready()[0] == 200)

    # No name left for the blob's new directory. Bytes for it there are.
    content = archive("true")
    while blob_of(content).parent.exists():
        content = archive("true")
    upload = Upload("s04", content).send(len(content))
    names = fill_names()
    print("at the new directory:", upload.finish())
    print("a blob was made:", blob_of(content).exists())
    for path in names:
        path.unlink()
    until("it is ready again", lambda: ready()[0] == 200)

    running = hand_in("s01", archive(f"sleep {RUNS_S}"))
    outside.wait_for(url, running, TOKENS["s01"], {"running"})
    waiting = hand_in("s02", archive("true"))
    before_commit = archive("true")
    half = Upload("s03", archive("true")).send(SALT_BYTES // 2)
    whole = Upload("s05", before_commit).send(len(before_commit))

    fill_bytes()
    until("the reserved file is given up", lambda: not (data / "reserve").exists())
    print("during the body:", half.finish())
    print("at the commit:", whole.finish())
    print("its bytes were kept:", blob_of(before_commit).exists())
    print("a new one:", Upload("s06", archive("true")).finish())
    until("grading pauses", lambda: reason_of(waiting, "s02") == "disk_reserve")
    print("what waits:", reason_of(waiting, "s02"), "·", "are free on the server's disk" in state_of(waiting, "s02")["reason"]["details"])
    print("readiness:", ready()[0])
    if (state := state_of(running, "s01")["state"]) != "running":
        raise SystemExit(f"the job that was to run through all this is {state}; RUNS_S is too short for this machine")
    print("what ran:", outside.wait_for(url, running, TOKENS["s01"], {"graded"})["verdict"])
    print("what waits:", reason_of(waiting, "s02"))
    print("in tmp/:", len(temporary()))

    filler.unlink()
    until("uploads are taken again", lambda: ready()[0] == 200)
    print("the reserved file is back:", (data / "reserve").stat().st_blocks * 512 >= 16 << 20)
    print("what waited:", outside.wait_for(url, waiting, TOKENS["s02"], {"graded"})["verdict"])
    again = hand_in("s03", archive("true"))
    print("a new one:", outside.wait_for(url, again, TOKENS["s03"], {"graded"})["verdict"])
    for identity, who in ((running, "s01"), (waiting, "s02"), (again, "s03")):
        status, body = outside.get(f"{url}/api/v1/submissions/{identity}/receipt", TOKENS[who])
        digest = json.loads(body)["sha256"]
        kept = hashlib.sha256((data / "blobs" / digest[:2] / digest).read_bytes()).hexdigest() == digest
        print("receipt and bytes of", who + ":", status, kept)
    os.kill(server_pid, 0)
    print("it is the same process")


main()
