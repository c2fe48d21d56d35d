"""What will be told, as plain data for people and programs: the plan of the coming days, one draft, what speaks against it.

Promise: the plan comes true, if nothing is published, edited or pushed meanwhile: it is drawn up by the very
functions that the runner works with, one occurrence after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gengfu_scheduler.digest import History, addressees
from gengfu_scheduler.draft import Draft, Told, draft_occurrence
from gengfu_scheduler.message import Broadcast, Form, Item, Planned
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.report import counted, shortlist, standing_notices
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import occurrences, unknown_years
from gengfu_templates.i18n import _

TOLD_LATELY = timedelta(hours=1)
"""Within which a second push of a slot is more likely a mistake than meant."""


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
    by_hand: int
    """How many of the groups their owners must serve."""
    not_before: datetime


@dataclass(frozen=True, kw_only=True)
class Upcoming:
    """One occurrence and all that it will say."""

    slot: str
    title: str
    form: Form
    scheduled_for: datetime
    """In the timetable's zone."""
    tellings: tuple[Telling, ...]
    silent: int
    """Groups that are meant and have nothing to be told."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    upcoming: tuple[Upcoming, ...]
    notices: tuple[str, ...]
    """What the admin should know besides."""


def plan(roster: Roster, told: Told, now: datetime, days: int) -> Plan:
    """What goes where and when in the next ``days``, if nothing more is published."""
    table, until = roster.timetable, now + timedelta(days=days)
    due = sorted(
        (o for slot in table.slots for o in occurrences(slot, table.timezone, now, until)),
        key=lambda occurrence: occurrence.scheduled_for,
    )
    imagined = _Imagined(told(list(roster.groups)))
    upcoming = []
    for occurrence in due:
        draft = draft_occurrence(occurrence, roster, imagined, occurrence.scheduled_for)
        imagined.take(draft)
        meant = addressees(occurrence.slot, roster.groups.values(), occurrence.scheduled_for)
        upcoming.append(preview(draft, roster, slot=occurrence.slot.id, meant=len(meant)))
    notices = [
        _("{year} 年的放假安排还不知道：工作日暂按周一至周五算，请到时升级 chinesecalendar。").format(
            year=year
        )
        for year in unknown_years(table.slots, now, until)
    ]
    return Plan(upcoming=tuple(upcoming), notices=(*notices, *standing_notices(roster)))


def preview(draft: Draft, roster: Roster, *, slot: str, meant: int) -> Upcoming:
    """``draft`` as a person wants to see it before it goes.

    :param slot: name of the slot or id of the alert.
    :param meant: how many groups it is meant for, told something or not.
    """
    alike: dict[tuple[tuple[Item, ...], str, datetime], list[Planned]] = {}
    for planned in draft.planned:
        first, body = planned.messages[0], "".join(message.body for message in planned.messages)
        what = first.items, body, planned.not_before
        alike.setdefault(what, []).append(planned)
    zone = roster.timetable.timezone
    return Upcoming(
        slot=slot,
        title=draft.broadcast.title,
        form=draft.broadcast.form,
        scheduled_for=draft.broadcast.scheduled_for.astimezone(zone),
        tellings=tuple(
            Telling(
                items=tuple(item.title for item in items),
                body=body,
                groups=tuple(p.group for p in same),
                names=tuple(roster.groups[p.group].name for p in same),
                by_hand=sum(roster.groups[p.group].reach == "hand" for p in same),
                not_before=not_before.astimezone(zone),
            )
            for (items, body, not_before), same in alike.items()
        ),
        silent=meant - len(draft.planned),
    )


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
        if _slot(known.broadcast) == _slot(draft.broadcast)
        and known.counts
        and known.broadcast.scheduled_for >= now - TOLD_LATELY
    ]
    doubts = []
    if quiet:
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


def _slot(broadcast: Broadcast) -> str:
    """The slot that ``broadcast`` is of, at its own time or pushed; of an alert something no slot is called."""
    return broadcast.key.removeprefix("push:").partition("@")[0]


class _Imagined:
    """Histories as they will be once what is planned before has been told."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = {group: dict(history) for group, history in histories.items()}

    def __call__(self, groups: Collection[str]) -> Mapping[str, History]:
        return self._histories

    def take(self, draft: Draft) -> None:
        for planned in draft.planned:
            history = self._histories.setdefault(planned.group, {})
            items = (item for message in planned.messages for item in message.items)
            history.update({item.entry: draft.broadcast.scheduled_for for item in items})
