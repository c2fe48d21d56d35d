"""A decision to tell something, worked out and not yet written: which groups, what, not before when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gengfu_scheduler.digest import History, addressees, compose_alert, compose_all, reaches
from gengfu_scheduler.message import Broadcast, Message, Planned
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Occurrence, Slot
from gengfu_site.catalogue import Catalogue, Entry
from gengfu_site.problems import GengfuError, nearest
from gengfu_templates.i18n import _

ALERT_LASTS = timedelta(hours=24)
"""How long an alert without an end of its own may still be sent."""

_PUSH = "push:"
"""How the keys of digests begin that a person pushed."""

Told = Callable[[Collection[str]], Mapping[str, History]]
"""The histories of groups, by id: :meth:`gengfu_scheduler.outbox.Outbox.told`."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A broadcast and what it says to each group; what :meth:`Outbox.plan` takes."""

    broadcast: Broadcast
    planned: tuple[Planned, ...]
    """None for a group that has nothing to be told."""


class Refused(GengfuError):
    """What was asked to be pushed cannot be, or need not."""


def draft_occurrence(occurrence: Occurrence, roster: Roster, told: Told, now: datetime) -> Draft:
    """The digests of ``occurrence``, composed from what is live at ``now``.

    In a group's quiet hours its digest waits for their end. Where that comes after ``late``, the delivery
    stands in the outbox all the same and expires there, so that the omission has the group's name.
    """
    slot, when = occurrence.slot, occurrence.scheduled_for
    planned = _digests(slot, roster, told, now)
    quiet_until = roster.timetable.quiet_until
    return Draft(
        broadcast=Broadcast(
            key=occurrence.key, form="digest", title=slot.title, scheduled_for=when, expires=when + slot.late
        ),
        planned=tuple(
            Planned(
                group=p.group,
                messages=p.messages,
                last_told=p.last_told,
                way=p.way,
                not_before=quiet_until(roster.groups[p.group], p.not_before) or p.not_before,
            )
            for p in planned
        ),
    )


def draft_push(target: str, roster: Roster, told: Told, now: datetime) -> Draft:
    """What pushing ``target`` now would tell: a slot's digests by its name, or an alert by its id.

    A person decided so, hence at once, quiet hours or not.

    :raises Refused: there is no such slot or alert, the alert is not live, or there is nothing to say.
    """
    slots = {slot.id: slot for slot in roster.timetable.slots}
    alerts = {entry.id: entry for entry in roster.catalogue.entries if entry.kind == "alert"}
    if target in slots:
        draft = _push_slot(slots[target], roster, told, now)
    elif target in alerts:
        draft = _push_alert(alerts[target], roster, told, now)
    else:
        close = nearest(target, [*slots, *alerts])
        raise Refused(
            _("没有叫“{target}”的时段，已发布的警情里也没有这个编号。{hint}").format(
                target=target,
                hint=_("是不是想写“{close}”？").format(close=close)
                if close
                else _("时段见 timetable.yml；警情要先用 gengfu build 发布。"),
            )
        )
    if not draft.planned:
        raise Refused(_("没有可发的：对得上的群都已经发过了，或者没有对得上的群。"))
    return draft


def _push_slot(slot: Slot, roster: Roster, told: Told, now: datetime) -> Draft:
    return Draft(
        broadcast=Broadcast(
            key=f"{_PUSH}{Occurrence(slot=slot, scheduled_for=now.astimezone(UTC)).key}",
            form="digest",
            title=slot.title,
            scheduled_for=now,
            expires=now + slot.late,
        ),
        planned=_digests(slot, roster, told, now),
    )


def _push_alert(entry: Entry, roster: Roster, told: Told, now: datetime) -> Draft:
    if not entry.live(now):
        raise Refused(
            _(
                "警情“{title}”已过期或还没到发布时间，不能发。改好 published 和 expires，重新发布网站再发。"
            ).format(title=entry.title)
        )
    groups = {g.id: g for g in roster.groups.values() if g.joined <= now and reaches(entry, g)}
    if entry.alert and entry.alert.state != "active":
        # Whoever heard the alarm hears its end, whatever areas the article names by now.
        histories = told([id for id in roster.groups if id not in groups])
        groups |= {id: roster.groups[id] for id, history in histories.items() if entry.id in history}
    return Draft(
        broadcast=Broadcast(
            key=f"alert:{entry.id}:{entry.revision}",
            form="alert",
            title=entry.title,
            scheduled_for=now,
            expires=entry.expires or now + ALERT_LASTS,
        ),
        planned=tuple(
            Planned(
                group=group.id,
                messages=(compose_alert(entry, group, roster.catalogue.station),),
                not_before=now,
                way=group.reach,
            )
            for group in groups.values()
        ),
    )


def is_push(key: str) -> bool:
    """Whether a person decided on the digests of the broadcast ``key``."""
    return key.startswith(_PUSH)


def alert_of(key: str) -> str:
    """The id of the alert that the broadcast ``key`` tells of."""
    return key.split(":")[1]


def is_over(key: str, catalogue: Catalogue) -> bool:
    """Whether the alert of the broadcast ``key`` ended, or is gone, after that was planned.

    A newer revision of an alert that is still active does not end it.
    """
    _form, id, revision = key.split(":")
    entry = next((entry for entry in catalogue.entries if entry.id == id), None)
    return (
        entry is None or entry.alert is None or (entry.revision != revision and entry.alert.state != "active")
    )


def _digests(slot: Slot, roster: Roster, told: Told, now: datetime) -> tuple[Planned, ...]:
    groups = addressees(slot, roster.groups.values(), now)
    histories = told([group.id for group in groups])
    return tuple(
        Planned(
            group=group.id,
            messages=(message,),
            not_before=now,
            way=group.reach,
            last_told=_last(message, histories.get(group.id, {})),
        )
        for group, message in compose_all(slot, groups, roster.catalogue, histories, now)
    )


def _last(message: Message, history: History) -> datetime | None:
    """When a group of this history was last told any of the message's items."""
    return max((history[item.entry] for item in message.items if item.entry in history), default=None)
