"""The ways in, on a small phone: who comes by a door plate's code finds a number before anything is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from posixpath import join, normpath

import pytest
from playwright.sync_api import Browser, Route, expect

from gengfu_site.publish import publish
from stations import AT, MKDOCS_YML, StationFolder

from .conftest import Site, Visit, visit

SMALL = (360, 640)
WAYS = {"我被骗了": "scammed/", "要办证": "service/", "找我的民警": "area/"}

# Lines of text that stand above the first number to call, each row of words once.
LINES_ABOVE_A_NUMBER = """() => {
  const main = document.querySelector("main"), call = main.querySelector("a[href^='tel:']");
  const top = call.getBoundingClientRect().top, rows = new Set();
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let node; (node = walker.nextNode());) {
    range.selectNodeContents(node);
    if (node.data.trim() && node.parentElement.checkVisibility())
      for (const line of range.getClientRects()) if (line.bottom <= top) rows.add(Math.round(line.bottom / 4));
  }
  return rows.size;
}"""
LOW = """() => [...document.querySelectorAll("main .call, main .press, .needs a, .tiles a, .lines a, .search input, .search button")]
  .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 56)
  .map(e => e.className + " " + e.innerText)"""
REFUSED = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"


@pytest.fixture
def phone(chromium: Browser, site: Site) -> Iterator[Callable[..., Visit]]:
    with ExitStack() as opened:
        yield lambda address, **settings: opened.enter_context(
            visit(chromium, site.url + address, SMALL, **settings)
        )


def shown(home: Visit) -> str:
    """What the home page says of the resident's own community."""
    card = home.tab.locator("#p--mine")
    return " ".join(card.inner_text().split()) if card.is_visible() else ""


@pytest.mark.parametrize("address", ["", "?elder=1"])
def test_the_banner_and_the_four_ways_are_on_the_first_screen(phone, address: str) -> None:
    home = phone(address)
    assert home.tab.locator(".banner").is_visible()
    assert home.tab.locator(".needs a").count() == 4
    assert home.bottom(".needs") <= SMALL[1]


def test_the_first_way_calls_and_the_others_lead_where_they_say(phone, site: Site) -> None:
    home = phone("")
    assert home.tab.get_by_role("link", name="打110").get_attribute("href") == "tel:110"
    for name, address in WAYS.items():
        home.tab.goto(site.url)
        home.tab.get_by_role("link", name=name).first.click()
        home.tab.wait_for_url(site.url + address)


def test_each_way_shows_a_number_after_five_lines_at_most(phone, site: Site) -> None:
    tab = phone("").tab
    lines = {}
    for address in WAYS.values():
        tab.goto(site.url + address)
        lines[address] = tab.evaluate(LINES_ABOVE_A_NUMBER)
    assert {address: count for address, count in lines.items() if count > 5} == {}


def test_what_one_presses_is_as_high_as_a_thumb(phone, site: Site) -> None:
    tab = phone("").tab
    low = {}
    for address in ("", "emergency/", "who/", *WAYS.values(), "area/qingsong/taoyuan/", "404.html"):
        tab.goto(site.url + address)
        low[address] = tab.evaluate(LOW)
    assert {address: found for address, found in low.items() if found} == {}


def test_every_topic_is_within_three_taps_of_home(site: Site) -> None:
    reached, edge = {""}, {""}
    for _tap in range(3):
        edge = {target for page in edge for target in links(site, page)} - reached
        reached |= edge
    topics = {page for page in site.pages if re.fullmatch(r"topic/[^/]+/", page)}
    assert topics
    assert topics <= reached


def links(site: Site, page: str) -> set[str]:
    """Pages that the matter of one leads to."""
    file = site.folder / page
    text = (file / "index.html" if file.is_dir() else file).read_text("utf-8")
    main = text.partition("<main")[2].partition("</main>")[0]
    found = (
        normpath(join(page, link.partition("#")[0])) for link in re.findall(r'href="([^":]+/)[#"]', main)
    )
    return {"" if target == "." else target + "/" for target in found}


def test_a_door_plates_code_opens_the_communitys_card_and_the_phone_remembers_it(phone, site: Site) -> None:
    home = phone("?area=qingsong/taoyuan")
    assert shown(home) == "桃园社区 社区民警 李警官 0000-5550130 联系卡和本地通知 换一个社区"
    assert home.tab.locator("#p--mine .call").get_attribute("href") == "tel:0000-5550130"
    home.tab.goto(site.url)
    assert shown(home).startswith("桃园社区")
    home.tab.get_by_role("link", name="找我的民警 桃园社区").click()
    home.tab.wait_for_url(site.url + "area/qingsong/taoyuan/")


def test_another_houses_code_shows_its_community_and_keeps_ones_own(phone, site: Site) -> None:
    home = phone("?area=qingsong/taoyuan")
    home.tab.goto(site.url + "?area=hedong/linhe")
    assert shown(home).startswith("临河社区")
    home.tab.goto(site.url)
    assert shown(home).startswith("桃园社区")


def test_a_community_can_be_changed(phone, site: Site) -> None:
    home = phone("?area=qingsong/taoyuan")
    home.tab.get_by_role("button", name="换一个社区").click()
    assert (shown(home), home.tab.evaluate("document.activeElement.closest('#p--pick') !== null")) == (
        "",
        True,
    )
    officer = home.tab.get_by_role("link", name="找我的民警")
    assert (officer.get_attribute("href"), "桃园社区" in officer.inner_text()) == ("./area/", False)
    home.tab.get_by_role("link", name="松园社区").click()
    home.tab.get_by_role("button", name="这是我的社区").click()
    expect(home.tab.get_by_text("已记在这部手机上")).to_be_visible()
    home.tab.goto(site.url)
    assert shown(home).startswith("松园社区")


def test_a_community_that_is_no_more_gives_way_to_the_one_asked_for(phone, site: Site) -> None:
    home = phone("")
    home.tab.evaluate("localStorage.setItem('gengfu-area', 'qingsong/pulled-down')")
    home.tab.goto(site.url + "?area=qingsong/taoyuan")
    home.tab.goto(site.url)
    assert shown(home).startswith("桃园社区")


def test_a_community_can_be_forgotten_where_it_was_chosen(phone, site: Site) -> None:
    area = phone("area/qingsong/songyuan/")
    button = area.tab.get_by_role("button", name="这是我的社区")
    pressed = []
    for _press in range(2):
        button.click()
        pressed.append(button.get_attribute("aria-pressed"))
    area.tab.goto(site.url)
    assert (pressed, shown(area)) == (["true", "false"], "")


def test_a_community_that_is_none_is_passed_over(phone, site: Site) -> None:
    home = phone("")
    for asked in ("", "nowhere", "../../fraud", "javascript:alert(1)"):
        home.tab.goto(f"{site.url}?area={asked}")
        assert (shown(home), home.tab.locator("#p--pick").is_visible()) == ("", True), asked
    assert home.complaints == []


def test_a_phone_that_refuses_to_remember_is_shown_the_same_and_offered_no_button(phone, site: Site) -> None:
    home = phone("")
    home.tab.add_init_script(REFUSED)
    home.tab.goto(site.url + "?area=qingsong/taoyuan")
    assert shown(home).startswith("桃园社区")
    home.tab.goto(site.url + "area/qingsong/songyuan/")
    assert home.tab.get_by_role("button", name="这是我的社区").count() == 0
    assert home.complaints == []


def test_a_remembered_community_moves_nothing(phone) -> None:
    home = phone("?area=qingsong/taoyuan")
    home.tab.reload()
    assert home.tab.evaluate("measured['layout-shift'].map(shift => shift.value)") == []


def test_without_scripts_everything_is_there_and_nothing_is_dead(phone, site: Site) -> None:
    home = phone("?area=qingsong/taoyuan", java_script_enabled=False)
    assert (shown(home), home.tab.get_by_role("link", name="桃园社区").is_visible()) == ("", True)
    home.tab.goto(site.url + "who/")
    assert home.tab.locator(".search").is_visible() is False
    assert home.tab.locator("main .contacts li").count() >= 18


def test_a_few_signs_shorten_the_table_and_12345_always_stays(phone) -> None:
    who = phone("who/")
    lines, field = who.tab.locator("[data-filtered] li:visible"), who.tab.get_by_role("searchbox")
    whole = lines.count()
    for typed, first, few in (
        ("狗", "噪声", 2),
        ("路 灯", "路灯", 1),
        ("外星人", "", 0),
        ("", "噪声", whole),
    ):
        field.fill(typed)
        assert lines.count() == few
        assert not few or lines.first.inner_text().startswith(first)
        assert who.tab.get_by_text("这里没有对上的").is_visible() is (few == 0)
        assert who.tab.get_by_role("link", name="12345").first.is_visible()


def test_a_town_with_more_communities_than_home_can_carry_still_knows_ones_own(
    chromium: Browser, station: StationFolder
) -> None:
    many = "".join(f"        - {{name: 社区{n}, slug: c{n}}}\n" for n in range(61))
    station.file("mkdocs.yml", MKDOCS_YML.partition("      areas:\n")[0] + "      areas:\n" + many)
    publish(station.settings, AT)
    with opened_from(station.folder / "public", chromium, "?area=c42") as home:
        assert shown(home) == "联系卡和本地通知 换一个社区"
        home.tab.get_by_role("link", name="联系卡和本地通知").click()
        expect(home.tab.get_by_role("heading", name="社区42")).to_be_visible()
        home.tab.goto("http://town.example/area/")
        home.tab.get_by_role("searchbox").fill("社区42")
        assert home.tab.locator("main section:visible").count() == 1
        assert home.complaints == []


@contextmanager
def opened_from(folder: Path, chromium: Browser, address: str) -> Iterator[Visit]:
    """A page of the site in ``folder``, without a server."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://town.example/").partition("?")[0]
        file = folder / path / "index.html" if path.endswith("/") or not path else folder / path
        route.fulfill(path=file) if file.is_file() else route.fulfill(status=404)

    context = chromium.new_context(viewport={"width": SMALL[0], "height": SMALL[1]}, service_workers="block")
    context.route("**/*", answer)
    home = Visit(context.new_page())
    home.tab.on("console", lambda said: home.complaints.append(f"{said.type}: {said.text}"))
    home.tab.on("pageerror", lambda error: home.complaints.append(str(error)))
    home.tab.goto("http://town.example/" + address)
    yield home
    context.close()
