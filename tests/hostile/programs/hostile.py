"""For the programs of the catalogue that are scripts: as hostile.h."""
import sys

tries = broken = 0


def begin() -> None:
    with open("/proc/self/uid_map") as uid_map:
        print("begun", uid_map.read().split()[1], flush=True)


def check(what: str, good) -> None:
    global tries, broken
    tries += 1
    if not good:
        broken += 1
        print("NOT HELD:", what)


def held() -> None:
    if not broken:
        print("held", tries)
    sys.stdout.flush()
    sys.exit(1 if broken else 0)
