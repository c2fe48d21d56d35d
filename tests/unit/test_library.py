"""Articles bound together: links, attachments, addresses, and a missing person's data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gengfu_site import markdown
from gengfu_site.check import check
from gengfu_site.library import load
from gengfu_site.publish import publish
from gengfu_site.start import Beginning, new_article
from gengfu_site.svg import is_only_a_picture
from sites import feeds
from stations import AT, FRONT, StationFolder

ALERT_FIELDS = {"id": "A5W3R", "kind": "alert", "expires": "2026-12-01"}
SEARCHING = '{form: 走失, place: 桃园社区, tell: "110"}'
PERSON = (
    "name: 小满\nage: 4 岁\nclothes: 红色羽绒服\nlast_seen: 11月20日 17:00 桃园社区南门\n"
    "photo: A5W3R.jpg\nbasis: 监护人 11月20日 17:40 同意\nerase_after: 2026-11-25\n"
)


def article_text(body: str, title: str) -> str:
    front = {**FRONT, "title": title}
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in front.items()) + "---\n" + body


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("[甲](other.md)", 'href="../other/"'),
        ("[甲](../tip/fire.md#怎么做)", 'href="../../tip/fire/#怎么做"'),
        ("![图](../pictures/a.svg)", 'src="../../pictures/a.svg"'),
        ('<a href="other.md">甲</a>', 'href="../other/"'),
        ("[下](#二)", 'href="#二"'),
        ("https://example.org/?a=1&b=2", 'href="https://example.org/?a=1&amp;b=2"'),
        ("[打](tel:110)", 'href="tel:110"'),
    ],
)
def test_links_lead_from_page_to_page(station: StationFolder, written: str, published: str) -> None:
    station.article("fraud/brushing.md", body=f"{written}\n\n## 二\n")
    station.article("fraud/other.md", id="F0000")
    station.article("tip/fire.md", id="T0000", kind="tip", body="## 怎么做\n")
    station.file("content/pictures/a.svg", "<svg/>")
    [article] = [a for a in station.load().articles if a.id == "F7K2Q"]
    assert published in article.html.replace("%E6%80%8E%E4%B9%88%E5%81%9A", "怎么做").replace(
        "%E4%BA%8C", "二"
    )


@pytest.mark.parametrize(
    ("body", "message", "remedy"),
    [
        ("[甲](othr.md)", "“othr.md”不存在", "other.md"),
        ("[甲](other.md#没有)", "小标题不存在", "#有的"),
        ("[甲](../../mkdocs.yml)", "指到 content/ 外面", "放进 content/"),
        ("[甲](/etc/passwd)", "从根目录写起", "相对"),
        ("[甲](later.md)", "比这篇发布得晚", "发布时间"),
        ("![图](secret.svg)", "会运行的代码", "PNG"),
        ("[甲](.hidden.md)", "不存在", "路径从这篇文章"),
        ("[甲](a%00b.md)", "指到 content/ 外面", "放进"),
        ("[甲](" + "长" * 300 + ".md)", "不存在", "路径从这篇文章"),
        ('<a href="//[x">甲</a>', "不是网址", "复制"),
        ("![图](data:image/png;base64,iVBORw0KGgo=)", "地址用不了", "存成文件"),
        ("[表](file:///D:/a.pdf)", "地址用不了", "tel:"),
        ("[甲](..\\fraud\\other.md)", "不存在", "用 / 隔开"),
        ("[表](notes.xlsx)", "不能附带这种文件", ".pdf"),
    ],
)
def test_a_link_that_leads_nowhere_names_its_line(
    station: StationFolder, body: str, message: str, remedy: str
) -> None:
    station.article(body=f"一\n\n{body}\n")
    station.article("fraud/other.md", id="F0000", body="## 有的\n")
    station.article("fraud/later.md", id="F0001", published="2027-01-01")
    station.file("content/fraud/secret.svg", "<svg onload='alert(1)'/>")
    station.file("content/fraud/notes.xlsx", "x")
    station.file("content/fraud/.hidden.md", "x")
    [problem] = station.problems()
    assert (problem.path, problem.line) == ("content/fraud/brushing.md", 10)
    assert message in problem.message
    assert remedy in problem.remedy


def test_a_picture_without_a_usable_address_is_named_at_its_own_line_not_at_its_words(
    station: StationFolder,
) -> None:
    station.article(body="楼道要通。\n\n![楼道](D:\\照片\\1.jpg)\n")
    [problem] = station.problems()
    assert (problem.line, "地址用不了" in problem.message) == (10, True)


def test_all_that_a_fresh_alert_lacks_is_told_in_one_round(station: StationFolder) -> None:
    file = new_article(station.settings, Beginning(kind="alert", title="寻找老人"), AT, {"F7K2Q"})
    id_ = file.stem.upper()
    station.file(f"private/{id_}.yml", "name: 老王\nage: 70\n")
    found = {(p.path.partition("/")[0], p.field) for p in station.problems()}
    assert found == {
        *(("content", field) for field in ("summary", "alert.form", "alert.place", "expires", "")),
        *(("private", field) for field in ("last_seen", "basis", "erase_after")),
    }


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"summary": None}, "缺少字段“summary”"),
        ({"kind": "frau"}, "是不是想写“fraud”"),
        ({"topics": "[反诈]"}, "没有在 mkdocs.yml 里登记过"),
        ({"published": "昨天", "allow": "[{what: 1}]"}, "不是能用的日期"),
        ({"alert": "{form: 走丢, place: [1]}"}, "走丢"),
    ],
)
def test_what_the_text_says_is_told_in_the_same_round_as_what_is_wrong_above_it(
    station: StationFolder, wrong: dict[str, str | None], told: str
) -> None:
    station.file("terms.yml", "forbidden: [{word: 弱智, instead: 智力残疾, why: 侮辱人}]\n")
    station.article(
        body="# 一\n\n找弱智的老王 13812345678，看[这里](nowhere.md)，马上转发到群里。\n", **wrong
    )
    found = "\n".join(f"{p.line} {p.message} {p.remedy}" for p in check(station.settings, AT))
    for each in (
        told,
        "手机号（138****5678）",
        "“nowhere.md”不存在",
        "用词“弱智”",
        "求人转发",
        "写成了第 1 级",
    ):
        assert each in found


def test_a_file_without_front_matter_is_read_for_the_rules_all_the_same(station: StationFolder) -> None:
    station.file("content/tip/a.md", "# 一\n打 13812345678\n")
    assert [(p.line, p.rule) for p in check(station.settings, AT)] == [(1, ""), (2, "personal-data")]


@pytest.mark.parametrize(
    "fields",
    [
        {"allow": "[{what: '0571-85550666', by: 王所长, reason: 公开的}]", "title": None},
        {"kind": "service", "service": "{department: 窗口, phone: 0571-85550666}"},
        {"kind": "alert", "alert": "{form: 走丢, place: 桃园, tell: '110', basis: 监护人同意}"},
    ],
)
def test_what_is_allowed_or_printed_for_all_stays_so_whatever_else_is_wrong(
    station: StationFolder, fields: dict[str, str | None]
) -> None:
    station.article(body="打 0571-85550666。\n", **fields)
    found = check(station.settings, AT)
    assert found
    assert {p.rule for p in found} == {""}


def test_of_a_front_matter_that_is_no_yaml_only_that_is_told(station: StationFolder) -> None:
    """Nobody can tell what it allows."""
    station.article(title="[", body="打 13812345678\n")
    [problem] = check(station.settings, AT)
    assert "YAML" in problem.message


@pytest.mark.parametrize(
    ("built", "now", "remedy"),
    [
        (True, "tip/gas-safety.md", "那篇文章现在是“gas-safety.md”"),
        (True, "service/gas.md", "那篇文章现在是“../service/gas.md”"),
        (False, "service/gas.md", "那篇文章现在是“../service/gas.md”"),
        (False, "tip/gas-safety.md", "是不是想写“gas2.md”"),
    ],
)
def test_a_link_to_an_article_that_was_renamed_is_told_where_it_is_now(
    station: StationFolder, *, built: bool, now: str, remedy: str
) -> None:
    """What residents find at the old address tells which article that was, a name of its own nearly so."""
    station.article("tip/other.md", body="[煤气](gas.md)\n", id="T0001")
    station.article("tip/gas2.md", id="T0002")
    gas = station.article("tip/gas.md", id="T0003")
    if built:
        publish(station.settings, AT)
    (station.settings.content / now).parent.mkdir(exist_ok=True)
    gas.rename(station.settings.content / now)
    [problem] = station.problems()
    assert remedy in problem.remedy


def test_a_large_librarys_bodies_are_rendered_some_at_a_time(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(300):
        station.article(f"fraud/a{n}.md", body=f"[下一篇](a{(n + 1) % 300}.md) 第{n}篇\n", id=f"T{n:04}")
    sizes: list[int] = []
    plainly = markdown.render

    def counted(bodies: Iterable[str]) -> list[str]:
        some = plainly(bodies)
        sizes.append(len(some))
        return some

    monkeypatch.setattr(markdown, "render", counted)
    articles = station.load().articles
    assert all(f"第{int(article.id[1:])}篇" in article.html for article in articles)
    assert (len(articles), sum(sizes), max(sizes) < 200) == (300, 300, True)


def test_of_two_articles_of_that_name_neither_is_said_to_be_the_one(station: StationFolder) -> None:
    station.article("tip/other.md", body="[煤气](gas.md)\n", id="T0001")
    station.article("service/gas.md", id="T0002", kind="tip")
    station.article("notice/gas.md", id="T0003", kind="notice")
    [problem] = station.problems()
    assert problem.remedy == "检查文件名和文件夹；路径从这篇文章所在的文件夹算起。"


def test_no_file_takes_the_place_of_a_picture_that_the_site_draws(station: StationFolder) -> None:
    station.file("content/share/kind-fraud.png", b"\x89PNG")
    station.article(cover="../share/kind-fraud.png")
    (problem,) = station.problems()
    assert (problem.field, "share" in problem.message, bool(problem.remedy)) == ("cover", True, True)


@pytest.mark.parametrize(("field", "value"), [("cover", "no.svg"), ("attachments", "[../../mkdocs.yml]")])
def test_a_missing_or_escaping_attachment_is_a_problem(
    station: StationFolder, field: str, value: str
) -> None:
    station.article(**{field: value})
    [problem] = station.problems()
    assert problem.field.startswith(field)


def test_a_symbolic_link_out_of_content_is_a_problem(station: StationFolder) -> None:
    outside = station.file("elsewhere.md", "---\n---\n")
    (station.folder / "content/trick.md").symlink_to(outside)
    (station.folder / "content/trick.svg").symlink_to(outside)
    station.article(body="![图](../trick.svg)\n")
    assert [p.path for p in station.problems()] == ["content/trick.md", "content/fraud/brushing.md"]


def test_an_id_or_address_taken_twice_is_a_problem(station: StationFolder) -> None:
    station.article("fraud/a.md")
    station.article("fraud/b.md")
    station.article("tip/index.md", id="T0000")
    station.article("topic/fire.md", id="T0001")
    assert [(p.path, p.field) for p in station.problems()] == [
        ("content/fraud/b.md", "id"),
        ("content/tip/index.md", ""),
        ("content/topic/fire.md", ""),
    ]


def test_an_article_lives_from_its_date_to_its_end(station: StationFolder) -> None:
    station.article(published="2026-11-20 09:00", expires="2026-11-30 12:00")
    [article] = station.load().articles
    assert article.expires
    moment = timedelta(microseconds=1)
    assert [
        article.live(at)
        for at in (article.published - moment, article.published, article.expires - moment, article.expires)
    ] == [False, True, True, False]


def test_a_withdrawn_article_keeps_its_page_and_leaves_the_lists(station: StationFolder) -> None:
    station.article(withdrawn="内容有误")
    library = station.load()
    assert (len(library.published(AT)), library.live(AT)) == (1, ())


def test_a_repeated_dead_link_is_named_at_each_of_its_lines(station: StationFolder) -> None:
    station.article(body="[甲](no.md)\n\nano.md\n\n[乙](no.md)\n")
    assert [p.line for p in station.problems()] == [8, 12]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("content/通知.MD", "应以 .md 结尾"),
        ("content/a.markdown", "应以 .md 结尾"),
        ("content/feed.xml.md", "不能用“feed.xml”"),
        ("content/fraud.md", "不能用“fraud”"),
        ("content/page/a.md", "不能用“page”"),
    ],
)
def test_a_file_name_that_would_be_lost_or_in_the_way_is_a_problem(
    station: StationFolder, path: str, said: str
) -> None:
    station.article(path.removeprefix("content/"))
    assert said in "\n".join(map(str, station.problems()))


def test_a_missing_content_folder_is_a_problem_and_not_an_empty_site(station: StationFolder) -> None:
    (station.folder / "content").rmdir()
    [problem] = station.problems()
    assert "docs_dir" in problem.remedy


def test_a_ring_of_symbolic_links_is_a_problem(station: StationFolder) -> None:
    (station.folder / "content/a.md").symlink_to("b.md")
    (station.folder / "content/b.md").symlink_to("a.md")
    assert len(station.problems()) == 2


def test_a_webhook_address_in_an_article_is_never_published(station: StationFolder) -> None:
    station.article(body="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7xxx\n")
    [problem] = station.problems()
    assert "群机器人地址" in problem.message
    assert "693a91f6" not in str(problem)


ROBOT = "https://oapi.dingtalk.com/robot/send?access_token=693a91f6"


@pytest.mark.parametrize("before", [9_000_000, (1 << 20) - 40, (1 << 20) - 2048])
def test_an_address_is_found_in_a_file_that_is_too_long_to_be_read(
    station: StationFolder, before: int
) -> None:
    """At the end of a piece, too."""
    text = f"# 火\n{'.' * before}{ROBOT}\n"
    station.file("content/tip/long.md", text + "." * 140_000)
    found = check(station.settings, AT)
    assert [(p.line, p.message[:9]) for p in found] == [(1, "文件最大 128 "), (2, "这里写着一个群机器")]
    assert "693a91f6" not in str(found)


def test_one_is_found_in_what_a_spreadsheet_saves_as_unicode(station: StationFolder) -> None:
    station.file("groups.txt", f"群\r\n\r\n{ROBOT}\r\n".encode("utf-16"))
    assert [p.line for p in check(station.settings, AT)] == [3]


def test_where_a_file_is_longer_than_can_be_searched_that_is_said(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_site.check._PIECE", 4096)
    station.file("groups.txt", "群\n" * 200_000 + ROBOT)
    [problem] = check(station.settings, AT)
    assert (problem.path, problem.severity) == ("groups.txt", "warning")
    assert "没有查" in problem.message


@pytest.mark.parametrize(
    ("references", "remedy"), [("[A5W3Q]", "A5W3N"), ("[ZZZZZ]", "编号"), ("[A5W3R]", "A5W3N")]
)
def test_an_alert_refers_to_another_alert_that_is_there(
    station: StationFolder, references: str, remedy: str
) -> None:
    station.article("alert/a.md", id="A5W3N", kind="alert", expires="2026-12-01", alert=SEARCHING)
    station.article(
        "alert/b.md", **ALERT_FIELDS, alert=SEARCHING.replace("}", f", references: {references}}}")
    )
    [problem] = station.problems()
    assert problem.field == "alert.references.0"
    assert remedy in problem.remedy


def test_an_update_cannot_be_in_the_future(station: StationFolder) -> None:
    station.article(updated="2026-12-01")
    assert [p.field for p in station.problems()] == ["updated"]


@pytest.mark.parametrize(
    ("svg", "is_a_picture"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/><use href='#a'/></svg>", True),
        (b"<svg><image href='data:image/png;base64,AA'/></svg>", True),
        (b"<svg><script/></svg>", False),
        (b"<s:svg xmlns:s='http://www.w3.org/2000/svg'><s:script/></s:svg>", False),
        (b"<svg onload='x'/>", False),
        (b"<svg><a href='javascript:x'/></svg>", False),
        (b"<svg><foreignObject/></svg>", False),
        (b"<svg><set attributeName='onmouseover' to='x'/></svg>", False),
        ("<svg onload='x'/>".encode("utf-16"), False),
        (b"<!DOCTYPE svg [<!ENTITY a 'x'>]><svg>&a;</svg>", False),
        (b"<svg", False),
        (b"", False),
    ],
)
def test_an_svg_is_published_only_if_it_is_a_picture(svg: bytes, is_a_picture: bool) -> None:
    assert is_only_a_picture(svg) is is_a_picture


@given(st.text(max_size=120), st.text(max_size=40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_article_ends_in_problems_or_in_a_site(station: StationFolder, body: str, title: str) -> None:
    """Whatever an officer writes: no traceback, and what is built is well-formed XML."""
    station.file("content/fraud/any.md", article_text(body, json.dumps(title, ensure_ascii=False)))
    library, problems = load(station.settings, AT)
    if not problems:
        for _path, data in feeds(library, AT, lambda article: article.html):
            assert data


def private(station: StationFolder, text: str = PERSON, mode: int = 0o600) -> Path:
    station.file("private/A5W3R.jpg", b"\xff\xd8\xff not really").chmod(0o600)
    file = station.file("private/A5W3R.yml", text)
    file.chmod(mode)
    return file


def test_a_missing_persons_data_is_shown_only_while_searching(station: StationFolder) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=SEARCHING)
    private(station)
    [alert] = station.load().articles
    assert alert.person_shown(AT)
    assert alert.person_shown(AT + timedelta(days=5)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PERSON.replace("A5W3R.jpg", "../A5W3R.jpg"), "照片"),
        (PERSON.replace("A5W3R.jpg", "A5W3R.yml"), "照片"),
        (PERSON.replace("A5W3R.jpg", "link.jpg"), "照片"),
        (PERSON.replace("basis", "base"), "缺少字段“basis”"),
    ],
)
def test_private_data_that_cannot_be_used_keeps_from_publishing(
    station: StationFolder, text: str, said: str
) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=SEARCHING)
    private(station, text)
    (station.folder / "private/link.jpg").symlink_to("A5W3R.jpg")
    assert said in "\n".join(map(str, station.problems()))


@pytest.mark.parametrize(
    ("alert", "text", "mode", "said"),
    [
        (SEARCHING.replace("}", ", state: resolved}"), PERSON, 0o600, "不应再保存"),
        (SEARCHING, PERSON.replace("2026-11-25", "2026-11-19"), 0o600, "保存期已过"),
        (SEARCHING, PERSON, 0o644, "chmod 600"),
    ],
)
def test_private_data_that_should_be_gone_never_holds_up_the_build_that_takes_it_down(
    station: StationFolder, alert: str, text: str, mode: int, said: str
) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=alert)
    private(station, text, mode)
    station.load()
    assert said in "\n".join(map(str, check(station.settings, AT)))


def test_private_data_of_an_alert_that_is_being_written_is_not_to_be_deleted(station: StationFolder) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=SEARCHING, body="【待写：发生了什么】")
    private(station)
    assert [p.path for p in check(station.settings, AT)] == ["content/alert/child.md"]


def test_private_data_that_git_would_carry_off_is_a_problem(station: StationFolder) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=SEARCHING)
    private(station)
    subprocess.run(["git", "init", "-q"], cwd=station.folder, check=True)
    assert [p.path for p in check(station.settings, AT)] == ["private/A5W3R.jpg", "private/A5W3R.yml"]
    station.file(".gitignore", "/private/\n")
    assert check(station.settings, AT) == []


def test_a_document_among_the_articles_that_nobody_will_see_is_named(station: StationFolder) -> None:
    station.article()
    for name in ("防火 提示.docx", "~$防火.docx", ".a/b.txt", "a.TXT"):
        station.file(f"content/tip/{name}", b"x")
    told = [(p.path, p.severity, p.remedy) for p in check(station.settings, AT)]
    assert [(path, severity) for path, severity, _remedy in told] == [
        ("content/tip/a.TXT", "warning"),
        ("content/tip/防火 提示.docx", "warning"),
    ]
    assert 'gengfu import "防火 提示.docx"' in told[1][2]
