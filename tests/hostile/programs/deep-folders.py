"""Folders deeper than any path is long, names that are no text."""
import os
from hostile import begin, check, held
begin()
deep = 0
try:
    while deep < 100_000:
        os.mkdir(b"\xff\n" + b"x" * 253)
        os.chdir(b"\xff\n" + b"x" * 253)
        deep += 1
except OSError as error:
    check("the end is a full disk", error.errno in (28, 12))
check("deeper than a path", deep * 256 > 4096 * 8)
held()
