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
WORST = 5  # named where none misses it
# How a server is set up where neighbours are to notice nothing (docs/operating/processor.md), and how one is that says nothing.
# What is above is measured on, beside the same in no sandbox: of so few turns a 99th percentile is chance as well.
LAYOUTS = {"cores_per_slot = 1, disk_read_mib_per_s = 8, read-ahead 128 KiB":
               ["--own-core", "--disk-read-mib-per-s", "8", "--read-ahead-kib", "128", "--again", "9"],
           "as shipped, all cores shared": ["--again", "3"]}
FLOOR = "floor: "


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    for layout, options in LAYOUTS.items():
        say(f"  {layout}")
        with tempfile.NamedTemporaryFile("r", suffix=".json") as found:
            if subprocess.run([sys.executable, BESIDE, "--binary", binary, "--rounds", str(rounds), "--json", found.name, *options]).returncode != 0:
                raise Broken("a hostile program did not end as the catalogue says")
            costs = json.load(found)
        for who, cost in costs.items():
            judge(goals, f"neighbours, {layout}: p99 of {WHO[who]}", cost)


def judge(goals: Goals, what: str, cost: dict) -> None:
    tails = {load: tail for load, (_, tail) in cost["ratios"].items() if not load.startswith(FLOOR)}
    bare = cost["bare"]
    worst = sorted(tails, key=lambda load: -tails[load])
    above = [load for load in worst if tails[load] > FACTOR]
    # The same program in no sandbox is above as well: how far it is from that, the figures say.
    beyond = [load for load in above if bare.get(load, 0.0) > FACTOR]

    def named(loads: list[str]) -> str:
        return f"{len(loads)}: " + ", ".join(f"{load} {tails[load]:.2f}, in no sandbox " + (f"{bare[load]:.2f}" if load in bare else "not measured") for load in loads)

    said = [f"{len(worst) - len(above)} of {len(worst)} loads"]
    if beyond:
        said.append(f"beyond this machine {named(beyond)}")
    if missed := [load for load in above if load not in beyond]:
        said.append(f"missed {named(missed)}")
    if not above:
        said.append("worst " + ", ".join(f"{load} {tails[load]:.2f}" for load in worst[:WORST]))
    said.append(f"beside nothing {cost['nothing']:.2f}, the worst of as many nothings {cost['chance']:.2f}")
    goals.judge(f"{what} at most {FACTOR} times quiet beside each hostile program", not above, "; ".join(said))
