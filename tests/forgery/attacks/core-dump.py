"""Crashes with a core dump in the hope of a file or a handler."""

import os, resource, signal
try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
except (OSError, ValueError):
    pass
os.kill(os.getpid(), signal.SIGSEGV)
