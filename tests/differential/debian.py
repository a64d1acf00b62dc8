"""Compares our reader with others over the archives at and in Debian's source packages.

    debian.py --listing build/release/tests/archive_listing --cache build/differential [--figures FILE] [--propose]

Fetches the versions that packages.txt names by apt, with lists and a cache of its own, and holds what it finds to
disagreements.txt, which may only shrink: a disagreement that is not listed and a listed one that is gone are both faults, and
each is printed as the line to add or to take out. --propose prints the whole list as it would have to be.

What was fetched, and what others said of it, is kept in the cache, so a run that was ended goes on where it stood; our own
reader is asked anew each time. Progress goes to CACHE/progress. Exit codes: 0 as listed, 1 not, 77 skipped.
"""
import argparse
import binascii
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Iterator, NamedTuple

import compare
import readers

HERE = Path(__file__).resolve().parent
MIRROR = "http://deb.debian.org/debian"
SUITES = ("bookworm", "bookworm-updates")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FETCH_WALL_S, WALL_S = 900, 2400
INNER_BYTES_MAX = 2 << 20  # of an archive in an archive
DECODED_BYTES_MAX = 1 << 30  # more is a bomb, on which readers spend all the time they are given
DEPTH_MAX = 3  # a source package, an archive in it, one in that
PACKAGES_MIN = 0.5  # of those named must be there, or nothing is said
SKIPPED = 77

SUFFIXES = re.compile(r"\.(tar|t[gbx]z2?|tzst|tar\.(gz|bz2|xz|zst)|zip|jar|whl|epub|odt|docx|xpi|apk)(\.uu)?$", re.I)
MAGICS = (b"PK\x03\x04", b"PK\x05\x06")


class Found(NamedTuple):
    sha256: str
    package: str
    path: str  # in the package; '!' between an archive and what is in it


class Listed(NamedTuple):
    sha256: str
    package: str
    path: str
    what: str
    kind: str
    reason: str

    def line(self) -> str:
        return " | ".join((self.kind, self.sha256, f"{self.package} {self.path}", self.what, self.reason))


def read_list(path: Path) -> dict[str, Listed]:
    listed = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        parts = line.split(" | ")
        if len(parts) != 5 or parts[0] not in compare.CLASSES or not parts[4].strip() or parts[1] in listed:
            sys.exit(f"{path}:{number}: a line is CLASS | SHA-256 | PACKAGE PATH | WHAT | REASON, each archive once; "
                     f"the classes are {', '.join(compare.CLASSES)}")
        package, _, inside = parts[2].partition(" ")
        listed[parts[1]] = Listed(parts[1], package, inside, parts[3], parts[0], parts[4])
    return listed


class Packages:
    """The source packages of packages.txt, by an apt that knows nothing of the machine's own sources."""

    def __init__(self, cache: Path):
        self.cache = cache
        self.named = [tuple(line.split()) for line in (HERE / "packages.txt").read_text().splitlines() if not line.startswith("#")]

    def folder(self, package: str, version: str) -> Path:
        return self.cache / "sources" / f"{package}_{version.replace(':', '%3a')}"

    def fetch(self) -> dict[str, str]:
        """What could not be had, and why."""
        wanted = [(package, version) for package, version in self.named if not (self.folder(package, version) / ".whole").exists()]
        if not wanted:
            return {}
        apt = self.cache.resolve() / "apt"
        for folder in ("lists/partial", "archives/partial"):
            (apt / folder).mkdir(parents=True, exist_ok=True)
        (apt / "sources.list").write_text("".join(f"deb-src [signed-by={KEYRING}] {MIRROR} {suite} main\n" for suite in SUITES))
        (apt / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{apt}/sources.list";\nDir::Etc::sourceparts "-";\nDir::State::lists "{apt}/lists";\n'
            f'Dir::Cache "{apt}";\nDir::Cache::archives "{apt}/archives";\nAPT::Sandbox::User "root";\n'
            'Acquire::Retries "2";\nAcquire::http::Timeout "30";\n')
        environment = os.environ | {"APT_CONFIG": f"{apt}/apt.conf", "LC_ALL": "C"}
        deadline = time.monotonic() + FETCH_WALL_S

        def ask(folder: Path, *arguments: str) -> str:
            try:
                done = subprocess.run(["apt-get", "-q", *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=max(1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                return "it took too long"
            wrong = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W: Failed"))]
            return (wrong or [f"apt-get ended with {done.returncode}"])[0] if done.returncode or wrong else ""

        if failure := ask(apt, "update"):
            return {f"{package}={version}": failure for package, version in wanted}
        missed = {}
        for package, version in wanted:
            folder = self.folder(package, version)
            folder.mkdir(parents=True, exist_ok=True)
            if failure := ask(folder, "source", "--download-only", "--only-source", f"{package}={version}"):
                missed[f"{package}={version}"] = failure
            else:
                (folder / ".whole").touch()
        return missed

    def there(self) -> list[tuple[str, Path]]:
        return [(package, folder) for package, version in self.named if ((folder := self.folder(package, version)) / ".whole").exists()]


def decoded(name: str, content: bytes) -> tuple[str, bytes]:
    """Test-suites keep binary files as text: uuencoded, under another name."""
    if not name.endswith(".uu"):
        return name, content
    begun, parts = False, []
    for line in content.splitlines():
        if not begun:
            begun = line.startswith(b"begin ")
        elif line in (b"end", b"`", b""):
            break
        else:
            try:
                parts.append(binascii.a2b_uu(line))
            except binascii.Error:
                return name, content
    return name.removesuffix(".uu"), b"".join(parts)


def members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """The files in an archive, as far as Python can read it: it is only where archives are looked for."""
    try:
        whole = io.BytesIO(content)
        if whole.read(4) in MAGICS:
            with zipfile.ZipFile(whole) as archive:
                for info in archive.infolist():
                    if info.file_size <= INNER_BYTES_MAX and not info.is_dir():
                        yield info.filename, archive.read(info)
            return
        whole.seek(0)
        with tarfile.open(fileobj=whole) as archive:
            for member in archive:
                if member.isreg() and 0 < member.size <= INNER_BYTES_MAX:
                    yield member.name, archive.extractfile(member).read()
    except Exception:
        return


def bomb(path: Path) -> bool:
    """Whether it decodes to more than is compared. What cannot be decoded is none."""
    with path.open("rb") as file:
        head = file.read(4)
    decoder = next((name for magic, name in ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zX", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")) if head.startswith(magic)), None)
    if decoder is None:
        return False
    with path.open("rb") as file, subprocess.Popen([decoder, "-dcq"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        total = 0
        while total <= DECODED_BYTES_MAX and (part := child.stdout.read(1 << 20)):
            total += len(part)
        child.kill()
    return total > DECODED_BYTES_MAX


def collect(package: str, folder: Path, cache: Path) -> list[Found]:
    """The archives of one package, each as a file named by its SHA-256; remembered, for finding them takes long."""
    index = folder / f".archives-{INNER_BYTES_MAX}-{DEPTH_MAX}.json"
    if index.exists():
        return [Found(*line) for line in json.loads(index.read_text())]
    found: list[Found] = []

    def take(path: str, content: bytes, depth: int) -> None:
        digest = hashlib.sha256(content).hexdigest()
        place = cache / "archives" / digest
        if not place.exists():
            draft = place.with_suffix(f".{os.getpid()}")
            draft.write_bytes(content)
            draft.rename(place)
        if bomb(place):
            return
        # One path an archive, and no control characters: lines stay lines.
        found.append(Found(digest, package, re.sub(r"[^!-~]|\|", "?", path)))
        if depth < DEPTH_MAX:
            for name, inner in members(content):
                name, inner = decoded(name, inner)
                if SUFFIXES.search(name) or inner.startswith(MAGICS) or inner[257:262] == b"ustar":
                    take(f"{path}!{name}", inner, depth + 1)

    for file in sorted(folder.iterdir()):
        if re.search(r"\.tar\.\w+$", file.name):
            take(file.name, file.read_bytes(), 1)
    index.write_text(json.dumps(found))
    return found


def others_readings(path: Path, cache: Path) -> dict[str, readers.Reading]:
    """Kept by content, reader and the readers' versions."""
    stamp = hashlib.sha256("\n".join([*readers.versions(), (HERE / "readers.py").read_text()]).encode()).hexdigest()[:16]
    kept = cache / "readings" / stamp / path.name
    if kept.exists():
        return {name: readers.Reading(taken, why, [readers.Entry(*entry) for entry in entries])
                for name, (taken, why, entries) in json.loads(kept.read_text()).items()}
    answers = {name: readers.read_confined(reader, str(path)) for name, reader in readers.readers_for(path).items()}
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(answers))
    draft.rename(kept)
    return answers


def judge(found: Found, listing: Path, cache: Path) -> tuple[str, str, str]:
    """What the readers disagree on (empty: nothing), and the class and reason that our own word suggests; a crash has none."""
    path = cache / "archives" / found.sha256
    family = readers.family_of(path)
    try:
        ours, fault = compare.our_reading(listing, path, cache / "scratch")
    except compare.Broken as broken:
        return f"BROKEN: {broken}", "", ""
    others = others_readings(path, cache)
    what = compare.disagreement(ours, fault, others, family)
    if fault:
        return what, *compare.SUGGESTED.get(fault, ("?", "?"))
    return what, "?", "? " + "; ".join(f"{name}: {reading.why}" for name, reading in others.items() if not reading.taken)


def main() -> int:
    parser = argparse.ArgumentParser(description="compares readers of archives over Debian's source packages")
    parser.add_argument("--listing", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--figures", type=Path, help="what was seen, for people")
    parser.add_argument("--propose", action="store_true")
    options = parser.parse_args()
    cache = options.cache.resolve()
    for folder in ("archives", "scratch"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    progress = (cache / "progress").open("w", buffering=1)

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", file=progress)

    packages = Packages(cache)
    say(f"fetching {len(packages.named)} packages")
    missed = packages.fetch()
    there = packages.there()
    if len(there) < PACKAGES_MIN * len(packages.named):
        print(f"SKIPPED: needs Debian's source packages, and no mirror gives them: {next(iter(missed.values()), '')}")
        return SKIPPED
    figures = [f"not fetched, so not compared: {name}: {failure}" for name, failure in missed.items()]

    found: dict[str, Found] = {}
    judged: dict[str, tuple[str, str, str]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, (package, lines) in enumerate(zip(there, pool.map(collect, *zip(*there), [cache] * len(there))), 1):
            for line in lines:
                found.setdefault(line.sha256, line)
            say(f"{number} of {len(there)} packages looked through, {len(found)} archives; {package[0]}")
        waiting = {pool.submit(judge, line, options.listing, cache): line for line in found.values()}
        try:
            for number, done in enumerate(as_completed(waiting, timeout=WALL_S - (time.monotonic() - began)), 1):
                judged[waiting[done].sha256] = done.result()
                if number % 25 == 0:
                    say(f"{number} of {len(waiting)} archives compared")
        except TimeoutError:
            for left in waiting:
                left.cancel()
            print(f"compared {len(judged)} of {len(waiting)} archives in {WALL_S} s; run it again, it goes on from there", file=sys.stderr)
            return 1

    listed = read_list(HERE / "disagreements.txt")
    now: dict[str, Listed] = {}
    for digest, (what, kind, reason) in sorted(judged.items(), key=lambda it: found[it[0]][1:]):
        if not what:
            continue
        old = listed.get(digest)
        if old and old.what == what:
            kind, reason = old.kind, old.reason
        now[digest] = Listed(digest, found[digest].package, found[digest].path, what, kind, reason)
    if options.propose:
        for line in now.values():
            print(line.line())
        return 0
    known = {package for package, _ in there}
    add = [line for line in now.values() if line.what != (listed[line.sha256].what if line.sha256 in listed else None)]
    gone = [line for line in listed.values() if line.package in known and line.what != (now[line.sha256].what if line.sha256 in now else None)]
    for line in add:
        print(f"add: {line.line()}")
    for line in gone:
        print(f"take out: {line.line()}")
    print(f"disagreements: {'as listed' if not add and not gone else 'not as listed'}")
    kinds = {kind: sum(line.kind == kind for line in now.values()) for kind in compare.CLASSES}
    figures.append(f"{len(judged)} archives of {len(there)} packages ({len(missed)} not fetched), {len(judged) - len(now)} of them without a disagreement; "
                   + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    figures.append("readers: " + ", ".join(readers.versions()))
    print("\n".join(figures), file=sys.stderr)
    if options.figures:
        options.figures.write_text("\n".join(figures) + "\n")
    say("done")
    return 0 if not add and not gone else 1


if __name__ == "__main__":
    sys.exit(main())
