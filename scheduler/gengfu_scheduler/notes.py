"""What the scheduler says while it runs: a sentence for people, with what programs need to tell it by.

Lowest floor: no input or output, no clock. Events are listed in ``docs/delivery.md``; their names stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

Level = Literal["info", "warning", "error"]


class Note(str):
    """The sentence itself: whoever only prints it need not know more. Never holds an address or a secret."""

    event: str
    """A stable dotted name, e.g. ``broadcast.done``."""
    level: Level
    about: Mapping[str, str]
    """``broadcast``, ``group``, ``slot``: keys and ids that it is about."""

    def __new__(cls, text: str, event: str, level: Level = "info", **about: str) -> Self:
        note = super().__new__(cls, text)
        note.event, note.level, note.about = event, level, MappingProxyType(about)
        return note
