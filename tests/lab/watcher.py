"""On the outside of the machine: `assay sentinel`, and who takes its messages and the server's own."""
import http.server
import json
import socket
import subprocess
import threading
import time
from pathlib import Path

from machine import free_port


class Watcher:
    def __init__(self, binary: Path, work: Path) -> None:
        self.binary, self.work = binary, work
        self.digest_port = free_port(socket.SOCK_DGRAM)
        self.messages: list[tuple[str, float, str, str]] = []  # where, when by this host's clock, kind, cause
        self._news = threading.Condition()
        watcher = self

        class Robot(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                it = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with watcher._news:
                    watcher.messages.append((self.path, time.time(), it["kind"], it["parts"][0]["cause"]))
                    watcher._news.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._robot = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Robot)
        self.alert_port = self._robot.server_address[1]
        threading.Thread(target=self._robot.serve_forever, daemon=True).start()
        self._sentinel: subprocess.Popen | None = None

    def watch(self, port: int) -> None:
        """Returns when it watches."""
        config = self.work / "watcher.toml"
        config.write_text(f'[sentinel]\nname = "lab"\ndigest_listen = "127.0.0.1:{self.digest_port}"\ndigest_secret = "sixteen bytes or more"\n'
                          f'state = "{self.work}/watcher.state"\n[alert.receivers.ops]\ntype = "webhook"\nurl = "http://127.0.0.1:{self.alert_port}/watcher"\n')
        self._sentinel = subprocess.Popen([self.binary, "sentinel", f"http://127.0.0.1:{port}", "--config", config], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=open(self.work / "sentinel.log", "ab"))
        self._sentinel.stdout.readline()

    def wait_for(self, path: str, since: float, seconds: float) -> bool:
        """Whether a message came there after `since`."""
        deadline = time.time() + seconds
        with self._news:
            while not self.of(path, since):
                if not self._news.wait(max(0.0, deadline - time.time())) and time.time() >= deadline:
                    return False
        return True

    def of(self, path: str, since: float = 0.0, until: float = float("inf")) -> list[tuple[str, float, str, str]]:
        return [it for it in self.messages if it[0] == path and since <= it[1] < until]

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        if self._sentinel:
            self._sentinel.terminate()
            self._sentinel.wait()
        self._robot.shutdown()
        (self.work / "watcher.state").unlink(missing_ok=True)
