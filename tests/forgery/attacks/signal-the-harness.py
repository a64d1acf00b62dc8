"""Stops, continues and hangs up its group, its session and its parent."""

import os, signal
for number in (signal.SIGCONT, signal.SIGHUP, signal.SIGUSR1):
    for target in (0, os.getppid()):
        signal.signal(number, signal.SIG_IGN)
        try:
            if target == 0 or number == signal.SIGCONT:
                os.killpg(os.getpgid(0), signal.SIGCONT)
            else:
                os.kill(1, number)
        except OSError:
            pass
