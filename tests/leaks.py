"""No webhook in anything that the tests made: every file below the session's temporary folder, and what was printed.

Run once a session, by ``conftest``. Searched for is what every WeCom address has, and the keys of :mod:`watch`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

MARKS = (b"/webhook/send?key=", b"-0000-marker")
MAY_HOLD = {
    "webhooks.csv": "where addresses belong, readable by its owner alone",
    "witness.jsonl": "what a sandbox received",
    "群.*": "an admin's own sheet, which is to be imported",
    "gengfu.[mp]o*": "wording that shows what an address looks like",
}
"""Files that may hold an address, by name, and why."""
TRIED = ("test_an_address_or_key_in_the", "test_an_address_in_the_wrong", "test_a_webhook_address_in_a")
"""Tests that write one where it does not belong, to see it refused."""
NOT_OURS = {"venv", "wheel0", "node_modules", "pgdata"}
"""Folders whose files no code of a station writes."""


def leaks(folder: Path) -> Iterator[str]:
    """The files below ``folder`` that hold an address and may not."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in NOT_OURS and not f.startswith(TRIED))
        for name in sorted(files):
            file = Path(place, name)
            if (
                not any(fnmatch(name, may) for may in MAY_HOLD)
                and file.is_file()
                and holds(file.read_bytes())
            ):
                yield str(file.relative_to(folder))


def holds(data: bytes) -> bool:
    return any(mark in data for mark in MARKS)
