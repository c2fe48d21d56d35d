"""Every file of the site: a missing person is in it only while searched for; sitemap, robots, feeds' content."""

from __future__ import annotations

import re
from datetime import timedelta

import feedparser
import pytest

from gengfu_site import output
from sites import clean
from stations import AT, StationFolder

SEARCHING = '{form: 走失, place: 桃园社区, tell: "110"}'
PERSON = (
    "name: 小满\nage: 4 岁\nlast_seen: 11月20日 17:00 桃园社区南门\nphoto: A5W3R.jpg\n"
    "basis: 监护人同意\nerase_after: 2026-11-25\n"
)
PHOTO = b"\xff\xd8\xff picture of the child"


def holding(made: dict[str, bytes], *words: bytes) -> set[str]:
    return {path for path, data in made.items() if any(word in data for word in words)}


@pytest.fixture
def search(station: StationFolder) -> StationFolder:
    station.article("alert/child.md", id="A5W3R", kind="alert", expires="2026-12-01", alert=SEARCHING)
    station.file("private/A5W3R.yml", PERSON).chmod(0o600)
    station.file("private/A5W3R.jpg", PHOTO).chmod(0o600)
    return station


def test_while_searching_the_person_is_on_the_page_and_in_the_catalogue_but_in_no_feed(
    search: StationFolder,
) -> None:
    made = clean(search)
    assert holding(made, "小满".encode(), "桃园社区南门".encode()) == {
        "alert/child/index.html",
        "catalogue.json",
    }
    assert holding(made, PHOTO) == {"A/A5W3R/photo.jpg"}


def test_a_file_of_content_and_the_persons_picture_have_each_a_place_of_their_own(
    search: StationFolder,
) -> None:
    search.file("content/alert/child/photo.jpg", b"a picture that belongs to an article")
    search.article(body="![地图](../alert/child/photo.jpg)\n")
    made = clean(search)
    assert made["alert/child/photo.jpg"] == b"a picture that belongs to an article"
    assert made["A/A5W3R/photo.jpg"] == PHOTO


@pytest.mark.parametrize("end", ["resolved", "cancelled", "withdrawn", "erase_after", "expires"])
def test_when_the_search_ends_no_byte_of_the_person_is_left(search: StationFolder, end: str) -> None:
    fields = {"id": "A5W3R", "kind": "alert", "expires": "2026-12-01", "alert": SEARCHING}
    days = 0
    match end:
        case "resolved" | "cancelled":
            search.article(
                "alert/child.md", **{**fields, "alert": SEARCHING.replace("}", f", state: {end}}}")}
            )
        case "withdrawn":
            search.article("alert/child.md", **fields, withdrawn="误报")
        case "erase_after":
            days = 5
        case "expires":
            days = 11
    made = clean(search, AT + timedelta(days=days))
    assert "alert/child/index.html" in made
    assert holding(made, "小满".encode(), "桃园社区南门".encode(), PHOTO, b"photo.jpg") == set()


def test_the_sitemap_lists_what_may_be_found_with_its_own_date(station: StationFolder) -> None:
    station.article(updated="2026-11-20 10:00")
    station.article("tip/old.md", id="T0001", kind="tip", expires="2026-11-20 10:00")
    station.article("alert/a.md", id="A0001", kind="alert", expires="2026-12-01", alert=SEARCHING)
    made = clean(station)
    sitemap = made["sitemap.xml"].decode()
    url = "<loc>https://qingsong.example/fraud/brushing/</loc><lastmod>2026-11-20T10:00:00+08:00</lastmod>"
    assert url in sitemap
    assert [word for word in ("tip/old", "alert/", "A/", "404") if word in sitemap] == []
    assert b"Sitemap: https://qingsong.example/sitemap.xml" in made["robots.txt"]


def test_more_addresses_than_one_sitemap_may_hold_stand_in_several(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.article()
    whole = re.findall(b"<url>.*", clean(station)["sitemap.xml"])
    monkeypatch.setattr(output, "_MOST_LOCATED", len(whole) - 1)
    made = clean(station)
    parts = [f"sitemap-{number}.xml" for number in (1, 2)]
    assert re.findall("<loc>https://qingsong.example/(.*)</loc>", made["sitemap.xml"].decode()) == parts
    assert [re.findall(b"<url>.*", made[part]) for part in parts] == [whole[:-1], whole[-1:]]


def test_feeds_carry_the_whole_article_with_absolute_addresses_and_no_icon(station: StationFolder) -> None:
    station.article(
        "service/s.md",
        id="S0001",
        kind="service",
        service="{department: 窗口, visit: 跑一次, phone: 0000-5550110, materials: [{name: 户口簿}]}",
        body="看[另一篇](../fraud/b.md)\n",
    )
    station.article("fraud/b.md", id="F0001")
    [entry] = feedparser.parse(clean(station)["service/feed.xml"], sanitize_html=False).entries
    content = entry.content[0].value
    assert 'href="https://qingsong.example/fraud/b/"' in content
    assert "户口簿" in content
    assert "<svg" not in content


@pytest.mark.parametrize("state", ["active", "resolved"])
def test_of_an_alert_for_a_missing_person_feeds_hold_the_summary_alone_whatever_is_left_of_the_data(
    station: StationFolder, state: str
) -> None:
    alert = SEARCHING.replace("}", f", state: {state}}}")
    station.article(
        "alert/child.md", "穿绿色连帽衫\n", id="A5W3R", kind="alert", expires="2026-12-01", alert=alert
    )
    assert {path for path in holding(clean(station), "连帽衫".encode()) if path.endswith(".xml")} == set()


def test_a_feed_holds_the_newest_fifty(station: StationFolder) -> None:
    for n in range(51):
        station.article(
            f"tip/t{n}.md", id=f"T{n:04}", kind="tip", title=f"第{n}篇", published=f"2026-10-01 10:{n:02}"
        )
    entries = feedparser.parse(clean(station)["feed.xml"]).entries
    assert (len(entries), entries[0].title, entries[-1].title) == (50, "第50篇", "第1篇")
