"""Init has been in the host's world: nothing of it can be reached through it."""
import os
from hostile import begin, check, held
begin()
for name in ("mem", "environ", "maps", "root", "cwd", "exe", "fd", "fd/0", "ns/mnt", "stat", "status", "cmdline", "attr/current"):
    path = f"/proc/1/{name}"
    for what in (lambda: os.open(path, os.O_RDONLY), lambda: os.readlink(path), lambda: os.listdir(path)):
        try:
            what()
            check(f"{path} was reached", False)
        except OSError:
            check(path, True)
held()
