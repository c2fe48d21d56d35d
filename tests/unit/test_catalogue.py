"""catalogue.json: what goes in comes out, whom an entry concerns, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site.catalogue import (
    AlertEntry,
    Area,
    Catalogue,
    CatalogueUnreadable,
    ContactLine,
    Entry,
    Fact,
    Station,
    Topic,
    concerns,
    dumps,
    loads,
    within,
)

PUBLISHED = datetime(2026, 11, 20, 1, tzinfo=UTC)
ENTRY = Entry(
    id="A5W3R",
    kind="alert",
    url="https://h/alert/x/",
    title="寻人",
    summary="四岁女孩走失",
    topics=("走失寻人",),
    areas=("青松路",),
    audience=("老年人",),
    published=PUBLISHED,
    updated=PUBLISHED,
    expires=datetime(2026, 12, 1, tzinfo=UTC),
    evergreen=True,
    season=("冬季",),
    image="https://h/p.jpg",
    alert=AlertEntry(
        form="走失",
        place="桃园",
        tell="110",
        status="actual",
        state="active",
        facts=(Fact(label="衣着", value="红衣"),),
        references=("A0000",),
    ),
    revision="abc",
)
STATION = Station(
    name="青松路派出所",
    url="https://h/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    contacts=(ContactLine(role="值班室", phone="0000-5550100"),),
    areas=(Area(path="青松路", slug="qingsong"),),
    topics=(Topic(name="走失寻人", slug="missing"),),
    audiences=("老年人",),
)


def test_what_is_written_is_read_back() -> None:
    catalogue = Catalogue(
        station=STATION, entries=(ENTRY, replace(ENTRY, kind="tip", alert=None, expires=None))
    )
    assert loads(dumps(catalogue)) == catalogue


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_any_wording_survives(title: str, summary: str) -> None:
    catalogue = Catalogue(station=STATION, entries=(replace(ENTRY, title=title, summary=summary),))
    assert loads(dumps(catalogue)) == catalogue


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"_gengfu": {"version": "1"}}', "<html>"])
def test_what_is_no_catalogue_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(CatalogueUnreadable, match=r"catalogue\.json"):
        loads(text)


def test_a_newer_version_is_refused_with_the_remedy() -> None:
    text = dumps(Catalogue(station=STATION, entries=(), version=2))
    with pytest.raises(CatalogueUnreadable, match="upgrade"):
        loads(text)


@pytest.mark.parametrize(
    ("areas", "group", "reached"),
    [
        ((), None, True),
        ((), "青松路/桃园社区", True),
        (("青松路",), "青松路/桃园社区", True),
        (("青松路",), "青松路", True),
        (("青松路/桃园社区",), "青松路", False),
        (("青松路/桃园社区",), None, False),
        (("青松",), "青松路", False),
        (("河东", "青松路"), "青松路/桃园社区", True),
    ],
)
def test_an_entry_reaches_its_areas_and_those_beneath(
    areas: tuple[str, ...], group: str | None, reached: bool
) -> None:
    assert concerns(areas, group) is reached


def test_within_goes_by_whole_names() -> None:
    assert [within("甲/乙", "甲"), within("甲", "甲"), within("甲乙", "甲")] == [True, True, False]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        replace(ENTRY, published=datetime(2026, 11, 20))  # noqa: DTZ001
