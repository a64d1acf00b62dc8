"""Packs a folder in one format: pack.py FOLDER FILE. The format is what FILE's name ends in."""
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

folder, file = Path(sys.argv[1]), sys.argv[2]
if file.endswith(".zip"):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
elif file.endswith(".zst"):
    with subprocess.Popen(["zstd", "-q", "-o", file], stdin=subprocess.PIPE) as packer, tarfile.open(fileobj=packer.stdin, mode="w|") as archive:
        archive.add(folder, ".")
    sys.exit(packer.returncode)
else:
    with tarfile.open(file, "w:" + file.partition(".tar")[2].removeprefix(".")) as archive:
        archive.add(folder, ".")
