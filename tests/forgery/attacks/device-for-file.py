"""Makes device nodes in the sealed state."""

import os, stat
os.makedirs("answer", exist_ok=True)
for kind, major, minor in ((stat.S_IFCHR, 1, 5), (stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 1, 1)):
    try:
        os.mknod("answer/value", kind | 0o666, os.makedev(major, minor))
    except OSError:
        pass
