"""A folder packed and verified, beside Python's tarfile, tar with gzip, and zstd. What counts is processor time: each is given one folder,
all of it in memory already, and as many processors as it takes."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from measure import Broken, Goals, Scratch, Table, number, run, say

FROM = ("/usr/include", "/usr/share/doc", "/usr/share/perl", "/usr/share/cmake-3.25", "/usr/lib/python3")
TREE_BYTES = 150 << 20
FILES_MAX = 19_000  # below what a module takes by default
FILE_BYTES_MAX = 4 << 20
MEMORY_MAX_MIB = 64
PYTHON = "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'w:gz') as pack: pack.add('.')"


def make_tree(folder: Path) -> tuple[int, int]:
    """Headers, documentation and scripts of this machine; what is in it depends on it, its kind does not. Files and their bytes."""
    files = size = 0
    spelled: dict[str, str] = {}  # names that differ in case alone are not packed
    for root in FROM:
        # Of each its share, so that no kind is alone.
        share = size + TREE_BYTES // len(FROM)
        for place, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                source = Path(place, name)
                if size >= share or files >= FILES_MAX or source.is_symlink() or not source.is_file():
                    continue
                bytes_here = source.stat().st_size
                if bytes_here > FILE_BYTES_MAX or name.startswith(".") or source.suffix == ".pyc":
                    continue
                inside = source.relative_to("/")
                if any(spelled.setdefault(str(part).lower(), str(part)) != str(part) for part in (inside, *inside.parents)):
                    continue
                target = folder / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                files, size = files + 1, size + bytes_here
    return files, size


def measured(scratch: Scratch, folder: Path, *arguments: object) -> tuple[float, float, float]:
    """Processor seconds of it and of what it started, wall seconds, and the most memory that one of them held in MiB."""
    began = time.monotonic()
    process = subprocess.Popen([str(one) for one in arguments], cwd=folder, env=scratch.environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise Broken(f"{arguments[0]}: {said.decode(errors='replace').strip()}")
    return used.ru_utime + used.ru_stime, time.monotonic() - began, used.ru_maxrss / 1024


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with Scratch() as scratch:
        tree, out = scratch.path / "tree", scratch.path / "out"
        tree.mkdir()
        out.mkdir()
        files, size = make_tree(tree)
        megabytes = size / 1e6
        say(f"  {files} files, {megabytes:.0f} MB; MB/CPU-s are of their bytes")
        packers = {
            "Python tarfile": ("python.tar.gz", ["/usr/bin/python3", "-c", PYTHON, out / "python.tar.gz"]),
            "tar | gzip -6": ("gzip.tar.gz", ["sh", "-c", f"tar -cf - . | gzip -6 >{out}/gzip.tar.gz"]),
            "tar | zstd -3": ("zstd.tar.zst", ["sh", "-c", f"tar -cf - . | zstd -3 -q -T2 >{out}/zstd.tar.zst"]),
            "assay tar.gz": ("assay.tar.gz", [binary, "pack", tree, "--no-ignore", "-o", out / "assay.tar.gz"]),
            "assay tar.zst": ("assay.tar.zst", [binary, "pack", tree, "--no-ignore", "-o", out / "assay.tar.zst"]),
        }
        verifiers = {
            "gzip -t": ["gzip", "-t", out / "assay.tar.gz"],
            "gzip -t, one member": ["gzip", "-t", out / "gzip.tar.gz"],
            "assay verify": [binary, "verify", out / "assay.tar.gz"],
            "assay, one member": [binary, "verify", out / "gzip.tar.gz"],
            "zstd -t": ["zstd", "-t", "-q", out / "assay.tar.zst"],
            "assay tar.zst": [binary, "verify", out / "assay.tar.zst"],
        }
        packing, verifying = Table(), Table()
        for _ in range(rounds):
            for name, (file, arguments) in packers.items():
                cpu_s, wall_s, peak_mib = measured(scratch, tree, *arguments)
                mb = (out / file).stat().st_size / 1e6
                packing.add(name, **{"MB/CPU-s": megabytes / cpu_s, "CPU s": cpu_s, "wall s": wall_s, "MB": mb, "peak MiB": peak_mib})
            for name, arguments in verifiers.items():
                cpu_s, wall_s, peak_mib = measured(scratch, tree, *arguments)
                verifying.add(name, **{"MB/CPU-s": megabytes / cpu_s, "CPU s": cpu_s, "wall s": wall_s, "peak MiB": peak_mib})
        say("  pack (assay's are verified in the same time)")
        packing.show()
        say("  verify")
        verifying.show()
        same_as_packed(out / "assay.tar.gz", tree, scratch)
        run([binary, "pack", tree, "--no-ignore", "-o", out / "assay.tar"])
        same_tar_mb = int(run(["sh", "-c", f"gzip -6 <{out}/assay.tar | wc -c"])) / 1e6
        judge(packing, verifying, same_tar_mb, goals)


def same_as_packed(archive: Path, tree: Path, scratch: Scratch) -> None:
    """By GNU tar, so that nobody vouches for himself."""
    back = scratch.path / "back"
    back.mkdir()
    run(["tar", "-xzf", archive, "-C", back])
    top = back / "submission" if (back / "submission").is_dir() else back
    run(["diff", "-r", "--no-dereference", top, tree])
    say("  unpacked by tar it is the same, file by file")


def judge(packing: Table, verifying: Table, same_tar_mb: float, goals: Goals) -> None:
    def speed(name: str) -> float:
        return packing.median(name, "MB/CPU-s")

    goals.at_least("pack: pack and verify tar.gz at least 4 times Python's tarfile, MB per CPU second", speed("assay tar.gz"), 4, speed("Python tarfile"))
    goals.at_least("pack: pack and verify tar.gz at least 1.8 times tar | gzip -6, MB per CPU second", speed("assay tar.gz"), 1.8, speed("tar | gzip -6"))
    ours, theirs = packing.median("assay tar.gz", "MB"), packing.median("tar | gzip -6", "MB")
    goals.judge("pack: as large as gzip -6 makes the same tar, within a hundredth", abs(ours / same_tar_mb - 1) <= 0.01,
                f"{ours:.2f} against {same_tar_mb:.2f} MB, {(ours / same_tar_mb - 1) * 100:+.2f} %")
    goals.judge("pack: no larger than tar | gzip -6, by more than a hundredth", ours / theirs - 1 <= 0.01,
                f"{ours:.2f} against {theirs:.2f} MB, {(ours / theirs - 1) * 100:+.2f} %")
    goals.at_least("pack: pack and verify tar.zst at least 3.5 times tar | gzip -6, MB per CPU second", speed("assay tar.zst"), 3.5, speed("tar | gzip -6"))
    for name in ("assay tar.gz", "assay tar.zst"):
        peak = max(packing.figures[name]["peak MiB"])
        goals.judge(f"pack: {name.removeprefix('assay ')} in at most {MEMORY_MAX_MIB} MiB", peak <= MEMORY_MAX_MIB, f"{number(peak)} MiB")
    goals.at_least("pack: verify tar.gz at least 1.5 times gzip -t, MB per CPU second", verifying.median("assay verify", "MB/CPU-s"), 1.5, verifying.median("gzip -t", "MB/CPU-s"))
