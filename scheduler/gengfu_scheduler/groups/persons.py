"""What the lists of groups must not hold: residents' numbers and names. A count of members is all that is kept.

The shapes are those of GB 11643 (resident identity number) and of mainland mobile numbers. What is masked the
official way (138****1234) passes, and so does a few officers' names: three full personal names make a list.
"""

from __future__ import annotations

import re
import unicodedata

from gengfu_templates.i18n import _

_MOBILE = re.compile(r"(?<![0-9A-Za-z_])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z_])")
_IDENTITY = re.compile(r"(?<![0-9A-Za-z_])[1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d{4}[0-9Xx](?![0-9A-Za-z_])")
_BETWEEN = re.compile(r"[\s,，、;；/|]+")
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚"
    "沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"
)
_NAME = re.compile(f"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}")
_NOT_A_NAME = re.compile(r".*[庄村屯寨街路巷区园苑城镇乡组群队官警长记任师总站所厂店校院]")
_NAMES = 3


def personal(text: str) -> str | None:
    """Which personal data ``text`` seems to hold, in the admin's words; None where it seems to hold none."""
    text = unicodedata.normalize("NFKC", text)  # a full-width number is a number too
    if _IDENTITY.search(text):
        return _("身份证号")
    if _MOBILE.search(text):
        return _("手机号")
    parts = _BETWEEN.split(text)
    if len(parts) < _NAMES:
        return None
    names = [part for part in parts if _NAME.fullmatch(part) and not _NOT_A_NAME.fullmatch(part)]
    return _("人名名单") if len(names) >= _NAMES else None
