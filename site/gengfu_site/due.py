"""What an editor has to look at in a period: what ends, what is to be reviewed, which topics say nothing.

What lies in content/ unread, unsigned or wrong is not asked about here: :func:`gengfu_site.library.load` says that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from gengfu_site.library import Article, Library


@dataclass(frozen=True, kw_only=True)
class Due:
    """One article on the day it asks for somebody."""

    day: date
    """In the station's zone: the last day it is shown, or the day it is to be reviewed."""
    what: Literal["review", "expires"]
    past: bool
    """A review that is late; an end that has come."""
    id: str
    title: str
    file: str
    """As the officer knows it."""


def due(library: Library, at: datetime, since: datetime, until: datetime) -> tuple[Due, ...]:
    """What ends on the days from ``since`` on and before ``until``, and all that is to be reviewed before then.

    Late reviews come first, then the earliest. A review stays due, however long ago, until somebody writes a later day; of what nobody is shown any more, none is.
    """
    return tuple(
        sorted(
            (one for article in library.published(at) for one in _of(article, library, at, since, until)),
            key=lambda one: (not (one.past and one.what == "review"), one.day, one.id),
        )
    )


def silent_topics(library: Library, at: datetime) -> tuple[str, ...]:
    """The declared topics under which residents find no article, in the order of their declaration."""
    told = {topic for article in library.listed(at) for topic in article.topics}
    return tuple(t.name for t in library.settings.station.topics if t.name not in told)


def _of(article: Article, library: Library, at: datetime, since: datetime, until: datetime) -> Iterator[Due]:
    zone = ZoneInfo(library.settings.station.timezone)
    today, first, last = (_day(moment, zone) for moment in (at, since, until - timedelta.resolution))

    def one(what: Literal["review", "expires"], day: date, *, past: bool) -> Due:
        return Due(day=day, what=what, past=past, id=article.id, title=article.title, file=article.lines.path)

    review = article.next_review
    if review and review <= last and article.live(at):
        yield one("review", review, past=review < today)
    if article.expires and not article.withdrawn:
        shown = _day(article.expires - timedelta.resolution, zone)
        if first <= shown <= last:
            yield one("expires", shown, past=article.expires <= at)


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()
