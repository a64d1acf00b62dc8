"""Hands in archives at little cost to itself: what all have in common is sent by the kernel from one file."""
import os
import socket
import threading
import time
import zlib
from pathlib import Path

from servers import COURSE, MODULE, token

BOUNDARY = "-" * 24 + "7d1f0c5a93be2648"  # as curl makes them
TIMEOUT_S = 120
BLOCK = 512


def tar_header(name: str, size: int) -> bytes:
    head = bytearray(BLOCK)

    def put(at: int, text: bytes) -> None:
        head[at:at + len(text)] = text

    put(0, name.encode())
    put(100, b"0000644\0" + b"0000000\0" + b"0000000\0" + b"%011o\0" % size + b"00000000000\0")
    put(148, b" " * 8)
    put(156, b"0")
    put(257, b"ustar\x0000")
    put(148, b"%06o\0 " % sum(head))
    return bytes(head)


class Archives:
    """As many different archives of one size as are asked for: a first entry that says which, then the common rest."""

    def __init__(self, path: Path, size: int) -> None:
        self.size = size  # Whole blocks.
        fill = size - 5 * BLOCK  # Two headers, one block that differs, two blocks of zeroes.
        with open(path, "wb") as rest:
            rest.write(tar_header("data.bin", fill) + os.urandom(fill) + bytes(2 * BLOCK))
        self.rest = os.open(path, os.O_RDONLY)
        self.rest_bytes = path.stat().st_size

    def first(self, i: int) -> bytes:
        text = f"archive {i}\n".encode()
        return tar_header("which.txt", len(text)) + text.ljust(BLOCK, b"\0")


class Gzipped(Archives):
    """The same as .tar.gz: its header's time, which nothing depends on, tells one from the next."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(path, size)
        whole = super().first(0) + os.pread(self.rest, self.rest_bytes, 0)
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(whole) + packer.flush()
        packed += zlib.crc32(whole).to_bytes(4, "little") + len(whole).to_bytes(4, "little")
        os.close(self.rest)
        path.write_bytes(packed)
        self.rest, self.rest_bytes = os.open(path, os.O_RDONLY), len(packed)
        self.size = 10 + len(packed)

    def first(self, i: int) -> bytes:
        return b"\x1f\x8b\x08\x00" + i.to_bytes(4, "little") + b"\x04\x03"


def form_head(person: int, name: str = "work.tar") -> bytes:
    """Of the plain upload, up to the file's first byte."""
    fields = {"token": token(person), "course": COURSE, "module": MODULE}
    parts = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields.items())
    return (parts + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n").encode()


FORM_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def request_head(line: str, length: int, form: bool, close: bool = True) -> bytes:
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n" if form else ""
    ending = "Connection: close\r\n" if close else ""
    return f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}Content-Length: {length}\r\n{ending}\r\n".encode()


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/1.1 ") else 0, body


def hand_in(port: int, form: bool, archives: Archives, i: int, person: int) -> int:
    """One archive; the status of the answer."""
    before, after = (form_head(person), FORM_TAIL) if form else (b"", b"")
    before += archives.first(i)
    line = "POST /upload" if form else f"PUT /put/{i}"
    head = request_head(line, len(before) + archives.rest_bytes + len(after), form)
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.sendall(head + before)
        at = 0
        while at < archives.rest_bytes:
            at += connection.sendfile(open(archives.rest, "rb", closefd=False), at, archives.rest_bytes - at)
        connection.sendall(after)
        return answer_of(connection)[0]


def small_tar(text: str) -> bytes:
    content = text.encode()
    return tar_header("note.txt", len(content)) + content.ljust(BLOCK * (1 + (len(content) - 1) // BLOCK), b"\0") + bytes(2 * BLOCK)


def hand_in_small(port: int, person: int, text: str) -> None:
    body = form_head(person) + small_tar(text) + FORM_TAIL
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.sendall(request_head("POST /upload", len(body), True) + body)
        status, answer = answer_of(connection)
        if status != 200:
            raise RuntimeError(f"a small hand-in was answered {status}: {answer.decode(errors='replace')}")


def many(count: int, at_once: int, one: "callable") -> tuple[float, list[object]]:
    """Calls one(0) … one(count - 1), so many at once; the time it took and what they returned."""
    results: list[object] = [None] * count
    turn = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                i = next(turn, None)
            if i is None:
                return
            try:
                results[i] = one(i)
            except (OSError, RuntimeError) as error:
                results[i] = str(error)

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began, results
