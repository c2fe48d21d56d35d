"""A long alert in several messages, each whole in itself.

Every part carries the title with its number, the link and the footer; the body is dealt out among them. It is
cut where a reader pauses: between paragraphs, else between sentences, else between words, else between signs,
and never inside a sign, an address or a pair of marks such as ``**``. What a part may hold is the platform's
to say, as ``fits``; nothing is counted here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from gengfu_scheduler.message import Message

_MOST = 99
"""Parts of one alert; a text that needs more is nobody's alert."""

_PARAGRAPHS = re.compile(r"(?<=\n)(?=[^\n])")
_SENTENCES = re.compile(
    r"(?<=[。！？；…!?;])(?![。！？；…!?;”’」』）)\]】])|(?<=[。！？；…!?;][”’」』）)\]】])(?![。！？；…!?;”’」』）)\]】])"
)
_WORDS = re.compile(r"(?<=\s)(?=\S)|(?<=[，、：,:])(?=\S)")
# What stays in one piece: a Markdown link, an address, a mention or tag, a pair of marks.
_WHOLE = re.compile(
    r"\[[^\]\n]{0,200}\]\([^)\s]{0,500}\)|https?://[^\s<>，。；、）】]+|<[^<>\n]{1,200}>|(\*\*|__|~~|`)[^\n]{1,200}?\1"
)


def split(message: Message, fits: Callable[[Message], bool]) -> tuple[Message, ...] | None:
    """``message`` in as few parts as ``fits`` allows; None where a part cannot hold even one sign of the body.

    A message that fits is its own only part. Each part has room to be marked 重发, should it be sent again.
    """
    if fits(replace(message, resent=True)):
        return (message,)

    def fits_with(body: str) -> bool:
        return fits(replace(message, body=body, part=_MOST, parts=_MOST, resent=True))

    bodies: list[str] = []
    rest = message.body
    while rest:
        piece = _longest(rest, fits_with)
        if not piece or len(bodies) == _MOST:
            return None
        bodies.append(piece.strip("\n"))
        rest = rest[len(piece) :].lstrip("\n")
    parts = (
        replace(message, body=body, part=number, parts=len(bodies)) for number, body in enumerate(bodies, 1)
    )
    return tuple(parts) or None


def _longest(text: str, fits: Callable[[str], bool]) -> str:
    """The longest beginning of ``text`` that fits and ends at the best border there is."""
    if fits(text):
        return text
    most = _last_fitting(text, range(1, len(text)), fits)
    # A pause that leaves most of the message empty is not worth one more message; a torn address never is.
    for least, kinds in ((most // 2, _PAUSES), (0, _PAUSES), (0, _TEARS)):
        for borders in kinds:
            if (end := _last_fitting(text, list(borders(text)), fits)) > least:
                return text[:end]
    return ""


def _last_fitting(text: str, ends: Sequence[int], fits: Callable[[str], bool]) -> int:
    """The last of ``ends`` up to which ``text`` fits; 0 where there is none. What fits grows with its length."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if fits(text[: ends[middle]].strip("\n")):
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0


def _at(border: re.Pattern[str]) -> Callable[[str], Iterator[int]]:
    return lambda text: _outside_whole(text, (found.start() for found in border.finditer(text)))


def _signs(text: str) -> Iterator[int]:
    return (at for at in range(1, len(text)) if not joins(text[at], text[at - 1]))


def _outside_whole(text: str, places: Iterator[int]) -> Iterator[int]:
    """Those of ``places``, ascending, that lie in nothing that must stay in one piece."""
    wholes = [found.span() for found in _WHOLE.finditer(text)]
    index = 0
    for place in places:
        while index < len(wholes) and wholes[index][1] <= place:
            index += 1
        if place and not (index < len(wholes) and wholes[index][0] < place):
            yield place


def joins(following: str, last: str) -> bool:
    """Whether ``following`` belongs to the sign before it: accents, joiners, emoji variations, flags."""
    return (
        last == "\u200d"
        or following in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= following <= "\U0001f3ff"
        or "\U000e0020" <= following <= "\U000e007f"
        or ("\U0001f1e6" <= following <= "\U0001f1ff" and "\U0001f1e6" <= last <= "\U0001f1ff")
        or (last == "\r" and following == "\n")
        or unicodedata.category(following).startswith("M")
    )


_Borders = Callable[[str], Iterator[int]]
_PAUSES: tuple[_Borders, ...] = (
    _at(_PARAGRAPHS),
    _at(_SENTENCES),
    _at(_WORDS),
    lambda text: _outside_whole(text, _signs(text)),
)
"""Where a text may be cut, best first."""
_TEARS: tuple[_Borders, ...] = (_signs, lambda text: iter(range(1, len(text))))
"""Where an address, or a heap of accents, that no message of the platform could hold is cut all the same."""
