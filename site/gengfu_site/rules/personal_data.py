"""Personal data of anybody: not on a public page, unless masked or allowed by name and with a reason.

Personal Information Protection Law 个人信息保护法, articles 13, 25 and 28
(http://www.npc.gov.cn/npc/c2/c30834/202108/t20210820_313088.html). What an office prints for all is no personal data:
whatever ``mkdocs.yml`` declares (contact cards, who does what), a service guide's own landline and places, the offices'
mail addresses under ``gov.cn``; national lines (110, 12345, 95588, 400…) have no shape that is looked for. An alert may
need some of it, to find a child: it asks for its ``alert.basis`` instead.

Read are all the words of an article, the names of its files, and what cameras write into pictures. Not read are what
stands in a PDF, is spoken in a video or can be seen in a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from posixpath import splitext
from typing import Any

from gengfu_site.article import Service
from gengfu_site.rules.identifiers import Identifier, identifiers
from gengfu_site.rules.rule import Around, Finding, Place, Reading, Rule, naming, squeezed
from gengfu_templates.i18n import _


def _find(reading: Reading) -> Iterator[Finding]:
    alert = reading.article.alert
    if alert is None or alert.basis is None:
        yield from found(reading)


def found(reading: Reading) -> Iterator[Finding]:
    """All that is there, whoever answers for it."""
    article = reading.article
    for one in identifiers(reading.text):
        if not _printed_for_all(one, reading):
            yield _finding(one, reading.place(one.at), article.alert is not None)
    files = reading.around.once(_Files)
    for one in _in_name(article.path):
        finding = _finding(one, Place(line=1), article.alert is not None)
        yield replace(finding, message=_("文件名也是网址：{found}").format(found=finding.message))
    for file in article.files:
        for one in files.in_name(file):
            yield _finding(one, naming(file, reading), article.alert is not None)
        for what in files.in_picture(file, article.signed.files.get(file) if article.signed else None):
            yield Finding(
                message=_("图片“{file}”里藏着{what}。").format(file=file.name, what=what),
                place=naming(file, reading),
                words=file.name,
                remedy=_("运行 gengfu fix，它去掉照片里的拍摄地点和作者；或用截图代替原图。"),
            )


RULE = Rule(
    id="personal-data",
    severity="error",
    why=_("公开身份证号、电话、银行卡号、车牌、住址会让人被骚扰、被冒用，也违反个人信息保护法。"),
    remedy=_("写成 138****1234 这样，或删掉；确需公开的，在开头写 allow（谁批准、什么理由）。"),
    find=_find,
)


def _finding(one: Identifier, place: Place, in_alert: bool) -> Finding:
    return Finding(
        message=_("这里有{kind}（{masked}）。").format(kind=one.kind, masked=one.masked),
        place=place,
        words=one.words,
        remedy=_(
            "不需要就删掉；确需公开的，在 alert 里写 basis（凭什么公开，例如监护人几点同意）；gengfu alert 也会问。"
        )
        if in_alert
        else "",
    )


_LOCAL = re.compile(r"(?<!\d)[2-9]\d{2,3}-?\d{4}(?!\d)")
"""A landline without its area code."""


def _printed(around: Around) -> tuple[str, ...]:
    """Whatever the station itself prints for all."""
    settings = around.library.settings
    declared: tuple[Any, ...] = (settings.station, settings.official, *settings.shortcuts, *settings.matters)
    return tuple(text for thing in declared for text in _texts(asdict(thing)))


def _printed_numbers(around: Around) -> frozenset[str]:
    return _all_numbers("\n".join(around.once(_printed)))


@lru_cache(maxsize=1)  # every share of a build asks of the same station, and so does every save
def _all_numbers(text: str) -> frozenset[str]:
    return frozenset(_numbers(text))


def _printed_words(around: Around) -> str:
    return "\n".join(map(squeezed, around.once(_printed)))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list() | tuple():
            for part in value:
                yield from _texts(part)


def _numbers(text: str) -> Iterator[str]:
    """Every number in ``text``; of a landline also what follows the area code, of three digits or four."""
    for one in identifiers(text):
        yield one.words
        if one.words.startswith("0"):
            yield from (one.words[3:], one.words[4:])
    for local in _LOCAL.findall(text):
        yield local.replace("-", "")


def _printed_for_all(one: Identifier, reading: Reading) -> bool:
    around = reading.around
    if one.words in around.once(_printed_numbers):
        return True
    words = squeezed(one.words)
    if not words.isdecimal() and words in around.once(_printed_words):
        return True
    service = reading.article.service
    return service is not None and _of_the_office(one, words, service)


def _of_the_office(one: Identifier, words: str, service: Service) -> bool:
    """Whether a service guide names it as the office's own; a mobile phone is somebody's."""
    landlines, places = _office(service)
    return one.words in landlines or words in places


@lru_cache(maxsize=1)  # a guide may list hundreds of offices, and is asked of each number
def _office(service: Service) -> tuple[frozenset[str], str]:
    """Its landlines, and its places as one compares them."""
    lines = "\n".join(line for line in (service.phone, service.online, service.complaint) if line)
    landlines = frozenset(number for number in _numbers(lines) if not re.fullmatch(r"1\d{10}", number))
    return landlines, "\n".join(map(squeezed, service.places))


_PHOTOGRAPHS = frozenset((".jpg", ".jpeg", ".png", ".webp"))


def _in_name(file: PurePosixPath) -> Iterator[Identifier]:
    # What joins words in a name stands between them.
    return identifiers(splitext(file.as_posix())[0].replace("_", " ").replace("/", "\n"))


class _Files:
    """What the names of the library's files tell, and cameras wrote into them; many articles share one."""

    def __init__(self, around: Around) -> None:
        self._content = around.library.settings.content
        self._names: dict[PurePosixPath, tuple[Identifier, ...]] = {}
        self._pictures: dict[Path, tuple[str, ...]] = {}

    def in_name(self, file: PurePosixPath) -> tuple[Identifier, ...]:
        if file not in self._names:
            self._names[file] = tuple(_in_name(file))
        return self._names[file]

    def in_picture(self, file: PurePosixPath, signed: Path | None) -> tuple[str, ...]:
        """What is hidden in it, in words.

        :param signed: where the bytes lie that were signed, if some were.
        """
        if file.suffix.lower() not in _PHOTOGRAPHS:
            return ()
        lies = signed or self._content / file
        if lies not in self._pictures:
            self._pictures[lies] = tuple(_hidden_in(lies))
        return self._pictures[lies]


def _hidden_in(file: Path) -> Iterator[str]:
    from PIL import ExifTags, Image  # an alert at night waits for no import that it can do without

    people = (ExifTags.Base.Artist, ExifTags.Base.XPAuthor, ExifTags.Base.CameraOwnerName)
    try:
        with Image.open(file) as picture:
            exif, info = picture.getexif(), picture.info
            tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
            place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return  # no picture, or none that shows anything
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    packet = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    if place or b"GPSLatitude" in packet:
        yield _("拍摄地点")
    if any(_has_words(tags.get(tag)) for tag in people) or info.get("Author") or b"dc:creator" in packet:
        yield _("作者姓名")


def _has_words(value: object) -> bool:
    text = value.decode("utf-16-le", "replace") if isinstance(value, bytes) else str(value or "")
    return bool(text.strip("\0 "))
