"""What the outbox asks of its database: every statement of more than a line, named and explained."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    literal_column,
    not_,
    select,
    text,
    union,
    update,
)

from gengfu_scheduler.message import State
from gengfu_scheduler.outbox.tables import (
    BROADCAST,
    BY_HAND,
    CAME_TO_GRIEF,
    CAME_TO_NOTHING,
    COHORT,
    COHORT_TOLD,
    DELIVERY,
    DISABLED,
    MESSAGE,
    MESSAGE_ENTRY,
    MISSED,
    PACE,
    PENDING,
    PLATFORM_TASK,
    SENDING,
    TASK_DELIVERY,
)

TOLD: frozenset[State] = frozenset({"pending", "sending", "sent", "handed", "unknown"})
"""States in which a group counts as told, so that no item reaches it twice: what may have arrived, counts."""

ALERT, CORRECTION, DIGEST = 0, 1, 2
"""Ranks: the order of sending."""

NOT_DISABLED = DELIVERY.c.group_id.not_in(select(DISABLED.c.group_id))

_EARLIER = DELIVERY.alias("earlier")

# Part after part: none leaves while one before it is still to leave, or on its way.
IN_TURN = (DELIVERY.c.part == 1) | not_(
    exists().where(
        _EARLIER.c.broadcast_id == DELIVERY.c.broadcast_id,
        _EARLIER.c.group_id == DELIVERY.c.group_id,
        _EARLIER.c.part < DELIVERY.c.part,
        _EARLIER.c.state.in_(("pending", "sending")),
    )
)

# Alerts first, then whatever has waited longest; broadcasts of one time by turns.
ORDER = (DELIVERY.c.rank, DELIVERY.c.not_before, DELIVERY.c.turn, DELIVERY.c.id)

# What may be sent now, in that order. On PostgreSQL the rows are locked and
# those another process has just locked are passed over; SQLite lets one writer in at a time. A common table
# expression, because PostgreSQL may run a plain subquery more than once and would then lock too many.
DUE = (
    select(DELIVERY.c.id)
    .join(BROADCAST)
    .where(
        PENDING,
        DELIVERY.c.not_before <= bindparam("now"),
        BROADCAST.c.expires > bindparam("now"),
        DELIVERY.c.rank <= bindparam("least"),
        DELIVERY.c.way.in_(bindparam("ways", expanding=True)),
        NOT_DISABLED,
        IN_TURN,
    )
    .order_by(*ORDER)
    .limit(bindparam("limit"))
    .with_for_update(of=DELIVERY, skip_locked=True)
    .cte("due")
)


def _beside(column: Column[Any], its: Column[Any], key: str) -> ColumnElement[Any]:
    """``column`` of the row whose ``its`` is the delivery's ``key``: all that can be read where rows are changed.

    The key as text: for SQLite the names of tables are left out here, and two of them have a ``group_id``. Cast: in a
    row that is just being changed SQLite knows no type of it, and would leave the index of a text alone.
    """
    of = cast(literal_column(f"delivery.{key}"), its.type)
    return select(column).where(its == of).scalar_subquery().label(column.key)


# Take what is due: from here on, only an outcome or a recovery ends the request. (``state = 'pending'`` stands
# in the expression above; said again here it would make SQLite walk through all that is pending.) What is taken is
# read in the same breath, in no order, with what it says and how full its group's bucket is.
CLAIM = (
    update(DELIVERY)
    .where(DELIVERY.c.id.in_(select(DUE.c.id)))
    .values(state="sending", attempts=DELIVERY.c.attempts + 1, changed_at=bindparam("now"))
    .returning(
        DELIVERY.c.id,
        DELIVERY.c.group_id,
        DELIVERY.c.part,
        DELIVERY.c.way,
        DELIVERY.c.rank,
        DELIVERY.c.turn,
        DELIVERY.c.state,
        DELIVERY.c.resent,
        DELIVERY.c.attempts,
        DELIVERY.c.not_before,
        DELIVERY.c.reason,
        _beside(BROADCAST.c.key, BROADCAST.c.id, "broadcast_id"),
        _beside(BROADCAST.c.expires, BROADCAST.c.id, "broadcast_id"),
        _beside(MESSAGE.c.content, MESSAGE.c.id, "message_id"),
        _beside(PACE.c.free_at, PACE.c.group_id, "group_id"),
        _beside(PACE.c.held_until, PACE.c.group_id, "group_id"),
    )
)

# Nearly all requests end so, and alike: the platform took them. What is known of an earlier sending stays.
SENT = (
    update(DELIVERY)
    .where(DELIVERY.c.state == "sending", DELIVERY.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        state="sent",
        confirmed=bindparam("by_code"),
        changed_at=bindparam("now"),
        reason=case((DELIVERY.c.resent, DELIVERY.c.reason), else_=""),
        owner=None,
    )
)

# Those of the given deliveries that are still on their way, with what decides where they go next.
IN_FLIGHT = (
    select(
        DELIVERY.c.id,
        DELIVERY.c.broadcast_id,
        DELIVERY.c.group_id,
        DELIVERY.c.part,
        DELIVERY.c.attempts,
        DELIVERY.c.resent,
        DELIVERY.c.not_before,
        DELIVERY.c.reason,
        BROADCAST.c.form,
        BROADCAST.c.expires,
        BROADCAST.c.stopped,
    )
    .join(BROADCAST)
    .where(DELIVERY.c.state == "sending", DELIVERY.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=DELIVERY)
)

# All that is on its way: after a crash, what the dead process had begun.
ALL_IN_FLIGHT = select(DELIVERY.c.id).where(SENDING)

# Write how another request ended, unless someone else has done so in the meantime.
SETTLE = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "sending")
    .values(
        state=bindparam("next_state"),
        confirmed=bindparam("by_code"),
        resent=bindparam("again"),
        not_before=bindparam("earliest"),
        changed_at=bindparam("now"),
        reason=bindparam("evidence"),
        owner=bindparam("to"),
    )
)

# Without a part that will not leave, those after it do not either.
CANCEL_REST = (
    update(DELIVERY)
    .where(
        DELIVERY.c.broadcast_id == bindparam("broadcast"),
        DELIVERY.c.group_id == bindparam("group"),
        DELIVERY.c.part > bindparam("after"),
        DELIVERY.c.state == "pending",
    )
    .values(
        state=case((DELIVERY.c.resent, "unknown"), else_="cancelled"),
        changed_at=bindparam("now"),
        reason=bindparam("evidence"),
    )
)

_STOPPED = (
    select(BROADCAST.c.stopped)
    .where(BROADCAST.c.id == DELIVERY.c.broadcast_id, BROADCAST.c.stopped.is_not(None))
    .scalar_subquery()
)

# Undo a claim: no request was begun. Of what was stopped meanwhile none will be.
PUT_BACK = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "sending")
    .values(
        state=case((_STOPPED.is_(None), "pending"), (DELIVERY.c.resent, "unknown"), else_="cancelled"),
        attempts=DELIVERY.c.attempts - 1,
        not_before=bindparam("earliest"),
        changed_at=bindparam("now"),
        reason=func.coalesce(_STOPPED, DELIVERY.c.reason),
    )
)

# Give up what was not sent in time. What waited to be sent a second time may have arrived the first time. (Asked of
# each of the few that are pending; the broadcasts whose time is over are many, and theirs are nearly all.)
EXPIRE = (
    update(DELIVERY)
    .where(
        PENDING,
        exists().where(BROADCAST.c.id == DELIVERY.c.broadcast_id, BROADCAST.c.expires <= bindparam("now")),
    )
    .values(state=case((DELIVERY.c.resent, "unknown"), else_="expired"), changed_at=bindparam("now"))
    .returning(DELIVERY.c.id)
)

# What was put off by a clock that ran ahead, and was set right since, may leave.
CATCH_UP = (
    update(DELIVERY)
    .where(
        PENDING,
        DELIVERY.c.changed_at > bindparam("impossible"),
        DELIVERY.c.not_before > bindparam("now"),
    )
    .values(not_before=bindparam("now"), changed_at=bindparam("now"))
)

# When the next delivery wants to leave, for whoever sleeps until then.
DUE_AT = select(func.min(DELIVERY.c.not_before)).where(
    PENDING,
    DELIVERY.c.way.in_(bindparam("ways", expanding=True)),
    NOT_DISABLED,
    IN_TURN,
)

# What should have left before a given instant, and nothing keeps from leaving.
OVERDUE = select(func.count()).where(
    PENDING, DELIVERY.c.not_before <= bindparam("before"), NOT_DISABLED, IN_TURN
)

# What came to no known end since a given instant.
UNKNOWN_SINCE = select(func.count()).where(
    CAME_TO_GRIEF, DELIVERY.c.state == "unknown", DELIVERY.c.changed_at >= bindparam("since")
)

# When the next alert is over.
ERASE_AT = select(func.min(BROADCAST.c.expires)).where(BROADCAST.c.form == "alert", ~BROADCAST.c.erased)

# Deliveries without their messages, which many of them share.
ROWS = select(
    DELIVERY.c.id,
    DELIVERY.c.group_id,
    DELIVERY.c.part,
    DELIVERY.c.message_id,
    DELIVERY.c.way,
    DELIVERY.c.state,
    DELIVERY.c.resent,
    DELIVERY.c.attempts,
    DELIVERY.c.not_before,
    DELIVERY.c.reason,
    BROADCAST.c.key,
    BROADCAST.c.expires,
).join(BROADCAST)

# An alert that was begun and then ended may have been passed on by the person it was handed to.
COUNTS_AS_TOLD = DELIVERY.c.state.in_(sorted(TOLD)) | (
    (DELIVERY.c.rank < DIGEST) & (DELIVERY.c.attempts > 0) & DELIVERY.c.state.in_(("expired", "cancelled"))
)

# Which groups one broadcast tells which message.
TOGETHER = (
    select(DELIVERY.c.message_id, func.aggregate_strings(DELIVERY.c.group_id, " ").label("members"))
    .where(DELIVERY.c.broadcast_id == bindparam("broadcast"))
    .group_by(DELIVERY.c.message_id)
)

# What each cohort was to be told, a line a message: its broadcast, then its entries. Of the hundreds of thousands of
# rows that there may be one text a cohort is read; cohorts told alike have the same.
_LINE = cast(COHORT_TOLD.c.broadcast_id, String) + " " + COHORT_TOLD.c.entries
HEARD = (
    select(COHORT_TOLD.c.cohort_id, func.aggregate_strings(_LINE, "\n").label("lines"))
    .where(COHORT_TOLD.c.cohort_id.in_(bindparam("ids", expanding=True)))
    .group_by(COHORT_TOLD.c.cohort_id)
)

# Which broadcasts came to nothing for a group, each once a part: few deliveries, all in an index of their own.
NOT_HEARD = (
    select(
        DELIVERY.c.group_id,
        func.aggregate_strings(cast(DELIVERY.c.broadcast_id, String), "\n").label("broadcasts"),
    )
    .where(CAME_TO_NOTHING, not_(COUNTS_AS_TOLD), DELIVERY.c.group_id.in_(bindparam("ids", expanding=True)))
    .group_by(DELIVERY.c.group_id)
)

# The broadcasts planned lately; and who was told what by them. Two statements: of one, a database without
# statistics may make its way from every message that ever told of an entry.
LATELY = select(BROADCAST.c.id, BROADCAST.c.scheduled_for).where(BROADCAST.c.planned_at > bindparam("since"))
TOLD_BY = select(DELIVERY.c.group_id, DELIVERY.c.broadcast_id, DELIVERY.c.message_id).where(
    DELIVERY.c.broadcast_id.in_(bindparam("broadcasts", expanding=True)),
    DELIVERY.c.group_id.in_(bindparam("groups", expanding=True)),
    COUNTS_AS_TOLD,
)

# Nothing of it was ever begun.
UNTOUCHED = (DELIVERY.c.state == "pending") & (DELIVERY.c.attempts == 0)
# Nor did a robot tell of it: what it may have told is ``unknown`` or ``resent``; only people pass on what was ended.
NEVER_LEFT = (
    (DELIVERY.c.way == "webhook")
    & ~DELIVERY.c.resent
    & DELIVERY.c.state.in_(("pending", "expired", "cancelled"))
)

# Which groups were told the given entry, and for which instant last.
HEARD_BY = (
    select(DELIVERY.c.group_id, func.max(BROADCAST.c.scheduled_for).label("when"))
    .join(BROADCAST, BROADCAST.c.id == DELIVERY.c.broadcast_id)
    .join(MESSAGE_ENTRY, MESSAGE_ENTRY.c.message_id == DELIVERY.c.message_id)
    .where(MESSAGE_ENTRY.c.entry == bindparam("entry"), COUNTS_AS_TOLD)
    .group_by(DELIVERY.c.group_id)
)

# Alerts that are over and still say what they said.
OVER = select(BROADCAST.c.id).where(
    BROADCAST.c.form == "alert", ~BROADCAST.c.erased, BROADCAST.c.expires <= bindparam("now")
)

# The messages of the given broadcasts that nothing still to be sent shares.
SPENT = (
    select(MESSAGE.c.id, MESSAGE.c.content)
    .distinct()
    .join(DELIVERY, DELIVERY.c.message_id == MESSAGE.c.id)
    .where(
        DELIVERY.c.broadcast_id.in_(bindparam("ids", expanding=True)),
        MESSAGE.c.id.not_in(
            select(DELIVERY.c.message_id)
            .join(BROADCAST)
            .where(BROADCAST.c.form == "alert", BROADCAST.c.expires > bindparam("now"))
        ),
    )
)

# Broadcasts of which something is still to be sent.
TO_BE_SENT = union(
    select(DELIVERY.c.broadcast_id).where(PENDING), select(DELIVERY.c.broadcast_id).where(SENDING)
)

# Whether something of one broadcast is on its way, or may leave by a given instant.
_OF_KEY = select(BROADCAST.c.id).where(BROADCAST.c.key == bindparam("key")).scalar_subquery()
IS_OPEN = select(
    exists().where(SENDING, DELIVERY.c.broadcast_id == _OF_KEY)
    | exists().where(
        PENDING,
        DELIVERY.c.broadcast_id == _OF_KEY,
        DELIVERY.c.not_before <= bindparam("until"),
        NOT_DISABLED,
    )
)

# Broadcasts that a person should not lose sight of, however many came after them: of which something still
# waits, or of which something came to grief since a given instant.
OPEN = select(DELIVERY.c.broadcast_id).where(
    PENDING | SENDING | (CAME_TO_GRIEF & (DELIVERY.c.changed_at >= bindparam("since")))
)

# A person says that a task is done. ``confirmed`` stays empty: nobody but that person knows.
SAID = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "handed")
    .values(state="sent", changed_at=bindparam("now"), reason=bindparam("evidence"))
)

# ... or that it is not, after all. What was ended since stays ended.
UNSAID = (
    update(DELIVERY)
    .where(
        DELIVERY.c.id == bindparam("delivery"),
        DELIVERY.c.state == "sent",
        DELIVERY.c.confirmed.is_(None),
        BY_HAND,
        ~exists().where(
            BROADCAST.c.id == DELIVERY.c.broadcast_id,
            ((BROADCAST.c.form == "alert") & (BROADCAST.c.expires <= bindparam("now")))
            | BROADCAST.c.stopped.is_not(None),
        ),
    )
    .values(state="handed", changed_at=bindparam("now"), reason=DELIVERY.c.owner)
)

# Who has, or had, how much of a broadcast to pass on by hand; and what that is.
HANDED_TO = (
    select(
        DELIVERY.c.owner,
        func.count(DELIVERY.c.group_id.distinct()).label("groups"),
        func.count(case((DELIVERY.c.state != "sent", DELIVERY.c.group_id)).distinct()).label("waiting"),
    )
    .where(DELIVERY.c.broadcast_id == bindparam("broadcast"), BY_HAND)
    .group_by(DELIVERY.c.owner)
    .order_by(DELIVERY.c.owner)
)
OWNERS = (
    select(BROADCAST.c.key, DELIVERY.c.owner)
    .distinct()
    .select_from(BROADCAST.join(DELIVERY))
    .where(BROADCAST.c.id == bindparam("broadcast"), BY_HAND)
)
HANDED_OUT = ROWS.where(
    DELIVERY.c.broadcast_id == bindparam("broadcast"), DELIVERY.c.owner == bindparam("to")
).order_by(DELIVERY.c.id)

# How many deliveries of each broadcast stand where.
COUNTS = (
    select(
        DELIVERY.c.broadcast_id,
        DELIVERY.c.state,
        func.count().label("number"),
        func.sum(case((DELIVERY.c.confirmed, 1), else_=0)).label("confirmed"),
        func.sum(case((DELIVERY.c.confirmed.is_(None), 1), else_=0)).label("without_answer"),
    )
    .where(DELIVERY.c.broadcast_id.in_(bindparam("ids", expanding=True)))
    .group_by(DELIVERY.c.broadcast_id, DELIVERY.c.state)
)

# Send again what came to grief. What may have arrived is marked; one begun stays known as such, and the pauses
# between its tries begin anew.
RESEND = (
    update(DELIVERY)
    .where(
        DELIVERY.c.broadcast_id == bindparam("broadcast"),
        DELIVERY.c.state.in_(bindparam("states", expanding=True)),
    )
    .values(
        state="pending",
        resent=DELIVERY.c.resent | (DELIVERY.c.state == "unknown"),
        reason=case((DELIVERY.c.state == "unknown", DELIVERY.c.reason), else_=""),
        attempts=case((DELIVERY.c.attempts > 0, 1), else_=0),
        not_before=bindparam("now"),
        changed_at=bindparam("now"),
    )
    .returning(DELIVERY.c.group_id, DELIVERY.c.part)
)

# ... and, with a part, those after it that were cancelled for its sake.
RESEND_REST = (
    update(DELIVERY)
    .where(
        DELIVERY.c.broadcast_id == bindparam("broadcast"),
        DELIVERY.c.group_id == bindparam("group"),
        DELIVERY.c.part > bindparam("after"),
        DELIVERY.c.state == "cancelled",
    )
    .values(state="pending", reason="", not_before=bindparam("now"), changed_at=bindparam("now"))
)

# End what a broadcast still has to say. What was to be sent a second time may have arrived the first time.
STOP = (
    update(DELIVERY)
    .where(DELIVERY.c.broadcast_id == bindparam("broadcast"), DELIVERY.c.state.in_(("pending", "handed")))
    .values(
        state=case((DELIVERY.c.resent, "unknown"), else_="cancelled"),
        changed_at=bindparam("now"),
        reason=bindparam("evidence"),
    )
    .returning(DELIVERY.c.id)
)

# What the tasks that are not closed ask for.
ASKED = (
    select(TASK_DELIVERY.c.task_id, DELIVERY.c.id, DELIVERY.c.group_id, DELIVERY.c.state)
    .join(DELIVERY, DELIVERY.c.id == TASK_DELIVERY.c.delivery_id)
    .join(PLATFORM_TASK, PLATFORM_TASK.c.id == TASK_DELIVERY.c.task_id)
    .where(~PLATFORM_TASK.c.closed)
    .order_by(DELIVERY.c.id)
)

# The platform says how a delivery that lay with a person ended.
CONFIRMED = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "handed")
    .values(
        # What was sent before, to no known end, may have arrived although this was not.
        state=case(
            ((bindparam("next_state") == "rejected") & DELIVERY.c.resent, "unknown"),
            else_=bindparam("next_state"),
        ),
        confirmed=bindparam("by_code"),
        changed_at=bindparam("now"),
        reason=bindparam("evidence"),
    )
)

# Nobody is asked any more. What came of an earlier sending is still not known.
CLOSED = (
    update(DELIVERY)
    .where(
        DELIVERY.c.id.in_(
            select(TASK_DELIVERY.c.delivery_id)
            .join(PLATFORM_TASK)
            .where(PLATFORM_TASK.c.task == bindparam("of"))
        ),
        DELIVERY.c.state == "handed",
    )
    .values(state=case((DELIVERY.c.resent, "unknown"), else_="expired"), changed_at=bindparam("now"))
)

# What counts against the platform's quota of a group: what a person was, or may have been, asked to confirm.
USED_QUOTA = (
    select(DELIVERY.c.group_id, func.count().label("number"))
    .where(
        DELIVERY.c.group_id.in_(bindparam("ids", expanding=True)),
        DELIVERY.c.way == "confirm",
        DELIVERY.c.state.in_(("handed", "sent", "unknown")),
        DELIVERY.c.changed_at >= bindparam("since"),
    )
    .group_by(DELIVERY.c.group_id)
)

_FATE = case(
    (DELIVERY.c.state == "sending", "pending"),
    (DELIVERY.c.state != "sent", DELIVERY.c.state),
    (DELIVERY.c.confirmed.is_(None), "said"),
    (DELIVERY.c.confirmed, "confirmed"),
    else_="accepted",
).label("fate")


# What one group was told, newest first.
TOLD_GROUP = (
    select(
        BROADCAST.c.key,
        BROADCAST.c.title,
        BROADCAST.c.scheduled_for,
        DELIVERY.c.not_before,
        DELIVERY.c.reason,
        DELIVERY.c.owner,
        _FATE,
    )
    .select_from(BROADCAST.join(DELIVERY))
    .where(DELIVERY.c.group_id == bindparam("group"))
    .order_by(BROADCAST.c.scheduled_for.desc(), DELIVERY.c.id.desc())
)

# ... of one entry.
TELLINGS = TOLD_GROUP.where(
    exists().where(
        MESSAGE_ENTRY.c.message_id == DELIVERY.c.message_id, MESSAGE_ENTRY.c.entry == bindparam("entry")
    )
)


def _tally(by: ColumnElement[Any]) -> Select[tuple[Any, str, int]]:
    """How many deliveries of the broadcasts of a span of time ended how."""
    return (
        select(by.label("what"), _FATE, func.count().label("number"))
        .select_from(BROADCAST.join(DELIVERY))
        .where(
            BROADCAST.c.scheduled_for >= bindparam("since"), BROADCAST.c.scheduled_for < bindparam("until")
        )
        .group_by(by, _FATE)
    )


_OF_MESSAGES = _tally(DELIVERY.c.message_id).subquery()

TALLY: dict[str, Select[Any]] = {
    "group": _tally(DELIVERY.c.group_id),
    "broadcast": _tally(BROADCAST.c.key),
    "way": _tally(DELIVERY.c.way),
    # Counted for messages first, of which there are few.
    "entry": select(
        MESSAGE_ENTRY.c.entry.label("what"),
        _OF_MESSAGES.c.fate,
        func.sum(_OF_MESSAGES.c.number).label("number"),
    )
    .join(_OF_MESSAGES, _OF_MESSAGES.c.what == MESSAGE_ENTRY.c.message_id)
    .group_by(MESSAGE_ENTRY.c.entry, _OF_MESSAGES.c.fate),
}

# Broadcasts before an instant of which nothing can change any more but by a person's word.
FORGETTABLE = (
    select(BROADCAST.c.id)
    .where(
        BROADCAST.c.scheduled_for < bindparam("before"),
        ~exists().where(
            DELIVERY.c.broadcast_id == BROADCAST.c.id, DELIVERY.c.state.in_(("pending", "sending"))
        ),
        ~exists().where(PLATFORM_TASK.c.broadcast_id == BROADCAST.c.id, ~PLATFORM_TASK.c.closed),
    )
    .order_by(BROADCAST.c.id)
)

_OF_ONE = DELIVERY.c.broadcast_id == bindparam("broadcast")

# A broadcast with all that hangs on it, in the order that the references allow.
FORGET = (
    delete(TASK_DELIVERY).where(TASK_DELIVERY.c.delivery_id.in_(select(DELIVERY.c.id).where(_OF_ONE))),
    delete(PLATFORM_TASK).where(PLATFORM_TASK.c.broadcast_id == bindparam("broadcast")),
    delete(COHORT_TOLD).where(COHORT_TOLD.c.broadcast_id == bindparam("broadcast")),
    delete(DELIVERY).where(_OF_ONE),
    delete(BROADCAST).where(BROADCAST.c.id == bindparam("broadcast")),
)

_UNSHARED = ~exists().where(DELIVERY.c.message_id == MESSAGE.c.id)

# What no broadcast needs any more.
FORGET_REST = (
    delete(MESSAGE_ENTRY).where(MESSAGE_ENTRY.c.message_id.in_(select(MESSAGE.c.id).where(_UNSHARED))),
    delete(MESSAGE).where(_UNSHARED),
    delete(COHORT).where(COHORT.c.id.not_in(select(COHORT_TOLD.c.cohort_id))),
    delete(MISSED).where(MISSED.c.scheduled_for < bindparam("before")),
    delete(PACE).where(
        func.coalesce(PACE.c.free_at, PACE.c.held_until) < bindparam("before"),
        func.coalesce(PACE.c.held_until, PACE.c.free_at) < bindparam("before"),
    ),
)

# What was still to be sent, or on its way, when a backup was taken: it may have been told since.
HOLD = (
    update(DELIVERY)
    .where(PENDING | SENDING, DELIVERY.c.changed_at <= bindparam("before"))
    .values(state="unknown", changed_at=bindparam("now"), reason=bindparam("evidence"))
    .returning(DELIVERY.c.id)
)

# The digests of one broadcast that nobody knows to have been told or not.
ASSUME = (
    update(DELIVERY)
    .where(
        DELIVERY.c.broadcast_id
        == select(BROADCAST.c.id).where(BROADCAST.c.key == bindparam("of")).scalar_subquery(),
        DELIVERY.c.state == "pending",
    )
    .values(state="unknown", reason=bindparam("evidence"))
)

# Whether anybody holds a lock by a number, of PostgreSQL: https://www.postgresql.org/docs/current/view-pg-locks.html.
LOCKED = text(
    "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE datname = current_database() AND locktype = 'advisory' AND granted AND objsubid = 1"
    " AND (CAST(classid AS bigint) << 32) + CAST(objid AS bigint) = :lock)"
)
