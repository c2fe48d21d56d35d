"""Between two instants the site is the same; at each it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_site.feeds import alerts, catalogue
from gengfu_site.instants import next_instant
from gengfu_site.library import Article, Library
from gengfu_site.pages import pages
from stations import AT, StationFolder, empty_station

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEVER = timedelta(days=9999)
HOURS = st.integers(-80, 80).map(lambda n: timedelta(hours=n))
TIMES = st.tuples(
    HOURS, st.integers(1, 90), st.integers(0, 80), st.integers(0, 90), st.booleans(), st.booleans()
)


def test_each_thing_that_begins_or_ends_is_an_instant_and_nothing_else_is(station: StationFolder) -> None:
    station.article("tip/a.md", id="A1111", published="2026-11-21 09:00", expires="2026-11-22 10:00")
    station.article(
        "tip/b.md", id="B2222", published="2026-11-01", expires="2026-11-02 10:00", season="[冬季]"
    )
    station.article(
        "tip/c.md", id="C3333", published="2026-11-01", next_review="2026-11-23", reviewed="2026-11-20"
    )
    station.article(
        "alert/child.md",
        id="D4444",
        kind="alert",
        published="2026-11-20",
        expires="2026-11-25 12:00",
        alert="{form: 走失, place: 桃园, tell: '110'}",
    )
    station.file(
        "private/D4444.yml", "name: 小满\nlast_seen: 南门\nbasis: 监护人同意\nerase_after: 2026-11-24 12:00\n"
    )
    assert instants(station.load()) == [
        "11-21 09:00",  # A begins
        "11-22 10:00",  # and ends
        "11-24 12:00",  # the child's data is to be erased
        "11-25 12:00",  # the alert is over
        "11-28 12:00",  # and forgotten
    ]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A tip, an alert and a search."""
    station = empty_station(tmp_path_factory.mktemp("station"))
    station.article("tip/a.md", id="A1111", kind="tip")
    for id_, form in (("B2222", "火情"), ("C3333", "走失")):
        station.article(
            f"alert/{id_}.md",
            id=id_,
            kind="alert",
            expires="2027-01-01",
            alert=f"{{form: {form}, place: 桃园, tell: '110'}}",
        )
    station.file(
        "private/C3333.yml", "name: 小满\nlast_seen: 南门\nbasis: 监护人同意\nerase_after: 2026-11-24\n"
    )
    return station.load()


@settings(max_examples=60)
@given(times=st.tuples(TIMES, TIMES, TIMES))
def test_the_site_changes_at_every_instant_and_never_between(
    three: Library, times: tuple[tuple, ...]
) -> None:
    articles = [timed(article, *when) for article, when in zip(three.articles, times, strict=True)]
    library = replace(three, articles=tuple(articles))
    at, last = AT - timedelta(hours=100), site(library, AT - timedelta(hours=100))
    for _step in range(20):
        following = next_instant(library, at)
        before = (following or at + NEVER / 2) - timedelta(microseconds=1)
        assert site(library, before) == last
        if following is None:
            return
        at, now = following, site(library, following)
        assert now != last
        last = now
    pytest.fail("more instants than there are times")


def timed(
    article: Article, begins: timedelta, lasts: int, updated: int, erased: int, over: bool, withdrawn: bool
) -> Article:
    """``article`` at other times, each such as a station could write."""
    published = AT + begins
    person = article.person and replace(article.person, erase_after=published + timedelta(hours=erased))
    state = "resolved" if over else "active"
    return replace(
        article,
        published=published,
        updated=published if updated % 2 else None,
        expires=published + timedelta(hours=lasts),
        person=person,
        alert=article.alert and replace(article.alert, state=state),
        withdrawn="有误" if withdrawn else None,
    )


def site(library: Library, at: datetime) -> tuple[object, ...]:
    """All that its bytes are made from: search and feeds hold what the catalogue does."""
    return list(map(repr, pages(library, at))), catalogue(library, at), alerts(library, at)


def instants(library: Library) -> list[str]:
    """All that lie ahead, as a clock in the station shows them."""
    found, at = [], AT
    while following := next_instant(library, at):
        at = following
        found.append(f"{following.astimezone(SHANGHAI):%m-%d %H:%M}")
    return found
