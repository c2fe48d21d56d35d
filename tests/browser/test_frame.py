"""What is around every page: large type at one tap, and a banner that says what is going on now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from stations import AT

from .conftest import MEASURED, waits_until
from .town import Town, town_in

LETTERS = "parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)"
MOVED = "measured['layout-shift'].length"
HIGH = """() => [...document.querySelectorAll('.call, .press, .mode, .find, .needs a, .banner a, .top .home')]
  .filter(e => e.checkVisibility()).map(e => [e.innerText, e.getBoundingClientRect().height]).filter(e => e[1] < 56)"""
COLOURS = """names => names.map(name => {
  const e = document.body.appendChild(document.createElement('i'));
  e.style.color = `var(--${name})`;
  const found = getComputedStyle(e).color.match(/[0-9]+/g).map(Number);
  e.remove();
  return found;
})"""
NO_STORE = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_in(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def phone(chromium: Browser, town: Town) -> Iterator[Callable[..., Tab]]:
    """Opens a page; ``at`` is the reader's clock. A page that breaks its own rules is an error."""
    contexts, broken = [], []

    def opened(page: str = "", at: datetime = AT, before: str = "", **settings: Any) -> Tab:
        contexts.append(chromium.new_context(viewport={"width": 360, "height": 740}, **settings))
        contexts[-1].add_init_script(MEASURED)
        if before:
            contexts[-1].add_init_script(before)
        tab = contexts[-1].new_page()
        tab.clock.set_fixed_time(at)
        tab.on("pageerror", lambda error: broken.append(str(error)))
        tab.goto(town.url + page)
        return tab

    town.forget()
    yield opened
    for context in contexts:
        context.close()
    assert broken == []


class TestElderMode:
    def test_one_tap_makes_letters_at_least_a_third_larger_and_another_takes_that_back(self, phone) -> None:
        tab = phone("fraud/brushing/")
        usual = tab.evaluate(LETTERS)
        tab.get_by_role("button", name="大字版").click()
        assert tab.evaluate(LETTERS) >= 1.35 * usual
        tab.get_by_role("button", name="普通版").click()
        assert tab.evaluate(LETTERS) == usual

    def test_it_is_remembered_from_page_to_page(self, phone, town) -> None:
        tab = phone("fraud/brushing/")
        tab.get_by_role("button", name="大字版").click()
        tab.goto(town.url)
        assert tab.get_by_role("button", name="普通版").is_visible()

    def test_an_address_asks_for_it_and_that_is_remembered_too(self, phone, town) -> None:
        tab = phone("?elder=1")
        for page, large in (("fraud/", True), ("fraud/?elder=0", False), ("", False)):
            tab.goto(town.url + page)
            assert tab.get_by_role("button", name="普通版").is_visible() is large

    def test_where_nothing_can_be_remembered_the_page_alone_changes(self, phone, town) -> None:
        tab = phone("?elder=1", before=NO_STORE)
        assert tab.get_by_role("button", name="普通版").is_visible()
        tab.goto(town.url)
        tab.get_by_role("button", name="大字版").click()
        assert tab.get_by_role("button", name="普通版").is_visible()

    def test_nothing_moves_when_it_was_chosen_before(self, phone, town) -> None:
        tab = phone("?elder=1")
        tab.goto(town.url + "fraud/brushing/")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate(MOVED) == 0

    @pytest.mark.parametrize("page", ["", "fraud/brushing/", "emergency/", "privacy/"])
    def test_what_one_comes_for_is_as_high_as_a_finger_is_wide(self, phone, page) -> None:
        assert phone(page + "?elder=1").evaluate(HIGH) == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_contrast_is_high_by_day_and_by_night(self, phone, scheme) -> None:
        """Seven to one (WCAG 1.4.6)."""
        tab = phone("?elder=1", color_scheme=scheme)
        for pair in (
            ["ink", "paper"],
            ["soft", "paper"],
            ["link", "paper"],
            ["ink", "warn"],
            ["ink", "info"],
            ["on-brand", "brand"],
            ["on-alarm", "alarm"],
        ):
            assert contrast(*tab.evaluate(COLOURS, pair)) >= 7, pair

    def test_what_is_secondary_makes_way(self, phone) -> None:
        tab = phone("fraud/")
        assert tab.locator(".foot .p-extra").is_visible()
        tab.get_by_role("button", name="大字版").click()
        assert not tab.locator(".foot .p-extra").is_visible()

    def test_without_javascript_there_is_no_button_that_does_nothing(self, phone) -> None:
        assert not phone(java_script_enabled=False).locator(".mode").is_visible()

    @pytest.mark.parametrize("width", [320, 360])
    @pytest.mark.parametrize("asked", ["", "?elder=1"])
    def test_the_top_takes_two_rows_at_most_and_fits_the_narrowest_phone(self, phone, width, asked) -> None:
        tab = phone("fraud/" + asked)
        tab.set_viewport_size({"width": width, "height": 640})
        tops = "[...document.querySelectorAll('.home, .mode, .find, .top .call')].map(e => e.offsetTop + e.offsetHeight)"
        assert len({round(bottom / 20) for bottom in tab.evaluate(tops)}) <= 2
        assert tab.evaluate("document.querySelector('.top').scrollWidth") <= width


def contrast(one: list[int], other: list[int]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def light(colour: list[int]) -> float:
        parts = (part / 255 for part in colour[:3])
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    above, below = sorted((light(one), light(other)), reverse=True)
    return (above + 0.05) / (below + 0.05)


def told(tab: Tab) -> list[str]:
    return [re.sub(r"\s", "", text) for text in tab.locator(".banner a:visible").all_inner_texts()]


def looks_again(tab: Tab) -> None:
    """As after another app was in front."""
    with tab.expect_response("**/alerts.json"):
        tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


class TestBanner:
    def test_where_all_is_as_the_page_says_nothing_moves(self, phone) -> None:
        tab = phone("fraud/brushing/")
        tab.wait_for_load_state("networkidle")
        assert told(tab) == ["寻找走失老人", "隧道封闭"]
        assert tab.evaluate(MOVED) == 0

    @pytest.mark.parametrize("page", ["", "fraud/brushing/", "404.html"])
    def test_what_began_since_the_page_was_made_is_there_at_once_and_can_be_opened(
        self, phone, town, page
    ) -> None:
        town.tell(lambda alerts: alerts.insert(0, {**alerts[0], "title": "仓库着火"}))
        tab = phone(page) if page != "404.html" else phone()
        tab.get_by_role("link", name="仓库着火").click()
        tab.wait_for_url("**/police/guide/alert/elder/")

    def test_what_ended_since_leaves(self, phone, town) -> None:
        town.tell(lambda alerts: alerts[0].update(state="resolved"))
        tab = phone()
        tab.locator(".banner a").nth(1).wait_for(state="detached")
        assert len(told(tab)) == 1

    def test_a_page_left_open_hears_of_it_when_it_is_looked_at_again(self, phone, town) -> None:
        tab = phone()
        town.tell(lambda alerts: alerts.clear())
        looks_again(tab)
        tab.locator(".banner").wait_for(state="hidden")

    def test_the_text_one_is_reading_stays_where_it_is(self, phone, town) -> None:
        tab = phone("fraud/brushing/")
        tab.wait_for_load_state("networkidle")
        tab.evaluate("scrollTo(0, 1200)")
        place = "document.querySelectorAll('.prose p')[30].getBoundingClientRect().top"
        before = tab.evaluate(place)
        town.tell(lambda alerts: alerts.insert(0, {**alerts[0], "title": "仓库着火"}))
        looks_again(tab)
        tab.locator(".banner a").nth(2).wait_for(state="attached")
        tab.evaluate("new Promise(requestAnimationFrame)")
        assert abs(tab.evaluate(place) - before) < 1

    def test_what_has_run_out_by_the_readers_clock_is_gone(self, phone, town) -> None:
        late = AT + timedelta(days=30)
        town.tell(lambda alerts: alerts[0].update(expires=(late + timedelta(days=1)).isoformat()))
        tab = phone(at=late)
        tab.locator(".banner a").wait_for()
        assert len(told(tab)) == 1

    def test_a_page_from_a_cache_shows_nothing_that_has_run_out(self, phone, town) -> None:
        (town.folder / "alerts.json").unlink()
        assert told(phone(at=AT + timedelta(days=30))) == []

    @pytest.mark.parametrize("answer", ["", "<html>", "[]", '{"alerts": 1}'])
    def test_an_answer_that_makes_no_sense_changes_nothing(self, phone, town, answer) -> None:
        (town.folder / "alerts.json").write_text(answer, encoding="utf-8")
        tab = phone()
        tab.wait_for_load_state("networkidle")
        assert told(tab) == ["寻找走失老人", "隧道封闭"]

    def test_an_alerts_own_page_does_not_repeat_it(self, phone) -> None:
        tab = phone("alert/elder/")
        tab.wait_for_load_state("networkidle")
        assert told(tab) == ["隧道封闭"]

    @pytest.mark.parametrize("page", ["alert/elder/", "A/A5W3R/"])
    def test_an_alerts_own_page_that_stays_open_stops_calling_once_it_is_over(
        self, phone, town, page
    ) -> None:
        """An end is read from ``alerts.json`` alone: here the page itself still calls, read anew or not."""
        tab = phone(page)
        tab.wait_for_load_state("networkidle")
        assert "还在找" in tab.locator("main").inner_text()
        town.tell(lambda alerts: alerts[0].update(state="resolved"))
        with tab.expect_navigation():
            looks_again(tab)
        tab.get_by_text("请勿再转").first.wait_for()
        assert "还在找" not in tab.locator("main").inner_text()

    def test_an_alert_that_alerts_json_does_not_name_yet_calls_on(self, phone, town) -> None:
        """Somebody between may hold an older one."""
        tab = phone("alert/elder/")
        town.tell(list.clear)
        with tab.expect_response("**/alerts.json"):
            looks_again(tab)
        tab.wait_for_load_state("networkidle")
        assert "还在找" in tab.locator("main").inner_text()

    def test_without_javascript_it_is_there(self, phone) -> None:
        assert told(phone(java_script_enabled=False)) == ["寻找走失老人", "隧道封闭"]


class TestPortal:
    @pytest.mark.parametrize("page", ["", "fraud/brushing/", "alert/elder/", "emergency/", "privacy/"])
    def test_its_header_looks_and_works_as_it_does_at_home_and_nothing_is_blocked(
        self, chromium, town, page
    ) -> None:
        context = chromium.new_context(viewport={"width": 360, "height": 740})
        tab = context.new_page()
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(town.url + page)
        tab.wait_for_load_state("networkidle")
        header = tab.locator(".portal").first
        assert header.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(1, 2, 3)"
        assert header.get_attribute("data-ran") == "yes"
        assert tab.locator(".portal").last.inner_text() == "门户的页脚"
        assert said == []
        context.close()


class TestPrivacy:
    def test_one_button_clears_what_is_ours_and_says_what_that_was(self, phone, town) -> None:
        tab = phone("fraud/brushing/")
        waits_until(tab, "await caches.match(new URL('../../emergency/', location)) !== undefined")
        tab.evaluate("localStorage.setItem('gengfu-area', 'x'), localStorage.setItem('portal', 'y')")
        tab.evaluate("caches.open('portal')")
        tab.get_by_role("button", name="大字版").click()
        tab.goto(town.url + "privacy/")
        tab.wait_for_load_state("networkidle")  # by now the worker has kept it
        tab.get_by_role("button", name="清除").click()
        tab.get_by_text("已清除：2 项选择和勾选，").wait_for()
        assert re.search("，[1-9] 个存下的网页。", tab.get_by_role("status").inner_text())
        assert tab.evaluate("Object.keys(localStorage)") == ["portal"]
        assert tab.evaluate("caches.keys()") == ["portal"]
        assert tab.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0

    def test_where_the_phone_refuses_it_says_what_to_do(self, phone) -> None:
        tab = phone("privacy/", before=NO_STORE)
        tab.get_by_role("button", name="清除").click()
        tab.get_by_text("这台手机不让网页清除").wait_for()

    def test_without_javascript_there_is_no_button_that_does_nothing(self, phone) -> None:
        assert not phone("privacy/", java_script_enabled=False).locator(".clear").is_visible()
