"""When the site next changes by itself: something begins, ends, or is no longer to be told.

Between two such instants the same library makes the same bytes, because nothing else in the site depends on the
present: dates stand in pages as they were written, never as "today" or "three days ago".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import inf

from gengfu_site.feeds import REMEMBERED, tells_of
from gengfu_site.library import Article, Library


def next_instant(library: Library, at: datetime) -> datetime | None:
    """The first instant after ``at`` at which a build makes another site of ``library``; None: there is none.

    Also when an article's ``updated`` lies behind, before which a build is refused.
    """
    now = at.timestamp()
    ahead = (
        a
        for a in library.articles
        if a.kind == "alert" or now < a.begins or now < a.changes or now < a.ends < inf
    )
    return min((moment for a in ahead for moment in _moments(a, at)), default=None)


def _moments(article: Article, at: datetime) -> Iterator[datetime]:
    """When ``article`` is shown otherwise than just before, after ``at``."""
    written = [article.published, article.updated, article.expires]
    if article.person:
        written.append(article.person.erase_after)
    if article.alert:
        written += [article.modified + REMEMBERED, article.expires and article.expires + REMEMBERED]
    for moment in filter(None, written):
        if moment > at and _shown(article, moment) != _shown(article, moment - datetime.resolution):
            yield moment


def _shown(article: Article, at: datetime) -> tuple[bool, ...]:
    """All that ``at`` decides about ``article``."""
    public = article.published <= at
    return (
        public,
        article.live(at),
        public and article.expires is not None and article.expires <= at,
        public and article.person_shown(at) is not None,
        public and tells_of(article, at),
        article.updated is None or article.updated <= max(at, article.published),
    )
