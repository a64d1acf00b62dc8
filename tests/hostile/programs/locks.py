"""Leases, exclusive record locks and watches on files of the image, which every run can open."""
import ctypes, fcntl, os
from hostile import begin, check, held
begin()
shared = os.open("/usr/bin/python3", os.O_RDONLY)
try:
    fcntl.fcntl(shared, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    check("no lease on the image", False)
except OSError:
    check("no lease on the image", True)
try:
    fcntl.lockf(shared, fcntl.LOCK_EX | fcntl.LOCK_NB)
    check("no exclusive record lock on the image", False)
except OSError:
    check("no exclusive record lock on the image", True)
libc = ctypes.CDLL(None, use_errno=True)
check("no watch on who uses the image", libc.inotify_init1(0) < 0 and ctypes.get_errno() == 38)
held()
