"""Writes bad/NAME: archives that must be refused, made from a good one (the argument, a tar.bz2)."""
import bz2
import io
import sys
import tarfile
import zipfile
from pathlib import Path

bad = Path("bad")
bad.mkdir()
good = Path(sys.argv[1]).read_bytes()


def entry(name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data), link
    return info, data


def tar(name: str, *entries: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> None:
    with tarfile.open(bad / name, mode) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))


makefile = entry("Makefile", data=b"all:\n")

(bad / "empty").write_bytes(b"")
(bad / "text").write_text("my homework is in the other mail\n" * 40)
(bad / "cut").write_bytes(good[: len(good) // 2])
flipped = bytearray(good)
flipped[len(flipped) // 2] ^= 0x10
(bad / "flipped").write_bytes(flipped)
plain = bz2.decompress(good)
(bad / "unfinished").write_bytes(plain.rstrip(b"\0").ljust((len(plain.rstrip(b"\0")) + 511) // 512 * 512, b"\0"))
(bad / "trailing").write_bytes(good + b"and one more thing")
tar("absolute", makefile, entry("/etc/assay-was-here", data=b"x"))
tar("upward", makefile, entry("../assay-was-here", data=b"x"))
tar("outside-link", makefile, entry("link", tarfile.SYMTYPE, link="../../etc/passwd"))
tar("device", makefile, entry("null", tarfile.CHRTYPE))
with zipfile.ZipFile(bad / "zip", "w") as archive:
    archive.writestr("Makefile", "all:\n")
    archive.writestr("../assay-was-here", "x")
tar("too-many", makefile, *(entry(f"file-{number}") for number in range(101)))
tar("no-makefile", entry("README", data=b"nothing to build\n"))
tar("unpacks-too-large", makefile, entry("zeros", data=bytes(2 << 20)), mode="w:bz2")
