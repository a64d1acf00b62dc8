"""Our reading of an archive against those of others, and what kinds of disagreement there are."""
import json
import subprocess
import tempfile
from pathlib import Path

import readers
from readers import Entry, Reading

WALL_S = 300

# Why a disagreement is right as it is. Every line of disagreements.txt names one of these.
CLASSES = {
    "rule": "we refuse on purpose what others take: the SPEC's rule is named",
    "bound": "we refuse on purpose: a bound that no module can raise",
    "format": "it is none of the six formats, or a variant of one that is not taken",
    "damaged": "it is damaged, and others do not look or do not mind",
    "theirs": "it is sound by the format's own definition, and another reader cannot read it or reads it differently",
}

# What follows from our own word for it: class and reason, for the line that is proposed.
SUGGESTED = {
    "only_zeros": ("rule", "nothing in it: `empty`"), "nothing_left": ("rule", "nothing in it: `empty`"), "no_bytes": ("rule", "nothing in it: `empty`"),
    "data_cut": ("damaged", "every length right: the data is cut, or an end record is not where it should be"), "end_missing": ("rule", "a tar ends with two zero blocks"),
    "checksum_wrong": ("damaged", "every checksum and length right"), "data_broken": ("damaged", "every checksum and length right"),
    "header_broken": ("damaged", "every checksum and length right: a header contradicts itself or another"), "headers_differ": ("damaged", "every checksum and length right: the two headers of an entry contradict one another"),
    "trailing": ("rule", "after the last stream or end marker only zero bytes follow"),
    "entries_overlap": ("rule", "bytes that belong to no entry, or to two: from front to back a reader finds others than by the directory"),
    "sparse": ("rule", "regular files, directories and inside links only"), "device": ("rule", "regular files, directories and inside links only"),
    "member_type": ("rule", "unknown entry types are refused"), "content_unexpected": ("damaged", "a directory or link says it has content: readers differ on whether it follows"),
    "global_header": ("rule", "a global header must not rename or resize what follows"),
    "encrypted": ("format", "encrypted"), "method": ("format", "stored and deflated entries only"), "zip_large": ("bound", "records of a zip's directory"),
    "no_checksum": ("rule", "every checksum right: there is none"), "skippable_frame": ("format", "zstd frames that hold no data"),
    "window_too_large": ("bound", "memory of a decoder"), "headers_too_large": ("bound", "extended headers of one entry"),
    "empty_members": ("bound", "streams that hold almost nothing"), "entries": ("bound", "entries"), "unpacked": ("bound", "one file, or growth"),
    "name_empty": ("rule", "an empty name"), "name_too_long": ("bound", "length of a name"), "name_too_deep": ("bound", "depth of a name"),
    "name_absolute": ("rule", "names relative"), "name_upward": ("rule", "names without `..`"), "name_encoding": ("rule", "names valid in the chosen encoding"),
    "name_unmarked": ("rule", "names valid in the chosen encoding"), "name_invisible": ("rule", "names without control or bidi characters"),
    "name_backslash": ("rule", "names without backslash"), "hard_link": ("rule", "a hard link to an earlier file only"),
    "twice": ("rule", "no duplicates"), "names_meet": ("rule", "no case or normalisation collisions"), "below_no_folder": ("rule", "no duplicates"),
    "link_target": ("rule", "inside links only"), "link_absolute": ("rule", "inside links only"), "link_upward": ("rule", "inside links only"),
    "link_outside": ("rule", "inside links only"), "unknown_format": ("format", "none of the six formats"), "no_tar": ("format", "none of the six formats"),
    "plain_text": ("format", "none of the six formats"), "format_not_taken": ("format", "none of the six formats"),
}


class Broken(Exception):
    """Our reader crashed, hung, or unpacked something other than it listed."""


def our_reading(listing: Path, path: Path, scratch: Path) -> tuple[Reading, str]:
    """And our word for why, when it is refused."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        try:
            done = subprocess.run([listing.resolve(), path.resolve()], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_S)
        except subprocess.TimeoutExpired as late:
            raise Broken(f"not read within {WALL_S} s") from late
    if done.returncode != 0:
        raise Broken(f"exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    answer = json.loads(done.stdout)
    if not answer["accepted"]:
        return Reading(False, answer["text"], []), answer["fault"]
    below = answer["stripped"] + "/" if answer["stripped"] else ""
    return Reading(True, "", [Entry(below + path, *rest) for path, *rest in answer["entries"]]), ""


def difference(ours: list[Entry], theirs: list[Entry], family: str) -> str:
    """The first place where two lists differ; empty: they say the same. Folders that no entry names are told by the names below."""
    mine = {entry.path: entry for entry in ours}
    other: dict[str, Entry] = {}
    for entry in theirs:
        if entry.path in other and other[entry.path].kind != "d":
            return f"'{entry.path}' twice"
        if entry.path:
            other[entry.path] = entry
    implied = {path[:at] for path in mine for at, letter in enumerate(path) if letter == "/"}
    for path in sorted(mine.keys() | other.keys()):
        a, b = mine.get(path), other.get(path)
        if a is None and b.kind == "d" and any(name == path or name.startswith(path + "/") for name in mine) or (b is None and a.kind == "d" and path in implied):
            continue
        if a is None or b is None:
            if b is not None and b.kind == "d" and "/" not in path:
                continue  # The wrapping folder, when nothing lies in it.
            return f"'{path}' is only in {'theirs' if a is None else 'ours'}"
        kinds = (a.kind, b.kind)
        # A link's target is its content to whoever prints it; a zip that is not made on Unix has no execute bit.
        if a.kind == "l" and b.kind == "l" and b.size > 0:
            continue
        if kinds in (("x", "f"), ("f", "x")) and family == "zip":
            kinds = ("f", "f")
        if kinds[0] != kinds[1]:
            return f"'{path}' is {a.kind}, to them {b.kind}"
        if a.kind in "fx" and (a.size, a.content) != (b.size, b.content):
            return f"'{path}' has other content"
        if a.kind == "l" and a.content != b.content:
            return f"'{path}' leads elsewhere"
    return ""


def disagreement(ours: Reading, fault: str, others: dict[str, Reading], family: str) -> str:
    """One line; empty: all say the same."""
    taken = [name for name, reading in others.items() if reading.taken]
    if not ours.taken:
        return f"refused: {fault}; taken by {' '.join(taken)}" if taken else ""
    parts = [f"refused by {name}" for name in others if name not in taken]
    for name in taken:
        if differs := difference(ours.entries, others[name].entries, family):
            parts.append(f"{name} differs: {differs}")
    return "; ".join(["taken", *parts]) if parts else ""
