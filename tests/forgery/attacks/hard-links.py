"""Makes hard links to files that are not its own."""

import os
os.makedirs("answer", exist_ok=True)
for target in ("/grader/answer/value", "/etc/passwd", "/usr/bin/python3", "/proc/1/environ", "/assay/run"):
    try:
        os.link(target, "answer/value")
    except OSError:
        pass
