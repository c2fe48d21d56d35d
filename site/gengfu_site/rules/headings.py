"""Headings one level at a time, below the title, which is the page's first.

WCAG 2.2, 1.3.1 Info and Relationships (https://www.w3.org/WAI/tutorials/page-structure/headings/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _

_HEADING = re.compile(r"<h([1-6])[^>]*>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def _find(reading: Reading) -> Iterator[Finding]:
    above, read_to = 1, 0
    for level, words in (
        (int(h[1]), unescape(_TAG.sub("", h[2]))) for h in _HEADING.finditer(reading.article.html)
    ):
        place = _place(words, reading.article.body, read_to)
        if level == 1 or level > above + 1:
            told = (
                _("小标题“{words}”写成了第 1 级，第 1 级是文章自己的标题。")
                if level == 1
                else _("小标题“{words}”是第 {level} 级，它前面只到第 {above} 级。")
            )
            yield Finding(
                message=told.format(words=words, level=level, above=above), place=reading.in_body(place)
            )
        above, read_to = max(level, 1), place + 1


def _place(words: str, body: str, read_to: int) -> int:
    """Where the heading stands in the body; where it was last, if it is not found as it is shown."""
    found = re.compile(
        rf"^[ >]*(?:#{{1,6}}|<h\d[^>\n]*>)?[ \t]*[*_]*{re.escape(words[:12])}", re.MULTILINE
    ).search(body, read_to)
    return found.start() if found else max(read_to - 1, 0)


RULE = Rule(
    id="headings",
    severity="warning",
    why=_("读屏软件和目录按级别跳转，跳级或再写一个一级标题，听的人就找不到层次。"),
    remedy=_("正文从两个井号（##）写起，下一级比上一级只多一个井号。"),
    find=_find,
)
