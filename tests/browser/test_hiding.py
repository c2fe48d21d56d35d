"""A missing person's data, and the call itself, leave a page by the reader's own clock: opened in time, opened late,
never closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from gengfu_site.publish import publish
from stations import AT, empty_station

RUN_OUT = datetime(2026, 12, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
ERASED = datetime(2026, 11, 25, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
ALERT = "{form: 走失, place: 桃园社区, tell: '110'}"
PERSON = "name: 小满\nlast_seen: 桃园社区南门\nphoto: A5W3R.jpg\nbasis: 监护人同意\nerase_after: 2026-11-25 12:00\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that searches for a child, built days before the data must go."""
    station = empty_station(tmp_path_factory.mktemp("station"))
    station.article("alert/child.md", id="A5W3R", kind="alert", expires="2026-12-01", alert=ALERT)
    station.file("private/A5W3R.yml", PERSON)
    station.file("private/A5W3R.jpg", b"\xff\xd8\xff")
    station.article("notice/hours.md", id="N0001", kind="notice", title="窗口时间", expires="2026-12-01")
    publish(station.settings, AT)
    return station.settings.public


@pytest.fixture
def opened(chromium: Browser, site: Path) -> Iterator[Callable[..., Tab]]:
    """Opens the alert's page, or another, at a moment of the reader's clock."""
    contexts = []

    def at(moment: datetime, page: str = "alert/child/index.html", **settings: bool) -> Tab:
        contexts.append(chromium.new_context(timezone_id="America/New_York", **settings))
        tab = contexts[-1].new_page()
        tab.clock.install(time=moment)
        tab.goto((site / page).as_uri())
        return tab

    yield at
    for context in contexts:
        context.close()


def shows(tab: Tab) -> tuple[bool, bool, bool]:
    """Whether the data, the picture, and the reason for their absence can be seen; removed is not merely hidden."""
    text = tab.locator("main").inner_text()
    assert tab.locator(".person").count() == tab.locator("main :text('小满')").count()
    return "小满" in text, tab.locator(".person").count() == 1, "已从本页移除" in text


def test_in_time_it_is_there(opened: Callable[..., Tab]) -> None:
    assert shows(opened(ERASED - timedelta(minutes=10))) == (True, True, False)


def test_late_it_is_gone_and_the_page_says_why(opened: Callable[..., Tab]) -> None:
    assert shows(opened(ERASED)) == (False, False, True)


def test_it_leaves_a_page_that_stays_open(opened: Callable[..., Tab]) -> None:
    tab = opened(ERASED - timedelta(minutes=10))
    tab.clock.run_for(timedelta(minutes=5) // timedelta(milliseconds=1))
    assert shows(tab) == (True, True, False)
    tab.clock.run_for(timedelta(minutes=6) // timedelta(milliseconds=1))
    assert shows(tab) == (False, False, True)


def test_without_javascript_nothing_breaks(opened: Callable[..., Tab]) -> None:
    assert shows(opened(ERASED - timedelta(days=1), java_script_enabled=False)) == (True, True, False)


PAGES = pytest.mark.parametrize("page", ["alert/child/index.html", "A/A5W3R/index.html"])


def calls(tab: Tab) -> tuple[bool, bool]:
    """Whether the page still calls for help, and whether it says that this is over."""
    text = tab.locator("main").inner_text()
    call = "还在找" in text
    assert ("打给谁" in text) is call
    assert tab.locator(".aids").get_by_text("复制链接").count() in (int(call), 0)
    return call, "已过期，请勿再转" in text


@PAGES
def test_before_it_runs_out_an_alert_calls(opened: Callable[..., Tab], page: str) -> None:
    assert calls(opened(RUN_OUT - timedelta(minutes=1), page)) == (True, False)


@PAGES
def test_after_that_it_asks_not_to_be_passed_on(opened: Callable[..., Tab], page: str) -> None:
    assert calls(opened(RUN_OUT, page)) == (False, True)


@PAGES
def test_a_call_ends_on_a_page_that_stays_open(opened: Callable[..., Tab], page: str) -> None:
    tab = opened(RUN_OUT - timedelta(minutes=1), page)
    tab.clock.run_for(timedelta(minutes=2) // timedelta(milliseconds=1))
    assert calls(tab) == (False, True)


@pytest.mark.parametrize(("since", "over"), [(timedelta(minutes=-1), False), (timedelta(), True)])
def test_a_notice_says_by_the_readers_clock_that_it_is_over(
    opened: Callable[..., Tab], since: timedelta, over: bool
) -> None:
    tab = opened(RUN_OUT + since, "notice/hours/index.html")
    assert tab.locator("article").inner_text().startswith("本页已过期") is over
    assert tab.get_by_role("button", name="复制链接").is_visible() is not over
