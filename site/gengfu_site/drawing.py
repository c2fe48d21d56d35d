"""Draws the picture that a chat shows beside a link: words, a band for small ones, and a symbol.

The size is that of a large WeCom news card (https://developer.work.weixin.qq.com/document/path/99110); what matters
stands in the square in its middle, for WeChat shows no more. The same words always give the same bytes.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from io import BytesIO
from operator import itemgetter

from PIL import Image, ImageColor, ImageDraw, ImageFont

from gengfu_site.catalogue import Kind
from gengfu_templates import FONT

SIZE = (1068, 455)
"""Width and height in pixels."""

_SHADES = 16
"""From the ground's colour to white; a PNG of so few takes half a byte a pixel before compression."""
_RINGS = ((620, 1), (450, 2), (280, 3))
"""Radius and shade of the rings behind the words, widest first."""
_BAND = 80
"""Height of the white band at the top, which holds the small words."""
_FREE = 100
"""Height at the bottom where nothing stands: over it apps write the first title of a digest (inferred)."""
_ROOM = SIZE[1] - 2 * 26
"""Width for words: the square in the middle, less a margin."""
_SYMBOL = 104
"""Width and height of a symbol."""
_ABOVE = 16
"""What is free above one."""


@lru_cache(maxsize=512)
def png(words: str, small: str, colour: str, symbol: Kind | None = None) -> bytes:
    """A symbol, large words, and small ones in the band."""
    width, height = SIZE
    canvas, top = _ground().copy(), _BAND
    if symbol:
        canvas.paste(255, ((width - _SYMBOL) // 2, top + _ABOVE), _symbol(symbol))
        top += _ABOVE + _SYMBOL
    _set(canvas, small, 0, _BAND, white=False)
    _set(canvas, words, top, height - _FREE, white=True)
    return _encoded(canvas, colour)


def _set(canvas: Image.Image, words: str, top: int, bottom: int, *, white: bool) -> None:
    """Write ``words`` into the middle of the strip."""
    room = int((bottom - top) * 0.82)  # signs reach a little out of their lines
    size, lines = _fitted(words, room, _LARGE if white else _SMALL)
    for number, line in enumerate(lines):
        y = (top + bottom) / 2 + (number - (len(lines) - 1) / 2) * size * _LEADING
        ImageDraw.Draw(canvas).text(
            (SIZE[0] / 2, y), line, fill=255 if white else 0, font=_font(size), anchor="mm"
        )


@cache
def _ground() -> Image.Image:
    """Rings and band; shades as grey from 0 (the picture's colour) to 255 (white)."""
    width, height = SIZE
    canvas = Image.new("L", SIZE, 0)
    draw = ImageDraw.Draw(canvas)
    for radius, shade in _RINGS:
        draw.circle((width / 2, height), radius, fill=shade * 255 // (_SHADES - 1))
    draw.rectangle((0, 0, width, _BAND - 1), fill=255)
    return canvas


def _encoded(canvas: Image.Image, colour: str) -> bytes:
    """``canvas`` as a PNG in shades of ``colour``."""
    last = _SHADES - 1
    shades = canvas.point([(grey * last + 127) // 255 for grey in range(256)])
    darkest = ImageColor.getrgb(colour)[:3]
    shades.putpalette([(part * (last - n) + 255 * n) // last for n in range(_SHADES) for part in darkest])
    file = BytesIO()
    # Of even areas run lengths alone make the smallest file, and fifteen times as fast.
    shades.save(file, "PNG", bits=4, compress_level=9, compress_type=zlib.Z_RLE)
    return file.getvalue()


# Words

_LARGE = (104, 62, 36)
_SMALL = (36, 24, 24)
"""Sizes: the largest, the least before words take one line more, the least at all."""
_LEADING = 1.2
_WORD = re.compile(r"[（《“‘【〔(]*(?:[!-'*-~]{1,12}|.)[，。、；：！？）》”’】〕…)]*\s*")
"""What no line ends within: a sign, or Latin letters, with the punctuation that goes with it."""


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The plain layout is in every build of Pillow, so that every machine sets the same line.
    return ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)


def _fitted(words: str, room: int, sizes: tuple[int, int, int]) -> tuple[int, list[str]]:
    """Size and lines of ``words``, no higher than ``room``; what is too long even then is cut."""
    largest, decent, least = sizes
    best: tuple[int, list[str]] = (0, [])
    for number in range(1, int(room / _LEADING / least) + 1):
        lines = _broken(words, number)
        widest = max(map(_ems, lines)) or 1
        size = min(largest, int(room / _LEADING / number), int(_ROOM / widest))
        best = max(best, (size, lines), key=itemgetter(0))
        if size >= decent:
            break
    return best if best[0] >= least else _fitted(words[: len(words) * 7 // 8] + "…", room, sizes)


def _broken(words: str, number: int) -> list[str]:
    """``words`` in so many lines, as equal as they can be."""
    parts = _WORD.findall(words)
    limit = _ems(words) / number
    while len(lines := _filled(parts, limit)) > number:
        limit *= 1.05
    return lines


def _filled(parts: list[str], limit: float) -> list[str]:
    """Lines of ``parts``, none wider than ``limit`` unless one part is."""
    lines = [""]
    for part in parts:
        if lines[-1] and _ems((lines[-1] + part).rstrip()) > limit:
            lines.append("")
        lines[-1] += part
    return [line.rstrip() for line in lines]


def _ems(words: str) -> float:
    """Width in multiples of the size."""
    return sum(map(_advance, words))


@cache
def _advance(sign: str) -> float:
    return _font(_LARGE[0]).getlength(sign) / _LARGE[0]


def drawable(words: str) -> str:
    """``words`` less the signs that the font lacks; empty where it lacks a letter, for the rest would mislead."""
    lacking = {sign for sign in words if _lacks(sign)}
    if any(unicodedata.category(sign)[0] in "LN" for sign in lacking):
        return ""
    return "".join(sign for sign in words if sign not in lacking).strip()


@cache
def _lacks(sign: str) -> bool:
    """Whether the font would draw what it draws for a sign that there is not."""
    font = _font(_SMALL[0])
    return bytes(font.getmask(sign)) == bytes(font.getmask("\U0010ffff"))


# Symbols, on a square of 28 units


@cache
def _symbol(kind: Kind) -> Image.Image:
    canvas = Image.new("L", (_SYMBOL * 4, _SYMBOL * 4), 0)
    _DRAWN[kind](_Pen(canvas))
    return canvas.reduce(4)


class _Pen:
    """Draws on a square of 28 units a side, however many pixels that is."""

    def __init__(self, canvas: Image.Image) -> None:
        self._draw = ImageDraw.Draw(canvas)
        self._unit = canvas.width / 28

    def area(self, *points: tuple[float, float], fill: int = 255) -> None:
        self._draw.polygon(self._scaled(*points), fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: int = 255) -> None:
        self._draw.circle(self._scaled((x, y))[0], radius * self._unit, fill=fill)

    def box(
        self, left: float, top: float, right: float, bottom: float, round: float = 0, fill: int = 255
    ) -> None:
        corners = self._scaled((left, top), (right, bottom))
        self._draw.rounded_rectangle(corners, round * self._unit, fill=fill)

    def line(self, *points: tuple[float, float], width: float = 2.4, fill: int = 255) -> None:
        """With round ends and corners."""
        self._draw.line(self._scaled(*points), fill=fill, width=int(width * self._unit))
        for x, y in points:
            self.disc(x, y, width / 2, fill)

    def _scaled(self, *points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * self._unit, y * self._unit) for x, y in points]


def _padlock(pen: _Pen) -> None:
    pen.disc(14, 10.5, 7.5)
    pen.disc(14, 10.5, 4.6, fill=0)
    pen.box(4.5, 12, 23.5, 26, 2.5)
    pen.disc(14, 17.5, 2.3, fill=0)
    pen.line((14, 18), (14, 22), width=2.2, fill=0)


def _doubtful_call(pen: _Pen) -> None:
    """What somebody says, and a bar across."""
    pen.box(2, 3, 26, 20.5, 3.5)
    pen.area((7, 20), (7, 26.5), (14, 20))
    pen.line((10.2, 7), (14, 11.4), (17.8, 7), width=2, fill=0)
    pen.line((14, 11.4), (14, 17.2), width=2, fill=0)
    pen.line((10.4, 12), (17.6, 12), width=1.6, fill=0)
    pen.line((10.4, 14.8), (17.6, 14.8), width=1.6, fill=0)


def _form(pen: _Pen) -> None:
    pen.box(5, 2, 23, 26, 2)
    for y, right in ((8, 19), (13, 19), (18, 14)):
        pen.line((9, y), (right, y), width=2, fill=0)


def _loudspeaker(pen: _Pen) -> None:
    pen.area((3, 10.5), (9, 10.5), (19, 4.5), (19, 23.5), (9, 17.5), (3, 17.5))
    pen.box(6, 16, 10.5, 25, 1.5)
    pen.line((22.5, 10.5), (24.2, 14), (22.5, 17.5), width=2.2)


def _film(pen: _Pen) -> None:
    pen.box(2, 4.5, 26, 23.5, 4)
    pen.area((11, 8.7), (11, 19.3), (20, 14), fill=0)


def _warning(pen: _Pen) -> None:
    pen.area((14, 2), (1.5, 25), (26.5, 25))
    pen.line((14, 3.6), (2.8, 24), (25.2, 24), (14, 3.6), width=3)
    pen.line((14, 10.5), (14, 17), width=2.7, fill=0)
    pen.disc(14, 21.3, 1.6, fill=0)


_DRAWN: Mapping[Kind, Callable[[_Pen], None]] = {
    "tip": _padlock,
    "fraud": _doubtful_call,
    "service": _form,
    "notice": _loudspeaker,
    "video": _film,
    "alert": _warning,
}
