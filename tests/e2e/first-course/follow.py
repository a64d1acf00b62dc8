"""Runs the blocks of a document: ```sh in one shell, ```sh server beside it until the end. A ```text block is what the block
before it prints, in the notation of the cases' `out`. The document's port is replaced by a free one."""
import importlib.machinery
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

PORT = "8080"
loader = importlib.machinery.SourceFileLoader("harness", os.environ["E2E"] + "/run")
harness = importlib.util.module_from_spec(importlib.util.spec_from_loader("harness", loader))
loader.exec_module(harness)


def free_port() -> str:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return str(listening.getsockname()[1])


class Shell:
    """One bash for all blocks; a line that no block prints ends each."""

    END = "--- end of block"

    def __init__(self) -> None:
        self.process = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, block: str) -> tuple[str, int]:
        self.process.stdin.write(f"{block}\necho '{self.END}' $?\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(self.END):
                return "".join(printed), int(line.split()[-1])
            printed.append(line)
        return "".join(printed), -1


def serve(block: str, port: str) -> tuple[subprocess.Popen, str]:
    server = subprocess.Popen(["bash", "-c", f"exec {block.strip()} --listen 127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline()


def main() -> int:
    text = Path(sys.argv[1]).read_text()
    port = free_port()
    blocks = re.findall(r"^```(sh|sh server|text)\n(.*?)^```$", text, re.M | re.S)
    shell, server, printed, wrong = Shell(), None, "", 0
    for kind, block in blocks:
        block = block.replace(f":{PORT}", f":{port}")
        if kind == "text":
            if different := harness.difference(block, printed):
                print(different)
                wrong += 1
        elif kind == "sh server":
            server, printed = serve(block, port)
        else:
            printed, code = shell.run(block)
            if code != 0:
                print(f"exit code {code} of:\n{block}")
                wrong += 1
    if server is not None:
        server.send_signal(signal.SIGTERM)
        wrong += server.wait() != 0
    if len(blocks) >= 10 and not wrong:
        print("every block printed what the document says")
    return 0


sys.exit(main())
