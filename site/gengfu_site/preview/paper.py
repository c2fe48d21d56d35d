"""A page as it comes out of a printer: its own print rules on sheets of A4, which the browser breaks into columns.

CSS fragments columns as it fragments pages (https://www.w3.org/TR/css-break-3/), so what must not be cut in two is
not: a sheet is a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_MEDIA = re.compile(r"@media\b([^{]*)\{")
_STYLE = re.compile(r"(<style>)(.*?)(</style>)", re.DOTALL)
_SCRIPT = re.compile(r"<script\b.*?</script>\n?", re.DOTALL)
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
_WIDTH = re.compile(r"(min|max)-width:\s*([\d.]+)em")
_INNER_EMS = (210 - 2 * 10) / 25.4 * 96 / 16
"""Width of what is printed on a sheet, in the unit of the page's own rules on width."""


def on_paper(html: str, before_end: str) -> str:
    """The page ``html`` as it is printed; without its scripts, and with ``before_end`` last in it."""
    html = _POLICY.sub("", _SCRIPT.sub("", html))
    html = _STYLE.sub(lambda style: style[1] + _MEDIA.sub(_for_print, style[2]) + style[3], html)
    return put_last(html, before_end)


def _for_print(rule: re.Match[str]) -> str:
    asked = rule[1]
    fits: dict[str, Callable[[float], bool]] = {
        "min": lambda width: width <= _INNER_EMS,
        "max": lambda width: width >= _INNER_EMS,
    }
    holds = "screen" not in asked and all(fits[which](float(ems)) for which, ems in _WIDTH.findall(asked))
    return "@media all{" if holds else "@media not all{"


def put_last(html: str, what: str) -> str:
    """``html`` with ``what`` before the end of its body."""
    body, end, rest = html.rpartition("</body>")
    return body + what + end + rest if end else html + what
