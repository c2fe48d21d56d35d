"""Reading officers' files: encodings, and YAML whose scalars stay text."""

from __future__ import annotations

import errno
import re
import shlex
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site.article import FrontMatter
from gengfu_site.problems import Problem, in_command, reason
from gengfu_site.source import decode, read_yaml, validate


def explain(result: str | Problem) -> str:
    assert isinstance(result, Problem)
    return str(result)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("content/tip/gas.md", "content/tip/gas.md"),
        ("content/tip/燃气.md", "content/tip/燃气.md"),
        ("content/tip/副本 a.md", '"content/tip/副本 a.md"'),
        ("it's.md", '"it\'s.md"'),
        ("$(reboot).md", "'$(reboot).md'"),
        ("`reboot`.md", "'`reboot`.md'"),
        ('a" b.md', "'a\" b.md'"),
    ],
)
def test_a_name_in_a_command_is_that_name_whatever_it_holds(name: str, written: str) -> None:
    assert in_command(name) == written
    if "'" not in name:
        assert shlex.split(in_command(name)) == [name]


def test_why_the_system_could_not_is_said_in_words_known_here_or_in_its_own() -> None:
    assert reason(OSError(errno.ENOSPC, "No space left on device")) == "磁盘满了"
    assert reason(OSError(errno.EXDEV, "Invalid cross-device link")) == "Invalid cross-device link"
    assert reason(OSError("it would not")) == "it would not"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("好\n".encode(), "好\n"),
        ("\ufeff好\n".encode(), "好\n"),
        ("一\r\n二\r三".encode(), "一\n二\n三"),
        (b"", ""),
    ],
)
def test_bom_and_line_ends_are_accepted(data: bytes, text: str) -> None:
    assert decode(data, "a.md") == text


@pytest.mark.parametrize(
    ("data", "named", "command"),
    [
        ("先给小钱，再骗大钱。".encode("gbk"), "GBK", "iconv -f GB18030"),
        ("先给小钱".encode("utf-16"), "UTF-16LE", "iconv -f UTF-16LE"),
        ("title: a\n".encode("utf-16-be"), "UTF-16BE", "iconv -f UTF-16BE"),
    ],
)
def test_a_foreign_encoding_is_named_with_the_command_that_converts_it(
    data: bytes, named: str, command: str
) -> None:
    said = explain(decode(data, "groups.csv"))
    assert named in said
    assert command in said


def test_an_article_in_a_foreign_encoding_is_mended_by_one_command() -> None:
    assert "gengfu fix content/tip/a.md" in explain(decode("先给小钱".encode("gbk"), "content/tip/a.md"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_bytes_of_no_encoding_name_their_line(end: bytes) -> None:
    assert explain(decode(b"a" + end + b"b" + end + b"\xff\x80\x81", "a.md")).startswith("a.md:3 ")


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x7f", "\x9b"])
def test_a_control_character_names_its_line(character: str) -> None:
    assert explain(decode(f"一\n二{character}".encode(), "a.md")).startswith("a.md:2 ")


def test_a_spreadsheets_gbk_is_read_where_it_is_allowed() -> None:
    assert decode("群名称".encode("gbk"), "groups.csv", gbk=True) == "群名称"


def test_scalars_stay_the_text_that_was_written() -> None:
    document, problems = read_yaml("id: 01234\nat: 21:30\nswitch: off\nday: 2026-11-21\nnone:\n", "a.md")
    assert not problems
    assert document.value == {
        "id": "01234",
        "at": "21:30",
        "switch": "off",
        "day": "2026-11-21",
        "none": None,
    }


def test_every_value_knows_its_line() -> None:
    document, _problems = read_yaml("a: 1\nb:\n  - c: 2\n    d: 3\n", "a.md", first_line=2)
    assert [document.line("a"), document.line("b", 0, "d"), document.line("b", 7)] == [2, 5, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "“a”写了两次"),
        ("a: &x 1\n", "锚点"),
        ("a: *x\n", "别名"),
        ("a: [b\n", "不是正确的 YAML"),
        ("a: b: c\n", "值里有“: ”时"),
        ("\ta: 1\n", "缩进请用空格"),
        ("- a\n", "字段: 值"),
        ("a: 1\n---\nb: 2\n", "只能有一段"),
        ("[[a]]: 1\n", "字段名应是文字"),
        ("a: " + "[" * 3000, "层次太深"),
        # Nine aliases of nine aliases …: a parser that expands them runs out of memory.
        ("a0: &a0 [x,x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1},*a{i - 1}]\n" for i in range(1, 60)), "别名"),
    ],
)
def test_broken_yaml_ends_in_a_problem(text: str, said: str) -> None:
    _document, problems = read_yaml(text, "a.md")
    assert said in "\n".join(map(str, problems))


@pytest.mark.parametrize(
    "text",
    [
        "a: [b\n",
        "a: b: c\n",
        "\ta: 1\n",
        'a: "\\q"\n',
        "a: 'b\n",
        "a: @b\n",
        "- a\nb: 1\n",
        "a: {b\n",
        "? [\n",
        "a\nb: 1\n",
    ],
)
def test_no_parsers_own_words_reach_an_officer(text: str) -> None:
    _document, problems = read_yaml(text, "a.md")
    assert problems
    assert not re.search("[A-Za-z]{2,} [a-z]{2,}", "".join(p.message + p.remedy for p in problems))


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    text = decode(data, "a.md", gbk=True)
    if isinstance(text, str):
        read_yaml(text, "a.md")


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    read_yaml(text, "a.md")


def test_of_very_many_fields_that_are_misspelt_each_is_named_and_for_the_first_it_is_guessed_what_they_mean() -> (
    None
):
    document, _problems = read_yaml("".join(f"tittle{n}: 甲\n" for n in range(50)), "a.md")
    _matter, problems = validate(FrontMatter, document, {"zone": UTC})
    remedies = [p.remedy for p in problems if p.message.startswith("没有“tittle")]
    guessed = remedies.index("删掉这一行。")
    assert 0 < guessed <= 20
    assert remedies == ["是不是想写“title”？"] * guessed + ["删掉这一行。"] * (50 - guessed)
