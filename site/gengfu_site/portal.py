"""A portal's header and footer around our pages, as the portal gives them: two HTML fragments.

They stand in every page as they are. Their styles and scripts join the page's content security policy by their
hashes (https://www.w3.org/TR/CSP3/); what that policy would block, or what would break the page around it, is a
problem with its line, so that nobody finds it missing on a resident's phone.
"""

from __future__ import annotations

import re
from dataclasses import field
from html.parser import HTMLParser
from pathlib import Path

from gengfu_site.problems import Problem, shown
from gengfu_site.source import read_text
from gengfu_site.values import dataclass
from gengfu_templates.i18n import _

_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_UNCLOSED = frozenset(("dd", "dt", "li", "option", "p", "tbody", "td", "th", "thead", "tr"))
"""Elements whose end tag HTML lets one leave out."""
_OF_THE_PAGE = frozenset(("html", "head", "body", "main", "title", "meta", "base"))
_BLOCKED = frozenset(("iframe", "frame", "object", "embed", "applet", "link"))
_FETCHED = frozenset(("src", "srcset", "poster", "action", "formaction"))


@dataclass(frozen=True, kw_only=True)
class Fragment:
    """One file of a portal."""

    html: str = ""
    styles: tuple[str, ...] = ()
    """What stands in its ``style`` elements, for the policy."""
    scripts: tuple[str, ...] = ()
    """Likewise of its ``script`` elements."""


@dataclass(frozen=True, kw_only=True)
class Portal:
    """What stands around each page; nothing where the site is by itself."""

    header: Fragment = field(default_factory=Fragment)
    footer: Fragment = field(default_factory=Fragment)
    files: tuple[Path, ...] = ()


def read_fragment(file: Path, folder: Path) -> tuple[Fragment, list[Problem]]:
    """The fragment in ``file``, and everything in it that would not work.

    :param folder: the station's, for the file's name in a problem.
    """
    text = read_text(file, folder)
    if isinstance(text, Problem):
        return Fragment(), [text]
    reader = _Reader(shown(file, folder))
    reader.read(text)
    fragment = Fragment(html=text, styles=tuple(reader.styles), scripts=tuple(reader.scripts))
    return fragment, reader.problems


class _Reader(HTMLParser):
    """Notes what a page's policy must allow, and what it never will."""

    def __init__(self, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[Problem] = []
        self.styles: list[str] = []
        self.scripts: list[str] = []
        self._path = path
        self._open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _OF_THE_PAGE:
            self._wrong(
                _("这里只要页眉或页脚的一段，不能有 <{tag}>。").format(tag=tag),
                _("删掉这个标签，留下里面的内容。"),
            )
        elif tag in _BLOCKED:
            self._wrong(
                _("安全策略会拦住 <{tag}>。").format(tag=tag),
                _("样式写进 <style>，脚本写进 <script>，嵌入的网页改成链接。"),
            )
        elif tag == "script" and dict(attrs).get("src") is not None:
            self._wrong(
                _("安全策略会拦住另外取来的脚本。"), _("把脚本的内容写进 <script> 和 </script> 之间。")
            )
        else:
            for name, value in attrs:
                self._attribute(name, value or "")
        if tag not in _VOID:
            self._open.append((tag, self.getpos()[0]))
        if tag in ("script", "style"):
            (self.scripts if tag == "script" else self.styles).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1][0] != tag and self._open[-1][0] in _UNCLOSED:
            self._open.pop()
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        elif tag not in _VOID:
            self._wrong(_("</{tag}> 没有配对。").format(tag=tag), _("检查前后的标签是否成对。"))

    def handle_data(self, data: str) -> None:
        inside = self._open[-1][0] if self._open else ""
        if inside == "script":
            self.scripts[-1] += data
        elif inside == "style":
            self.styles[-1] += data
            if re.search(r"@import|@font-face|url\(\s*['\"]?(?:[a-z]+:)?//", data, re.IGNORECASE):
                self._wrong(
                    _("安全策略会拦住样式里另外取来的样式、字体和别的网站的图片。"),
                    _("删掉 @import 和 @font-face，图片放到本网站。"),
                )

    def read(self, text: str) -> None:
        """All of ``text``; browsers take ``<![`` for the beginning of a comment, html.parser gives up."""
        try:
            self.feed(text)
            self.close()
        except AssertionError:
            self._wrong(_("“<![”不是 HTML 的写法。"), _("删掉它；注释写成 <!-- 和 -->。"))
            return
        for tag, line in self._open:
            if tag not in _UNCLOSED:
                self._wrong(_("<{tag}> 没有配对。").format(tag=tag), _("检查前后的标签是否成对。"), line)

    def _attribute(self, name: str, value: str) -> None:
        if name.startswith("on"):
            self._wrong(
                _("安全策略会拦住写在标签里的脚本 {name}。").format(name=name),
                _("改在 <script> 里用 addEventListener。"),
            )
        elif name == "style":
            self._wrong(_("安全策略会拦住写在标签里的样式。"), _("给标签起一个 class，样式写进 <style>。"))
        elif name in _FETCHED and not _here(value):
            self._wrong(
                _("安全策略会拦住别的网站的内容（{name}：{value}）。").format(name=name, value=value),
                _("把文件放到本网站，地址以 / 开头。"),
            )
        elif name == "href" and value.strip().lower().startswith("javascript:"):
            self._wrong(_("安全策略会拦住写在标签里的脚本 {name}。").format(name=name), _("改成普通的链接。"))
        elif name == "href" and not re.match(r"[a-z]+:|[/#]|$", value.strip(), re.IGNORECASE):
            self._wrong(
                _("链接“{address}”在每一页上指到不同的地方。").format(address=value),
                _("写以 / 或 https:// 开头的地址。"),
            )

    def _wrong(self, message: str, remedy: str, line: int | None = None) -> None:
        self.problems.append(
            Problem(path=self._path, line=line or self.getpos()[0], message=message, remedy=remedy)
        )


def _here(address: str) -> bool:
    """Whether every page, at any depth, finds it on its own site: an address, or a ``srcset`` of several."""
    return all(
        one.startswith("data:") or re.match(r"/(?!/)", one) for one in re.split(r",\s+", address.strip())
    )
