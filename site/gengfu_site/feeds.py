"""What feeds of what is live hold: those of channels (:mod:`gengfu_site.syndication` writes them), the catalogue, and the
alerts by themselves.

No build time is in any of them: a feed is as new as the newest ``updated`` among its entries, so the same
articles always give the same bytes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from urllib.parse import quote

from gengfu_site.article import Alert
from gengfu_site.catalogue import KINDS, AlertEntry, Catalogue, Entry, Station
from gengfu_site.library import Article, Library
from gengfu_site.pages import Lists, area_url, facts, kind_label, photo, topic_url
from gengfu_site.pictures import picture
from gengfu_site.values import dataclass

NEWEST = 50
"""Entries in a feed."""

_NOTHING_YET = datetime(2000, 1, 1, tzinfo=UTC)
"""Of the feeds of a station that has published nothing: no build time is written anywhere."""


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One feed before it takes a format."""

    url: str
    """Of the page it follows, below the site."""
    title: str
    articles: Sequence[Article]
    updated: datetime
    """As new as its newest entry; of one that has none, as the whole site."""


def channels(library: Library, at: datetime, lists: Lists) -> Iterator[Channel]:
    """The whole site's feed, each kind's, topic's, area's.

    :param lists: of what lists and feeds offer at ``at``.
    """
    changes = attrgetter("changes")
    latest = max(library.published(at), key=changes, default=None)
    for url, title, articles in _channels(library.settings.station, library.listed(at), lists):
        newest = articles[:NEWEST]
        changed = max(newest, key=changes, default=latest)
        updated = changed.modified if changed else _NOTHING_YET
        yield Channel(url=url, title=title, articles=newest, updated=updated)


def catalogue(library: Library, at: datetime) -> Catalogue:
    """What the scheduler may push at ``at``."""
    station = library.settings.station
    return Catalogue(station=station, entries=tuple(entry(a, station, at) for a in library.live(at)))


ALERTS_VERSION = 1
"""Of ``alerts.json``."""
REMEMBERED = timedelta(hours=72)
"""How long ``alerts.json`` still says that an alert has ended."""


def alerts(library: Library, at: datetime) -> bytes:
    """``alerts.json``: what is going on, and what ended lately; small enough to be asked for every minute."""
    station = library.settings.station
    told = [article for article in library.published(at) if article.kind == "alert" and tells_of(article, at)]
    document = {
        "version": ALERTS_VERSION,
        "station": station.name,
        "url": station.url,
        "alerts": [_alert(article, article.alert, station, at) for article in told if article.alert],
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def tells_of(article: Article, at: datetime) -> bool:
    """Whether ``article``, which is published, is in ``alerts.json`` at ``at``."""
    if article.alert is None or article.exercise:
        return False
    return at - REMEMBERED < (_ended(article, at) or at)


def _ended(article: Article, at: datetime) -> datetime | None:
    """When the alert ended, None while it goes on."""
    over = article.withdrawn or (article.alert and article.alert.state != "active")
    ends = [article.modified] if over else []
    if article.expires and article.expires <= at:
        ends.append(article.expires)
    return min(ends, default=None)


def _alert(article: Article, alert: Alert, station: Station, at: datetime) -> dict[str, str | None]:
    state: str = alert.state
    if article.withdrawn:
        state = "withdrawn"
    elif alert.state == "active" and not article.live(at):
        state = "expired"
    return {
        "id": article.id,
        "form": alert.form,
        "title": article.title,
        "place": alert.place,
        "tell": alert.tell,
        "state": state,
        "status": alert.status,
        "url": station.url + quote(article.url),
        "published": article.published.isoformat(),
        "updated": article.modified.isoformat(),
        "expires": article.expires.isoformat() if article.expires else None,
    }


def _channels(
    station: Station, live: Sequence[Article], lists: Lists
) -> Iterator[tuple[str, str, Sequence[Article]]]:
    """Address of the page that each follows, title, and all that it could hold."""
    yield "", station.name, live
    for kind in KINDS:
        title = f"{kind_label(kind, station.language)} - {station.name}"
        yield f"{kind}/", title, lists.of_kind(kind)
    for topic in station.topics:
        yield topic_url(topic), f"{topic.name} - {station.name}", lists.of_topic(topic)
    for area in station.areas:
        yield area_url(area), f"{area.name} - {station.name}", lists.local_to(area)


@lru_cache(maxsize=4096)
def urn(name: str) -> str:
    """A stable id that is no address (RFC 4287 wants an IRI): the article may move, its id may not."""
    return uuid.uuid5(uuid.NAMESPACE_URL, name).urn


def _image(article: Article, station: Station, at: datetime) -> str:
    """The face of a person who is searched for, while it may be shown; else what stands for the article in a chat."""
    shown = photo(article, at)
    return station.url + quote(shown[0] if shown else picture(article, station))


def entry(article: Article, station: Station, at: datetime) -> Entry:
    """The article as the catalogue has it, were it live at ``at``."""
    alert = article.alert
    return Entry(
        id=article.id,
        kind=article.kind,
        url=station.url + quote(article.url),
        title=article.title,
        summary=article.summary,
        topics=article.topics,
        areas=article.areas,
        audience=article.audience,
        published=article.published,
        updated=article.modified,
        expires=article.expires,
        evergreen=article.evergreen,
        season=article.season,
        image=_image(article, station, at),
        alert=AlertEntry(
            form=alert.form,
            place=alert.place,
            tell=alert.tell,
            status=alert.status,
            state=alert.state,
            facts=facts(article, at, station.language),
            references=alert.references,
        )
        if alert
        else None,
        revision=article.revision,
    )
