"""The outbox itself: :class:`Outbox`, on the tables and statements beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from random import random as _random
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar, assert_never

from sqlalchemy import (
    ColumnElement,
    Connection,
    case,
    create_engine,
    delete,
    event,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from gengfu_scheduler.message import (
    Broadcast,
    Delivery,
    Dropped,
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
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.database import (
    NOWHERE,
    OutboxUnusable,
    begin_sqlite,
    for_reading,
    insert_into,
    mapped,
    set_up_sqlite,
)
from gengfu_scheduler.outbox.tables import (
    BROADCAST,
    DELIVERY,
    DISABLED,
    MESSAGE,
    MESSAGE_ENTRY,
    METADATA,
    MISSED,
    PROGRESS,
)
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

T = TypeVar("T")

FIRST_BACKOFF = 2.0
"""Seconds until the second try of a delivery of which nothing left this machine; doubled with each try."""
LONGEST_BACKOFF = 300.0
"""Seconds, before jitter."""
DRAFTS_LAST = timedelta(hours=1)
"""How old a draft may be for :meth:`Outbox.plan` to see what was told since."""

_IDS_A_STATEMENT = 5_000  # SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.
_SCHEMA_LOCK, _PLANNING_LOCK, _SENDING_LOCK = 0x67656E676675, 0x67656E676676, 0x67656E676677


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
        with mapped():
            if reading:
                url = for_reading(url)
            engine = create_engine(url)
            if engine.dialect.name == "sqlite":
                if not reading:
                    event.listen(engine, "connect", set_up_sqlite)
                event.listen(engine, "begin", begin_sqlite)
            self._engine = engine
            self._reader = engine.execution_options(begin="BEGIN")
            self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        if reading and url != NOWHERE:
            return
        try:
            with self._writing() as connection:
                if engine.dialect.name == "postgresql":
                    connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
                METADATA.create_all(connection)
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
            insert = insert_into(connection, BROADCAST)
            if broadcast.form == "alert":
                on_conflict = insert.on_conflict_do_update(
                    index_elements=["key"], set_={"expires": insert.excluded.expires, "erased": False}
                )
            else:
                on_conflict = insert.on_conflict_do_nothing()
            key = connection.execute(on_conflict.returning(BROADCAST.c.id), row).scalar()
            if key is None:
                return 0
            if broadcast.form == "alert":
                alert = broadcast.key.rpartition(":")[0] + ":"
                earlier = BROADCAST.c.key.startswith(alert, autoescape=True)
                _end(connection, earlier & (BROADCAST.c.id != key), now)
                planned = tuple(planned)
            else:
                planned = _not_yet_told(connection, tuple(planned), now)
            messages = _keep(connection, {message for p in planned for message in p.messages})
            rows = [
                {
                    "broadcast_id": key,
                    "group_id": p.group,
                    "part": part,
                    "message_id": messages[message],
                    "way": p.way,
                    "rank": 0 if broadcast.form == "alert" else 1,
                    "state": "pending",
                    "resent": False,
                    "attempts": 0,
                    "not_before": p.not_before,
                    "changed_at": now,
                    "reason": "",
                }
                for p in planned
                for part, message in enumerate(p.messages, start=1)
            ]
            if broadcast.form == "alert":
                return _add_or_reopen(connection, rows)
            if rows:
                connection.execute(DELIVERY.insert(), rows)
            return len(rows)

    def alerts(self, *, now: datetime) -> list[str]:
        """The keys of the alerts whose time is not over, oldest first."""
        query = select(BROADCAST.c.key).where(BROADCAST.c.form == "alert", BROADCAST.c.expires > now)
        with self._reading() as connection:
            return list(connection.scalars(query.order_by(BROADCAST.c.id)))

    def withdraw(self, keys: Collection[str], *, now: datetime) -> None:
        """End the alerts ``keys``: what is not sent stays unsent (``cancelled``), what they said is erased."""
        with self._writing() as connection:
            _end(connection, BROADCAST.c.key.in_(keys), now)

    def record_missed(self, slot: str, scheduled_for: datetime, *, now: datetime) -> None:
        """Note that ``slot`` was not sent at ``scheduled_for``; noting it again changes nothing."""
        row = {"slot": slot, "scheduled_for": scheduled_for, "recorded_at": now}
        with self._writing() as connection:
            connection.execute(insert_into(connection, MISSED).on_conflict_do_nothing(), row)

    def missed(self, since: datetime) -> list[tuple[str, datetime]]:
        """Occurrences from ``since`` on that were not sent, oldest first."""
        query = select(MISSED.c.slot, MISSED.c.scheduled_for).where(MISSED.c.scheduled_for >= since)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(MISSED.c.scheduled_for, MISSED.c.slot))
            return [(row.slot, row.scheduled_for) for row in rows]

    def planned_until(self, slot: str, times: str | None = None) -> datetime | None:
        """Up to when the occurrences of ``slot`` have been dealt with; None for a slot never seen.

        :param times: where given, a slot seen at other times counts as never seen.
        """
        query = select(PROGRESS.c.planned_until).where(PROGRESS.c.slot == slot)
        if times is not None:
            query = query.where(PROGRESS.c.times == times)
        with self._reading() as connection:
            return connection.execute(query).scalar()

    def set_planned_until(self, slot: str, times: str, at: datetime) -> None:
        """Note that the occurrences of ``slot`` are dealt with up to ``at``.

        :param times: what they follow from.
        """
        with self._writing() as connection:
            insert = insert_into(connection, PROGRESS)
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
                heard |= {row.group_id: row.heard for row in connection.execute(sql.HEARD, {"ids": ids})}
            told = {
                text: [tuple(map(int, pair.split("/"))) for pair in text.split()] for text in heard.values()
            }
            entries: dict[int, list[str]] = {}
            for batch in _batches({message for pairs in told.values() for _broadcast_id, message in pairs}):
                query = select(MESSAGE_ENTRY).where(MESSAGE_ENTRY.c.message_id.in_(batch))
                for row in connection.execute(query):
                    entries.setdefault(row.message_id, []).append(row.entry)
            instants = connection.execute(select(BROADCAST.c.id, BROADCAST.c.scheduled_for))
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
            ids = connection.scalars(sql.CLAIM, {"now": now, "limit": limit}).all()
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
                connection.execute(sql.PUT_BACK, rows)

    def recover(self, *, now: datetime) -> list[Delivery]:
        """Call a dead process's ``sending`` deliveries unknown, as :meth:`settle` would, and return them.

        Only for a process that knows itself to be the only one of its station that sends. On PostgreSQL,
        which stations may share by mistake, it then is the only one of all until it closes.

        :raises AnotherSends: one of another station does.
        """
        self._be_only_sender()
        stopped = Unknown(reason=_("发送途中程序停止，结果不明"))
        with self._writing() as connection:
            stranded = connection.scalars(sql.ALL_IN_FLIGHT).all()
            for ids in _batches(stranded):
                self._settle(connection, ids, dict.fromkeys(ids, stopped), now)
            return _deliveries(connection, stranded)

    def expire(self, *, now: datetime) -> list[Delivery]:
        """Give up pending deliveries past their time and return them.

        They become ``expired``; one that waited for its second sending stays ``unknown``, as the first was.
        An alert that is over is erased: its text goes, and nobody is asked to pass it on any more.
        """
        with self._writing() as connection:
            ids = connection.scalars(sql.EXPIRE, {"now": now}).all()
            _erase(connection, now)
            return _deliveries(connection, ids)

    def due_at(self) -> datetime | None:
        """When the next pending delivery may leave or an alert is to be erased; None if there is neither."""
        with self._reading() as connection:
            instants = (connection.execute(query).scalar() for query in (sql.DUE_AT, sql.ERASE_AT))
            return min((instant for instant in instants if instant), default=None)

    def _be_only_sender(self) -> None:
        if self._engine.dialect.name != "postgresql" or self._sender is not None:
            return
        with mapped():
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
        rows = connection.execute(sql.IN_FLIGHT, {"ids": ids}).all()
        if not rows:
            return
        connection.execute(sql.SETTLE, [self._next(row, outcomes[row.id], now) for row in rows])
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
            case Throttled() if outcome.retries is not None and row.attempts > outcome.retries:
                state = "unknown" if row.resent else "rejected"
                evidence = outcome.reason
            case Throttled():
                pause = max(timedelta(seconds=outcome.after), self._backoff(row.attempts))
                earliest = min(now + pause, row.expires)
                evidence = outcome.reason
            case Rejected() | Dropped():
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
                connection.execute(sql.SAID, rows)

    # Reading

    def broadcasts(self, *, limit: int = 20, since: datetime | None = None) -> list[BroadcastStatus]:
        """The newest broadcasts, newest first, each with its deliveries counted by state.

        :param since: where given, older ones too of which something still waits, or came to grief since then.
        """
        newest = select(BROADCAST).order_by(BROADCAST.c.scheduled_for.desc(), BROADCAST.c.id.desc())
        with self._reading() as connection:
            rows = list(connection.execute(newest.limit(limit)))
            if since is not None:
                older = BROADCAST.c.id.in_(sql.OPEN) & BROADCAST.c.id.not_in([row.id for row in rows])
                rows += connection.execute(newest.where(older), {"since": since})
            return _counted(connection, rows)

    def broadcast(self, key: str) -> BroadcastStatus | None:
        """The broadcast ``key`` with its deliveries counted by state; None where there is none."""
        with self._reading() as connection:
            rows = connection.execute(select(BROADCAST).where(BROADCAST.c.key == key)).all()
            return next(iter(_counted(connection, rows)), None)

    def deliveries(self, key: str) -> list[Delivery]:
        """All deliveries of the broadcast ``key``, as they were planned; none for an unknown key."""
        with self._reading() as connection:
            rows = connection.execute(sql.ROWS.where(BROADCAST.c.key == key).order_by(DELIVERY.c.id)).all()
            return _with_messages(connection, rows)

    def disabled(self) -> dict[str, str]:
        """Groups that nothing is sent to, and why."""
        with self._reading() as connection:
            rows = connection.execute(select(DISABLED).order_by(DISABLED.c.group_id))
            return {row.group_id: row.reason for row in rows}

    def dead_addresses(self) -> dict[str, str | None]:
        """Groups that nothing is sent to, and what :meth:`settle` was given to know their dead address by."""
        with self._reading() as connection:
            return {row.group_id: row.address for row in connection.execute(select(DISABLED))}

    def disable(self, group: str, reason: str, *, now: datetime) -> None:
        """Send nothing to ``group`` until :meth:`enable`; its deliveries wait, and expire in their time."""
        with self._writing() as connection:
            _disable(connection, group, reason, None, now)

    def enable(self, group: str) -> None:
        """Send to ``group`` again."""
        with self._writing() as connection:
            connection.execute(delete(DISABLED).where(DISABLED.c.group_id == group))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with mapped(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with mapped(), self._writer.begin() as connection:
            yield connection


def _keep(connection: Connection, messages: Collection[Message]) -> dict[Message, int]:
    """The messages' row ids; those not yet there are inserted, with the entries they tell of."""
    if not messages:
        return {}
    contents = {message: _dumps(message) for message in messages}
    digests = {message: hashlib.sha256(text.encode()).hexdigest() for message, text in contents.items()}
    connection.execute(
        insert_into(connection, MESSAGE).on_conflict_do_nothing(),
        [{"digest": digests[message], "content": contents[message]} for message in messages],
    )
    ids: dict[str, int] = {}
    for batch in _batches(list(digests.values())):
        rows = connection.execute(select(MESSAGE.c.digest, MESSAGE.c.id).where(MESSAGE.c.digest.in_(batch)))
        ids.update({row.digest: row.id for row in rows})
    kept = {message: ids[digest] for message, digest in digests.items()}
    entries = [
        {"message_id": kept[message], "entry": entry}
        for message in messages
        for entry in {item.entry for item in message.items}
    ]
    if entries:
        connection.execute(insert_into(connection, MESSAGE_ENTRY).on_conflict_do_nothing(), entries)
    return kept


def _not_yet_told(connection: Connection, planned: Collection[Planned], now: datetime) -> tuple[Planned, ...]:
    """Those whose group was not told any of their items since they were drafted."""
    last: dict[tuple[str, str], datetime] = {}
    entries = {item.entry for p in planned for message in p.messages for item in message.items}
    for batch in _batches(entries):
        for row in connection.execute(sql.TOLD_LATELY, {"since": now - DRAFTS_LAST, "entries": batch}):
            key = row.group_id, row.entry
            last[key] = max(last.get(key, row.scheduled_for), row.scheduled_for)

    def newer(p: Planned) -> bool:
        found = (last.get((p.group, item.entry)) for message in p.messages for item in message.items)
        return any(when and (p.last_told is None or when > p.last_told) for when in found)

    return tuple(p for p in planned if not newer(p))


def _add_or_reopen(connection: Connection, rows: Sequence[dict[str, object]]) -> int:
    """Insert the deliveries; of those there already, reopen what certainly did not arrive. How many."""
    if not rows:
        return 0
    insert = insert_into(connection, DELIVERY)
    columns = ("message_id", "state", "not_before", "changed_at", "reason")
    # Constants as text: a parameter would belong to a row.
    begun: ColumnElement[int] = literal_column("CASE WHEN delivery.attempts > 0 THEN 1 ELSE 0 END")
    reopened = insert.on_conflict_do_update(
        index_elements=["broadcast_id", "group_id", "part"],
        # One begun stays known as such; the pauses between its tries begin anew.
        set_={**{column: insert.excluded[column] for column in columns}, "attempts": begun},
        where=literal_column("delivery.state IN ('rejected', 'expired', 'cancelled')"),
    )
    return len(connection.execute(reopened.returning(DELIVERY.c.id), rows).all())


def _end(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
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
    _erase(connection, now)


def _erase(connection: Connection, now: datetime) -> None:
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
        erased = {"content": _dumps(replace(_loads(row.content), body="")), "digest": f"erased:{row.id}"}
        connection.execute(update(MESSAGE).where(MESSAGE.c.id == row.id).values(erased))
    connection.execute(update(BROADCAST).where(BROADCAST.c.id.in_(ids)).values(erased=True))


def _disable(connection: Connection, group: str, reason: str, address: str | None, now: datetime) -> None:
    insert = insert_into(connection, DISABLED)
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
    for count in connection.execute(sql.COUNTS, {"ids": list(counts)}):
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
                linked=row.linked,
            ),
            counts=counts[row.id],
            confirmed=confirmed[row.id],
            said=said[row.id],
        )
        for row in rows
    ]


def _deliveries(connection: Connection, ids: Collection[int]) -> list[Delivery]:
    """The deliveries of ``ids`` in the order of sending."""
    order = (DELIVERY.c.rank, DELIVERY.c.not_before, DELIVERY.c.id)
    rows = [
        row
        for batch in _batches(ids)
        for row in connection.execute(sql.ROWS.where(DELIVERY.c.id.in_(batch)).order_by(*order))
    ]
    return _with_messages(connection, rows)


def _with_messages(connection: Connection, rows: Sequence[Any]) -> list[Delivery]:
    messages: dict[int, Message] = {}
    for batch in _batches({row.message_id for row in rows}):
        for kept in connection.execute(select(MESSAGE).where(MESSAGE.c.id.in_(batch))):
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
            way=row.way,
            resent=row.resent,
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
