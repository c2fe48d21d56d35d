"""Every file of the site, in order: pages, feeds, search, catalogue, alerts, sitemap, and what published articles bring along.

``gengfu build`` writes them itself, the MkDocs plugin hands them to MkDocs. What is not named here does not
reach the public folder, whatever lies under content/.
"""

from __future__ import annotations

import hashlib
import marshal
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, cached_property, partial
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2

from gengfu_site.catalogue import KINDS, Dumped, Station, dumped, dumped_entry, runs
from gengfu_site.edition import edition
from gengfu_site.feeds import Channel, alerts, channels, entry
from gengfu_site.library import Article, Kept, Library
from gengfu_site.markdown import with_absolute_links
from gengfu_site.offline import worker
from gengfu_site.pages import Pager, Planned, article_name, kind_label, photo
from gengfu_site.pictures import pictures
from gengfu_site.records import brought, digest
from gengfu_site.related import Known
from gengfu_site.render import render, render_matter
from gengfu_site.search import Earlier
from gengfu_site.settings import Settings
from gengfu_site.store import plainest, status
from gengfu_site.values import dataclass
from gengfu_site.view import ArticlePage, Page

if TYPE_CHECKING:
    from gengfu_site.syndication import Items

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


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the site of a library is made from; any article's page may be had before the rest is made."""

    library: Library
    at: datetime
    env: jinja2.Environment
    known: Known = lambda name: None
    """What :attr:`Pager.leads` left of an earlier site."""

    @cached_property
    def pager(self) -> Pager:
        return Pager(self.library, self.at, self.known)

    def page(self, article: Article) -> str:
        """HTML of the page of ``article``, which is published."""
        return render(self.env, self.pager.article(article))


@dataclass(frozen=True, kw_only=True)
class Left:
    """No file: what a recipe leaves itself for the next release."""

    state: bytes


Output = Page | Generated | Copied
Outcome = Output | Left
Patch = Callable[[bytes, Earlier], Iterable[Outcome] | None]


class Recipe(NamedTuple):
    """Some files of the site that are made together."""

    name: str
    key: str | None
    """Says all that they are made of: the same key gives the same bytes. None: it is not to be said, for a missing
    person's data is among it."""
    make: Callable[[], Iterable[Outcome]]
    patch: Patch | None = None
    """Given what it had :class:`Left` for an earlier release, and that release's files, makes those that are not the same,
    none of them more or less than before; None where it would rather make all."""


class Recipes(NamedTuple):
    """Some that are alike, a hundred thousand perhaps: how one is made is asked for those that are wanted alone."""

    keys: Mapping[str, str | None]
    """By their names, as :attr:`Recipe.key`."""
    recipe: Callable[[str], Recipe]
    """The one of that name."""


def outputs(library: Library, at: datetime, env: jinja2.Environment) -> Iterator[Output]:
    """The whole site as it is at ``at``; every ``path`` once."""
    for alike in recipes(Site(library=library, at=at, env=env)):
        for outcome in chain.from_iterable(alike.recipe(name).make() for name in alike.keys):
            if not isinstance(outcome, Left):
                yield outcome


def recipes(site: Site) -> Iterator[Recipes]:
    """How the whole site is made."""
    library, at, env, pager = site.library, site.at, site.env, site.pager
    settings, station = library.settings, library.settings.station
    words = pager.words
    common = _digest(edition(), repr(settings), _overrides(settings), repr(env.globals["keeps_pages"]))
    framed = _digest(common, repr(pager.frame))
    yield _alone(
        Recipe(
            name="search index",
            key=_digest(common, _digest_of(words.state)),
            make=lambda: _leaving(words.state, words.shards()),
            patch=lambda before, earlier: _patched(words.state, words.changed(before, earlier)),
        )
    )
    located: list[tuple[str, float | None]] = []
    for planned in pager.plan():
        located += planned.found
        yield _of_pages(planned, framed)
    articles = pager.articles(framed)
    located += articles.found
    yield _of_articles(articles, site)

    def content(article: Article) -> str:
        if isinstance(article, Kept):
            return article.content
        return _content(article, pager.article(article), env)

    @cache
    def items() -> Items:
        from gengfu_site.syndication import Items

        return Items(station, content)

    for channel in channels(library, at, pager.lists):
        yield _alone(_of_channel(channel, framed, articles.keys, items))
    yield _alone(_sitemap(located, station, common))
    for path, data in (
        words.kinds(),
        ("alerts.json", alerts(library, at)),
        ("sw.js", worker(station.language)),
        ("robots.txt", _robots(station.url).encode()),
    ):
        yield _alone(_at_hand(path, data))
    yield _alone(_catalogue(site, common))
    labels = {kind: kind_label(kind, station.language) for kind in KINDS}
    yield _alone(Recipe("pictures", common, lambda: _generated(pictures(station, labels))))
    yield from map(_alone, _files(library, at))


def _alone(recipe: Recipe) -> Recipes:
    return Recipes({recipe.name: recipe.key}, lambda _name: recipe)


def _of_pages(planned: Planned, framed: str) -> Recipes:
    keys = {name: key and _digest(framed, key) for name, key in planned.keys.items()}
    return Recipes(keys, lambda name: Recipe(name, keys[name], partial(planned.make, name)))


def _of_articles(planned: Planned, site: Site) -> Recipes:
    """Their pages, and what search shows of them."""

    def made(name: str) -> Iterator[Output]:
        yield from planned.make(name)
        article = site.pager.named(name)
        if article.live(site.at) and not article.exercise:
            yield from _generated(site.pager.words.article(article))

    return Recipes(planned.keys, lambda name: Recipe(name, planned.keys[name], partial(made, name)))


def _of_channel(
    channel: Channel, framed: str, keys: Mapping[str, str | None], items: Callable[[], Items]
) -> Recipe:
    its = [keys[article_name(article)] for article in channel.articles]
    known = [key for key in its if key is not None]
    return Recipe(
        name=f"feed {channel.url}",
        key=_digest(framed, channel.updated.isoformat(), *known) if len(known) == len(its) else None,
        make=lambda: _generated(items().feeds_of(channel)),
    )


def _catalogue(site: Site, common: str) -> Recipe:
    """What it says of an article is taken over from the earlier one where it is the same: to say it takes ten times as
    long as to see that."""
    library, at = site.library, site.at
    live, station = library.live(at), library.settings.station
    alerts = [article for article in live if article.kind == "alert"]
    searching = any(article.person_shown(at) for article in alerts)
    digests = [*map(digest, live)]
    # Of a missing person all is said anew each time; kept is how long that is while it is public, no digest of it.
    unsaid = {digest(article) for article in alerts if article.missing_person}
    told = [None if name in unsaid else name for name in digests]

    def made(was: Dumped) -> Iterator[Outcome]:
        # What is new has a number below zero, and none of these follows another.
        places = [was.places.get(name, -number) for number, name in enumerate(told, 2)]
        new = {
            place: dumped_entry(entry(live[-place - 2], station, at)).encode()
            for place in places
            if place < 0
        }
        lengths = [was.lengths[place] if place >= 0 else len(new[place]) for place in places]
        entries = (new.get(first) or was.entries(first, last) for first, last in runs(places))
        data = dumped(station, entries)
        yield Left(state=plainest((common, told, lengths, Dumped(data, told, lengths).sum())))
        yield Generated(path="catalogue.json", data=data)

    def patched(before: bytes, earlier: Earlier) -> Iterator[Outcome] | None:
        manner, *rest = marshal.loads(before)  # noqa: S302 - plain values
        if manner != common:
            return None
        names, lengths, written = rest
        with suppress(OSError):
            was = Dumped(earlier("catalogue.json"), names, lengths)
            return made(was) if was.sum() == written else None
        return None

    key = None if searching else _digest(common, *digests)
    return Recipe("catalogue.json", key, lambda: made(Dumped(b"", (), ())), patched)


def _at_hand(path: str, data: bytes) -> Recipe:
    """A small file, which is made to see whether it is the same."""
    return Recipe(path, _digest_of(data), lambda: (Generated(path=path, data=data),))


def _generated(files: Iterable[tuple[str, bytes]]) -> Iterator[Generated]:
    return (Generated(path=path, data=data) for path, data in files)


def _leaving(state: bytes, files: Iterable[tuple[str, bytes]]) -> Iterator[Outcome]:
    yield Left(state=state)
    yield from _generated(files)


def _patched(state: bytes, files: Iterable[tuple[str, bytes]] | None) -> Iterable[Outcome] | None:
    return None if files is None else _leaving(state, files)


def _digest(*parts: str) -> str:
    return _digest_of("\n".join(parts).encode())


def _digest_of(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _overrides(settings: Settings) -> str:
    """The station's own templates, all of them: any may have a part in any page."""
    folder = settings.overrides
    if folder is None:
        return ""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return "".join(f"{file}\n{file.read_bytes().hex()}\n" for file in files)


def _content(article: Article, page: ArticlePage, env: jinja2.Environment) -> str:
    """The article as a feed carries it: whole, and with absolute addresses."""
    if article.missing_person:
        # Feed readers keep what they fetched.
        return f"<p>{escape(article.summary, quote=False)}</p>"
    # Icons are drawn once in a page's head; a feed has no such place.
    return _ICON.sub("", with_absolute_links(render_matter(env, page), page.address))


def _files(library: Library, at: datetime) -> Iterator[Recipe]:
    """What published articles name, each once, and the pictures of persons searched for."""
    settings = library.settings
    named: dict[str, tuple[tuple[int, int], Path]] = {}
    published = library.published(at)
    # Most bring along what many others do.
    lying = {brought(a) for a in published if a.signed is None and not isinstance(a, Kept)}
    for article in published:
        if article.signed or isinstance(article, Kept):
            for path in article.files:
                if article.signed:
                    rank, source = article.signed.rank, article.signed.files[path]
                else:
                    rank, source = (-2, 0), settings.public / path
                name = path.as_posix()
                named[name] = max(named.get(name, (rank, source)), (rank, source))
    for name in chain.from_iterable(lying):
        rank, source = (-1, 0), settings.content / name
        named[name] = max(named.get(name, (rank, source)), (rank, source))
    for name, (_rank, source) in sorted(named.items()):
        yield _copy(name, source, f"{source} {status(source)}")
    for article in published:
        if article.person and (picture := photo(article, at)):
            yield _copy(picture[0], settings.private / picture[1], None)


def _copy(path: str, source: Path, key: str | None) -> Recipe:
    return Recipe(f"file {path}", key, lambda: (Copied(path=path, source=source),))


def _sitemap(found: Sequence[tuple[str, float | None]], station: Station, common: str) -> Recipe:
    key = _digest(common, _digest_of(plainest(found)))
    return Recipe("sitemap", key, lambda: _generated(_sitemaps(_located(found, station), station.url)))


def _located(found: Sequence[tuple[str, float | None]], station: Station) -> list[str]:
    """A line of the sitemap for each address that search engines may find; ``lastmod`` only where it has a date of its
    own."""
    zone = ZoneInfo(station.timezone)
    said = {
        changed: f"<lastmod>{datetime.fromtimestamp(changed, zone).isoformat()}</lastmod>" if changed else ""
        for changed in {changed for _url, changed in found}
    }
    # All in one go, parted by what no name can hold: most need no quoting.
    urls = escape(quote("\0".join([url for url, _changed in found]), safe="/\0")).split("\0")
    begin = f"<url><loc>{escape(station.url)}"
    return [
        f"{begin}{url}</loc>{said[changed]}</url>\n" for url, (_url, changed) in zip(urls, found, strict=True)
    ]


_MOST_LOCATED = 50_000
"""Addresses in one sitemap."""


def _sitemaps(lines: Sequence[str], home: str) -> Iterator[tuple[str, bytes]]:
    """https://www.sitemaps.org/protocol.html: one file or, where that would hold too much, one that leads to several."""
    if len(lines) <= _MOST_LOCATED:
        yield "sitemap.xml", _xml("urlset", lines)
        return
    parts = [lines[begin : begin + _MOST_LOCATED] for begin in range(0, len(lines), _MOST_LOCATED)]
    paths = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    located = [f"<sitemap><loc>{escape(home + path)}</loc></sitemap>\n" for path in paths]
    yield "sitemap.xml", _xml("sitemapindex", located)
    yield from ((path, _xml("urlset", part)) for path, part in zip(paths, parts, strict=True))


def _xml(name: str, lines: Iterable[str]) -> bytes:
    begin = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{begin}{''.join(lines)}</{name}>\n".encode()


def _robots(home: str) -> str:
    return f"User-agent: *\nAllow: /\nSitemap: {home}sitemap.xml\n"
