"""kill -9 at any moment: each group was told once, or is named as unknown."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from gengfu_scheduler.deliver import IN_FLIGHT
from installed import Installed
from kills import kill_often

KILLS = 20


def test_twenty_kills_leave_every_group_told_once_or_named(installed: Installed, tmp_path: Path) -> None:
    """Digests and alerts of several parts, each to 300 groups on all platforms; the seed repeats a failure."""
    seed = random.randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")
    toll = kill_often(installed, tmp_path, kills=KILLS, seed=seed)
    assert toll.amiss == []
    assert max(toll.stranded) <= IN_FLIGHT
    assert toll.unknown, "no kill came between request and answer: the test did not try what it is for"
    assert toll.resent, "no kill came in the middle of an alert"
