"""What ``gengfu new`` asks on a terminal. Everything but the kind and the title may be left for later."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar, get_args

import click

from gengfu_site.article import SUMMARY, TITLE, Visit
from gengfu_site.catalogue import KINDS, AlertForm, Kind
from gengfu_site.cli.screen import err, escape
from gengfu_site.settings import RESERVED, Settings
from gengfu_site.start import NAME, Beginning
from gengfu_templates.i18n import _, officer_language

Answer = TypeVar("Answer")


def asked(settings: Settings, kind: Kind | None, title: str | None) -> Beginning:
    """Ask for what is not given; Ctrl+C ends with nothing written."""
    station = settings.station
    kind = kind or _kind()
    title = title or _text(_("标题（最多 {most} 字）").format(most=TITLE), TITLE, needed=True)
    summary = _text(
        _("摘要：群里发的就是它，最多 {most} 字（直接回车：以后再写）").format(most=SUMMARY), SUMMARY
    )
    topics = _some(
        _("主题（序号，几个的用空格隔开；直接回车：没有）"), [topic.name for topic in station.topics]
    )
    areas = _some(
        _("写给哪些区域（序号，几个的用空格隔开；直接回车：所有人）"), [area.path for area in station.areas]
    )
    details = {field: ask() for field, ask in _OWN.get(kind, {}).items()}
    return Beginning(kind=kind, title=title, summary=summary, topics=topics, areas=areas, details=details)


def asked_name() -> str | None:
    """The file's name, which becomes the address; None for the id."""
    return _until(_("文件名，也是网址：小写字母、数字和连字符（直接回车：用编号）"), usable_name)


def usable_name(name: str | None) -> str | None:
    """``name`` as an article's file may be called; None for none.

    :raises ValueError: it may not; says why.
    """
    if name and (name in RESERVED or not NAME.fullmatch(name)):
        raise ValueError(
            _("“{name}”不能用作文件名：只用小写字母、数字和连字符，例如 fake-refund。").format(name=name)
        )
    return name or None


def _kind() -> Kind:
    from gengfu_site.pages import kind_label

    labels = [f"{kind_label(kind, officer_language())}（{kind}）" for kind in KINDS]
    return KINDS[labels.index(_one(_("写哪一类？序号"), labels, needed=True))]


def _text(question: str, most: int = 200, *, needed: bool = False) -> str:
    def check(answer: str) -> str:
        if needed and not answer:
            raise ValueError(_("这一项要写。"))
        if len(answer) > most:
            raise ValueError(_("最多 {most} 个字，现在有 {found} 个。").format(most=most, found=len(answer)))
        return answer

    return _until(question, check)


def _one(question: str, options: Sequence[str], *, needed: bool = False) -> str:
    def check(answer: str) -> str:
        chosen = _chosen(answer, options)
        if len(chosen) > 1 or (needed and not chosen):
            raise ValueError(_("写一个序号。"))
        return chosen[0] if chosen else ""

    _show(options)
    return _until(question, check)


def _some(question: str, options: Sequence[str]) -> list[str]:
    if not options:
        return []
    _show(options)
    return _until(question, lambda answer: _chosen(answer, options))


def _show(options: Sequence[str]) -> None:
    for number, option in enumerate(options, 1):
        err.print(f"  {number:2} {escape(option)}")


def _chosen(answer: str, options: Sequence[str]) -> list[str]:
    """The options meant by numbers, in their order.

    :raises ValueError: there is none of that number.
    """
    numbers = [word for word in re.split(r"[\s,，、]+", answer) if word]
    if wrong := [word for word in numbers if not (word.isdecimal() and 1 <= int(word) <= len(options))]:
        raise ValueError(_("没有序号“{word}”，写 1 到 {n}。").format(word=wrong[0], n=len(options)))
    meant = {int(word) - 1 for word in numbers}
    return [option for index, option in enumerate(options) if index in meant]


def _until(question: str, check: Callable[[str], Answer]) -> Answer:
    """Ask until ``check`` takes the answer."""
    while True:
        answer = click.prompt(question, default="", show_default=False, err=True)
        try:
            return check(" ".join(answer.split()))
        except ValueError as error:
            err.print(escape(str(error)), style="red")


_LATER = _("（直接回车：以后再写）")
_OWN: dict[Kind, dict[str, Callable[[], str]]] = {
    "service": {
        "department": lambda: _text(_("谁来办，例如“户籍窗口”") + _LATER),
        "visit": lambda: _one(_("要不要本人跑一趟？序号") + _LATER, get_args(Visit)),
        "time_limit": lambda: _text(_("多久办好") + _LATER),
        "fee": lambda: _text(_("多少钱") + _LATER),
        "places": lambda: _text(_("在哪里办") + _LATER),
        "hours": lambda: _text(_("办理时间") + _LATER),
        "phone": lambda: _text(_("咨询电话") + _LATER),
    },
    "alert": {
        "form": lambda: _one(_("什么警情？序号") + _LATER, get_args(AlertForm)),
        "place": lambda: _text(_("地点") + _LATER),
        "tell": lambda: _text(_("让居民打给谁（直接回车：110）")),
        "expires": lambda: _text(_("到什么时候失效，例如 2026-11-22 20:00") + _LATER),
    },
}
"""What each kind is asked for besides, by field."""
