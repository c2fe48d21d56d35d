"""A decision to tell something, worked out and not yet written: which groups, what, not before when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from gengfu_scheduler.digest import History, addressees, compose_all
from gengfu_scheduler.message import Broadcast, Group, Message, Planned
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Occurrence, Slot, Timetable
from gengfu_site.catalogue import Catalogue, Entry
from gengfu_site.problems import GengfuError, nearest
from gengfu_templates.i18n import _

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
    notices: tuple[str, ...] = ()
    """What a person should know of it."""


class Refused(GengfuError):
    """What was asked to be pushed cannot be, or need not."""


def draft_occurrence(occurrence: Occurrence, roster: Roster, told: Told, now: datetime) -> Draft:
    """The digests of ``occurrence``, composed from what is live at ``now``.

    They leave one after another within the slot's ``spread``. In a group's quiet hours and on blackout days
    its digest waits for their end. Where that comes after ``late``, the delivery stands in the outbox all
    the same and expires there, so that the omission has the group's name.
    """
    slot, when = occurrence.slot, occurrence.scheduled_for
    planned, notices = _digests(slot, roster, told, now)
    # By chance, but always the same: no group is always last, and a second reading finds the same order.
    order = sorted(
        (p.group for p in planned if p.way != "confirm"),
        key=lambda id: sha256(f"{occurrence.key} {id}".encode()).digest(),
    )
    # An owner is asked once for all of her groups, which therefore leave together.
    offsets = {group: slot.spread * n / len(order) for n, group in enumerate(order)}

    def not_before(group: str) -> datetime:
        offset = offsets.get(group, timedelta(0))
        return _leaves(occurrence, roster.groups[group], offset, roster.timetable, now)

    return Draft(
        broadcast=Broadcast(
            key=occurrence.key, form="digest", title=slot.title, scheduled_for=when, expires=when + slot.late
        ),
        planned=tuple(replace(p, not_before=not_before(p.group)) for p in planned),
        notices=notices,
    )


def _leaves(
    occurrence: Occurrence, group: Group, offset: timedelta, timetable: Timetable, now: datetime
) -> datetime:
    """When the digest for ``group`` may leave: ``offset`` after it could, if quiet hours and ``late`` allow it."""
    when, expires = occurrence.scheduled_for, occurrence.scheduled_for + occurrence.slot.late
    start = max(now, when)
    if end := timetable.quiet_until(group, start):
        start, later = end, end + offset
    else:
        later = max(start, when + offset)
    return later if later < expires and not timetable.quiet_until(group, later) else start


def draft_push(target: str, roster: Roster, told: Told, now: datetime) -> Draft:
    """What pushing the slot ``target`` now would tell.

    A person decided so, hence at once: no spread, and quiet hours or not.

    :raises Refused: there is no such slot, or there is nothing to say.
    """
    slots = {slot.id: slot for slot in roster.timetable.slots}
    if target not in slots:
        raise Refused(_no_slot(target, slots, roster.catalogue))
    draft = _push_slot(slots[target], roster, told, now)
    if not draft.planned:
        raise Refused(_("没有可发的：对得上的群都已经发过了，或者没有对得上的群。"))
    return draft


def _no_slot(target: str, slots: Collection[str], catalogue: Catalogue) -> str:
    if any(entry.id == target and entry.alert for entry in catalogue.entries):
        return _("{id} 是一条警情：用 gengfu alert {id} 发。").format(id=target)
    close = nearest(target, list(slots))
    hint = _("是不是想写“{close}”？").format(close=close) if close else _("时段见 timetable.yml。")
    return _("没有叫“{target}”的时段。{hint}").format(target=target, hint=hint)


def _push_slot(slot: Slot, roster: Roster, told: Told, now: datetime) -> Draft:
    planned, notices = _digests(slot, roster, told, now)
    return Draft(
        broadcast=Broadcast(
            key=f"{_PUSH}{Occurrence(slot=slot, scheduled_for=now.astimezone(UTC)).key}",
            form="digest",
            title=slot.title,
            scheduled_for=now,
            expires=now + slot.late,
        ),
        planned=planned,
        notices=notices,
    )


def is_push(key: str) -> bool:
    """Whether a person decided on the digests of the broadcast ``key``."""
    return key.startswith(_PUSH)


def _digests(
    slot: Slot, roster: Roster, told: Told, now: datetime
) -> tuple[tuple[Planned, ...], tuple[str, ...]]:
    """What each group is told, from now on, and what a person should know of it."""
    groups = addressees(slot, roster.groups.values(), now)
    histories = told([group.id for group in groups])
    on = roster.timetable.campaigns_at(now)
    planned, too_long = [], Counter[Entry]()
    for group, digest in compose_all(
        slot, groups, roster.catalogue, histories, now, campaigns=on, fits=roster.fits
    ):
        too_long.update(digest.too_long)
        if digest.message:
            planned.append(
                Planned(
                    group=group.id,
                    messages=(digest.message,),
                    not_before=now,
                    way=group.reach,
                    last_told=_last(digest.message, histories.get(group.id, {})),
                )
            )
    return tuple(planned), tuple(
        _("“{title}”一条消息放不下，没有发给 {n} 个群：请把标题和提要改短。").format(title=entry.title, n=n)
        for entry, n in too_long.items()
    )


def _last(message: Message, history: History) -> datetime | None:
    """When a group of this history was last told any of the message's items."""
    return max((history[item.entry] for item in message.items if item.entry in history), default=None)
