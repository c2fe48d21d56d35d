"""What will be told, what was, and how far it got, as plain data for people and programs.

Honest words: a platform *confirmed* by its own code, or only *accepted*; a person was *handed* a task and
still has to do it; *unknown* is neither sent nor failed. Group by group where a person must look.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from gengfu_scheduler.digest import History, addressees
from gengfu_scheduler.draft import Draft, Told, draft_occurrence
from gengfu_scheduler.message import (
    Delivery,
    Form,
    Handed,
    Item,
    Outcome,
    Planned,
    Rejected,
    Sent,
    State,
    Throttled,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import BroadcastStatus, Outbox
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.state import Holder
from gengfu_scheduler.timetable import occurrences, unknown_years
from gengfu_templates.i18n import _, series

MISSED_FOR = timedelta(days=7)
"""How long a missed occurrence is shown."""
NEEDS_A_LOOK: tuple[State, ...] = ("unknown", "rejected", "expired", "handed")
"""States in which deliveries are listed by the group's name."""


def state_words() -> dict[State, str]:
    """The states in the officer's words."""
    return {
        "pending": _("等待发送"),
        "sending": _("正在发送"),
        "sent": _("平台已收下"),
        "handed": _("已交人手工转发"),
        "rejected": _("被拒"),
        "unknown": _("不明"),
        "expired": _("过时未发"),
        "cancelled": _("已取消"),
    }


def delivery_words(delivery: Delivery) -> str:
    """Where one delivery stands, in the officer's words, with the evidence."""
    if delivery.state == "handed":
        return _("已交给{owner}手工转发").format(owner=delivery.reason)
    words = state_words()[delivery.state]
    return f"{words}：{delivery.reason}" if delivery.reason and delivery.state != "sent" else words


# --- what will be told ----------------------------------------------------------------------------


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
        what = planned.message.items, planned.message.body, planned.not_before
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


def standing_notices(roster: Roster) -> tuple[str, ...]:
    """What keeps groups from being reached, as far as the files say."""
    names = [group.name for group in roster.without_address()]
    if not names:
        return ()
    return (
        _("{n} 个群没有机器人地址，发不出去：{names}。地址写进 webhooks.csv，或设好 env: 变量。").format(
            n=len(names), names=shortlist(names)
        ),
    )


def quiet_notice(draft: Draft, roster: Roster, now: datetime) -> str:
    """What to say of a digest that a person pushes into quiet hours; empty where it disturbs no group's."""
    quiet = [
        group.name
        for group in (roster.groups[planned.group] for planned in draft.planned)
        if roster.timetable.quiet_until(group, now)
    ]
    if not quiet or draft.broadcast.form == "alert":
        return ""
    return _("{n} 个群正在免打扰时间：{names}。人工发起的发送不等免打扰时间结束。").format(
        n=len(quiet), names=shortlist(quiet)
    )


def shortlist(names: Collection[str], most: int = 12) -> str:
    """``names`` in a sentence; of many only the first."""
    shown = series(list(names)[:most])
    return shown if len(names) <= most else _("{shown} 等 {n} 个").format(shown=shown, n=len(names))


class _Imagined:
    """Histories as they will be once what is planned before has been told."""

    def __init__(self, histories: Mapping[str, History]) -> None:
        self._histories = {group: dict(history) for group, history in histories.items()}

    def __call__(self, groups: Collection[str]) -> Mapping[str, History]:
        return self._histories

    def take(self, draft: Draft) -> None:
        for planned in draft.planned:
            history = self._histories.setdefault(planned.group, {})
            history.update({item.entry: draft.broadcast.scheduled_for for item in planned.message.items})


# --- what was told --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ByName:
    """One delivery that a person should look at."""

    group: str
    name: str
    state: State
    words: str


@dataclass(frozen=True, kw_only=True)
class BroadcastReport:
    """One broadcast and how far it got."""

    key: str
    form: Form
    title: str
    scheduled_for: datetime
    counts: Mapping[State, int]
    confirmed: int
    """Of ``sent``: by the platform's own code."""
    look_at: tuple[ByName, ...]


@dataclass(frozen=True, kw_only=True)
class Missed:
    slot: str
    scheduled_for: datetime


@dataclass(frozen=True, kw_only=True)
class Disabled:
    group: str
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Status:
    scheduler: Holder | None
    """The running scheduler; None where none runs."""
    broadcasts: tuple[BroadcastReport, ...]
    """Newest first."""
    disabled: tuple[Disabled, ...]
    missed: tuple[Missed, ...]
    notices: tuple[str, ...]


def status(
    outbox: Outbox, roster: Roster | None, scheduler: Holder | None, now: datetime, *, limit: int = 10
) -> Status:
    """How things stand.

    :param roster: for names and the time zone; None where the files have problems: then ids must do.
    :param limit: how many broadcasts back.
    """
    names, zone = _names_and_zone(roster)
    broadcasts = (_reported(outbox, known, roster) for known in outbox.broadcasts(limit=limit))
    return Status(
        scheduler=scheduler,
        broadcasts=tuple(broadcasts),
        disabled=tuple(
            Disabled(group=group, name=names.get(group, group), reason=reason)
            for group, reason in outbox.disabled().items()
        ),
        missed=tuple(
            Missed(slot=slot, scheduled_for=when.astimezone(zone))
            for slot, when in outbox.missed(now - MISSED_FOR)
        ),
        notices=standing_notices(roster) if roster else (),
    )


def broadcast_report(outbox: Outbox, key: str, roster: Roster) -> BroadcastReport:
    """How far the broadcast ``key`` got.

    :raises KeyError: there is none of this key among the newest.
    """
    for known in outbox.broadcasts():
        if known.broadcast.key == key:
            return _reported(outbox, known, roster)
    raise KeyError(key)


def _reported(outbox: Outbox, known: BroadcastStatus, roster: Roster | None) -> BroadcastReport:
    names, zone = _names_and_zone(roster)
    look_at: list[ByName] = []
    if not known.counts.keys().isdisjoint(NEEDS_A_LOOK):
        look_at = [
            ByName(group=d.group, name=names.get(d.group, d.group), state=d.state, words=delivery_words(d))
            for d in outbox.deliveries(known.broadcast.key)
            if d.state in NEEDS_A_LOOK
        ]
    return BroadcastReport(
        key=known.broadcast.key,
        form=known.broadcast.form,
        title=known.broadcast.title,
        scheduled_for=known.broadcast.scheduled_for.astimezone(zone),
        counts=dict(known.counts),
        confirmed=known.confirmed,
        look_at=tuple(sorted(look_at, key=lambda d: (NEEDS_A_LOOK.index(d.state), d.name))),
    )


def _names_and_zone(roster: Roster | None) -> tuple[dict[str, str], ZoneInfo | None]:
    """Group names by id and the station's zone; without a roster none, and this machine's."""
    if roster is None:
        return {}, None
    return {id: group.name for id, group in roster.groups.items()}, roster.timetable.timezone


def outcome_words(outcome: Outcome) -> str:
    """How a single post ended, in the officer's words, with the evidence."""
    match outcome:
        case Sent(confirmed=True):
            return _("已确认")
        case Sent():
            return state_words()["sent"]
        case Handed(to=to):
            return _("已交给{owner}手工转发").format(owner=to)
        case Unsent(reason=reason):
            return _("没有发出：{reason}").format(reason=reason)
        case Throttled(reason=reason):
            return _("平台要求稍后再发：{reason}").format(reason=reason)
        case Rejected(reason=reason):
            return _("被拒：{reason}").format(reason=reason)
        case Unknown(reason=reason):
            return _("不明：{reason}").format(reason=reason)
        case _:
            assert_never(outcome)


def count_words(counts: Mapping[State, int], confirmed: int) -> str:
    """A broadcast's counts in one line, honest words and no zeros."""
    words = state_words()
    sent = counts.get("sent", 0)
    parts = [(_("已确认"), confirmed), (words["sent"], sent - confirmed)]
    parts += [(words[state], counts.get(state, 0)) for state in words if state != "sent"]
    return _("，").join(f"{word} {number}" for word, number in parts if number)
