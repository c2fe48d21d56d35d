"""The outbox's tables, as they are now. How a database of an earlier version gets there stands in ``migrations``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

VERSION = 6
"""Of the tables below. Whoever changes them counts this up and writes the revision of that number in ``migrations``."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant, read back as UTC; naive ones are refused.

    SQLite, which has no such type, is given microseconds since 1970: a third of the bytes of a text.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | int | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone")
        return (value - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        there: datetime = value
        return there.astimezone(UTC)


METADATA = MetaData()

# Alembic's own table, under a name that no other program on the same server has; one row.
OUTBOX_VERSION = Table(
    "outbox_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="outbox_version_pkc"),
)

BROADCAST = Table(
    "broadcast",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("form", String, nullable=False),
    Column("title", String, nullable=False),
    Column("scheduled_for", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("linked", Boolean, nullable=False),
    Column("erased", Boolean, nullable=False),  # an alert that is over: what it said is gone
    Column("stopped", Text),  # why a person stopped it
)

# A message is kept once, however many groups are told it; ``digest`` is the SHA-256 of ``content``.
MESSAGE = Table(
    "message",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("content", Text, nullable=False),
)

# Which entries a message tells of, so that "was this group told that?" is a join.
MESSAGE_ENTRY = Table(
    "message_entry",
    METADATA,
    Column("message_id", ForeignKey("message.id"), primary_key=True),
    Column("entry", String, primary_key=True),
    Index("message_of_entry", "entry"),
)

_state = Column("state", String, nullable=False)
_owner = Column("owner", Text)

# Said as text and not as parameters, so that the database can tell that an index of some rows only serves.
PENDING = _state == literal_column("'pending'")
SENDING = _state == literal_column("'sending'")
BY_HAND = _owner.is_not(None)
CAME_TO_NOTHING = _state.in_(tuple(literal_column(f"'{s}'") for s in ("cancelled", "expired", "rejected")))
CAME_TO_GRIEF = _state.in_((literal_column("'unknown'"), literal_column("'rejected'")))


def _index_of(which: ColumnElement[bool], name: str, *columns: str) -> Index:
    """Of a few rows among millions: what is over weighs on nothing that is still to be done."""
    return Index(name, *columns, sqlite_where=which, postgresql_where=which)


DELIVERY = Table(
    "delivery",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("broadcast_id", ForeignKey("broadcast.id"), nullable=False),
    Column("group_id", String, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("message_id", ForeignKey("message.id"), nullable=False),
    Column("way", String, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # 0 alert, 1 correction, 2 digest: the order of sending
    # Its place in its broadcast: of what is to leave at one time the first of each goes before the second of any.
    Column("turn", Integer, nullable=False, server_default=text("0")),
    _state,
    Column("confirmed", Boolean),  # of what was sent: by the platform's own code, or only accepted
    Column("resent", Boolean, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    _owner,  # who was handed it to pass on by hand, also when that is done
    UniqueConstraint("broadcast_id", "group_id", "part"),
    # The whole order of sending: PostgreSQL, which knows little of rows that come and go, then sorts nothing.
    _index_of(PENDING, "delivery_due", "rank", "not_before", "turn", "id"),
    _index_of(SENDING, "delivery_in_flight", "broadcast_id"),
    _index_of(CAME_TO_GRIEF, "delivery_to_look_at", "changed_at"),
    _index_of(BY_HAND, "delivery_by_hand", "broadcast_id", "owner"),
    # All that is asked of them: those of a group that is dead for a year lie all over the file.
    _index_of(CAME_TO_NOTHING, "delivery_lost", "group_id", "broadcast_id", "state", "rank", "attempts"),
    Index("delivery_of_group", "group_id"),
    Index("delivery_of_message", "message_id"),
)

# Groups that are told something together, kept once however often they are; ``members`` are their ids in order, with
# blanks between them, and ``digest`` is the SHA-256 of it.
COHORT = Table(
    "cohort",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("members", Text, nullable=False),
)

# What a cohort was to be told: the deliveries of a broadcast that share a message, in one row. ``entries`` are the
# message's, in order, with blanks between them. A cohort's rows lie together: they are read together.
COHORT_TOLD = Table(
    "cohort_told",
    METADATA,
    Column("cohort_id", ForeignKey("cohort.id"), primary_key=True),
    Column("broadcast_id", ForeignKey("broadcast.id"), primary_key=True, index=True),
    Column("message_id", ForeignKey("message.id"), primary_key=True, index=True),
    Column("entries", Text, nullable=False),
    sqlite_with_rowid=False,
)

MISSED = Table(
    "missed",
    METADATA,
    Column("slot", String, primary_key=True),
    Column("scheduled_for", Instant, primary_key=True),
    Column("recorded_at", Instant, nullable=False),
)

PROGRESS = Table(
    "slot_progress",
    METADATA,
    Column("slot", String, primary_key=True),
    Column("times", String, nullable=False),
    Column("planned_until", Instant, nullable=False),
)

DISABLED = Table(
    "disabled_group",
    METADATA,
    Column("group_id", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("address", String),  # a mark of the dead address, never the address
    Column("since", Instant, nullable=False),
)

# The bucket of tokens of a group (:class:`gengfu_scheduler.message.Pace`).
PACE = Table(
    "pace",
    METADATA,
    Column("group_id", String, primary_key=True),
    Column("free_at", Instant),  # when it is full again: the algorithm's theoretical arrival time
    Column("held_until", Instant),  # what the platform asked for
)

# What a platform was told to ask a person to confirm.
PLATFORM_TASK = Table(
    "platform_task",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("task", String, nullable=False, unique=True),
    Column("account", String, nullable=False),
    Column("broadcast_id", ForeignKey("broadcast.id"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("reminders", SmallInteger, nullable=False),
    Column("looked_at", Instant),
    Column("closed", Boolean, nullable=False),
)

TASK_DELIVERY = Table(
    "task_delivery",
    METADATA,
    Column("delivery_id", ForeignKey("delivery.id"), primary_key=True),
    Column("task_id", ForeignKey("platform_task.id"), nullable=False, index=True),
)
