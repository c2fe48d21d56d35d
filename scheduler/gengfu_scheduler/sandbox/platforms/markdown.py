"""Markdown as chat apps draw it: each knows some marks and shows the rest as bare characters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from gengfu_scheduler.sandbox.marks import Dialect

LINK = r"(?<!!)\[(?P<label>[^\]\n]+)\]\((?P<url>https?://[^\s)]+)\)"
BOLD = r"\*\*(?P<bold>[^\n]+?)\*\*"
ITALIC = r"(?<!\*)\*(?P<italic>[^*\s](?:[^*\n]*[^*\s])?)\*(?!\*)"
STRIKE = r"~~(?P<strike>[^~\n]+)~~"
CODE = r"`(?P<code>[^`\n]+)`"
_FENCED = re.compile(r"(?ms)^ *```[^\n]*\n(.*?)^ *``` *$\n?")


def marks(*patterns: str) -> Dialect:
    """The marks within a line, the first that fits winning."""
    return Dialect(marks=re.compile("|".join(patterns)))


@dataclass(frozen=True, kw_only=True)
class Markdown:
    """What one app knows of Markdown."""

    inline: Dialect
    """The marks within a line."""
    headings: bool = False
    quotes: bool = False
    lists: bool = False
    rules: bool = False
    fences: bool = False
    joined: bool = False
    """Whether lines run on unless two blanks or an empty line end them."""

    def html(self, source: str) -> Markup:
        """The text as the app draws it."""
        parts = _FENCED.split(source) if self.fences else [source]
        drawn = [
            Markup("<pre>{}</pre>").format(part) if n % 2 else self._text(part)
            for n, part in enumerate(parts)
        ]
        return Markup("").join(drawn)

    def _text(self, text: str) -> Markup:
        html, running = Markup(), list[str]()
        for line in text.removesuffix("\n").split("\n") if text else ():
            block = self._block(line)
            if block is None and self.joined:
                running.append(line)
            else:
                html += self._paragraph(running)
                running = []
                html += Markup("<p>{}</p>").format(self.inline.html(line)) if block is None else block
        return html + self._paragraph(running)

    def _block(self, line: str) -> Markup | None:
        """A line that stands for itself; None for one of running text."""
        if not line.strip():
            return Markup('<p class="gap"></p>')
        if self.headings and (heading := re.match(r"(#{1,6}) +(.*)", line)):
            return Markup('<p class="h h{}">{}</p>').format(len(heading[1]), self.inline.html(heading[2]))
        if self.quotes and (quoted := re.match(r"> ?(.*)", line)):
            return Markup('<p class="quote">{}</p>').format(self.inline.html(quoted[1]))
        if self.lists and (item := re.match(r"\s*([-*+]|\d+\.) +(.*)", line)):
            sign = item[1] if item[1][0].isdigit() else "•"
            return Markup('<p class="item">{} {}</p>').format(sign, self.inline.html(item[2]))
        if self.rules and re.fullmatch(r"\s*-{3,}\s*", line):
            return Markup("<hr>")
        return None

    def _paragraph(self, lines: list[str]) -> Markup:
        """Lines that run on."""
        if not lines:
            return Markup()
        html = Markup()
        for line in lines[:-1]:
            html += self.inline.html(line.rstrip(" ")) + (Markup("<br>") if line.endswith("  ") else " ")
        return Markup("<p>{}</p>").format(html + self.inline.html(lines[-1]))
