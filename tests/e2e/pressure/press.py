"""The machine of this case, and what is seen of the server on it.

    press.py machine PROC SHARE                     makes the files: this share of the memory is available, nothing stalls
    press.py play PROC URL DATA TOKENS.CSV ASSAY    the story; prints what a participant and staff see
"""
import csv
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import outside
from packed import tar_of

COURSE, MODULE = "FULL", "work"
TOTAL_KIB = 1_000_000
NOTICED_S = 30.0
SALT_BYTES = 1 << 20  # more than the server keeps in memory


def machine(proc: Path, share: float, stalled_us: int = 0, refaults: int = 0) -> None:
    """Written in place and in one piece, as the server keeps the files open: the numbers have a width of their own."""
    files = {"meminfo": f"MemTotal:  {TOTAL_KIB:9} kB\nMemFree:   {1000:9} kB\nMemAvailable: {round(TOTAL_KIB * share):9} kB\n",
             "vmstat": f"workingset_refault_anon 0\nworkingset_refault_file {refaults:<12}\n"}
    for name in ("cpu", "memory", "io"):
        total = stalled_us if name == "memory" else 0
        kinds = (f"{kind} avg10=0.00 avg60=0.00 avg300=0.00 total={total:<15}\n" for kind in ("some", "full"))
        files[f"pressure/{name}"] = "".join(kinds)
    for name, text in files.items():
        file = os.open(proc / name, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(file, text.encode(), 0)
        os.close(file)


def archive(script: str) -> bytes:
    return tar_of({"run.sh": script.encode(), "salt": os.urandom(SALT_BYTES)})


class Upload:
    """By hand, so that it can stop half way."""

    def __init__(self, url: str, token: str, script: str = "true"):
        border = "pressure-border"
        fields = "".join(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                         for name, value in (("token", token), ("course", COURSE), ("module", MODULE)))
        head = fields + f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="work.tar"\r\n\r\n'
        body = head.encode() + archive(script) + f"\r\n--{border}--\r\n".encode()
        self.rest = body[len(body) // 2:]
        where = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
        self.connection.putrequest("POST", "/upload")
        self.connection.putheader("Content-Type", f"multipart/form-data; boundary={border}")
        self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body[:len(body) // 2])

    def finish(self) -> tuple[http.client.HTTPResponse, str]:
        try:
            self.connection.send(self.rest)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It was refused before it was read whole; the answer is there.
        answer = self.connection.getresponse()
        return answer, answer.read().decode().strip()


def play(proc: Path, url: str, data: Path, tokens: str, assay: str) -> None:
    with open(tokens, encoding="utf-8") as rows:
        people = {row["id"]: row for row in csv.DictReader(rows)}
    token = {who: row["token"] for who, row in people.items()}

    def until(what: str, holds) -> None:
        deadline = time.monotonic() + NOTICED_S
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"not within {NOTICED_S:.0f} s: {what}")
            time.sleep(0.05)

    def hand_in(who: str) -> str:
        answer, line = Upload(url, token[who]).finish()
        if answer.status != 200:
            raise SystemExit(f"not accepted: {answer.status} {line}")
        return line.split()[3]

    def ready() -> int:
        return outside.get(f"{url}/readyz")[0]

    def reason(identity: str, who: str) -> dict:
        return outside.submission(url, identity, token[who]).get("reason") or {}

    def metric(name: str) -> str:
        text = subprocess.run(["curl", "-sS", "--unix-socket", f"{data}/admin.sock", "http://assay/metrics"],
                              capture_output=True, text=True, check=True).stdout
        return next((line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")), "absent")

    until("grading is ready", lambda: ready() == 200)
    print("calm:", outside.wait_for(url, hand_in("s01"), token["s01"], {"graded"})["verdict"], "· level", metric("assay_admission_level"))

    machine(proc, 0.04)
    until("starts stop", lambda: metric("assay_admission_level") == "1")
    waiting = hand_in("s02")
    why = reason(waiting, "s02")
    print("little left:", why["code"], "·", why["details"])
    print("what it means:", why["text"])
    page = outside.get(f"{url}/oj/{COURSE}/{MODULE}/{people['s02']['key']}")[1].decode()
    print("on the page:", "<code>pressure</code>" in page, why["details"].split(" of ")[-1] in page)
    listing = subprocess.run([assay, "queue", "list", "--data", str(data)], capture_output=True, text=True, check=True).stdout
    print("to staff:", next(line for line in listing.splitlines() if line.startswith("pressure:")))
    print("in line by reason:", metric('assay_queue_waiting{reason="pressure"}'), "· readiness:", ready())

    begun = Upload(url, token["s03"])
    until("it is received", lambda: any(entry.stat().st_size > 0 for entry in os.scandir(data / "tmp")))
    machine(proc, 0.02)
    until("uploads stop", lambda: ready() == 503)
    answer, line = Upload(url, token["s04"]).finish()
    print("hardly any left:", answer.status, "· Retry-After", answer.getheader("Retry-After"), "·", line)
    answer, line = begun.finish()
    print("begun before:", answer.status, line.split()[0])
    third = line.split()[3]
    print("pages:", outside.get(f"{url}/oj/{COURSE}/{MODULE}/{people['s04']['key']}")[0], outside.get(f"{url}/healthz")[0])
    print("still waits:", reason(waiting, "s02")["code"])

    machine(proc, 0.5)
    for who, identity in (("s02", waiting), ("s03", third)):
        print("calm again:", outside.wait_for(url, identity, token[who], {"graded"})["verdict"])
    print("uploads:", outside.wait_for(url, hand_in("s04"), token["s04"], {"graded"})["verdict"], "· level", metric("assay_admission_level"))


if __name__ == "__main__":
    if sys.argv[1] == "machine":
        machine(Path(sys.argv[2]), float(sys.argv[3]))
    else:
        play(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), sys.argv[5], sys.argv[6])
