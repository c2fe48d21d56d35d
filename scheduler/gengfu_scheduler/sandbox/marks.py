"""The marks within a line of text, by the dialect of the app that draws it.

Every app has its own few marks; what is no mark of its dialect stays on the screen as the characters it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape

_HTML = {
    "code": Markup("<code>{}</code>"),
    "at": Markup('<span class="at">@{}</span>'),
    "bold": Markup("<strong>{}</strong>"),
    "italic": Markup("<em>{}</em>"),
    "strike": Markup("<s>{}</s>"),
    "underline": Markup("<u>{}</u>"),
    # The page's policy allows no colours of a message's own: one stands for all.
    "coloured": Markup('<span class="warning">{}</span>'),
    "info": Markup('<span class="info">{}</span>'),
    "comment": Markup('<span class="comment">{}</span>'),
    "picture": Markup('<span class="picture big"></span>'),
}


def linked(url: str, html: Markup) -> Markup:
    """What leads to ``url``; where that is no web address, as it is: refused messages are drawn, too."""
    if not re.match(r"https?://", url):
        return html
    return Markup('<a href="{}" rel="noreferrer" target="_blank">{}</a>').format(url, html)


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What one app draws within a line."""

    marks: re.Pattern[str]
    """One mark, its contents in groups named ``code``, ``at``, ``bold``, ``italic``, ``strike``, ``underline``,
    ``coloured``, ``info``, ``comment``, ``picture``, or ``url`` with or without a ``label``."""
    plain: Callable[[str], str] = str
    """Text between the marks, as the app shows it: where it has escapes, without them."""

    def html(self, text: str) -> Markup:
        """The text as the app draws it."""
        html, end = Markup(), 0
        for mark in self.marks.finditer(text):
            html += escape(self.plain(text[end : mark.start()])) + self._drawn(mark)
            end = mark.end()
        return html + escape(self.plain(text[end:]))

    def _drawn(self, mark: re.Match[str]) -> Markup:
        found = {name: words for name, words in mark.groupdict().items() if words is not None}
        if "url" in found:
            url = self.plain(found["url"])
            label = self.html(found["label"]) if "label" in found else url
            return linked(url, escape(label))
        [(name, words)] = found.items()
        return _HTML[name].format(self.plain(words) if name in ("code", "at") else self.html(words))
