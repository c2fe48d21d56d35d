"""What many times kill -9 in the middle of a broadcast cost: the test's kills, as often as one likes.

Alone: ``python -m bench.kills [SEED [STATIONS]]``, with the seed that an earlier table named; a station takes a minute.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import report
from bench.report import Begun, Table

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from installed import Installed
from kills import GROUPS, Toll, kill_often

STATIONS = 10
KILLS = 20


def measure(seed: int | None = None, stations: int = STATIONS) -> Iterator[Table]:
    """:raises SystemExit: a promise was broken; with what befell whom."""
    seed = random.randrange(1 << 32) if seed is None else seed
    begun = Begun(f"python -m bench.kills {seed} {stations}")
    here = Installed(bin=Path(sys.executable).parent, wheel=Path())
    tolls = [
        kill_often(here, report.scratch(), kills=KILLS, seed=seed + station) for station in range(stations)
    ]
    yield Table(
        key="kills",
        title=f"kill -9 in the middle of broadcasts to {GROUPS} groups",
        columns=("station", "seconds", "seen", "on their way (most)", "of unknown end", "重发", "amiss"),
        rows=[*([str(n), *counted([toll])] for n, toll in enumerate(tolls)), ["all", *counted(tolls)]],
        note=f"{KILLS} kills a station.",
        conditions=begun.over(),
    )
    if amiss := [what for toll in tolls for what in toll.amiss]:
        raise SystemExit("\n".join(amiss))


def counted(tolls: list[Toll]) -> list[str]:
    stranded = [most for toll in tolls for most in toll.stranded]
    return [
        f"{sum(toll.seconds for toll in tolls):.0f}",
        f"{sum(toll.seen for toll in tolls):,}",
        f"{sum(stranded):,} ({max(stranded)})",
        f"{sum(toll.unknown for toll in tolls):,}",
        f"{sum(toll.resent for toll in tolls):,}",
        f"{sum(len(toll.amiss) for toll in tolls)}",
    ]


if __name__ == "__main__":
    report.show(measure(*map(int, sys.argv[1:])))
