"""A decision to tell something, worked out and not yet written: which groups, what, not before when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from gengfu_scheduler.digest import Digest, History, addressees, compose_all
from gengfu_scheduler.message import Broadcast, Group, Planned, QuietHours
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Occurrence, Slot, Timetable
from gengfu_site.catalogue import Catalogue
from gengfu_site.problems import GengfuError, nearest
from gengfu_templates.i18n import _

_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)
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
    silent: int = 0
    """Groups that it is meant for and that have nothing to be told."""
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
    slot, when, key = occurrence.slot, occurrence.scheduled_for, occurrence.key
    composed = _compose(slot, roster, told, now)
    # By chance, but always the same: no group is always last, and a second reading finds the same order.
    order = sorted(
        (group.id for group, _digest in composed.told if group.reach != "confirm"),
        key=lambda id: sha256(f"{key} {id}".encode()).digest(),
    )
    # An owner is asked once for all of her groups, which therefore leave together.
    offsets = {group: slot.spread * n / len(order) for n, group in enumerate(order)}
    leaves = _leaving(occurrence, quiet_until(roster.timetable), now)
    return Draft(
        broadcast=Broadcast(
            key=key, form="digest", title=slot.title, scheduled_for=when, expires=when + slot.late
        ),
        planned=_planned(composed, lambda group: leaves(group, offsets.get(group.id, timedelta(0)))),
        silent=composed.silent,
        notices=composed.notices,
    )


QuietUntil = Callable[[Group, datetime], datetime | None]
""":meth:`Timetable.quiet_until`."""


def quiet_until(timetable: Timetable) -> QuietUntil:
    """``timetable.quiet_until``, asked once for all groups alike: quiet hours begin and end with a minute."""
    known: dict[tuple[QuietHours | None, int], datetime | None] = {}

    def until(group: Group, at: datetime) -> datetime | None:
        key = group.quiet_hours, (at - _EPOCH) // _MINUTE
        if key not in known:
            known[key] = timetable.quiet_until(group, at)
        return known[key]

    return until


def _leaving(
    occurrence: Occurrence, quiet: QuietUntil, now: datetime
) -> Callable[[Group, timedelta], datetime]:
    """When the digest for a group may leave: a time after it could, if quiet hours and ``late`` allow that."""
    when, expires = occurrence.scheduled_for, occurrence.scheduled_for + occurrence.slot.late
    start = max(now, when)

    def leaves(group: Group, offset: timedelta) -> datetime:
        end = quiet(group, start)
        later = end + offset if end else max(when + offset, start)
        return later if later < expires and not quiet(group, later) else end or start

    return leaves


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
    composed = _compose(slot, roster, told, now)
    return Draft(
        broadcast=Broadcast(
            key=f"{_PUSH}{Occurrence(slot=slot, scheduled_for=now.astimezone(UTC)).key}",
            form="digest",
            title=slot.title,
            scheduled_for=now,
            expires=now + slot.late,
        ),
        planned=_planned(composed, lambda _group: now),
        silent=composed.silent,
        notices=composed.notices,
    )


def is_push(key: str) -> bool:
    """Whether a person decided on the digests of the broadcast ``key``."""
    return key.startswith(_PUSH)


@dataclass(frozen=True, kw_only=True)
class _Composed:
    told: Sequence[tuple[Group, Digest]]
    """Each group that has something to be told."""
    silent: int
    """How many have nothing."""
    notices: tuple[str, ...]


def _compose(slot: Slot, roster: Roster, told: Told, now: datetime) -> _Composed:
    """What each group is told, and what a person should know of it."""
    groups = addressees(slot, roster.groups.values(), now)
    histories = told([group.id for group in groups])
    on = roster.timetable.campaigns_at(now)
    composed = list(
        compose_all(slot, groups, roster.catalogue, histories, now, campaigns=on, fits=roster.fits)
    )
    too_long = Counter(entry for _group, digest in composed for entry in digest.too_long)
    told_something = [(group, digest) for group, digest in composed if digest.message]
    return _Composed(
        told=told_something,
        silent=len(composed) - len(told_something),
        notices=tuple(
            _("“{title}”一条消息放不下，没有发给 {n} 个群：请把标题和提要改短。").format(
                title=entry.title, n=n
            )
            for entry, n in too_long.items()
        ),
    )


def _planned(composed: _Composed, not_before: Callable[[Group], datetime]) -> tuple[Planned, ...]:
    # Groups alike share a digest, and what they are told is one object.
    messages = {id(digest): (digest.message,) for _group, digest in composed.told if digest.message}
    return tuple(
        Planned(
            group=group.id,
            messages=messages[id(digest)],
            not_before=not_before(group),
            way=group.reach,
            last_told=digest.last_told,
        )
        for group, digest in composed.told
    )
