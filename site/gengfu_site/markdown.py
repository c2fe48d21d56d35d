"""An article's Markdown as HTML that is safe to show, with the links it follows.

GitHub-flavoured Markdown by comrak (https://github.github.com/gfm/), with emphasis that works next to
Chinese punctuation; sanitised by nh3. Every address is seen after sanitising, so a link in raw HTML is
followed like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import urljoin

import comrak
import nh3

from gengfu_site.values import dataclass


class Followed(NamedTuple):
    html: str
    anchors: frozenset[str]
    """Ids that a link may lead to."""
    without_address: tuple[str, ...]
    """Words of links and pictures whose address had to be dropped: an unknown scheme, a picture in the text."""


# GitHub's five alert boxes (https://github.com/orgs/community/discussions/16925); comrak titles them in
# English, and a title that the officer wrote is left alone.
_BOX_TITLES = {"Note": "说明", "Tip": "提示", "Important": "重要", "Warning": "注意", "Caution": "警惕"}
_ANCHOR = re.compile(r'<a href="#[^"]*" aria-label="[^"]*" data-heading-content="[^"]*" class="anchor"></a>')
_BOX_TITLE = re.compile(r'(<p class="markdown-alert-title">)(\w+)(</p>)')
# A table wider than a phone scrolls by itself, also by keyboard (WCAG 2.1.1).
_WIDE = '<div class="wide" tabindex="0" role="region" aria-label="表格">'
# The sanitiser writes every attribute in double quotes, but leaves < and > inside them as they are.
_ADDRESS = re.compile(r'(<[a-z]+ (?:[\w-]+="[^"]*" )*?(?:href|src)=")([^"]*)(")')
_ID = re.compile(r'<[a-z]+[1-6]? (?:[\w-]+="[^"]*" )*?id="([^"]*)"')
_BARE_LINK = re.compile(r'<a((?: [\w-]+="[^"]*")*)>(.*?)</a>', re.DOTALL)
_BARE_PICTURE = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')
_ALT = re.compile(r' alt="([^"]*)"')
_FIELD = re.compile(r'<input((?: [\w-]+="[^"]*")*)>')
_ALIGNED = re.compile(r'(<t[dh](?: [\w-]+="[^"]*")*?) align="([^"]*)"')
_TABLE = re.compile(r'<table(?: [\w-]+="[^"]*")*>')
_TAG = re.compile(r'<\w+(?: [\w-]+="[^"]*")*>|</\w+>')
_SECTION = re.compile(r'<h2 id="([^"]*)">(.*?)</h2>', re.DOTALL)
# What XML 1.0 cannot hold, and no reader sees: a character reference may bring it in.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")

_EXTENSIONS = comrak.ExtensionOptions()
for _name in (
    "table",
    "strikethrough",
    "tasklist",
    "autolink",
    "footnotes",
    "alerts",
    "cjk_friendly_emphasis",
):
    setattr(_EXTENSIONS, _name, True)
_EXTENSIONS.header_id_prefix = ""
_RENDERING = comrak.RenderOptions()
_RENDERING.unsafe_ = True  # nh3 decides what stays
_RENDERING.tasklist_classes = True
_WITH_LINES = comrak.RenderOptions()
_WITH_LINES.unsafe_ = True
_WITH_LINES.tasklist_classes = True
_WITH_LINES.sourcepos = True

_TAGS = """
    a abbr b blockquote br caption code del details dd div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i
    img input ins kbd li mark ol p pre q rp rt ruby s section small span strong sub summary sup table tbody
    td tfoot th thead tr u ul
"""


def _cleaner(*everywhere: str) -> nh3.Cleaner:
    """
    :param everywhere: attributes that any tag keeps.
    """
    return nh3.Cleaner(
        tags=set(_TAGS.split()),
        attributes={
            "*": {"id", *everywhere},
            "a": {"href", "title"},
            "img": {"src", "alt", "title", "width", "height"},
            "input": {"type", "checked", "disabled"},
            "ol": {"start"},
            "td": {"align", "colspan", "rowspan"},
            "th": {"align", "colspan", "rowspan", "scope"},
        },
        allowed_classes={
            "div": {"markdown-alert"} | {f"markdown-alert-{name.lower()}" for name in _BOX_TITLES},
            "p": {"markdown-alert-title"},
            "ul": {"contains-task-list"},
            "li": {"task-list-item"},
            "input": {"task-list-item-checkbox"},
            "sup": {"footnote-ref"},
            "a": {"footnote-backref"},
            "section": {"footnotes"},
        },
        url_schemes={"http", "https", "tel", "mailto", "sms"},
        link_rel=None,
    )


_CLEANER = _cleaner()


def render(bodies: Iterable[str]) -> list[str]:
    """Each body as sanitised HTML, its addresses as written.

    One step for all after the other: the parsers drive each other's code out of the processor's cache.
    """
    return _sanitised(bodies, _RENDERING, _CLEANER)


def follow(html: str, to: Callable[[str], str]) -> Followed:
    """``html`` as :func:`render` made it, with its addresses followed.

    :param to: given each address as written, returns the one to publish; called once per use.
    """
    without_address = tuple(_without_address(html))
    html = _ADDRESS.sub(lambda m: m[1] + _quoted(to(unescape(m[2]))) + m[3], html)
    anchors = frozenset(map(unescape, _ID.findall(html)))
    return Followed(html=html, anchors=anchors, without_address=without_address)


def _sanitised(bodies: Iterable[str], rendering: comrak.RenderOptions, cleaner: nh3.Cleaner) -> list[str]:
    rendered = [comrak.render_markdown(body, _EXTENSIONS, None, rendering) for body in bodies]
    cleaned = [cleaner.clean(_ANCHOR.sub("", html)) for html in rendered]
    return [_as_shown(html) for html in cleaned]


def _as_shown(html: str) -> str:
    """``html`` from the sanitiser in our own words and boxes."""
    html = _CONTROL.sub("", html)
    html = _BOX_TITLE.sub(lambda m: m[1] + _BOX_TITLES.get(m[2], m[2]) + m[3], html)
    html = _TABLE.sub(_WIDE + r"\g<0>", html).replace("</table>", "</table></div>")
    return _FIELD.sub(_box_to_tick, _ALIGNED.sub(_aligned, html))


@dataclass(frozen=True, kw_only=True)
class Block:
    """An element of a body's HTML and the lines it was written on."""

    tag: str
    start: int
    """Where in the HTML its start tag begins."""
    end: int
    """Where in the HTML its end tag ends."""
    first: int
    """Line of the body, from 1."""
    last: int


def blocks(html: str, body: str) -> list[Block]:
    """Every element of ``html``, as :func:`follow` made it of ``body``, whose lines are known; in order of their ends.

    :raises ValueError: it was made of another body.
    """
    [twin] = _sanitised([body], _WITH_LINES, _cleaner(_LINES))
    found: list[Block] = []
    open_: list[tuple[re.Match[str], re.Match[str] | None]] = []
    for tag, written in zip(_TAG.finditer(html), _TAG.finditer(twin), strict=True):
        if tag[0].startswith("</"):
            start, lines = open_.pop()
            if lines:
                name = tag[0][2:-1]
                first, last = int(lines[1]), int(lines[2])
                found.append(Block(tag=name, start=start.start(), end=tag.end(), first=first, last=last))
        elif tag[0][1:-1].partition(" ")[0] not in _VOID:
            open_.append((tag, _LINES_OF.search(written[0])))
    return found


_LINES = "data-sourcepos"
_LINES_OF = re.compile(_LINES + r'="(\d+):\d+-(\d+):\d+"')
_VOID = frozenset(("br", "col", "hr", "img", "input"))


def _aligned(cell: re.Match[str]) -> str:
    """HTML has no ``align`` any more; the left needs no word."""
    return f'{cell[1]} class="{cell[2]}"' if cell[2] in ("center", "right") else cell[1]


def _box_to_tick(field: re.Match[str]) -> str:
    """A list's box as its state and nothing to fill in; with a name, which WCAG 4.1.2 asks of every field."""
    state = ' checked=""' if ' checked="' in field[1] else ""
    return f'<input type="checkbox" class="task-list-item-checkbox"{state} disabled="" aria-label="事项">'


def _without_address(html: str) -> Iterator[str]:
    for attributes, words in _BARE_LINK.findall(html):
        if " href=" not in attributes and " id=" not in attributes:
            yield unescape(_TAG.sub("", words))
    for attributes in _BARE_PICTURE.findall(html):
        if " src=" not in attributes:
            alt = _ALT.search(attributes)
            yield unescape(alt[1]) if alt else ""


def sections(html: str) -> list[tuple[str, str]]:
    """The id and words of each ``##`` heading in ``html`` as :func:`follow` made it."""
    return [(unescape(id_), plain(words)) for id_, words in _SECTION.findall(html)]


def plain(html: str) -> str:
    """What a reader reads, on one line; what stands for a picture included."""
    html = _BARE_PICTURE.sub(lambda m: alt[1] if (alt := _ALT.search(m[1])) else "", html)
    return " ".join(unescape(_TAG.sub("", html)).split())


def with_absolute_links(html: str, page: str) -> str:
    """``html`` as :func:`follow` or a template made it, fit to be read elsewhere than on ``page``.

    :param page: its address; every attribute in ``html`` must stand in double quotes.
    """
    return _ADDRESS.sub(lambda m: m[1] + _quoted(urljoin(page, unescape(m[2]))) + m[3], html)


def _quoted(address: str) -> str:
    return address.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C").replace(">", "%3E")
