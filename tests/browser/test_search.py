"""Search in a real Chromium: finds what a reader of every article finds, best first, and is a page like any other."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Route, expect
from playwright.sync_api import Page as Tab

from gengfu_site import search

from .conftest import AT, Site, visit

PHONE = (360, 740)
STATUS, RESULTS = "#p--search-status", "#p--search-list li"

# Each finds with no words that mean the same, as a reader would who only knows the query.
NUMBERS = """async (queries) => {
  const said = document.getElementById("p--search-page").dataset, found = [];
  const index = window.openIndex(said.edition, +said.shards);
  for (const query of queries) {
    const results = window.results(index, await window.find(index, query, [], "", ""));
    const articles = await results.more(1000);
    found.push(articles.slice(0, results.told()[0]).map((article) => article.url).sort());
  }
  return found;
}"""
LISTED = """async ([list, places]) => {
  const fetch = window.fetch, kinds = "t".repeat(places);
  window.fetch = async (path) => ({ ok: true, json: () => (path.startsWith("kinds") ? kinds : { gram: list }) });
  const held = await window.openIndex("", 1).prominence(["gram"]);
  window.fetch = fetch;
  return [...held.entries()].filter(([number, prominence]) => prominence >= 0);
}"""
FOLDED = "texts => texts.map(text => window.words.fold(text).folded)"
GRAMS = "texts => texts.map(text => window.words.grams(text))"


@pytest.fixture(scope="module")
def opened(chromium: Browser, site: Site) -> Iterator[Tab]:
    """The search page, which no test of this module leaves."""
    with visit(chromium, site.url + "search/", PHONE) as seen:
        yield seen.tab
        assert seen.complaints == []


@pytest.fixture
def tab(chromium: Browser, site: Site) -> Iterator[Tab]:
    """A tab of its own, on the home page."""
    with visit(chromium, site.url, PHONE) as seen:
        yield seen.tab
        assert seen.complaints == []


def ask(tab: Tab, site: Site, query: str) -> list[str]:
    """Titles of what the page finds for an address."""
    tab.goto(f"{site.url}search/?{query}")
    return titles(tab)


def titles(tab: Tab) -> list[str]:
    expect(tab.locator(STATUS)).to_contain_text("找到")
    return [link.inner_text() for link in tab.locator(f"{RESULTS} a").all()]


def texts(site: Site) -> dict[str, list[str]]:
    """What the index holds of each article, folded, by its address: title, summary and all else."""
    found = {}
    for file in sorted((site.folder / "search/articles").iterdir()):
        shown = json.loads(file.read_text("utf-8"))
        text = json.loads((site.folder / "search/texts" / file.name).read_text("utf-8"))
        found[shown["url"]] = [search.fold(part) for part in (shown["title"], shown["summary"], text)]
    return found


def test_the_script_reads_a_list_of_any_length_as_it_was_written(opened: Tab) -> None:
    chance = random.Random(1)
    for places in (1, 60, 1024, 1025, 5000, 50_000):
        numbers = sorted({places - 1, *chance.choices(range(places), k=40)})
        held = [[number, chance.randrange(4)] for number in numbers]
        written = search.encoded([4 * number + prominence for number, prominence in held])
        assert opened.evaluate(LISTED, [written, places]) == held


def test_every_string_finds_every_article_that_holds_it_and_no_other(opened: Tab, site: Site) -> None:
    read, chance, asked = texts(site), random.Random(1), []
    for _query in range(200):
        text = max(chance.choice(list(read.values())), key=lambda part: (len(part), chance.random()))
        start = chance.randrange(len(text) - 1)
        asked.append(text[start : start + chance.randint(2, 12)])
    asked = [query for query in asked if len(query) > 1]
    expected = [
        sorted(url for url, parts in read.items() if any(query in part for part in parts)) for query in asked
    ]
    assert len(asked) > 180
    assert dict(zip(asked, opened.evaluate(NUMBERS, asked), strict=True)) == dict(
        zip(asked, expected, strict=True)
    )


def test_the_page_folds_every_character_as_the_index_does(opened: Tab) -> None:
    """Of those that both know: their tables of Unicode are of different years."""
    known = (chr(code) for code in (*range(0xD800), *range(0xE000, 0x3134B)))
    alone = [sign for sign in known if unicodedata.category(sign) not in ("Cn", "Co")]
    assert len(alone) > 100_000
    assert opened.evaluate(FOLDED, alone) == [search.fold(sign) for sign in alone]


@pytest.mark.parametrize("text", ["cafe\u0301 №5", "ＡＢＣ１２", "𠮷先生，12345！", "İstanbul", "ﬁ㎡"])
def test_the_page_folds_a_text_as_the_index_does(opened: Tab, text: str) -> None:
    assert opened.evaluate(FOLDED, [text]) == [search.fold(text)]


@pytest.mark.parametrize(
    ("word", "grams"),
    [
        ("身份证", ["身份", "份证"]),
        ("打96110吧", ["打9", "961", "611", "110", "0吧"]),
        ("a4纸", ["a4", "4纸"]),
        ("𠮷先生", ["𠮷先", "先生"]),
        ("狗", ["狗"]),
    ],
)
def test_what_the_page_looks_up_is_in_the_index(opened: Tab, word: str, grams: list[str]) -> None:
    assert opened.evaluate(GRAMS, [word]) == [grams]
    assert set(grams) <= {*search.grams(word), *word}


class TestBestFirst:
    @pytest.mark.parametrize(
        ("query", "first"),
        [
            ("身份证丢了", "身份证丢了：本人来补领，40 元，不用登报"),
            ("户口本丢了", "户口簿丢了、坏了：户主或家人跑一次补发"),
            ("办身份证要多少钱", "身份证"),
            ("养狗要办什么手续", "给狗办登记：先打狂犬疫苗，再办犬证"),
            ("放鞭炮", "过年放烟花：先问能不能，再看放哪儿"),
            ("96110", "96110来电一定要接"),
            ("夜间巡逻", "冬季夜间巡逻开始，邻居们可以这样帮忙"),
            ("三句话防骗", "三句话防骗"),
        ],
    )
    def test_the_first_is_the_one(self, tab: Tab, site: Site, query: str, first: str) -> None:
        assert first in ask(tab, site, f"q={quote(query)}")[0]

    def test_title_before_summary_before_text(self, tab: Tab, site: Site) -> None:
        shown = ask(tab, site, f"q={quote('充电')}")
        assert ["充电" in title for title in shown] == sorted(
            ("充电" in title for title in shown), reverse=True
        )

    def test_what_is_over_or_withdrawn_is_not_found(self, tab: Tab, site: Site) -> None:
        assert not {"夜间巡逻路线", "国庆期间窗口时间"} & {*ask(tab, site, f"q={quote('夜间巡逻路线')}")}

    def test_what_runs_out_while_the_page_is_public_leaves_by_the_readers_clock(
        self, chromium: Browser, site: Site
    ) -> None:
        with visit(chromium, site.url, PHONE) as seen:
            address = f"q={quote('寻找走失老人')}"
            assert ask(seen.tab, site, address)[0] == "寻找走失老人"
            seen.tab.context.clock.set_fixed_time("2026-11-25")
            assert "寻找走失老人" not in ask(seen.tab, site, address)


class TestThePage:
    def test_says_how_many_and_marks_them(self, tab: Tab, site: Site) -> None:
        assert ask(tab, site, f"q={quote('夜间巡逻')}") == ["冬季夜间巡逻开始，邻居们可以这样帮忙"]
        assert tab.locator(STATUS).inner_text() == "找到 1 篇。"  # and no other is like it
        assert tab.locator(STATUS).get_attribute("role") == "status"
        assert {mark.inner_text() for mark in tab.locator("mark").all()} == {"夜间巡逻"}
        assert "办事指南" not in tab.locator(RESULTS).inner_text()
        assert "警讯通告" in tab.locator(RESULTS).inner_text()

    def test_shows_the_place_in_the_text_that_holds_the_words(self, tab: Tab, site: Site) -> None:
        ask(tab, site, f"q={quote('黑客追款')}")
        assert "不要相信网上“黑客追款”" in tab.locator(f"{RESULTS} p").first.inner_text()

    def test_says_what_it_shows_when_nobody_wrote_the_question(self, tab: Tab, site: Site) -> None:
        assert ask(tab, site, f"q={quote('办身份证要多少钱')}")
        assert tab.locator(STATUS).inner_text().startswith("没有找到整句“办身份证要多少钱”，下面 ")

    def test_says_that_it_found_nothing_and_how_else_to_find_it(self, tab: Tab, site: Site) -> None:
        assert ask(tab, site, "q=%3Cb%3Exyzw%24%26") == []
        assert tab.locator(STATUS).inner_text().startswith("没有找到“<b>xyzw$&”。")
        expect(tab.locator("main a[href='tel:12345']")).to_be_visible()
        expect(tab.get_by_role("link", name="燃气安全")).to_be_visible()

    def test_a_kind_and_a_place_narrow_it(self, tab: Tab, site: Site) -> None:
        everything = ask(tab, site, f"q={quote('桃园社区')}")
        tab.locator("select[name=kind]").select_option(label="紧急警情")
        expect(tab.locator(f"{RESULTS} .soft span").first).to_have_text("紧急警情")
        assert set(titles(tab)) < {*everything, "寻找走失老人"}
        assert ask(tab, site, f"q={quote('社区')}&area=hedong/xinqiao")
        for link in tab.locator(f"{RESULTS} a").all():
            page = (
                site.folder / unquote(urlsplit(link.evaluate("a => a.href")).path).lstrip("/") / "index.html"
            )
            assert "area/hedong/" in page.read_text("utf-8").partition("<main")[2]

    def test_more_are_shown_when_asked_for_and_the_keyboard_goes_on_there(self, tab: Tab, site: Site) -> None:
        first = ask(tab, site, f"q={quote('派出所')}")
        tab.get_by_role("button", name="显示更多").press("Enter")
        expect(tab.locator(RESULTS)).to_have_count(16)
        assert titles(tab)[: len(first)] == first
        assert tab.evaluate("document.activeElement.textContent") == titles(tab)[8]

    def test_impatient_taps_show_each_article_once(self, tab: Tab, site: Site) -> None:
        ask(tab, site, f"q={quote('派出所')}")
        tab.get_by_role("button", name="显示更多").evaluate("more => { more.click(); more.click(); }")
        expect(tab.locator(RESULTS)).to_have_count(16)
        assert len({*titles(tab)}) == 16

    def test_more_that_does_not_come_is_said_and_comes_at_another_tap(
        self, chromium: Browser, site: Site
    ) -> None:
        with visit(chromium, f"{site.url}search/?q={quote('派出所')}", PHONE) as seen:
            more = seen.tab.get_by_role("button", name="显示更多")
            seen.tab.context.set_offline(True)
            more.click()
            expect(seen.tab.locator(STATUS)).to_contain_text("网络不通")
            seen.tab.context.set_offline(False)
            more.click()
            expect(seen.tab.locator(RESULTS)).to_have_count(16)

    def test_a_kind_alone_shows_all_of_it(self, tab: Tab, site: Site) -> None:
        assert len(ask(tab, site, "kind=video")) == len(list((site.folder / "video").glob("[!p]*/")))

    def test_letters_on_the_way_to_a_chinese_word_are_no_query(self, tab: Tab, site: Site) -> None:
        tab.goto(site.url + "who/")
        keys = tab.context.new_cdp_session(tab)
        tab.get_by_role("searchbox").focus()
        lines = tab.locator("[data-filtered] li:visible")
        every = lines.count()
        keys.send("Input.imeSetComposition", {"text": "gou", "selectionStart": 3, "selectionEnd": 3})
        assert lines.count() == every
        keys.send("Input.insertText", {"text": "狗"})
        expect(lines).not_to_have_count(every)

    def test_the_home_pages_form_leads_to_it(self, tab: Tab, site: Site) -> None:
        tab.get_by_label("搜索本站").fill("灭火器")
        tab.get_by_role("button", name="搜索").click()
        expect(tab).to_have_title("灭火器 - 搜索 - 青松路派出所")
        assert "灭火器" in titles(tab)[0]

    def test_typing_finds_after_a_pause_and_the_field_keeps_the_focus(self, tab: Tab, site: Site) -> None:
        tab.goto(site.url + "search/")
        tab.get_by_role("searchbox").press_sequentially("酒驾")
        tab.wait_for_url(f"**q={quote('酒驾')}")
        expect(tab.locator("mark").first).to_be_visible()
        assert tab.evaluate("document.activeElement.name") == "q"

    def test_once_asked_the_phones_keyboard_makes_way_for_what_is_found(self, tab: Tab, site: Site) -> None:
        tab.goto(site.url + "search/")
        tab.get_by_role("searchbox").fill("酒驾")
        tab.get_by_role("searchbox").press("Enter")
        assert titles(tab)
        assert tab.evaluate("document.activeElement === document.body")

    def test_a_word_typed_after_the_way_back_takes_nothing_from_it(self, tab: Tab, site: Site) -> None:
        field = tab.get_by_role("searchbox")
        ask(tab, site, f"q={quote('灭火器')}")
        for word in ("头盔", "燃气"):
            field.fill(word)
            tab.wait_for_url(f"**q={quote(word)}")
            tab.go_back()
            expect(field).to_have_value("灭火器")

    def test_the_way_back_leads_through_what_was_asked_for(self, tab: Tab, site: Site) -> None:
        field = tab.get_by_role("searchbox")
        first = ask(tab, site, f"q={quote('灭火器')}")
        field.fill("头盔")
        field.press("Enter")
        expect(tab.locator("mark").first).to_have_text("头盔")
        tab.locator(f"{RESULTS} a").first.click()
        tab.wait_for_url(lambda address: "/search/" not in address)
        tab.go_back()
        expect(field).to_have_value("头盔")
        tab.go_back()
        expect(field).to_have_value("灭火器")
        expect(tab.locator("mark").first).to_have_text("灭火器")
        assert titles(tab) == first

    def test_a_network_that_fails_is_said_and_asked_again(self, chromium: Browser, site: Site) -> None:
        with visit(chromium, site.url + "search/", PHONE) as seen:
            tab = seen.tab

            def fail(route: Route) -> None:
                route.abort()

            tab.route("**/words/*.json*", fail)
            tab.get_by_role("searchbox").fill("灭火器")
            expect(tab.locator(STATUS)).to_contain_text("网络不通")
            expect(tab.locator(RESULTS)).to_have_count(0)
            tab.unroute("**/words/*.json*", fail)
            tab.get_by_role("searchbox").press("Enter")
            expect(tab.locator("mark").first).to_be_visible()

    def test_where_the_network_hangs_the_lists_serve(self, chromium: Browser, site: Site) -> None:
        with visit(chromium, site.url, PHONE) as seen:
            seen.tab.route("**/kinds.json*", lambda route: None)
            seen.tab.clock.pause_at(AT + timedelta(minutes=1))
            seen.tab.goto(f"{site.url}search/?q={quote('灭火器')}")
            seen.tab.clock.run_for(1000)
            expect(seen.tab.locator(STATUS)).to_have_text("正在找……")
            expect(seen.tab.get_by_role("link", name="燃气安全")).to_be_hidden()
            seen.tab.clock.run_for(5000)
            expect(seen.tab.get_by_role("link", name="燃气安全")).to_be_visible()

    def test_without_javascript_the_lists_serve(self, chromium: Browser, site: Site) -> None:
        with visit(chromium, site.url + "search/?q=x", PHONE, java_script_enabled=False) as seen:
            expect(seen.tab.locator("form")).to_be_hidden()
            expect(seen.tab.get_by_text("按下面的栏目和主题一样能找到")).to_be_visible()
            expect(seen.tab.get_by_role("link", name="燃气安全")).to_be_visible()
