"""What the present release shows of articles whose files cannot be used now, for an urgent one to carry over.

An alert does not wait for somebody else's mistake, and somebody else's article does not vanish for an alert. What
is needed lies in the public folder, whoever built it: the catalogue's entry, the page's own matter, the feeds'
content. Alerts are never kept (a missing person's data must be able to leave), nor is what the catalogue no longer
offers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from html import escape, unescape
from pathlib import Path, PurePosixPath
from posixpath import join, normpath
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from gengfu_site.catalogue import Entry, present, url_in
from gengfu_site.feeds import urn
from gengfu_site.library import Kept
from gengfu_site.links import ATTACHMENTS, path_of
from gengfu_site.pictures import FOLDER
from gengfu_site.source import Document

_MAIN = re.compile(r"<main\b[^>]*>\n(.*)</main>", re.DOTALL)
_FILE = re.compile(r'(?:src|href|poster)="([^"#?:]+)"')
_ATOM = "{http://www.w3.org/2005/Atom}"


def kept(public: Path, at: datetime, wanted: Callable[[Entry, PurePosixPath], bool]) -> list[Kept]:
    """Articles that the release in ``public`` shows and that are still live at ``at``; no alerts.

    :param wanted: told an article's entry and where its file lay below content/.
    """
    catalogue = present(public)
    if catalogue is None:
        return []
    chosen = {
        url: entry
        for entry in catalogue.entries
        if entry.kind != "alert" and entry.live(at)
        for url in [url_in(catalogue, entry)]
        if wanted(entry, path_of(url))
    }
    contents = _contents(public, {entry.id for entry in chosen.values()})
    found = (_article(public, entry, url, contents) for url, entry in chosen.items())
    return [article for article in found if article]


def _article(public: Path, entry: Entry, url: str, contents: dict[str, str]) -> Kept | None:
    """None where the page is not there, or is of the station's own making and has no ``main``."""
    try:
        main = _MAIN.search((public / url / "index.html").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if main is None:
        return None
    path = path_of(url)
    return Kept(
        id=entry.id,
        title=entry.title,
        summary=entry.summary,
        kind=entry.kind,
        published=entry.published,
        updated=entry.updated if entry.updated > entry.published else None,
        expires=entry.expires,
        topics=entry.topics,
        areas=entry.areas,
        audience=entry.audience,
        evergreen=entry.evergreen,
        season=entry.season,
        path=path,
        body="",
        body_line=1,
        lines=Document(path=path.as_posix(), value={}, lines={}),
        revision=entry.revision,
        url=url,
        html="",
        files=tuple(_files(public, url, main[1])),
        cover_file=_cover(entry, url),
        attachment_files=(),
        person=None,
        main=main[1],
        content=contents.get(entry.id, f"<p>{escape(entry.summary)}</p>"),
    )


def _cover(entry: Entry, url: str) -> PurePosixPath | None:
    """None where something else than a cover stands for it in chats."""
    image = unquote(entry.image or "").removeprefix(unquote(entry.url).removesuffix(url))
    return PurePosixPath(image) if image and not image.startswith(FOLDER) else None


def _files(public: Path, url: str, html: str) -> Iterator[PurePosixPath]:
    """What the page brings along, each once."""
    for address in dict.fromkeys(_FILE.findall(html)):
        path = PurePosixPath(normpath(join(url, unquote(unescape(address)))))
        if path.suffix.lower() in ATTACHMENTS and (public / path).is_file():
            yield path


def _contents(public: Path, ids: Collection[str]) -> dict[str, str]:
    """HTML that feeds carry of the articles, by id; an old article may be in none."""
    ids_by_urn = {urn(id_): id_ for id_ in ids}
    contents: dict[str, str] = {}
    for feed in sorted(public.rglob("atom.xml")) if ids else ():
        try:
            items = ET.parse(feed).iter(f"{_ATOM}entry")  # noqa: S314 - made by ourselves
        except (OSError, ET.ParseError):  # somebody's hand was in it
            continue
        for item in items:
            id_ = ids_by_urn.get(item.findtext(f"{_ATOM}id", ""))
            if id_:
                contents[id_] = item.findtext(f"{_ATOM}content", "")
    return contents
