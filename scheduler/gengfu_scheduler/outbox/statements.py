"""What the outbox asks of its database: every statement of more than a line, named and explained."""

from __future__ import annotations

from sqlalchemy import (
    String,
    bindparam,
    case,
    cast,
    func,
    select,
    update,
)

from gengfu_scheduler.message import State
from gengfu_scheduler.outbox.tables import (
    BROADCAST,
    DELIVERY,
    DISABLED,
    MESSAGE,
    MESSAGE_ENTRY,
)

TOLD: frozenset[State] = frozenset({"pending", "sending", "sent", "handed", "unknown"})
"""States in which a group counts as told, so that no item reaches it twice: what may have arrived, counts."""

NOT_DISABLED = DELIVERY.c.group_id.not_in(select(DISABLED.c.group_id))

# What may be sent now: alerts first, then whatever has waited longest. On PostgreSQL the rows are locked and
# those another process has just locked are passed over; SQLite lets one writer in at a time. A common table
# expression, because PostgreSQL may run a plain subquery more than once and would then lock too many.
DUE = (
    select(DELIVERY.c.id)
    .join(BROADCAST)
    .where(
        DELIVERY.c.state == "pending",
        DELIVERY.c.not_before <= bindparam("now"),
        BROADCAST.c.expires > bindparam("now"),
        NOT_DISABLED,
    )
    .order_by(DELIVERY.c.rank, DELIVERY.c.not_before, DELIVERY.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=DELIVERY, skip_locked=True)
    .cte("due")
)

# Take what is due: from here on, only an outcome or a recovery ends the request. (``state = 'pending'`` stands
# in the expression above; said again here it would make SQLite walk through all that is pending.)
CLAIM = (
    update(DELIVERY)
    .where(DELIVERY.c.id.in_(select(DUE.c.id)))
    .values(state="sending", attempts=DELIVERY.c.attempts + 1, changed_at=bindparam("now"))
    .returning(DELIVERY.c.id)
)

# Those of the given deliveries that are still on their way, with what decides where they go next.
IN_FLIGHT = (
    select(
        DELIVERY.c.id,
        DELIVERY.c.group_id,
        DELIVERY.c.attempts,
        DELIVERY.c.resent,
        DELIVERY.c.not_before,
        DELIVERY.c.reason,
        BROADCAST.c.form,
        BROADCAST.c.expires,
    )
    .join(BROADCAST)
    .where(DELIVERY.c.state == "sending", DELIVERY.c.id.in_(bindparam("ids", expanding=True)))
    .with_for_update(of=DELIVERY)
)

# All that is on its way: after a crash, what the dead process had begun.
ALL_IN_FLIGHT = select(DELIVERY.c.id).where(DELIVERY.c.state == "sending")

# Write how a request ended, unless someone else has done so in the meantime.
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
    )
)

# Undo a claim: no request was begun.
PUT_BACK = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "sending")
    .values(
        state="pending",
        attempts=DELIVERY.c.attempts - 1,
        not_before=bindparam("earliest"),
        changed_at=bindparam("now"),
    )
)

# Give up what was not sent in time. What waited to be sent a second time may have arrived the first time.
EXPIRE = (
    update(DELIVERY)
    .where(
        DELIVERY.c.state == "pending",
        DELIVERY.c.broadcast_id.in_(select(BROADCAST.c.id).where(BROADCAST.c.expires <= bindparam("now"))),
    )
    .values(state=case((DELIVERY.c.resent, "unknown"), else_="expired"), changed_at=bindparam("now"))
    .returning(DELIVERY.c.id)
)

# When the next delivery wants to leave, for whoever sleeps until then.
DUE_AT = select(func.min(DELIVERY.c.not_before)).where(DELIVERY.c.state == "pending", NOT_DISABLED)

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
    (DELIVERY.c.rank == 0) & (DELIVERY.c.attempts > 0) & DELIVERY.c.state.in_(("expired", "cancelled"))
)

# What each group was told, as "broadcast/message broadcast/message …": of the millions of rows that there may
# be one text a group is read, and groups told alike have the same.
HEARD = (
    select(
        DELIVERY.c.group_id,
        func.aggregate_strings(
            cast(DELIVERY.c.broadcast_id, String) + "/" + cast(DELIVERY.c.message_id, String), " "
        ).label("heard"),
    )
    .where(COUNTS_AS_TOLD, DELIVERY.c.group_id.in_(bindparam("ids", expanding=True)))
    .group_by(DELIVERY.c.group_id)
)

# Which of the given entries were told to which groups lately, and for which instant.
TOLD_LATELY = (
    select(DELIVERY.c.group_id, MESSAGE_ENTRY.c.entry, BROADCAST.c.scheduled_for)
    .join(BROADCAST, BROADCAST.c.id == DELIVERY.c.broadcast_id)
    .join(MESSAGE_ENTRY, MESSAGE_ENTRY.c.message_id == DELIVERY.c.message_id)
    .where(
        BROADCAST.c.planned_at > bindparam("since"),
        MESSAGE_ENTRY.c.entry.in_(bindparam("entries", expanding=True)),
        COUNTS_AS_TOLD,
    )
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

# Broadcasts that a person should not lose sight of, however many came after them: of which something still
# waits, or of which something came to grief since a given instant.
OPEN = select(DELIVERY.c.broadcast_id).where(
    DELIVERY.c.state.in_(("pending", "sending"))
    | (DELIVERY.c.state.in_(("unknown", "rejected")) & (DELIVERY.c.changed_at >= bindparam("since")))
)

# A person says that a task is done. ``confirmed`` stays empty: nobody but that person knows.
SAID = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), DELIVERY.c.state == "handed")
    .values(state="sent", changed_at=bindparam("now"), reason=bindparam("evidence"))
)

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
