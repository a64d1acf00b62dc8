"""What hostile programs cost who works beside them: the server's page and a synced file, beside each line of the catalogue."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Broken, Goals

BESIDE = Path(__file__).resolve().parent.parent / "tests/hostile/beside"
FACTOR = 1.5
WHO = {"page": "the server's page", "files": "a neighbour's fsync"}
WORST = 5  # named of those that miss it


def bench(binary: Path, rounds: int, goals: Goals) -> None:
    with tempfile.NamedTemporaryFile("r", suffix=".json") as found:
        if subprocess.run([sys.executable, BESIDE, "--binary", binary, "--rounds", str(rounds), "--json", found.name]).returncode != 0:
            raise Broken("a hostile program did not end as the catalogue says")
        ratios = json.load(found)
    for who, loads in ratios.items():
        tails = {load: tail for load, (_, tail) in loads.items()}
        worst = sorted((load for load in tails if not load.startswith("floor: ")), key=lambda load: -tails[load])
        above = [load for load in worst if tails[load] > FACTOR]
        named = ", ".join(f"{load} {tails[load]:.2f}" for load in (above or worst)[:WORST])
        goals.judge(f"neighbours: p99 of {WHO[who]} at most {FACTOR} times quiet beside each hostile program", not above,
                    f"{len(worst) - len(above)} of {len(worst)} loads{'; worst' if not above else ', not'} {named}")
