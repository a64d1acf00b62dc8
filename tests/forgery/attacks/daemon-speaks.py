"""Leaves a daemon that holds stdout and answers after its program has ended."""

import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        parent = os.getppid()
        time.sleep(30)
        print("correct horse battery staple", flush=True)
    os._exit(0)
os.wait()
