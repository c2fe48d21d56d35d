"""What singles out one person in a text: numbers of papers, phones, cards and plates, addresses below the street.

Each kind is known by its own law, so that dates, amounts and file numbers are not taken for it:

* resident identity number, GB 11643-1999 (https://openstd.samr.gov.cn/bzgk/gb/newGbInfo?hcno=080D6FBF2BB468F9007657F26D60013E):
  region, date of birth, check digit; the one of 15 digits without the last, and a foreigner's, which begins with 9;
* mobile numbers by the prefixes that are given out, landlines by their area code or by the word that stands before;
* bank cards, ISO/IEC 7812-1: the issuer's first digits, and the check digit after Luhn;
* vehicle plates, GA 36-2018, those of new-energy vehicles (a sign longer) included.

They are seen through what hides them from a plain search and not from a reader: spaces, dashes, full-width signs,
signs without width, emphasis and tags between digits, character references. What is masked (``138****1234``) is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from typing import NamedTuple

from gengfu_site.values import dataclass
from gengfu_templates.i18n import _


@dataclass(frozen=True, kw_only=True)
class Identifier:
    """One of them, as it was found."""

    kind: str
    """As officers call it."""
    words: str
    """The number or address itself, what hid it taken away."""
    masked: str
    """The same, as it may be shown."""
    at: int
    """Where its line begins in the text."""


def identifiers(text: str) -> Iterator[Identifier]:
    """All that are in ``text``, line by line."""
    for begin, line in _worth_reading(text):
        plain = _plain(line)
        digits = sum(map(str.isdecimal, plain))
        for kind in _KINDS:
            if digits < kind.digits or (kind.sign and not kind.sign.search(plain)):
                continue
            for found in kind.pattern.finditer(plain):
                if words := kind.proved(found):
                    yield Identifier(kind=kind.name, words=words, masked=kind.masked(words), at=begin)


_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ESTATE = "区园苑村里城府庭寓"
_SIGN = re.compile(  # whatever it may be of, one set of signs to begin with: most signs of a text are none of these
    rf"""
    [0-9０-９{_PROVINCES}{_ESTATE}室户房单<&@＠]
    (?: (?<=[0-9０-９])(?<![0-9０-９]{{2}})(?:\d|[^\w\n:：/，、。；]{{1,8}}_{{0,4}}\d|_{{1,4}}\d){{6}}  # a row of digits
      | (?<=[{_PROVINCES}])(?:[^\w\n]|_){{0,4}}[A-Za-zＡ-Ｚａ-ｚ]  # the beginning of a plate
      | (?<=[{_ESTATE}])[^\w\n]?\d{{1,3}}[^\w\n]\d  # a door
      | (?<=[\d一二三四五六七八九十零〇号\ ][室户房]) | (?<=单)元 | (?<=村)[^\n]{{0,12}}号  # a home
      | (?<=\d<) | (?<=&)[#\w]  # what hides digits
      | (?<=[@＠])
    )
    """,
    re.VERBOSE,
)


def _worth_reading(text: str) -> Iterator[tuple[int, str]]:
    """Lines that may hold one, each with its place: most of a text holds none, and looking closely takes time."""
    end = -1  # of the line read last
    for sign in _SIGN.finditer(text):
        if sign.start() > end:
            begin = text.rfind("\n", 0, sign.start()) + 1
            end = text.find("\n", begin) % (len(text) + 1)
            yield begin, text[begin:end]


# What a reader does not see, dashes and spaces of every kind, full-width letters and digits.
_PLAIN = (
    dict.fromkeys("\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\ufeff", "")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
    | dict.fromkeys(
        "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u3000\t", " "
    )
    | {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if code != 0x2D}
)
_UNUSUAL = re.compile(f"[{''.join(map(re.escape, _PLAIN))}]")
_REFERENCE = re.compile(r"&(?:#\w{1,8}|\w{2,8});")
_ADDRESS_OUTSIDE = re.compile(r"https?://[^\s<>()\"'，。；）]+")
_BETWEEN_DIGITS = re.compile(r"(?<=[\dA-Za-z])((?:[-*_~`\\ .·•]|</?\w{1,9}>|<!--[^<>]*-->){1,16})(?=[\dXx])")


def _plain(line: str) -> str:
    """``line`` with no more between two digits than one sign that a reader sees."""
    if "&" in line:
        line = _REFERENCE.sub(lambda found: unescape(found[0]).replace("\n", " "), line)
    line = _ADDRESS_OUTSIDE.sub("|", _UNUSUAL.sub(lambda found: _PLAIN[found[0]], line))
    return _BETWEEN_DIGITS.sub(_seen, line)


def _seen(found: re.Match[str]) -> str:
    between = found[1]
    if "***" in between:  # a mask
        return between
    between = re.sub(r"<[^>]*>|[*_~`\\]", "", between)
    return next((sign for sign in "-.·•" if sign in between), " " if between else "")


_UNSEEN = re.compile(r"[\s.·•*_~`-]")
_FILE_NUMBER = re.compile(
    r"(?:订单|单号|编号|运单|流水|案号|文号|合同|保单|凭证|编码|代码|货号|批号|序列)\S{0,2}[^\d\w]{0,3}$"
)
"""What stands before a number that belongs to a thing."""
_AMOUNT = re.compile(r"\s?(?:元|万|亿|次|人|条|件|吨|公里|千米|平方|%)")


def _belongs_to_a_thing(found: re.Match[str]) -> bool:
    before = found.string[max(found.start(1) - 10, 0) : found.start(1)]
    return bool(_FILE_NUMBER.search(before) or _AMOUNT.match(found.string, found.end(1)))


_REGIONS = frozenset(
    map(
        str,
        [
            *range(11, 16),
            *range(21, 24),
            *range(31, 38),
            *range(41, 47),
            *range(50, 55),
            *range(61, 66),
            71,
            81,
            82,
            83,
        ],
    )
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _identity_18(found: re.Match[str]) -> str:
    number = _UNSEEN.sub("", found[1]).upper()
    region = number[1:3] if number[0] == "9" else number[:2]
    check = "10X98765432"[sum(int(d) * w for d, w in zip(number, _WEIGHTS, strict=False)) % 11]
    return number if region in _REGIONS and _born(number[6:14]) and number[17] == check else ""


def _identity_15(found: re.Match[str]) -> str:
    number = _UNSEEN.sub("", found[1])
    right = number[:2] in _REGIONS and _born("19" + number[6:12])
    right = right and _is_one(found) and not _belongs_to_a_thing(found)
    return number if right else ""


def _born(digits: str) -> bool:
    try:
        return 1880 <= date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year <= 2099
    except ValueError:
        return False


_ONE_MORE_BEFORE = re.compile(r"\d[ .·•-]$")
_ONE_MORE_BEHIND = re.compile(r"[ .·•-]\d")


def _is_one(found: re.Match[str]) -> bool:
    """Whether its digits stand together as people write one number, and not as a row of short ones or a fraction."""
    groups = [len(group) for group in _UNSEEN.split(found[1])]
    if "." in found[1]:
        return len(groups) == 3 and min(groups) >= 3
    if max(groups) == 1:
        before = found.string[max(found.start(1) - 2, 0) : found.start(1)]
        return not (_ONE_MORE_BEFORE.search(before) or _ONE_MORE_BEHIND.match(found.string, found.end(1)))
    return len(groups) <= 2 or (len(groups) <= 4 and min(groups) >= 3)


_MOBILE_PREFIX = re.compile(r"13\d|14[014-9]|15[0-35-9]|16[2567]|17[0-8]|18\d|19[0-35-9]")


def _mobile(found: re.Match[str]) -> str:
    number = _UNSEEN.sub("", found[1])
    right = _is_one(found) and _MOBILE_PREFIX.match(number) and not _belongs_to_a_thing(found)
    return number if right else ""


def _landline(found: re.Match[str]) -> str:
    number = re.sub(r"\D", "", found[1])
    return "" if _belongs_to_a_thing(found) else number


_ISSUERS = re.compile(
    r"62\d{14,17}|9558\d{12,15}|9559\d{12,15}|60(?:1382|1428|3367|3445|3506|3601|3694|3708)\d{10,13}"
    r"|4\d{15}|5[1-5]\d{14}|35(?:2[89]|[3-8]\d)\d{12}"
)


def _card(found: re.Match[str]) -> str:
    if _belongs_to_a_thing(found):
        return ""
    groups = re.split(r"[ -]", found[1])
    for count in range(len(groups), 0, -1):
        number = "".join(groups[:count])
        if _ISSUERS.fullmatch(number) and _luhn(number):
            return number
    return ""


def _luhn(number: str) -> bool:
    doubled = (sum(divmod(int(digit) * 2, 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def _plate(found: re.Match[str]) -> str:
    plate = _UNSEEN.sub("", found[1]).upper()
    return plate if sum(sign.isdigit() for sign in plate) >= 2 else ""


_SERIAL_DAY = re.compile(r"\D+(?:19|20)\d\d(?:0[1-9]|1[0-2])")
_PAPER = re.compile(r"护照|通行证|证件|[Pp]assport|回乡证|台胞证")


def _passport(found: re.Match[str]) -> str:
    number = found[1].upper()
    if _PAPER.search(found.string, max(found.start(1) - 16, 0), found.start(1)):
        return number
    usual = re.fullmatch(r"[EG]\d{8}|E[A-HJ-NP-Z]\d{7}", number) and not _SERIAL_DAY.match(number)
    return number if usual and not _belongs_to_a_thing(found) else ""


_OF_AN_OFFICE = re.compile(r"\.gov\.cn$|@1\d{4}\.cn$")
"""The second: a national line's own, jubao@12377.cn."""


def _mail(found: re.Match[str]) -> str:
    address = found[1].lower()
    return "" if _OF_AN_OFFICE.search(address) else address


_OPEN_TO_ALL = re.compile(
    r"(?:中心|大厅|派出所|警务室|[分支总]?局|支队|大队|法院|检察院|大学|学院|学校|[中小]学|幼儿园|医院|政府|机关|"
    r"委员会|[居村]委会|法庭|银行|支行|酒店|宾馆|旅馆|大厦|商场|广场|写字楼|教学楼|门诊楼|办公楼|综合楼|车站|机场|站|馆)[\s(（,，]*$"
)
"""What stands before a room that anybody may enter."""


def _home(found: re.Match[str]) -> str:
    before = found.string[max(found.start(1) - 8, 0) : found.start(1)]
    return "" if _OPEN_TO_ALL.search(before) else re.sub(r"\s", "", found[1])


def _but(head: int, tail: int) -> Callable[[str], str]:
    """Stars for all but the first ``head`` and the last ``tail`` signs."""
    return lambda words: words[:head] + "*" * (len(words) - head - tail) + words[len(words) - tail :]


class _Kind(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    """Its first group is what is meant; within a look-ahead, so that one find does not hide another."""
    digits: int
    """So many it has at least."""
    proved: Callable[[re.Match[str]], str]
    """The words themselves; empty where they are something else after all."""
    masked: Callable[[str], str]
    sign: re.Pattern[str] | None = None
    """What it never is without, if that is seen sooner."""


_GAP = "[ .·•-]?"
_N = r"[\d一二三四五六七八九十百零〇两]{1,5}"
_HOUSE = rf"(?:{_N}|[A-Za-z])\s?(?:号楼|号院|号|弄|栋|幢|座|单元|门)"
_WITHIN = rf"(?:{_N}|[A-Za-z])\s?(?:号楼|号|栋|幢|座|楼|层|单元|门|梯)"
_KINDS = (
    _Kind(
        _("身份证号"),
        re.compile(rf"(?<!\d)(?=([1-9](?:{_GAP}\d){{16}}{_GAP}[\dXx])(?![\dA-Za-z]))"),
        17,
        _identity_18,
        _but(2, 3),
    ),
    _Kind(
        _("身份证号"),
        re.compile(rf"(?<!\d)(?=([1-8](?:{_GAP}\d){{14}})(?![\dA-Za-z]))"),
        15,
        _identity_15,
        _but(2, 3),
    ),
    _Kind(
        _("手机号"),
        re.compile(
            rf"(?=[+018])(?<!\d)(?<!\d\.)(?:\+?(?:00)?86[ -]?|0)?(?=(1{_GAP}[3-9](?:{_GAP}\d){{9}})(?!\d))"
        ),
        11,
        _mobile,
        _but(3, 4),
    ),
    _Kind(
        _("固定电话"),
        re.compile(
            r"(?=[(0])(?<![\d.-])\(?(?=(0(?:10|2[0-57-9]|[3-9]\d\d|000)\)?[ -]?[2-9]\d{2,3}[ -]?\d{4})(?![\d.]))"
        ),
        10,
        _landline,
        _but(4, 2),
    ),
    _Kind(
        _("固定电话"),
        re.compile(
            r"(?:电话|座机|固话|热线|拨打|致电|打|[Tt][Ee][Ll])[号码是为：:\s(]{0,4}"
            r"(?<!\d)(?=([2-8]\d{2,3}[ -]?\d{4})(?![\d.:年月万元-]))"
        ),
        7,
        _landline,
        _but(2, 2),
    ),
    _Kind(
        _("银行卡号"),
        re.compile(r"(?<![\d-])(?=(\d(?:[ -]?\d){15,18})(?![\dA-Za-z]))"),
        16,
        _card,
        _but(4, 4),
    ),
    _Kind(
        _("车牌号"),
        re.compile(
            rf"([{_PROVINCES}][\s*_~`]{{0,3}}[A-HJ-Za-hj-z]{_GAP}"
            r"(?:[A-HJ-NP-Za-hj-np-z\d]{4}[A-HJ-NP-Za-hj-np-z\d挂学警港澳领]|[A-Ka-k][A-HJ-NP-Za-hj-np-z\d]\d{4}|\d{5}[A-Ka-k]))"
            r"(?![\dA-Za-z])"
        ),
        2,
        _plate,
        _but(2, 2),
    ),
    _Kind(
        _("护照或通行证号"),
        re.compile(
            r"(?<![\dA-Za-z])(?=([CEGHLMPSWceghlmpsw][A-Za-z]?\d{7,8}|[DSPdsp][Ee]\d{7})(?![\dA-Za-z]))"
        ),
        7,
        _passport,
        _but(1, 3),
        re.compile(r"[A-Za-z]"),
    ),
    _Kind(
        _("电子邮箱"),
        re.compile(r"(?<![\w.+-])(?=([A-Za-z\d][\w.+-]*@(?:[A-Za-z\d-]+\.)+[A-Za-z]{2,}))", re.ASCII),
        0,
        _mail,
        lambda words: words[:1] + "***" + words[words.index("@") :],
        re.compile("@"),
    ),
    _Kind(
        _("住址"),
        re.compile(
            rf"(?<![\d一二三四五六七八九十])({_HOUSE}\s?(?:{_WITHIN}\s?){{0,5}}(?:{_N}\s?(?:室|户|号?房(?!间|产))|(?<=单元)\d{{3,4}}(?!\d))"
            rf"|(?<=[{_ESTATE}])\s?\d{{1,3}}-\d{{1,2}}-\d{{3,4}}(?![\d-])"
            rf"|(?<=村)(?:第?{_N}(?:组|社|队|村民小组))\s?{_N}号(?!楼|线|公路))"
        ),
        0,
        _home,
        lambda words: re.sub(_N, "×", words),
        re.compile(rf"[室户房元{_ESTATE}]"),
    ),
)
