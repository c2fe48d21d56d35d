"""Addresses of a built site that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

LINKING = {"href", "src", "poster", "action", "data"}


class _Page(HTMLParser):
    """Where a page leads, and what in it can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.ids.add(value)
            elif name in LINKING and value is not None:
                self.links.append(value)


def lost(folder: Path, home: str) -> Iterator[str]:
    """Each address that leads nowhere, after the file that holds it. Whatever begins with ``home`` is one."""
    written = {
        file.relative_to(folder).as_posix(): file.read_text("utf-8")
        for file in folder.rglob("*")
        if file.suffix in (".html", ".xml", ".json", ".txt", ".js")
    }
    pages = {name: _Page(text) for name, text in written.items() if name.endswith(".html")}
    in_full = re.compile(re.escape(home) + r"[^\s\"'<>\\]*")
    for name, text in written.items():
        # A feed holds an article's HTML as text, whose own signs are written as references once more.
        links = in_full.findall(unescape(unescape(text)))
        for link in [*links, *(pages[name].links if name in pages else ())]:
            address = urlsplit(urljoin(home + name, link))
            if urlsplit(home).netloc != address.netloc:
                continue
            if not address.geturl().startswith(home):
                yield f"{name}: {link} leads out of the site"
                continue
            target = unquote(address.geturl()[len(home) :].split("#")[0].split("?")[0])
            target += "index.html" if not target or target.endswith("/") else ""
            # Of a permalink, every server finds the slash by itself.
            target += "/index.html" if (folder / target).is_dir() and target.startswith("A/") else ""
            if not (folder / target).is_file():
                yield f"{name}: {link} is no file"
            elif address.fragment and unquote(address.fragment) not in pages[target].ids:
                yield f"{name}: {link} is no place"
