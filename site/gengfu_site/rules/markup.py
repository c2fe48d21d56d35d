"""Markdown that is none: what a Chinese keyboard and Word's habits make of it, which readers then see as signs.

A heading wants a space after its number signs, a list one after its full stop, and all signs are ASCII ones; an address
has no space in it (https://spec.commonmark.org/0.31.2/#atx-headings, #list-items, #link-destination).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gengfu_site.rules.rule import Finding, Place, Reading, Rule
from gengfu_templates.i18n import _

_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(
    r"^ {0,3}(?:#*＃[#＃]*|#(?=\u3000)|#{2,6}(?![ \t\n#＃]))[ \u3000]*(?P<words>\S[^\n]*)", re.MULTILINE
)
_FILE = r"[^()（）\n]{0,300}(?:https?:|\.(?:md|pdf|jpe?g|png|gif|webp|svg|mp[34])\b)[^()（）\n]{0,300}"
_LINK = re.compile(
    rf"(?P<sign>[!！]?)\[[^\[\]\n]{{0,300}}\](?P<gap>[ \u3000]*)(?P<opened>[(（])(?P<address>{_FILE})(?P<closed>[)）])",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|svg)$", re.IGNORECASE)
_ITEM = r"^ {0,3}(?:[0-9]{1,2}(?:[.)](?![\s0-9])|[、．）])|[一二三四五六七八九十]{1,3}、)[^\n]*"
_ITEMS = re.compile(rf"{_ITEM}(?:\n{_ITEM})+", re.MULTILINE)


def _find(reading: Reading) -> Iterator[Finding]:
    body = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), reading.article.body)
    for look in (_headings, _links, _items):
        for start, message, remedy in look(body):
            yield Finding(message=message, remedy=remedy, place=reading.in_body(start))
    for cut in reading.article.lines.cut:
        yield Finding(
            message=_("“{words}”前面空了一格，从井号起都不算内容，不会公开。").format(words=cut.words[:20]),
            remedy=_("要公开的，把整个值用英文双引号括起来；是写给自己看的，井号后面空一格。"),
            place=Place(line=cut.line, field=cut.field),
        )


_Found = tuple[int, str, str]
"""Where, what, and how to mend it."""


def _headings(body: str) -> Iterator[_Found]:
    for heading in _HEADING.finditer(body):
        words = heading["words"][:20]
        yield (
            heading.start(),
            _("“{words}”不会变成小标题。").format(words=heading[0].strip()[:20]),
            _("写成“## {words}”：半角的井号，后面空一格。").format(words=words),
        )


def _links(body: str) -> Iterator[_Found]:
    for link in _LINK.finditer(body):
        if _is_link(link):
            continue
        yield (
            link.start(),
            _("“{words}”不会变成链接或图片。").format(words=link[0][:60]),
            _(
                "用半角的括号和叹号，中间不空格；文件名里有空格的，先改名。例如 ![楼道口](../pictures/stairs.jpg)。"
            ),
        )


def _is_link(link: re.Match[str]) -> bool:
    if link["gap"] or link["opened"] != "(" or link["closed"] != ")":
        return False
    address = link["address"].strip(" ")
    if link["sign"] == "！" and _PICTURE.search(address):
        return False
    return not re.search(r"\s", address) or address[0] == "<" or address[-1] in "\"'"


def _items(body: str) -> Iterator[_Found]:
    for items in _ITEMS.finditer(body):
        yield (
            items.start(),
            _("“{words}”和下面几行会连成一段，不会一条一行。").format(
                words=items[0].strip().split("\n")[0][:20]
            ),
            _("数字后面写半角的点、空一格，例如“1. 先关电”；或在两行之间空一行。"),
        )


RULE = Rule(
    id="markup",
    severity="warning",
    why=_("少一个空格、用了全角的符号，网页上就照原样露出来。"),
    remedy=_("用半角的符号，井号和数字的点后面空一格。"),
    find=_find,
)
