"""Uploads of 12 MB through an nginx as Debian has it (1 MB a body), and straight to the server: whole; with the client killed at a random
moment and started again; with the server killed at a random moment and started again. Counts at a relay what the client sent.

What is held: the stored blob is the pack, byte for byte; each pack is one submission; a kill costs at most one part of 512 KiB; a
client that had begun to send when its server was killed needs nobody's help.
"""
import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import outside
import proxies

sys.path.insert(0, str(Path(__file__).resolve().parent))
from relay import Relay, is_upload  # noqa: E402

COURSE, MODULE = "ICS2024", "hello"
PART_BYTES = 512 << 10
PACK_BYTES = 12_000_000
TWICE_PERCENT_MAX = 5.0
STRAIGHT_EVERY = 4       # each fourth round goes to the server itself
RUN_S = 120.0
MOMENTS_MAX = 4          # times as many rounds as kills are wanted, since some end before their moment
PLAIN_RUNS = 4

work = Path(os.environ["WORK"])
binary = os.environ["ASSAY"]
examples = Path(os.environ["ROOT"]) / "examples/ics"
rounds = int(os.environ.get("ASSAY_RESUME_ROUNDS", "10"))
seed = int(os.environ.get("ASSAY_RESUME_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
own = {key: value for key, value in os.environ.items() if not key.startswith("ASSAY_")}


class Server(outside.Server):
    """On the same port after each start, as a server is."""

    def __init__(self, data: Path, port: int):
        super().__init__(binary, data)
        self.port = port

    def spawn(self) -> None:
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen([binary, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"], cwd=work, env=own,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True)


def assay(*arguments: str) -> str:
    return subprocess.run([binary, *arguments, "--data", str(work / "data")], check=True, env=own, timeout=60, stdout=subprocess.PIPE, text=True).stdout


class Pack:
    """One tar of 12 MB that is changed in place, so that no two uploads are of the same bytes."""

    def __init__(self, chance: random.Random):
        self.chance, self.path = chance, work / "work.tar"
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(examples / MODULE / "samples/correct/src/hello.py", arcname="hello.py")
            noise = tarfile.TarInfo("noise")
            noise.size = PACK_BYTES - 16384
            archive.addfile(noise, io.BytesIO(chance.randbytes(noise.size)))
        self.bytes = bytearray(packed.getvalue())
        self.digest = ""

    def renew(self) -> None:
        self.bytes[PACK_BYTES // 2:PACK_BYTES // 2 + 32] = self.chance.randbytes(32)
        self.path.write_bytes(self.bytes)
        self.digest = hashlib.sha256(self.bytes).hexdigest()


class Storm:
    def __init__(self) -> None:
        self.chance = random.Random(seed)
        self.pack = Pack(self.chance)
        self.server = Server(work / "data", proxies.free_port())
        self.problems: list[str] = []
        self.packs = 0
        self.token = ""

    def prepare(self) -> None:
        self.server.start()
        assay("course", "apply", str(examples))
        roster = work / "roster.csv"
        roster.write_text("id\ns01\n")
        assay("roster", "import", COURSE, str(roster))
        header, row = assay("roster", "export", COURSE).splitlines()
        self.token = row.split(",")[header.split(",").index("token")]
        assay("queue", "pause", COURSE, MODULE)  # It is uploads that are looked at.

    def submit(self) -> subprocess.Popen:
        return subprocess.Popen([binary, "submit", str(self.pack.path), "--server", f"http://127.0.0.1:{self.relay.port}", "--course", COURSE,
                                 "--module", MODULE, "--json"], env=own | {"HOME": str(work / "home"), "ASSAY_TOKEN": self.token},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @staticmethod
    def end(client: subprocess.Popen) -> tuple[int, dict, str]:
        """Its exit code, the receipt if it printed one, and what it said."""
        try:
            out, said = client.communicate(timeout=RUN_S)
        except subprocess.TimeoutExpired:
            client.kill()
            out, said = client.communicate()
            said += b"\n(it did not end by itself)"
        last = out.splitlines()[-1] if out.splitlines() else b"{}"
        try:
            found = json.loads(last)
        except ValueError:
            found = {}
        return client.returncode, found if found.get("type") == "assay-receipt/1" else {}, said.decode(errors="replace")

    def begin(self, number: int) -> str:
        straight = number % STRAIGHT_EVERY == STRAIGHT_EVERY - 1
        self.relay.target = self.server.port if straight else self.nginx.port
        self.pack.renew()
        self.packs += 1
        self.relay.forget()
        return "straight" if straight else "through nginx"

    def finished(self, name: str, receipt: dict) -> int:
        """Looks at what arrived, and gives the bytes that were sent more than once."""
        sent = [one for one in self.relay.settled(RUN_S) if is_upload(one)]
        twice = sum(one.bytes for one in sent) - len(self.pack.bytes)
        if receipt.get("sha256") != self.pack.digest or receipt.get("size") != len(self.pack.bytes):
            self.problems.append(f"{name}: no receipt of these bytes, but {receipt}")
            return max(0, twice)
        blob = next((path for path in (self.server.data / "blobs").rglob(f"*{self.pack.digest[4:]}*")), None)
        if blob is None or blob.read_bytes() != bytes(self.pack.bytes):
            self.problems.append(f"{name}: what is stored is not the pack")
        elif rounds > PLAIN_RUNS:
            blob.unlink()  # Nobody needs it any more, and there will be hundreds.
        if twice < 0:
            self.problems.append(f"{name}: {-twice} bytes arrived without having been seen")
        return twice

    def too_much(self, name: str, twice: int, said: str) -> None:
        if twice > PART_BYTES:
            sent = ", ".join(f"{one.method} {one.path.split('?')[0][-8:]} {one.offset}+{one.bytes}" for one in self.relay.settled(RUN_S) if is_upload(one))
            self.problems.append(f"{name}: {twice} bytes were sent again: {sent}; it said: {said}")

    def plain(self) -> float:
        """As it goes without any kill; gives the seconds from the start of the client to its end."""
        took, shares = [], []
        for number in range(PLAIN_RUNS):
            way = self.begin(number)
            began = time.monotonic()
            code, receipt, said = self.end(self.submit())
            took.append(time.monotonic() - began)
            twice = self.finished(f"undisturbed {way}", receipt)
            shares.append(100 * twice / len(self.pack.bytes))
            if code != 0 or shares[-1] > TWICE_PERCENT_MAX:
                self.problems.append(f"undisturbed {way}: exit {code}, {shares[-1]:.1f} % twice; it said: {said}")
        self.figure(f"undisturbed: {PLAIN_RUNS} uploads, {max(shares):.2f} % of the bytes twice at most, {statistics.median(took):.2f} s each")
        self.say(f"12 MB arrive, at most {TWICE_PERCENT_MAX:g} % of them sent twice")
        return statistics.median(took)

    def client_kills(self, whole_s: float) -> None:
        again: list[int] = []
        for number in range(rounds * MOMENTS_MAX):
            if len(again) == rounds:
                break
            way = self.begin(number)
            client = self.submit()
            threading.Event().wait(self.chance.uniform(0.0, whole_s))  # The random moment itself; nothing waits for it.
            killed = client.poll() is None
            client.kill()
            code, receipt, said = self.end(client)
            name = f"client killed, {number}, {way}"
            if not receipt:
                code, receipt, said = self.end(self.submit())
                if code != 0:
                    self.problems.append(f"{name}: the next one ended with {code}: {said}")
            twice = self.finished(name, receipt)
            self.too_much(name, twice, said)
            if killed:
                again.append(twice)
        self.summary("client", again)

    def server_kills(self, whole_s: float) -> None:
        again: list[int] = []
        helped = 0
        for number in range(rounds * MOMENTS_MAX):
            if len(again) == rounds:
                break
            way = self.begin(number)
            client = self.submit()
            threading.Event().wait(self.chance.uniform(0.0, whole_s))
            name = f"server killed, {number}, {way}"
            begun = self.relay.begun.is_set()
            killed = client.poll() is None
            self.server.end(signal.SIGKILL)
            self.server.start()
            code, receipt, said = self.end(client)
            if code != 0 and not begun:
                helped += 1
                code, receipt, said = self.end(self.submit())
            if code != 0:
                self.problems.append(f"{name}: ended with {code}: {said}")
            twice = self.finished(name, receipt)
            self.too_much(name, twice, said)
            if killed:
                again.append(twice)
        self.figure(f"server killed: {helped} clients had sent nothing yet and were started once more")
        self.summary("server", again)

    def summary(self, who: str, again: list[int]) -> None:
        parts = [twice / PART_BYTES for twice in again] or [0.0]
        share = 100 * statistics.fmean(again or [0]) / len(self.pack.bytes)
        self.figure(f"{who} killed: {len(again)} rounds, parts sent again: most {max(parts):.2f}, mean {statistics.fmean(parts):.2f}; {share:.2f} % of the bytes twice")
        if len(again) < rounds:
            self.problems.append(f"only {len(again)} of {rounds} moments met a living {who}")
        self.say(f"after each kill -9 of the {who} at most one part was sent again")

    def one_submission_each(self) -> None:
        with sqlite3.connect(f"file:{self.server.data}/assay.db?mode=ro", uri=True) as database:
            found = [count for (count,) in database.execute("SELECT count(*) FROM submission GROUP BY sha256")]
        if len(found) != self.packs or set(found) != {1}:
            self.problems.append(f"{self.packs} packs became {sum(found)} submissions of {len(found)} digests")
        self.say("each pack is one submission")

    def figure(self, line: str) -> None:
        with open(work / "figures", "a") as figures:
            figures.write(line + "\n")

    def say(self, sentence: str) -> None:
        """One line of the expected output, or all that speaks against it."""
        if not self.problems:
            print(sentence, flush=True)
            return
        print(f"NOT: {sentence}", *self.problems, sep="\n", flush=True)
        self.problems.clear()

    def run(self) -> None:
        print(f"seed {seed}", flush=True)
        self.prepare()
        with proxies.Proxy("nginx", work, self.server.port) as self.nginx:
            self.relay = Relay(self.nginx.port)
            whole_s = self.plain()
            self.client_kills(whole_s)
            self.server_kills(whole_s)
        print(f"stopped with exit code {self.server.end(signal.SIGTERM)}", flush=True)
        self.one_submission_each()


Storm().run()
