"""Gives the 20 points for how the sources are laid out. Reads them, never runs them: every byte below /submission is the
participant's, so sizes and counts are bounded, and whatever cannot be read counts as not there."""

import json
import os
import re
import stat

SUBMISSION = "/submission"
FILE_BYTES_MAX = 1 << 20
FILES_MAX = 2000


def read(path):
    """A regular file's text; empty when it is something else, too large or unreadable."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:  # Looked at before Python makes a file of it: it makes none of a folder.
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode) or info.st_size > FILE_BYTES_MAX:
            return ""
        return os.read(descriptor, FILE_BYTES_MAX).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def sources():
    found = []
    for folder, folders, files in os.walk(SUBMISSION):
        folders.sort()
        for name in sorted(files):
            if len(found) == FILES_MAX:
                return found
            found.append(os.path.join(folder, name))
    return found


def guarded(text):
    return "#pragma once" in text or re.search(r"^\s*#\s*ifndef\s+(\w+)\s+#\s*define\s+\1\b", text, re.M) is not None


def main():
    paths = sources()
    headers = [path for path in paths if path.endswith(".h")]
    code = [path for path in paths if path.endswith(".c") and read(path).strip()]
    checks = [
        ("several source files", len(code) >= 3, f"{len(code)} .c files; at least 3 are asked for"),
        ("include guards", headers != [] and all(guarded(read(path)) for path in headers),
         "every header needs an include guard, and there must be one header at least"),
        ("warnings are on", re.search(r"(^|\s|=)-Wall\b", read(f"{SUBMISSION}/Makefile")) is not None,
         "the Makefile does not compile with -Wall"),
        ("notes", len(read(f"{SUBMISSION}/NOTES.md").strip()) >= 200, "NOTES.md has fewer than 200 characters"),
    ]
    tests = [{"name": name, "score": 5 if good else 0, "max_score": 5, "status": "passed" if good else "failed",
              "output": "" if good else why} for name, good, why in checks]
    with open("results.json", "w", encoding="utf-8") as file:
        json.dump({"score": sum(test["score"] for test in tests), "tests": tests}, file)


main()
