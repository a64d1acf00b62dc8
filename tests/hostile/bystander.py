"""Somebody who does honest work while a case runs: `files FOLDER` creates, writes, fsyncs and renames; `page URL` asks for a page.
A line per turn on stdout: when it began and how long it took, in seconds."""
import http.client
import os
import sys
import time
import urllib.parse

PAUSE_S = 0.01


def write_a_file(folder: str):
    block = bytes(4096)
    number = 0
    while True:
        def turn() -> None:
            file = os.open(f"{folder}/new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
            os.write(file, block)
            os.fsync(file)
            os.close(file)
            os.rename(f"{folder}/new", f"{folder}/file{number % 16}")
        yield turn
        number += 1


def ask_a_page(url: str):
    place = urllib.parse.urlsplit(url)
    while True:
        def turn() -> None:
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
            connection.request("GET", place.path or "/")
            answer = connection.getresponse()
            if answer.status != 200 or not answer.read():
                sys.exit(f"the page answered {answer.status}")
            connection.close()
        yield turn


for turn in {"files": write_a_file, "page": ask_a_page}[sys.argv[1]](sys.argv[2]):
    begun = time.monotonic()
    turn()
    print(f"{begun:.6f} {time.monotonic() - begun:.6f}", flush=True)
    time.sleep(PAUSE_S)
