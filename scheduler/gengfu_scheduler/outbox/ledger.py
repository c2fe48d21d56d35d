"""The outbox itself: :class:`Outbox`, on the tables and statements beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from random import random as _random
from types import MappingProxyType, TracebackType
from typing import Literal, Self

from sqlalchemy import (
    Connection,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from gengfu_scheduler.message import (
    Broadcast,
    Delivery,
    Item,
    Outcome,
    Planned,
    Reach,
    Unknown,
    is_alert,
)
from gengfu_scheduler.outbox import cohorts, delivering, planning, reading, tasks
from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.content import loads
from gengfu_scheduler.outbox.database import (
    NOWHERE,
    SENDING_LOCK,
    OutboxUnusable,
    address,
    batches,
    for_reading,
    insert_into,
    is_made,
    lock_schema,
    make_tables,
    mapped,
    open_engine,
    scrub,
    upsert_into,
)
from gengfu_scheduler.outbox.pace import PaceOf
from gengfu_scheduler.outbox.reading import BroadcastStatus, Fate, HandTask, Pulse, TimeTold
from gengfu_scheduler.outbox.tables import (
    BROADCAST,
    DELIVERY,
    DISABLED,
    MESSAGE,
    MESSAGE_ENTRY,
    MISSED,
    OUTBOX_VERSION,
    PROGRESS,
)
from gengfu_scheduler.outbox.tasks import PlatformTask
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

ROBOTS_AND_HANDS: tuple[Reach, ...] = ("webhook", "hand")
"""The ways in which a delivery takes one request, or none."""
CLOCK_SLIP = timedelta(minutes=1)
"""How far a clock may be set back without a word."""


class AnotherSends(GengfuError):
    """A scheduler on another machine, or of another station, sends from the same database."""


class Outbox:
    """The ledger of deliveries. Safe to use from several threads and, one ``recover`` apart, processes."""

    def __init__(self, url: str, *, reading: bool = False, random: Callable[[], float] = _random) -> None:
        """Open the outbox at ``url`` and make its tables where they are missing.

        :param url: ``sqlite:////abs/path`` or ``postgresql+psycopg://user@host/name``.
        :param reading: nothing is made or changed, so that it works where nothing can be written; where no
            outbox is, it reads as an empty one.
        :param random: uniform in [0, 1), spreads retries.
        :raises OutboxOutdated: it is of an earlier version.
        :raises OutboxUnusable: it cannot be opened; so does every method that cannot read or write.
        """
        self._random = random
        self._sender: Connection | None = None
        with mapped():
            at = for_reading(address(url)) if reading else address(url)
            self._engine = engine = open_engine(at, reading=reading)
            self._reader = engine.execution_options(begin="BEGIN")
            self._writer = engine.execution_options(begin="BEGIN IMMEDIATE")
        try:
            with self._reading() as connection:
                made = is_made(connection)
            if not made and (at == NOWHERE or not reading):
                with self._writing() as connection:
                    lock_schema(connection)
                    if not is_made(connection):
                        make_tables(connection)
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
                self._sender.execute(select(func.pg_advisory_unlock(SENDING_LOCK)))
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
            return planning.plan(connection, broadcast, planned, now)

    def assume(self, broadcast: Broadcast, planned: Iterable[Planned], *, now: datetime, reason: str) -> int:
        """Write the digests as :meth:`plan` does, but as ``unknown``: another outbox, which is lost, may have told them.

        :returns: how many those are.
        """
        with self._writing() as connection:
            added = planning.plan(connection, broadcast, planned, now)
            connection.execute(sql.ASSUME, {"of": broadcast.key, "evidence": reason})
            return added

    def alerts(self, *, now: datetime) -> list[str]:
        """The keys of the alerts whose time is not over and whose pages were public, oldest first."""
        query = select(BROADCAST.c.key).where(BROADCAST.c.linked, BROADCAST.c.expires > now)
        with self._reading() as connection:
            return [key for key in connection.scalars(query.order_by(BROADCAST.c.id)) if is_alert(key)]

    def withdraw(self, keys: Collection[str], *, now: datetime) -> None:
        """End the alerts ``keys``: what is not sent stays unsent (``cancelled``), what they said is erased."""
        with self._writing() as connection:
            planning.end(connection, BROADCAST.c.key.in_(keys), now)

    def resend(
        self,
        key: str,
        states: Collection[Literal["unknown", "rejected"]],
        *,
        groups: Collection[str] | None = None,
        now: datetime,
        expires: datetime,
    ) -> int:
        """Send again what of the broadcast ``key`` stands in ``states``, because a person decided so.

        What was ``unknown`` may arrive twice and is marked 重发. With a part go those after it that were
        cancelled; those that arrived do not, though they then stand before it: which part it is (1/3) says
        where it belongs. A broadcast that was stopped goes on.

        :param groups: only to these.
        :param expires: until when it may leave, at least.
        :returns: how many deliveries are to be sent again.
        :raises AlertOver: it is an alert that is over; what it said is no longer kept.
        """
        with self._writing() as connection:
            return planning.resend(connection, key, states, groups, now, expires)

    def stop(self, key: str, *, now: datetime, reason: str) -> int:
        """Let nothing more leave of the broadcast ``key``, and nobody be asked to pass it on.

        What is on its way ends as it ends, and does not go back to pending.

        :returns: how many deliveries were ended.
        """
        with self._writing() as connection:
            return planning.stop(connection, key, now, reason)

    def forget(self, before: datetime, *, limit: int | None = None) -> int:
        """Forget the broadcasts that were to be sent before then, and of which nothing is open, with all they said.

        Their keys may be planned again, and no group counts as told what they told it: how long that matters
        is the caller's to know. A broadcast a transaction, so that an alert never waits long.

        :param limit: no more broadcasts at once than that.
        :returns: how many broadcasts were forgotten.
        """
        forgotten, more = 0, True
        while more and forgotten != limit:
            with self._writing() as connection:
                more = planning.forget_one(connection, before)
            forgotten += more
        if not more:
            with self._writing() as connection:
                planning.forget_rest(connection, before)
        return forgotten

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
            row = {"slot": slot, "times": times, "planned_until": at}
            connection.execute(upsert_into(connection, PROGRESS, "times", "planned_until"), row)

    def told(self, groups: Collection[str]) -> dict[str, dict[str, datetime]]:
        """For each of ``groups``: the entries it was told, or is about to be, and for which instant last.

        The planned instant, not the one of sending, so that "again after 30 days" does not drift by the
        seconds a broadcast takes. Groups told alike share one history; those told nothing are left out.
        """
        with self._reading() as connection:
            return cohorts.told(connection, groups)

    def heard(self, entry: str, *, waiting: bool = True) -> dict[str, datetime]:
        """The groups that were told ``entry``, and for which instant last: :meth:`told`, reversed.

        :param waiting: also those that are about to be told, and to which nothing can have got through yet.
        """
        query = sql.HEARD_BY if waiting else sql.HEARD_BY.where(~sql.UNTOUCHED, ~sql.NEVER_LEFT)
        with self._reading() as connection:
            return {row.group_id: row.when for row in connection.execute(query, {"entry": entry})}

    def told_of(self, entry: str) -> Item | None:
        """How groups were last told of ``entry``; None where none was, or it is an alert's: those are erased in time."""
        query = select(MESSAGE).join(MESSAGE_ENTRY).where(MESSAGE_ENTRY.c.entry == entry)
        with self._reading() as connection:
            for row in connection.execute(query.order_by(MESSAGE.c.id.desc())):
                message = loads(row.content)
                if message.form == "digest":
                    return next(item for item in message.items if item.entry == entry)
        return None

    # Delivering

    def claim(
        self,
        *,
        now: datetime,
        limit: int = 200,
        ways: Collection[Reach] = ROBOTS_AND_HANDS,
        digests: int = 200,
        pace: PaceOf = lambda _group: None,
    ) -> list[Delivery]:
        """Take up to ``limit`` deliveries that are due and make them ``sending``, durably, before returning.

        Alerts before corrections before digests, oldest first; of a message in parts one after the other.
        Disabled groups wait. No other process gets the same ones. Each takes a token of its group's pace;
        where there is none, or the platform has the group held, it waits for that instant.

        :param ways: groups reached otherwise are left to another caller.
        :param digests: so many of them may be digests.
        """
        with self._writing() as connection:
            return delivering.claim(connection, now, limit, digests, ways, pace)

    def settle(
        self,
        outcomes: Sequence[tuple[int, Outcome]],
        *,
        now: datetime,
        dead: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Write how requests ended, by delivery id. Deliveries that are no longer ``sending`` are left alone.

        ``Unsent`` goes back to pending with growing, jittered pauses; ``Throttled`` likewise, but
        not before the pause asked for, which holds whatever else the group is to be told. An alert's first
        ``Unknown`` goes back once, marked as resent. ``Rejected(disable=True)`` disables the group. Of a
        message in parts, those after one that is ``rejected`` or dropped are cancelled. Of what was
        stopped nothing goes back.

        :param dead: by group, what the address that is dead can be known again by (:meth:`dead_addresses`).
        """
        with self._writing() as connection:
            delivering.settle(connection, dict(outcomes), now, self._random, dead)

    def put_back(self, held: Sequence[tuple[int, datetime]], *, now: datetime) -> None:
        """Return claimed deliveries, of which no request was begun, to pending, each until its instant.

        Of what was stopped meanwhile nothing goes back.
        """
        if held:
            with self._writing() as connection:
                delivering.put_back(connection, held, now)

    def exchange(
        self,
        outcomes: Sequence[tuple[int, Outcome]],
        held: Sequence[tuple[int, datetime]],
        *,
        now: datetime,
        dead: Mapping[str, str] = MappingProxyType({}),
        limit: int,
        digests: int = 0,
        pace: PaceOf = lambda _group: None,
    ) -> list[Delivery]:
        """:meth:`settle`, :meth:`put_back` and :meth:`claim`, all or nothing: one flush to disk does for the three."""
        with self._writing() as connection:
            delivering.settle(connection, dict(outcomes), now, self._random, dead)
            delivering.put_back(connection, held, now)
            return delivering.claim(connection, now, limit, digests, ROBOTS_AND_HANDS, pace)

    def recover(self, *, now: datetime) -> list[Delivery]:
        """Call a dead process's ``sending`` deliveries unknown, as :meth:`settle` would, and return them.

        Only for a process that knows itself to be the only one of its station that sends. On PostgreSQL,
        which stations may share by mistake, it then is the only one of all until it closes.

        :raises AnotherSends: another one does.
        """
        self.be_only_sender()
        stopped = Unknown(reason=_("发送途中程序停止，结果不明"))
        with self._writing() as connection:
            stranded = connection.scalars(sql.ALL_IN_FLIGHT).all()
            delivering.settle(connection, dict.fromkeys(stranded, stopped), now, self._random)
            return reading.deliveries(connection, stranded)

    def hold(self, before: datetime, *, now: datetime, reason: str) -> int:
        """Call ``unknown`` what was still to be sent, or on its way, before then: this outbox is older than the truth.

        As :meth:`recover`, only for the one process that sends. None is sent again by itself, an alert's neither.

        :returns: how many deliveries those are.
        :raises AnotherSends: another one does.
        """
        self.be_only_sender()
        with self._writing() as connection:
            return len(connection.execute(sql.HOLD, {"before": before, "now": now, "evidence": reason}).all())

    def expire(self, *, now: datetime) -> list[Delivery]:
        """Give up pending deliveries past their time and return them.

        They become ``expired``; one that waited for its second sending stays ``unknown``, as the first was.
        An alert that is over is erased: its text goes, and nobody is asked to pass it on any more.
        What was put off by a clock that ran ahead, and was set right since, is due again.
        """
        with self._writing() as connection:
            connection.execute(sql.CATCH_UP, {"now": now, "impossible": now + CLOCK_SLIP})
            ids = connection.scalars(sql.EXPIRE, {"now": now}).all()
            planning.erase(connection, now)
            return reading.deliveries(connection, ids)

    def due_at(self, *, ways: Collection[Reach] = ROBOTS_AND_HANDS) -> datetime | None:
        """When the next pending delivery may leave or an alert is to be erased; None if there is neither.

        Never later than that. Earlier only for a group whose turn is not yet: a :meth:`claim` that finds it so
        puts it off, so that nobody who sleeps until then looks twice in vain.

        :param ways: as of :meth:`claim`.
        """
        with self._reading() as connection:
            leaves = connection.execute(sql.DUE_AT, {"ways": sorted(ways)}).scalar()
            erased = connection.execute(sql.ERASE_AT).scalar()
            return min((instant for instant in (leaves, erased) if instant), default=None)

    def be_only_sender(self) -> None:
        """Be the only one of all that send from this database, until :meth:`close`; where it is a file, its lock is
        the station's.

        :raises AnotherSends: another one is.
        """
        if self._engine.dialect.name != "postgresql" or self._sender is not None:
            return
        with mapped():
            # A lock of the session, which therefore stays open and outside of any transaction.
            sender = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            locked = sender.execute(select(func.pg_try_advisory_lock(SENDING_LOCK))).scalar()
        if not locked:
            sender.close()
            raise AnotherSends(
                _(
                    "另一个定时程序正在用同一个数据库发送。是本站点在另一台机器上的那个，就先结束它，"
                    "或者用 gengfu run --standby 等着接班；是别的站点的，就改这里的 GENGFU_DATABASE：每个站点要有自己的数据库。"
                )
            )
        self._sender = sender

    def someone_sends(self) -> bool:
        """Whether somebody is the only sender now, on whichever machine; where it is a file, its lock is the station's and
        this knows of none."""
        if self._engine.dialect.name != "postgresql":
            return False
        with self._reading() as connection:
            return bool(connection.execute(sql.LOCKED, {"lock": SENDING_LOCK}).scalar())

    def said(self, ids: Collection[int], by: str, *, now: datetime) -> None:
        """Note that ``by`` says to have passed on the deliveries of ``ids``; those not ``handed`` are left alone."""
        evidence = _("由{by}转发（本人说）").format(by=by)
        rows = [{"delivery": id, "now": now, "evidence": evidence} for id in ids]
        if rows:
            with self._writing() as connection:
                connection.execute(sql.SAID, rows)

    def unsaid(self, ids: Collection[int], *, now: datetime) -> None:
        """Take back what :meth:`said` noted by mistake; not of an alert that is over or what was stopped since."""
        rows = [{"delivery": id, "now": now} for id in ids]
        if rows:
            with self._writing() as connection:
                connection.execute(sql.UNSAID, rows)

    def hand_tasks(self, broadcast: int | str) -> list[HandTask]:
        """Who has, or had, to pass on the broadcast by hand, by name; none for one that is not known.

        :param broadcast: its number as in :class:`HandTask`, or its key; of a key that ends in ``:`` the newest
            broadcast whose key begins so.
        """
        if isinstance(broadcast, int):
            which = BROADCAST.c.id == broadcast
        elif broadcast.endswith(":"):
            which = BROADCAST.c.key.startswith(broadcast, autoescape=True)
        else:
            which = BROADCAST.c.key == broadcast
        with self._reading() as connection:
            return reading.hand_tasks(connection, which)

    def owners(self, broadcast: int) -> list[tuple[str, str]]:
        """The key of the broadcast of this number, with each that has, or had, to pass it on by hand. Cheap."""
        with self._reading() as connection:
            rows = connection.execute(sql.OWNERS, {"broadcast": broadcast})
            return [(row.key, row.owner) for row in rows]

    def handed_out(self, broadcast: int, owner: str) -> list[Delivery]:
        """What ``owner`` has, or had, to pass on of the broadcast of this number, whatever became of it, as planned."""
        with self._reading() as connection:
            rows = connection.execute(sql.HANDED_OUT, {"broadcast": broadcast, "to": owner}).all()
            return reading.with_messages(connection, rows)

    def open_tasks(self, *, now: datetime) -> list[PlatformTask]:
        """What the platform asks people to confirm, and was not closed yet, oldest first."""
        with self._reading() as connection:
            return tasks.open_tasks(connection, now)

    def note_look(
        self,
        task: str,
        *,
        now: datetime,
        confirmed: Collection[int],
        rejected: Mapping[int, str],
        reminded: bool,
        closed: bool,
    ) -> None:
        """Note what the platform said of ``task``, all or nothing.

        :param confirmed: deliveries that its person confirmed and the platform sent; those not ``handed`` are left alone.
        :param rejected: deliveries that it will never send, and why.
        :param reminded: that person was reminded just now.
        :param closed: nobody is to look again; what is still ``handed`` of it has ``expired``.
        """
        with self._writing() as connection:
            tasks.note_look(connection, task, now, confirmed, rejected, reminded, closed)

    def used_quota(self, groups: Collection[str], *, since: datetime) -> dict[str, int]:
        """How many messages each of ``groups`` was to be asked to confirm since then, refused ones apart."""
        with self._reading() as connection:
            rows = (
                row
                for ids in batches(groups)
                for row in connection.execute(sql.USED_QUOTA, {"ids": ids, "since": since})
            )
            return {row.group_id: row.number for row in rows}

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
            return reading.counted(connection, rows)

    def recent(self, *, limit: int = 20) -> dict[str, bool]:
        """The keys of the newest broadcasts, and of older ones of which something is still to be sent, newest first;
        and whether something of each is.

        Cheap, where :meth:`broadcasts` counts every delivery.
        """
        order = BROADCAST.c.scheduled_for.desc(), BROADCAST.c.id.desc()
        newest = BROADCAST.c.id.in_(select(BROADCAST.c.id).order_by(*order).limit(limit))
        to_be_sent = BROADCAST.c.id.in_(sql.TO_BE_SENT)
        query = select(BROADCAST.c.key, to_be_sent.label("open")).where(newest | to_be_sent)
        with self._reading() as connection:
            return {row.key: bool(row.open) for row in connection.execute(query.order_by(*order))}

    def scheduled(self, since: datetime, until: datetime) -> list[Broadcast]:
        """The broadcasts scheduled from ``since`` on and before ``until``, oldest first."""
        when = BROADCAST.c.scheduled_for
        query = select(BROADCAST).where(when >= since, when < until).order_by(when, BROADCAST.c.id)
        with self._reading() as connection:
            return [reading.broadcast(row) for row in connection.execute(query)]

    def broadcast(self, key: str) -> BroadcastStatus | None:
        """The broadcast ``key`` with its deliveries counted by state; None where there is none."""
        with self._reading() as connection:
            rows = connection.execute(select(BROADCAST).where(BROADCAST.c.key == key)).all()
            return next(iter(reading.counted(connection, rows)), None)

    def is_open(self, key: str, *, until: datetime) -> bool:
        """Whether something of the broadcast ``key`` is on its way, or may leave by ``until``. Cheap.

        What waits for a disabled group may not.
        """
        with self._reading() as connection:
            return connection.execute(sql.IS_OPEN, {"key": key, "until": until}).scalar_one()

    def deliveries(self, key: str) -> list[Delivery]:
        """All deliveries of the broadcast ``key``, as they were planned; none for an unknown key."""
        with self._reading() as connection:
            rows = connection.execute(sql.ROWS.where(BROADCAST.c.key == key).order_by(DELIVERY.c.id)).all()
            return reading.with_messages(connection, rows)

    def tellings(self, group: str, entry: str) -> list[TimeTold]:
        """Every delivery to ``group`` that tells of ``entry``, however it ended, newest first."""
        with self._reading() as connection:
            return reading.tellings(connection, group, entry)

    def history(self, group: str, *, limit: int = 20) -> list[TimeTold]:
        """The newest deliveries to ``group``, however they ended, newest first."""
        with self._reading() as connection:
            return reading.history(connection, group, limit)

    def tally(
        self, since: datetime, until: datetime, by: Literal["group", "broadcast", "way", "entry"]
    ) -> dict[tuple[str, Fate], int]:
        """How many deliveries ended how, of the broadcasts scheduled from ``since`` on and before ``until``.

        :param by: what to count for: group ids, broadcasts' keys, ways of reaching a group, or entries' ids, where
            a delivery counts for each entry its message tells of.
        """
        with self._reading() as connection:
            rows = connection.execute(sql.TALLY[by], {"since": since, "until": until})
            return {(row.what, row.fate): int(row.number) for row in rows}

    def groups(self) -> set[str]:
        """Ids of the groups that anything was ever planned for."""
        with self._reading() as connection:
            return cohorts.groups(connection)

    def pulse(self, *, overdue: datetime, since: datetime) -> Pulse:
        """How it gets on; a row is written on the way, to see whether that can be done.

        :param overdue: what should have left before then and did not, is.
        :param since: from when on deliveries that came to no known end are counted.
        """
        with self._writing() as connection:
            connection.execute(update(OUTBOX_VERSION).values(version_num=OUTBOX_VERSION.c.version_num))
            return Pulse(
                overdue=connection.execute(sql.OVERDUE, {"before": overdue}).scalar_one(),
                unknown=connection.execute(sql.UNKNOWN_SINCE, {"since": since}).scalar_one(),
                disabled=connection.execute(select(func.count()).select_from(DISABLED)).scalar_one(),
            )

    def disabled(self) -> dict[str, str]:
        """Groups that nothing is sent to, and why."""
        with self._reading() as connection:
            rows = connection.execute(select(DISABLED).order_by(DISABLED.c.group_id))
            return {row.group_id: row.reason for row in rows}

    def disabled_since(self) -> dict[str, datetime]:
        """Groups that nothing is sent to, and since when."""
        with self._reading() as connection:
            return {row.group_id: row.since for row in connection.execute(select(DISABLED))}

    def dead_addresses(self) -> dict[str, str | None]:
        """Groups that nothing is sent to, and what :meth:`settle` was given to know their dead address by."""
        with self._reading() as connection:
            return {row.group_id: row.address for row in connection.execute(select(DISABLED))}

    def disable(self, group: str, reason: str, *, now: datetime) -> None:
        """Send nothing to ``group`` until :meth:`enable`; its deliveries wait, and expire in their time."""
        with self._writing() as connection:
            delivering.disable(connection, group, reason, None, now)

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
        with mapped():
            with self._writer.begin() as connection:
                yield connection
                erased = connection.info.pop(planning.ERASED, False)
            if erased:
                scrub(self._engine)
