"""What the outbox knows: functions over an open transaction that change nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, select

from gengfu_scheduler.message import Broadcast, Delivery, State
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.content import load, loads
from gengfu_scheduler.outbox.database import batches
from gengfu_scheduler.outbox.tables import BROADCAST, DELIVERY

Fate = Literal[
    "confirmed", "accepted", "said", "handed", "unknown", "rejected", "expired", "cancelled", "pending"
]
"""How a delivery ended, as a report counts it: by the platform's own code, only accepted by it, passed on by a
person's own word, or its state; what is on its way is pending."""


@dataclass(frozen=True, kw_only=True)
class BroadcastStatus:
    """A broadcast and how far it got."""

    broadcast: Broadcast
    counts: Mapping[State, int]
    """Deliveries by state; a state without any is left out."""
    confirmed: int
    """Of those ``sent``: confirmed by the platform's own code."""
    said: int = 0
    """Of those ``sent``: passed on by hand, by that person's own word. The rest was only accepted."""

    @property
    def open(self) -> bool:
        """Whether something of it is still to be sent."""
        return not self.counts.keys().isdisjoint(("pending", "sending"))


@dataclass(frozen=True, kw_only=True)
class TimeTold:
    """One delivery to a group that told, or was to tell, of an entry."""

    broadcast: str
    """Key of its broadcast."""
    title: str
    scheduled_for: datetime
    not_before: datetime
    fate: Fate
    owner: str
    """Who was handed it to pass on by hand; empty where nobody was."""
    reason: str
    """Evidence for a person."""


@dataclass(frozen=True, kw_only=True)
class HandTask:
    """What one person has, or had, to pass on by hand of one broadcast."""

    number: int
    """The outbox's own of the broadcast."""
    broadcast: Broadcast
    owner: str
    groups: int
    """To how many groups."""
    waiting: int
    """How many of these that person has not said to have told."""


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """Whether the outbox gets on, in figures."""

    overdue: int
    """Deliveries that should have left."""
    unknown: int
    """Deliveries that came to no known end lately."""
    disabled: int
    """Groups that nothing is sent to."""


def tellings(connection: Connection, group: str, entry: str) -> list[TimeTold]:
    """:meth:`Outbox.tellings`."""
    return _times_told(connection.execute(sql.TELLINGS, {"group": group, "entry": entry}))


def history(connection: Connection, group: str, limit: int) -> list[TimeTold]:
    """:meth:`Outbox.history`."""
    return _times_told(connection.execute(sql.TOLD_GROUP.limit(limit), {"group": group}))


def _times_told(rows: Iterable[Any]) -> list[TimeTold]:
    return [
        TimeTold(
            broadcast=row.key,
            title=row.title,
            scheduled_for=row.scheduled_for,
            not_before=row.not_before,
            fate=row.fate,
            owner=row.owner or "",
            reason="" if row.reason == row.owner else row.reason,
        )
        for row in rows
    ]


def counted(connection: Connection, rows: Sequence[Any]) -> list[BroadcastStatus]:
    """The broadcasts of ``rows`` with their deliveries counted."""
    counts: dict[int, dict[State, int]] = {row.id: {} for row in rows}
    confirmed, said = dict.fromkeys(counts, 0), dict.fromkeys(counts, 0)
    for count in connection.execute(sql.COUNTS, {"ids": list(counts)}):
        counts[count.broadcast_id][count.state] = count.number
        confirmed[count.broadcast_id] += count.confirmed
        if count.state == "sent":
            said[count.broadcast_id] = count.without_answer
    return [
        BroadcastStatus(
            broadcast=broadcast(row),
            counts=counts[row.id],
            confirmed=confirmed[row.id],
            said=said[row.id],
        )
        for row in rows
    ]


def broadcast(row: Any) -> Broadcast:
    """The broadcast of ``row``."""
    return Broadcast(
        key=row.key,
        form=row.form,
        title=row.title,
        scheduled_for=row.scheduled_for,
        expires=row.expires,
        linked=row.linked,
    )


def hand_tasks(connection: Connection, which: ColumnElement[bool]) -> list[HandTask]:
    """:meth:`Outbox.hand_tasks` of the newest broadcast ``which`` names."""
    newest = select(BROADCAST).where(which).order_by(BROADCAST.c.id.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    if found is None:
        return []
    return [
        HandTask(
            number=found.id,
            broadcast=broadcast(found),
            owner=row.owner,
            groups=row.groups,
            waiting=row.waiting,
        )
        for row in connection.execute(sql.HANDED_TO, {"broadcast": found.id})
    ]


def deliveries(connection: Connection, ids: Collection[int]) -> list[Delivery]:
    """The deliveries of ``ids`` in the order of sending."""
    rows = [
        row
        for batch in batches(ids)
        for row in connection.execute(sql.ROWS.where(DELIVERY.c.id.in_(batch)).order_by(*sql.ORDER))
    ]
    return with_messages(connection, rows)


def with_messages(connection: Connection, rows: Sequence[Any]) -> list[Delivery]:
    """The deliveries of ``rows``."""
    contents = load(connection, {row.message_id for row in rows})
    return [delivery(row, contents[row.message_id]) for row in rows]


def delivery(row: Any, content: str) -> Delivery:
    """The delivery of ``row``, that says ``content``."""
    return Delivery(
        id=row.id,
        broadcast=row.key,
        group=row.group_id,
        part=row.part,
        state=row.state,
        attempts=row.attempts,
        not_before=row.not_before,
        expires=row.expires,
        message=loads(content, resent=row.resent),
        way=row.way,
        resent=row.resent,
        reason=row.reason,
    )
