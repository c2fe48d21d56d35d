"""Words that mean the same to residents: ``synonyms.txt`` in the station folder, which search reads.

A line holds words that mean the same, with spaces or commas between them; ``#`` begins a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gengfu_site.problems import Problem
from gengfu_site.source import read_text
from gengfu_templates.i18n import _

FILE = "synonyms.txt"
_BETWEEN = re.compile(r"[\s,，、;；/|]+")

Synonyms = tuple[tuple[str, ...], ...]
"""Each the words of one line."""


def read_synonyms(folder: Path) -> tuple[Synonyms, list[Problem]]:
    """The words of the station in ``folder``, none where it has no such file."""
    if not (folder / FILE).exists():
        return (), []
    text = read_text(folder / FILE, folder)
    if isinstance(text, Problem):
        return (), [text]
    lines = [(number, _words(line)) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, words) for number, words in lines if words]
    return tuple(words for _number, words in lines), list(_mistakes(lines))


def _words(line: str) -> tuple[str, ...]:
    return tuple(filter(None, _BETWEEN.split(line.partition("#")[0])))


def _mistakes(lines: list[tuple[int, tuple[str, ...]]]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, words in lines:
        if len(words) < 2:
            yield Problem(
                path=FILE,
                line=number,
                message=_("这一行只有“{word}”一个词，没有和它同义的。").format(word=words[0]),
                remedy=_("同义的词写在同一行，用空格隔开，例如：煤气 燃气。"),
            )
        for word in words:
            if not any(sign.isalnum() for sign in word):
                yield Problem(
                    path=FILE,
                    line=number,
                    message=_("“{word}”里没有一个字，搜不到。").format(word=word),
                    remedy=_("删掉它；要写说明，前面加 #。"),
                )
            elif len(word) == 1:
                yield Problem(
                    path=FILE,
                    line=number,
                    message=_("“{word}”只有一个字，搜索从两个字找起。").format(word=word),
                    remedy=_("写成两个字以上的词，或删掉它。"),
                )
            elif word.lower() in seen:
                yield Problem(
                    path=FILE,
                    line=number,
                    message=_("“{word}”在第 {line} 行已经写过了。").format(
                        word=word, line=seen[word.lower()]
                    ),
                    remedy=_("把两行并成一行，或删掉其中一个。"),
                )
            seen.setdefault(word.lower(), number)
