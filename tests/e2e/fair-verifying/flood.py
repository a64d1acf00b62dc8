"""Floods the verifier as one participant, hands in as another, and counts how many of the flood's were judged meanwhile."""
import bz2
import io
import os
import subprocess
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor

import requests

url, admin, flooder, other = sys.argv[1:]
FLOOD = 12
IN_LINE = 8
# One is being judged when the other's comes into line; one may have ended since they were counted, and one more by the time the
# answer is in hand.
JUDGED_MEANWHILE_MAX = 3
WITHIN_S = 100.0


def packed(content: bytes) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode="w") as archive:
        for name, data in (("Makefile", b"all:\n"), ("content", content)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return bz2.compress(into.getvalue())


def hand_in(token: str, archive: bytes) -> int:
    form = {"token": token, "course": "ICS2024", "module": "PA1"}
    return requests.post(f"{url}/upload", data=form, files={"file": ("a.tar.bz2", archive)}, timeout=WITHIN_S).status_code


def metric(name: str) -> float:
    page = subprocess.run(["curl", "-sS", "--unix-socket", admin, "http://assay/metrics"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))[name])


def main() -> None:
    slow = packed(os.urandom(8 << 20))  # What does not pack takes longest: some 0.4 s.
    quick = packed(b"small\n")
    with ThreadPoolExecutor(FLOOD) as senders:
        flood = [senders.submit(hand_in, flooder, slow) for _ in range(FLOOD)]
        deadline = time.monotonic() + WITHIN_S
        while metric("assay_verify_waiting") < IN_LINE:
            if time.monotonic() > deadline or all(one.done() for one in flood):
                sys.exit(f"there never were {IN_LINE} in line")
        before = sum(one.done() for one in flood)
        status = hand_in(other, quick)
        judged = sum(one.done() for one in flood) - before
        print("the other's:", status, "at once" if judged <= JUDGED_MEANWHILE_MAX else f"behind {judged} of the flood's")
        print("the flood's:", *sorted({one.result() for one in flood}))
    print("in line after:", int(metric("assay_verify_waiting")), metric("assay_verify_oldest_seconds"))


main()
