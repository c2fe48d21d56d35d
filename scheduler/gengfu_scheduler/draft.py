"""A decision to tell something, worked out and not yet written: which groups, what, not before when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import repeat

from gengfu_scheduler.digest import Digest, History, addressees, compose_all, named_by
from gengfu_scheduler.groups import Alike
from gengfu_scheduler.message import Broadcast, Group, Planned, QuietHours
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Occurrence, Slot, Timetable
from gengfu_site.catalogue import Catalogue, Entry
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
    # An owner is asked once for all of her groups, which therefore leave together.
    order = [
        group.id for groups, _digest in composed.told if groups[0].reach != "confirm" for group in groups
    ]
    # By chance, but always the same: no group is always last, and a second reading finds the same order.
    order.sort(key=lambda id: sha256(f"{key} {id}".encode()).digest())
    offsets = {group: slot.spread * n / len(order) for n, group in enumerate(order)}
    return Draft(
        broadcast=Broadcast(
            key=key, form="digest", title=slot.title, scheduled_for=when, expires=when + slot.late
        ),
        planned=_planned(composed, roster, _leaving(occurrence, offsets, quiet_until(roster.timetable), now)),
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


Leaving = Callable[[Alike], Iterable[datetime]]
"""When the digest for each of some groups alike may leave, in their order."""


def _leaving(
    occurrence: Occurrence, offsets: Mapping[str, timedelta], quiet: QuietUntil, now: datetime
) -> Leaving:
    """The ``offsets`` after it could, by group id, if quiet hours and ``late`` allow that."""
    when, expires = occurrence.scheduled_for, occurrence.scheduled_for + occurrence.slot.late
    start, none = max(now, when), timedelta(0)

    def leaves(groups: Alike) -> Iterator[datetime]:
        one = groups[0]
        end = quiet(one, start)
        for group in groups:
            later = max((end or when) + offsets.get(group.id, none), start)
            yield later if later < expires and not quiet(one, later) else end or start

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
        planned=_planned(composed, roster, lambda groups: repeat(now, len(groups))),
        silent=composed.silent,
        notices=composed.notices,
    )


def is_push(key: str) -> bool:
    """Whether a person decided on the digests of the broadcast ``key``."""
    return key.startswith(_PUSH)


@dataclass(frozen=True, kw_only=True)
class _Composed:
    told: Sequence[tuple[Alike, Digest]]
    """The groups that have something to be told."""
    silent: int
    """How many have nothing."""
    notices: tuple[str, ...]


def _compose(slot: Slot, roster: Roster, told: Told, now: datetime) -> _Composed:
    """What each group is told, and what a person should know of it."""
    on = roster.timetable.campaigns_at(now)
    groups = addressees(slot, roster.alike(named_by(slot, on)), now)
    histories = told([group.id for alike in groups for group in alike])
    composed = list(
        compose_all(slot, groups, roster.catalogue, histories, now, campaigns=on, fits=roster.fits)
    )
    too_long: Counter[Entry] = Counter()
    for alike, digest in composed:
        too_long.update(dict.fromkeys(digest.too_long, len(alike)))
    return _Composed(
        told=[(alike, digest) for alike, digest in composed if digest.message],
        silent=sum(len(alike) for alike, digest in composed if not digest.message),
        notices=tuple(
            _("“{title}”一条消息放不下，没有发给 {n} 个群：请把标题和提要改短。").format(
                title=entry.title, n=n
            )
            for entry, n in too_long.items()
        ),
    )


def _planned(composed: _Composed, roster: Roster, leaving: Leaving) -> tuple[Planned, ...]:
    """In the admin's order."""
    planned = {}
    for groups, digest in composed.told:
        # Groups alike share a digest, and what they are told is one object.
        messages = (digest.message,) if digest.message else ()
        for group, leaves in zip(groups, leaving(groups), strict=True):
            planned[group.id] = Planned(
                group=group.id,
                messages=messages,
                not_before=leaves,
                way=group.reach,
                last_told=digest.last_told,
            )
    return tuple(planned[id] for id in roster.groups if id in planned)
