"""What a reader can do with a page: tick off, copy, share, hear, print; each only where the browser can."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Route, expect

from .conftest import PHONE, Site, Visit, visit

GUIDE, ARTICLE, CALL = "service/id-card-lost/", "tip/gas-cylinder/", "alert/elder/"
LINK = "https://qingsong.example/A/S3M8Q"

NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
SHARES = "navigator.share = told => { window.shared = told; return Promise.resolve(); }"
PRINTS = "window.print = () => { window.printed = true; }"
SPEAKS = """Object.defineProperty(window, 'speechSynthesis', {value: {
  said: [], cancelled: 0,
  getVoices: () => [{lang: 'en-GB', localService: true}, %s],
  speak(one) { this.said.push(one); }, cancel() { this.cancelled++; },
}});
window.SpeechSynthesisUtterance = function (text) { this.text = text; };"""
ITS_OWN = "{lang: '%s', localService: true}"


@pytest.fixture
def phone(chromium: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    """Opens a page on a phone that can do what ``able`` says."""
    with ExitStack() as opened:

        def on_phone(address: str, able: str = "", **settings: object) -> Visit:
            page = opened.enter_context(visit(chromium, "about:blank", PHONE, **settings))
            page.tab.add_init_script(able)
            page.tab.goto(site.url + address)
            return page

        yield on_phone


def ticked(page: Visit) -> list[str]:
    """What stands beside the boxes that are ticked."""
    boxes = page.tab.locator(".checklist li:has(:checked) b")
    return boxes.all_inner_texts()


class TestChecklist:
    def test_what_is_ticked_stays_ticked_on_this_phone(self, phone):
        page = phone(GUIDE)
        page.tab.get_by_text("居住证", exact=True).click()
        page.tab.reload()
        assert ticked(page) == ["居住证"]
        page.tab.get_by_text("居住证", exact=True).click()
        assert page.tab.evaluate("Object.keys(localStorage)") == []

    def test_a_list_that_has_changed_ticks_no_other_line(self, phone, site):
        page = phone(GUIDE, service_workers="block")
        for name in ("居民户口簿", "居住证"):
            page.tab.locator(".checklist").get_by_text(name, exact=True).click()

        def changed(route: Route) -> None:
            text = (site.folder / GUIDE / "index.html").read_text("utf-8")
            route.fulfill(body=text.replace("<b>居住证</b>", "<b>护照</b>"), content_type="text/html")

        page.tab.route(f"**/{GUIDE}", changed)
        page.tab.reload()
        assert page.tab.locator(".checklist").get_by_text("护照", exact=True).is_visible()
        assert ticked(page) == ["居民户口簿"]

    @pytest.mark.parametrize("settings", [{"able": NO_STORAGE}, {"java_script_enabled": False}])
    def test_where_nothing_may_be_remembered_it_still_ticks(self, phone, settings):
        page = phone(GUIDE, **settings)
        page.tab.locator(".checklist input").first.check()
        assert len(ticked(page)) == 1
        assert page.complaints == []


class TestCopying:
    def test_one_tap_copies_the_answer_with_its_address(self, phone):
        page = phone(GUIDE, permissions=["clipboard-read", "clipboard-write"])
        page.tab.get_by_role("button", name="复制答案").click()
        page.tab.get_by_role("status").get_by_text("已复制").wait_for()
        copied = page.tab.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("身份证丢了：要本人来。电话 0000-5550110。")
        assert copied.endswith("\n" + LINK)

    def test_an_old_phone_copies_in_the_old_way(self, phone):
        page = phone(GUIDE, NO_CLIPBOARD, permissions=["clipboard-read"])
        page.tab.get_by_role("button", name="复制链接").click()
        page.tab.get_by_role("status").get_by_text("已复制").wait_for()
        assert page.tab.evaluate("document.activeElement.innerText") == "复制链接"
        page.tab.evaluate(
            "document.querySelector('main').appendChild(document.createElement('textarea')).focus()"
        )
        page.tab.keyboard.press("Control+V")
        assert page.tab.locator("textarea").input_value() == LINK

    def test_where_nothing_may_copy_the_words_are_shown(self, phone):
        page = phone(GUIDE, NO_CLIPBOARD + "; document.execCommand = () => false")
        page.tab.get_by_role("button", name="复制链接").click()
        page.tab.get_by_role("status").get_by_text(LINK).wait_for()
        assert page.complaints == []


def test_a_phone_that_can_share_shares_the_short_address(phone):
    page = phone(GUIDE, SHARES)
    page.tab.get_by_role("button", name="分享").click()
    assert page.tab.evaluate("shared.url") == LINK
    assert not page.tab.get_by_role("button", name="复制链接").is_visible()


def test_where_sharing_is_promised_and_refused_the_address_is_copied(phone):
    refuses = "navigator.share = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    page = phone(GUIDE, refuses, permissions=["clipboard-read", "clipboard-write"])
    page.tab.get_by_role("button", name="分享").click()
    page.tab.get_by_role("status").get_by_text("已复制").wait_for()
    assert page.tab.evaluate("navigator.clipboard.readText()") == LINK


def test_print_prints(phone):
    page = phone(ARTICLE, PRINTS)
    page.tab.get_by_role("button", name="打印").click()
    assert page.tab.evaluate("printed")


class TestReading:
    def test_a_voice_reads_the_page_and_nothing_around_it(self, phone):
        page = phone(ARTICLE, SPEAKS % ITS_OWN % "zh-CN")
        page.tab.get_by_role("button", name="朗读").click()
        said = page.tab.evaluate("speechSynthesis.said.map(one => one.text)")
        assert said[0] == page.tab.locator("h1").inner_text()
        assert any("先关阀门" in sentence or "关阀" in sentence for sentence in said[1:])
        assert not any(word in "".join(said) for word in ("复制链接", "打印", "相关内容", "扫码"))
        assert max(map(len, said)) < 150

    def test_a_second_tap_stops_it_and_so_does_its_end(self, phone):
        page = phone(ARTICLE, SPEAKS % ITS_OWN % "zh-CN")
        page.tab.get_by_role("button", name="朗读").click()
        page.tab.get_by_role("button", name="停止朗读").click()
        page.tab.get_by_role("button", name="朗读", exact=True).click()
        assert page.tab.evaluate("speechSynthesis.cancelled") == 1
        page.tab.evaluate("speechSynthesis.said[speechSynthesis.said.length - 1].onend()")
        assert page.tab.get_by_role("button", name="朗读", exact=True).is_visible()

    def test_of_the_voices_of_a_language_that_of_the_country_reads(self, phone):
        page = phone(ARTICLE, SPEAKS % ", ".join(ITS_OWN % lang for lang in ("zh-HK", "zh_CN", "zh-TW")))
        page.tab.get_by_role("button", name="朗读").click()
        assert page.tab.evaluate("speechSynthesis.said[0].lang") == "zh_CN"

    @pytest.mark.parametrize("voice", [ITS_OWN % "fr-FR", "{lang: 'zh-CN', localService: false}"])
    def test_without_a_voice_for_it_in_the_phone_itself_nothing_is_offered(self, phone, voice):
        page = phone(ARTICLE, SPEAKS % voice)
        assert not page.tab.locator("[data-do=read]").is_visible()
        assert page.complaints == []


def test_without_javascript_nothing_is_offered_that_does_nothing(phone):
    page = phone(GUIDE, java_script_enabled=False)
    assert not page.tab.locator(".aids").is_visible()


def test_a_camera_finds_the_way_back_from_paper(phone):
    page = phone(GUIDE, device_scale_factor=2)
    assert not page.tab.locator(".paper").is_visible()
    page.tab.emulate_media(media="print")
    picture = Image.open(io.BytesIO(page.tab.locator(".paper svg").screenshot())).convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [LINK.upper()]


def test_a_short_address_leads_on_at_once(phone, site):
    page = phone("A/S3M8Q")
    page.tab.wait_for_url(site.url + GUIDE)
    assert page.tab.locator("h1").inner_text().startswith("身份证丢了")


@pytest.mark.parametrize("mode", ["", "?elder=1"])
def test_an_alerts_short_address_says_how_it_stands_larger_than_anything(phone, mode):
    page = phone("A/XA001/" + mode)
    assert page.bottom(".standing .huge") <= PHONE[1]
    assert page.tab.locator(".standing .huge").first.inner_text().split() == ["还在找"]
    sizes = "[...document.querySelectorAll('main *')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    huge = "parseFloat(getComputedStyle(document.querySelector('.huge')).fontSize)"
    assert page.tab.evaluate(f"Math.max(...{sizes}) === {huge} && {huge} >= 45")


def test_what_is_in_a_long_page_is_one_tap_away(phone):
    page = phone("tip/long/")
    page.tab.locator(".contents a").last.click()
    name = page.tab.locator(".contents a").last.inner_text()
    expect(page.tab.get_by_role("heading", name=name)).to_be_in_viewport()


def test_only_what_is_in_force_offers_to_be_shared(phone):
    assert phone(CALL, SHARES).tab.get_by_role("button", name="分享").is_visible()
    for over in ("alert/missing-person-found/", "alert/drill/", "notice/over/", "notice/gone/"):
        assert phone(over, SHARES).tab.get_by_role("button", name="分享").count() == 0
