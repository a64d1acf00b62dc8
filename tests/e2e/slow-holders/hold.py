"""Takes every place for an upload's file and keeps it, slowly; then hands in as anybody would."""
import io
import os
import select
import socket
import sys
import tarfile
import time
import urllib.parse

url, token = sys.argv[1:]
host, port = urllib.parse.urlsplit(url).netloc.split(":")
BORDER = "slow-holder"
HELD_BYTES = 100 << 10  # beyond what stays in memory
WITHIN_S = 60.0


def opening(name: str) -> bytes:
    fields = (("token", token), ("course", "ICS2024"), ("module", "PA1"))
    body = "".join(f'--{BORDER}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields)
    return f'{body}--{BORDER}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()


def head(length: int) -> bytes:
    return (f"POST /upload HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary={BORDER}\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n").encode()


def connect() -> socket.socket:
    return socket.create_connection((host, int(port)), timeout=WITHIN_S)


def answer_of(connection: socket.socket) -> str:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received.decode(errors="replace")


def hold() -> socket.socket:
    connection = connect()
    connection.sendall(head(4 << 20) + opening("slow.tar") + os.urandom(HELD_BYTES))
    return connection


def hand_in() -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in (("Makefile", b"all:\n"), ("noise", os.urandom(200 << 10))):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    body = opening("work.tar") + packed.getvalue() + f"\r\n--{BORDER}--\r\n".encode()
    with connect() as connection:
        connection.sendall(head(len(body)) + body)
        return answer_of(connection)


def settled(connections: list[socket.socket]) -> tuple[list[socket.socket], list[socket.socket]]:
    """Those that wait, and those that were answered."""
    answered = select.select(connections, [], [], 0)[0]
    return [it for it in connections if it not in answered], answered


def main() -> None:
    deadline = time.monotonic() + WITHIN_S
    holders: list[socket.socket] = []
    answers: list[str] = []
    # More than there are places: those beyond them are told 503, as nobody was slow for long enough yet.
    while not any(" 503 " in answer for answer in answers) and len(holders) < 80:
        holders.append(hold())
        holders, answered = settled(holders)
        answers += [answer_of(it) for it in answered]
    while time.monotonic() < deadline:
        holders, answered = settled(holders)
        answers += [answer_of(it) for it in answered]
        if not select.select(holders, [], [], 0.2)[0]:
            break
    print("full:", any(" 503 " in answer for answer in answers))
    before = len(holders)
    assert before >= 8, f"only {before} hold a place"
    answers.clear()
    # Each second byte of theirs makes them slower.
    while " 200 " not in (answer := hand_in()).splitlines()[0]:
        assert time.monotonic() < deadline, answer
        assert " 503 " in answer.splitlines()[0], answer
        for holder in holders:
            holder.send(b"x")
        time.sleep(0.2)
    print("taken:", "[SUCC" in answer)
    while not (answered := settled(holders)[1]):
        assert time.monotonic() < deadline, "nobody was shed"
        time.sleep(0.05)
    holders, answered = settled(holders)
    told = [answer_of(it).splitlines()[0] for it in answered]
    print("told 408:", len(told) == 1 and " 408 " in told[0])
    print("the others hold on:", len(holders) == before - 1)


main()
