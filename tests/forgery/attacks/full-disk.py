"""Fills its disk so that nothing after it can be written."""

import sys
try:
    with open("filler" if sys.argv[1] == "build" else "/tmp/filler", "wb") as file:
        while True:
            file.write(b"x" * 65536)
except OSError:
    pass
