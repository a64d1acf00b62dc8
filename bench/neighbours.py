"""What hostile programs cost who works beside them: the server's page and a synced file, beside each line of the catalogue; where
programs have a core of their own, and where they share all of them."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Broken, Goals, say

BESIDE = Path(__file__).resolve().parent.parent / "tests/hostile/beside"
FACTOR = 1.5
WHO = {"page": "the server's page", "files": "a neighbour's fsync"}
WORST = 5  # named of those that miss it
# How a server is set up where neighbours are to notice nothing (docs/operating/processor.md), and how one is that says nothing.
# There what is above is measured on: of so few turns a 99th percentile is chance as well.
LAYOUTS = {"cores_per_slot = 1, disk_read_mib_per_s = 8, read-ahead 128 KiB":
               ["--own-core", "--disk-read-mib-per-s", "8", "--read-ahead-kib", "128", "--again", "9"],
           "as shipped, all cores shared": []}


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    for layout, options in LAYOUTS.items():
        say(f"  {layout}")
        with tempfile.NamedTemporaryFile("r", suffix=".json") as found:
            if subprocess.run([sys.executable, BESIDE, "--binary", binary, "--rounds", str(rounds), "--json", found.name, *options]).returncode != 0:
                raise Broken("a hostile program did not end as the catalogue says")
            costs = json.load(found)
        for who, cost in costs.items():
            judge(goals, f"neighbours, {layout}: p99 of {WHO[who]}", {load: tail for load, (_, tail) in cost["ratios"].items()}, cost["chance"])


def judge(goals: Goals, what: str, tails: dict[str, float], chance: float) -> None:
    worst = sorted((load for load in tails if not load.startswith("floor: ")), key=lambda load: -tails[load])
    above = [load for load in worst if tails[load] > FACTOR]
    named = ", ".join(f"{load} {tails[load]:.2f}" for load in (above or worst)[:WORST])
    # What no sandbox could better: programs without any, that get a processor when nothing else wants it.
    floors = ", ".join(f"{load.removeprefix('floor: ')} {tail:.2f}" for load, tail in tails.items() if load.endswith(", idle"))
    goals.judge(f"{what} at most {FACTOR} times quiet beside each hostile program", not above,
                f"{len(worst) - len(above)} of {len(worst)} loads{'; worst' if not above else ', not'} {named}; in no sandbox {floors}; beside nothing {tails['floor: nothing']:.2f}, the worst of as many nothings {chance:.2f}")
