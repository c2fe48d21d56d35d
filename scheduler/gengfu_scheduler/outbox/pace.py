"""The bucket of tokens of a group: when its next message may leave.

The generic cell rate algorithm keeps one instant a group, when its bucket will be full again (ITU-T I.371, annex A:
the theoretical arrival time), so there is nothing to refill and a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select

from gengfu_scheduler.message import Delivery, Pace
from gengfu_scheduler.outbox.database import batches, upsert_into
from gengfu_scheduler.outbox.tables import PACE

PaceOf = Callable[[str], Pace | None]
"""How often the group of this id may be told; None: as often as there is something to tell."""

LONGEST_HOLD = timedelta(days=1)
"""For how long a platform can have a group held, at most."""

_PACES = select(PACE).where(PACE.c.group_id.in_(bindparam("ids", expanding=True)))
_PACE_LOCK = 0x67656E676678


@dataclass(kw_only=True)
class Bucket:
    """A group's row, as it is or is about to be written; it may have none."""

    free_at: datetime | None
    """When it is full again."""
    held_until: datetime | None
    """What the platform asked for."""

    def leaves_at(self, pace: Pace | None, *, alert: bool, now: datetime) -> datetime:
        """When the next message may leave; ``now`` or earlier: now.

        What lies further ahead than it can was written by a clock that has been set back since, and is ignored.
        """
        earliest = now
        if self.held_until and self.held_until <= now + LONGEST_HOLD:
            earliest = max(earliest, self.held_until)
        if pace and self.free_at and self.free_at <= now + pace.burst * pace.every:
            at_once = pace.burst if alert else pace.burst - pace.reserve
            earliest = max(earliest, self.free_at - (at_once - 1) * pace.every)
        return earliest

    def take(self, pace: Pace, *, now: datetime) -> None:
        free_at = self.free_at or now
        if not now < free_at <= now + pace.burst * pace.every:
            free_at = now
        self.free_at = free_at + pace.every


def take_tokens(
    connection: Connection,
    claimed: Iterable[Delivery],
    buckets: Mapping[str, Bucket],
    pace: PaceOf,
    now: datetime,
) -> list[tuple[int, datetime]]:
    """Take a token for each of ``claimed``, in order, and return those that must wait for one, and until when.

    A token is taken before the first byte leaves, and stays so if none does: rather too slow than too fast.

    :param buckets: of their groups, by id; changed.
    """
    waiting: list[tuple[int, datetime]] = []
    changed: set[str] = set()
    for delivery in claimed:
        bucket = buckets[delivery.group]
        rate = pace(delivery.group)
        at = bucket.leaves_at(rate, alert=delivery.message.form == "alert", now=now)
        if at > now:
            waiting.append((delivery.id, min(at, delivery.expires)))
        elif rate:
            bucket.take(rate, now=now)
            changed.add(delivery.group)
    _write(connection, "free_at", {group: buckets[group].free_at for group in changed})
    return waiting


def lock(connection: Connection) -> None:
    """Of two that take tokens the second sees what the first took. (On SQLite only one writes at a time.)"""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PACE_LOCK)))


def hold(connection: Connection, groups: Iterable[tuple[str, datetime]], now: datetime) -> None:
    """Let nothing leave to the groups before their instants, or a day from now; what holds them already, holds."""
    groups = list(groups)
    latest: dict[str, datetime] = {
        group: bucket.held_until
        for group, bucket in _buckets(connection, {group for group, _until in groups}).items()
        if bucket.held_until and bucket.held_until <= now + LONGEST_HOLD
    }
    for group, until in groups:
        latest[group] = min(max(until, latest.get(group, until)), now + LONGEST_HOLD)
    _write(connection, "held_until", latest)


def _buckets(connection: Connection, groups: Collection[str]) -> dict[str, Bucket]:
    return {
        row.group_id: Bucket(free_at=row.free_at, held_until=row.held_until)
        for ids in batches(groups)
        for row in connection.execute(_PACES, {"ids": ids})
    }


def _write(
    connection: Connection, column: str, instants: dict[str, datetime | None] | dict[str, datetime]
) -> None:
    if not instants:
        return
    # In one order, so that two processes never wait for each other.
    rows = [{"group_id": group, column: at} for group, at in sorted(instants.items())]
    connection.execute(upsert_into(connection, PACE, column), rows)
