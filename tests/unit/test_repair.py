"""Texts as Windows saves them and people type them, mended without a change of what they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site.problems import Problem
from gengfu_site.repair import decoded, repaired

TEXT = "派出所提醒您\n近期诈骗多发，请注意。电话 110。\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("text", [TEXT, "abc def\n", "title: 刷单\n"])
def test_an_encoding_is_told_with_and_without_a_mark(text: str, encoding: str) -> None:
    found = decoded(text.encode(encoding), "a.txt")
    assert not isinstance(found, Problem), found
    assert found[0] == text


def test_half_a_character_at_the_end_is_no_character_of_another_encoding() -> None:
    """A copy that broke off is named, not guessed."""
    assert isinstance(decoded("近期诈骗多发，请注意。".encode()[:-1], "a.txt"), Problem)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("一\n二\n".encode() + b"\xff\x80\x81", 3),
        ("近期詐騙多發，請注意。".encode("big5"), 1),
        (bytes(range(256)) * 4, 2),
        (b"\0" * 400, 1),
        (b"\xff\xfe\0", 1),
        ("文字\x01\x02\x03\x04\x05\x06\x07\x08".encode(), 1),
    ],
    ids=["stray bytes", "Big5", "binary", "NULs", "half UTF-16", "control characters"],
)
def test_what_is_no_text_is_named_at_its_line(data: bytes, line: int) -> None:
    found = decoded(data, "a.txt")
    assert isinstance(found, Problem)
    assert found.line == line


def front(*lines: str, body: str = "正文\n") -> str:
    return "".join(("---\n", *(f"{line}\n" for line in lines), "---\n", body))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("一\r\n二\r三\n", "一\n二\n三\n", "换行"),
        ("一\x08二\ufeff三\n", "一二三\n", "控制字符"),
        ("　　一\n　 二　三\n", "一\n二　三\n", "段首"),
        (front("title：刷单"), front("title: 刷单"), "冒号"),
        ("\n\n" + front("id: A", "title: 一"), front("id: A", "title: 一"), "横线"),
        ("———\nid: A\n\ntitle: 一\n——\n正文\n\n———\n", front("id: A", "", "title: 一") + "\n———\n", "横线"),
        ("－－－\n\nid：A\n---\n正文\n", front("", "id: A"), "冒号"),
        (front("title :刷单").replace(" :", ":"), front("title: 刷单"), "冒号"),
        (front("　title: 刷单"), front("title: 刷单"), "全角空格"),
        (front("title: 刷　单"), front("title: 刷 单"), "全角空格"),
        (front("service:", "\tdepartment：户籍窗口"), front("service:", "  department: 户籍窗口"), "冒号"),
        (front("topics:", "\t- 防火"), front("topics:", "  - 防火"), "Tab"),
        (front("title: 一", body="　　正文\n"), front("title: 一", body="正文\n"), "段首"),
    ],
)
def test_a_slip_is_mended_and_said(before: str, after: str, said: str) -> None:
    text, done = repaired(before)
    assert text == after
    assert said in done[-1]


@pytest.mark.parametrize(
    "text",
    [
        front("title: 刷单：返利", "summary: 时间：8:00", "# 注释：　随便写", "alert: {form: 火情}"),
        front(
            "service:", "  online: https://gov.example/", "  hours: 8:30", "  basis: |", "    依据：《办法》"
        ),
        "时间：上午　地点：所里\n\n| 甲　乙 |\n\n\t代码\n",
        "- 一\n\n    - 二\n",
        "---\n\n一\n\n---\n",
        "——\n电话：110\n——\n",
        "———\nhttps://qingsong.example/ 有全文\n",
        "———\nQ: 丢了身份证怎么办？\nA: 来补。\n———\nQ: 要多少钱？\n",
        front("title: 一", body="正文\n\n——\nhttp: x\n"),
        "",
    ],
)
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert repaired(text) == (text, [])


@given(st.text(alphabet="-:： \t\r\n　ti\"'#[]{}\x00标题idtlekn", max_size=60))
def test_mended_once_is_mended(text: str) -> None:
    once, _done = repaired(text)
    assert repaired(once) == (once, [])
