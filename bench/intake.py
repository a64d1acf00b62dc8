"""Small hand-ins through HTTP to their durable receipts, beside a program that syncs for each; and as many slow uploads as there are
descriptors, beside as many idle connections."""
import resource
import statistics
from pathlib import Path

import slow
from measure import Broken, Goals, Scratch, Table, load_average, number, run, say
from sender import hand_in_small, many
from servers import HERE, PEOPLE, Assay

ROUND_S = 4
AT_ONCE = (64, 512)
RECEIPTS_PER_S = 2000
TIMES_EACH = 8
PEERS_MIN = 9000
SPARE = 300  # connections for everybody else


def built(scratch: Scratch, name: str) -> Path:
    program = scratch.path / name
    run(["cc", "-O2", "-Wall", "-o", program, HERE / "peer" / f"{name}.c"])
    return program


class Receipts:
    def __init__(self, scratch: Scratch, assay: Assay) -> None:
        self.scratch, self.assay, self.table = scratch, assay, Table()
        self.hand_in, self.sync_each = built(scratch, "handin"), built(scratch, "sync_each")
        self.serial = self.folders = 0

    def each(self, how: str) -> None:
        self.folders += 1
        folder = self.scratch.path / f"each-{self.folders}"
        folder.mkdir()
        receipts, seconds = run([self.sync_each, folder, ROUND_S / 2, how]).split()
        self.table.add(f"one sync each, {how}", **{"receipts/s": int(receipts) / float(seconds)})

    def many(self, at_once: int) -> None:
        before, commits, own = self.assay.metric("assay_store_commits_total"), 0.0, self.assay.cpu_s()
        receipts, seconds, p50, p99, wrong = map(float, run([self.hand_in, self.assay.port, at_once, ROUND_S, PEOPLE, self.serial]).split())
        self.serial += int(receipts) + at_once
        if wrong:
            raise Broken(f"{number(wrong)} small hand-ins were refused")
        commits = self.assay.metric("assay_store_commits_total") - before
        figures = {"receipts/s": receipts / seconds, "p50 ms": p50, "p99 ms": p99, "server CPU us": (self.assay.cpu_s() - own) * 1e6 / receipts}
        if commits:
            figures["a commit"] = receipts / commits
        self.table.add(f"assay, {at_once} at once", **figures)


def receipts(assay: Assay, scratch: Scratch, rounds: int, goals: Goals) -> None:
    bench = Receipts(scratch, assay)
    bench.many(AT_ONCE[0])  # The first ones make folders and threads.
    bench.table = Table()
    for _ in range(rounds):
        for how in ("log", "file"):
            bench.each(how)
        for at_once in AT_ONCE:
            bench.many(at_once)
    bench.table.show()
    best = max(bench.table.median(f"assay, {at_once} at once", "receipts/s") for at_once in AT_ONCE)
    each = bench.table.median("one sync each, log", "receipts/s")
    files = bench.table.median("one sync each, file", "receipts/s")
    goals.judge(f"intake: {RECEIPTS_PER_S} small durable receipts a second, or {TIMES_EACH} times one sync each", best >= RECEIPTS_PER_S or best >= TIMES_EACH * each,
                f"{number(best)} a second, {best / each:.2f} times a log with a sync each, {best / files:.2f} times a file with its syncs each")


def slow_uploads(assay: Assay, rounds: int, goals: Goals) -> None:
    own = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = int(min(assay.connections_max(), own) - SPARE)
    table, kept = Table(), []
    slow.load(assay)  # Unmeasured, so that the first kind meets the same caches as the second.
    for _ in range(rounds):
        for name, role in (("idle", slow.idle), ("slow uploads", slow.slow_uploads)):
            with slow.beside(role, assay.port, count) as left:
                before = slow.Histogram(assay)
                slow.load(assay)
                after = slow.Histogram(assay)
            table.add(f"{count} {name}", **{"server p50 ms": after.percentile_ms_since(before, 0.5), "server p99 ms": after.percentile_ms_since(before, 0.99)})
            kept.append(left[0] if left else 0)
    table.show()
    say(f"  still connected at the end of each round: {min(kept)}-{max(kept)} of {count}; load average {load_average()}")
    goals.judge(f"intake: at least {PEERS_MIN} slow uploads are kept", min(kept) >= PEERS_MIN and min(kept) == count, f"{min(kept)} of {count}")
    ratios = [slow_ms / idle_ms for slow_ms, idle_ms in zip(table.figures[f"{count} slow uploads"]["server p99 ms"], table.figures[f"{count} idle"]["server p99 ms"])]
    goals.at_most("intake: the page's server-side p99 at most doubles beside them", table.median(f"{count} slow uploads", "server p99 ms"), 2, table.median(f"{count} idle", "server p99 ms"))
    say(f"  the ratio within each round: median {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with Scratch() as scratch:
        assay = Assay(scratch, binary)
        receipts(assay, scratch, rounds, goals)
    with Scratch() as scratch:
        assay = Assay(scratch, binary)
        _, failed = many(PEOPLE, 8, lambda i: hand_in_small(assay.port, i, f"first of {i}\n"))
        if wrong := [one for one in failed if one is not None]:
            raise Broken(f"{len(wrong)} first hand-ins failed: {wrong[0]}")
        slow_uploads(assay, rounds, goals)
