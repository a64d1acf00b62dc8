"""The disk of the lab's machine: a small Debian made of this host's packages, the program under test, and what loads it."""
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGES = ["bash", "busybox-static", "coreutils", "dash", "gcc", "gunicorn", "gzip", "libc6-dev", "python3", "python3-flask", "tar", "tzdata", "util-linux",
            "libbz2-1.0", "libdeflate0", "libexpat1", "libfmt9", "liblzma5", "libre2-9", "libseccomp2", "libsodium23", "libspdlog1.10",
            "libsqlite3-0", "libssl3", "libstdc++6", "libtomlplusplus3", "libzstd1", "zlib1g"]
LEFT_OUT = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/", "/var/", "/boot/")
DISK_BYTES = 2 << 30  # sparse
TEXT_BYTES = 128 << 20  # of the resident programs
PEOPLE = 40

COMPILE_C = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
    f"static double f{i}(double x) {{ char text[64]; snprintf(text, sizeof text, \"%f\", x); return atof(text) * {i} + strlen(text); }}\n" for i in range(60)
) + "int main(void) { double sum = 0;\n" + "".join(f"  sum += f{i}({i});\n" for i in range(60)) + "  return sum < 0; }\n"
MODULE_TOML = """[module]
id = "work"
title = "Runs what was handed in"
[upload]
unpacked_max = "8 MiB"
entries_max = 16
required = ["run.sh"]
[[stage]]
name = "run"
run = "sh run.sh"
limits = { cpu = "100 s", wall = "100 s", memory = "192 MiB", disk = "16 MiB" }
"""
COURSE_TOML = '[course]\nid = "LAB"\ntitle = "A course in a machine that is driven into a freeze"\ntimezone = "Asia/Shanghai"\nlanguage = "en"\n'


def with_dependencies(seeds: list[str]) -> list[str]:
    """Those packages of this host and all that they depend on."""
    table = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n"], check=True, text=True, capture_output=True)
    needs, providers = {}, {}
    for line in table.stdout.splitlines():
        name, depends, provides = line.split("\t")
        needs[name] = depends
        for one in provides.split(","):
            providers.setdefault(one.strip().split(" ")[0], name)
    found, waiting = set(), list(seeds)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in needs:
            raise RuntimeError(f"the package {name} is not installed here; the lab's machine is made of this host's packages")
        found.add(name)
        for choice in needs[name].split(","):
            names = [re.sub(r"[:\s(].*", "", word.strip()) for word in choice.split("|")]
            waiting += [next(iter([one for one in names if one in needs] + [providers[one] for one in names if one in providers]), name)] if names[0] else []
    return sorted(found)


def copy_packages(to: Path) -> None:
    listed = subprocess.run(["dpkg", "-L", *with_dependencies(PACKAGES)], check=True, text=True, capture_output=True).stdout.splitlines()
    for folder in ("bin", "sbin", "lib", "lib64"):  # usr-merged, as Debian 12 is
        (to / "usr" / folder).mkdir(parents=True, exist_ok=True)
        (to / folder).symlink_to(f"usr/{folder}")
    names = "".join(f"{path.lstrip('/')}\n" for path in sorted(set(listed)) if path.startswith("/usr/") or path.startswith("/etc/")
                    if not path.startswith(LEFT_OUT) and os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path)))
    compiled = "".join(f"{one}\n".lstrip("/") for path in sorted(set(listed)) if path.endswith(".py")
                       for one in Path(path).parent.glob(f"__pycache__/{Path(path).stem}.*.pyc"))  # made when the package was installed
    merged = "".join(f"usr{path}\n" for path in sorted(set(listed)) if path.startswith(("/bin/", "/sbin/", "/lib/", "/lib64/")) and os.path.isfile(f"/usr{path}"))
    alternatives = "".join(f"{path.lstrip('/')}\n" for path in map(str, Path("/etc/alternatives").iterdir()) if os.path.exists(path))
    packed = subprocess.Popen(["tar", "-C", "/", "--no-recursion", "-cf", "-", "-T", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    unpack = subprocess.Popen(["tar", "-C", to, "-xf", "-"], stdin=packed.stdout)
    packed.stdin.write((names + compiled + merged + alternatives + "etc/passwd\netc/group\netc/nsswitch.conf\netc/ld.so.cache\n").encode())
    packed.stdin.close()
    if packed.wait() != 0 or unpack.wait() != 0:
        raise RuntimeError("the packages could not be copied")


def pack(to: Path, files: dict[str, Path | str]) -> None:
    with tarfile.open(to, "w:gz") as archive:
        for name, content in files.items():
            if isinstance(content, Path):
                archive.add(content, name)
                continue
            path = to.with_suffix(".part")
            path.write_text(content)
            archive.add(path, name)
            path.unlink()


def make(binary: Path, image: Path) -> None:
    """Takes a minute; some 500 MB are written."""
    tree = image.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    try:
        copy_packages(tree)
        for folder in ("dev", "proc", "sys", "run", "tmp", "data", "root", "lab/course/work", "var/tmp"):
            (tree / folder).mkdir(parents=True, exist_ok=True)
        if not (tree / "usr/bin/sh").exists():
            (tree / "usr/bin/sh").symlink_to("dash")
        lab = tree / "lab"
        shutil.copy2(binary, tree / "usr/bin/assay")
        subprocess.run(["cc", "-static", "-O2", "-o", lab / "load", HERE / "guest/load.c"], check=True)
        for file in ("guest/main.py", "guest/probe.py", "guest/runner.py", "../vm/inside"):
            shutil.copy2(HERE / file, lab)
        shutil.copytree(ROOT / "bench/peer", lab / "peer")
        (lab / "course/course.toml").write_text(COURSE_TOML)
        (lab / "course/work/module.toml").write_text(MODULE_TOML)
        (lab / "roster.csv").write_text("id,name,token,key\n" + "".join(f"p{i:05},Person {i},TOKEN-OF-PERSON-{i:05},keyofperson{i:05}\n" for i in range(PEOPLE)))
        (lab / "compile.c").write_text(COMPILE_C)
        pack(lab / "work.tar.gz", {"run.sh": "gcc -O1 -o work work.c && ./work\n", "work.c": COMPILE_C})
        pack(lab / "hog.tar.gz", {"run.sh": "./load hog 6 30 90 hog.tmp\n", "load": lab / "load"})
        with open(lab / "text", "wb") as text:
            for _ in range(TEXT_BYTES >> 20):
                text.write(os.urandom(1 << 20))
        image.unlink(missing_ok=True)
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-d", tree, image], check=True)
    finally:
        shutil.rmtree(tree, ignore_errors=True)
