"""Reads strace's record of one upload and prints the steps of rule 1 in the order they must come; stops at the first that
did not come in its place. TRACE DATA-DIRECTORY FILE SUBMISSION-ID

A step counts as done when its call has returned, and as begun when it was entered: strace writes a call that others
interrupt as two lines, `<unfinished ...>` and `<... resumed>`.
"""
import hashlib
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TRACE_COMPLETE_S = 20


@dataclass
class Call:
    name: str
    arguments: str
    begun: int
    done: int = sys.maxsize
    result: int = -1

    @property
    def target(self) -> str:
        """The path behind the first argument, when that is a descriptor of a file."""
        found = re.match(r"\d+<([^>]*)>", self.arguments)
        return found.group(1) if found else ""

    @property
    def paths(self) -> list[str]:
        """The path arguments, those relative to a directory descriptor made whole."""
        pairs = re.findall(r'(?:(?:\d+|AT_FDCWD)<([^>]*)>, )?"([^"]*)"', self.arguments)
        return [os.path.normpath(os.path.join(folder, name)) for folder, name in pairs]


def calls_of(trace: str) -> list[Call]:
    calls: list[Call] = []
    open_calls: dict[str, Call] = {}
    for number, line in enumerate(trace.splitlines()):
        if found := re.match(r"(\d+) +<\.\.\. \w+ resumed>(.*)$", line):
            call = open_calls.pop(found.group(1), None)
            if call is None:
                continue
            call.arguments += found.group(2)
        elif found := re.match(r"(\d+) +(\w+)\((.*)$", line):
            call = Call(found.group(2), found.group(3).removesuffix(" <unfinished ...>"), number)
            calls.append(call)
            if line.endswith("<unfinished ...>"):
                open_calls[found.group(1)] = call
                continue
        else:
            continue
        if ended := re.search(r"\) += (-?\d+)[^()]*(?:\([^()]*\))?$", call.arguments):
            call.done, call.result = number, int(ended.group(1))
    return calls


def record_with_answer(trace: Path, identity: str) -> tuple[list[Call], Call]:
    """The calls up to the answer's return, and the answer. strace may still be busy with what came after; that is not asked."""
    deadline = time.monotonic() + TRACE_COMPLETE_S
    while time.monotonic() < deadline:
        calls = calls_of(trace.read_text(errors="replace"))
        for call in calls:
            if (call.name in ("write", "writev", "sendto", "sendmsg") and not call.target.startswith("/") and call.result >= 0
                    and "[SUCC" in call.arguments and identity in call.arguments):
                return calls, call
        time.sleep(0.1)
    raise SystemExit("the answer is not in the record")


def must(found, step: str):
    if not found:
        raise SystemExit(f"missing or out of order: {step}")
    print(step)
    return found


def main(trace: str, data: str, file: str, identity: str) -> None:
    data = os.path.realpath(data)
    sent = Path(file).read_bytes()
    digest = hashlib.sha256(sent).hexdigest()
    calls, answer = record_with_answer(Path(trace), identity)
    writes = [call for call in calls if call.name in ("write", "pwrite64", "writev", "pwritev", "pwritev2")]
    syncs = [call for call in calls if call.name in ("fdatasync", "fsync") and call.result == 0]

    # The file that became the blob is known by the name it got.
    moved = next((call for call in calls if call.name.startswith("rename") and call.result == 0
                  and call.paths[-1].startswith(f"{data}/blobs/") and digest in call.paths[-1].replace("/", "")), None)
    if moved is None:
        raise SystemExit("nothing was renamed into blobs/ under the digest of what was sent")
    source, blob = moved.paths[0], moved.paths[-1]
    body = [call for call in writes if call.target == source and call.done < moved.begun]
    must(source.startswith(data + "/") and sum(call.result for call in body) == len(sent),
         "every byte is written to a file of its own")
    written = max(call.done for call in body)
    must([call for call in syncs if call.target == source and written < call.begun and call.done < moved.begun],
         "fdatasync of that file")
    must(moved.done < answer.begun, "rename into blobs/")

    def synced(folder: str, after: int) -> int:
        """When the first fsync of `folder` begun after line `after` was done; none is an impossible line."""
        return min((call.done for call in syncs if call.name == "fsync" and call.target == folder and call.begun > after),
                   default=sys.maxsize)

    durable = synced(os.path.dirname(blob), moved.done)
    for made in (call for call in calls if call.name in ("mkdir", "mkdirat") and call.result == 0):
        path = made.paths[-1]
        if blob.startswith(path + "/") and f"{path}/".startswith(f"{data}/"):  # The data directory's own place counts too.
            durable = max(durable, synced(os.path.dirname(path), made.done))
    must(durable < answer.begun, "fsync of the directory, and of its parent when it is new")

    log = f"{data}/assay.db-wal"
    row = must(next((call for call in writes if call.target == log and call.begun > durable and identity in call.arguments), None),
               "the row is written to the write-ahead log")
    must([call for call in syncs if call.target == log and call.begun > row.done and call.done < answer.begun],
         "fdatasync or fsync of the log")
    must(answer.result > 0, "the answer leaves")


if __name__ == "__main__":
    main(*sys.argv[1:])
