"""1,000 uploads at a byte a second beside 1,000 idle connections, and what four of them do to gunicorn's four workers."""
import contextlib
import http.client
import multiprocessing
import random
import socket
import time
from pathlib import Path

from measure import Broken, Goals, Scratch, Table, number, percentile, say
from sender import form_head, hand_in_small, many, request_head
from servers import PEOPLE, Assay, Flask, Server

PEERS = 1000
ROUND_S = 8
RATE_PER_S = 200  # requests for pages meanwhile, evenly
FREEZING = 4
FREEZE_WATCH_S = 6
ANNOUNCED = 1 << 20
ROUTE = "/oj/{course}/{module}/{key}"


def connected(port: int, count: int, first: "callable") -> list[socket.socket]:
    peers = []
    for i in range(count):
        peer = socket.create_connection(("127.0.0.1", port), 30)
        peer.sendall(first(i))
        peers.append(peer)
    return peers


def begun_upload(i: int) -> bytes:
    head = form_head(i % PEOPLE)
    return request_head("POST /upload", len(head) + ANNOUNCED, True) + head


def idle(port: int, ready, over, count: int = PEERS) -> None:
    """Connections that have asked for a page once and stay open."""
    def first(i: int) -> bytes:
        return b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    peers = connected(port, count, first)
    for peer in peers:
        peer.recv(65536)
    ready.send(True)
    over.wait()
    ready.send(sum(alive(peer) for peer in peers))


def slow_uploads(port: int, ready, over, count: int = PEERS) -> None:
    """Each has sent its fields, and a byte of its file every second from then on."""
    peers = connected(port, count, begun_upload)
    ready.send(True)
    at, began = 0, time.monotonic()
    while not over.is_set():
        with contextlib.suppress(OSError):
            peers[at % count].send(b"\0")
        at += 1
        time.sleep(max(0.0, began + at / count - time.monotonic()))
    ready.send(sum(alive(peer) for peer in peers))


def alive(peer: socket.socket) -> bool:
    """Neither answered nor closed."""
    peer.setblocking(False)
    try:
        return bool(peer.recv(1, socket.MSG_PEEK)) and False
    except BlockingIOError:
        return True
    except OSError:
        return False


@contextlib.contextmanager
def beside(role: "callable", *arguments: object):
    """The peers live in a process of their own; what they need of the processors is not the load's."""
    ours, theirs = multiprocessing.Pipe()
    over = multiprocessing.Event()
    process = multiprocessing.Process(target=role, args=(arguments[0], theirs, over, *arguments[1:]))
    process.start()
    left: list[int] = []
    try:
        if not ours.poll(60):
            raise Broken("the peers could not connect")
        ours.recv()
        yield left
    finally:
        over.set()
        if ours.poll(30):
            left.append(ours.recv())
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()


def load(server: Server) -> list[float]:
    """Milliseconds of each page, asked for at fixed times; a late start counts as waiting."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    times = []
    began = time.monotonic()
    for n in range(ROUND_S * RATE_PER_S):
        due = began + n / RATE_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        connection.request("GET", server.path(random.randrange(PEOPLE)))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise Broken(f"a page was answered {answer.status}")
        times.append((time.monotonic() - due) * 1000)
    connection.close()
    return times


class Histogram:
    """The server's own, of the page's route."""

    def __init__(self, server: Assay) -> None:
        self.counts: dict[float, float] = {}
        for line in server.metrics():
            if line.startswith("assay_http_response_seconds_bucket{") and f'route="{ROUTE}"' in line:
                bound = line.split('le="')[1].split('"')[0]
                self.counts[float(bound)] = float(line.rsplit(" ", 1)[1])
        if not self.counts:
            raise Broken(f"no histogram of {ROUTE}")

    def percentile_ms_since(self, earlier: "Histogram", share: float) -> float:
        """Between two bounds it is taken as evenly spread."""
        below, low = 0.0, 0.0
        total = self.counts[float("inf")] - earlier.counts[float("inf")]
        for bound in sorted(self.counts):
            upto = self.counts[bound] - earlier.counts[bound]
            if upto >= share * total:
                if bound == float("inf"):
                    return low * 1000
                return (low + (bound - low) * (share * total - below) / (upto - below)) * 1000
            below, low = upto, bound
        raise Broken("an empty histogram")


def answered_pages(server: Server) -> tuple[int, int]:
    answered = asked = 0
    until = time.monotonic() + FREEZE_WATCH_S
    while (left := until - time.monotonic()) > 0:
        asked += 1
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), left) as connection:
            connection.settimeout(max(0.01, min(3.0, until - time.monotonic())))
            connection.sendall(f"GET {server.path(1)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            answered += connection.recv(15).startswith(b"HTTP/1.1 200")
    return answered, asked


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with Scratch() as scratch:
        assay, flask = Assay(scratch, binary), Flask(scratch)
        _, failed = many(PEOPLE, 8, lambda i: hand_in_small(assay.port, i, f"first of {i}\n"))
        if wrong := [one for one in failed if one is not None]:
            raise Broken(f"{len(wrong)} first hand-ins failed: {wrong[0]}")
        assay.grade(PEOPLE)
        load(assay)  # Unmeasured, so that the first kind meets the same caches as the second.
        table, kept = Table(), []
        for _ in range(rounds):
            for name, role in (("idle", idle), ("slow uploads", slow_uploads)):
                with beside(role, assay.port) as left:
                    before = Histogram(assay)
                    times = load(assay)
                    after = Histogram(assay)
                    table.add(f"{PEERS} {name}", **{"server p50 ms": after.percentile_ms_since(before, 0.5),
                                                    "server p99 ms": after.percentile_ms_since(before, 0.99),
                                                    "client p50 ms": percentile(times, 0.5), "client p99 ms": percentile(times, 0.99)})
                kept.append(left[0] if left else 0)
        table.show()
        say(f"  peers still connected at the end of each round: {min(kept)}-{max(kept)} of {PEERS}")
        for side in ("server", "client"):
            goals.at_most(f"slow: the page's {side}-side p99 at most doubles", table.median(f"{PEERS} slow uploads", f"{side} p99 ms"), 2,
                          table.median(f"{PEERS} idle", f"{side} p99 ms"))
        goals.judge("slow: all slow uploads are kept", min(kept) == PEERS, f"{number(min(kept))} of {PEERS}")
        with beside(slow_uploads, flask.port, FREEZING):
            answered, asked = answered_pages(flask)
        say(f"  {FREEZING} such uploads and gunicorn's four workers: {answered} of {asked} pages answered in {FREEZE_WATCH_S} s")
        with beside(slow_uploads, assay.port, FREEZING):
            answered, asked = answered_pages(assay)
        say(f"  {FREEZING} such uploads and assay: {answered} of {asked} pages answered in {FREEZE_WATCH_S} s")
