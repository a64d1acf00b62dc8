"""Uploads of 11.8 MB, no two alike: assay hashes, verifies and syncs before it answers; the others only store."""
import resource
from pathlib import Path

from measure import Broken, Goals, Scratch, Table, forget_peak, memory_mib, number, say, warm_memory
from sender import Archives, Gzipped, hand_in, many
from servers import PEOPLE, Assay, Flask, Least, Nginx, Server

SIZE = 23_047 * 512  # 11.8 MB in whole blocks
LOTS = {8: 24, 32: 64}  # at once: in one round
GZIPPED = 8
MEMORY_MAX_MIB = 48


def own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Sending:
    def __init__(self) -> None:
        self.serial = 0

    def lot(self, server: Server, archives: Archives, count: int, at_once: int) -> tuple[float, float]:
        """Seconds and the client's CPU seconds."""
        first, self.serial = self.serial, self.serial + count
        form = not isinstance(server, Nginx)
        own = own_cpu_s()
        took, statuses = many(count, at_once, lambda i: hand_in(server.port, form, archives, first + i, (first + i) % PEOPLE))
        if wrong := [one for one in statuses if one not in (200, 201)]:
            raise Broken(f"{server.name}: {len(wrong)} of {count} uploads were not taken: {wrong[0]}")
        return took, own_cpu_s() - own


def clear(folder: Path) -> None:
    for file in folder.iterdir():
        if file.is_file() and file.stat().st_size >= SIZE:
            file.unlink()


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with Scratch() as scratch:
        assay, flask, nginx, least = Assay(scratch, binary), Flask(scratch), Nginx(scratch), Least.storing(scratch)
        archives = Archives(scratch.path / "rest.tar", SIZE)
        sending = Sending()
        peaks, tables = [], {at_once: Table() for at_once in LOTS}
        sending.lot(assay, archives, 4, 4)  # The first ones make folders and threads.
        for _ in range(rounds):
            for at_once, count in LOTS.items():
                for server in (flask, nginx, assay, least):
                    gb = count * SIZE / 1e9
                    warm_memory(2 * count * SIZE)  # Sockets and what is read again take memory as well.
                    before = server.cpu_s()
                    verifiers = assay.verifiers_cpu_s()
                    if server is assay:
                        forget_peak(assay.pid)
                    took, own = sending.lot(server, archives, count, at_once)
                    figures = {"MB/s": gb * 1000 / took, "CPU s/GB": (server.cpu_s() - before) / gb, "client CPU s/GB": own / gb}
                    if server is assay:
                        peaks.append(memory_mib(assay.pid))
                        figures |= {"verifiers CPU s/GB": (assay.verifiers_cpu_s() - verifiers) / gb, "peak MiB": peaks[-1]}
                    tables[at_once].add(server.name, **figures)
                    clear(scratch.path / "flask")
                    clear(nginx.put)
        for at_once, table in tables.items():
            say(f"  {at_once} at once, {LOTS[at_once]} in a round")
            table.show()
            goals.at_most(f"upload, {at_once} at once: server CPU at most a third of Flask's", table.median("assay", "CPU s/GB"), 1 / 3,
                          table.median(flask.name, "CPU s/GB"))
        goals.judge(f"upload: server process at most {MEMORY_MAX_MIB} MiB", max(peaks) <= MEMORY_MAX_MIB, f"{number(max(peaks))} MiB")

        packed = Gzipped(scratch.path / "rest.tar.gz", SIZE)
        warm_memory(GZIPPED * packed.size)
        before, server_before = assay.verifiers_cpu_s(), assay.cpu_s()
        sending.lot(assay, packed, GZIPPED, GZIPPED)
        gb = GZIPPED * packed.size / 1e9
        say(f"  the same as tar.gz (bytes that do not pack): verifiers {number((assay.verifiers_cpu_s() - before) / gb)} CPU s/GB, "
            f"server {number((assay.cpu_s() - server_before) / gb)}")
