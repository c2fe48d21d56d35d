"""What a rule is, and what it gets to read.

A rule looks at one article and yields what it finds; :mod:`gengfu_site.rules` makes problems of that. It never sees
the clock, and the network only through answers that were collected before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, TypeVar

from gengfu_site.library import Article, Library
from gengfu_site.problems import Severity
from gengfu_site.source import Location
from gengfu_site.values import dataclass

Made = TypeVar("Made")

_READ = ("title", "summary", "changed", "author", "withdrawn", "service", "alert")
"""Fields whose words residents read."""
_UNREAD = ("alert", "basis")
"""What stands in these and is shown to nobody."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands in an article's file."""

    line: int
    field: str = ""
    """Dotted name; empty for the body."""


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a rule may know besides the article: the others, the moment, what addresses answered."""

    library: Library
    at: datetime
    answers: Mapping[str, str] = field(default_factory=dict)
    """What is wrong with addresses out of the site, by address; empty where none was asked."""
    _made: dict[Callable[[Around], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, make: Callable[[Around], Made]) -> Made:
        """What ``make`` gives for this library, made the first time it is asked for."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One article before the rules."""

    article: Article
    around: Around

    @cached_property
    def text(self) -> str:
        """All that residents read of it: field after field, a line end between them, then the body."""
        return "\n".join([*(text for text, _location in self._fields), self.article.body])

    def place(self, position: int) -> Place:
        """Where the sign at ``position`` of :attr:`text` stands."""
        begin = 0
        for text, location in self._fields:
            begin += len(text) + 1
            if position < begin:
                return self.field(*location)
        return self.in_body(position - begin)

    def in_body(self, position: int) -> Place:
        """The same, for a sign of the body."""
        article = self.article
        return Place(line=article.body_line + article.body.count("\n", 0, position))

    def field(self, *location: str | int) -> Place:
        """Where that field stands."""
        return Place(line=self.article.lines.line(*location), field=".".join(map(str, location)))

    @cached_property
    def _fields(self) -> list[tuple[str, Location]]:
        found: list[tuple[str, Location]] = []
        values = self.article.lines.value
        _collect({name: values[name] for name in _READ if name in values}, (), found)
        return [(text, location) for text, location in found if location != _UNREAD]


def naming(file: PurePosixPath, reading: Reading) -> Place:
    """Where the article names ``file``, which it brings along."""
    article = reading.article
    if file == article.cover_file:
        return reading.field("cover")
    if file in article.attachment_files:
        return reading.field("attachments")
    return reading.in_body(max(article.body.find(file.name), 0))


def _collect(value: Any, location: Location, found: list[tuple[str, Location]]) -> None:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        if isinstance(part, str):
            found.append((part, (*location, name)))
        else:
            _collect(part, (*location, name), found)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One place at which an article breaks a rule."""

    message: str
    """What was found; personal data only masked, for this is shown and stored elsewhere."""
    place: Place
    words: str = ""
    """The very words, for an article's ``allow``; empty where none can be allowed."""
    remedy: str = ""
    """Nearer than the rule's own; empty where that will do."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a well-formed article should be, besides."""

    id: str
    severity: Severity
    """``error``: an article that breaks it is not published."""
    why: str
    """One sentence."""
    remedy: str
    find: Callable[[Reading], Iterator[Finding]]


_SEPARATORS = re.compile(r"[\W_]+")
_NARROW = str.maketrans({code + 0xFEE0: code for code in range(0x21, 0x7F)})
"""Full-width letters, digits and signs as ASCII ones."""


def narrowed(text: str) -> str:
    """``text`` with its full-width letters, digits and signs as ASCII ones; as long as before."""
    return text.translate(_NARROW)


def squeezed(text: str) -> str:
    """``text`` without what may stand between its letters and digits, to compare."""
    return _SEPARATORS.sub("", narrowed(text)).upper()
