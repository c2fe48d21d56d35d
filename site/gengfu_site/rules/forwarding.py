"""No begging to be passed on: WeChat blocks links whose page does (诱导分享), and people learn to distrust it.

WeChat's rules for links out of it: https://weixin.qq.com/cgi-bin/readtemplate?t=weixin_external_links_content_management_specification.
Words in quotation marks, and those that somebody is told not to follow, are a warning of it and none themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gengfu_site.rules.rule import Finding, Reading, Rule
from gengfu_templates.i18n import _

_BEGGING = re.compile(
    r"""
      转发到\S{0,6}?(?:群|朋友圈|好友)
    | (?:请|求|速|帮忙|帮|赶紧|马上|赶快|火速|紧急|务必|快|麻烦|大家|广泛|积极|立即|多多)
      (?:大家|各位|您|你|帮忙|多)?
      (?:转发|扩散|转起来|分享到)
    | (?:请|求|帮忙|速|火速)转(?=$|[！!。，,\s])
    | 扩散(?:周知|出去|开来|到(?:各?群|朋友圈)) | 周知扩散
    | 转疯了 | 疯转 | 转起来 | 不转不是 | 动动手指
    | 转发(?:出去|给(?:更多|身边|所有|每|家人|亲|朋友|你))
    | 转给(?:更多|身边的?(?:人|亲|家|朋)|所有|家人|亲友|亲朋|你)
    | (?:看到|看完)(?:后|就|请|的|了)?\S{0,4}转(?:发|给|$)
    | 让更多人?\S{0,2}(?:看到|知道|警惕)
    | 转发(?:有奖|抽奖|集赞|领|点赞) | 点赞转发 | 集赞
    """,
    re.VERBOSE | re.MULTILINE,
)
_FIRST_SIGNS = ("转", "扩散", "更多", "动动手指", "分享到", "集赞")
_TOLD_NOT_TO = re.compile(
    r"(?:不|别|勿|未经|拒绝|停止|禁止|谨防|避免|莫|免得|警惕|凡是|骗子|诱导|诱骗|要求您?|让您|叫您|催您)[^。！？!?\n]{0,8}$"
)
_TO_AN_OFFICE = re.compile(r"[给到至]?(?:110|96110|1\d{4}|社区民警|民警|\S?警官|派出所|警方|公安|我们)")
_QUOTED = re.compile(
    r"“[^“”\n]*”|‘[^‘’\n]*’|「[^「」\n]*」|『[^『』\n]*』|\"[^\"\n]*\"|《[^《》\n]*》|`[^`\n]*`|【[^【】\n]*】"
)


def _find(reading: Reading) -> Iterator[Finding]:
    if not any(sign in reading.text for sign in _FIRST_SIGNS):
        return
    text = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), reading.text)
    for found in _BEGGING.finditer(text):
        told_not_to = _TOLD_NOT_TO.search(text, max(found.start() - 16, 0), found.start())
        if told_not_to or _TO_AN_OFFICE.match(text, found.end()):
            continue
        yield Finding(
            message=_("“{words}”是在求人转发。").format(words=found[0].strip()),
            place=reading.place(found.start()),
            words=found[0].strip(),
        )


RULE = Rule(
    id="forwarding",
    severity="warning",
    why=_("微信会封掉求转发的网页，居民也分不清哪条是谣言。"),
    remedy=_("删掉这一句；值得转的，大家自己会转。引用别人的话请加引号。"),
    find=_find,
)
