"""What a slow channel delivers, beside the posts: in threads of its own, a few at a time, and not for ever.

Its threads are given up on, and end with the program: what hangs in somebody else's library keeps neither the
next delivery nor the program's end waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread

from gengfu_scheduler.message import Outcome, Unknown
from gengfu_templates.i18n import _

AT_ONCE = 8
LONGEST = 60.0
"""Seconds that a delivery may take; afterwards it is unknown, and what still comes of it is not heard."""


class Beside:
    """Deliveries that run beside the posts. For one thread to start them and to hear how they ended."""

    def __init__(self, *, at_once: int = AT_ONCE, longest: float = LONGEST) -> None:
        self._at_once = at_once
        self._longest = longest
        self._begun: dict[int, float] = {}
        self._ended: SimpleQueue[tuple[int, float, Outcome]] = SimpleQueue()

    def __len__(self) -> int:
        """How many are on their way."""
        return len(self._begun)

    @property
    def full(self) -> bool:
        return len(self._begun) >= self._at_once

    def begin(self, key: int, deliver: Callable[[], Outcome]) -> None:
        """Begin a delivery; ``deliver`` raises nothing."""
        begun = self._begun[key] = time.monotonic()
        Thread(target=lambda: self._ended.put((key, begun, deliver())), daemon=True).start()

    def ended(self, *, wait: float = 0.0) -> list[tuple[int, Outcome]]:
        """Those that have ended since, or taken too long; waits up to ``wait`` seconds for the first."""
        heard = []
        try:
            heard.append(self._ended.get(timeout=wait) if wait and self._begun else self._ended.get_nowait())
            while True:
                heard.append(self._ended.get_nowait())
        except Empty:
            pass
        # One that was given up on, and perhaps begun again since, is not listened to.
        awaited = [(key, outcome) for key, begun, outcome in heard if self._begun.get(key) == begun]
        for key, _outcome in awaited:
            del self._begun[key]
        return awaited + [(key, self._give_up(key)) for key in self._overdue()]

    def _overdue(self) -> list[int]:
        return [key for key, begun in self._begun.items() if time.monotonic() - begun > self._longest]

    def _give_up(self, key: int) -> Outcome:
        del self._begun[key]
        return Unknown(reason=_("{n} 秒内没有结束").format(n=round(self._longest)))
