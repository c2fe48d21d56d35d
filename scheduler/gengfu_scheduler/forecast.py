"""What will be told, as plain data for people and programs: the plan of the coming days, one draft, what speaks against it.

Promise: the plan comes true, if nothing is published, edited or pushed meanwhile: it is drawn up by the very
functions that the runner works with, one occurrence after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gengfu_scheduler.digest import History
from gengfu_scheduler.draft import Draft, Told, draft_occurrence, quiet_until
from gengfu_scheduler.message import Form, Item, Planned, Reach, slot_of
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.report import counted, shortlist, standing_notices
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Occurrence, Slot, Timetable, occurrences, unknown_years
from gengfu_templates.i18n import _, series

TOLD_LATELY = timedelta(hours=1)
"""Within which a second push of a slot is more likely a mistake than meant."""
LONG_PAST = timedelta(days=30)
"""How long after its end a campaign is still left in peace."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What is said, but for the footer of each area, and the groups that it is said to."""

    items: tuple[str, ...]
    """Titles, in order."""
    body: str
    """An alert's text."""
    groups: tuple[str, ...]
    """Ids."""
    names: tuple[str, ...]
    ways: Mapping[Reach, int]
    """How many of the groups are reached which way."""
    held: bool
    """Whether quiet hours or a blackout hold it up."""
    not_before: datetime
    """When the first of them may be told."""
    spread_until: datetime
    """When the last of them may be told."""


@dataclass(frozen=True, kw_only=True)
class Upcoming:
    """One occurrence and all that it will say."""

    slot: str
    title: str
    form: Form
    scheduled_for: datetime
    """In the timetable's zone."""
    campaigns: tuple[str, ...]
    """Those that are on then and have an article in it."""
    tellings: tuple[Telling, ...]
    silent: int
    """Groups that are meant and have nothing to be told."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """An occurrence that a blackout takes away."""

    slot: str
    title: str
    scheduled_for: datetime
    """In the timetable's zone."""
    reason: str
    """Of the blackout; empty where none is written."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    upcoming: tuple[Upcoming, ...]
    skipped: tuple[Skipped, ...]
    notices: tuple[str, ...]
    """What the admin should know besides."""


def plan(roster: Roster, told: Told, now: datetime, days: int) -> Plan:
    """What goes where and when in the next ``days``, if nothing more is published."""
    table, until = roster.timetable, now + timedelta(days=days)
    upcoming: list[Upcoming] = []
    notices: list[str] = []
    for occurrence, draft in foretold(roster, told, now, until):
        upcoming.append(preview(draft, roster, slot=occurrence.slot.id))
        notices += draft.notices
    notices += _timetable_notices(table, now, until)
    return Plan(
        upcoming=tuple(upcoming),
        skipped=tuple(_skipped(table, now, until)),
        notices=(*dict.fromkeys(notices), *standing_notices(roster)),
    )


def foretold(
    roster: Roster, told: Told, after: datetime, until: datetime
) -> Iterator[tuple[Occurrence, Draft]]:
    """All occurrences between the two, earliest first, and what each will say once those before it have spoken."""
    imagined = _Imagined(told(list(roster.groups)))
    for occurrence in _due(roster.timetable.slots, roster.timetable, after, until):
        draft = draft_occurrence(occurrence, roster, imagined, occurrence.scheduled_for)
        imagined.take(draft)
        yield occurrence, draft


def _due(slots: Iterable[Slot], table: Timetable, after: datetime, until: datetime) -> list[Occurrence]:
    """All occurrences of the ``slots``, earliest first."""
    due = (o for slot in slots for o in occurrences(slot, table.timezone, after, until))
    return sorted(due, key=lambda occurrence: occurrence.scheduled_for)


def _skipped(table: Timetable, after: datetime, until: datetime) -> Iterator[Skipped]:
    as_if_none = [replace(slot, blackouts=()) for slot in table.slots] if table.blackouts else []
    for occurrence in _due(as_if_none, table, after, until):
        if blackout := table.blackout_at(occurrence.scheduled_for):
            yield Skipped(
                slot=occurrence.slot.id,
                title=occurrence.slot.title,
                scheduled_for=occurrence.scheduled_for.astimezone(table.timezone),
                reason=blackout.reason,
            )


def _timetable_notices(table: Timetable, now: datetime, until: datetime) -> Iterator[str]:
    for year in unknown_years(table.slots, now, until):
        yield _("{year} 年的放假安排还不知道：工作日暂按周一至周五算，请到时升级 chinesecalendar。").format(
            year=year
        )
    for slot in table.slots:
        crowded = [at for at in slot.at if at.minute % 30 == 0 and at.second == 0]
        if crowded and not slot.spread:
            yield _("“{title}”在 {times} 同时发给所有的群：平台建议避开整点和半点，或者写上 spread。").format(
                title=slot.title, times=series(f"{at:%H:%M}" for at in crowded)
            )
    for campaign in table.campaigns:
        if campaign.days.last < (now.astimezone(table.timezone) - LONG_PAST).date():
            yield _("宣传活动“{name}”在 {last} 就结束了，可以从 timetable.yml 里删掉。").format(
                name=campaign.name, last=campaign.days.last
            )


def preview(draft: Draft, roster: Roster, *, slot: str) -> Upcoming:
    """``draft`` as a person wants to see it before it goes.

    :param slot: name of the slot or id of the alert.
    """
    table, when = roster.timetable, draft.broadcast.scheduled_for
    alike: dict[tuple[tuple[Item, ...], str, datetime | None], list[Planned]] = {}
    quiet = quiet_until(table)
    # Groups alike are told by the same objects: what those say, and until when they wait, is asked once.
    rows: dict[object, list[Planned]] = {}
    for planned in draft.planned:
        later = planned.not_before > when
        told_so = id(planned.messages), later
        if told_so not in rows:
            held = quiet(roster.groups[planned.group], when) if later else None
            body = "".join(message.body for message in planned.messages)
            rows[told_so] = alike.setdefault((planned.messages[0].items, body, held), [])
        rows[told_so].append(planned)
    ids = {item.entry for items, _body, _held in alike for item in items}
    told = [entry for entry in roster.catalogue.entries if entry.id in ids]
    return Upcoming(
        slot=slot,
        title=draft.broadcast.title,
        form=draft.broadcast.form,
        scheduled_for=when.astimezone(table.timezone),
        campaigns=tuple(c.name for c in table.campaigns_at(when) if any(entry in c for entry in told)),
        tellings=tuple(
            Telling(
                items=tuple(item.title for item in items),
                body=body,
                groups=tuple(p.group for p in same),
                names=tuple(roster.groups[p.group].name for p in same),
                ways=dict(Counter(p.way for p in same)),
                held=held is not None,
                not_before=min(p.not_before for p in same).astimezone(table.timezone),
                spread_until=max(p.not_before for p in same).astimezone(table.timezone),
            )
            for (items, body, held), same in alike.items()
        ),
        silent=draft.silent,
    )


def way_words(ways: Mapping[Reach, int]) -> str:
    """How many groups are reached which way, in one line and no zeros: 自动 4，待群主确认 3，手工转发 5."""
    words: dict[Reach, str] = {"webhook": _("自动"), "confirm": _("待群主确认"), "hand": _("手工转发")}
    return _("，").join(f"{word} {ways[way]}" for way, word in words.items() if ways.get(way))


def push_doubts(draft: Draft, roster: Roster, outbox: Outbox, now: datetime) -> tuple[str, ...]:
    """What a person should know before pushing ``draft``; nothing where it is an alert, which may not wait."""
    if draft.broadcast.form == "alert":
        return ()
    quiet = [
        group.name
        for group in (roster.groups[planned.group] for planned in draft.planned)
        if roster.timetable.quiet_until(group, now)
    ]
    lately = [
        known
        for known in outbox.broadcasts()
        if slot_of(known.broadcast.key) == slot_of(draft.broadcast.key)
        and known.counts
        and known.broadcast.scheduled_for >= now - TOLD_LATELY
    ]
    doubts = []
    if blackout := roster.timetable.blackout_at(now):
        reason = _("（{reason}）").format(reason=blackout.reason) if blackout.reason else ""
        doubts.append(_("今天停发{reason}。人工发起的发送不受停发限制。").format(reason=reason))
    elif quiet:
        doubts.append(
            _("{n} 个群正在免打扰时间：{names}。人工发起的发送不等免打扰时间结束。").format(
                n=len(quiet), names=shortlist(quiet)
            )
        )
    if lately:
        doubts.append(
            _("“{title}”在 {when:%H:%M} 刚发过：{counts}。").format(
                title=draft.broadcast.title,
                when=lately[0].broadcast.scheduled_for.astimezone(roster.timetable.timezone),
                counts=counted(lately[0]),
            )
        )
    return tuple(doubts)


class _Imagined:
    """Histories as they will be once what is planned before has been told; groups told alike share one."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = dict(histories)

    def __call__(self, groups: Collection[str]) -> Mapping[str, History]:
        return self._histories

    def take(self, draft: Draft) -> None:
        histories, when = self._histories, draft.broadcast.scheduled_for
        nothing: History = {}
        said: dict[int, tuple[str, ...]] = {}
        grown: dict[tuple[int, tuple[str, ...]], tuple[History, History]] = {}
        for planned in draft.planned:
            messages = id(planned.messages)
            if messages not in said:
                said[messages] = tuple(item.entry for message in planned.messages for item in message.items)
            before, entries = histories.get(planned.group, nothing), said[messages]
            # What a history grew from is kept beside it, so that its identity is nobody else's meanwhile.
            alike = id(before), entries
            if alike not in grown:
                grown[alike] = before, {**before, **dict.fromkeys(entries, when)}
            histories[planned.group] = grown[alike][1]
