"""``make bench``: what it takes, each beside something to compare it with, in one run on one machine.

``make bench ARGS="build edit"`` measures those alone. Each also is a command of its own (``python -m bench.build 10000``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from bench import broadcast, build, city, edit, kills, pages, parts, province, report, search

ENTRIES: dict[str, Callable[[], Iterator[report.Table]]] = {
    "build": build.measure,
    "edit": edit.measure,
    "broadcast": broadcast.measure,
    "city": city.measure,
    "pages": pages.measure,
    "parts": parts.measure,
}
LONG: dict[str, Callable[[], Iterator[report.Table]]] = {
    "province": province.measure,
    "search": search.measure,
    "kills": kills.measure,
}
"""Only where they are asked for."""


def main(names: list[str]) -> None:
    """
    :raises SystemExit: there is no such entry.
    """
    entries = ENTRIES | LONG
    if unknown := set(names) - set(entries):
        raise SystemExit(f"not {', '.join(unknown)}, but of: {' '.join(entries)}")
    for name in names or ENTRIES:
        report.show(entries[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
