"""Clients other than curl: a refusal must reach all of them. URL TOKEN LARGE-FILE MIDDLE-FILE"""
import re
import socket
import sys
import urllib.parse

import requests

TRIES = 5
TIMEOUT_S = 30

url, token, large, middle = sys.argv[1:]
host = urllib.parse.urlsplit(url)
session = requests.Session()
session.trust_env = False  # No proxy of the caller.


def answer_of(raw: bytes) -> tuple[int, dict[str, str], str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1."):
        raise ValueError(f"no HTTP answer: {raw[:100]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body.decode()


def with_requests(path: str) -> str:
    with open(path, "rb") as file:
        answer = session.post(f"{url}/upload", data={"token": token, "course": "ICS2024", "module": "PA1"},
                              files={"file": file}, timeout=TIMEOUT_S)
    return f"{answer.status_code} {answer.text}"


def writing_everything_first(path: str) -> str:
    """Reads nothing before the last byte is sent, as simple clients do."""
    border = "e2e-border"
    fields = "".join(f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                     for name, value in (("token", token), ("course", "ICS2024"), ("module", "PA1")))
    with open(path, "rb") as file:
        body = (f'{fields}--{border}\r\nContent-Disposition: form-data; name="file"; filename="upload.tar"\r\n\r\n').encode() \
            + file.read() + f"\r\n--{border}--\r\n".encode()
    head = (f"POST /upload HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: multipart/form-data; boundary={border}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    status, _, text = answer_of(exchange(head + body))
    return f"{status} {text}"


def exchange(sent: bytes) -> bytes:
    with socket.create_connection((host.hostname, host.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(sent)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def tried(name: str, client, path: str) -> None:
    seen: dict[str, int] = {}
    for _ in range(TRIES):
        try:
            line = re.sub(r"sent (at least )?\d+ bytes", "sent N bytes", client(path).rstrip("\n"))
        except (OSError, requests.RequestException, ValueError, IndexError) as error:
            line = repr(error)
        seen[line] = seen.get(line, 0) + 1
    for line, times in seen.items():
        print(f"{name}, {times} of {TRIES}: {line}")


tried("python-requests, announced length", with_requests, large)
tried("python-requests, module's limit", with_requests, middle)
tried("writes everything first, announced length", writing_everything_first, large)
tried("writes everything first, module's limit", writing_everything_first, middle)

for name, sent in (("no HTTP at all", b"hello there\r\n\r\n"),
                   ("no such page", f"GET /nothing HTTP/1.1\r\nHost: {host.netloc}\r\nConnection: close\r\n\r\n".encode())):
    try:
        status, headers, _ = answer_of(exchange(sent))
    except (OSError, ValueError) as error:
        print(f"{name}: {error!r}")
        continue
    named = [header for header in ("assay-server", "x-request-id") if headers.get(header)]
    print(f"{name}: {status}, with {' and '.join(named)}")
