"""Kills every process there is."""

import os, signal, sys
if sys.argv[1] == "build":
    sys.exit(0)  # It would only end its own build.
pid = os.fork()
if pid == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.kill(-1, signal.SIGTERM)
    os._exit(0)
os.waitpid(pid, 0)
