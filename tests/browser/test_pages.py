"""The built site in a real Chromium, as a resident meets it: on a cheap phone, on a desktop, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from .conftest import DESKTOP, KINDS_OF_PAGE, PHONE, Site, Visit, visit

# Each gives what is wrong, as text, so that a failure names it.
SMALL_TEXT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = [];
  for (let node; (node = walker.nextNode());)
    if (node.data.trim() && parseFloat(getComputedStyle(node.parentElement).fontSize) < 16) small.push(node.data);
  return small;
}"""
HEADINGS = "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])"
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module", params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


@pytest.fixture(scope="module", params=KINDS_OF_PAGE.values(), ids=KINDS_OF_PAGE.keys())
def opened(request: pytest.FixtureRequest, chromium: Browser, site: Site, size) -> Iterator[Visit]:
    with visit(chromium, site.url + request.param, size) as page:
        yield page


@pytest.fixture
def phone(chromium: Browser, site: Site) -> Iterator[Any]:
    """Opens a page on a phone."""
    with ExitStack() as opened:
        yield lambda address, **settings: opened.enter_context(
            visit(chromium, site.url + address, PHONE, **settings)
        )


class TestEveryKindOfPage:
    def test_never_scrolls_sideways(self, opened):
        assert not opened.tab.evaluate(TOO_WIDE)

    def test_is_written_large_enough_to_read(self, opened):
        assert opened.tab.evaluate(SMALL_TEXT) == []

    def test_has_one_title_and_headings_without_gaps(self, opened):
        levels = opened.tab.evaluate(HEADINGS)
        assert levels.count(1) == 1
        assert all(below - above <= 1 for above, below in zip([1, *levels], levels, strict=False))

    def test_names_its_language(self, opened):
        assert opened.tab.locator("html").get_attribute("lang") == "zh-CN"

    def test_asks_only_its_own_site_and_complains_of_nothing(self, opened, site):
        assert [address for address in opened.requests if not address.startswith((site.url, "data:"))] == []
        assert opened.complaints == []

    def test_shows_the_alert_on_the_first_screen(self, opened):
        assert opened.bottom(".banner a") < 200


@pytest.mark.parametrize(
    "address", ["service/id-card-lost/", "service/passport-first/", "service/residence-permit/"]
)
def test_a_guide_answers_on_the_first_screen_of_a_phone(phone, address):
    """Whether to come, and what that means, without scrolling."""
    assert phone(address).bottom(".answer") <= PHONE[1]


def test_home_offers_its_four_ways_on_the_first_screen_of_a_phone(phone):
    home = phone("")
    assert home.tab.locator(".needs a").count() == 4
    assert home.bottom(".needs") <= PHONE[1]


@pytest.mark.parametrize("name", ["alert", "resolved alert", "exercise", "expired", "withdrawn"])
def test_how_a_page_stands_is_said_by_word_and_shape_on_the_first_screen(phone, name):
    page = phone(KINDS_OF_PAGE[name])
    assert page.bottom(".huge") <= PHONE[1]
    assert page.tab.locator(".huge .icon").first.bounding_box()["width"] >= 32


def test_an_alert_can_be_answered_without_scrolling(phone):
    assert phone("alert/elder/").bottom(".facts .call") <= PHONE[1]


def test_a_narrow_phone_with_large_type_still_shows_everything(phone):
    """320 px, which is also 1280 px enlarged fourfold (WCAG 1.4.10)."""
    page = phone("service/id-card-lost/")
    page.tab.set_viewport_size({"width": 320, "height": 640})
    assert not page.tab.evaluate(TOO_WIDE)


def test_the_first_tab_stop_leads_past_the_header_and_can_be_seen(phone):
    page = phone("tip/gas-cylinder/")
    page.tab.keyboard.press("Tab")
    stop = page.tab.locator(":focus")
    assert stop.inner_text() == "跳到正文"
    assert stop.evaluate("e => getComputedStyle(e).outlineStyle + e.getBoundingClientRect().left") == "solid0"
    page.tab.keyboard.press("Enter")
    expect(page.tab.locator("#p--main")).to_be_focused()


def test_paper_carries_the_guide_boxes_to_tick_and_the_way_back_to_it(phone):
    page = phone("service/id-card-lost/")
    page.tab.emulate_media(media="print")
    for shown in (".answer", ".checklist input", ".facts .call", ".paper svg"):
        assert page.tab.locator(shown).first.is_visible()


def test_a_picture_larger_than_the_phone_is_shrunk(phone):
    page = phone("tip/gas-cylinder/")
    assert page.tab.locator(".cover").evaluate("i => i.complete && i.naturalWidth > 0 && i.width <= 328")


def test_no_page_of_the_library_scrolls_sideways_or_skips_a_heading(phone, site):
    tab = phone("", java_script_enabled=False).tab
    wrong = []
    for address in site.pages:
        if address.startswith("A/"):
            continue  # leads on at once, or is of a kind of its own above
        tab.goto(site.url + address, wait_until="domcontentloaded")
        levels = tab.evaluate(HEADINGS)
        skipped = any(b - a > 1 for a, b in zip([0, *levels], levels, strict=False))
        if tab.evaluate(TOO_WIDE) or levels.count(1) != 1 or skipped:
            wrong.append(address)
    assert wrong == []
