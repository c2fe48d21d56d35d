"""Sets of calendar days, and the words an admin names them with: 工作日, 周一、周三, 2026-04-04..2026-04-06.

Working days are those of the State Council's yearly notice, make-up days included, as the chinesecalendar
package holds them (https://github.com/LKI/chinese-calendar). The notice for a year comes in the November
before it; until the package knows a year, Monday to Friday stand in, and :func:`holidays_known` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from chinese_calendar import is_workday

from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _


@dataclass(frozen=True, kw_only=True)
class Days:
    """A set of calendar days; the day of any member belongs to it."""

    every: bool = False
    workdays: bool = False
    weekdays: frozenset[int] = frozenset()
    """Monday is 0."""
    of_month: frozenset[int] = frozenset()
    """1 to 31; a month without that day has none."""
    last: frozenset[int] = frozenset()
    """The last such weekday of each month; Monday is 0."""

    def __contains__(self, day: date) -> bool:
        return (
            self.every
            or day.weekday() in self.weekdays
            or day.day in self.of_month
            or (day.weekday() in self.last and (day + timedelta(days=7)).month != day.month)
            or (self.workdays and _is_workday(day))
        )


EVERY_DAY = Days(every=True)


@dataclass(frozen=True, kw_only=True)
class Dates:
    """The days from one date to another, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first}..{self.last}"


_WEEKDAYS = {
    name: number
    for number, (english, chinese) in enumerate(
        [
            ("monday", "一"),
            ("tuesday", "二"),
            ("wednesday", "三"),
            ("thursday", "四"),
            ("friday", "五"),
            ("saturday", "六"),
            ("sunday", "日天"),
        ]
    )
    for name in (english, english[:3], *(prefix + c for prefix in ("周", "星期", "每周") for c in chinese))
}
_EVERY = ("every day", "daily", "每天", "每日")
_WORKDAYS = ("workdays", "工作日")
_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)|(?:每月)?(\d{1,2})[日号]")
_LAST = re.compile(r"last (\w+)|(?:每月)?最后一个(\w+)")


def days(text: str) -> Days:
    """The days that ``text`` names: ``workdays``, ``mon,wed``, ``15th``, ``last fri``, 每天, 周一、周三 …"""
    terms = [" ".join(term.split()) for term in re.split(r"[,，、;；]", text.lower())]
    weekdays, of_month, last = set(), set(), set()
    for term in terms:
        if term in _WEEKDAYS:
            weekdays.add(_WEEKDAYS[term])
        elif (found := _OF_MONTH.fullmatch(term)) and 1 <= (number := int(found[1] or found[2])) <= 31:
            of_month.add(number)
        elif (found := _LAST.fullmatch(term)) and (name := found[1] or found[2]) in _WEEKDAYS:
            last.add(_WEEKDAYS[name])
        elif term not in (*_EVERY, *_WORKDAYS):
            raise Mistake(
                _("认不出“{found}”是哪些日子。").format(found=shortened(term)),
                _(
                    "可以写每天、工作日、周一、15日、最后一个周五，或 every day、workdays、mon,wed、15th、last fri。"
                ),
            )
    return Days(
        every=not set(_EVERY).isdisjoint(terms),
        workdays=not set(_WORKDAYS).isdisjoint(terms),
        weekdays=frozenset(weekdays),
        of_month=frozenset(of_month),
        last=frozenset(last),
    )


_RANGE = re.compile(r"\s*([\d-]+)\s*(?:(?:\.\.|…|~|～|至)\s*([\d-]+)\s*)?")


def dates(text: str) -> Dates:
    """One date, or a first and a last one: ``2026-12-13``, ``2026-04-04..2026-04-06``."""
    found = _RANGE.fullmatch(text)
    try:
        first, last = (date.fromisoformat(found[n] or found[1]) if found else date.max for n in (1, 2))
    except ValueError:
        found = None
    if not found or not (2000 <= first.year < 3000 and 2000 <= last.year < 3000):
        raise Mistake(
            _("应是日期，见到的是“{found}”。").format(found=shortened(text)),
            _("写成 2026-12-13，或者 2026-04-04..2026-04-06 这样的一段。"),
        )
    if first > last:
        raise Mistake(
            _("开始的日期 {first} 在结束的日期 {last} 之后。").format(first=first, last=last),
            _("把两个日期对调，或者改正年份。"),
        )
    return Dates(first=first, last=last)


@cache
def _is_workday(day: date) -> bool:
    return bool(is_workday(day)) if holidays_known(day.year) else day.weekday() < 5


@cache
def holidays_known(year: int) -> bool:
    """Whether the holiday notice for ``year`` is known."""
    try:
        is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
