"""From pending to an end: functions over an open transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, assert_never

from sqlalchemy import Connection

from gengfu_scheduler.message import (
    Dropped,
    Handed,
    Outcome,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    Unsent,
    state_after,
)
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.database import batches, insert_into
from gengfu_scheduler.outbox.tables import DISABLED
from gengfu_templates.i18n import _

FIRST_BACKOFF = 2.0
"""Seconds until the second try of a delivery of which nothing left this machine; doubled with each try."""
LONGEST_BACKOFF = 300.0
"""Seconds, before jitter."""


def settle(
    connection: Connection,
    outcomes: Mapping[int, Outcome],
    now: datetime,
    random: Callable[[], float],
    dead: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """:meth:`Outbox.settle`."""
    for ids in batches(outcomes):
        rows = connection.execute(sql.IN_FLIGHT, {"ids": ids}).all()
        if rows:
            connection.execute(sql.SETTLE, [_next(row, outcomes[row.id], now, random) for row in rows])
        for row in rows:
            outcome = outcomes[row.id]
            if isinstance(outcome, Rejected) and outcome.disable:
                disable(connection, row.group_id, outcome.reason, dead.get(row.group_id), now)


def _next(row: Any, outcome: Outcome, now: datetime, random: Callable[[], float]) -> dict[str, object]:
    """The new values of an in-flight ``row``."""
    state, again, earliest, evidence = state_after(outcome), row.resent, row.not_before, ""
    match outcome:
        case Sent():
            pass
        case Handed():
            evidence = outcome.to
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
            if row.form == "alert" and not row.resent and retry < row.expires:
                state, again, earliest = "pending", True, retry
        case _:
            assert_never(outcome)
    if row.resent:
        # The first sending's evidence stays: it may have arrived, whatever became of the second.
        evidence = row.reason if state == "pending" else _("；").join(filter(None, (row.reason, evidence)))
    return {
        "delivery": row.id,
        "next_state": state,
        "by_code": outcome.confirmed if isinstance(outcome, Sent) else None,
        "again": again,
        "earliest": earliest,
        "now": now,
        "evidence": evidence,
    }


def _backoff(attempts: int, random: Callable[[], float]) -> timedelta:
    """Exponential, between half and one and a half times the nominal pause."""
    pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts - 1, 30))
    return timedelta(seconds=pause * (0.5 + random()))


def disable(connection: Connection, group: str, reason: str, address: str | None, now: datetime) -> None:
    """Send nothing more to ``group``."""
    insert = insert_into(connection, DISABLED)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["group_id"],
            set_={column: insert.excluded[column] for column in ("reason", "address", "since")},
        ),
        {"group_id": group, "reason": reason, "address": address, "since": now},
    )
