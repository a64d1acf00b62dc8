"""Kills a server at random moments while people hand in, starts it again, and holds it to its promises.

Each participant hands in once, so no submission replaces another and every receipt must end in a verdict. The seed decides
samples, moments and the kind of each kill; the machine's own timing stays its own.
"""
import hashlib
import http.client
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import outside

COURSE, MODULE = "ICS2024", "PA1"
UPLOADS_PER_ROUND = 3
KILL_AFTER_S = (0.0, 1.5)
GRADED_WITHIN_S = 420.0
# Short ones mostly: a job that is cut again and again waits longer each time.
SAMPLES = {"correct": 4, "wrong": 3, "build-failure": 3, "infinite-loop": 1, "memory-hog": 1, "forged-result": 1}

work = Path(os.environ["WORK"])
binary = os.environ["ASSAY"]
samples = Path(os.environ["ROOT"]) / "examples/ics" / MODULE / "samples"
rounds = int(os.environ.get("ASSAY_KILL_ROUNDS", "25"))
seed = int(os.environ.get("ASSAY_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)


class Receipt(NamedTuple):
    identity: str
    token: str
    sample: str
    digest: str
    round: int


def archive_of(sample: str, salt: str) -> bytes:
    """The sample as tar.bz2. A salt makes the bytes new; without one several people hand in the very same blob."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:bz2") as archive:
        archive.add(samples / sample / "src", arcname=".")
        if salt:
            note = tarfile.TarInfo("salt.txt")
            note.size = len(salt)
            archive.addfile(note, io.BytesIO(salt.encode()))
    return packed.getvalue()


def form(token: str, archive: bytes) -> tuple[bytes, str]:
    border = "storm-border"
    parts = [f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in (("token", token), ("course", COURSE), ("module", MODULE))]
    parts.append(f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="upload.tar.bz2"\r\n\r\n'.encode()
                 + archive + f"\r\n--{border}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={border}"


def assay(*arguments: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ASSAY_")}
    return subprocess.run([binary, *arguments, "--data", str(work / "data")], check=True, env=clean, timeout=60,
                          stdout=subprocess.PIPE, text=True).stdout


class Storm:
    def __init__(self) -> None:
        self.random = random.Random(seed)
        self.server = outside.Server(binary, work / "data")
        self.receipts: list[Receipt] = []
        self.problems: list[str] = []
        self.tokens: list[str] = []
        self.group_kills = self.early_kills = 0
        self.lock = threading.Lock()

    def prepare(self) -> None:
        self.server.start()
        assay("course", "apply", str(samples.parent.parent))
        people = rounds * UPLOADS_PER_ROUND
        roster = work / "roster.csv"
        roster.write_text("id\n" + "".join(f"p{number:04}\n" for number in range(people)))
        assay("roster", "import", COURSE, str(roster))
        header, *rows = assay("roster", "export", COURSE).splitlines()
        column = header.split(",").index("token")
        self.tokens = [row.split(",")[column] for row in rows]
        if len(self.tokens) != people:
            raise RuntimeError(f"the roster has {len(self.tokens)} people, not {people}")

    def hand_in(self, token: str, sample: str, archive: bytes, number: int) -> None:
        body, kind = form(token, archive)
        request = urllib.request.Request(f"{self.server.url}/upload", body, {"Content-Type": kind, "Accept": "application/json"})
        try:
            with outside.OPENER.open(request, timeout=30) as answer:
                receipt = json.load(answer)
        except urllib.error.HTTPError as refusal:
            if refusal.code != 503:  # Shutting down is no lie; anything else refuses a good archive.
                self.note(f"round {number}: {sample} was refused with {refusal.code}")
            return
        except (OSError, ValueError, EOFError, urllib.error.URLError, http.client.HTTPException):
            return  # The server died before it answered: no receipt, no promise.
        digest = hashlib.sha256(archive).hexdigest()
        if receipt["sha256"] != digest or receipt["size"] != len(archive):
            self.note(f"round {number}: the receipt {receipt['id']} is about other bytes")
        with self.lock:
            self.receipts.append(Receipt(receipt["id"], token, sample, digest, number))

    def note(self, problem: str) -> None:
        with self.lock:
            self.problems.append(problem)

    def one_round(self, number: int, whole_group: bool) -> None:
        work_list = []
        for _ in range(UPLOADS_PER_ROUND):
            sample = self.random.choices(list(SAMPLES), list(SAMPLES.values()))[0]
            salt = self.random.choice(["", f"{seed}-{number}-{self.random.random()}"])
            work_list.append((self.tokens.pop(), sample, archive_of(sample, salt), number))
        moment = self.random.uniform(*KILL_AFTER_S)
        again = self.random.random() < 0.2 and not whole_group
        early = self.random.uniform(0.0, 0.3)

        hands = [threading.Thread(target=self.hand_in, args=upload, daemon=True) for upload in work_list]
        for hand in hands:
            hand.start()
        threading.Event().wait(moment)  # The random moment itself; nothing waits for it.
        before = outside.snapshot(self.server.data, self.server.child.pid)
        self.server.end(signal.SIGKILL, group=whole_group)
        for hand in hands:
            hand.join(60)
        self.group_kills += whole_group
        if again:  # Once more, while the successor is still cleaning up.
            self.early_kills += 1
            self.server.spawn()
            threading.Event().wait(early)
            second = outside.snapshot(self.server.data, self.server.child.pid)
            before = {kind: before[kind] + second[kind] for kind in before}
            self.server.end(signal.SIGKILL)
        self.server.start()
        for left in outside.leftovers(self.server.data, self.server.child.pid, before, settle_s=0.0):
            self.note(f"round {number}: after the restart there is still: {left}")
        self.check_receipts(number)

    def check_receipts(self, number: int) -> None:
        for receipt in self.receipts:
            url = f"{self.server.url}/api/v1/submissions/{receipt.identity}/receipt"
            status, body = outside.get(url, receipt.token)
            if status != 200 or json.loads(body)["sha256"] != receipt.digest:
                self.note(f"after round {number}: the receipt {receipt.identity} of round {receipt.round} is gone ({status})")

    def check_blobs(self) -> None:
        files = {str(path.relative_to(self.server.data / "blobs")).replace("/", ""): path
                 for path in (self.server.data / "blobs").rglob("*") if path.is_file()}
        for receipt in self.receipts:
            # blobs/ab/abcd… or blobs/ab/cd…: either way the joined path ends with the digest or holds it.
            found = next((path for name, path in files.items() if receipt.digest in name), None)
            if found is None or hashlib.sha256(found.read_bytes()).hexdigest() != receipt.digest:
                self.note(f"the bytes of {receipt.identity} ({receipt.digest}) are not in blobs/")

    def check_verdicts(self) -> None:
        for receipt in self.receipts:
            try:
                found = outside.wait_for(self.server.url, receipt.identity, receipt.token, {"graded"}, GRADED_WITHIN_S)
            except RuntimeError as error:
                self.note(str(error))
                continue
            if not outside.fits(found, samples / receipt.sample):
                self.note(f"{receipt.identity} ({receipt.sample}, round {receipt.round}) ended {outside.outcome(found)}, "
                          f"not {outside.expected(samples / receipt.sample)}")

    def say(self, sentence: str, only_if: bool = True) -> None:
        """One line of the expected output, or all that speaks against it."""
        if only_if and not self.problems:
            print(sentence, flush=True)
            return
        print(f"NOT: {sentence}", *self.problems, sep="\n", flush=True)
        self.problems.clear()

    def run(self) -> None:
        print(f"seed {seed}", flush=True)
        self.prepare()
        with_group = self.random.randrange(rounds)
        for number in range(rounds):
            self.one_round(number, number == with_group)
            print(f"round {number + 1} of {rounds}: {len(self.receipts)} receipts", file=sys.stderr, flush=True)
        print(f"rounds {rounds}, receipts {len(self.receipts)}, killed with its whole group: {self.group_kills}, "
              f"killed before it listened: {self.early_kills}", flush=True)
        self.check_blobs()
        self.say("every receipt's record and bytes are there", len(self.receipts) > 0)
        self.check_verdicts()
        self.say("every accepted job ended with the verdict of its sample")
        print(f"stopped with exit code {self.server.end(signal.SIGTERM)}", flush=True)
        print("\n".join(outside.leftovers(self.server.data, None)) or "nothing is left", flush=True)


Storm().run()
