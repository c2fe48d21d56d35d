"""The command explains itself, and what is wrong, in the officer's language; in columns of a terminal."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import click
import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gengfu_scheduler.cli import main
from gengfu_scheduler.cli.help import folded

Said = Callable[[str, list[list[str]]], list[str]]

LOCALE = Path(__file__).parents[2] / "templates/gengfu_templates/locale"
ENGLISH = re.compile(
    r"\b(?:the|this|that|and|for|is|are|was|not|of|to|show|exit|usage|options?|missing|commands?)\b", re.I
)
"""Words that no English sentence of click's does without, and that are no names of ours."""
OURS = re.compile(r"gengfu groups test|--[\w-]+|\[\S+\]")
ABOUT_DECLARATIONS = re.compile(
    r"declar|Choice\(|[Ss]hell completion|Bash|DeprecationWarning|[Dd]eprecated|Unknown (?:color|standard)|UUID|Editing|"
    r"defined twice|No options defined|same flag|must be an iterable|start character|Windows error|"
    r"Confirm the action|Do you want to continue|^%\(prog\)s|^d$|^\{text\} "
)
"""What click says to programmers, and of features that no command of ours has."""


WRONG = [
    (["approv"], "没有“approv”这个命令", "No such command 'approv'"),
    (["check", "--realease"], "没有“--realease”这个选项", "No such option"),
    (["init"], "缺少参数 '文件夹'", "Missing argument 'FOLDER'"),
    (["withdraw", "F7K2Q"], "缺少选项 '--reason'", "Missing option '--reason'"),
    (["init", "a", "b"], "多写了：b。", "Got unexpected extra argument (b)"),
    (["check", "--format", "pdf"], "没有“pdf”，只能是 'text', 'json'", "'pdf' is not one of 'text'"),
    (["due", "--month", "11月"], "“11月”不是月份", "'11月' is no month"),
    (["due", "--days", "三"], "“三”不是数", "'三' is not a valid integer"),
    (["due", "--days", "0"], "0 超出了范围 1<=x<=366", "0 is not in the range 1<=x<=366"),
    (["sandbox", "--groups", "群.csv"], "“群.csv”不存在", "'群.csv' does not exist"),
    (["check", "--strict=1"], "选项“--strict”后面不写内容", "does not take a value"),
    (["submit", "--by"], "选项“--by”后面要写内容", "requires an argument"),
]
"""What somebody writes, and what is wrong with it in either language."""

SAY = """
import json, pathlib, sys
from gengfu_templates import i18n
i18n._LOCALE = pathlib.Path(sys.argv[1])
from click.testing import CliRunner
from gengfu_scheduler.cli import main
say = lambda words: CliRunner().invoke(main, words, prog_name="gengfu").output
json.dump([say(words) for words in json.load(sys.stdin)], sys.stdout)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What the command says in a language, with the wording as it is in the source now."""
    compiled = tmp_path_factory.mktemp("locale")
    for po in LOCALE.glob("*/LC_MESSAGES/*.po"):
        mo = compiled / po.relative_to(LOCALE).with_suffix(".mo")
        mo.parent.mkdir(parents=True, exist_ok=True)
        with po.open("rb") as source, mo.open("wb") as target:
            write_mo(target, read_po(source))

    def said(language: str, lines: list[list[str]]) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", SAY, str(compiled)],
            env=os.environ | {"GENGFU_LANG": language, "PYTHONUTF8": "1"},
            input=json.dumps(lines),
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
        return cast(list[str], json.loads(done.stdout))

    return said


def commands(command: click.Command = main, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.commands:
            below = command.get_command(context, name)
            assert below
            yield from commands(below, *path, name)


def test_the_help_of_every_command_is_chinese_and_fits_a_narrow_terminal(said: Said) -> None:
    paths = [[*path, "--help"] for path, _command in commands()]
    assert len(paths) > 35
    for page in said("zh-CN", paths):
        assert page.startswith("用法： gengfu")
        assert "显示这份说明" in page, page
        assert not ENGLISH.search(OURS.sub("", page)), page
        assert max(map(cell_len, page.splitlines())) <= 80, page


def test_every_command_has_its_place_in_a_section_and_is_listed_once() -> None:
    page = main.get_help(click.Context(main, info_name="gengfu"))
    listed = re.findall(r"^  ([a-z]+)  ", page, re.MULTILINE)
    assert sorted(listed) == sorted(main.commands)


def test_options_stand_in_columns_as_a_terminal_counts_them(said: Said) -> None:
    [page] = said("zh-CN", [["approve", "--help"]])
    _usage, options = page.split("选项：\n")
    assert options == (
        "  --step [language|facts|release]\n"
        "                                  签哪一步：language 语言、facts 事实和依据、\n"
        "                                  release 发布；可以写几次。不写就一样一样问。\n"
        "  --by 文字                       谁签的；不写就当场问。\n"
        "  --note 文字                     附言，留在操作记录里；不要写个人信息。\n"
        "  -h, --help                      显示这份说明。\n"
    )


def test_what_was_written_wrongly_is_said_in_either_language(said: Said) -> None:
    lines = [words for words, _chinese, _english in WRONG]
    for (_words, chinese, english), in_chinese, in_english in zip(
        WRONG, said("zh-CN", lines), said("en", lines), strict=True
    ):
        assert chinese in in_chinese
        assert not ENGLISH.search(OURS.sub("", in_chinese)), in_chinese
        assert english in in_english


def test_the_nearest_command_and_option_are_named(said: Said) -> None:
    command, option = said("zh-CN", [["approv"], ["check", "--realease"]])
    assert "是不是：'approve'？" in command
    assert "是不是：'--release'？" in option


def test_all_that_click_says_to_officers_has_its_chinese() -> None:
    """A new click may say something new: put it into ``click.po``."""
    with (LOCALE / "zh_CN/LC_MESSAGES/click.po").open("rb") as file:
        known = {m.id[0] if isinstance(m.id, (list, tuple)) else m.id for m in read_po(file) if m.string}
    said = {text for text in _said_by_click() if not ABOUT_DECLARATIONS.search(text)}
    assert len(said) > 40
    assert said <= known


def _said_by_click() -> Iterator[str]:
    for file in Path(click.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="_" | "ngettext"), args=[ast.Constant(value=str(text)), *_more]
                ):
                    yield text


PROSE = st.text(st.sampled_from("把文章公开，。；“”（）、 abgengfu.md--"), max_size=80).map(
    lambda text: re.sub(r" +(?=[，。；、”）])", "", text)
)


@given(PROSE, st.integers(10, 40))
def test_folding_loses_nothing_and_starts_no_line_with_a_comma(text: str, columns: int) -> None:
    lines = folded(text, columns)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines[1:]:
        assert line[0] not in " ，。；、”）"
    for line in lines:
        assert cell_len(line) <= columns or len(folded(line, 1)) == 1
