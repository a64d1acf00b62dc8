"""Its streams, opened, closed and doubled in every way: only its own two pipes are touched."""
import os
from hostile import begin, check, held
begin()
for path in ("/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "/dev/stderr"):
    open(path, "w").write("")
    check(path, True)
for number in range(3, 1024):
    try:
        os.write(number, b"results")
        check(f"wrote to {number}", False)
    except OSError:
        pass
try:
    os.write(0, b"spoiled")
    check("input is written", False)
except OSError:
    check("input", True)
spare = os.dup(1)
os.close(1)
os.close(2)
os.dup2(spare, 1)
held()
