"""Markdown as it is shown: Chinese emphasis, alert boxes in Chinese, and nothing that runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengfu_site.markdown import Followed, follow, render, with_absolute_links


def followed(body: str, to: Callable[[str], str] = str) -> Followed:
    [rendered] = render([body])
    return follow(rendered, to)


def html(body: str) -> str:
    return followed(body).html


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("**注意：**请勿转账", "<strong>注意：</strong>请勿转账"),
        ("> [!WARNING]\n> 小心\n", '<p class="markdown-alert-title">注意</p>'),
        ("> [!TIP] 窍门\n> 小心\n", '<p class="markdown-alert-title">窍门</p>'),
        ("- [x] 户口簿\n", 'type="checkbox" class="task-list-item-checkbox" checked'),
        ("- 一\n- [ ] 二\n", 'disabled="" aria-label="事项"> 二'),
        ("<input value='x' type=text>", '<input type="checkbox" class="task-list-item-checkbox" disabled=""'),
        ("|甲|乙|\n|-|:-:|\n|1|2|\n", '<td class="center">2</td>'),
        ("|甲|乙|\n|-|:-|\n|1|2|\n", "<td>2</td>"),
        ("|甲|\n|-|\n|1|\n", '<div class="wide" tabindex="0" role="region" aria-label="表格"><table>'),
        ("## 怎么办\n", '<h2 id="怎么办">怎么办</h2>'),
        ("96110[^1]\n\n[^1]: 反诈专线\n", '<li id="fn-1">'),
        ("甲<br>乙", "甲<br>乙"),
    ],
)
def test_what_officers_write_is_shown(body: str, shown: str) -> None:
    assert shown in html(body)


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "<a href='&#106;avascript:alert(1)'>x</a>",
        "<iframe src='//evil'></iframe>",
        "<p style='position:fixed'>x</p>",
        "<svg onload=alert(1)>",
        "<form action=//evil><input name=a></form>",
    ],
)
def test_nothing_that_runs_or_covers_survives(body: str) -> None:
    shown = html(body).lower()
    assert not [
        word for word in ("script", "onerror", "onload", "iframe", "style=", "<form") if word in shown
    ]


def test_a_heading_can_be_linked_to() -> None:
    assert {"一-二", "三"} <= followed("## 一 **二**\n### 三\n").anchors


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("![示意图](data:image/png;base64,AA==)", ("示意图",)),
        ("[**表**格](file:///D:/a.pdf)", ("表格",)),
        ("[好](https://h.cn)", ()),
        ('<a id="x"></a>', ()),
    ],
)
def test_what_loses_its_address_is_named(body: str, words: tuple[str, ...]) -> None:
    assert followed(body).without_address == words


def test_a_character_that_no_feed_can_hold_is_dropped() -> None:
    assert html("甲&#1;乙&#xFFFE;") == "<p>甲乙</p>\n"


def test_every_address_is_followed_once_even_in_raw_html_with_odd_attributes() -> None:
    seen: list[str] = []

    def follow(address: str) -> str:
        seen.append(address)
        return "x"

    followed('[a](1) ![b](2) <a title="p>q" href="3">c</a>\n\nhttps://h.cn/4', follow)
    assert seen == ["1", "2", "3", "https://h.cn/4"]


def test_links_become_absolute_for_feeds() -> None:
    body = html("[甲](../b/) ![图](../../p.svg) [打](tel:110)")
    shown = with_absolute_links(body, "https://h/s/a/c/")
    assert 'href="https://h/s/a/b/"' in shown
    assert 'src="https://h/s/p.svg"' in shown
    assert 'href="tel:110"' in shown


@given(st.text(max_size=200))
def test_no_text_can_open_a_script(body: str) -> None:
    assert "<script" not in html(body).lower()
