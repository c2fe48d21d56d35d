"""Which pages there are, and what each is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from statistics import mean
from typing import TypeVar
from zlib import crc32

import hypothesis
import pytest
from hypothesis import strategies as st

from gengfu_site.library import Library
from gengfu_site.pages import Pager, page_ends, pages
from gengfu_site.render import context, environment, render
from gengfu_site.view import (
    AlertPage,
    AreaPage,
    AreasPage,
    ArticlePage,
    EmergencyPage,
    HomePage,
    ListPage,
    Page,
    PermalinkPage,
    ScammedPage,
    ServicePage,
    ServicesPage,
    StatePage,
)
from gengfu_templates.fragments import Once
from stations import AT, MKDOCS_YML, StationFolder

P = TypeVar("P", bound=Page)
FIRST = date(2026, 8, 1)


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


class Forgetful(dict[Hashable, str]):
    """Never knows that it has what it was given."""

    def __contains__(self, part: object) -> bool:
        return False


def test_a_page_is_the_same_whatever_other_pages_needed_of_its_parts(station: StationFolder) -> None:
    """Parts that many pages have in common are made once (``{% once KEY %}``): a key may leave nothing out."""
    fields: Sequence[dict[str, str]] = [
        {},
        {"areas": "[青松路/桃园社区]", "topics": "[防火用电]", "audience": "[老年人]"},
        {"areas": "[青松路/松园社区]", "topics": "[防火用电, 电信网络诈骗]"},
        {"areas": "[河东, 青松路]", "withdrawn": "写错了"},
        {"kind": "service", "service": "{department: 窗口, visit: 跑一次}"},
        {"kind": "alert", "alert": '{form: 火情, place: 桃园社区, tell: "119"}', "expires": "2026-11-22"},
        {
            "kind": "alert",
            "alert": '{form: 火情, place: 河东, tell: "119", status: exercise}',
            "expires": "2026-11-22",
        },
    ]
    for number, given in enumerate(fields):
        station.article(
            f"{given.get('kind', 'fraud')}/p{number}.md", id=f"P{number:04}", title=f"第{number}篇", **given
        )
    site = list(pages(station.load(), AT))
    keeping, forgetful = environment(station.settings), environment(station.settings)
    once = forgetful.extensions["gengfu_templates.fragments.Once"]
    assert isinstance(once, Once)
    once.made = Forgetful()
    alone = {page.path: render(forgetful, page) for page in site}
    for order in (site, site[::-1]):
        assert [page.path for page in order if render(keeping, page) != alone[page.path]] == []


def tips(station: StationFolder, number: int) -> None:
    for n in range(number):
        station.article(
            f"tip/t{n}.md", id=f"T{n:04}", kind="tip", title=f"第{n}篇", published=str(FIRST + timedelta(n))
        )


def lists_of_tips(station: StationFolder) -> dict[str, ListPage]:
    site = shown(station)
    return {path: p for path, p in site.items() if isinstance(p, ListPage) and path.startswith("tip/")}


def said(page: ListPage) -> object:
    return page.cards, page.days, page.front, page.newer, page.older


def test_a_long_list_has_pages_newest_first_each_with_its_days_and_the_oldest_articles_address(
    station: StationFolder,
) -> None:
    tips(station, 80)
    first, *others, last = lists_of_tips(station).values()
    assert first.url == "tip/"
    assert (first.cards[0].title, first.newer, first.front) == ("第79篇", None, None)
    assert {page.front and page.front.url for page in (*others, last)} == {"tip/"}
    for newer, page in pairwise([first, *others, last]):
        assert (newer.older and newer.older.url, page.newer and page.newer.url) == (page.url, newer.url)
        assert page.url == f"tip/page/T{page.cards[-1].title[1:-1]:0>4}/"
    assert (last.cards[-1].title, last.older) == ("第0篇", None)
    assert last.days == f"2026-08-01 至 2026-08-{len(last.cards):02}"
    assert [title for page in (first, *others, last) for title in titles(page)] == [
        f"第{n}篇" for n in reversed(range(80))
    ]


def test_a_page_of_one_day_names_that_day_alone(station: StationFolder) -> None:
    tips(station, 1)
    assert [page.days for page in lists_of_tips(station).values()] == ["2026-08-01"]


def test_a_new_article_changes_the_front_page_of_its_list_alone(station: StationFolder) -> None:
    tips(station, 50)
    before = lists_of_tips(station)
    station.article("tip/new.md", id="T9999", kind="tip", published="2026-11-20")
    after = lists_of_tips(station)
    assert [path for path in after if said(after[path]) != said(before[path])] == ["tip/index.html"]


def test_a_page_of_a_list_of_which_the_same_is_said_is_the_same_whatever_left_the_list(
    station: StationFolder,
) -> None:
    tips(station, 80)
    library = station.load()
    listed = library.articles
    seen: dict[tuple[str, str | None], object] = {}
    for left in [left for n in range(80) for left in (listed[n:], (*listed[:n], *listed[n + 1 :]))]:
        planned = Pager(Library(settings=library.settings, articles=left), AT).kind("tip")
        for name, key in planned.keys.items():
            (page,) = planned.make(name)
            assert isinstance(page, ListPage)
            assert seen.setdefault((name, key), said(page)) == said(page)


MARKS = st.lists(st.integers(0, 2**32 - 1) | st.integers(0, 3), max_size=200)
DRAWN = [*map(crc32, map(str.encode, map("K{:05}".format, range(2000))))]


def cut(marks: Sequence[int]) -> list[tuple[int, ...]]:
    ends = page_ends(marks)
    return [tuple(marks[begin:end]) for begin, end in pairwise([0, *ends])]


@hypothesis.given(MARKS)
def test_every_article_is_on_one_page_and_no_page_is_very_short_or_long(marks: list[int]) -> None:
    front, *others = cut(marks)
    assert [mark for page in (front, *others) for mark in page] == marks
    assert all(10 <= len(page) <= 30 for page in others)
    assert min(5, len(marks)) <= len(front) < 35


@hypothesis.given(MARKS, MARKS)
def test_what_is_new_leaves_every_page_but_the_newest_as_it_was(new: list[int], marks: list[int]) -> None:
    before = cut(marks)[1:]
    assert cut(new + marks)[-len(before) :] == before or not before


@pytest.mark.parametrize("coming", [0, 1])
def test_what_comes_or_goes_within_a_list_changes_few_of_its_pages(coming: int) -> None:
    before = Counter(cut(DRAWN))
    changed = [
        (Counter(cut([*DRAWN[:n], *[crc32(b"L%d" % n)] * coming, *DRAWN[n + 1 - coming :]])) - before).total()
        for n in range(0, len(DRAWN), 9)
    ]
    assert mean(changed) < 2.5


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
    assert bool(at(site, "index.html", HomePage).warnings) is listed


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


def with_options(station: StationFolder, *lines: str) -> None:
    """Options of the plugin after the test station's own."""
    station.file("mkdocs.yml", MKDOCS_YML + "".join(f"      {line}\n" for line in lines))


def test_home_warns_of_frauds_tips_and_notices_the_newest_five(station: StationFolder) -> None:
    for n, kind in enumerate(("fraud", "tip", "notice", "service", "service", "tip", "tip", "fraud")):
        own = {"service": "{department: 窗口, visit: 跑一次}"} if kind == "service" else {}
        published = f"2026-11-0{n + 1}"
        station.article(f"{kind}/a{n}.md", id=f"A{n:04}", kind=kind, title=f"{n}", published=published, **own)
    home = at(shown(station), "index.html", HomePage)
    assert [card.title for card in home.warnings] == ["7", "6", "5", "2", "1"]


@pytest.mark.parametrize(
    ("to", "leads_to"),
    [
        ("F7K2Q", ["fraud/brushing/"]),
        ("content/fraud/brushing.md", ["fraud/brushing/"]),
        ("fraud/brushing/", ["fraud/brushing/"]),
        ("防火用电", ["topic/fire/"]),
        ("fraud", ["fraud/"]),
        ("who", ["who/"]),
        ("T0001", []),
    ],
)
def test_a_shortcut_leads_to_an_article_a_topic_a_kind_or_a_page_unless_it_is_over(
    station: StationFolder, to: str, leads_to: list[str]
) -> None:
    with_options(station, f"shortcuts: [{{title: 遇到了, to: {to}}}]")
    station.article()
    station.article("tip/over.md", id="T0001", kind="tip", expires="2026-11-20 10:00")
    assert [link.url for link in at(shown(station), "index.html", HomePage).shortcuts] == leads_to


def test_services_stand_under_their_first_topic_the_fullest_first_and_the_dated_list_goes_on(
    station: StationFolder,
) -> None:
    topics = ["[防火用电, 电信网络诈骗]", "[防火用电]", "[电信网络诈骗]", None]
    for n, named in enumerate(topics):
        station.article(
            f"service/s{n}.md",
            id=f"S{n:04}",
            kind="service",
            title=f"第{n}项",
            topics=named,
            service="{department: 窗口, visit: 不用跑}",
        )
    site = shown(station)
    groups = at(site, "service/index.html", ServicesPage).groups
    assert [(group.title, [line.title for line in group.lines]) for group in groups] == [
        ("防火用电", ["第0项", "第1项"]),
        ("电信网络诈骗", ["第2项"]),
        ("其他", ["第3项"]),
    ]
    assert groups[0].lines[0].visit == "不用跑"
    assert [(link.url, link.count) for link in at(site, "index.html", HomePage).services] == [
        ("service/#p--topic-fire", 2),
        ("service/#p--topic-telecom-fraud", 1),
        ("service/#p--others", 1),
    ]
    assert len(at(site, "service/page/index.html", ListPage).cards) == 4


def test_a_need_with_many_services_shows_twelve_and_leads_to_all(station: StationFolder) -> None:
    for n in range(40):
        station.article(
            f"service/s{n:02}.md",
            id=f"S{n:04}",
            kind="service",
            topics="[防火用电]",
            service="{department: 窗口, visit: 跑一次}",
        )
    site = shown(station)
    (group,) = at(site, "service/index.html", ServicesPage).groups
    assert len(group.lines) == 12
    assert group.more
    assert (group.more.url, group.more.count) == ("topic/fire/", 40)
    first = at(site, "service/page/index.html", ListPage)
    assert first.older
    last = at(site, f"{first.older.url}index.html", ListPage)
    assert (first.newer, last.newer and last.newer.url) == (None, "service/page/")
    assert {page.front and page.front.url for page in (first, last)} == {"service/"}


@pytest.mark.parametrize(
    ("options", "number"), [([], "0000-5550100"), (["service_desk: 户籍窗口"], "0000-5550110")]
)
def test_papers_have_the_window_the_station_names_else_the_duty_line_and_110_is_neither(
    station: StationFolder, options: list[str], number: str
) -> None:
    with_options(station, *options)
    text = (station.folder / "mkdocs.yml").read_text("utf-8")
    lines = '[{role: 报警, phone: "110"}, {role: 值班室, phone: 0000-5550100}, {role: 户籍窗口, phone: 0000-5550110}]'
    station.file("mkdocs.yml", text.replace('[{role: 值班室, phone: "0000-5550100"}]', lines))
    site = shown(station)
    assert at(site, "service/index.html", ServicesPage).desk.phone == number
    own = at(site, "emergency/index.html", EmergencyPage).own
    assert [line.role for line in own] == ["值班室", "户籍窗口"]


def test_every_community_stands_with_the_first_line_of_the_nearest_card(station: StationFolder) -> None:
    areas = at(shown(station), "area/index.html", AreasPage)
    assert areas.duty.phone == "0000-5550100"
    assert [
        (
            room.head.area.title if room.head else None,
            [(line.area.title, line.slug, line.contact.phone) for line in room.areas],
        )
        for room in areas.rooms
    ] == [
        (None, [("河东", "hedong", "0000-5550100")]),
        (
            "青松路",
            [
                ("桃园社区", "qingsong/taoyuan", "0000-5550130"),
                ("松园社区", "qingsong/songyuan", "0000-5550120"),
            ],
        ),
    ]


@pytest.mark.parametrize(("areas", "carried"), [(60, True), (61, False)])
def test_home_carries_sixty_communities_and_no_more(
    station: StationFolder, areas: int, carried: bool
) -> None:
    few = MKDOCS_YML.partition("      areas:\n")[0] + "      areas:\n"
    many = "".join(f"        - {{name: 社区{n}, slug: c{n}}}\n" for n in range(areas))
    station.file("mkdocs.yml", few + many)
    site = shown(station)
    assert bool(at(site, "index.html", HomePage).rooms) is carried
    assert len(at(site, "area/index.html", AreasPage).rooms[0].areas) == areas


def test_who_was_deceived_finds_a_dozen_frauds_and_the_way_to_all(station: StationFolder) -> None:
    for n in range(14):
        station.article(f"fraud/f{n:02}.md", id=f"F{n:04}", title=f"骗局{n}", published=f"2026-10-{n + 1:02}")
    page = at(shown(station), "scammed/index.html", ScammedPage)
    assert (len(page.frauds), page.frauds[0].title, page.every_fraud.count) == (12, "骗局13", 14)


def test_every_article_has_a_short_address_that_outlives_its_name(station: StationFolder) -> None:
    station.article("tip/old.md", id="T0001", kind="tip")
    station.article("tip/gone.md", id="T0002", kind="tip", withdrawn="有误")
    site = shown(station)
    assert at(site, "A/T0001/index.html", PermalinkPage).to.url == "tip/old/"
    assert at(site, "A/T0002/index.html", PermalinkPage).to.url == "tip/gone/"
    assert not site["A/T0001/index.html"].listed
    assert at(site, "tip/old/index.html", ArticlePage).permalink == "https://qingsong.example/A/T0001"


@pytest.mark.parametrize(
    ("fields", "active"),
    [
        ({"expires": "2026-12-01"}, True),
        ({"expires": "2026-11-20 10:00"}, False),
        ({"expires": "2026-12-01", "withdrawn": "写错了"}, False),
    ],
)
def test_an_alerts_short_address_says_how_it_stands_and_until_when_that_holds(
    station: StationFolder, fields: dict[str, str], active: bool
) -> None:
    station.article(
        "alert/a.md", id="A0001", kind="alert", alert="{form: 道路, place: 桥, tell: '122'}", **fields
    )
    site = shown(station)
    page = at(site, "A/A0001/index.html", StatePage)
    assert (page.active, page.runs_out is not None) == (active, active)
    whole = at(site, "alert/a/index.html", AlertPage)
    assert (whole.runs_out, whole.shareable) == (page.runs_out, active)


@pytest.mark.parametrize(
    ("fields", "shareable", "ends"),
    [
        ({}, True, False),
        ({"expires": "2026-12-01"}, True, True),
        ({"expires": "2026-11-20 10:00"}, False, False),
        ({"expires": "2026-12-01", "withdrawn": "有误"}, False, False),
    ],
)
def test_only_what_is_in_force_is_for_passing_on_and_may_run_out(
    station: StationFolder, fields: dict[str, str], shareable: bool, ends: bool
) -> None:
    station.article(**fields)
    page = at(shown(station), "fraud/brushing/index.html", ArticlePage)
    assert (page.shareable, page.runs_out is not None) == (shareable, ends)


def test_only_a_long_text_of_several_parts_has_contents(station: StationFolder) -> None:
    parts = "".join(f"## 第{n}节 *要紧*\n\n{'字' * 300}\n\n" for n in "一二三")
    station.article("tip/long.md", id="T0001", kind="tip", body=parts)
    station.article("tip/short.md", id="T0002", kind="tip", body="## 一\n\n## 二\n\n## 三\n")
    station.article("tip/plain.md", id="T0003", kind="tip", body="字" * 2000)
    site = shown(station)
    assert [link.title for link in at(site, "tip/long/index.html", ArticlePage).contents] == [
        "第一节 要紧",
        "第二节 要紧",
        "第三节 要紧",
    ]
    assert at(site, "tip/short/index.html", ArticlePage).contents == ()
    assert at(site, "tip/plain/index.html", ArticlePage).contents == ()


def test_related_articles_are_those_that_lists_offer_and_no_alert_is_among_them(
    station: StationFolder,
) -> None:
    station.article("tip/a.md", id="T0001", kind="tip", title="甲", topics="[防火用电]")
    station.article("tip/b.md", id="T0002", kind="tip", title="乙", topics="[防火用电]")
    station.article("tip/c.md", id="T0003", kind="tip", title="丙", topics="[防火用电]", withdrawn="有误")
    alert = "{form: 火情, place: 三号楼, tell: '119'}"
    station.article(
        "alert/d.md", id="A0001", kind="alert", topics="[防火用电]", expires="2026-12-01", alert=alert
    )
    site = shown(station)
    for path, expected in (
        ("tip/a/", ["乙"]),
        ("tip/c/", ["甲", "乙"]),
        ("alert/d/", []),
    ):
        assert [link.title for link in at(site, path + "index.html", ArticlePage).related] == expected
