"""How much of what an article's text may hold: enough for any that people read, too little to keep a build busy.

Parsers of Markdown and HTML take a time that grows with the square of some things: of headings alike, of quotes within
quotes, of tags that nobody closes, which begin anew in each paragraph
(https://html.spec.whatwg.org/multipage/parsing.html#reconstruct-the-active-formatting-elements); and a row of a table is
as wide as its head, whatever stands in it (https://github.github.com/gfm/#tables-extension-). Within these bounds any
text is read in a second or two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from gengfu_site.problems import Problem
from gengfu_templates.i18n import _

MAX_BYTES = 1 << 17
"""Of an article's file: 40,000 characters, twice the longest law that a station explains."""
_SMALL = 4096
"""Characters that take no time, whatever they are."""
_MOST_LINES, _MOST_QUOTES, _MOST_TAGS, _MOST_COLUMNS = 4000, 50, 50, 50

_QUOTES = re.compile(rf"(?:>[ \t*+.)\d-]*){{{_MOST_QUOTES + 1}}}")
_COLUMNS = re.compile(rf"^(?:[^|\n]*\|){{{_MOST_COLUMNS + 2}}}", re.MULTILINE)
_TAG = re.compile(r"<(/?)(?![\w.+-]+[:@])([a-zA-Z][a-zA-Z0-9]*)")  # <https://…> and <mail@…> are none
_NEVER_WITHIN = frozenset(
    ("a", "br", "col", "dd", "dt", "hr", "img", "input", "li", "option", "p", "td", "th", "tr", "wbr")
)
"""Tags that hold nothing, or end where the next of their kind begins."""


def excess(text: str, name: str) -> Iterator[Problem]:
    """What ``text`` has too much of.

    :param name: its file as the officer knows it.
    """

    def problem(position: int, message: str, remedy: str) -> Problem:
        line = text.count("\n", 0, position) + 1
        return Problem(path=name, line=line, message=message, remedy=remedy)

    if len(text) <= _SMALL:
        return
    if (lines := text.count("\n")) > _MOST_LINES:
        message = _("文章最多 {most} 行，这篇有 {lines} 行。").format(most=_MOST_LINES, lines=lines)
        yield problem(len(text), message, _("把长文拆成几篇。"))
    if quotes := _QUOTES.search(text):
        message = _("引用（>）套了超过 {most} 层。").format(most=_MOST_QUOTES)
        yield problem(quotes.start(), message, _("每行开头写一个 > 就够。"))
    if columns := _COLUMNS.search(text):
        message = _("表格超过 {most} 列。").format(most=_MOST_COLUMNS)
        yield problem(columns.start(), message, _("分成几个表格。"))
    if (tag := _within_too_many(text)) is not None:
        message = _("HTML 标签套了超过 {most} 层。").format(most=_MOST_TAGS)
        yield problem(tag, message, _("给每个标签写上结束标签，或者改用 Markdown。"))


def _within_too_many(text: str) -> int | None:
    """Where a tag stands within more than there may be."""
    open_: Counter[str] = Counter()
    within = 0
    for tag in _TAG.finditer(text):
        closes, name = tag[1], tag[2].lower()
        if closes and open_[name]:
            open_[name] -= 1
            within -= 1
        elif not closes and name not in _NEVER_WITHIN:
            open_[name] += 1
            within += 1
            if within > _MOST_TAGS:
                return tag.start()
    return None
