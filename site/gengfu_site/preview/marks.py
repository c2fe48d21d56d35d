"""Where on an article's page a problem belongs: at the words that it is about, as near as that can be told.

A problem knows its line and, above the text, its field. The text is rendered once more with each element's lines
(:func:`gengfu_site.markdown.blocks`); a field is found by its words, or by what the page shows of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from markupsafe import escape

from gengfu_site.library import Article
from gengfu_site.markdown import Block, blocks
from gengfu_site.problems import Problem

_HOLDERS = frozenset(
    [
        "blockquote",
        "dd",
        "div",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "p",
        "pre",
        "section",
        "table",
    ]
)
"""Elements that a remark may follow; of the text within them, none is told apart."""
_INSIDE = frozenset(["dd", "dt", "li", "p", "td"])
"""Those in which it stands last: nothing else may stand between their neighbours."""
_END = re.compile(r"</(dd|dt|h[1-6]|li|p|td)>")
_FACTS = r'<table class="facts">.*?</table>'
_DATES = r'<p class="dates soft">.*?</p>'
_SHOWN = {
    "title": (r"<h1\b.*?</h1>",),
    "service.visit": (r'<div class="box info answer">.*?</div>',),
    "cover": (r'<img class="cover"[^>]*>',),
    "withdrawn": (r'<div class="box bad">.*?</div>',),
    **dict.fromkeys(
        ("published", "updated", "changed", "reviewed", "next_review", "expires", "author"),
        (_DATES, _FACTS),
    ),
}
"""What the page shows of a field otherwise than in its words."""
_AROUND = {"service": _FACTS, "alert": _FACTS}
"""Where a field is missed that is not there."""


def places(html: str, article: Article, problems: Sequence[Problem]) -> list[int | None]:
    """For each of ``problems``, where in the page ``html`` of ``article`` a remark on it goes; None: nowhere."""
    begin = html.find(article.html) if article.html.strip() else -1
    holders: list[Block] = []
    with suppress(ValueError):  # the file was saved anew since: the page that comes of that will have them
        found = blocks(article.html, article.body) if begin >= 0 else []
        holders = [block for block in found if block.tag in _HOLDERS]
    return [_place(problem, html, article, begin, holders) for problem in problems]


def _place(problem: Problem, html: str, article: Article, begin: int, holders: Sequence[Block]) -> int | None:
    if problem.path != article.lines.path:
        return None
    if problem.field:
        return _field(html, problem.field.split("."), article.lines.value)
    line = problem.line - article.body_line + 1
    if line < 1 or not holders:
        return None
    return begin + _after(_holding(line, holders))


def _holding(line: int, holders: Sequence[Block]) -> Block:
    """The innermost that was written on ``line``; else the nearest before it."""
    for block in holders:
        if block.first <= line <= block.last:
            return block
    before = [block for block in holders if block.last < line]
    return max(before, key=lambda block: (block.last, block.end), default=holders[0])


def _after(block: Block) -> int:
    if block.tag in _INSIDE:
        return block.end - len(f"</{block.tag}>")
    return block.end + (len("</div>") if block.tag == "table" else 0)  # what it scrolls in


def _field(html: str, location: list[str], values: Any) -> int | None:
    main, end = html.find("<main"), html.find("</main>")
    if main < 0 or end < 0:
        return None
    for pattern in _patterns(location, values):
        if seen := re.compile(pattern, re.DOTALL).search(html, main, end):
            if seen.lastgroup != "words":
                return seen.end()
            if closing := _END.search(html, seen.end("words"), end):
                return closing.end() if closing[1].startswith("h") else closing.start()
    return None


def _patterns(location: list[str], values: Any) -> Iterator[str]:
    """What to look for, one after another; ``words`` is where a field's own words end."""
    name = ".".join(location)
    yield from _SHOWN.get(name, ())
    for words in _words(location, values):
        written = re.escape(str(escape(words)))
        yield f">(?P<words>{written})<"
        yield f"(?P<words>{written})"
    if location[0] in _AROUND:
        yield _AROUND[location[0]]


def _words(location: Sequence[str], value: Any) -> Iterator[str]:
    """The words of a field, its first ones where it holds several; of a file's name, what the page shows."""
    for key in location:
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return
    while isinstance(value, list | dict) and value:
        value = next(iter(value.values() if isinstance(value, dict) else value))
    if isinstance(value, str) and value.strip():
        words = " ".join(value.split())
        yield words
        if words != PurePosixPath(words).name:
            yield PurePosixPath(words).name
