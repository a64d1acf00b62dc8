"""Asks pages and hands in, from inside of the machine, and prints what became of it: a JSON object a line, times of the machine's clock.

    probe.py PORT STOP-FILE PEOPLE ARCHIVE [HOG-ARCHIVE HOG-AT-S]

It keeps all its memory locked, so that it measures the server and not itself. It asks at fixed times, whether or not earlier requests
were answered: what waits for its turn is not left out.
"""
import asyncio
import ctypes
import json
import os
import re
import secrets
import sys
import time

PAGE_EVERY_S, UPLOAD_EVERY_S = 0.25, 3.0
UPLOAD_PIECES, UPLOAD_PIECE_EVERY_S = 8, 0.75  # a slow line: six seconds from its first to its last byte
ANSWER_S = 60.0
MCL_CURRENT, MCL_FUTURE = 1, 2
ACCEPTED = "/run/lab/accepted"  # in memory
COURSE, MODULE = "LAB", "work"


def say(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}, separators=(",", ":")), flush=True)


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, str]:
    whole = (await reader.read(-1)).decode(errors="replace")
    return int(whole.split(" ", 2)[1]), whole.partition("\r\n\r\n")[2]


async def ask(port: int, head: str, pieces: list[bytes], every_s: float) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(head.encode())
        answer = asyncio.ensure_future(answer_of(reader))
        for piece in pieces:
            if answer.done():  # Refused before all was sent.
                break
            writer.write(piece)
            await writer.drain()
            await asyncio.wait({answer}, timeout=every_s)
        return await answer
    finally:
        writer.close()


async def measured(kind: str, *words: object) -> None:
    sent, status, text = time.time(), 0, ""
    try:
        status, text = await asyncio.wait_for(ask(*words), ANSWER_S)
    except (OSError, ValueError, IndexError, asyncio.TimeoutError):
        pass
    more = {}
    if kind != "page":
        found = re.search(r"Received (\w{16}) at", text)
        more["id"] = found[1] if found else None
        if found:
            with open(ACCEPTED, "a") as file:
                print(found[1], file=file)
    say(kind, sent=round(sent, 3), t=round(time.time(), 3), status=status, **more)


def page(port: int, person: int) -> tuple[object, ...]:
    return port, f"GET /oj/{COURSE}/{MODULE}/keyofperson{person:05} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n", [], 0.0


def upload(port: int, person: int, archive: bytes, pieces: int) -> tuple[object, ...]:
    mark = secrets.token_hex(16)
    fields = {"token": f"TOKEN-OF-PERSON-{person:05}", "course": COURSE, "module": MODULE}
    body = "".join(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()).encode()
    body += f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="work.tar.gz"\r\n\r\n'.encode() + archive + f"\r\n--{mark}--\r\n".encode()
    head = (f"POST /upload HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary={mark}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    size = -(-len(body) // pieces)
    return port, head, [body[i:i + size] for i in range(0, len(body), size)], UPLOAD_PIECE_EVERY_S


async def main() -> None:
    port, stop, people = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    archive = open(sys.argv[4], "rb").read()
    hog, hog_at_s = (open(sys.argv[5], "rb").read(), float(sys.argv[6])) if len(sys.argv) > 5 else (b"", 0.0)
    if ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        sys.exit("probe: cannot lock its memory")
    begin, tasks = time.monotonic(), set()
    next_page, next_upload, pages, uploads = 0.0, 0.0, 0, 0

    def do(kind: str, words: tuple[object, ...]) -> None:
        task = asyncio.ensure_future(measured(kind, *words))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    while not os.path.exists(stop):
        now = time.monotonic() - begin
        if now >= next_page:
            do("page", page(port, pages % people))
            pages, next_page = pages + 1, next_page + PAGE_EVERY_S
        if now >= next_upload:
            do("upload", upload(port, 1 + uploads % (people - 1), archive, UPLOAD_PIECES))
            uploads, next_upload = uploads + 1, next_upload + UPLOAD_EVERY_S
        if hog and now >= hog_at_s:
            do("hog_upload", upload(port, 0, hog, 1))
            hog = b""
        await asyncio.sleep(max(0.0, min(next_page, next_upload) - (time.monotonic() - begin)))
    if tasks:
        await asyncio.wait(tasks, timeout=ANSWER_S)


asyncio.run(main())
