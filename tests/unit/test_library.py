"""Articles bound together: links, attachments, addresses, and a missing person's data."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stations import AT, StationFolder

ALERT_FIELDS = {"id": "A5W3R", "kind": "alert", "expires": "2026-12-01"}
SEARCHING = '{form: 走失, place: 桃园社区, tell: "110"}'
PERSON = (
    "name: 小满\nage: 4 岁\nclothes: 红色羽绒服\nlast_seen: 11月20日 17:00 桃园社区南门\n"
    "photo: A5W3R.jpg\nbasis: 监护人 11月20日 17:40 同意\nerase_after: 2026-11-25\n"
)


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
    [problem] = station.problems()
    assert (problem.path, problem.line) == ("content/fraud/brushing.md", 10)
    assert message in problem.message
    assert remedy in problem.remedy


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


def private(station: StationFolder, text: str = PERSON, mode: int = 0o600) -> Path:
    station.file("private/A5W3R.jpg", b"\xff\xd8 not really")
    file = station.file("private/A5W3R.yml", text)
    file.chmod(mode)
    return file


def test_a_missing_persons_data_is_shown_only_while_searching(station: StationFolder) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=SEARCHING)
    private(station)
    [alert] = station.load().articles
    assert alert.person_shown(AT)
    assert alert.person_shown(AT + timedelta(days=5)) is None
    assert "小满" not in alert.revision + alert.html


@pytest.mark.parametrize(
    ("alert", "text", "mode", "said"),
    [
        (SEARCHING.replace("}", ", state: resolved}"), PERSON, 0o600, "不应再保存"),
        (SEARCHING, PERSON, 0o644, "chmod 600"),
        (SEARCHING, PERSON.replace("2026-11-25", "2026-11-19"), 0o600, "保存期已过"),
        (SEARCHING, PERSON.replace("A5W3R.jpg", "../A5W3R.jpg"), 0o600, "旁边没有照片"),
        (SEARCHING, PERSON.replace("basis", "base"), 0o600, "缺少字段“basis”"),
    ],
)
def test_private_data_out_of_place_is_a_problem(
    station: StationFolder, alert: str, text: str, mode: int, said: str
) -> None:
    station.article("alert/child.md", **ALERT_FIELDS, alert=alert)
    private(station, text, mode)
    assert said in "\n".join(map(str, station.problems()))
