"""Who connects to a server all the time, over its restarts."""
import contextlib
import http.client
import socket
import threading

WAIT_S = 60


class Visitor(threading.Thread):
    """Connects all the time, and waits for what it asked."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.stop, self.refused, self.asked, self.answered = port, threading.Event(), 0, 0, 0
        self.start()

    def run(self) -> None:
        waiting = []
        while not self.stop.wait(0.02):
            try:
                one = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            self.asked += 1
            waiting.append(one)
        for one in waiting:
            with contextlib.suppress(OSError):  # Of those that the killed process had taken.
                self.answered += one.recv(64).startswith(b"HTTP/1.1 200")


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    connection.request("GET", "/healthz")
    return connection.getresponse().status == 200
