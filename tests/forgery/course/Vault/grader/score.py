"""Five points for a sealed file that holds the answer, five for a program that answers a question never asked before."""

import hashlib
import json
import os
import secrets
import stat
import subprocess

ANSWER = open("/grader/answer/value", "rb").read()
BYTES_MAX = 1 << 20


def regular(path):
    """What a regular file holds; b"" for everything else. Every name and byte below /stages is the participant's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, BYTES_MAX) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)


def asked():
    """Whether the program knows what only the grader can work out; None: /assay/run could not run it."""
    question = secrets.token_hex(16)
    wanted = hashlib.sha256(question.encode() + ANSWER).hexdigest().encode()
    report, writing = os.pipe()
    done = subprocess.run(["/assay/run", "--wall", "2min", "--report", str(writing), "--", "sh", "run.sh", "guest"], input=question.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[writing], check=False)
    os.close(writing)
    with os.fdopen(report, "rb") as file:
        ran = file.read() != b""
    return done.stdout.strip() == wanted if ran else None


def main():
    sealed = any(regular(f"{place}/answer/value") == ANSWER for place in ("/stages/build", "/submission"))
    spoken = asked()
    if spoken is None:
        raise SystemExit("the program was not run")
    results = [("sealed", sealed), ("spoken", spoken)]
    tests = [{"name": name, "score": 5 if good else 0, "max_score": 5} for name, good in results]
    with open("results.json", "w", encoding="utf-8") as file:
        json.dump({"tests": tests}, file)


main()
