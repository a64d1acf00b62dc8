"""Only the three streams, and a working directory of its own."""
import os
from hostile import begin, check, held
begin()
check("no descriptor but 0, 1, 2", sorted(map(int, os.listdir("/proc/self/fd")))[:3] == [0, 1, 2] and len(os.listdir("/proc/self/fd")) == 4)
for number in range(3, 4096):
    try:
        os.fstat(number)
        check(f"descriptor {number} is open", False)
    except OSError:
        pass
check("cwd", os.readlink("/proc/self/cwd") == "/work")
check("root", os.readlink("/proc/self/root") == "/")
check("no way up", os.stat("..").st_ino == os.stat("/").st_ino and os.stat("/..").st_ino == os.stat("/").st_ino)
check("pipes", all(os.readlink(f"/proc/self/fd/{n}").startswith("pipe:") for n in (1, 2)))
held()
