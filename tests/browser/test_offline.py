"""Without a network: what was seen before opens and says of when it is, what was not gives way to the emergency page,
and nothing of an alert is kept by any phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

from .conftest import waits_until
from .town import Town, town_in

KEPT = """async () => {
  const pages = {};
  for (const name of await caches.keys())
    for (const page of await (await caches.open(name)).keys())
      pages[page.url.slice(SITE.length)] = await (await caches.match(page)).text();
  return pages;
}"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_in(tmp_path_factory.mktemp("town")) as town:
        yield town


class Phone:
    """A resident's phone. Verbs: ``phone.visit(page)``, ``phone.kept()``, ``phone.waits_until_kept(page)``."""

    def __init__(self, tab: Tab, town: Town) -> None:
        self.tab, self.town = tab, town
        self.complaints: list[str] = []
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def visit(self, page: str) -> str:
        """What the page reads."""
        self.tab.goto(self.town.url + page)
        return self.tab.locator("main").inner_text()

    def kept(self) -> dict[str, str]:
        """Every page the phone keeps, by its address below the site."""
        return self.tab.evaluate(KEPT.replace("SITE", repr(self.town.url)))

    def waits_until(self, condition: str) -> None:
        waits_until(self.tab, condition)

    def waits_until_kept(self, page: str) -> None:
        self.waits_until(f"await caches.match({self.town.url + page!r}) !== undefined")

    def comes(self, page: str) -> None:
        """For the first time: the site's worker sets itself up behind the page, and answers from then on."""
        self.visit(page)
        self.waits_until("(navigator.serviceWorker.controller || {}).state === 'activated'")
        self.waits_until_kept("emergency/")
        deadline = monotonic() + 60
        while not self.tab.goto(self.town.url + "robots.txt").from_service_worker:
            assert monotonic() < deadline, "the worker answers no request"


@pytest.fixture
def phone(chromium: Browser, town: Town) -> Iterator[Callable[..., Phone]]:
    contexts = []

    def take(**settings: Any) -> Phone:
        contexts.append(chromium.new_context(viewport={"width": 360, "height": 740}, **settings))
        return Phone(contexts[-1].new_page(), town)

    yield take
    for context in contexts:
        context.close()


def test_the_page_one_came_by_opens_again_and_says_of_when_it_is(phone, town) -> None:
    hand = phone()
    hand.comes("fraud/brushing/")
    hand.waits_until_kept("fraud/brushing/")
    with town.down():
        assert "现在连不上网。这是 " in hand.visit("fraud/brushing/?elder=1#p--main")
        assert hand.tab.locator("h1").inner_text() == "刷单返利"
    assert "现在连不上网" not in hand.visit("fraud/brushing/")


def test_so_does_every_page_seen_since(phone, town) -> None:
    hand = phone()
    hand.comes("")
    hand.visit("tip/gas/")
    hand.waits_until_kept("tip/gas/")
    hand.waits_until_kept("")
    with town.down():
        for page, title in (("", "青松路派出所"), ("tip/gas/", "燃气安全")):
            hand.visit(page)
            assert title in hand.tab.title()


def test_a_page_never_seen_gives_way_to_the_emergency_page_whose_links_lead_on(phone, town) -> None:
    hand = phone()
    hand.comes("")
    hand.waits_until_kept("")
    with town.down():
        text = hand.visit("fraud/brushing/")
        assert "现在连不上网，要看的那一页手机里没有存" in text
        assert "有人犯罪、有危险" in text
        assert hand.tab.locator("main a[href='tel:110']").count() == 1
        assert hand.tab.locator(".top .home").evaluate("link => link.href") == town.url
        hand.tab.locator(".crumbs a").click()
        expect(hand.tab.locator("main")).to_contain_text("现在连不上网。这是 ")


def test_once_there_is_a_network_again_the_page_itself_can_be_asked_for(phone, town) -> None:
    hand = phone()
    hand.comes("")
    with town.down():
        hand.visit("fraud/brushing/")
    hand.tab.get_by_role("link", name="再试一次").click()
    hand.tab.get_by_role("heading", name="刷单返利").wait_for()


def test_a_network_that_takes_too_long_does_not_keep_one_from_a_page_that_is_there(phone, town) -> None:
    hand = phone()
    hand.comes("tip/gas/")
    hand.waits_until_kept("tip/gas/")
    with town.crawling():
        assert "现在连不上网。这是 " in hand.visit("tip/gas/")


def test_a_server_that_is_broken_does_not_keep_one_from_it_either(phone, town) -> None:
    hand = phone()
    hand.comes("tip/gas/")
    hand.waits_until_kept("tip/gas/")
    with town.broken():
        assert "现在连不上网。这是 " in hand.visit("tip/gas/")
        hand.tab.goto(town.url + "fraud/brushing/")
        assert "现在连不上网" not in hand.tab.content()


def test_a_page_that_is_not_this_sites_is_not_kept(phone, town) -> None:
    """Below the same address a portal may have pages of its own, a gateway its notices."""
    (town.folder / "mine").mkdir(exist_ok=True)
    (town.folder / "mine/index.html").write_text(
        "<!doctype html><meta charset=utf-8><body><main>张三的待办</main>", encoding="utf-8"
    )
    hand = phone()
    hand.comes("")
    assert "张三" in hand.visit("mine/")
    hand.visit("tip/gas/")
    hand.waits_until_kept("tip/gas/")
    assert "mine/" not in hand.kept()


def test_nothing_of_an_alert_is_kept(phone, town) -> None:
    """Neither its page nor its permalink, nor a list or a banner that names it."""
    hand = phone()
    hand.comes("alert/elder/")
    hand.visit("alert/elder/")
    for page in ("alert/", "A/A5W3R/", "alert/road/", "area/qingsong/", "topic/fire/", "", "tip/gas/"):
        assert "寻找走失老人" in hand.tab.content()
        hand.visit(page)
    for page in ("", "tip/gas/"):
        hand.waits_until_kept(page)
    kept = hand.kept()
    assert sorted(kept) == ["", "emergency/", "tip/gas/"]
    assert [page for page, text in kept.items() if "寻找走失老人" in text or "隧道封闭" in text] == []
    with town.down():
        assert "手机里没有存" in hand.visit("alert/elder/")
        hand.visit("")
        assert hand.tab.locator(".banner").count() == 0


@pytest.mark.parametrize("gone", ["withdrawn", "taken away"])
def test_what_has_left_the_site_leaves_the_phone_that_hears_of_it(phone, town, gone) -> None:
    article = town.station.article("tip/wrong.md", id="G1000", kind="tip")
    town.publish()
    hand = phone()
    hand.comes("tip/wrong/")
    hand.waits_until_kept("tip/wrong/")
    if gone == "withdrawn":
        town.station.article("tip/wrong.md", id="G1000", kind="tip", withdrawn="写错了")
    else:
        article.unlink()
    town.publish()
    hand.tab.goto(town.url + "tip/wrong/")
    hand.waits_until(f"await caches.match({town.url + 'tip/wrong/'!r}) === undefined")


def test_a_phone_keeps_sixty_pages_and_lets_the_oldest_go(phone, town) -> None:
    hand = phone()
    hand.comes("")
    hand.waits_until_kept("")
    hand.tab.evaluate(
        """async () => {
          const store = await caches.open((await caches.keys())[0]);
          for (let n = 100; n < 160; n++) await store.put(`old/${n}/`, new Response("old"));
        }"""
    )
    hand.visit("tip/gas/")
    hand.waits_until("(await (await caches.open((await caches.keys())[0])).keys()).length === 61")
    kept = set(hand.kept())
    assert {"emergency/", "old/101/", "old/159/", "tip/gas/"} < kept
    assert not {"", "old/100/"} & kept


def test_what_an_earlier_version_kept_is_left_behind_and_what_is_anothers_is_not(phone, town) -> None:
    hand = phone()
    hand.tab.goto(town.url + "robots.txt")
    hand.tab.evaluate(
        "site => Promise.all([`gengfu-0 ${site}`, 'gengfu-0 https://other.example/', 'portal'].map(n => caches.open(n)))",
        town.url,
    )
    hand.comes("")
    hand.waits_until("!(await caches.keys()).some(name => name.startsWith('gengfu-0 http://127'))")
    assert {"gengfu-0 https://other.example/", "portal"} < set(hand.tab.evaluate("caches.keys()"))


def test_the_emergency_page_is_asked_for_again_when_it_is_a_day_old(phone, town) -> None:
    hand = phone()
    hand.comes("")
    hand.tab.evaluate(
        """async () => {
          const page = document.body.dataset.home + "emergency/", store = await caches.open((await caches.keys())[0]);
          const date = new Date(Date.now() - 25 * 36e5).toUTCString();
          await store.put(page, new Response("yesterday's", { headers: { date } }));
        }"""
    )
    hand.visit("tip/gas/")
    hand.waits_until(
        f"!(await (await caches.match({town.url + 'emergency/'!r})).text()).startsWith('yesterday')"
    )


def test_where_the_worker_is_refused_the_page_misses_nothing(phone, town) -> None:
    hand = phone(service_workers="block")
    assert "正文" in hand.visit("fraud/brushing/")
    hand.tab.wait_for_load_state("networkidle")
    assert hand.complaints == []
