"""Feeds and catalogue: what is in them, valid for strict readers, the same bytes for the same articles."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest
from jsonschema import Draft202012Validator

from gengfu_site.catalogue import dumps
from gengfu_site.feeds import catalogue
from sites import feeds
from stations import AT, StationFolder

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/catalogue.schema.json").read_text("utf-8"))


def made(station: StationFolder, days: int = 0) -> dict[str, bytes]:
    at = AT + timedelta(days=days)
    return dict(feeds(station.load(at), at, lambda article: f"<p>{article.title} &amp; ]]&gt;</p>"))


@pytest.fixture
def full(station: StationFolder) -> StationFolder:
    station.article("fraud/a.md", id="F0001", topics="[电信网络诈骗]", updated="2026-11-20 10:00")
    station.article("tip/b.md", id="T0001", kind="tip", areas="[青松路]", published="2026-10-01")
    station.article("tip/c.md", id="T0002", kind="tip", areas="[青松路/桃园社区]", published="2026-10-02")
    station.article("tip/gone.md", id="T0003", kind="tip", withdrawn="有误")
    station.article("tip/later.md", id="T0004", kind="tip", published="2027-01-01")
    station.article(
        "alert/d.md",
        id="A0001",
        kind="alert",
        expires="2026-12-01",
        alert='{form: 道路, place: 桥, tell: "122"}',
    )
    return station


@pytest.mark.parametrize(
    ("path", "titles"),
    [
        ("feed.xml", 4),
        ("atom.xml", 4),
        ("fraud/atom.xml", 1),
        ("topic/telecom-fraud/feed.xml", 1),
        ("topic/fire/atom.xml", 0),
        ("area/qingsong/taoyuan/feed.xml", 2),
        ("area/qingsong/songyuan/feed.xml", 1),
        ("area/hedong/atom.xml", 0),
    ],
)
def test_each_feed_is_valid_and_holds_what_is_live(full: StationFolder, path: str, titles: int) -> None:
    parsed = feedparser.parse(made(full)[path])
    assert not parsed.bozo
    assert len(parsed.entries) == titles
    assert parsed.feed.title
    assert not re.search(rb"(?i)gengfu|feedgen", made(full)[path])


def test_an_entry_carries_the_articles_own_dates_id_and_content(full: StationFolder) -> None:
    for path in ("fraud/feed.xml", "fraud/atom.xml"):
        [entry] = feedparser.parse(made(full)[path]).entries
        assert entry.link == "https://qingsong.example/fraud/a/"
        assert entry.id.startswith("urn:uuid:")
        assert entry.published_parsed[:5] == (2026, 11, 20, 1, 0)
        assert entry.content[0].value == "<p>刷单返利 &amp; ]]&gt;</p>"


def test_an_alert_that_is_over_says_so_where_its_call_was_kept(full: StationFolder) -> None:
    ended = '{form: 走失, place: 桥, tell: "122", state: resolved}'
    full.article("alert/d.md", id="A0001", kind="alert", title="寻人", expires="2026-12-01", alert=ended)
    assert feedparser.parse(made(full)["alert/feed.xml"]).entries[0].title == "【已结束，请勿再转】寻人"


def test_the_id_survives_a_rename(full: StationFolder) -> None:
    before = feedparser.parse(made(full)["fraud/feed.xml"]).entries[0].id
    (full.folder / "content/fraud/a.md").rename(full.folder / "content/fraud/renamed.md")
    assert feedparser.parse(made(full)["fraud/feed.xml"]).entries[0].id == before


def test_the_same_articles_give_the_same_bytes_another_day(full: StationFolder) -> None:
    assert made(full) == made(full, days=3)


def test_a_feed_is_as_new_as_its_newest_entry(full: StationFolder) -> None:
    assert feedparser.parse(made(full)["fraud/atom.xml"]).feed.updated == "2026-11-20T10:00:00+08:00"


def test_the_catalogue_keeps_to_its_schema(full: StationFolder) -> None:
    text = dumps(catalogue(full.load(), AT))
    Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert [item["id"] for item in json.loads(text)["items"]] == ["A0001", "F0001", "T0002", "T0001"]


def test_the_schema_would_notice(full: StationFolder) -> None:
    feed = json.loads(dumps(catalogue(full.load(), AT)))
    del feed["items"][0]["_gengfu"]["alert"]
    feed["items"][1]["date_published"] = "2026-11-20"
    assert len(list(Draft202012Validator(SCHEMA).iter_errors(feed))) == 2
