"""Every file of the site, in order: pages, feeds, search, catalogue, alerts, sitemap, and what published articles bring along.

``gengfu build`` writes them itself, the MkDocs plugin hands them to MkDocs. What is not named here does not
reach the public folder, whatever lies under content/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from xml.sax.saxutils import escape

import jinja2

from gengfu_site.catalogue import KINDS, dumps
from gengfu_site.feeds import alerts, catalogue, feeds
from gengfu_site.library import Article, Kept, Library
from gengfu_site.markdown import with_absolute_links
from gengfu_site.offline import worker
from gengfu_site.pages import kind_label, pages, photo
from gengfu_site.pictures import pictures
from gengfu_site.render import render_matter
from gengfu_site.search import files
from gengfu_site.view import ArticlePage, Page

_ICON = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Generated:
    """A file made from the library."""

    path: str
    """Below the site, ``/``-separated."""
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Copied:
    """A file an officer put there."""

    path: str
    source: Path


Output = Page | Generated | Copied


def outputs(library: Library, at: datetime, env: jinja2.Environment) -> Iterator[Output]:
    """The whole site as it is at ``at``; every ``path`` once."""
    station = library.settings.station
    shown = list(pages(library, at))
    yield from shown
    by_id = {page.id: page for page in shown if isinstance(page, ArticlePage)}
    contents: dict[str, str] = {}  # an article is in several feeds

    def content(article: Article) -> str:
        if isinstance(article, Kept):
            return article.content
        if article.id not in contents:
            contents[article.id] = _content(article, by_id[article.id], env)
        return contents[article.id]

    for path, data in feeds(library, at, content):
        yield Generated(path=path, data=data)
    for path, data in files(library, at):
        yield Generated(path=path, data=data)
    yield Generated(path="catalogue.json", data=dumps(catalogue(library, at)).encode())
    yield Generated(path="alerts.json", data=alerts(library, at))
    yield Generated(path="sitemap.xml", data=_sitemap(shown).encode())
    yield Generated(path="sw.js", data=worker(station.language))
    yield Generated(path="robots.txt", data=_robots(station.url).encode())
    for path, data in pictures(station, {kind: kind_label(kind, station.language) for kind in KINDS}):
        yield Generated(path=path, data=data)
    yield from _files(library, at)


def _content(article: Article, page: ArticlePage, env: jinja2.Environment) -> str:
    """The article as a feed carries it: whole, and with absolute addresses."""
    if article.missing_person:
        # Feed readers keep what they fetched.
        return f"<p>{escape(article.summary)}</p>"
    # Icons are drawn once in a page's head; a feed has no such place.
    return _ICON.sub("", with_absolute_links(render_matter(env, page), page.address))


def _files(library: Library, at: datetime) -> Iterator[Copied]:
    """What published articles name, each once, and the pictures of persons searched for."""
    settings = library.settings
    named: dict[PurePosixPath, tuple[tuple[int, int], Path]] = {}
    for article in library.published(at):
        for path in article.files:
            if article.signed:
                rank, source = article.signed.rank, article.signed.files[path]
            elif isinstance(article, Kept):
                rank, source = (-2, 0), settings.public / path
            else:
                rank, source = (-1, 0), settings.content / path
            named[path] = max(named.get(path, (rank, source)), (rank, source))
    for path, (_rank, source) in sorted(named.items()):
        yield Copied(path=path.as_posix(), source=source)
    for article in library.published(at):
        if picture := photo(article, at):
            yield Copied(path=picture[0], source=settings.private / picture[1])


def _sitemap(shown: list[Page]) -> str:
    """https://www.sitemaps.org/protocol.html; ``lastmod`` only where a page has a date of its own."""
    lines = []
    for page in shown:
        if page.listed:
            moment = (page.updated or page.published).iso if isinstance(page, ArticlePage) else ""
            lastmod = f"<lastmod>{moment}</lastmod>" if moment else ""
            lines.append(f"<url><loc>{escape(page.address)}</loc>{lastmod}</url>\n")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n' + "".join(lines) + "</urlset>\n"
    )


def _robots(home: str) -> str:
    return f"User-agent: *\nAllow: /\nSitemap: {home}sitemap.xml\n"
