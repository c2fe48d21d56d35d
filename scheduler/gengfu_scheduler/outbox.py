"""What is to be told to whom, and how far it got: the one durable truth of the scheduler.

Promise: every delivery is a row before it is a request, and ``sending`` on disk before a byte leaves. So
whatever happens - a crash, a second process, a full disk - a delivery is sent, still to be sent, or named as
unknown; it is never forgotten and never begun twice. Uniqueness and changes of state belong to the database:
each change says ``WHERE state = …``, so the slower of two processes changes nothing.

Each method is one transaction and none is open while the caller talks to a platform. Statements are the
constants at the top, named and explained. SQLite runs with write-ahead log and ``synchronous=FULL``
(https://www.sqlite.org/pragma.html#pragma_synchronous: no committed transaction is lost to a power cut);
PostgreSQL as it comes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import random as _random
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar, assert_never
from urllib.parse import quote

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    bindparam,
    case,
    cast,
    create_engine,
    delete,
    event,
    func,
    literal_column,
    make_url,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gengfu_scheduler.message import (
    Broadcast,
    Delivery,
    Handed,
    Item,
    Message,
    Outcome,
    Planned,
    Rejected,
    Sent,
    State,
    Throttled,
    Unknown,
    Unsent,
    state_after,
)
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

T = TypeVar("T")

FIRST_BACKOFF = 2.0
"""Seconds until the second try of a delivery of which nothing left this machine; doubled with each try."""
LONGEST_BACKOFF = 300.0
"""Seconds, before jitter."""
TOLD: frozenset[State] = frozenset({"pending", "sending", "sent", "handed", "unknown"})
"""States in which a group counts as told, so that no item reaches it twice: what may have arrived, counts."""
DRAFTS_LAST = timedelta(hours=1)
"""How old a draft may be for :meth:`Outbox.plan` to see what was told since."""

_IDS_A_STATEMENT = 5_000  # SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
_SCHEMA_LOCK, _PLANNING_LOCK, _SENDING_LOCK = 0x67656E676675, 0x67656E676676, 0x67656E676677
_NOWHERE = "sqlite://"


class _Instant(TypeDecorator[datetime]):
    """An aware instant, stored as UTC and read back as UTC; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


_metadata = MetaData()

_broadcast = Table(
    "broadcast",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("form", String, nullable=False),
    Column("title", String, nullable=False),
    Column("scheduled_for", _Instant, nullable=False),
    Column("expires", _Instant, nullable=False),
    Column("planned_at", _Instant, nullable=False),
    Column("erased", Boolean, nullable=False),  # an alert that is over: what it said is gone
)

# A message is kept once, however many groups are told it; ``digest`` is the SHA-256 of ``content``.
_message = Table(
    "message",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("content", Text, nullable=False),
)

# Which entries a message tells of, so that "was this group told that?" is a join.
_message_entry = Table(
    "message_entry",
    _metadata,
    Column("message_id", ForeignKey("message.id"), primary_key=True),
    Column("entry", String, primary_key=True),
)

_delivery = Table(
    "delivery",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("broadcast_id", ForeignKey("broadcast.id"), nullable=False),
    Column("group_id", String, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("message_id", ForeignKey("message.id"), nullable=False),
    Column("rank", SmallInteger, nullable=False),  # 0 alert, 1 digest: the order of sending
    Column("state", String, nullable=False),
    Column("confirmed", Boolean),  # of what was sent: by the platform's own code, or only accepted
    Column("resent", Boolean, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("not_before", _Instant, nullable=False),
    Column("changed_at", _Instant, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("broadcast_id", "group_id", "part"),
    Index("delivery_due", "state", "rank", "not_before"),
    Index("delivery_of_group", "group_id", "message_id"),
)

_missed = Table(
    "missed",
    _metadata,
    Column("slot", String, primary_key=True),
    Column("scheduled_for", _Instant, primary_key=True),
    Column("recorded_at", _Instant, nullable=False),
)

_progress = Table(
    "slot_progress",
    _metadata,
    Column("slot", String, primary_key=True),
    Column("times", String, nullable=False),
    Column("planned_until", _Instant, nullable=False),
)

_disabled = Table(
    "disabled_group",
    _metadata,
    Column("group_id", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("address", String),  # a mark of the dead address, never the address
    Column("since", _Instant, nullable=False),
)

_NOT_DISABLED = _delivery.c.group_id.not_in(select(_disabled.c.group_id))

# What may be sent now: alerts first, then whatever has waited longest. On PostgreSQL the rows are locked and
# those another process has just locked are passed over; SQLite lets one writer in at a time. A common table
# expression, because PostgreSQL may run a plain subquery more than once and would then lock too many.
_DUE = (
    select(_delivery.c.id)
    .join(_broadcast)
    .where(
        _delivery.c.state == "pending",
        _delivery.c.not_before <= bindparam("now"),
        _broadcast.c.expires > bindparam("now"),
        _NOT_DISABLED,
    )
    .order_by(_delivery.c.rank, _delivery.c.not_before, _delivery.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=_delivery, skip_locked=True)
    .cte("due")
)

# Take what is due: from here on, only an outcome or a recovery ends the request. (``state = 'pending'`` stands
# in the expression above; said again here it would make SQLite walk through all that is pending.)
_CLAIM = (
    update(_delivery)
    .where(_delivery.c.id.in_(select(_DUE.c.id)))
    .values(state="sending", attempts=_delivery.c.attempts + 1, changed_at=bindparam("now"))
    .returning(_delivery.c.id)
)

# Those of the given deliveries that are still on their way, with what decides where they go next.
_IN_FLIGHT = (
    select(
        _delivery.c.id,
        _delivery.c.group_id,
        _delivery.c.attempts,
        _delivery.c.resent,
        _delivery.c.not_before,
        _delivery.c.reason,
        _broadcast.c.form,
        _broadcast.c.expires,
    )
    .join(_broadcast)
    .where(_delivery.c.state == "sending", _delivery.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=_delivery)
)

# All that is on its way: after a crash, what the dead process had begun.
_ALL_IN_FLIGHT = select(_delivery.c.id).where(_delivery.c.state == "sending")

# Write how a request ended, unless someone else has done so in the meantime.
_SETTLE = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("delivery"), _delivery.c.state == "sending")
    .values(
        state=bindparam("next_state"),
        confirmed=bindparam("by_code"),
        resent=bindparam("again"),
        not_before=bindparam("earliest"),
        changed_at=bindparam("now"),
        reason=bindparam("evidence"),
    )
)

# Undo a claim: no request was begun.
_PUT_BACK = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("delivery"), _delivery.c.state == "sending")
    .values(
        state="pending",
        attempts=_delivery.c.attempts - 1,
        not_before=bindparam("earliest"),
        changed_at=bindparam("now"),
    )
)

# Give up what was not sent in time. What waited to be sent a second time may have arrived the first time.
_EXPIRE = (
    update(_delivery)
    .where(
        _delivery.c.state == "pending",
        _delivery.c.broadcast_id.in_(select(_broadcast.c.id).where(_broadcast.c.expires <= bindparam("now"))),
    )
    .values(state=case((_delivery.c.resent, "unknown"), else_="expired"), changed_at=bindparam("now"))
    .returning(_delivery.c.id)
)

# When the next delivery wants to leave, for whoever sleeps until then.
_DUE_AT = select(func.min(_delivery.c.not_before)).where(_delivery.c.state == "pending", _NOT_DISABLED)

# When the next alert is over.
_ERASE_AT = select(func.min(_broadcast.c.expires)).where(_broadcast.c.form == "alert", ~_broadcast.c.erased)

# Deliveries without their messages, which many of them share.
_ROWS = select(
    _delivery.c.id,
    _delivery.c.group_id,
    _delivery.c.part,
    _delivery.c.message_id,
    _delivery.c.state,
    _delivery.c.resent,
    _delivery.c.attempts,
    _delivery.c.not_before,
    _delivery.c.reason,
    _broadcast.c.key,
    _broadcast.c.expires,
).join(_broadcast)

# An alert that was begun and then ended may have been passed on by the person it was handed to.
_COUNTS_AS_TOLD = _delivery.c.state.in_(sorted(TOLD)) | (
    (_delivery.c.rank == 0) & (_delivery.c.attempts > 0) & _delivery.c.state.in_(("expired", "cancelled"))
)

# What each group was told, as "broadcast/message broadcast/message …": of the millions of rows that there may
# be one text a group is read, and groups told alike have the same.
_HEARD = (
    select(
        _delivery.c.group_id,
        func.aggregate_strings(
            cast(_delivery.c.broadcast_id, String) + "/" + cast(_delivery.c.message_id, String), " "
        ).label("heard"),
    )
    .where(_COUNTS_AS_TOLD, _delivery.c.group_id.in_(bindparam("ids", expanding=True)))
    .group_by(_delivery.c.group_id)
)

# Which of the given entries were told to which groups lately, and for which instant.
_TOLD_LATELY = (
    select(_delivery.c.group_id, _message_entry.c.entry, _broadcast.c.scheduled_for)
    .join(_broadcast, _broadcast.c.id == _delivery.c.broadcast_id)
    .join(_message_entry, _message_entry.c.message_id == _delivery.c.message_id)
    .where(
        _broadcast.c.planned_at > bindparam("since"),
        _message_entry.c.entry.in_(bindparam("entries", expanding=True)),
        _COUNTS_AS_TOLD,
    )
)

# Alerts that are over and still say what they said.
_OVER = select(_broadcast.c.id).where(
    _broadcast.c.form == "alert", ~_broadcast.c.erased, _broadcast.c.expires <= bindparam("now")
)

# The messages of the given broadcasts that nothing still to be sent shares.
_SPENT = (
    select(_message.c.id, _message.c.content)
    .distinct()
    .join(_delivery, _delivery.c.message_id == _message.c.id)
    .where(
        _delivery.c.broadcast_id.in_(bindparam("ids", expanding=True)),
        _message.c.id.not_in(
            select(_delivery.c.message_id)
            .join(_broadcast)
            .where(_broadcast.c.form == "alert", _broadcast.c.expires > bindparam("now"))
        ),
    )
)

# Broadcasts that a person should not lose sight of, however many came after them: of which something still
# waits, or of which something came to grief since a given instant.
_OPEN = select(_delivery.c.broadcast_id).where(
    _delivery.c.state.in_(("pending", "sending"))
    | (_delivery.c.state.in_(("unknown", "rejected")) & (_delivery.c.changed_at >= bindparam("since")))
)

# A person says that a task is done. ``confirmed`` stays empty: nobody but that person knows.
_SAID = (
    update(_delivery)
    .where(_delivery.c.id == bindparam("delivery"), _delivery.c.state == "handed")
    .values(state="sent", changed_at=bindparam("now"), reason=bindparam("evidence"))
)

# How many deliveries of each broadcast stand where.
_COUNTS = (
    select(
        _delivery.c.broadcast_id,
        _delivery.c.state,
        func.count().label("number"),
        func.sum(case((_delivery.c.confirmed, 1), else_=0)).label("confirmed"),
        func.sum(case((_delivery.c.confirmed.is_(None), 1), else_=0)).label("without_answer"),
    )
    .where(_delivery.c.broadcast_id.in_(bindparam("ids", expanding=True)))
    .group_by(_delivery.c.broadcast_id, _delivery.c.state)
)


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


class OutboxUnusable(GengfuError):
    """The database cannot be opened, read or written. ``evidence`` is what it said itself."""

    def __init__(self, evidence: str, remedy: str) -> None:
        self.evidence = evidence
        super().__init__(_("发送记录无法读写：{evidence}。{remedy}").format(evidence=evidence, remedy=remedy))


class AnotherSends(GengfuError):
    """The scheduler of another station sends from the same database."""


class Outbox:
    """The ledger of deliveries. Safe to use from several threads and, one ``recover`` apart, processes."""

    def __init__(self, url: str, *, reading: bool = False, random: Callable[[], float] = _random) -> None:
        """Open the outbox at ``url`` and make its tables where they are missing.

        :param url: ``sqlite:////abs/path`` or ``postgresql+psycopg://user@host/name``.
        :param reading: nothing is made or changed, so that it works where nothing can be written; where no
            outbox is, it reads as an empty one.
        :param random: uniform in [0, 1), spreads retries.
        :raises OutboxUnusable: it cannot be opened; so does every method that cannot read or write.
        """
        self._random = random
        self._sender: Connection | None = None
        with _mapped():
            if reading:
                url = _for_reading(url)
            engine = create_engine(url)
            if engine.dialect.name == "sqlite":
                if not reading:
                    event.listen(engine, "connect", _set_up_sqlite)
                event.listen(engine, "begin", _begin_sqlite)
            self._engine = engine
            self._reader = engine.execution_options(begin="BEGIN")
            self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        if reading and url != _NOWHERE:
            return
        try:
            with self._writing() as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
                _metadata.create_all(connection)
        except OutboxUnusable:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._sender is not None:
            with suppress(SQLAlchemyError):  # a connection that broke has released it
                self._sender.execute(select(func.pg_advisory_unlock(_SENDING_LOCK)))
            self._sender.close()
            self._sender = None
        self._engine.dispose()

    # Planning

    def plan(self, broadcast: Broadcast, planned: Iterable[Planned], *, now: datetime) -> int:
        """Write the broadcast and a pending delivery for each of ``planned``, all or nothing.

        A digest is left out where its group was told any of its items since it was drafted. A new revision
        of an alert ends the earlier ones. A key is planned once, but for an alert's: planned again, it
        reaches the groups that it has not reached, where that is certain.

        :returns: how many deliveries are to be sent that were not before.
        """
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                # Of two that plan the same items the second must see what the first wrote.
                connection.execute(select(func.pg_advisory_xact_lock(_PLANNING_LOCK)))
            row = {**asdict(broadcast), "planned_at": now, "erased": False}
            insert = _insert(connection, _broadcast)
            if broadcast.form == "alert":
                on_conflict = insert.on_conflict_do_update(
                    index_elements=["key"], set_={"expires": insert.excluded.expires, "erased": False}
                )
            else:
                on_conflict = insert.on_conflict_do_nothing()
            key = connection.execute(on_conflict.returning(_broadcast.c.id), row).scalar()
            if key is None:
                return 0
            if broadcast.form == "alert":
                alert = broadcast.key.rpartition(":")[0] + ":"
                earlier = _broadcast.c.key.startswith(alert, autoescape=True)
                _end(connection, earlier & (_broadcast.c.id != key), now)
                planned = tuple(planned)
            else:
                planned = _not_yet_told(connection, tuple(planned), now)
            messages = _keep(connection, {p.message for p in planned})
            rows = [
                {
                    "broadcast_id": key,
                    "group_id": p.group,
                    "part": 1,
                    "message_id": messages[p.message],
                    "rank": 0 if broadcast.form == "alert" else 1,
                    "state": "pending",
                    "resent": False,
                    "attempts": 0,
                    "not_before": p.not_before,
                    "changed_at": now,
                    "reason": "",
                }
                for p in planned
            ]
            if broadcast.form == "alert":
                return _add_or_reopen(connection, rows)
            if rows:
                connection.execute(_delivery.insert(), rows)
            return len(rows)

    def alerts(self, *, now: datetime) -> list[str]:
        """The keys of the alerts whose time is not over, oldest first."""
        query = select(_broadcast.c.key).where(_broadcast.c.form == "alert", _broadcast.c.expires > now)
        with self._reading() as connection:
            return list(connection.scalars(query.order_by(_broadcast.c.id)))

    def withdraw(self, keys: Collection[str], *, now: datetime) -> None:
        """End the alerts ``keys``: what is not sent stays unsent (``cancelled``), what they said is erased."""
        with self._writing() as connection:
            _end(connection, _broadcast.c.key.in_(keys), now)

    def record_missed(self, slot: str, scheduled_for: datetime, *, now: datetime) -> None:
        """Note that ``slot`` was not sent at ``scheduled_for``; noting it again changes nothing."""
        row = {"slot": slot, "scheduled_for": scheduled_for, "recorded_at": now}
        with self._writing() as connection:
            connection.execute(_insert(connection, _missed).on_conflict_do_nothing(), row)

    def missed(self, since: datetime) -> list[tuple[str, datetime]]:
        """Occurrences from ``since`` on that were not sent, oldest first."""
        query = select(_missed.c.slot, _missed.c.scheduled_for).where(_missed.c.scheduled_for >= since)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(_missed.c.scheduled_for, _missed.c.slot))
            return [(row.slot, row.scheduled_for) for row in rows]

    def planned_until(self, slot: str, times: str | None = None) -> datetime | None:
        """Up to when the occurrences of ``slot`` have been dealt with; None for a slot never seen.

        :param times: where given, a slot seen at other times counts as never seen.
        """
        query = select(_progress.c.planned_until).where(_progress.c.slot == slot)
        if times is not None:
            query = query.where(_progress.c.times == times)
        with self._reading() as connection:
            return connection.execute(query).scalar()

    def set_planned_until(self, slot: str, times: str, at: datetime) -> None:
        """Note that the occurrences of ``slot`` are dealt with up to ``at``.

        :param times: what they follow from.
        """
        with self._writing() as connection:
            insert = _insert(connection, _progress)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["slot"],
                    set_={"times": insert.excluded.times, "planned_until": insert.excluded.planned_until},
                ),
                {"slot": slot, "times": times, "planned_until": at},
            )

    def told(self, groups: Collection[str]) -> dict[str, dict[str, datetime]]:
        """For each of ``groups``: the entries it was told, or is about to be, and for which instant last.

        The planned instant, not the one of sending, so that "again after 30 days" does not drift by the
        seconds a broadcast takes. Groups told alike share one history; those told nothing are left out.
        """
        with self._reading() as connection:
            heard: dict[str, str] = {}
            for ids in _batches(groups):
                heard |= {row.group_id: row.heard for row in connection.execute(_HEARD, {"ids": ids})}
            told = {
                text: [tuple(map(int, pair.split("/"))) for pair in text.split()] for text in heard.values()
            }
            entries: dict[int, list[str]] = {}
            for batch in _batches({message for pairs in told.values() for _broadcast_id, message in pairs}):
                query = select(_message_entry).where(_message_entry.c.message_id.in_(batch))
                for row in connection.execute(query):
                    entries.setdefault(row.message_id, []).append(row.entry)
            instants = connection.execute(select(_broadcast.c.id, _broadcast.c.scheduled_for))
            when = {row.id: row.scheduled_for for row in instants}
        histories: dict[str, dict[str, datetime]] = {text: {} for text in told}
        for text, pairs in told.items():
            for instant, message in sorted((when[broadcast], message) for broadcast, message in pairs):
                histories[text] |= dict.fromkeys(entries.get(message, ()), instant)
        return {group: histories[text] for group, text in heard.items()}

    # Delivering

    def claim(self, *, now: datetime, limit: int = 200) -> list[Delivery]:
        """Take up to ``limit`` deliveries that are due and make them ``sending``, durably, before returning.

        Alerts before digests, oldest first; disabled groups wait. No other process gets the same ones.
        """
        with self._writing() as connection:
            ids = connection.scalars(_CLAIM, {"now": now, "limit": limit}).all()
            return _deliveries(connection, ids)

    def settle(
        self,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        now: datetime,
        dead: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write how requests ended, by delivery id. Deliveries that are no longer ``sending`` are left alone.

        ``Unsent`` goes back to pending with growing, jittered pauses; ``Throttled`` likewise, but
        not before the pause asked for; an alert's first ``Unknown`` goes back once, marked as resent. ``Rejected(disable=True)``
        disables the group.

        :param dead: by group, what the address that is dead can be known again by (:meth:`dead_addresses`).
        """
        with self._writing() as connection:
            for ids in _batches([id for id, _outcome in outcomes]):
                self._settle(connection, ids, dict(outcomes), now, dead)

    def put_back(self, held: Sequence[tuple[int, datetime]], *, now: datetime) -> None:
        """Return claimed deliveries, of which no request was begun, to pending, each until its instant."""
        if held:
            rows = [{"delivery": delivery, "earliest": until, "now": now} for delivery, until in held]
            with self._writing() as connection:
                connection.execute(_PUT_BACK, rows)

    def recover(self, *, now: datetime) -> list[Delivery]:
        """Call a dead process's ``sending`` deliveries unknown, as :meth:`settle` would, and return them.

        Only for a process that knows itself to be the only one of its station that sends. On PostgreSQL,
        which stations may share by mistake, it then is the only one of all until it closes.

        :raises AnotherSends: one of another station does.
        """
        self._be_only_sender()
        stopped = Unknown(reason=_("发送途中程序停止，结果不明"))
        with self._writing() as connection:
            stranded = connection.scalars(_ALL_IN_FLIGHT).all()
            for ids in _batches(stranded):
                self._settle(connection, ids, dict.fromkeys(ids, stopped), now)
            return _deliveries(connection, stranded)

    def expire(self, *, now: datetime) -> list[Delivery]:
        """Give up pending deliveries past their time and return them.

        They become ``expired``; one that waited for its second sending stays ``unknown``, as the first was.
        An alert that is over is erased: its text goes, and nobody is asked to pass it on any more.
        """
        with self._writing() as connection:
            ids = connection.scalars(_EXPIRE, {"now": now}).all()
            _erase(connection, now)
            return _deliveries(connection, ids)

    def due_at(self) -> datetime | None:
        """When the next pending delivery may leave or an alert is to be erased; None if there is neither."""
        with self._reading() as connection:
            instants = (connection.execute(query).scalar() for query in (_DUE_AT, _ERASE_AT))
            return min((instant for instant in instants if instant), default=None)

    def _be_only_sender(self) -> None:
        if self._engine.dialect.name != "postgresql" or self._sender is not None:
            return
        with _mapped():
            # A lock of the session, which therefore stays open and outside of any transaction.
            sender = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            locked = sender.execute(select(func.pg_try_advisory_lock(_SENDING_LOCK))).scalar()
        if not locked:
            sender.close()
            raise AnotherSends(
                _(
                    "另一个站点的定时程序正在用同一个数据库发送。每个站点要有自己的数据库："
                    "改这里的 GENGFU_DATABASE，或先结束那一个。"
                )
            )
        self._sender = sender

    def _settle(
        self,
        connection: Connection,
        ids: Sequence[int],
        outcomes: Mapping[int, Outcome],
        now: datetime,
        dead: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        rows = connection.execute(_IN_FLIGHT, {"ids": ids}).all()
        if not rows:
            return
        connection.execute(_SETTLE, [self._next(row, outcomes[row.id], now) for row in rows])
        for row in rows:
            outcome = outcomes[row.id]
            if isinstance(outcome, Rejected) and outcome.disable:
                _disable(connection, row.group_id, outcome.reason, dead.get(row.group_id), now)

    def _next(self, row: Any, outcome: Outcome, now: datetime) -> dict[str, object]:
        """The new values of an in-flight ``row``."""
        state, again, earliest, evidence = state_after(outcome), row.resent, row.not_before, ""
        match outcome:
            case Sent():
                pass
            case Handed():
                evidence = outcome.to
            case Unsent():
                earliest = min(now + self._backoff(row.attempts), row.expires)
                evidence = outcome.reason
            case Throttled():
                pause = max(timedelta(seconds=outcome.after), self._backoff(row.attempts))
                earliest = min(now + pause, row.expires)
                evidence = outcome.reason
            case Rejected():
                evidence = outcome.reason
                state = "unknown" if row.resent else state  # the first sending may have arrived
            case Unknown():
                evidence = outcome.reason
                retry = now + self._backoff(row.attempts)
                if row.form == "alert" and not row.resent and retry < row.expires:
                    state, again, earliest = "pending", True, retry
            case _:
                assert_never(outcome)
        if row.resent:
            # The first sending's evidence stays: it may have arrived, whatever became of the second.
            evidence = (
                row.reason if state == "pending" else _("；").join(filter(None, (row.reason, evidence)))
            )
        return {
            "delivery": row.id,
            "next_state": state,
            "by_code": outcome.confirmed if isinstance(outcome, Sent) else None,
            "again": again,
            "earliest": earliest,
            "now": now,
            "evidence": evidence,
        }

    def _backoff(self, attempts: int) -> timedelta:
        """Exponential, between half and one and a half times the nominal pause."""
        pause = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts - 1, 30))
        return timedelta(seconds=pause * (0.5 + self._random()))

    def said(self, ids: Collection[int], by: str, *, now: datetime) -> None:
        """Note that ``by`` says to have passed on the deliveries of ``ids``; those not ``handed`` are left alone."""
        evidence = _("由{by}转发（本人说）").format(by=by)
        rows = [{"delivery": id, "now": now, "evidence": evidence} for id in ids]
        if rows:
            with self._writing() as connection:
                connection.execute(_SAID, rows)

    # Reading

    def broadcasts(self, *, limit: int = 20, since: datetime | None = None) -> list[BroadcastStatus]:
        """The newest broadcasts, newest first, each with its deliveries counted by state.

        :param since: where given, older ones too of which something still waits, or came to grief since then.
        """
        newest = select(_broadcast).order_by(_broadcast.c.scheduled_for.desc(), _broadcast.c.id.desc())
        with self._reading() as connection:
            rows = list(connection.execute(newest.limit(limit)))
            if since is not None:
                older = _broadcast.c.id.in_(_OPEN) & _broadcast.c.id.not_in([row.id for row in rows])
                rows += connection.execute(newest.where(older), {"since": since})
            return _counted(connection, rows)

    def broadcast(self, key: str) -> BroadcastStatus | None:
        """The broadcast ``key`` with its deliveries counted by state; None where there is none."""
        with self._reading() as connection:
            rows = connection.execute(select(_broadcast).where(_broadcast.c.key == key)).all()
            return next(iter(_counted(connection, rows)), None)

    def deliveries(self, key: str) -> list[Delivery]:
        """All deliveries of the broadcast ``key``, as they were planned; none for an unknown key."""
        with self._reading() as connection:
            rows = connection.execute(_ROWS.where(_broadcast.c.key == key).order_by(_delivery.c.id)).all()
            return _with_messages(connection, rows)

    def disabled(self) -> dict[str, str]:
        """Groups that nothing is sent to, and why."""
        with self._reading() as connection:
            rows = connection.execute(select(_disabled).order_by(_disabled.c.group_id))
            return {row.group_id: row.reason for row in rows}

    def dead_addresses(self) -> dict[str, str | None]:
        """Groups that nothing is sent to, and what :meth:`settle` was given to know their dead address by."""
        with self._reading() as connection:
            return {row.group_id: row.address for row in connection.execute(select(_disabled))}

    def disable(self, group: str, reason: str, *, now: datetime) -> None:
        """Send nothing to ``group`` until :meth:`enable`; its deliveries wait, and expire in their time."""
        with self._writing() as connection:
            _disable(connection, group, reason, None, now)

    def enable(self, group: str) -> None:
        """Send to ``group`` again."""
        with self._writing() as connection:
            connection.execute(delete(_disabled).where(_disabled.c.group_id == group))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _mapped(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with _mapped(), self._writer.begin() as connection:
            yield connection


def _for_reading(url: str) -> str:
    """Where to read what ``url`` holds without making or changing a file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database.startswith("file:"):
        return url
    file = Path(parsed.database).absolute()
    if not file.exists():
        return _NOWHERE
    # Where the folder can be written, as a reader among writers. Where it cannot, nobody writes, and SQLite
    # may take the file as it lies (https://www.sqlite.org/wal.html#read_only_databases).
    mode = "mode=ro" if os.access(file.parent, os.W_OK) else "immutable=1"
    return f"sqlite:///file:{quote(str(file))}?{mode}&uri=true"


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would otherwise begin transactions by itself, and too late: see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is erased is not left in the file
    for last in (False, False, False, False, True):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            # Two processes make the same new file: this switch, unlike a transaction, does not wait its turn.
            if last or error.sqlite_errorname != "SQLITE_BUSY":
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once and waits for it; one that began by reading could only fail.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT with ON CONFLICT, which both databases have and spell alike."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _keep(connection: Connection, messages: Collection[Message]) -> dict[Message, int]:
    """The messages' row ids; those not yet there are inserted, with the entries they tell of."""
    if not messages:
        return {}
    contents = {message: _dumps(message) for message in messages}
    digests = {message: hashlib.sha256(text.encode()).hexdigest() for message, text in contents.items()}
    connection.execute(
        _insert(connection, _message).on_conflict_do_nothing(),
        [{"digest": digests[message], "content": contents[message]} for message in messages],
    )
    ids: dict[str, int] = {}
    for batch in _batches(list(digests.values())):
        rows = connection.execute(
            select(_message.c.digest, _message.c.id).where(_message.c.digest.in_(batch))
        )
        ids.update({row.digest: row.id for row in rows})
    kept = {message: ids[digest] for message, digest in digests.items()}
    entries = [
        {"message_id": kept[message], "entry": entry}
        for message in messages
        for entry in {item.entry for item in message.items}
    ]
    if entries:
        connection.execute(_insert(connection, _message_entry).on_conflict_do_nothing(), entries)
    return kept


def _not_yet_told(connection: Connection, planned: Collection[Planned], now: datetime) -> tuple[Planned, ...]:
    """Those whose group was not told any of their items since they were drafted."""
    last: dict[tuple[str, str], datetime] = {}
    entries = {item.entry for p in planned for item in p.message.items}
    for batch in _batches(entries):
        for row in connection.execute(_TOLD_LATELY, {"since": now - DRAFTS_LAST, "entries": batch}):
            key = row.group_id, row.entry
            last[key] = max(last.get(key, row.scheduled_for), row.scheduled_for)

    def newer(p: Planned) -> bool:
        found = (last.get((p.group, item.entry)) for item in p.message.items)
        return any(when and (p.last_told is None or when > p.last_told) for when in found)

    return tuple(p for p in planned if not newer(p))


def _add_or_reopen(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Insert the deliveries; of those there already, reopen what certainly did not arrive. How many."""
    if not rows:
        return 0
    insert = _insert(connection, _delivery)
    columns = ("message_id", "state", "not_before", "changed_at", "reason")
    # Constants as text: a parameter would belong to a row.
    begun: ColumnElement[int] = literal_column("CASE WHEN delivery.attempts > 0 THEN 1 ELSE 0 END")
    reopened = insert.on_conflict_do_update(
        index_elements=["broadcast_id", "group_id", "part"],
        # One begun stays known as such; the pauses between its tries begin anew.
        set_={**{column: insert.excluded[column] for column in columns}, "attempts": begun},
        where=literal_column("delivery.state IN ('rejected', 'expired', 'cancelled')"),
    )
    return len(connection.execute(reopened.returning(_delivery.c.id), rows).all())


def _end(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """End the alerts ``which`` names: nothing of them is sent any more, and they are erased."""
    ids = connection.scalars(select(_broadcast.c.id).where(which)).all()
    # What is on its way now and comes back unsent finds its time over.
    over = update(_broadcast).where(_broadcast.c.id.in_(ids), _broadcast.c.expires > now)
    connection.execute(over.values(expires=now))
    waiting = _delivery.c.state.in_(("pending", "handed"))
    connection.execute(
        update(_delivery)
        .where(_delivery.c.broadcast_id.in_(ids), waiting)
        .values(state=case((_delivery.c.resent, "unknown"), else_="cancelled"), changed_at=now)
    )
    _erase(connection, now)


def _erase(connection: Connection, now: datetime) -> None:
    """Take back from the record what alerts said that are over - a missing person's data -, and their tasks."""
    ids = connection.scalars(_OVER, {"now": now}).all()
    if not ids:
        return
    connection.execute(
        update(_delivery)
        .where(_delivery.c.broadcast_id.in_(ids), _delivery.c.state == "handed")
        .values(state=case((_delivery.c.resent, "unknown"), else_="expired"), changed_at=now)
    )
    for row in connection.execute(_SPENT, {"ids": ids, "now": now}).all():
        erased = {"content": _dumps(replace(_loads(row.content), body="")), "digest": f"erased:{row.id}"}
        connection.execute(update(_message).where(_message.c.id == row.id).values(erased))
    connection.execute(update(_broadcast).where(_broadcast.c.id.in_(ids)).values(erased=True))


def _disable(connection: Connection, group: str, reason: str, address: str | None, now: datetime) -> None:
    insert = _insert(connection, _disabled)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["group_id"],
            set_={column: insert.excluded[column] for column in ("reason", "address", "since")},
        ),
        {"group_id": group, "reason": reason, "address": address, "since": now},
    )


def _counted(connection: Connection, rows: Sequence[Any]) -> list[BroadcastStatus]:
    """The broadcasts of ``rows`` with their deliveries counted."""
    counts: dict[int, dict[State, int]] = {row.id: {} for row in rows}
    confirmed, said = dict.fromkeys(counts, 0), dict.fromkeys(counts, 0)
    for count in connection.execute(_COUNTS, {"ids": list(counts)}):
        counts[count.broadcast_id][count.state] = count.number
        confirmed[count.broadcast_id] += count.confirmed
        if count.state == "sent":
            said[count.broadcast_id] = count.without_answer
    return [
        BroadcastStatus(
            broadcast=Broadcast(
                key=row.key,
                form=row.form,
                title=row.title,
                scheduled_for=row.scheduled_for,
                expires=row.expires,
            ),
            counts=counts[row.id],
            confirmed=confirmed[row.id],
            said=said[row.id],
        )
        for row in rows
    ]


def _deliveries(connection: Connection, ids: Collection[int]) -> list[Delivery]:
    """The deliveries of ``ids`` in the order of sending."""
    order = (_delivery.c.rank, _delivery.c.not_before, _delivery.c.id)
    rows = [
        row
        for batch in _batches(ids)
        for row in connection.execute(_ROWS.where(_delivery.c.id.in_(batch)).order_by(*order))
    ]
    return _with_messages(connection, rows)


def _with_messages(connection: Connection, rows: Sequence[Any]) -> list[Delivery]:
    messages: dict[int, Message] = {}
    for batch in _batches({row.message_id for row in rows}):
        for kept in connection.execute(select(_message).where(_message.c.id.in_(batch))):
            messages[kept.id] = _loads(kept.content)
    resent = {id: replace(message, resent=True) for id, message in messages.items()}
    return [
        Delivery(
            id=row.id,
            broadcast=row.key,
            group=row.group_id,
            part=row.part,
            state=row.state,
            attempts=row.attempts,
            not_before=row.not_before,
            expires=row.expires,
            message=(resent if row.resent else messages)[row.message_id],
            reason=row.reason,
        )
        for row in rows
    ]


def _dumps(message: Message) -> str:
    members = asdict(message)
    del members["resent"]  # a property of the delivery
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _loads(text: str) -> Message:
    members = json.loads(text)
    return Message(**{**members, "items": tuple(Item(**item) for item in members["items"])})


def _batches(values: Collection[T]) -> Iterator[list[T]]:
    remaining = list(values)
    for start in range(0, len(remaining), _IDS_A_STATEMENT):
        yield remaining[start : start + _IDS_A_STATEMENT]


@contextmanager
def _mapped() -> Iterator[None]:
    """Foreign exceptions become :class:`OutboxUnusable`, with what the database said and what to do."""
    try:
        yield
    except DBAPIError as error:
        raise OutboxUnusable(str(error.orig), _remedy(error.orig)) from error
    except (SQLAlchemyError, ValueError) as error:
        raise OutboxUnusable(
            str(error), _("检查 GENGFU_DATABASE 里数据库地址的写法，例如 sqlite:////绝对路径/outbox.db")
        ) from error
    except ModuleNotFoundError as error:
        raise OutboxUnusable(str(error), _("安装数据库驱动：pip install 'gengfu[postgresql]'")) from error


def _remedy(error: BaseException | None) -> str:
    """What to do, by SQLite's result code (https://www.sqlite.org/rescode.html) or PostgreSQL's SQLSTATE."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if code in ("SQLITE_FULL", "53100"):
        return _("磁盘已满：腾出空间后再运行，已写入的记录都在")
    if code.startswith("SQLITE_READONLY") or code == "25006":
        return _("数据库只读：检查该文件和所在文件夹的写权限")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _("另一个程序一直占用着数据库：关闭它再运行")
    if code.startswith("SQLITE_CANTOPEN"):
        return _("检查所在文件夹是否存在、能否写入")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _("这个文件不是完好的发送记录：把它移开并保留，再运行会新建一个")
    return _("检查数据库服务器是否在运行、地址和账号是否正确")
