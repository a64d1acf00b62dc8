"""Ends like a harness that could not run it: 125, 124, 0."""

import os, signal, sys
if sys.argv[1] == "guest":
    os.kill(os.getppid(), signal.SIGKILL)
sys.exit(125)
