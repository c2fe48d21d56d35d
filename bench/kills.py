"""What 200 times kill -9 in the middle of a broadcast cost: the test's kills, ten times as many.

Alone: ``python -m bench.kills [SEED]``, with the seed that an earlier table named.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from installed import Installed
from kills import GROUPS, Toll, kill_often

STATIONS = 10
KILLS = 20


def measure(seed: int | None = None) -> None:
    """Print the table; what broke a promise stands under it, by name."""
    seed = random.randrange(1 << 32) if seed is None else seed
    here = Installed(bin=Path(sys.executable).parent, wheel=Path())
    print(f"\nkill -9 during a broadcast to {GROUPS} groups, {STATIONS} stations of {KILLS}, seed {seed}")
    print(
        f"{'station':>8} {'seconds':>8} {'seen':>7} {'on their way (most)':>20} {'unknown':>8} {'重发':>6} {'amiss':>6}"
    )
    tolls = []
    for station in range(STATIONS):
        with tempfile.TemporaryDirectory() as folder:
            tolls.append(kill_often(here, Path(folder), kills=KILLS, seed=seed + station))
        row(str(station), tolls[-1])
    row(
        "all",
        Toll(
            seen=sum(toll.seen for toll in tolls),
            stranded=[most for toll in tolls for most in toll.stranded],
            unknown=sum(toll.unknown for toll in tolls),
            resent=sum(toll.resent for toll in tolls),
            seconds=sum(toll.seconds for toll in tolls),
            amiss=[what for toll in tolls for what in toll.amiss],
        ),
    )
    print("\n".join(what for toll in tolls for what in toll.amiss))


def row(station: str, toll: Toll) -> None:
    stranded = f"{sum(toll.stranded)} ({max(toll.stranded)})"
    print(
        f"{station:>8} {toll.seconds:8.1f} {toll.seen:7} {stranded:>20} {toll.unknown:8} {toll.resent:6} "
        f"{len(toll.amiss):6}",
        flush=True,
    )


if __name__ == "__main__":
    measure(*map(int, sys.argv[1:]))
