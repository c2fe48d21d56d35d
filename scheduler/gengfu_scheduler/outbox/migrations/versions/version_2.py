"""Ways, parts, pace, the platforms' tasks, and who was handed what.

What is there already is looked up, because the tables of version 1 differ; nothing of theirs is dropped but indexes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"

INSTANT = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
"""On SQLite microseconds since 1970. Until then it was a text such as ``2026-11-21 12:00:00.000000``, in UTC."""

_INSTANTS = {
    "broadcast": ("scheduled_for", "expires", "planned_at"),
    "delivery": ("not_before", "changed_at"),
    "missed": ("scheduled_for", "recorded_at"),
    "slot_progress": ("planned_until",),
    "disabled_group": ("since",),
}

# Columns that some lack, and what the rows that are there say in them.
_COLUMNS = (
    ("broadcast", "linked", sa.Boolean(), "true"),
    ("broadcast", "erased", sa.Boolean(), "false"),
    # At which times the slot was planned is not known any more: it begins anew, as one whose times were changed.
    ("slot_progress", "times", sa.String(), "''"),
    # Only what a person was handed, or says to have passed on, is known not to have gone to a robot.
    (
        "delivery",
        "way",
        sa.String(),
        "CASE WHEN state = 'handed' OR (state = 'sent' AND confirmed IS NULL) THEN 'hand' ELSE 'webhook' END",
    ),
)


def upgrade() -> None:
    there = sa.inspect(op.get_bind())
    for table in ("delivery", "message_entry"):
        for index in there.get_indexes(table):
            if not index.get("duplicates_constraint"):
                op.drop_index(str(index["name"]), table)
    if not there.has_table("outbox_schema"):
        _complete(there)
        _rank()
        _make_tables()
    _say_owners()
    _make_indexes()


def _complete(there: sa.Inspector) -> None:
    """Add the columns that are missing, and on SQLite make numbers of the instants."""
    for table, name, type_, said in _COLUMNS:
        if name not in _names(there, table):
            op.add_column(table, sa.Column(name, type_))
            op.execute(f"UPDATE {table} SET {name} = {said}")  # noqa: S608
    if "address" not in _names(there, "disabled_group"):
        op.add_column("disabled_group", sa.Column("address", sa.String()))
    op.add_column("broadcast", sa.Column("stopped", sa.Text()))
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, instants in _INSTANTS.items():
        if on_sqlite:
            for name in instants:
                op.execute(f"UPDATE {table} SET {name} = {_microseconds(name)}")  # noqa: S608
        with op.batch_alter_table(table) as change:
            for of, name, type_, _said in _COLUMNS:
                if of == table:
                    change.alter_column(name, existing_type=type_, nullable=False)
            for name in instants if on_sqlite else ():
                change.alter_column(name, type_=INSTANT)


def _names(there: sa.Inspector, table: str) -> set[str]:
    return {column["name"] for column in there.get_columns(table)}


def _microseconds(text: str) -> str:
    seconds = f"CAST(strftime('%s', substr({text}, 1, 19)) AS INTEGER)"
    return f"{seconds} * 1000000 + CAST(substr({text}, 21, 6) AS INTEGER)"


def _rank() -> None:
    """A correction now goes after an alert and before a digest."""
    broadcast = "(SELECT {} FROM broadcast WHERE broadcast.id = delivery.broadcast_id)"
    op.execute(
        "UPDATE delivery SET rank = CASE"  # noqa: S608
        f" WHEN {broadcast.format('form')} <> 'alert' THEN 2"
        f" WHEN substr({broadcast.format('key')}, 1, 6) = 'alert:' THEN 0 ELSE 1 END"
    )


def _make_tables() -> None:
    op.create_table("outbox_schema", sa.Column("version", sa.Integer(), primary_key=True))
    op.create_table(
        "pace",
        sa.Column("group_id", sa.String(), primary_key=True),
        sa.Column("free_at", INSTANT),
        sa.Column("held_until", INSTANT),
    )
    op.create_table(
        "platform_task",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("task", sa.String(), nullable=False, unique=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), sa.ForeignKey("broadcast.id"), nullable=False, index=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("reminders", sa.SmallInteger(), nullable=False),
        sa.Column("looked_at", INSTANT),
        sa.Column("closed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "task_delivery",
        sa.Column("delivery_id", sa.Integer(), sa.ForeignKey("delivery.id"), primary_key=True),
        sa.Column("task_id", sa.Integer(), sa.ForeignKey("platform_task.id"), nullable=False, index=True),
    )


def _say_owners() -> None:
    """Who was handed it stood in the reason; of a platform's task it still does."""
    op.add_column("delivery", sa.Column("owner", sa.Text()))
    op.execute(
        "UPDATE delivery SET owner = reason"
        " WHERE state = 'handed' AND id NOT IN (SELECT delivery_id FROM task_delivery)"
    )


def _make_indexes() -> None:
    for name, columns, which in (
        ("delivery_due", ["rank", "not_before", "id"], "state = 'pending'"),
        ("delivery_in_flight", ["broadcast_id"], "state = 'sending'"),
        ("delivery_to_look_at", ["changed_at"], "state IN ('unknown', 'rejected')"),
        ("delivery_by_hand", ["broadcast_id", "owner"], "owner IS NOT NULL"),
    ):
        some = sa.text(which)
        op.create_index(name, "delivery", columns, sqlite_where=some, postgresql_where=some)
    op.create_index("delivery_of_group", "delivery", ["group_id"])
    op.create_index("delivery_of_message", "delivery", ["message_id"])
    op.create_index("message_of_entry", "message_entry", ["entry"])
