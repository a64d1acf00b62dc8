"""Makes the sealed answer a FIFO, to hang whoever reads it."""

import os
os.makedirs("answer", exist_ok=True)
try:
    os.mkfifo("answer/value")
except OSError:
    pass
