"""10,000 kept connections, and then a page; what each of them costs the server."""
import resource
import time
from pathlib import Path

from measure import Goals, Scratch, memory_mib, number, say
from page import fetch
from sender import hand_in_small
from servers import Assay
from slow import alive, beside, begun_upload, connected

PEERS = 10_000
SPARE = 200            # of the client's own descriptors
IDLE_MAX_KIB = 16
PAGE_MAX_S = 5


def peers_of(port: int, ready, over, count: int, kind: str) -> None:
    idle = kind == "idle"
    peers = connected(port, count, lambda i: b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" if idle else begun_upload(i))
    if idle:
        for peer in peers:
            peer.recv(65536)
    ready.send(True)
    over.wait()
    ready.send(sum(alive(peer) for peer in peers))


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = min(PEERS, hard - SPARE)
    if count < PEERS:
        say(f"  the limit of descriptors is {hard}: {count} connections instead of {PEERS}")
    with Scratch() as scratch:
        assay = Assay(scratch, binary)
        hand_in_small(assay.port, 0, "first\n")
        for kind in ("idle", "begun uploads"):
            before = memory_mib(assay.pid, "VmRSS")
            with beside(peers_of, assay.port, count, kind) as left:
                each = (memory_mib(assay.pid, "VmRSS") - before) * 1024 / count
                began = time.monotonic()
                page = fetch(assay, 0)
                took = time.monotonic() - began
            kept = left[0] if left else 0
            say(f"  {count} {kind}: {kept} kept, {number(each)} KiB each, a page of {len(page)} bytes in {number(took * 1000)} ms")
            goals.judge(f"connections: {count} {kind} are kept and a page is answered", kept == count and took < PAGE_MAX_S, f"{kept} kept")
            if kind == "idle":
                goals.judge(f"connections: at most {IDLE_MAX_KIB} KiB each", each <= IDLE_MAX_KIB, f"{number(each)} KiB")
