"""The outbox's tables."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
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
)


class Instant(TypeDecorator[datetime]):
    """An aware instant, stored as UTC and read back as UTC; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


METADATA = MetaData()

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
)

DELIVERY = Table(
    "delivery",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("broadcast_id", ForeignKey("broadcast.id"), nullable=False),
    Column("group_id", String, nullable=False),
    Column("part", SmallInteger, nullable=False),
    Column("message_id", ForeignKey("message.id"), nullable=False),
    Column("way", String, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # 0 alert, 1 digest: the order of sending
    Column("state", String, nullable=False),
    Column("confirmed", Boolean),  # of what was sent: by the platform's own code, or only accepted
    Column("resent", Boolean, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("broadcast_id", "group_id", "part"),
    Index("delivery_due", "state", "rank", "not_before"),
    Index("delivery_of_group", "group_id", "message_id"),
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
