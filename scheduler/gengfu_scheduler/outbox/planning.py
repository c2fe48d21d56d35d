"""Writing down what is to be told, and ending it: functions over an open transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, literal_column, select, update

from gengfu_scheduler.message import Broadcast, Planned, State, is_alert
from gengfu_scheduler.outbox import cohorts
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.content import dumps, entries_of, keep, loads
from gengfu_scheduler.outbox.database import batches, insert_into
from gengfu_scheduler.outbox.tables import BROADCAST, DELIVERY, MESSAGE
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _


class AlertOver(GengfuError):
    """An alert was to be sent again that is over; what it said is no longer kept. ``key`` is its broadcast's."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            _("警情 {key} 已经结束，内容不再保留，不能重发。还要通知，请更新警情后重新发布再发。").format(
                key=key
            )
        )


DRAFTS_LAST = timedelta(hours=1)
"""How old a draft may be for :func:`plan` to see what was told since."""

_PLANNING_LOCK = 0x67656E676676


def plan(connection: Connection, broadcast: Broadcast, planned: Iterable[Planned], now: datetime) -> int:
    """:meth:`Outbox.plan`."""
    _lock(connection)
    row = {**asdict(broadcast), "planned_at": now, "erased": False, "stopped": None}
    insert = insert_into(connection, BROADCAST)
    if broadcast.form == "alert":
        anew = {column: insert.excluded[column] for column in ("expires", "linked", "erased", "stopped")}
        on_conflict = insert.on_conflict_do_update(index_elements=["key"], set_=anew)
    else:
        on_conflict = insert.on_conflict_do_nothing()
    key = connection.execute(on_conflict.returning(BROADCAST.c.id), row).scalar()
    if key is None:
        return 0
    if broadcast.form == "alert":
        alert = broadcast.key.rpartition(":")[0] + ":"
        earlier = BROADCAST.c.key.startswith(alert, autoescape=True)
        end(connection, earlier & (BROADCAST.c.id != key), now)
        planned = tuple(planned)
    else:
        planned = _not_yet_told(connection, tuple(planned), now)
    # Groups told alike are told by the same objects: what those say is compared once.
    told = {id(p.messages): p.messages for p in planned}
    kept = keep(connection, {message for messages in told.values() for message in messages})
    numbers = {id: [kept[message] for message in messages] for id, messages in told.items()}
    rank = _rank(broadcast)
    rows = [
        {
            "broadcast_id": key,
            "group_id": p.group,
            "part": part,
            "message_id": message,
            "way": p.way,
            "rank": rank,
            "turn": turn,
            "state": "pending",
            "resent": False,
            "attempts": 0,
            "not_before": p.not_before,
            "changed_at": now,
            "reason": "",
        }
        for turn, p in enumerate(planned)
        for part, message in enumerate(numbers[id(p.messages)], start=1)
    ]
    added = (_add_or_reopen if broadcast.form == "alert" else _add)(connection, rows)
    cohorts.note(connection, key)
    return added


def _lock(connection: Connection) -> None:
    """Of two that plan the same items, or forget them, the second sees what the first wrote."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PLANNING_LOCK)))


def _rank(broadcast: Broadcast) -> int:
    if is_alert(broadcast.key):
        return sql.ALERT
    return sql.CORRECTION if broadcast.form == "alert" else sql.DIGEST


def _not_yet_told(connection: Connection, planned: Collection[Planned], now: datetime) -> tuple[Planned, ...]:
    """Those whose group was not told any of their items since they were drafted."""
    lately = {
        row.id: row.scheduled_for for row in connection.execute(sql.LATELY, {"since": now - DRAFTS_LAST})
    }
    told = [
        row
        for groups in batches({p.group for p in planned} if lately else ())
        for row in connection.execute(sql.TOLD_BY, {"broadcasts": list(lately), "groups": groups})
    ]
    entries = entries_of(connection, {row.message_id for row in told})
    last: dict[tuple[str, str], datetime] = {}
    for row in told:
        for entry in entries.get(row.message_id, "").split():
            key, when = (row.group_id, entry), lately[row.broadcast_id]
            last[key] = max(last.get(key, when), when)

    def newer(p: Planned) -> bool:
        found = (last.get((p.group, item.entry)) for message in p.messages for item in message.items)
        return any(when and (p.last_told is None or when > p.last_told) for when in found)

    return tuple(p for p in planned if not newer(p)) if last else tuple(planned)


def _add(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Insert the deliveries; how many."""
    if rows:
        connection.execute(DELIVERY.insert(), rows)
    return len(rows)


def _add_or_reopen(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Insert the deliveries; of those there already, reopen what certainly did not arrive. How many."""
    if not rows:
        return 0
    insert = insert_into(connection, DELIVERY)
    columns = ("message_id", "way", "state", "not_before", "changed_at", "reason")
    # Constants as text: a parameter would belong to a row.
    begun: ColumnElement[int] = literal_column("CASE WHEN delivery.attempts > 0 THEN 1 ELSE 0 END")
    reopened = insert.on_conflict_do_update(
        index_elements=["broadcast_id", "group_id", "part"],
        # One begun stays known as such; the pauses between its tries begin anew.
        set_={**{column: insert.excluded[column] for column in columns}, "attempts": begun},
        where=literal_column("delivery.state IN ('rejected', 'expired', 'cancelled')"),
    )
    return len(connection.execute(reopened.returning(DELIVERY.c.id), rows).all())


def resend(
    connection: Connection,
    key: str,
    states: Collection[State],
    groups: Collection[str] | None,
    now: datetime,
    expires: datetime,
) -> int:
    """:meth:`Outbox.resend`."""
    broadcast = connection.execute(select(BROADCAST).where(BROADCAST.c.key == key)).one_or_none()
    if broadcast is None:
        return 0
    if broadcast.form == "alert" and (broadcast.erased or broadcast.expires <= now):
        raise AlertOver(key)
    again: list[Any] = []
    for ids in [None] if groups is None else batches(groups):
        one = sql.RESEND if ids is None else sql.RESEND.where(DELIVERY.c.group_id.in_(ids))
        named = {"broadcast": broadcast.id, "states": sorted(states), "now": now}
        again += connection.execute(one, named).all()
    if not again:
        return 0
    rest = [{"broadcast": broadcast.id, "group": r.group_id, "after": r.part, "now": now} for r in again]
    connection.execute(sql.RESEND_REST, rest)
    connection.execute(
        update(BROADCAST)
        .where(BROADCAST.c.id == broadcast.id)
        .values(expires=max(broadcast.expires, expires), stopped=None, planned_at=now)
    )
    return len(again)


def stop(connection: Connection, key: str, now: datetime, reason: str) -> int:
    """:meth:`Outbox.stop`."""
    stopped = update(BROADCAST).where(BROADCAST.c.key == key).values(stopped=reason).returning(BROADCAST.c.id)
    id = connection.execute(stopped).scalar()
    return len(connection.execute(sql.STOP, {"broadcast": id, "now": now, "evidence": reason}).all())


def end(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """End the alerts ``which`` names: nothing of them is sent any more, and they are erased."""
    ids = connection.scalars(select(BROADCAST.c.id).where(which)).all()
    # What is on its way now and comes back unsent finds its time over.
    over = update(BROADCAST).where(BROADCAST.c.id.in_(ids), BROADCAST.c.expires > now)
    connection.execute(over.values(expires=now))
    waiting = DELIVERY.c.state.in_(("pending", "handed"))
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.broadcast_id.in_(ids), waiting)
        .values(state=case((DELIVERY.c.resent, "unknown"), else_="cancelled"), changed_at=now)
    )
    erase(connection, now)


ERASED = "gengfu erased something"
"""Note on a connection that wants :func:`~gengfu_scheduler.outbox.database.scrub` after its commit."""


def erase(connection: Connection, now: datetime) -> None:
    """Take back from the record what alerts said that are over - a missing person's data -, and their tasks."""
    ids = connection.scalars(sql.OVER, {"now": now}).all()
    if not ids:
        return
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.broadcast_id.in_(ids), DELIVERY.c.state == "handed")
        .values(state=case((DELIVERY.c.resent, "unknown"), else_="expired"), changed_at=now)
    )
    for row in connection.execute(sql.SPENT, {"ids": ids, "now": now}).all():
        erased = {"content": dumps(replace(loads(row.content), body="")), "digest": f"erased:{row.id}"}
        connection.execute(update(MESSAGE).where(MESSAGE.c.id == row.id).values(erased))
    connection.execute(update(BROADCAST).where(BROADCAST.c.id.in_(ids)).values(erased=True))
    loads.cache_clear()
    connection.info[ERASED] = True


def forget_one(connection: Connection, before: datetime) -> bool:
    """Forget one broadcast that was to be sent before then, with its deliveries; whether there was one."""
    id = connection.execute(sql.FORGETTABLE.limit(1), {"before": before}).scalar()
    for statement in sql.FORGET if id is not None else ():
        connection.execute(statement, {"broadcast": id})
    return id is not None


def forget_rest(connection: Connection, before: datetime) -> None:
    """Forget what no broadcast needs any more."""
    _lock(connection)
    for statement in sql.FORGET_REST:
        connection.execute(statement, {"before": before})
