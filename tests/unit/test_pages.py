"""Which pages there are, and what each is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import pytest

from gengfu_site.pages import pages
from gengfu_site.render import context
from gengfu_site.view import (
    AlertPage,
    AreaPage,
    ArticlePage,
    HomePage,
    ListPage,
    Page,
    ServicePage,
)
from stations import AT, StationFolder

P = TypeVar("P", bound=Page)


def shown(station: StationFolder) -> dict[str, Page]:
    return {page.path: page for page in pages(station.load(), AT)}


def at(pages: dict[str, Page], path: str, kind: type[P]) -> P:
    page = pages[path]
    assert isinstance(page, kind)
    return page


def titles(page: ListPage) -> Sequence[str]:
    return [card.title for card in page.cards]


def test_an_empty_station_has_every_list_and_says_so(station: StationFolder) -> None:
    paths = set(shown(station))
    assert {"index.html", "404.html", "fraud/index.html", "topic/fire/index.html"} <= paths
    assert "area/qingsong/taoyuan/index.html" in paths


def test_a_long_list_has_pages_of_twenty_newest_first(station: StationFolder) -> None:
    for n in range(45):
        station.article(
            f"tip/t{n}.md", id=f"T{n:04}", kind="tip", title=f"第{n}篇", published=f"2026-10-01 10:{n:02}"
        )
    site = shown(station)
    first, last = at(site, "tip/index.html", ListPage), at(site, "tip/page/3/index.html", ListPage)
    assert (len(first.cards), first.cards[0].title, first.newer) == (20, "第44篇", None)
    assert first.older
    assert first.older.url == "tip/page/2/"
    assert (len(last.cards), last.older, last.total) == (5, None, 3)


@pytest.mark.parametrize(
    ("fields", "page_is_there", "listed"),
    [
        ({}, True, True),
        ({"published": "2027-01-01"}, False, False),
        ({"expires": "2026-11-20 10:00"}, True, False),
        ({"withdrawn": "有误"}, True, False),
    ],
)
def test_expired_and_withdrawn_articles_keep_their_page_and_leave_the_lists(
    station: StationFolder, fields: dict[str, str], page_is_there: bool, listed: bool
) -> None:
    station.article(**fields)
    site = shown(station)
    assert ("fraud/brushing/index.html" in site) is page_is_there
    assert bool(at(site, "fraud/index.html", ListPage).cards) is listed
    assert bool(at(site, "index.html", HomePage).newest) is listed


def test_an_area_page_holds_its_card_and_what_is_local(station: StationFolder) -> None:
    station.article("tip/a.md", id="T0001", kind="tip", title="全所", areas=None)
    station.article("tip/b.md", id="T0002", kind="tip", title="警务室", areas="[青松路]")
    station.article("tip/c.md", id="T0003", kind="tip", title="桃园", areas="[青松路/桃园社区]")
    station.article("tip/d.md", id="T0004", kind="tip", title="河东", areas="[河东]")
    site = shown(station)
    taoyuan = at(site, "area/qingsong/taoyuan/index.html", AreaPage)
    assert sorted(titles(taoyuan)) == ["桃园", "警务室"]
    assert [line.role for line in taoyuan.contacts] == ["社区民警"]
    qingsong = at(site, "area/qingsong/index.html", AreaPage)
    assert sorted(titles(qingsong)) == ["桃园", "警务室"]
    assert [child.title for child in qingsong.children] == ["桃园社区", "松园社区"]


def test_service_and_alert_have_pages_of_their_own_kind(station: StationFolder) -> None:
    station.article("service/s.md", id="S0001", kind="service", service="{department: 窗口, visit: 跑一次}")
    station.article(
        "alert/a.md",
        id="A0001",
        kind="alert",
        expires="2026-12-01",
        alert='{form: 道路, place: 桥, tell: "122"}',
    )
    site = shown(station)
    assert at(site, "service/s/index.html", ServicePage).service.visit == "跑一次"
    assert at(site, "alert/a/index.html", AlertPage).active
    assert [card.title for card in site["index.html"].frame.alerts] == ["刷单返利"]
    assert not site["alert/a/index.html"].listed


@pytest.mark.parametrize(
    ("fields", "banner"),
    [("", 1), (", status: exercise", 0), (", state: resolved", 0), (", state: cancelled", 0)],
)
def test_the_banner_shows_what_is_urgent_and_no_exercise(
    station: StationFolder, fields: str, banner: int
) -> None:
    alert = f'{{form: 道路, place: 桥, tell: "122"{fields}}}'
    station.article("alert/a.md", id="A0001", kind="alert", expires="2026-12-01", alert=alert)
    assert len(shown(station)["index.html"].frame.alerts) == banner


@pytest.mark.parametrize(
    ("path", "base_url"),
    [
        ("index.html", "."),
        ("fraud/index.html", ".."),
        ("fraud/brushing/index.html", "../.."),
        ("404.html", ""),
    ],
)
def test_links_start_from_where_the_page_lies(station: StationFolder, path: str, base_url: str) -> None:
    station.article()
    assert context(shown(station)[path])["base_url"] == base_url


def test_the_last_day_is_shown_as_the_day_itself(station: StationFolder) -> None:
    station.article(expires="2026-12-01")
    page = at(shown(station), "fraud/brushing/index.html", ArticlePage)
    assert page.expires
    assert page.expires.text == "2026-12-01"
