"""crowd.py PORT ADMIN_SOCKET TOKEN PAGE: forty uploads of 3 MB that stop short of their end, where 4 MiB may be under way."""
import http.client
import io
import json
import os
import socket
import sys
import tarfile
import threading
import time

port, admin, token, page = int(sys.argv[1]), *sys.argv[2:]
CROWD, SIZE, TAIL = 40, 3_000_000, 1000
PAGES = 200
BUDGET = 4 << 20
FIRST_BYTES = 128 << 10  # of each, that come before anybody asks whether there is room
WITHIN_S = 60.0

end = threading.Event()
answers: list[str] = []
lock = threading.Lock()


def archive(size: int) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for name, content in (("hello.py", b"print('hello')\n"), ("noise", os.urandom(size))):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def hand_in(body: bytes, tail: int) -> str:
    with socket.create_connection(("127.0.0.1", port), WITHIN_S) as connection:
        head = (f"POST /api/v1/submissions?course=ICS2024&module=hello HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: application/octet-stream\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n")
        connection.sendall(head.encode() + body[:len(body) - tail])
        if tail:
            end.wait(WITHIN_S)
            connection.sendall(body[len(body) - tail:])
        return connection.makefile("rb").readline().decode().strip()


def one(number: int) -> None:
    try:
        said = hand_in(archive(SIZE), TAIL)
    except OSError as error:
        said = str(error)
    with lock:
        answers.append(said)


def metric(name: str) -> int:
    connection = http.client.HTTPConnection("assay")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(admin)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return int(next(float(line.split()[1]) for line in lines if line.startswith(name + " ")))


threads = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(CROWD)]
for thread in threads:
    thread.start()
deadline = time.monotonic() + WITHIN_S
while metric("assay_uploads_held_back") < CROWD - 4 and time.monotonic() < deadline:
    time.sleep(0.05)
held = metric("assay_uploads_held_back")
print("held back" if held >= CROWD - 4 else f"only {held} of {CROWD} are held back")

connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
statuses = set()
for _ in range(PAGES):
    connection.request("GET", page)
    answer = connection.getresponse()
    answer.read()
    statuses.add(answer.status)
print(f"{PAGES} pages meanwhile: {statuses}")
print("a small hand-in meanwhile:", hand_in(archive(10_000), 0))
under_way = metric("assay_uploads_in_flight_bytes")
most = BUDGET + (CROWD + os.cpu_count()) * FIRST_BYTES
print("no more under way than may be" if BUDGET <= under_way <= most else f"{under_way} bytes are under way, at most {most} should be")

end.set()
for thread in threads:
    thread.join(WITHIN_S)
print(f"{answers.count('HTTP/1.1 201 Created')} of {CROWD} arrived", *{said for said in answers if said != "HTTP/1.1 201 Created"})
deadline = time.monotonic() + 5
while metric("assay_uploads_in_flight_bytes") and time.monotonic() < deadline:
    time.sleep(0.05)
print("left:", metric("assay_uploads_in_flight_bytes"), metric("assay_uploads_held_back"))
