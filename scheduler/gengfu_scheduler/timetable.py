"""When the station speaks: ``timetable.yml`` and the instants that follow from it.

A slot is written in human words and means wall-clock time in the timetable's zone. The instants of a slot
are a pure function of its words: every local day that its ``days`` hold has exactly one instant for each
of its times, whatever the clocks do (https://peps.python.org/pep-0495/). A time that a spring change skips
comes at the first instant after the gap; one that an autumn change repeats comes the first time only; a
day that a zone skipped as a whole (Pacific/Apia, 30 December 2011) has none.

Working days are those of the State Council's yearly notice, make-up days included, as the chinesecalendar
package holds them (https://github.com/LKI/chinese-calendar). The notice for a year comes in the November
before it; until the package knows a year, Monday to Friday stand in, and :func:`unknown_years` says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from chinese_calendar import is_workday
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
)

from gengfu_scheduler import words
from gengfu_scheduler.message import Group, QuietHours
from gengfu_site.catalogue import Kind, Station, within
from gengfu_site.problems import Problem
from gengfu_site.source import Document, Mistake, TimeZoneName, read_text, read_yaml, shortened, validate
from gengfu_templates.i18n import _

FILE = "timetable.yml"
CATALOGUE = "public/catalogue.json"
"""Where ``gengfu build`` puts it, below the station folder."""
MOST_ITEMS = 7
"""In one digest; the smallest platform's card holds eight, and its first place may go to a heading."""

DIGEST_KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "alert")
"""What a digest may hold. An alert is never one item among others."""


_STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)


def _read_by(function: Any) -> BeforeValidator:
    """Let ``function`` read the text; what is not text is left for pydantic to refuse."""
    return BeforeValidator(lambda value: function(value) if isinstance(value, str) else value)


def _declared(what: str) -> AfterValidator:
    """Let only names pass that the validation's context holds under ``what``."""

    def check(word: str, info: ValidationInfo) -> str:
        known = info.context[what] if info.context else ()
        if word not in known:
            raise words.undeclared(what, word, known)
        return word

    return AfterValidator(check)


AreaPath = Annotated[str, _declared("area")]
Audience = Annotated[str, _declared("audience")]
TopicName = Annotated[str, _declared("topic")]
GroupId = Annotated[str, _declared("group")]
Duration = Annotated[timedelta, _read_by(words.duration)]
Count = Annotated[int, Field(ge=0, le=MOST_ITEMS)]


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


@dataclass(frozen=True, kw_only=True)
class Target:
    """The groups a slot speaks to. Empty: all."""

    __pydantic_config__ = _STRICT

    areas: tuple[AreaPath, ...] = ()
    """Groups at or beneath any of them."""
    audience: tuple[Audience, ...] = ()
    """Groups made of any of them; a mixed group is not. With ``areas``, both must hold."""
    groups: tuple[GroupId, ...] = ()
    """Ids of groups that are meant in any case."""

    def __contains__(self, group: Group) -> bool:
        if group.id in self.groups:
            return True
        if not (self.areas or self.audience):
            return not self.groups
        lies_there = not self.areas or (
            group.area is not None and any(within(group.area, area) for area in self.areas)
        )
        return lies_there and (not self.audience or not set(self.audience).isdisjoint(group.audience))


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What a slot's digests are made of."""

    __pydantic_config__ = _STRICT

    kinds: tuple[Annotated[Kind, _declared("kind")], ...] = DIGEST_KINDS
    topics: tuple[TopicName, ...] = ()
    """Empty: any topic."""
    fresh: Duration = timedelta(days=7)
    """How long after its publication an article counts as new."""
    new: Count = 3
    """At most so many new articles."""
    repeat: Count = 1
    """At most so many evergreen ones to fill up."""
    repeat_after: Duration = timedelta(days=30)
    """How long a group is not told the same evergreen article again."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One line of the timetable."""

    id: str
    title: str
    """The digest's heading, e.g. 每日警情提示."""
    at: tuple[time, ...]
    """Wall-clock times, earliest first."""
    days: Days = Days(every=True)
    to: Target = Target()
    pick: Pick = Pick()
    late: timedelta = timedelta(hours=2)
    """How long after its time an occurrence may still be sent."""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    slot: Slot
    scheduled_for: datetime
    """In UTC."""

    @property
    def key(self) -> str:
        """The idempotency key of its broadcast."""
        return f"{self.slot.id}@{self.scheduled_for:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, kw_only=True)
class Timetable:
    timezone: ZoneInfo
    quiet_hours: QuietHours | None = None
    hosts: tuple[str, ...] = ()
    """Hosts that posts may go to besides the known platforms'."""
    catalogue: str = CATALOGUE
    """A path below the station folder, or a URL."""
    slots: tuple[Slot, ...] = ()

    def quiet_until(self, group: Group, at: datetime) -> datetime | None:
        """The end of the quiet hours of ``group`` that ``at`` lies in, None where it lies in none."""
        quiet = group.quiet_hours or self.quiet_hours
        local = at.astimezone(self.timezone)
        if quiet is None or local.time() not in quiet:
            return None
        end = _instant(local.date(), quiet.end, self.timezone)
        return end if end > at else _instant(local.date() + timedelta(days=1), quiet.end, self.timezone)


def occurrences(
    slot: Slot, timezone: ZoneInfo, after: datetime, until: datetime | None = None
) -> Iterator[Occurrence]:
    """The slot's occurrences later than ``after`` and not later than ``until``, earliest first.

    Without ``until`` there is no end. Neighbouring spans never share and never miss an occurrence.
    """
    day = after.astimezone(timezone).date() - timedelta(days=1)
    latest = after
    while True:
        midnight, day_after = _instant(day, time(), timezone), day + timedelta(days=1)
        if until is not None and midnight > until:
            return
        # A day that the zone skipped has no length.
        if day in slot.days and midnight < _instant(day_after, time(), timezone):
            for clock in slot.at:
                instant = _instant(day, clock, timezone)
                # Two times of one gap come at the same instant, once.
                if instant > latest and (until is None or instant <= until):
                    latest = instant
                    yield Occurrence(slot=slot, scheduled_for=instant)
        day = day_after


def next_after(slot: Slot, timezone: ZoneInfo, after: datetime) -> datetime:
    """The instant of the slot's first occurrence later than ``after``."""
    return next(occurrences(slot, timezone, after)).scheduled_for


def times(slot: Slot, timezone: ZoneInfo) -> str:
    """The words that the instants of ``slot`` follow from: two of equal words have the same instants."""
    days = slot.days
    sets = [sorted(chosen) for chosen in (days.weekdays, days.of_month, days.last)]
    return json.dumps([timezone.key, [f"{at}" for at in slot.at], days.every, days.workdays, *sets])


def unknown_years(slots: Iterable[Slot], after: datetime, until: datetime) -> tuple[int, ...]:
    """The years between the two for which working days are asked and the holiday notice is not known."""
    if not any(slot.days.workdays for slot in slots):
        return ()
    return tuple(year for year in range(after.year, until.year + 1) if not _knows(year))


def _instant(day: date, clock: time, timezone: ZoneInfo) -> datetime:
    """When the wall clock of ``timezone`` first shows ``clock`` or later on ``day``, in UTC."""
    local = datetime.combine(day, clock, timezone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # In a gap the two readings lie on either side of the change: close in on it.
    before, changed = second, first
    offset = changed.astimezone(timezone).utcoffset()
    while changed - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(changed - before) // timedelta(seconds=2))
        if middle.astimezone(timezone).utcoffset() == offset:
            changed = middle
        else:
            before = middle
    return changed


@cache
def _is_workday(day: date) -> bool:
    return bool(is_workday(day)) if _knows(day.year) else day.weekday() < 5


@cache
def _knows(year: int) -> bool:
    try:
        is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


# --- reading the file -----------------------------------------------------------------------------


def catalogue_address(folder: Path) -> str:
    """The ``catalogue:`` of the timetable in ``folder``: needed before its other words can be judged."""
    text = read_text(folder / FILE, folder)
    if isinstance(text, Problem):
        return CATALOGUE
    address = read_yaml(text, FILE)[0].value.get("catalogue")
    return address if isinstance(address, str) and address else CATALOGUE


def read_timetable(
    folder: Path, station: Station, groups: Collection[str]
) -> tuple[Timetable | None, tuple[Problem, ...]]:
    """The timetable in ``folder``, or everything that is wrong with it.

    :param station: declares the areas, audiences and topics that slots may name.
    :param groups: the ids of all groups.
    """
    text = read_text(folder / FILE, folder)
    if isinstance(text, Problem):
        return None, (text,)
    document, problems = read_yaml(text, FILE)
    if problems:
        return None, tuple(problems)
    known = {**words.vocabulary(station), "group": groups, "kind": DIGEST_KINDS}
    written, problems = validate(_Timetable, document, known)
    if written is None:
        return None, tuple(problems)
    timetable = Timetable(
        timezone=ZoneInfo(written.timezone or station.timezone),
        quiet_hours=written.quiet_hours,
        hosts=tuple(written.hosts),
        catalogue=written.catalogue,
        slots=tuple(
            Slot(
                id=name,
                title=slot.title,
                at=tuple(sorted(set(slot.at))),
                days=slot.days,
                to=slot.to,
                pick=slot.pick,
                late=slot.late,
            )
            for name, slot in written.slots.items()
        ),
    )
    return timetable, tuple(_never_sent(timetable, document))


def _never_sent(timetable: Timetable, document: Document) -> Iterator[Problem]:
    """Times that lie so deep in the quiet hours that their digests would always be too late."""
    quiet = timetable.quiet_hours
    for slot in timetable.slots if quiet else ():
        assert quiet is not None
        for clock in slot.at:
            wait = datetime.combine(date.min, quiet.end) - datetime.combine(date.min, clock)
            if clock in quiet and wait % timedelta(days=1) >= slot.late:
                yield document.problem(
                    "slots",
                    slot.id,
                    "at",
                    message=_(
                        "{clock:%H:%M} 在免打扰时间里，等到 {end:%H:%M} 已超过 late，永远发不出去。"
                    ).format(clock=clock, end=quiet.end),
                    remedy=_("换一个时刻，或把 late 写长一些。"),
                )


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


def _one_or_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _joined(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _is_host(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", name):
        raise Mistake(
            _("hosts 里应是主机名，见到的是“{name}”。").format(name=shortened(name)),
            _("只写小写的主机名，不写 https://、端口和路径，例如 chat.example.org。"),
        )
    return name


def _some_time(late: timedelta) -> timedelta:
    if late < timedelta(minutes=1):
        raise Mistake(
            _("late 至少要一分钟，不然到点时总是已经晚了。"), _("写成 2h、30m 这样，或者删掉这一项。")
        )
    return late


def _names_slot(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise Mistake(
            _("时段的名称只能是小写字母、数字、“-”和“_”，见到的是“{name}”。").format(name=shortened(name)),
            _("写成 morning 这样；给居民看的名称写在 title 里。"),
        )
    return name


Clock = Annotated[time, _read_by(words.clock)]
Span = Annotated[InstanceOf[QuietHours], _read_by(words.quiet_hours)]
DaysText = Annotated[InstanceOf[Days], _read_by(days), BeforeValidator(_joined)]


class _Slot(BaseModel):
    model_config = _STRICT

    title: Annotated[str, Field(min_length=1, max_length=40)]
    at: Annotated[list[Clock], BeforeValidator(_one_or_several), Field(min_length=1)]
    days: DaysText = Slot.days
    to: Target = Slot.to
    pick: Pick = Slot.pick
    late: Annotated[Duration, AfterValidator(_some_time)] = Slot.late


class _Timetable(BaseModel):
    model_config = _STRICT

    timezone: TimeZoneName | None = None
    quiet_hours: Span | None = None
    hosts: list[Annotated[str, AfterValidator(_is_host)]] = []
    catalogue: str = CATALOGUE
    slots: dict[Annotated[str, AfterValidator(_names_slot)], _Slot] = {}
