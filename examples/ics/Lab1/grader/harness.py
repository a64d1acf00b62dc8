"""Asks the participant's driver questions and compares its answers with those of a ring buffer of our own.

The driver runs in a sandbox of its own (/assay/run): all that comes back is bytes, which may be anything, and how it ended. The
questions are invented from a fixed seed, so that the same submission always gets the same score."""

import json
import os
import random
import subprocess

DRIVER = "./driver"
LINE_BYTES_MAX = 8192
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class Refused(Exception):
    """/assay/run did not run the driver: our trouble, not the participant's."""


class Wrong(Exception):
    """What the participant is told."""


class Ring:
    """What a ring must do."""

    def __init__(self, capacity):
        self.capacity, self.bytes = capacity, bytearray()

    def answer(self, command):
        word, *rest = command.split(" ")
        if word == "write":
            taken = rest[0][:self.capacity - len(self.bytes)]
            self.bytes += taken.encode()
            return str(len(taken))
        if word in ("read", "peek"):
            offset, count = (0, int(rest[0])) if word == "read" else map(int, rest)
            found = self.bytes[offset:offset + count].decode()
            if word == "read":
                del self.bytes[:count]
            return f"{len(found)} {found}"
        return str(len(self.bytes) if word == "used" else self.capacity - len(self.bytes))


class Driver:
    """One run of the driver; `report` is what /assay/run says of it once it has ended."""

    def __init__(self, limits):
        self.read_end, write_end = os.pipe()
        self.process = subprocess.Popen(["/assay/run", *limits, "--report", str(write_end), "--", DRIVER], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        self.buffer = b""

    def ask(self, command):
        try:
            self.process.stdin.write(command.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Wrong(f"at `{command}`: the driver has ended ({self.end()})") from None
        while b"\n" not in self.buffer:  # Its wall limit ends the waiting.
            more = os.read(self.process.stdout.fileno(), LINE_BYTES_MAX)
            if not more:
                raise Wrong(f"at `{command}`: no answer came before the driver ended ({self.end()}); is each one flushed?")
            self.buffer += more
            if len(self.buffer) > LINE_BYTES_MAX:
                raise Wrong(f"at `{command}`: the answer is too long")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def answers(self, commands):
        out, _ = self.process.communicate("".join(command + "\n" for command in commands).encode())
        return out.decode("utf-8", "replace").split("\n")

    def end(self):
        """How it ended, in a word for the participant; "" when it ended well. Waits for it: its limits see to that."""
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        with os.fdopen(self.read_end, "rb") as file:
            report = file.read()
        self.process.wait()
        if not report:
            raise Refused(f"/assay/run ended with {self.process.returncode}")
        verdict = json.loads(report)["verdict"]
        return "" if verdict == "passed" else verdict

    def kill(self):
        self.process.kill()
        self.process.wait()


def text(chance, length):
    return "".join(chance.choice(ALPHABET) for _ in range(length))


def shown(line):
    return json.dumps(line if len(line) <= 60 else line[:60] + "…", ensure_ascii=True)


def compare(commands, answers, ring, end):
    for number, command in enumerate(commands, 1):
        wanted = "ok" if command.startswith("open ") else ring.answer(command)
        got = answers[number - 1] if number - 1 < len(answers) else ""
        if got != wanted:
            how = f"; the driver ended with {end}" if end else ""
            raise Wrong(f"command {number}, `{command[:60]}`: {shown(wanted)} was expected, {shown(got)} came{how}")
    if end:
        raise Wrong(f"all answers were right, but the driver ended with {end}")


def batch(commands, capacity, limits=("--cpu", "2s", "--wall", "40s", "--memory", "32MiB")):
    commands = [f"open {capacity}", *commands]
    driver = Driver([*limits, "--output", "2MiB"])
    answers = driver.answers(commands)
    compare(commands, answers, Ring(capacity), driver.end())


def empty_ring(_):
    batch(["used", "room", "read 5", "peek 0 5", "write a", "read 1", "read 1", "used"], 8)


def what_fits(chance):
    commands = []
    for _ in range(40):
        commands += [f"write {text(chance, chance.randint(1, 40))}", "used", "room"]
    batch([*commands, "read 4000"], 600)


def around_the_end(chance):
    commands = []
    for _ in range(400):
        commands += [f"write {text(chance, chance.randint(1, 17))}", f"read {chance.randint(1, 17)}"]
    batch(commands, 23)


def peeking(chance):
    commands = []
    for _ in range(200):
        commands += [f"write {text(chance, chance.randint(1, 9))}", f"peek {chance.randint(0, 20)} {chance.randint(0, 20)}", "used"]
        if chance.random() < 0.7:
            commands.append(f"read {chance.randint(1, 9)}")
    batch(commands, 19)


def conversation(chance):
    ring = Ring(31)
    driver = Driver(["--cpu", "2s", "--wall", "15s", "--memory", "32MiB", "--output", "256KiB"])
    try:
        command, wanted = "open 31", "ok"
        for number in range(1, 61):
            got = driver.ask(command)
            if got != wanted:
                raise Wrong(f"question {number}, `{command}`: {shown(wanted)} was expected, {shown(got)} came")
            # What comes next depends on what came.
            sizes = sum(map(ord, got)) % 13 + 1
            command = chance.choice([f"write {text(chance, sizes)}", f"read {sizes}", f"peek {sizes} 4", "used", "room"])
            wanted = ring.answer(command)
    except Wrong:
        driver.kill()
        raise
    if how := driver.end():
        raise Wrong(f"all answers were right, but the driver ended with {how}")


def long_day(chance):
    commands = [f"write {text(chance, 4000)}" for _ in range(240)]
    for _ in range(30_000):
        commands += [f"write {text(chance, 3)}", "read 3"]
    batch(commands, 1_000_000)


GROUPS = [("an empty ring", 10, empty_ring), ("what fits is kept", 20, what_fits), ("around the end", 20, around_the_end),
          ("peeking", 15, peeking), ("a conversation", 15, conversation), ("a long day", 20, long_day)]


def main():
    tests = []
    for name, points, group in GROUPS:
        try:
            group(random.Random(f"ring {name}"))
            why = ""
        except Wrong as wrong:
            why = str(wrong)
        tests.append({"name": name, "score": 0 if why else points, "max_score": points,
                      "status": "failed" if why else "passed", "output": why})
    with open("results.json", "w", encoding="utf-8") as file:
        json.dump({"tests": tests}, file)


main()
