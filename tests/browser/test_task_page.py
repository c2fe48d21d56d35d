"""The task page on an owner's phone: copy, tick, take back, with JavaScript and without, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, expect
from playwright.sync_api import Page as Tab

from desks import Desk, by_hand, desk_of
from watch import alert, instant, watch_in

TEXT = "72岁，身穿红色羽绒服，看到他请马上打110，并陪在他身边等民警来。"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """At noon, an alert lies with its owners."""
    with watch_in(tmp_path) as watch:
        by_hand(watch)
        watch.at("12:00")
        with desk_of(watch) as desk:
            tell(desk, "1", TEXT)
            yield desk


def tell(desk: Desk, revision: str, text: str) -> None:
    state = "active" if revision == "1" else "resolved"
    desk.watch.publish(alert("F", revision, state, summary=text, title="寻找走失老人" + "很长的标题" * 6))
    desk.watch.push("F")
    desk.runner.tick()


@pytest.fixture
def opened(chromium: Browser, desk: Desk) -> Iterator[Callable[..., Tab]]:
    """Opens 李警官's page, in a browser of its own; a page that breaks its own rules is an error."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    def note(said: ConsoleMessage) -> None:
        # Besides what an answer other than 200 is called there.
        if said.type == "error" and "Failed to load resource" not in said.text:
            broken.append(said.text)

    def open_page(width: int = 360, **settings: Any) -> Tab:
        contexts.append(chromium.new_context(viewport={"width": width, "height": 740}, **settings))
        tab = contexts[-1].new_page()
        tab.on("pageerror", lambda error: broken.append(str(error)))
        tab.on("console", note)
        tab.goto(desk.pages()["李警官"])
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert broken == []


def ticked(tab: Tab, number: int) -> None:
    expect(tab.locator(".row[aria-pressed=true]")).to_have_count(number)


def test_the_text_is_copied_as_it_stands_though_the_page_came_over_plain_http(
    opened: Callable[..., Tab],
) -> None:
    tab = opened()
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.evaluate("addEventListener('copy', e => { window.copied = e.clipboardData.getData('text/plain') })")
    tab.get_by_role("button", name="复制文字").click()
    expect(tab.get_by_text("已复制")).to_be_visible()
    assert tab.evaluate("copied") == tab.locator("pre").text_content()
    assert TEXT in tab.evaluate("copied")


def test_where_copying_fails_the_text_is_selected_and_the_page_says_what_to_do(
    opened: Callable[..., Tab],
) -> None:
    tab = opened()
    tab.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    tab.evaluate("document.execCommand = () => false")
    tab.get_by_role("button", name="复制文字").click()
    expect(tab.get_by_text("请长按")).to_be_visible()
    assert tab.evaluate("getSelection().toString()").strip() == str(tab.locator("pre").text_content()).strip()


@pytest.mark.parametrize("script", [True, False])
def test_a_tick_a_slip_and_a_whole_batch(opened: Callable[..., Tab], desk: Desk, script: bool) -> None:
    tab = opened(java_script_enabled=script)
    tab.get_by_role("button", name="李家2群").click()
    tab.get_by_text("已转 1/12").wait_for()
    ticked(tab, 1)
    tab.get_by_role("button", name="李家2群").click()
    tab.get_by_text("已转 0/12").wait_for()
    tab.get_by_role("button", name="这一批都转了").first.click()
    tab.get_by_text("已转 9/12").wait_for()
    ticked(tab, 9)
    tab.get_by_role("button", name="这一批都转了").click()
    tab.get_by_text("都转完了").wait_for()
    assert {d.state for d in desk.watch.outbox.deliveries("alert:F:1") if d.group.startswith("li")} == {
        "sent"
    }


def test_with_javascript_a_tick_leaves_the_page_where_it_is(opened: Callable[..., Tab]) -> None:
    tab = opened()
    tab.evaluate("window.same = true")
    button = tab.get_by_role("button", name="李家12群")
    button.scroll_into_view_if_needed()
    before = tab.evaluate("scrollY")
    button.click()
    tab.get_by_text("已转 1/12").wait_for()
    assert tab.evaluate("[window.same, scrollY]") == [True, before]
    assert tab.evaluate("document.activeElement.value") == "li12"


def test_a_tick_that_did_not_get_through_is_said(opened: Callable[..., Tab]) -> None:
    tab = opened()
    tab.route("**/t/*", lambda route: route.fulfill(status=503, body="no"))
    tab.get_by_role("button", name="李家1群").click()
    tab.get_by_text("刚才没有记上").wait_for()
    ticked(tab, 0)


def test_a_page_that_is_looked_at_again_says_that_the_alert_is_over(
    opened: Callable[..., Tab], desk: Desk
) -> None:
    tab = opened()
    desk.watch.now = instant("13:00")
    tell(desk, "2", "已经平安回家")
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tab.get_by_text("已结束，请勿再转").wait_for()
    assert TEXT not in tab.content()
    assert "已解除，请勿再转" in tab.locator("pre").inner_text()
    tab.get_by_role("button", name="李家1群").click()
    tab.get_by_text("已转 1/12").wait_for()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen_and_everything_is_large(
    opened: Callable[..., Tab], width: int
) -> None:
    tab = opened(width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    shown = "[...document.querySelectorAll('main *')].filter(e => e.offsetHeight)"
    assert min(tab.evaluate(f"{shown}.map(e => parseFloat(getComputedStyle(e).fontSize))")) >= 18
    assert min(tab.evaluate(f"{shown}.filter(e => e.matches('button')).map(e => e.offsetHeight)")) >= 48
