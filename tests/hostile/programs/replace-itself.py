"""Changes the program that is being run, and what lies beside it."""
import os, sys
from hostile import begin, check, held
begin()
here = os.path.dirname(sys.argv[0])
for path in (sys.argv[0], f"{here}/hostile.py", f"{here}/new", "/usr/bin/python3", "/bin/sh", "/lib/x86_64-linux-gnu/libc.so.6", "/etc/passwd", "/etc/ld.so.preload"):
    for what in (lambda: open(path, "a"), lambda: os.chmod(path, 0o777), lambda: os.unlink(path), lambda: os.rename(path, path + "x"), lambda: os.truncate(path, 0),
                 lambda: os.utime(path), lambda: os.link(path, here + "/link"), lambda: os.symlink("/etc", path)):
        try:
            what()
            check(f"{path} changed", False)
        except OSError:
            check(path, True)
held()
