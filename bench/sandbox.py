"""What a sandbox costs: beside vfork+exec, bubblewrap, runc and, where its daemon runs, docker; how exactly limits end a program."""
import json
import os
import shutil
import statistics
import subprocess
from pathlib import Path

from measure import Broken, Goals, Scratch, load_average, number, percentile, run, say

SAMPLES_A_ROUND = 80
RARE = 4           # a slow peer runs every so many samples
OVERSHOOTS_A_ROUND = 20
CALLS = 200
IMAGE = "assay-bench"


def hertz() -> int:
    """The kernel's tick: what it counts processor time of version 1 groups by, and ends a time slice at."""
    for place in (Path("/proc/config.gz"), Path(f"/boot/config-{Path('/proc/sys/kernel/osrelease').read_text().strip()}")):
        if not place.exists():
            continue
        text = run(["zcat", "-f", place])
        for line in text.splitlines():
            if line.startswith("CONFIG_HZ="):
                return int(line.removeprefix("CONFIG_HZ="))
    return 0


def series_of(program: Path, part: str, rounds: int, peers: list[tuple[str, int, str]] = ()) -> dict[str, list[float]]:
    arguments: list[object] = [program, part, rounds]
    for name, every, command in peers:
        arguments += [name, every, command]
    found = {}
    for line in run(arguments).splitlines():
        name, *values = line.split()
        found[name] = [float(value) for value in values]
    return found


def show(names: dict[str, str], series: dict[str, list[float]], unit: str) -> None:
    for key, name in names.items():
        values = series.get(key)
        if not values:
            continue
        say(f"  {name:34} median {number(statistics.median(values))}  p10 {number(percentile(values, 0.1))}  "
            f"p99 {number(percentile(values, 0.99))} {unit} ({len(values)})")


def runc_command(scratch: Scratch) -> str:
    """/bin/true of the host's own /usr under runc: the namespaces and groups that `runc spec` gives, no terminal."""
    bundle = scratch.path / "bundle"
    root = bundle / "root"
    (root / "usr").mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    run(["runc", "spec"], cwd=bundle)
    config = json.loads((bundle / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/true"]}
    config["root"] = {"path": "root", "readonly": True}
    config["mounts"].append({"destination": "/usr", "type": "none", "source": "/usr", "options": ["bind", "ro"]})
    # A limit above what this process may have is refused, and one of its own is not the point here.
    config["process"].pop("rlimits", None)
    (bundle / "config.json").write_text(json.dumps(config))
    return f"runc --root {scratch.path}/runc run --bundle {bundle} assay-bench"


def docker_command(scratch: Scratch) -> str | None:
    """With an image that holds one static program; None where no daemon runs."""
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
        return None
    root = scratch.path / "image"
    (root / "bin").mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin" / "true")
    run(["tar", "-C", root, "-cf", scratch.path / "image.tar", "."])
    run(["docker", "import", scratch.path / "image.tar", IMAGE])
    return f"docker run --rm --network none {IMAGE} /bin/true"


def works(command: str) -> bool:
    done = subprocess.run(command.split(), capture_output=True, text=True)
    if done.returncode != 0:
        say(f"  left out: {command.split()[0]} fails here: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
    return done.returncode == 0


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    program = binary.parent / "bench_sandbox"
    if not program.exists():
        raise Broken(f"{program} is not built: ./dev build does not, ./dev bench does")
    tick = hertz()
    say(f"  HZ {tick or 'not known'}")
    with Scratch() as scratch:
        bubblewrap = "bwrap --unshare-all --die-with-parent --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib " \
                     "--symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp /bin/true"
        known = [("bubblewrap", 1, bubblewrap), ("runc", RARE, runc_command(scratch))]
        if docker := docker_command(scratch):
            known.append(("docker", RARE, docker))
        else:
            say("  left out: docker, no daemon of it runs here")
        one_latency(program, rounds, [peer for peer in known if works(peer[2])], goals)
        if docker:
            subprocess.run(["docker", "rmi", IMAGE], capture_output=True)
    sustained(program, rounds, goals)
    limits(program, rounds, tick, goals)
    guests(program, goals)


def one_latency(program: Path, rounds: int, peers: list[tuple[str, int, str]], goals: Goals) -> None:
    series = series_of(program, "latency", rounds * SAMPLES_A_ROUND, peers)
    say(f"\n  one run of /bin/true, load average {load_average()}")
    show({"floor": "vfork+exec", "open": "command of an open job", "own": "open job, command, close job"} | {name: name for name, _, _ in peers}, series, "ms")
    floor, own = statistics.median(series["floor"]), statistics.median(series["open"])
    goals.at_most("sandbox: a command at most 1.15 times vfork+exec", own, 1.15, floor)
    for name, factor in (("bubblewrap", 5), ("runc", 40), ("docker", 300)):
        if name in series:
            goals.at_least(f"sandbox: {name} takes at least {factor} times as long", statistics.median(series[name]), factor, own,
                           ("vfork+exec itself", floor))


def sustained(program: Path, rounds: int, goals: Goals) -> None:
    series = series_of(program, "rate", rounds)
    say(f"\n  sustained, two at a time, load average {load_average()}")
    show({"floor": "vfork+exec", "open": "commands of two open jobs", "apart": "the same, a network namespace each", "own": "a job each", "own_apart": "a job and a network namespace each"}, series, "runs/s")
    floor = statistics.median(series["floor"])
    goals.at_least("sandbox: commands of open jobs at least a quarter of vfork+exec's runs/s", statistics.median(series["open"]), 1 / 4, floor)
    goals.at_least("sandbox: with a network namespace each at least a sixth", statistics.median(series["apart"]), 1 / 6, floor)


def limits(program: Path, rounds: int, tick: int, goals: Goals) -> None:
    series = series_of(program, "limits", rounds * OVERSHOOTS_A_ROUND)
    say(f"\n  limits, load average {load_average()}")
    show({"single": "past 100 ms of CPU, one thread", "several": "past 100 ms of CPU, four threads", "forks": "end of a fork bomb of 256",
          "bare_forks": "the same bomb in no sandbox", "memory": "end of 1 GB of memory"}, series, "ms")
    cores = len(os.sched_getaffinity(0))
    several = cores * 1000 / tick + 2 if tick else 2
    goals.at_most("sandbox: CPU overshoot p99 at most 5 ms, one thread", percentile(series["single"], 0.99), 1, 5)
    goals.at_most("sandbox: CPU overshoot p99 at most a tick per core and 2 ms, four threads", percentile(series["several"], 0.99), 1, several)
    goals.at_most("sandbox: a fork bomb of 256 is gone in 10 ms", statistics.median(series["forks"]), 1, 10,
                  ("the same bomb in no sandbox", statistics.median(series["bare_forks"])) if series["bare_forks"] else None)
    goals.at_most("sandbox: 1 GB of memory is gone in 50 ms", statistics.median(series["memory"]), 1, 50)


def guests(program: Path, goals: Goals) -> None:
    series = series_of(program, "guests", CALLS)
    say(f"\n  /assay/run, load average {load_average()}")
    show({"plain": "command of an open job", "called": "the same by /assay/run", "started": "vfork+exec inside the harness"}, series, "ms")
    median = {name: statistics.median(values) for name, values in series.items()}
    goals.at_most("sandbox: /assay/run at most 3 ms over the plain command", median["called"] - median["plain"], 1, 3)
