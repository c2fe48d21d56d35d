"""What an officer sees who writes: the page with its problems, the panel beside it, and each save at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, expect
from playwright.sync_api import Page as Tab

from installed import until
from stations import StationFolder, empty_station

from .conftest import DESKTOP, PHONE
from .test_axe import AXE, RUN

PATIENCE = 120_000.0
"""Milliseconds: the machine may be busy with something else."""
LONG = "先看一遍。\n\n" + "一段话。\n\n" * 60 + "- 火焰发黄\n- 打电话 13912345678\n\n{last}\n"
SERVE = "from gengfu_scheduler.cli import main; main()"


@dataclass(frozen=True, kw_only=True)
class Preview:
    station: StationFolder
    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    station = empty_station(tmp_path_factory.mktemp("station"))
    station.article("tip/long.md", LONG.format(last="最后一段"), id="T0N60", title="热水器")
    station.article("tip/broken.md", id="BR0KE", kind="tips")
    station.article("tip/later.md", id="RATE1", title="元旦安排", published="2099-01-01 08:00")
    with serving(station) as preview:
        yield preview


@contextmanager
def serving(station: StationFolder) -> Iterator[Preview]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", "--port", "0"],
        cwd=station.folder,
        env={**os.environ, "GENGFU_LANG": "zh-CN", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout
        try:
            said = until("/.preview/problems", process.stdout)
            url = re.search(r"http://[\d.:]+", said)
            assert url, said
            yield Preview(station=station, url=url[0], process=process)
        finally:
            process.terminate()


@contextmanager
def opened(
    chromium: Browser, address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light"
) -> Iterator[Tab]:
    """A tab, in which nothing may go wrong."""
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    context.set_default_timeout(PATIENCE)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(address)
    yield tab
    context.close()
    assert complaints == []


def panel(tab: Tab) -> FrameLocator:
    return tab.frame_locator(".preview-panel iframe")


def shows(tab: Tab, words: str) -> None:
    expect(tab.locator("main")).to_contain_text(words, timeout=PATIENCE)


def test_a_problem_stands_at_its_words_and_the_panel_beside_leads_to_it(
    chromium: Browser, preview: Preview
) -> None:
    with opened(chromium, preview.url + "/tip/long/") as tab:
        mark = tab.locator("li", has_text="打电话").get_by_role("note")
        expect(mark).to_contain_text("必须改 · 第")
        expect(mark).not_to_be_in_viewport()
        panel(tab).get_by_role("link", name=re.compile("第 .* 行")).first.click()
        expect(mark).to_be_in_viewport()
        mark.focus()
        expect(mark).to_be_focused()


def test_beside_it_stands_what_the_groups_of_three_platforms_will_see_with_the_limits(
    chromium: Browser, preview: Preview
) -> None:
    with opened(chromium, preview.url + "/tip/long/") as tab:
        chats = panel(tab).locator("section.chat")
        expect(chats.locator("h3")).to_have_text(["企业微信", "钉钉", "飞书"])
        for number in range(3):
            expect(chats.nth(number)).to_contain_text("热水器")
        expect(panel(tab).locator("meter")).to_have_count(3)
        expect(panel(tab).locator(".weights").nth(1)).to_contain_text("/ 20,000 字节")


def test_on_paper_it_has_as_many_sheets_as_it_takes_and_none_of_what_only_officers_see(
    chromium: Browser, preview: Preview
) -> None:
    with opened(chromium, preview.url + "/tip/long/") as tab:
        sheets = panel(tab).frame_locator("#sheet")
        expect(sheets.locator("#preview-sheets")).to_have_text("A4 纸共 3 页")
        expect(sheets.locator("h1")).to_have_text("热水器")
        expect(sheets.get_by_role("note")).to_have_count(0)
        sheets.locator("body").evaluate("() => { window.print = () => { window.top.printed = true; }; }")
        panel(tab).get_by_role("button", name="打印").click()
        tab.wait_for_function("window.printed")
        tab.emulate_media(media="print")
        for hidden in (".preview-panel", ".preview-mark", ".preview-bar"):
            expect(tab.locator(hidden)).to_be_hidden()


def test_a_save_is_shown_at_once_and_the_reader_stays_where_they_were(
    chromium: Browser, preview: Preview
) -> None:
    file = preview.station.folder / "content/tip/long.md"
    before = file.read_text("utf-8")
    with opened(chromium, preview.url + "/tip/long/") as tab:
        panel(tab).locator("#paper").scroll_into_view_if_needed()
        tab.locator(".prose").get_by_text("最后一段").scroll_into_view_if_needed()
        stood = tab.evaluate("window.scrollY")
        assert stood > 500
        file.write_text(before.replace("最后一段", "换了一段"), "utf-8")
        shows(tab, "换了一段")
        tab.wait_for_function("stood => window.scrollY === stood", arg=stood)
        expect(panel(tab).locator("#paper")).to_be_in_viewport()
    file.write_text(before, "utf-8")


def test_a_file_that_cannot_be_read_is_shown_with_its_problems_until_it_can(
    chromium: Browser, preview: Preview
) -> None:
    with opened(chromium, preview.url + "/tip/broken/") as tab:
        expect(tab.locator("#L5 .remarks")).to_contain_text("是不是想写“tip”？")
        preview.station.article("tip/broken.md", "写好了\n", id="BR0KE", kind="tip")
        shows(tab, "写好了")
        expect(panel(tab).locator(".notice")).to_contain_text("可以公开")
        preview.station.article("tip/broken.md", id="BR0KE", kind="tips")
        shows(tab, "是不是想写“tip”？")


def test_settings_with_a_mistake_leave_the_old_page_and_say_so(chromium: Browser, preview: Preview) -> None:
    file = preview.station.folder / "mkdocs.yml"
    before = file.read_text("utf-8")
    with opened(chromium, preview.url + "/tip/long/") as tab:
        file.write_text(before + "  - x: [\n", "utf-8")
        expect(panel(tab).get_by_role("alert")).to_contain_text("设置有错", timeout=PATIENCE)
        shows(tab, "最后一段")
        file.write_text(before, "utf-8")
        expect(panel(tab).get_by_role("alert")).to_have_count(0, timeout=PATIENCE)


def test_what_is_not_public_yet_says_so(chromium: Browser, preview: Preview) -> None:
    with opened(chromium, preview.url + "/tip/later/") as tab:
        expect(panel(tab).locator(".notice")).to_contain_text("2099-01-01 08:00 起公开")


def test_on_a_phone_one_line_leads_to_all_of_it_and_back(chromium: Browser, preview: Preview) -> None:
    with opened(chromium, preview.url + "/tip/long/", PHONE) as tab:
        expect(tab.locator(".preview-panel")).to_be_hidden()
        tab.get_by_role("link", name="1 处必须改").click()
        expect(tab.get_by_role("heading", name="群里的样子")).to_be_visible()
        tab.get_by_role("link", name="这篇文章").click()
        expect(tab.locator(".prose")).to_be_visible()


def test_the_panel_can_be_folded_and_stays_so(chromium: Browser, preview: Preview) -> None:
    with opened(chromium, preview.url + "/tip/long/") as tab:
        tab.get_by_role("button", name="收起").click()
        expect(tab.locator(".preview-panel")).to_be_hidden()
        tab.reload()
        expect(tab.locator(".preview-panel")).to_be_hidden()
        tab.get_by_role("link", name=re.compile("^预览")).click()
        expect(tab.locator(".preview-panel")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    chromium: Browser, preview: Preview, scheme: str, size: tuple[int, int]
) -> None:
    found = []
    for path in ("/tip/long/", "/tip/broken/", "/.preview/panel/tip/long/", "/.preview/problems"):
        with opened(chromium, preview.url + path, size, scheme) as tab:
            tab.evaluate(AXE)
            found += [f"{path} {wrong}" for wrong in tab.evaluate(RUN)]
            wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{path} {wide} px too wide"] if wide > 0 else []
    assert not found, "\n".join(found)


def test_a_preview_that_has_stopped_says_so(chromium: Browser, tmp_path: Path) -> None:
    station = empty_station(tmp_path)
    station.article()
    with serving(station) as preview:
        context = chromium.new_context()
        tab = context.new_page()
        tab.goto(preview.url + "/fraud/brushing/")
        expect(tab.locator("#preview-lost")).to_be_hidden()
        preview.process.terminate()
        expect(tab.locator("#preview-lost")).to_be_visible(timeout=PATIENCE)
        context.close()
