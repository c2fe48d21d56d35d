"""Title and summary whole in a chat's card.

WeCom cuts a news card's title at 128 bytes of UTF-8 and its description at 512
(https://developer.work.weixin.qq.com/document/path/99110), the narrowest of the platforms. The lengths that
:mod:`gengfu_site.article` enforces count signs; four-byte ones - emoji, rare characters - can pass these all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _

_MOST_BYTES = {"title": 128, "summary": 512}


def _find(reading: Reading) -> Iterator[Finding]:
    article = reading.article
    for field, text in (("title", article.title), ("summary", article.summary)):
        size = len(text.encode())
        if size > _MOST_BYTES[field]:
            yield Finding(
                message=_("企业微信的卡片最多显示 {most} 字节，这里有 {size} 字节。").format(
                    most=_MOST_BYTES[field], size=size
                ),
                place=reading.field(field),
            )


RULE = Rule(
    id="card-limits",
    severity="warning",
    why=_("群里的卡片放不下，后半句会被平台截掉。"),
    remedy=_("改短一些；表情符号和生僻字一个占四个字节。"),
    find=_find,
)
