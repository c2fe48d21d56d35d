"""One field of an officer's file is set anew, and nothing else in it changes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_site.amend import Fields, NotAmended, amend, amended
from gengfu_site.problems import ProblemsFound
from gengfu_site.source import read_yaml

STATE: Fields = {("alert", "state"): "resolved"}
UPDATED: Fields = {("updated",): "2026-11-21 08:00:00"}
WITHDRAWN: Fields = {("withdrawn",): "写错了: 电话 #1"}


def after(text: str, fields: Fields) -> str:
    return amended(text.encode(), fields, Path("child.md")).decode()


@pytest.mark.parametrize(
    ("before", "fields", "then"),
    [
        pytest.param(
            "alert:\n  state: active # 进行中\n", STATE, "alert:\n  state: resolved # 进行中\n", id="block"
        ),
        pytest.param(
            "alert: {form: 走失, state: active}\n", STATE, "alert: {form: 走失, state: resolved}\n", id="flow"
        ),
        pytest.param(
            "alert: {form: 走失}\n", STATE, "alert: {form: 走失, state: resolved}\n", id="flow, not there"
        ),
        pytest.param(
            "alert: {form: 走失,}\n", STATE, "alert: {form: 走失, state: resolved,}\n", id="flow, comma"
        ),
        pytest.param(
            "alert:\n    form: 走失 # 一\n# 二\nid: A\n",
            STATE,
            "alert:\n    form: 走失 # 一\n    state: resolved\n# 二\nid: A\n",
            id="block, not there",
        ),
        pytest.param(
            "alert:\n  references:\n    - A2B3C # 三\n  # 四\nid: A\n",
            STATE,
            "alert:\n  references:\n    - A2B3C # 三\n  state: resolved\n  # 四\nid: A\n",
            id="behind a list",
        ),
        pytest.param(
            "alert:\n  state:\n  form: 火情\n", STATE, "alert:\n  state: resolved\n  form: 火情\n", id="empty"
        ),
        pytest.param(
            'alert: {"state": "active"}\n', STATE, 'alert: {"state": "resolved"}\n', id="double quotes"
        ),
        pytest.param("alert: {state: 'active'}\n", STATE, "alert: {state: 'resolved'}\n", id="single quotes"),
        pytest.param("updated: 2026-01-01\n", UPDATED, "updated: 2026-11-21 08:00:00\n", id="date"),
        pytest.param("id: A\n", UPDATED, "id: A\nupdated: 2026-11-21 08:00:00\n", id="date, not there"),
        pytest.param("{id: A}\n", UPDATED, "{id: A, updated: 2026-11-21 08:00:00}\n", id="all in braces"),
        pytest.param(
            "id: A\n", WITHDRAWN, 'id: A\nwithdrawn: "写错了: 电话 #1"\n', id="text that YAML misreads"
        ),
        pytest.param(
            "withdrawn: |\n  一\n  二\n# 三\nid: A\n",
            WITHDRAWN,
            'withdrawn: "写错了: 电话 #1"\n# 三\nid: A\n',
            id="a text of several lines",
        ),
        pytest.param(
            "summary: >\n  一\n  二\n",
            UPDATED,
            "summary: >\n  一\n  二\nupdated: 2026-11-21 08:00:00\n",
            id="behind one",
        ),
    ],
)
def test_the_field_alone_is_set_in_whatever_style_it_is_written(
    before: str, fields: Fields, then: str
) -> None:
    assert after(f"---\n{before}---\n正文\n", fields) == f"---\n{then}---\n正文\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encoding_and_line_ends_stay(encoding: str, line_end: str) -> None:
    def file(*lines: str) -> bytes:
        return line_end.join(("---", *lines, "---", "正文", "")).encode(encoding)

    before = file("id: A # 编号", "alert: {state: active}")
    then = file("id: A # 编号", "alert: {state: resolved}", "updated: 2026-11-21 08:00:00")
    assert amended(before, {**STATE, **UPDATED}, Path("child.md")) == then


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("---\r\nid: A\n---\n", "---\r\nid: A\nupdated: 2026-11-21 08:00:00\n---\n"),
        ("---\nid: A\r\nb: c\n---", "---\nid: A\r\nb: c\nupdated: 2026-11-21 08:00:00\n---"),
        ("---\nid:\tA\t# 一\n---\n", "---\nid:\tA\t# 一\nupdated: 2026-11-21 08:00:00\n---\n"),
    ],
    ids=["\\n after \\r\\n", "\\r\\n after \\n", "tabs"],
)
def test_what_several_editors_left_stays_as_it_is(before: str, then: str) -> None:
    assert after(before, UPDATED).encode() == then.encode()


NAMES = st.sampled_from(["id", "标题", "state", "updated", "withdrawn", "a b"])
PLAIN = st.text(st.characters(categories=["Lu", "Ll", "Lo"]), min_size=1, max_size=5)
VALUES = st.one_of(
    PLAIN,
    PLAIN.map('"{}: #"'.format),
    PLAIN.map("'it''s {}'".format),
    st.just(""),
    st.lists(PLAIN, max_size=2).map(lambda words: f"[{', '.join(words)}]"),
)
COMMENTS = st.sampled_from(["", " # 说明: {x}"])


@st.composite
def fronts(draw: st.DrawFn) -> str:
    """Front matter as officers write it: in blocks or in braces, with comments, empty values and quotes."""

    def members(indent: str) -> str:
        lines = draw(st.dictionaries(NAMES, VALUES, min_size=1))
        return "".join(f"{indent}{name}: {value}{draw(COMMENTS)}\n" for name, value in lines.items())

    flow = ", ".join(f"{k}: {v}" for k, v in draw(st.dictionaries(NAMES, VALUES, min_size=1)).items())
    text = "one line\n" if draw(st.booleans()) else f"|\n{draw(st.sampled_from(['  ', '    ']))}两行\n\n"
    parts = [
        members(""),
        draw(st.sampled_from([f"alert: {{{flow}}}{draw(COMMENTS)}\n", f"alert:\n{members('  ')}"])),
        f"text: {text}",
        "# 最后\n",
    ]
    return "".join(draw(st.permutations(parts)))


@settings(max_examples=60)
@given(
    front=fronts(),
    body=st.text(),
    place=st.sampled_from([*STATE, *UPDATED, *WITHDRAWN]),
    value=st.text(min_size=1),
)
def test_after_amending_the_front_matter_differs_in_that_field_and_the_body_in_no_byte(
    front: str, body: str, place: tuple[str, ...], value: str
) -> None:
    before, problems = read_yaml(front, "x")
    assert not problems, problems
    data = f"---\n{front}---\n{body}".encode("utf-8", "replace")
    try:
        then = amended(data, {place: value}, Path("x.md"))
    except (ProblemsFound, NotAmended):
        # Invisible characters in body or value; never for the rest of the text.
        assert not (value + body).isprintable()
        return
    wanted: Any = copy.deepcopy(before.value)
    inner = wanted
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = " ".join(value.encode("utf-8", "replace").decode().split())
    head, _dashes, tail = then.decode().removeprefix("---\n").partition("\n---\n")
    assert read_yaml(head + "\n", "x")[0].value == wanted
    assert tail.encode() == body.encode("utf-8", "replace")


def test_the_file_keeps_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "child.md"
    file.write_text("---\nid: A\n---\n", "utf-8")
    file.chmod(0o640)
    amend(file, UPDATED)
    assert file.read_text("utf-8") == "---\nid: A\nupdated: 2026-11-21 08:00:00\n---\n"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("没有说明", NotAmended),
        ("---\nid: A\n---\n", NotAmended),
        ("---\nalert: 火情\n---\n", NotAmended),
        ("---\nalert: {state: active, state: active}\n---\n", ProblemsFound),
        ("---\nalert: {state: [\n---\n", ProblemsFound),
        ("---\nalert: {}\n---\n", NotAmended),
        ("---\n---\n", NotAmended),
        ("---\n# 一\n---\n", NotAmended),
        ("---\n{}\n---\n", NotAmended),
    ],
)
def test_a_file_in_which_the_field_cannot_be_set_is_left_alone(
    tmp_path: Path, text: str, error: type[Exception]
) -> None:
    file = tmp_path / "child.md"
    file.write_text(text, "utf-8")
    with pytest.raises(error):
        amend(file, STATE)
    assert [(f.name, f.read_text("utf-8")) for f in tmp_path.iterdir()] == [("child.md", text)]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotAmended, match=r"nobody\.md"):
        amend(tmp_path / "nobody.md", STATE)
