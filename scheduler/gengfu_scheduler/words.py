"""The small words that groups and timetable share: clock times, spans, durations, lists, declared names.

Admins type them by hand or in a spreadsheet, so full-width punctuation counts as the half-width it
stands for. What cannot be read raises :class:`~gengfu_site.source.Mistake`, which says how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import time, timedelta

from gengfu_scheduler.message import QuietHours
from gengfu_site.catalogue import Station
from gengfu_site.problems import nearest
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _, series

_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?")
_SPAN = re.compile(r"\s*([\d:：]+)\s*[-–—~～至]\s*([\d:：]+)\s*")
_DURATION = re.compile(r"\s*(?:(\d{1,5})\s*d)?\s*(?:(\d{1,5})\s*h)?\s*(?:(\d{1,5})\s*m)?\s*", re.IGNORECASE)
_SEPARATOR = re.compile(r"[;；、]")


def clock(text: str) -> time:
    """A time of day: ``08:00``, ``8:00`` or ``08:00:30``."""
    if found := _CLOCK.fullmatch(text.strip()):
        hour, minute, second = (int(part or 0) for part in found.groups())
        if hour < 24 and minute < 60 and second < 60:
            return time(hour, minute, second)
    raise Mistake(
        _("应是一天里的时刻，见到的是“{found}”。").format(found=shortened(text)), _("写成 08:00 这样。")
    )


def quiet_hours(text: str) -> QuietHours:
    """A daily span such as ``21:30-07:30``."""
    if (found := _SPAN.fullmatch(text)) and (start := clock(found[1])) != (end := clock(found[2])):
        return QuietHours(start=start, end=end)
    raise Mistake(
        _("免打扰时间应是“开始-结束”，见到的是“{found}”。").format(found=shortened(text)),
        _("写成 21:30-07:30 这样。"),
    )


def duration(text: str) -> timedelta:
    """Days, hours and minutes, in this order: ``7d``, ``2h``, ``1h 30m``."""
    if (found := _DURATION.fullmatch(text)) and any(found.groups()):
        days, hours, minutes = (int(part or 0) for part in found.groups())
        return timedelta(days=days, hours=hours, minutes=minutes)
    raise Mistake(
        _("应是一段时间，见到的是“{found}”。").format(found=shortened(text)),
        _("写成 7d（天）、2h（小时）、30m（分钟），可以连写：1h 30m。"),
    )


def listed(text: str) -> tuple[str, ...]:
    """The values of one spreadsheet cell, separated by ``;``, ``；`` or ``、``, each once."""
    parts = (part.strip() for part in _SEPARATOR.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def vocabulary(station: Station) -> dict[str, Collection[str]]:
    """The names that groups and timetable may use, by the word of :func:`undeclared` they belong to."""
    return {
        "area": {area.path: None for area in station.areas},
        "audience": dict.fromkeys(station.audiences),
        "topic": {topic.name: None for topic in station.topics},
    }


def undeclared(what: str, word: str, known: Collection[str], *, before: int = 0) -> Mistake:
    """What to say about a name that is not among ``known``, with the nearest that is.

    :param what: ``area``, ``audience``, ``topic``, ``kind``, ``campaign``, ``group``, ``entry`` or ``platform``.
    :param before: as for :func:`gengfu_site.problems.nearest`.
    """
    message, otherwise = {
        "area": (_("没有“{word}”这个区域。"), _("先在 mkdocs.yml 的 areas 里登记，再重新生成网站。")),
        "audience": (_("没有“{word}”这类对象。"), _("先在 mkdocs.yml 的 audiences 里登记，再重新生成网站。")),
        "topic": (_("没有“{word}”这个主题。"), _("先在 mkdocs.yml 的 topics 里登记，再重新生成网站。")),
        "kind": (_("定时消息里没有“{word}”这类文章。"), _("只能写：{known}。")),
        "campaign": (_("没有“{word}”这个宣传活动。"), _("先在 timetable.yml 的 campaigns 里登记。")),
        "entry": (
            _("已发布的内容里没有编号为“{word}”的文章。"),
            _("先用 gengfu build 发布；编号写在文章开头的 id 里。"),
        ),
        "group": (_("没有编号为“{word}”的群。"), _("先在群清单里登记这个群。")),
        "platform": (_("不认识“{word}”这个平台。"), _("只能写：{known}。")),
    }[what]
    close = nearest(word, known, before=before)
    remedy = _("是不是想写“{close}”？").format(close=close) if close else otherwise
    return Mistake(message.format(word=shortened(word)), remedy.format(known=series(known)))
