"""An address as a QR code (ISO/IEC 18004), drawn as one SVG path: for paper, from which nobody can copy a link.

The symbol is made by zxing-cpp (https://github.com/zxing-cpp/zxing-cpp).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import zxingcpp

from gengfu_site.values import dataclass

_DENSE = re.compile(r"https?://[0-9A-Za-z.:-]+/[0-9A-Z/.-]*")
"""Addresses whose path has no lower case, and that QR's alphanumeric mode can then hold (ISO/IEC 18004, 7.4.4)."""
_MASK = 3
"""Of the eight (7.8). Weighing all of them for each code took six times as long, and its choice did not read better:
of blurred pictures of 150 codes, 61 and 73 % of those with this mask were read, of those chosen 27 and 23 %."""


@dataclass(frozen=True, kw_only=True)
class Code:
    side: int
    """Modules along each side, without the quiet zone of four around it."""
    path: str
    """Strokes of width 1 along the middle of each row of modules; the first row's is at 0."""


@lru_cache(maxsize=256)
def draw(address: str) -> Code:
    """``address`` as a code that still reads with 15 % of it damaged (level M); remembered, as codes drawn one after the
    other take half the time of those drawn between pages."""
    symbol = zxingcpp.create_barcode(
        _shortest(address), zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=_MASK
    )
    image = symbol.to_image(add_quiet_zones=False)
    side = image.shape[0]
    modules = bytes(memoryview(image))  # type: ignore[arg-type]  # its stub leaves the buffer out
    rows = [_row(modules[at : at + side]) for at in range(0, side * side, side)]
    return Code(side=side, path="M0 0" + f"m-{side} 1".join(rows))


@lru_cache(maxsize=10_000)
def _row(modules: bytes) -> str:
    """Two of three rows are also in the codes of other addresses that begin alike."""
    return "".join(map(_stroke, modules.replace(b"\x00\xff", b"\x00 \xff").split()))


@cache
def _stroke(run: bytes) -> str:
    """Of light modules and the dark ones behind them, or of the light end of a row."""
    dark = run.count(0)
    light = len(run) - dark
    return (f"m{light} 0" if light else "") + (f"h{dark}" if dark else "")


def _shortest(address: str) -> str:
    """``address`` in upper case, which makes a smaller code, where that leads to the same place.

    Scheme and host are the same in either case (RFC 3986, 6.2.2.1), a path is not.
    """
    return address.upper() if _DENSE.fullmatch(address) else address
