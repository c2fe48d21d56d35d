"""What one month came to, as plain data, as a sheet and as one page that stands alone.

Promise (``docs/delivery.md``): counts are of deliveries as the outbox has them, each in exactly one of the words
that :mod:`gengfu_scheduler.report` uses; what is no longer kept is said to be missing. Areas, slots and kinds stand
in the admin's own order: nobody is ranked and nothing is counted for a person (national rules forbid both).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from gengfu_scheduler.channels.text import Templates
from gengfu_scheduler.message import Broadcast, Group, is_alert, slot_of
from gengfu_scheduler.outbox import Fate, Outbox
from gengfu_scheduler.report import Missed, count_of_each, fate_words
from gengfu_scheduler.roster import Roster
from gengfu_templates.i18n import _, officer_language

TOLD: tuple[Fate, ...] = ("confirmed", "accepted", "said")
"""Ends after which a group counts as told, by the platform's word or a person's."""
_THINNEST = 0.6
"""Per cent of a bar's width: one unknown among thousands is seen all the same."""
_FORMULA = ("=", "+", "-", "@", "\t")

Counts = Mapping[Fate, int]
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Row:
    """How the deliveries of one area, slot, kind, way or day ended."""

    name: str
    counts: Counts

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def told(self) -> int:
        return sum(self.counts.get(fate, 0) for fate in TOLD)


@dataclass(frozen=True, kw_only=True)
class Silent:
    """A group that was told nothing all the time, as far as is known."""

    group: str
    name: str
    area: str
    """Path; empty for a group of the whole station."""
    why: str


@dataclass(frozen=True, kw_only=True)
class MonthReport:
    station: str
    month: str
    """``2026-11``."""
    since: datetime
    until: datetime
    """The month's end; while it lasts, now."""
    notices: tuple[str, ...]
    """Why the figures are not all there is to say of the month."""
    broadcasts: int
    sum: Counts
    """Deliveries: a message to a group is one, each part of a long one counts."""
    days: tuple[Row, ...]
    """Every day."""
    areas: tuple[Row, ...]
    """Those that have groups, by the groups' own area; the rows add up to ``sum``, as do those of days, slots and ways."""
    slots: tuple[Row, ...]
    kinds: tuple[Row, ...]
    """By article: a digest of three counts three times."""
    ways: tuple[Row, ...]
    silent: tuple[Silent, ...]
    missed: tuple[Missed, ...]


def month_report(outbox: Outbox, roster: Roster, month: date, now: datetime) -> MonthReport:
    """What the month in which ``month`` lies came to, up to ``now``."""
    zone, station = roster.timetable.timezone, roster.catalogue.station
    first = month.replace(day=1)
    since = datetime.combine(first, time(), zone)
    end = datetime.combine((first + timedelta(days=32)).replace(day=1), time(), zone)
    until = min(end, now.astimezone(zone))
    broadcasts = outbox.scheduled(since, end)
    by_broadcast = _nested(outbox.tally(since, end, "broadcast"))
    by_group = _nested(outbox.tally(since, end, "group"))
    day_of = {b.key: b.scheduled_for.astimezone(zone).date() for b in broadcasts}
    slot_names = {slot.id: slot.title for slot in roster.timetable.slots}
    return MonthReport(
        station=station.name,
        month=f"{first:%Y-%m}",
        since=since,
        until=until,
        notices=tuple(_notices(since, end, now, roster)),
        broadcasts=sum(1 for b in broadcasts if b.key in by_broadcast),
        sum=_sum(by_broadcast.values()),
        days=tuple(_days(first, until, _gathered(by_broadcast, day_of.__getitem__))),
        areas=_areas(by_group, roster),
        slots=_slots(by_broadcast, broadcasts, slot_names),
        kinds=_kinds(_nested(outbox.tally(since, end, "entry")), roster),
        ways=_in_order(way_names(), _nested(outbox.tally(since, end, "way"))),
        silent=tuple(_silent(by_group, roster, outbox.disabled(), end)),
        missed=tuple(
            Missed(slot=slot_names.get(slot, slot), scheduled_for=when.astimezone(zone))
            for slot, when in outbox.missed(since)
            if when < end
        ),
    )


def silent(outbox: Outbox, roster: Roster, since: datetime, until: datetime) -> tuple[Silent, ...]:
    """The groups that were told nothing from ``since`` on and before ``until``, as far as is known, and why."""
    by_group = _nested(outbox.tally(since, until, "group"))
    return tuple(_silent(by_group, roster, outbox.disabled(), until))


def kind_names() -> dict[str, str]:
    return {
        "tip": _("治安提示"),
        "fraud": _("防骗常识"),
        "service": _("办事指南"),
        "notice": _("警讯通告"),
        "video": _("视频资料"),
        "alert": _("紧急警情"),
    }


def way_names() -> dict[str, str]:
    return {"webhook": _("自动"), "confirm": _("待群主确认"), "hand": _("手工转发")}


def _nested(tally: Mapping[tuple[str, Fate], int]) -> dict[str, Counts]:
    counts: dict[str, dict[Fate, int]] = {}
    for (what, fate), number in tally.items():
        counts.setdefault(what, {})[fate] = number
    return dict(counts)


def _sum(all: Iterable[Counts]) -> Counts:
    """In the order of the words, without zeros."""
    total: Counter[Fate] = Counter()
    for counts in all:
        total.update(counts)
    return {fate: total[fate] for fate in fate_words() if total[fate]}


def _gathered(counts: Mapping[str, Counts], into: Callable[[str], _T]) -> dict[_T, Counts]:
    found: dict[_T, list[Counts]] = {}
    for what, theirs in counts.items():
        found.setdefault(into(what), []).append(theirs)
    return {what: _sum(theirs) for what, theirs in found.items()}


def _in_order(names: Mapping[str, str], counts: Mapping[str, Counts]) -> tuple[Row, ...]:
    return tuple(Row(name=name, counts=_sum([counts[id]])) for id, name in names.items() if id in counts)


def _days(first: date, until: datetime, counts: Mapping[date, Counts]) -> Iterator[Row]:
    last = (until - timedelta.resolution).date()
    while first <= max([last, *counts]):
        yield Row(name=f"{first:%m-%d}", counts=counts.get(first, {}))
        first += timedelta(days=1)


def _areas(by_group: Mapping[str, Counts], roster: Roster) -> tuple[Row, ...]:
    """Also areas of whose groups none was told anything, and groups that are no longer listed."""
    gone = object()
    names: dict[object, str] = {None: _("全所的群")}
    names |= {area.path: area.path for area in roster.catalogue.station.areas}
    names[gone] = _("已不在群清单里的群")

    def area(id: str) -> object:
        group = roster.groups.get(id)
        return group.area if group else gone

    counts = _gathered(by_group, area)
    inhabited = {group.area for group in roster.groups.values()} | counts.keys()
    return tuple(Row(name=name, counts=counts.get(a, {})) for a, name in names.items() if a in inhabited)


def _slots(
    by_broadcast: Mapping[str, Counts], broadcasts: Sequence[Broadcast], names: Mapping[str, str]
) -> tuple[Row, ...]:
    titles = {slot_of(b.key): b.title for b in broadcasts if b.form == "digest"}
    alerts, corrections = "alert:", "correction:"
    ordered = {**names, **{id: title for id, title in titles.items() if id not in names}}
    ordered |= {alerts: _("警情"), corrections: _("更正")}
    forms = {b.key: b.form for b in broadcasts}

    def slot(key: str) -> str:
        if forms[key] == "digest":
            return slot_of(key)
        return alerts if is_alert(key) else corrections

    return _in_order(ordered, _gathered(by_broadcast, slot))


def _kinds(by_entry: Mapping[str, Counts], roster: Roster) -> tuple[Row, ...]:
    kinds: dict[str, str] = {entry.id: entry.kind for entry in roster.catalogue.entries}
    names = {**kind_names(), "": _("网站上已没有的文章")}
    return _in_order(names, _gathered(by_entry, lambda entry: kinds.get(entry, "")))


def _silent(
    by_group: Mapping[str, Counts], roster: Roster, disabled: Mapping[str, str], end: datetime
) -> Iterator[Silent]:
    without_address = {group.id for group in roster.without_address()}

    def why(group: Group, counts: Counts) -> str:
        if group.id in disabled:
            return _("已停用：{reason}").format(reason=disabled[group.id])
        if group.id in without_address:
            return _("没有机器人地址")
        return count_of_each(counts) or _("没有给它安排过发送")

    for group in roster.groups.values():
        counts = by_group.get(group.id, {})
        if group.joined < end and not any(counts.get(fate) for fate in TOLD):
            yield Silent(group=group.id, name=group.name, area=group.area or "", why=why(group, counts))


def _notices(since: datetime, end: datetime, now: datetime, roster: Roster) -> Iterator[str]:
    keep = roster.timetable.keep
    if since < now - keep:
        yield _(
            "{n} 天以前的发送记录已按 timetable.yml 的 keep 清除：这里的数字不全，不能当作当月没有发送。"
        ).format(n=keep.days)
    if now < end:
        yield _("这个月还没有过完，数字算到 {when:%m-%d %H:%M}。").format(
            when=now.astimezone(roster.timetable.timezone)
        )


@dataclass(frozen=True, kw_only=True)
class Table:
    """One breakdown as cells."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(report: MonthReport, *, days: bool = False) -> list[Table]:
    """The breakdowns by area, slot, kind and way, and by day where wanted; columns without any number are left out."""
    breakdowns = [
        (_("区域"), report.areas),
        (_("时段"), report.slots),
        (_("内容"), report.kinds),
        (_("通知方式"), report.ways),
    ]
    if days:
        breakdowns.append((_("日期"), report.days))
    words = {fate: word for fate, word in fate_words().items() if fate in report.sum}
    return [
        Table(
            title=title,
            headings=(title, *words.values(), _("合计")),
            rows=tuple(
                (row.name, *(str(row.counts.get(fate, 0)) for fate in words), str(row.total)) for row in rows
            ),
        )
        for title, rows in breakdowns
        if rows
    ]


def sheet(report: MonthReport) -> str:
    """Everything as CSV, for a spreadsheet: a line a row, and one for each silent group."""
    words = fate_words()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_("月份"), _("分类"), _("名称"), *words.values(), _("合计"), _("说明")])
    breakdowns = (
        (_("区域"), report.areas),
        (_("时段"), report.slots),
        (_("内容"), report.kinds),
        (_("通知方式"), report.ways),
        (_("日期"), report.days),
    )
    for title, rows in breakdowns:
        for row in rows:
            numbers = (row.counts.get(fate, 0) for fate in words)
            writer.writerow([report.month, title, _plain(row.name), *numbers, row.total, ""])
    for group in report.silent:
        name = _plain(f"{group.name}（{group.group}）")
        writer.writerow([report.month, _("没有收到"), name, *["" for _fate in words], "", _plain(group.why)])
    for missed in report.missed:
        when = f"{missed.scheduled_for:%m-%d %H:%M}"
        writer.writerow([report.month, _("错过"), _plain(missed.slot), *["" for _fate in words], "", when])
    for notice in report.notices:
        writer.writerow([report.month, _("说明"), "", *["" for _fate in words], "", notice])
    return text.getvalue()


def _plain(text: str) -> str:
    """``text`` as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def page(report: MonthReport) -> str:
    """Everything as one HTML page that stands alone."""
    language = officer_language()
    return Templates().render(
        "month.html",
        language,
        language=language,
        report=report,
        words=fate_words(),
        tables=tables(report),
        plots=[(_("每天"), _bars(report.days)), (_("每个区域"), _bars(report.areas))],
    )


@dataclass(frozen=True, kw_only=True)
class Segment:
    fate: Fate
    number: int
    x: float
    """Per cent of the plot's width, as is ``width``."""
    width: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    row: Row
    segments: tuple[Segment, ...]


def _bars(rows: Sequence[Row]) -> list[Bar]:
    """Stacked bars on one scale, the longest as wide as the plot."""
    longest = max((row.total for row in rows), default=0)
    return [Bar(row=row, segments=tuple(_segments(row, longest))) for row in rows]


def _segments(row: Row, longest: int) -> Iterator[Segment]:
    numbers = [(fate, row.counts[fate]) for fate in fate_words() if row.counts.get(fate)]
    if not numbers:
        return
    widths = [max(100 * number / longest, _THINNEST) for _fate, number in numbers]
    squeezed = min(1.0, 100 / sum(widths))
    x = 0.0
    for (fate, number), width in zip(numbers, widths, strict=True):
        yield Segment(fate=fate, number=number, x=round(x, 3), width=round(width * squeezed, 3))
        x += width * squeezed
