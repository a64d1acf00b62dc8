"""Packs a tree by every packer at hand, and prints what the readers disagree on: packers.py LISTING."""
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import compare
import readers

listing = Path(sys.argv[1])
scratch, packs = Path("scratch"), Path("packs")
for folder in (scratch, packs):
    folder.mkdir()


def write_tree(root: Path, hard: bool) -> None:
    def file(path: str, content: bytes, mode: int = 0o644) -> None:
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        place.chmod(mode)

    random.seed(1)
    file("Makefile", b"all:\n\tcc -o main src/main.c\n")
    file("src/main.c", b"int main(void) { return 0; }\n" * 400)
    file("run.sh", b"#!/bin/sh\n", 0o755)
    file("nothing", b"")
    file("block", bytes(range(256)) * 2)  # exactly one block of a tar
    file("noise", random.randbytes(3_000_000))
    file("zeros", b"")
    os.truncate(root / "zeros", 4_000_000)  # a hole
    file("crlf.txt", b"one\r\n" * 300)
    (root / "empty").mkdir()
    (root / "src/link").symlink_to("main.c")
    (root / "src/up").symlink_to("../Makefile")
    if hard:
        file("目录/文件 с пробелом é.txt", "内容\n".encode())
        file("d" * 90 + "/" + "e" * 90 + "/" + "f" * 60, b"a path that no plain header holds")
        file("n" * 150, b"a name that no plain header holds")
        file("名" * 60, b"the same in bytes alone")
        (root / "far").symlink_to("d" * 90 + "/" + "e" * 90 + "/" + "f" * 60)
    for path in [root, *root.rglob("*")]:
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)


write_tree(Path("plain"), False)
write_tree(Path("hard"), True)


def command(name: str, *words: str, folder: str = "hard", **rest: object) -> None:
    target = packs / name
    subprocess.run([word.replace("@", str(target.resolve())) for word in words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **rest)


for form in ("v7", "ustar", "oldgnu", "gnu", "posix"):
    command(f"gnu-{form}.tar", "tar", f"--format={form}", "-cf", "@", ".", folder="plain" if form in ("v7", "ustar") else "hard")
for suffix in ("gz", "bz2", "xz", "zst"):
    command(f"gnu.tar.{suffix}", "tar", "-caf", "@", ".")
command("gnu-wrapped.tar", "tar", "-cf", "@", "hard", folder=".")
command("gnu-blocking.tar", "tar", "-b", "4096", "-cf", "@", ".")
command("gnu-acls.tar", "tar", "--format=posix", "--acls", "--xattrs", "-cf", "@", ".")
command("gnu-sparse.tar", "tar", "--format=posix", "-Scf", "@", ".")
for form in ("ustar", "gnutar", "pax", "restricted"):
    command(f"bsd-{form}.tar", "bsdtar", "--format", {"restricted": "paxr"}.get(form, form), "-cf", "@", ".", folder="plain" if form == "ustar" else "hard")
command("bsd.zip", "bsdtar", "--format", "zip", "-cf", "@", ".")
command("info.zip", "zip", "-ry", "@", ".")
command("info-large.zip", "zip", "-ryfz", "@", ".")
command("info-stored.zip", "zip", "-ry0", "@", ".")
# Before 3.0-13+deb12u1 it writes no link into a pipe.
command("info-streamed.zip", "sh", "-c", "zip -ry - . -x src/link src/up far | cat >'@'")
command("info-commented.zip", "sh", "-c", "zip -ry '@' . && echo 'a comment' | zip -z '@'")
command("info-deleted.zip", "sh", "-c", "zip -ry '@' . && zip -d '@' noise && zip -u '@' noise")
command("info-bzip2.zip", "zip", "-ryZ", "bzip2", "@", ".")
command("info-encrypted.zip", "zip", "-ryP", "secret", "@", ".")
command("seven.zip", "7z", "a", "-snl", "@", ".")
command("seven-lzma.zip", "7z", "a", "-snl", "-mm=LZMA", "@", ".")
command("seven.tar", "7z", "a", "-ttar", "-snl", "@", ".")
command("seven.7z", "7z", "a", "@", ".", folder="plain")

for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
    with tarfile.open(packs / f"python-{name}.tar.gz", "w:gz", format=form) as archive:
        archive.add("plain" if name == "ustar" else "hard", "work")
with tarfile.open(packs / "python-linked.tar", "w") as archive:
    os.link("plain/Makefile", "plain/hard-link")
    archive.add("plain", ".")


class Unseekable(io.RawIOBase):
    """As a socket or a pipe is."""

    def __init__(self, path: Path):
        self.file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        return self.file.write(data)


def python_zip(name: str, target: object, method: int, large: bool = False) -> None:
    with zipfile.ZipFile(target, "w", method) as archive:
        for path in sorted(Path("hard").rglob("*")):
            if path.is_symlink():
                continue
            info = zipfile.ZipInfo.from_file(path, path.relative_to("hard"))
            info.compress_type = method
            if path.is_dir():
                archive.writestr(info, b"")
            else:
                with archive.open(info, "w", force_zip64=large) as out:
                    out.write(path.read_bytes())


python_zip("deflated", packs / "python.zip", zipfile.ZIP_DEFLATED)
python_zip("stored", packs / "python-stored.zip", zipfile.ZIP_STORED)
python_zip("large", packs / "python-large.zip", zipfile.ZIP_DEFLATED, large=True)
streamed = Unseekable(packs / "python-streamed.zip")
python_zip("streamed", streamed, zipfile.ZIP_DEFLATED)
streamed.file.close()
python_zip("lzma", packs / "python-lzma.zip", zipfile.ZIP_LZMA)
for form in ("zip", "tar", "gztar", "bztar", "xztar"):
    shutil.make_archive(str(packs / f"shutil-{form}"), form, "plain")

for pack in sorted(packs.iterdir()):
    family = readers.family_of(pack)
    ours, fault = compare.our_reading(listing, pack, scratch)
    others = {name: readers.read_confined(reader, str(pack)) for name, reader in readers.readers_for(pack).items()}
    said = compare.disagreement(ours, fault, others, family) or (f"refused by all: {fault}" if fault else f"all alike, {len(others) + 1} readers")
    print(f"{pack.name}: {said}", flush=True)
