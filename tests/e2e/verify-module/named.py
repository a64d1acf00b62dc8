"""A tar and a zip with two names in GB18030 and one in ASCII: named.py TAR ZIP."""
import io
import sys
import tarfile
import zipfile

NAMES = ("作业/主程序.c", "作业/说明.txt", "Makefile")

with tarfile.open(sys.argv[1], "w", format=tarfile.USTAR_FORMAT, encoding="gb18030") as archive:
    for name in NAMES:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))


class AsWritten(zipfile.ZipInfo):
    """Neither marked as UTF-8 nor encoded in it."""

    def _encodeFilenameFlags(self):
        return self.filename.encode("gb18030"), 0


with zipfile.ZipFile(sys.argv[2], "w") as archive:
    for name in NAMES:
        archive.writestr(AsWritten(name), b"x")
