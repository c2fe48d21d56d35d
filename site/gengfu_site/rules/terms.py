"""The station's own words: ``terms.yml`` beside ``mkdocs.yml`` says which not to use, which to weigh, which to prefer.

    forbidden: [{word: 罪犯, instead: 犯罪嫌疑人, why: 法院判决以前，谁都不是罪犯}]
    careful: …
    preferred: …

A forbidden word keeps an article from being published, the others are only pointed out. Words between quotation marks
are somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gengfu_site.article import Text
from gengfu_site.problems import Problem
from gengfu_site.rules.rule import Around, Finding, Reading, Rule
from gengfu_site.source import STRICT, read_text, read_yaml, validate
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

FILE = "terms.yml"


@dataclass(frozen=True, kw_only=True)
class Term:
    """One word of the list."""

    __pydantic_config__ = STRICT

    word: Text
    instead: Text
    why: Text
    within: tuple[Text, ...] = ()
    """Longer words that hold it and are fine: 罪犯 in 罪犯档案."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The whole list."""

    __pydantic_config__ = STRICT

    forbidden: tuple[Term, ...] = ()
    careful: tuple[Term, ...] = ()
    preferred: tuple[Term, ...] = ()


def read_terms(around: Around) -> tuple[Terms, list[Problem]]:
    """The station's list, empty where it has none, and what is wrong with it."""
    settings = around.library.settings
    if not (settings.folder / FILE).is_file():
        return Terms(), []
    text = read_text(settings.folder / FILE, settings.folder)
    if isinstance(text, Problem):
        return Terms(), [text]
    document, problems = read_yaml(text, FILE)
    if problems:
        return Terms(), problems
    terms, problems = validate(Terms, document)
    return terms or Terms(), problems


@dataclass(frozen=True, kw_only=True)
class _List:
    """Some of the terms, ready to be looked for."""

    by_word: dict[str, Term]
    pattern: re.Pattern[str] | None
    """None: the list is empty."""


def _list(terms: tuple[Term, ...]) -> _List:
    words = {term.word for term in terms} | {longer for term in terms for longer in term.within}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    pattern = re.compile("|".join(map(re.escape, longest_first))) if words else None
    return _List(by_word={term.word: term for term in terms}, pattern=pattern)


def _forbidden(around: Around) -> _List:
    return _list(around.once(read_terms)[0].forbidden)


def _others(around: Around) -> _List:
    terms = around.once(read_terms)[0]
    return _list((*terms.careful, *terms.preferred))


_OPEN, _CLOSED = "“「『‘", "”」』’"
_LONGEST_QUOTED = 200


def _quoted(text: str, position: int) -> bool:
    """Whether the nearest quotation mark before it, on its line, is one that opens."""
    before = text[max(position - _LONGEST_QUOTED, 0) : position].rpartition("\n")[2]
    return max(map(before.rfind, _OPEN)) > max(map(before.rfind, _CLOSED))


def _uses(reading: Reading, terms: _List) -> Iterator[Finding]:
    if terms.pattern is None:
        return
    for found in terms.pattern.finditer(reading.text):
        term = terms.by_word.get(found[0])
        if term and not _quoted(reading.text, found.start()):
            yield Finding(
                message=_("用词“{word}”：{why}。").format(word=term.word, why=term.why.rstrip("。")),
                place=reading.place(found.start()),
                words=term.word,
                remedy=_("改用：{instead}。").format(instead=term.instead.rstrip("。")),
            )


def _find_forbidden(reading: Reading) -> Iterator[Finding]:
    yield from _uses(reading, reading.around.once(_forbidden))


def _find_others(reading: Reading) -> Iterator[Finding]:
    yield from _uses(reading, reading.around.once(_others))


FORBIDDEN = Rule(
    id="forbidden-terms",
    severity="error",
    why=_("本单位用词表（terms.yml 的 forbidden）里写明不能用的词，用了会伤人或者违法。"),
    remedy=_("换成用词表里写的说法；引用别人的话请加引号。"),
    find=_find_forbidden,
)
CAREFUL = Rule(
    id="careful-terms",
    severity="warning",
    why=_("本单位用词表（terms.yml 的 careful、preferred）里写明要慎用、有更好说法的词。"),
    remedy=_("按用词表里的说法改；确实要用的，在开头写 allow。"),
    find=_find_others,
)
