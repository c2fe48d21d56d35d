"""What a phone may keep for when it has no network, as far as the pages say it; the browser tests show the rest."""

from __future__ import annotations

import pytest

from gengfu_site.offline import worker
from gengfu_site.output import Generated, outputs
from gengfu_site.render import environment, render
from gengfu_site.view import Page
from stations import AT, StationFolder

ALERT = "{form: 走失, place: 桃园社区, tell: '110'}"


@pytest.fixture
def pages(station: StationFolder) -> dict[str, str]:
    """A tip, a tip that is over, and an alert that lies where nobody would look for one."""
    station.article(topics="[防火用电]")
    station.article("tip/over.md", id="B0VER", kind="tip", expires="2026-11-20")
    station.article(
        "notice/child.md",
        id="A5W3R",
        kind="alert",
        expires="2026-12-01",
        topics="[电信网络诈骗]",
        areas="[青松路/桃园社区]",
        alert=ALERT,
    )
    env = environment(station.settings)
    made = outputs(station.load(), AT, env)
    return {page.url: render(env, page) for page in made if isinstance(page, Page)}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", True),
        ("emergency/", True),
        ("fraud/", True),
        ("fraud/brushing/", True),
        ("topic/fire/", True),
        ("area/hedong/", True),
        ("notice/child/", False),
        ("topic/telecom-fraud/", False),
        ("area/qingsong/taoyuan/", False),
        ("area/qingsong/", False),
        ("alert/", False),
        ("tip/over/", False),
        ("search/", False),
    ],
)
def test_a_page_that_tells_of_an_alert_or_is_over_is_marked(
    pages: dict[str, str], address: str, kept: bool
) -> None:
    assert ('data-offline="no"' in pages[address].partition("<main")[0]) is not kept


@pytest.mark.parametrize(("language", "word"), [("zh-CN", "现在连不上网"), ("en", "not reach the network")])
def test_the_worker_speaks_the_sites_language(language: str, word: str) -> None:
    assert word in worker(language).decode()


def test_the_worker_lies_at_the_sites_root(station: StationFolder) -> None:
    made = outputs(station.load(), AT, environment(station.settings))
    (path,) = (one.path for one in made if isinstance(one, Generated) and one.path.endswith(".js"))
    assert path == "sw.js"
