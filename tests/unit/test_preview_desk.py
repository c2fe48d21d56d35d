"""The preview's addresses: the page residents get, what it says besides, and what it keeps to itself."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from urllib.parse import unquote

import pytest

from gengfu_site import signing
from gengfu_site.catalogue import Entry, Station
from gengfu_site.cli import building
from gengfu_site.output import Site
from gengfu_site.preview import Desk, Looks, Shown
from gengfu_site.problems import GengfuError, Problem
from gengfu_site.publish import preview
from stations import AT, StationFolder

PAGE = "/fraud/brushing/"
ALERT = {"kind": "alert", "expires": "2026-12-01", "alert": "{form: 火情, place: 桃园, tell: '119'}"}


def desk(station: StationFolder, looks: Looks | None = None) -> Desk:
    """The preview of the station as it lies in its folder."""
    folder = station.folder / "made" / "public"
    library, problems = preview(station.settings, AT, folder)
    return Desk(Shown(at=AT, folder=folder, library=library, problems=tuple(problems)), looks)


def get(desk: Desk, path: str, status: int = 200) -> str:
    answer = desk.answer(path, 7)
    assert answer.status == status, answer
    return answer.body.decode()


def words(html: str) -> str:
    """What a reader reads."""
    return re.sub(r"\s+", " ", re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL))


def residents_part(html: str) -> str:
    """A page without what the preview put into it."""
    html = re.sub(r'<span class="preview-mark.*?</span></span>', "", html, flags=re.DOTALL)
    return html.partition('<p class="preview-lost"')[0].rpartition("<style>")[0] + "</body>\n</html>"


def test_a_page_is_the_residents_own_but_for_what_is_put_into_it_and_allowed_there(
    station: StationFolder,
) -> None:
    station.article(body="电话 13912345678\n")
    shown = desk(station)
    public = (shown.shown.folder / "fraud/brushing/index.html").read_text("utf-8")
    policy = re.compile(r'content="default-src[^"]*"')
    assert policy.sub("", residents_part(get(shown, PAGE))) == policy.sub("", public)


def test_a_problem_stands_on_the_page_and_in_the_panel_which_leads_to_it(station: StationFolder) -> None:
    file = station.article(body="先看一遍\n\n电话 13912345678\n")
    line = file.read_text("utf-8").split("\n").index("电话 13912345678") + 1
    shown = desk(station)
    assert f"电话 13912345678 ✕ 必须改 · 第 {line} 行 这里有手机号（139****5678）" in words(get(shown, PAGE))
    panel = get(shown, "/.preview/panel" + PAGE)
    assert "有 1 处必须改" in words(panel)
    [mark] = re.findall(r'href="(/fraud/brushing/#[^"]*)"', panel)
    assert f'id="{mark.partition("#")[2]}"' in get(shown, PAGE)


def test_two_problems_of_one_place_stand_in_their_order(station: StationFolder) -> None:
    station.article(body="电话 13912345678，车牌 京A12345\n")
    shown = desk(station)
    assert re.findall(r'id="(preview-\d)" role', get(shown, PAGE)) == ["preview-1", "preview-2"]


@pytest.mark.parametrize("body", ["先看两遍\n\n- 又\n- 多\n- 了\n", None])
def test_a_page_is_shown_though_its_file_was_saved_anew_since_or_taken_away(
    station: StationFolder, body: str | None
) -> None:
    file = station.article(body="先看一遍\n")
    shown = desk(station)
    if body is None:
        file.unlink()
    else:
        station.article(body=body)
    assert "先看一遍" in words(get(shown, PAGE))
    assert "先看一遍" in shown.shown.library.articles[0].html  # of which the rest may yet be made


def test_advice_is_told_apart_from_what_must_be_mended(station: StationFolder) -> None:
    station.article(body="请马上转发到每一个群\n")
    assert "△ 提醒" in words(get(desk(station), PAGE))
    assert "可以公开" in words(get(desk(station), "/.preview/panel" + PAGE))


def test_what_cannot_be_read_as_an_article_is_shown_as_its_file_with_the_problems_at_their_lines(
    station: StationFolder,
) -> None:
    station.article(kind="frad")
    shown = desk(station)
    html = get(shown, PAGE)
    assert "所以没有网页" in words(html)
    assert re.search(r'<li id="L5"><pre>kind: frad</pre>\s*<ul class="remarks">', html)
    assert html == get(shown, "/.preview/file/content/fraud/brushing.md")
    assert "/.preview/file/content/fraud/brushing.md#L5" in get(shown, "/.preview/problems")


def test_of_a_file_that_is_too_long_for_an_article_so_much_is_shown_as_one_may_hold(
    station: StationFolder,
) -> None:
    secret = "https://oapi.dingtalk.com/robot/send?access_token=693a91f6"
    station.article(body=f"{'火' * 42_000}\n{secret}\n{'水' * 500_000}")
    html = get(desk(station), PAGE)
    assert len(html) < 200_000
    assert ("文件最大" in html, "火" in html, "水" in html, "693a91f6" in html) == (True, True, False, False)
    assert "后面还有" in words(html)


def test_a_file_that_is_no_article_yet_says_what_its_text_lacks_and_might_better_say(
    station: StationFolder,
) -> None:
    station.article(summary=None, body="电话 13912345678\n\n马上转发到群里\n")
    shown = words(get(desk(station), PAGE))
    for said in ("缺少字段“summary”", "手机号（139****5678）", "求人转发"):
        assert said in shown


@pytest.mark.skipif(os.name == "nt", reason="no file of such a name can be there")
def test_an_article_is_shown_whatever_its_file_is_called(station: StationFolder) -> None:
    station.article("fraud/甲 “乙” \"丙\" <b>'丁'?:*|😀.md", body="电话 13912345678\n")
    shown = desk(station)
    [url] = shown.shown.by_url
    html = get(shown, f"/{url}")
    assert "必须改" in words(html)
    assert "<b>'丁'" not in html
    [panel] = re.findall(r'iframe src="([^"]*)"', html)
    assert "有 1 处必须改" in words(get(shown, unquote(panel)))


def test_an_address_longer_than_any_name_leads_nowhere(station: StationFolder) -> None:
    get(desk(station), f"/{'a' * 5000}/", status=404)


def test_a_file_in_another_encoding_is_shown_in_readable_words(station: StationFolder) -> None:
    station.file("content/fraud/brushing.md", "---\ntitle: 刷单返利\n---\n".encode("gb18030"))
    assert "刷单返利" in get(desk(station), PAGE)


def test_an_article_whose_time_has_not_come_is_shown_as_it_will_be_with_its_files(
    station: StationFolder,
) -> None:
    station.file("content/fraud/named.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>')
    station.article(published="2026-12-01 08:00", body="![图](named.svg)\n")
    shown = desk(station)
    assert "发布 2026-12-01" in words(get(shown, PAGE))
    assert "2026-12-01 08:00 起公开" in words(get(shown, "/.preview/panel" + PAGE))
    assert "<svg" in get(shown, "/fraud/named.svg")
    assert "刷单返利" in words(get(shown, "/.preview/problems"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"withdrawn": "写错了"}, "已经撤下"),
        ({"expires": "2026-11-20"}, "已经过期"),
        (ALERT, "发出去：gengfu alert F7K2Q"),
        (ALERT | {"alert": "{form: 火情, place: 桃园, tell: '119', state: resolved}"}, "gengfu build"),
        (ALERT | {"alert": "{form: 火情, place: 桃园, tell: '119', status: exercise}"}, "这是演练"),
    ],
)
def test_how_it_stands_with_the_article_is_said(
    station: StationFolder, fields: dict[str, str], said: str
) -> None:
    station.article(**fields)
    assert said in words(get(desk(station), "/.preview/panel" + PAGE))


def test_what_a_missing_persons_data_lacks_is_told_beside_the_alert_and_the_data_is_not_shown(
    station: StationFolder,
) -> None:
    fields = {"kind": "alert", "expires": "2026-12-01", "alert": "{form: 走失, place: 桃园, tell: '110'}"}
    station.article("alert/child.md", id="A5W3R", **fields)
    station.file("private/A5W3R.yml", "name: 小满\nlast_seen: 南门\nerase_after: 2026-11-25\n")
    panel = get(desk(station), "/.preview/panel/alert/child/")
    assert "private/A5W3R.yml 第 1 行" in words(panel)
    assert "缺少字段“basis”" in words(panel)
    assert "小满" not in panel
    assert "file/private" not in panel


def test_a_search_whose_time_has_not_come_is_shown_with_the_persons_photo(station: StationFolder) -> None:
    fields = {"kind": "alert", "expires": "2026-12-05", "alert": "{form: 走失, place: 桃园, tell: '110'}"}
    station.article("alert/child.md", id="A5W3R", published="2026-12-01 08:00", **fields)
    person = "name: 小满\nlast_seen: 南门\nbasis: 监护人同意\nerase_after: 2026-12-04\nphoto: A5W3R.jpg\n"
    station.file("private/A5W3R.yml", person)
    station.file("private/A5W3R.jpg", b"\xff\xd8\xff picture of the child")
    shown = desk(station)
    [photo] = re.findall(r'src="\.\./\.\.(/A/A5W3R/[^"]*)"', get(shown, "/alert/child/"))
    assert shown.answer(photo, 7).body == b"\xff\xd8\xff picture of the child"
    assert "没有找到这一页" in get(shown, "/alert/child/A5W3R.jpg", status=404)


def test_chat_groups_are_shown_what_is_to_come_as_it_will_be_then(station: StationFolder) -> None:
    station.article(published="2026-12-01 08:00")
    shown = desk(station, lambda _entry, _station, at: f"<p>{at:%m-%d}</p>")
    assert "<p>12-01</p>" in get(shown, "/.preview/panel" + PAGE)


def test_what_waits_for_a_signature_says_so_and_what_comes_next(station: StationFolder) -> None:
    settings = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file("mkdocs.yml", settings + "      review: small\n")
    station.article()
    panel = words(get(desk(station), "/.preview/panel" + PAGE))
    assert "还没有签发，网站上看不到。" in panel
    assert "gengfu submit content/fraud/brushing.md" in panel


def test_a_withdrawal_of_what_was_signed_waits_for_nobody_and_the_panel_says_so(
    station: StationFolder,
) -> None:
    settings = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file("mkdocs.yml", settings + "      review: small\n")
    file = station.article()
    signing.begin(station.settings, AT, "duty")
    file.write_bytes(file.read_bytes().replace(b"\nkind:", "\nwithdrawn: 有误\nkind:".encode()))
    panel = words(get(desk(station), "/.preview/panel" + PAGE))
    assert "已经撤下" in panel
    assert "还没有签发" not in panel


def test_a_log_that_cannot_be_read_is_said_in_the_panel_and_the_page_is_shown(station: StationFolder) -> None:
    settings = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file("mkdocs.yml", settings + "      review: small\n")
    station.article()
    (station.folder / "audit/log.jsonl").mkdir(parents=True)
    panel = words(get(desk(station), "/.preview/panel" + PAGE))
    assert "✕ 操作记录" in panel
    assert "可以公开" not in panel


def test_between_two_states_of_the_site_an_answer_waits_for_the_new_one(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.article()
    shown = desk(station)
    folder, aside = shown.shown.folder, shown.shown.folder.with_name("aside")
    folder.rename(aside)
    monkeypatch.setattr("gengfu_site.preview.desk.time.sleep", lambda _seconds: aside.rename(folder))
    assert "刷单返利" in words(get(shown, PAGE))


def begun(station: StationFolder, ask: Callable[[Desk], None], whole: Event) -> None:
    """The preview is made; ``ask`` when nothing but the reading is done."""
    folder = station.folder / "made" / "public"

    def read(site: Site, _problems: object) -> None:
        ask(Desk(Shown(at=AT, folder=folder, library=site.library, site=site, whole=whole)))

    preview(station.settings, AT, folder, read)


def test_an_articles_page_is_there_before_the_rest_is_made_and_is_the_one_that_will_be(
    station: StationFolder,
) -> None:
    station.article("tip/other.md", id="T1P00", title="刷单返利又来了")
    station.article()
    seen: list[str] = []
    begun(station, lambda desk: seen.append(get(desk, PAGE)), Event())
    assert seen == [get(desk(station), PAGE)]


def test_whatever_else_is_asked_for_meanwhile_is_answered_once_it_is_made(station: StationFolder) -> None:
    class Awaited(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.set()
            return super().wait(timeout)

    def ask(desk: Desk) -> None:
        answers.append(pool.submit(get, desk, "/"))
        assert waiting.wait(60)

    station.article()
    desk(station)
    station.article(title="另一个标题")
    answers: list[Future[str]] = []
    waiting, whole = Event(), Awaited()
    with ThreadPoolExecutor() as pool:
        begun(station, ask, whole)
        whole.set()
        assert "另一个标题" in words(answers[0].result(60))


def test_where_nothing_can_be_made_of_what_was_read_the_old_pages_are_shown_and_nobody_waits(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> int:
        raise OSError(28, "No space left on device")

    station.article()
    before = desk(station).shown
    station.article(body="新的一段\n")
    monkeypatch.setattr("gengfu_site.publish.write", full)
    shown: list[Shown] = []
    building._renew(station.folder, before, shown.append)
    begun, over = shown
    assert (begun.whole.is_set(), begun.trouble) == (True, "")
    assert "新的一段" not in words(get(Desk(over), PAGE))
    assert "磁盘" in over.trouble


def test_the_panel_has_what_it_is_given_of_chat_groups_or_why_it_cannot_be_drawn(
    station: StationFolder,
) -> None:
    def drawn(entry: Entry, station: Station, _at: object) -> str:
        return f"<p>{entry.title} {station.name}</p>"

    def broken(*_given: object) -> str:
        raise GengfuError("模板<有错>")

    station.article()
    assert "<p>刷单返利 青松路派出所</p>" in get(desk(station, drawn), "/.preview/panel" + PAGE)
    assert "模板&lt;有错&gt;" in get(desk(station, broken), "/.preview/panel" + PAGE)


def test_on_paper_only_what_is_printed_holds(station: StationFolder) -> None:
    station.article()
    html = get(desk(station), "/.preview/paper" + PAGE)
    styles = "".join(re.findall(r"<style>(.*?)</style>", html, re.DOTALL))
    assert "@media all{" in styles
    assert "prefers-color-scheme" not in styles
    assert "min-width:60em" not in styles
    assert "preview-panel" not in html
    assert html.count("<script") == 1


def test_while_nothing_new_can_be_made_the_old_pages_stay_and_say_why(station: StationFolder) -> None:
    station.article()
    shown = desk(station)
    wrong = Problem(path="mkdocs.yml", line=3, message="写错了", remedy="改好")
    shown.shown = replace(shown.shown, problems=(wrong,), trouble="设置有错")
    assert "刷单返利" in words(get(shown, PAGE))
    assert "设置有错" in words(get(shown, "/.preview/panel" + PAGE))


def test_before_there_are_pages_every_address_says_what_keeps_them(station: StationFolder) -> None:
    station.article()
    shown = desk(station)
    shown.shown = replace(
        shown.shown,
        folder=station.folder / "nowhere",
        trouble="网页模板有错",
        problems=(Problem(path="mkdocs.yml", message="写错了", remedy="改好"),),
    )
    assert "网页模板有错" in words(get(shown, PAGE, status=503))
    assert "写错了" in words(get(shown, "/", status=503))


@pytest.mark.parametrize(
    "path",
    [
        "//etc/passwd",
        "/../mkdocs.yml",
        "/fraud/../../../mkdocs.yml",
        "/fraud\\..\\..\\mkdocs.yml",
        "/.gengfu-site",
        "/.preview/file/mkdocs.yml",
        "/.preview/file/webhooks.csv",
        "/.preview/file/private/F7K2Q.yml",
        "/.preview/file/../outside.md",
        "/.preview/nothing",
        "/.preview/panel/",
    ],
)
def test_nothing_but_the_site_and_its_articles_is_shown(station: StationFolder, path: str) -> None:
    station.article()
    station.file("private/F7K2Q.yml", "name: 小满\n")
    station.file("webhooks.csv", "id,webhook\n")
    assert "没有找到这一页" in get(desk(station), path, status=404)


def test_a_link_in_content_leads_to_no_file_outside(station: StationFolder, tmp_path: Path) -> None:
    outside = station.file("outside.md", "门外的话\n")
    (station.folder / "content/tip").mkdir()
    (station.folder / "content/tip/in.md").symlink_to(outside)
    assert "门外的话" not in get(desk(station), "/tip/in/", status=404)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_webhook_address_in_an_article_that_cannot_be_read_is_not_shown(
    station: StationFolder, encoding: str
) -> None:
    key = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
    body = f"见 https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}。\n"
    file = station.article(kind="frad", body=body)
    file.write_bytes(file.read_text("utf-8").encode(encoding))
    html = get(desk(station), PAGE)
    assert ("机器人地址" if encoding == "utf-8" else "UTF-8 编码") in words(html)
    assert key not in html.replace("\0", "")


def test_a_phone_keeps_nothing_of_a_preview(station: StationFolder) -> None:
    station.article()
    assert "unregister" in get(desk(station), "/sw.js")


def test_inside_a_portal_the_site_begins_where_it_will(station: StationFolder) -> None:
    settings = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file("mkdocs.yml", settings.replace("qingsong.example/", "qingsong.example/guide/"))
    station.article()
    shown = desk(station)
    assert shown.answer("/", 7).headers == (("Location", "/guide/"),)
    assert "刷单返利" in words(get(shown, "/guide" + PAGE))
    assert 'src="/.preview/panel/fraud/brushing/"' in get(shown, "/guide" + PAGE)


def test_answers_say_what_they_are(station: StationFolder) -> None:
    station.article()
    shown = desk(station)
    kinds = {path: shown.answer(path, 7).content_type for path in (PAGE, "/feed.xml", "/catalogue.json")}
    assert kinds == {
        PAGE: "text/html; charset=utf-8",
        "/feed.xml": "text/xml; charset=utf-8",
        "/catalogue.json": "application/json; charset=utf-8",
    }
