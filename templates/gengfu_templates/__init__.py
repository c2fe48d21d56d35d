"""What residents, officers and groups get to see: page theme, message templates, wording, starter station.

Lowest floor: it imports nothing of ours, both halves may import it.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

PAGES = _HERE / "pages"
"""The MkDocs theme."""

PREVIEW = _HERE / "preview"
"""What ``gengfu serve`` puts into the site's pages and beside them."""

MESSAGES = _HERE / "messages"
"""Jinja templates of digests and alerts, for channels and people that take text."""

WORKER = _HERE / "sw.js"
"""The site's service worker; a file of its own, as browsers want it."""

ARTICLES = _HERE / "articles"
"""Beginnings of articles, one a kind, for ``gengfu new``."""

SERVER = _HERE / "server"
"""Beginnings of nginx's and systemd's files, for ``gengfu deploy``."""

FONT = _HERE / "fonts/NotoSansCJKsc-Bold-subset.otf"
"""Of the pictures that chats show; beside it what is in it, and its licence."""


def starter() -> Path:
    """The station that ``gengfu init`` copies: ``mkdocs.yml``, ``timetable.yml``, ``groups.csv``, ``synonyms.txt``,
    ``content/``, ``docs/``.

    In a wheel it lies inside this package; in a checkout the repository itself is that station.
    """
    packed = _HERE / "starter"
    return packed if packed.is_dir() else _HERE.parents[1]
