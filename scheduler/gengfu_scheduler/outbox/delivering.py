"""From pending to an end: functions over an open transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, assert_never

from sqlalchemy import Connection

from gengfu_scheduler.message import (
    Delivery,
    Dropped,
    Handed,
    Outcome,
    Reach,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    Unsent,
    state_after,
)
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.database import batches, upsert_into
from gengfu_scheduler.outbox.pace import Bucket, PaceOf, hold, lock, take_tokens
from gengfu_scheduler.outbox.reading import delivery
from gengfu_scheduler.outbox.tables import DISABLED
from gengfu_scheduler.outbox.tasks import record
from gengfu_templates.i18n import _

FIRST_BACKOFF = 2.0
"""Seconds until the second try of a delivery of which nothing left this machine; doubled with each try."""
LONGEST_BACKOFF = 300.0
"""Seconds, before jitter."""

_IN_ORDER = attrgetter(*(column.key for column in sql.ORDER))
_Other = Handed | Unsent | Throttled | Rejected | Unknown | Dropped
"""An outcome from which more follows than that it was sent."""


def claim(
    connection: Connection,
    now: datetime,
    limit: int,
    digests: int,
    ways: Collection[Reach],
    pace: PaceOf,
) -> list[Delivery]:
    """:meth:`Outbox.claim`."""
    lock(connection)
    which = {"now": now, "ways": sorted(ways)}
    taken = _take(connection, {**which, "least": sql.CORRECTION}, limit, pace)
    room = min(limit - len(taken), digests)
    return taken + _take(connection, {**which, "least": sql.DIGEST}, room, pace)


def _take(connection: Connection, which: Mapping[str, Any], limit: int, pace: PaceOf) -> list[Delivery]:
    """Up to ``limit`` deliveries that are due, each with a token of its group's pace."""
    taken: list[Delivery] = []
    while len(taken) < limit:
        room = limit - len(taken)
        due = connection.execute(sql.CLAIM, {**which, "limit": room}).all()
        if not due:
            break
        due = sorted(due, key=_IN_ORDER)
        claimed = [delivery(row, row.content) for row in due]
        buckets = {row.group_id: Bucket(free_at=row.free_at, held_until=row.held_until) for row in due}
        waiting = dict(take_tokens(connection, claimed, buckets, pace, which["now"]))
        put_back(connection, waiting.items(), which["now"])
        taken += (delivery for delivery in claimed if delivery.id not in waiting)
        if len(claimed) < room or not waiting:
            break
    return taken


def put_back(connection: Connection, held: Iterable[tuple[int, datetime]], now: datetime) -> None:
    """:meth:`Outbox.put_back`."""
    rows = [{"delivery": delivery, "earliest": until, "now": now} for delivery, until in held]
    if rows:
        connection.execute(sql.PUT_BACK, rows)


def settle(
    connection: Connection,
    outcomes: Mapping[int, Outcome],
    now: datetime,
    random: Callable[[], float],
    dead: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """:meth:`Outbox.settle`."""
    sent: dict[bool, list[int]] = {}
    others: dict[int, _Other] = {}
    for id, outcome in outcomes.items():
        if isinstance(outcome, Sent):
            sent.setdefault(outcome.confirmed, []).append(id)
        else:
            others[id] = outcome
    for confirmed, those in sent.items():
        for ids in batches(those):
            connection.execute(sql.SENT, {"ids": ids, "by_code": confirmed, "now": now})
    for ids in batches(others):
        rows = connection.execute(sql.IN_FLIGHT, {"ids": ids}).all()
        after = [_next(row, others[row.id], now, random) for row in rows]
        if rows:
            connection.execute(sql.SETTLE, after)
        for row in rows:
            outcome = others[row.id]
            if isinstance(outcome, Rejected) and outcome.disable:
                disable(connection, row.group_id, outcome.reason, dead.get(row.group_id), now)
        _follow_up(connection, rows, after, others, now)


def _follow_up(
    connection: Connection,
    rows: Sequence[Any],
    after: Sequence[Mapping[str, object]],
    outcomes: Mapping[int, _Other],
    now: datetime,
) -> None:
    """What else follows from how ``rows`` ended, whose new values are ``after``."""
    rest, held, handed = [], [], []
    for row, new in zip(rows, after, strict=True):
        outcome = outcomes[row.id]
        if new["next_state"] in ("rejected", "cancelled"):
            evidence = _("前面第 {n} 段没有发出：{reason}").format(n=row.part, reason=new["evidence"])
            which = {"broadcast": row.broadcast_id, "group": row.group_id, "after": row.part}
            rest.append({**which, "now": now, "evidence": evidence})
        if isinstance(outcome, Throttled):
            held.append((row.group_id, now + timedelta(seconds=outcome.after)))
        elif isinstance(outcome, Handed) and outcome.task:
            handed.append((row.id, row.broadcast_id, outcome.task, outcome.account))
    if rest:
        connection.execute(sql.CANCEL_REST, rest)
    if held:
        hold(connection, held, now)
    record(connection, handed, now)


def _next(row: Any, outcome: _Other, now: datetime, random: Callable[[], float]) -> dict[str, object]:
    """The new values of an in-flight ``row``."""
    state, again, earliest, evidence = state_after(outcome), row.resent, row.not_before, ""
    owner = None
    match outcome:
        case Handed():
            evidence, owner = outcome.to, None if outcome.task else outcome.to
            if row.stopped is not None or (row.form == "alert" and row.expires <= now):
                state = "unknown" if row.resent else "cancelled"  # nobody is to pass it on any more
        case Unsent():
            earliest = min(now + _backoff(row.attempts, random), row.expires)
            evidence = outcome.reason
        case Throttled() if outcome.retries is not None and row.attempts > outcome.retries:
            state = "unknown" if row.resent else "rejected"
            evidence = outcome.reason
        case Throttled():
            pause = max(timedelta(seconds=outcome.after), _backoff(row.attempts, random))
            earliest = min(now + pause, row.expires)
            evidence = outcome.reason
        case Rejected() | Dropped():
            evidence = outcome.reason
            state = "unknown" if row.resent else state  # the first sending may have arrived
        case Unknown():
            evidence = outcome.reason
            retry = now + _backoff(row.attempts, random)
            if row.form == "alert" and not row.resent and row.stopped is None and retry < row.expires:
                state, again, earliest = "pending", True, retry
        case _:
            assert_never(outcome)
    if state == "pending" and row.stopped is not None:
        state = "unknown" if row.resent else "cancelled"
        evidence = row.stopped
    if row.resent:
        # The first sending's evidence stays: it may have arrived, whatever became of the second.
        evidence = row.reason if state == "pending" else _("；").join(filter(None, (row.reason, evidence)))
    return {
        "delivery": row.id,
        "next_state": state,
        "by_code": None,
        "again": again,
        "earliest": earliest,
        "now": now,
        "evidence": evidence,
        "to": owner,
    }


def _backoff(attempts: int, random: Callable[[], float]) -> timedelta:
    """Exponential, between half and one and a half times the nominal pause."""
    pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts - 1, 30))
    return timedelta(seconds=pause * (0.5 + random()))


def disable(connection: Connection, group: str, reason: str, address: str | None, now: datetime) -> None:
    """Send nothing more to ``group``."""
    connection.execute(
        upsert_into(connection, DISABLED, "reason", "address", "since"),
        {"group_id": group, "reason": reason, "address": address, "since": now},
    )
