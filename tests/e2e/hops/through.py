"""Hands the same archive in through each proxy, with a line of its own at its end, and compares what the receipt says with the bytes."""
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import proxies

assay, server_port, work = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
archive = (work / "work.tar").read_bytes()
for number, name in enumerate(proxies.NAMES, 1):
    own = archive + bytes(10240 * number)  # Zeros may follow a tar's end; so no two are a repeat.
    (work / "own.tar").write_bytes(own)
    with proxies.Proxy(name, work / "proxies", server_port) as proxy:
        done = subprocess.run([assay, "submit", "own.tar", "--server", proxy.url, "--course", "ICS2024", "--module", "hello", "--receipt", "receipt"],
                              cwd=work, capture_output=True, text=True)
    if done.returncode:
        print(f"{name}: exit {done.returncode}: {done.stderr}")
        continue
    receipt = json.loads((work / "receipt").read_text())
    whole = receipt["sha256"] == hashlib.sha256(own).hexdigest() and receipt["size"] == len(own)
    print(f"{name}: {'byte for byte' if whole else receipt}")
