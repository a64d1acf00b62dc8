"""A relay before a server that notes what each upload sends: which request, from which byte, and how many bytes of its body."""
import re
import socket
import threading
from typing import NamedTuple

READ_BYTES = 64 << 10
HEAD_BYTES_MAX = 64 << 10


class Sent(NamedTuple):
    method: str
    path: str
    offset: int  # Upload-Offset; 0 where there is none
    bytes: int   # of the body, that came


class Relay:
    """On one port for as long as it lives; `target` may change between connections."""

    def __init__(self, target: int):
        self.target = target
        self.sent: list[Sent] = []
        self.lock = threading.Lock()
        self.begun = threading.Event()  # a byte of an upload has come since `forget`
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.open = 0
        self.idle = threading.Condition(self.lock)
        threading.Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        with self.lock:
            self.sent.clear()
            self.begun.clear()

    def settled(self, within_s: float) -> list[Sent]:
        """What was sent, once no connection is open any more."""
        with self.lock:
            if not self.idle.wait_for(lambda: self.open == 0, within_s):
                raise RuntimeError("a connection through the relay does not end")
            return list(self.sent)

    def _accept(self) -> None:
        while True:
            client = self.listener.accept()[0]
            with self.lock:
                self.open += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client:
                try:
                    server = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    return  # Nobody is there: the client finds a closed connection.
                with server:
                    back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
                    back.start()
                    self._requests(client, server)
                    back.join()
        finally:
            with self.lock:
                self.open -= 1
                self.idle.notify_all()

    @staticmethod
    def _answers(server: socket.socket, client: socket.socket) -> None:
        try:
            while piece := server.recv(READ_BYTES):
                client.sendall(piece)
        except OSError:
            pass
        for one in (client, server):
            try:
                one.shutdown(socket.SHUT_RDWR)  # Wakes the other direction as well.
            except OSError:
                pass

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        head, left, now = b"", 0, None
        try:
            while piece := client.recv(READ_BYTES):
                server.sendall(piece)
                while piece:
                    if left > 0:
                        body, piece = piece[:left], piece[left:]
                        left -= len(body)
                        now = now._replace(bytes=now.bytes + len(body))
                        if is_upload(now):
                            self.begun.set()
                        if left == 0:
                            self._note(now)
                            now = None
                        continue
                    head += piece
                    end = head.find(b"\r\n\r\n")
                    if end < 0:
                        if len(head) > HEAD_BYTES_MAX:
                            raise RuntimeError("a request whose head does not end")
                        break
                    whole, piece, head = head[:end], head[end + 4:], b""
                    method, path, _ = whole.split(b"\r\n", 1)[0].decode().split(" ")
                    left = number(whole, b"content-length")
                    now = Sent(method, path, number(whole, b"upload-offset"), 0)
                    if left == 0:
                        self._note(now)
                        now = None
        except OSError:
            pass
        if now is not None:
            self._note(now)
        try:
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _note(self, sent: Sent) -> None:
        with self.lock:
            self.sent.append(sent)


def is_upload(sent: Sent) -> bool:
    return sent.method == "PATCH" or (sent.method == "POST" and sent.path.startswith(("/api/v1/submissions", "/api/v1/uploads")))


def number(head: bytes, name: bytes) -> int:
    found = re.search(rb"(?mi)^" + name + rb":\s*(\d+)\s*$", head.replace(b"\r\n", b"\n"))
    return int(found.group(1)) if found else 0
