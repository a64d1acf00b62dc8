"""Makes the sealed answer a socket."""

import os, socket
os.makedirs("answer", exist_ok=True)
try:
    socket.socket(socket.AF_UNIX).bind("answer/value")
except OSError:
    pass
