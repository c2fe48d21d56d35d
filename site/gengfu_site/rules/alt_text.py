"""Every picture in words too: for who cannot see it, and where it does not load.

WCAG 2.2, 1.1.1 Non-text Content (https://www.w3.org/TR/WCAG22/#non-text-content). A file's name is no description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _

# Nothing here reads on over the next beginning of its like: a line of brackets takes one look, not one from each.
_PICTURE = re.compile(
    r"!\[(?P<words>[^\[\]\n]*)\]\((?P<address>[^)\n]{0,600})\)|<img\b(?P<attributes>[^<>]*)>", re.IGNORECASE
)
_WORDS = re.compile(r"""\balt\s*=\s*(["'])(.*?)\1""", re.IGNORECASE | re.DOTALL)
_NO_WORDS = re.compile(
    r"(?:图片?|照片|配图|插图|截图|示意图|image|img|photo|picture|dsc|mmexport|微信图片|wx_camera)?[\s_.()-]*\d*"
    r"(?:\.(?:jpe?g|png|gif|webp|svg))?",
    re.IGNORECASE,
)


def _find(reading: Reading) -> Iterator[Finding]:
    if "<img" not in reading.article.html:
        return
    for picture in _PICTURE.finditer(reading.article.body):
        words = picture["words"]
        if words is None:
            written = _WORDS.search(picture["attributes"])
            words = written[2] if written else ""
        if _NO_WORDS.fullmatch(words.strip()) or re.search(
            r"\.(?:jpe?g|png|gif|webp|svg)$", words.strip(), re.I
        ):
            yield Finding(
                message=_("这张图片没有说明文字：{picture}").format(picture=picture[0][:60]),
                place=reading.in_body(picture.start()),
            )


RULE = Rule(
    id="alt-text",
    severity="warning",
    why=_("看不见图的人和图片没加载出来的人，只能靠说明文字知道图里说什么。"),
    remedy=_("在图片的方括号里用一句话写出图里有什么，例如“楼道口停着电动车”。"),
    find=_find,
)
