"""COUNT refills of a cache that its readers' control group has no room for; says what the kernel counted meanwhile. COUNT FIGURES"""
import os
import subprocess
import sys
import time
from pathlib import Path

ROOM_BYTES, FILE_BYTES = 32 << 20, 48 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")
count, figures = int(sys.argv[1]), Path(sys.argv[2])
root = Path("/sys/fs/cgroup")
group = (root / "memory" if (root / "memory").is_dir() else root) / f"assay-refills-{os.getpid()}"
# A program of its own, so that nothing else is charged to the group; it reads what is told it and says when it has.
READER = """
import sys
open(sys.argv[1] + "/cgroup.procs", "w").write("0")
for _ in sys.stdin:
    with open(sys.argv[2], "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
    print(flush=True)
"""


def refaults() -> int:
    return sum(int(line.split()[1]) for line in Path("/proc/vmstat").read_text().splitlines() if line.startswith("workingset_refault_file "))


def stalled_s(kind: str) -> float:
    line = next(line for line in Path("/proc/pressure/memory").read_text().splitlines() if line.startswith(kind))
    return int(line.rsplit("=", 1)[1]) / 1e6


def available() -> float:
    rows = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(rows["MemAvailable"].split()[0]) / int(rows["MemTotal"].split()[0])


group.mkdir()
try:
    for name in ("memory.limit_in_bytes", "memory.max"):
        if (group / name).exists():
            (group / name).write_text(str(ROOM_BYTES))
    file = Path("/var/tmp") / f"assay-refills-{os.getpid()}"
    try:
        with open(file, "wb") as large:
            for _ in range(FILE_BYTES >> 20):
                large.write(os.urandom(1 << 20))
            large.flush()
            os.fsync(large.fileno())
            os.posix_fadvise(large.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what stays would be charged to us
        reader = subprocess.Popen([sys.executable, "-c", READER, group, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        before, began, least = (refaults(), stalled_s("some"), stalled_s("full")), time.monotonic(), 1.0
        for _ in range(count):
            reader.stdin.write("\n")
            reader.stdin.flush()
            if not reader.stdout.readline():
                sys.exit("the reader ended")
            least = min(least, available())
        took = time.monotonic() - began
        again, some, full = refaults() - before[0], stalled_s("some") - before[1], stalled_s("full") - before[2]
        reader.stdin.close()
        reader.wait(10)
    finally:
        file.unlink(missing_ok=True)
finally:
    for _ in range(100):  # what it read is given up a moment after it ended
        try:
            group.rmdir()
            break
        except OSError:
            time.sleep(0.1)
figures.write_text(f"{count} refills in {took:.0f} s: {again} pages read back, {again / took:.0f} a second; memory stalled some {some:.1f} s, "
                   f"all {full:.1f} s; at least {least:.0%} of memory available\n")
# Less than this, and it was no refill at all.
print("pages were read back each time" if again > count * (FILE_BYTES - ROOM_BYTES) // PAGE else f"only {again} pages were read back")
