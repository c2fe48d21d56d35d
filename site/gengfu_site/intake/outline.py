"""Paragraphs as people type them in Word or Notepad, laid out as Markdown.

Who writes 一、, （一） and 1. by hand, in bold type or on a line of its own, means headings, as the national standard for
official documents numbers them (GB/T 9704-2012, 7.3.3: 一、 then （一） then 1.); who sets styles says so himself. Both end
as headings without a gap between their levels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SHORT = 40
"""Characters that a heading has at most."""
_BY_HAND = 10
"""Levels above it were typed, those below it set by style."""
_NUMBERS = (
    re.compile(r"[一二三四五六七八九十]{1,3}、"),
    re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]"),
    re.compile(r"\d{1,2}[.．、](?!\d)"),  # so often a list that only bold type tells a heading
)
_ITEM = re.compile(r"(\d{1,2})\\?[.．](?!\d)[ \t]*(?=\S)")
_BULLET = re.compile(r"(?:[•●○■□◆◇▪·]|\\?[-*](?= ))[ \t]*(?=\S)")
_SENTENCE = re.compile(r"[。；;！!：，,]")
_SPECIAL = re.compile(r"([\\`*_\[\]<>~]|&(?=#?\w+;))")
_AT_LINE_START = re.compile(
    r"(?m)^([ \t]*)(#{1,6}(?=[ \t]|$)|[-+](?=[ \t]|$)|=+[ \t]*$|-{2,}[ \t]*$|\d{1,9}[.)](?=[ \t]|$))"
)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A paragraph, a heading, an item of a list, or a block that is Markdown already (a table, a picture)."""

    text: str
    """Markdown."""
    words: str = ""
    """The same without marks; empty for a block."""
    level: int | None = None
    """Of a heading by its style, from 1; 0 is the title."""
    bold: bool = False
    """Throughout; ``text`` does not say so."""
    item: tuple[int, bool] | None = None
    """Of a list: how deep, from 0, and whether it is numbered."""


def escaped(text: str) -> str:
    """``text`` as Markdown that means nothing but itself."""
    return _begun(_SPECIAL.sub(r"\\\1", text))


def _begun(line: str) -> str:
    """``line`` so that what it begins with makes no list, heading or rule of it."""
    return _AT_LINE_START.sub(lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", line)


def outlined(pieces: Sequence[Piece], name: str) -> str:
    """The pieces as Markdown; its first line is the title.

    :param name: the title where none of the pieces is one; "" to do without.
    """
    pieces = sorted(pieces, key=lambda piece: piece.level != 0)  # a letterhead above the title goes below it
    levels = [_level(piece, pieces[index + 1 : index + 2]) for index, piece in enumerate(pieces)]
    if levels and levels[0] is not None and levels[0] < _BY_HAND:
        levels[0] = 0  # what stands first names the whole, whatever its style
    depths = {level: min(depth, 6) for depth, level in enumerate(sorted({n for n in levels if n}), 2)} | {
        0: 1
    }
    blocks = list(_blocks(pieces, [None if level is None else depths[level] for level in levels]))
    if name and not (pieces and (levels[0] == 0 or (levels[0] is None and _is_title(pieces[0])))):
        blocks.insert(0, _Block(text=f"# {escaped(name)}"))
    return "".join(
        block.text + ("\n" if block.item and following and following[0].item else "\n\n")
        for block, following in ((block, blocks[index + 1 : index + 2]) for index, block in enumerate(blocks))
    ).rstrip("\n") + "\n" * bool(blocks)


def _level(piece: Piece, following: Sequence[Piece]) -> int | None:
    """How deep a heading ``piece`` is, None where it is none."""
    if piece.level is not None:
        return piece.level
    if len(piece.words) > _SHORT:
        return None
    if piece.item:  # Word numbers headings too
        headed = piece.bold and piece.item[1] and bool(following) and not following[0].item
        return _BY_HAND + 1 + piece.item[0] if headed else None
    for number, mark in enumerate(_NUMBERS, 1):
        if mark.match(piece.words) and (piece.bold or (number < 3 and _stands_alone(piece, following, mark))):
            return _BY_HAND + number
    return None


def _stands_alone(piece: Piece, following: Sequence[Piece], mark: re.Pattern[str]) -> bool:
    """Whether it heads what follows, though not in bold: no sentence, and not one of a row of its like."""
    return bool(following) and not mark.match(following[0].words) and not _SENTENCE.search(piece.words)


def _is_title(piece: Piece) -> bool:
    return (
        bool(piece.words) and len(piece.words) <= _SHORT and not (piece.item or _SENTENCE.search(piece.words))
    )


@dataclass(frozen=True, kw_only=True)
class _Block:
    text: str
    item: bool = False
    """No empty line stands between two items."""


def _blocks(pieces: Sequence[Piece], depths: Sequence[int | None]) -> Iterator[_Block]:
    """Each piece laid out.

    :param depths: of those that are headings.
    """
    numbers: list[int] = []
    """Of the list that goes on: its last item, and the last of each list within that."""
    interrupted = False
    """By a paragraph or a picture, after which its numbers go on, but nothing can be indented."""
    for piece, depth in zip(pieces, depths, strict=True):
        if depth is None and piece.item:
            level = 0 if interrupted else min(piece.item[0], len(numbers))  # a step of two would be code
            numbers = [*numbers, 0][: level + 1] if not (interrupted and piece.item[0]) else [0]
            numbers[level] += 1
            interrupted = False
            mark = f"{numbers[level]}." if piece.item[1] else "-"
            yield _Block(text=f"{'    ' * level}{mark} {_strong(piece)}", item=True)
            continue
        # A heading begins anew, and so does what is announced with a colon.
        interrupted = depth is None and not piece.words.endswith(("：", ":"))
        numbers = numbers if interrupted else []
        if depth is not None:
            yield _Block(text=f"{'#' * depth} {piece.text}")
        elif typed := _ITEM.match(piece.text):
            yield _Block(text=f"{typed[1]}. {_begun(piece.text[typed.end() :])}", item=True)
        elif typed := _BULLET.match(piece.text):
            yield _Block(text=f"- {_begun(piece.text[typed.end() :])}", item=True)
        else:
            yield _Block(text=_strong(piece))


def _strong(piece: Piece) -> str:
    return f"**{piece.text}**" if piece.bold else piece.text


def typed(text: str) -> list[Piece]:
    """The lines of a plain text: each is a paragraph, with or without an empty line before the next."""
    lines = (line.strip() for line in text.split("\n"))
    return [Piece(text=escaped(line), words=line) for line in lines if line]
