"""What nobody was told: articles that no group ever heard of, groups that heard nothing for a while, and why.

Promise: as for :mod:`gengfu_scheduler.explain`, no reason differs from what is done; what comes next is the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gengfu_scheduler.explain import nearest_misses
from gengfu_scheduler.forecast import foretold
from gengfu_scheduler.month import silent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster

AHEAD = timedelta(days=7)
"""How far ahead it is looked when somebody is told something next."""


@dataclass(frozen=True, kw_only=True)
class Untold:
    """A published article that no group was ever told, as far as is known."""

    id: str
    title: str
    published: datetime
    next: datetime | None
    """When the plan has it first, within :data:`AHEAD`; in the timetable's zone."""
    why: str
    """Where the plan does not have it: what keeps it out."""


@dataclass(frozen=True, kw_only=True)
class Unheard:
    """A group that was told nothing."""

    group: str
    name: str
    why: str
    """What became of what was planned for it, or why nothing can get through."""
    next: datetime | None
    """When it is planned to be told something next, within :data:`AHEAD`; None where that cannot get through."""


@dataclass(frozen=True, kw_only=True)
class Unsaid:
    entries: tuple[Untold, ...]
    """Without a time first, those published longest ago first. No alerts: people send those."""
    groups: tuple[Unheard, ...]
    """In the admin's order."""


def unsaid(outbox: Outbox, roster: Roster, now: datetime, since: datetime, until: datetime) -> Unsaid:
    """What was never told, and who heard nothing from ``since`` on and before ``until``."""
    zone = roster.timetable.timezone
    heard = {entry for history in outbox.told(outbox.groups()).values() for entry in history}
    untold = [
        entry
        for entry in roster.catalogue.entries
        if entry.kind != "alert" and entry.live(now) and entry.id not in heard
    ]
    unheard = silent(outbox, roster, since, min(until, now))
    dead = outbox.disabled().keys() | {group.id for group in roster.without_address()}
    entry_next: dict[str, datetime] = {}
    group_next: dict[str, datetime] = {}
    if untold or unheard:
        for occurrence, draft in foretold(roster, outbox.told, now, now + AHEAD):
            when = occurrence.scheduled_for.astimezone(zone)
            for planned in draft.planned:
                group_next.setdefault(planned.group, when)
                for item in (item for message in planned.messages for item in message.items):
                    entry_next.setdefault(item.entry, when)
    coming_to_none = [entry for entry in untold if entry.id not in entry_next]
    whys = {entry.id: why for entry, why in nearest_misses(coming_to_none, roster, outbox, now)}
    entries = [
        Untold(
            id=entry.id,
            title=entry.title,
            published=entry.published.astimezone(zone),
            next=entry_next.get(entry.id),
            why=whys.get(entry.id, ""),
        )
        for entry in untold
    ]
    return Unsaid(
        entries=tuple(sorted(entries, key=lambda e: (e.next is not None, e.next or e.published, e.id))),
        groups=tuple(
            Unheard(
                group=one.group,
                name=one.name,
                why=one.why,
                next=None if one.group in dead else group_next.get(one.group),
            )
            for one in unheard
        ),
    )
