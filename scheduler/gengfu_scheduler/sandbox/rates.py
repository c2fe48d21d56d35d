"""How often a platform takes a message: so many in any window of time, by what its group got before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gengfu_scheduler.sandbox.contract import Received


def wait(limits: Mapping[timedelta, int], at: datetime, earlier: Sequence[Received]) -> timedelta:
    """How long the next message has to wait at ``at``; zero or less where it need not.

    :param limits: most messages in any window of this length.
    :param earlier: what came before, oldest first; only what the group saw counts.
    """
    taken = [other.at for other in earlier if other.seen]
    waits = [taken[-most] + window - at for window, most in limits.items() if len(taken) >= most]
    return max(waits, default=timedelta())
