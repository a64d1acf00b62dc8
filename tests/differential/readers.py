"""What other readers make of an archive: GNU tar, unzip, libarchive (which is bsdtar), Python's tarfile and zipfile.

Each reader reads every byte of every entry, in a process of its own, bounded in time, memory and output, and yields a Reading.
Nothing is unpacked. A reader "takes" an archive when it says nothing is wrong: exit code 0, no exception, no error code.
"""
import ctypes
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

# Long enough for the largest on a busy machine: a reader that is ended is one that does not take an archive.
CPU_S, MEMORY_BYTES, OUTPUT_BYTES, WALL_S = 120, 2 << 30, 1 << 30, 400
PART = 1 << 16


class Entry(NamedTuple):
    path: str  # '/'-separated, without "." and empty components; bytes that are no UTF-8 as surrogates
    kind: str  # f, x (a file that may be executed), d, l; others as the reader calls them
    size: int
    content: str  # SHA-256 of a file, target of a link


class Reading(NamedTuple):
    taken: bool
    why: str  # in the reader's words, when it is not taken
    entries: list[Entry]


class NotTaken(Exception):
    pass


def text_of(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def clean(raw: bytes) -> str:
    return "/".join(part for part in text_of(raw).split("/") if part not in ("", "."))


def summed(read: Callable[[int], bytes], size: int | None = None) -> tuple[int, str]:
    """Reads `size` bytes, or all there are: how many those were, and their SHA-256."""
    total, digest = 0, hashlib.sha256()
    while size is None or total < size:
        part = read(PART if size is None else min(PART, size - total))
        if not part:
            break
        total += len(part)
        if total > OUTPUT_BYTES:
            raise NotTaken("more content than is compared")
        digest.update(part)
    return total, digest.hexdigest()


def linked(entries: list[Entry]) -> list[Entry]:
    """Hard links as what they are to whoever unpacks: copies of the file before them."""
    files: dict[str, Entry] = {}
    resolved = []
    for entry in entries:
        if entry.kind == "h":
            target = files.get(clean(entry.content.encode("utf-8", "surrogateescape")))
            entry = target._replace(path=entry.path) if target else entry
        if entry.kind in "fx":
            files[entry.path] = entry
        resolved.append(entry)
    return resolved


def run(*command: str | bytes) -> bytes:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise NotTaken(f"exit {done.returncode}: {text_of(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return done.stdout


def contents(command: list[str], sizes: list[int]) -> Iterator[tuple[int, str]]:
    """What a program prints, cut into files of these sizes."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            for size in sizes:
                yield summed(child.stdout.read, size)
            if child.stdout.read(1):
                raise NotTaken("more content than the entries' sizes add up to")
            if code := child.wait():
                raise NotTaken(f"exit {code}: {text_of(child.stderr.read()).strip().splitlines()[-1:]}")
        finally:
            child.kill()


C_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}


def unquoted(text: str) -> bytes:
    raw = b""
    for octal, letter, plain in re.findall(r"\\([0-7]{3})|\\(.)|([^\\])", text, re.S):
        raw += bytes([int(octal, 8)]) if octal else C_ESCAPES.get(letter, letter.encode()) if letter else plain.encode()
    return raw


GNU_LINE = re.compile(r'(.)(...)\S* +\S+ +(\S+) \S+ \S+ +"((?:[^"\\]|\\.)*)"(?: (?:->|link to) "((?:[^"\\]|\\.)*)")?', re.S)


def gnu_tar(path: str) -> list[Entry]:
    entries = []
    for line in run("tar", "--force-local", "--full-time", "--numeric-owner", "--quoting-style=c", "-tvf", path).decode().splitlines():
        parts = GNU_LINE.fullmatch(line)
        if not parts:
            raise NotTaken(f"a line of its list that is none: {line!r}")
        kind, mode, size, name, target = parts.groups()
        kind = {"-": "x" if mode[2] in "xs" else "f", "C": "x" if mode[2] in "xs" else "f"}.get(kind, kind)
        size = int(size) if kind in "fx" else 0
        entries.append(Entry(clean(unquoted(name)), kind, size, text_of(unquoted(target)) if target else ""))
    sizes = [entry.size for entry in entries if entry.kind in "fx"]
    found = contents(["tar", "--force-local", "-xOf", path], sizes)
    filled = [Entry(it.path, it.kind, *next(found)) if it.kind in "fx" else it for it in entries]
    for _ in found:  # To its end: what comes behind the last entry is judged as well.
        pass
    return linked(filled)


ZIPINFO_LINE = re.compile(r"(\S)(\S+) +\d+\.\d+ +(\S+) +(\d+) +\S+ +\d+ +\S+ +\d{8}\.\d{6} (.*)", re.S)


def unzip(path: str) -> list[Entry]:
    entries = []
    for line in run("unzip", "-Z", "-l", "-T", "-h-", "-t-", path).split(b"\n"):
        parts = ZIPINFO_LINE.fullmatch(text_of(line))
        if not parts:
            if line and not line.startswith((b"Archive:  ", b"Zip file size: ")) and not re.fullmatch(rb"\d+ files?, .* compressed: .*", line):
                raise NotTaken(f"a line of its list that is none: {line!r}")
            continue
        kind, mode, system, size, name = parts.groups()
        raw = name.encode("utf-8", "surrogateescape")
        executes = system == "unx" and mode[2] in "xs"
        kind = "d" if name.endswith("/") or kind == "d" else "l" if kind == "l" else "x" if executes else "f"
        entries.append(Entry(clean(raw), kind, int(size), ""))
    found = contents(["unzip", "-p", path], [entry.size for entry in entries if entry.kind != "d"])
    filled = [it if it.kind == "d" else Entry(it.path, it.kind, *next(found)) for it in entries]
    for _ in found:
        pass
    return filled


def python_tar(path: str) -> list[Entry]:
    entries = []
    with tarfile.open(path, encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            name = clean(member.name.encode("utf-8", "surrogateescape"))
            if member.isdir():
                entries.append(Entry(name, "d", 0, ""))
            elif member.issym() or member.islnk():
                entries.append(Entry(name, "l" if member.issym() else "h", 0, member.linkname))
            elif member.isreg():
                size, digest = summed(archive.extractfile(member).read)
                if size != member.size:
                    raise NotTaken(f"{size} bytes of {member.size}")
                entries.append(Entry(name, "x" if member.mode & 0o100 else "f", size, digest))
            else:
                entries.append(Entry(name, "other", 0, ""))
    return linked(entries)


def python_zip(path: str) -> list[Entry]:
    entries = []
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            # A name that is not marked as UTF-8 is decoded as code page 437, which keeps every byte.
            raw = member.filename.encode("utf-8" if member.flag_bits & 0x800 else "cp437")
            mode = member.external_attr >> 16
            with archive.open(member) as content:
                if (mode & 0o170000) == 0o120000:
                    entries.append(Entry(clean(raw), "l", 0, text_of(content.read())))
                    continue
                size, digest = summed(content.read)
            if size != member.file_size:
                raise NotTaken(f"{size} bytes of {member.file_size}")
            kind = "d" if member.is_dir() else "x" if mode & 0o100 else "f"
            entries.append(Entry(clean(raw), kind, size, "" if kind == "d" else digest))
    return entries


def libarchive(path: str) -> list[Entry]:
    library = ctypes.CDLL("libarchive.so.13")
    for name in ("archive_read_new", "archive_entry_new"):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("archive_error_string", "archive_entry_pathname", "archive_entry_hardlink", "archive_entry_symlink", "archive_entry_pathname_utf8"):
        getattr(library, name).restype = ctypes.c_char_p
    library.archive_entry_size.restype = ctypes.c_int64
    library.archive_read_data.restype = ctypes.c_ssize_t
    ctypes.CDLL(None).setlocale(6, b"C.UTF-8")
    archive, entry = ctypes.c_void_p(library.archive_read_new()), ctypes.c_void_p()
    ok, warned, end = 0, -20, 1

    def check(code: int) -> int:
        if code < warned or code == -10:  # -10: again
            raise NotTaken((library.archive_error_string(archive) or b"?").decode(errors="replace"))
        return code

    for support in ("filter_gzip", "filter_bzip2", "filter_xz", "filter_zstd", "format_tar", "format_zip"):
        check(getattr(library, "archive_read_support_" + support)(archive))
    check(library.archive_read_open_filename(archive, os.fsencode(path), ctypes.c_size_t(PART)))
    buffer = ctypes.create_string_buffer(PART)

    def read(size: int) -> bytes:
        count = library.archive_read_data(archive, buffer, ctypes.c_size_t(size))
        check(min(count, ok))
        return buffer.raw[:count]

    entries = []
    while check(library.archive_read_next_header(archive, ctypes.byref(entry))) != end:
        name = clean(library.archive_entry_pathname(entry) or library.archive_entry_pathname_utf8(entry) or b"")
        mode = library.archive_entry_perm(entry)
        kind = {0o100000: "x" if mode & 0o100 else "f", 0o040000: "d", 0o120000: "l"}.get(library.archive_entry_filetype(entry), "other")
        if (link := library.archive_entry_hardlink(entry)) is not None:
            entries.append(Entry(name, "h", 0, text_of(link)))
        elif kind in "fx":
            announced = library.archive_entry_size(entry) if library.archive_entry_size_is_set(entry) else None
            size, digest = summed(read)
            if announced is not None and size != announced and not library.archive_entry_sparse_count(entry):  # A hole at the end is not read.
                raise NotTaken(f"{size} bytes of {announced}")
            entries.append(Entry(name, kind, size, digest))
        else:
            entries.append(Entry(name, kind, 0, text_of(library.archive_entry_symlink(entry) or b"") if kind == "l" else ""))
    return linked(entries)


READERS: dict[str, dict[str, Callable[[str], list[Entry]]]] = {
    "tar": {"gnutar": gnu_tar, "libarchive": libarchive, "python": python_tar},
    "zip": {"unzip": unzip, "libarchive": libarchive, "python": python_zip},
}


def read_confined(reader: Callable[[str], list[Entry]], path: str) -> Reading:
    """Runs a reader in a child that a hostile archive can neither keep busy nor let grow."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            os.close(ours)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            os.environ["LC_ALL"] = "C.UTF-8" if reader is unzip else "C"
            os.environ["TZ"] = "UTC"
            try:
                answer = (True, "", reader(path))
            except NotTaken as failure:
                answer = (False, str(failure), [])
            except Exception as failure:  # Whatever a library of others raises over an archive is its refusal.
                answer = (False, f"{type(failure).__name__}: {failure}".splitlines()[0], [])
            with open(theirs, "w") as out:
                json.dump(answer, out)
            code = 0
        finally:
            os._exit(code)
    os.close(theirs)

    def too_long(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    previous = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(WALL_S)
    try:
        with open(ours) as answered:
            text = answered.read()
        _, status = os.waitpid(child, 0)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    if status != 0:
        return Reading(False, f"ended by {status}", [])
    taken, why, entries = json.loads(text)
    return Reading(taken, why, [Entry(*entry) for entry in entries])


def readers_for(path: Path) -> dict[str, Callable[[str], list[Entry]]]:
    with open(path, "rb") as file:
        zstd = file.read(4) == b"\x28\xb5\x2f\xfd"
    # Python 3.11 does not know zstd, and says so of every one.
    return {name: reader for name, reader in READERS[family_of(path)].items() if not (zstd and name == "python")}


def family_of(path: Path) -> str:
    with open(path, "rb") as file:
        return "zip" if file.read(4) in (b"PK\x03\x04", b"PK\x05\x06") else "tar"


def versions() -> list[str]:
    """Of the readers' packages: what others say of an archive may change with them."""
    packages = ("tar", "unzip", "libarchive13", "python3")
    shown = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages], stdout=subprocess.PIPE, text=True).stdout
    return sorted(shown.split("\n"))[1:]
