"""Which groups a broadcast tells what together stands in tables of its own, and a group's history is read from there.

What broadcasts send at one time leaves by turns.
"""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"

_PENDING = sa.text("state = 'pending'")
_COHORT = sa.text("INSERT INTO cohort (digest, members) VALUES (:digest, :members) RETURNING id")
_TOLD = sa.text("INSERT INTO cohort_told VALUES (:cohort, :broadcast, :message, :entries)")


def upgrade() -> None:
    op.drop_index("delivery_of_group", "delivery")
    op.create_index("delivery_of_group", "delivery", ["group_id"])
    op.add_column("delivery", sa.Column("turn", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.drop_index("delivery_due", "delivery")
    op.create_index(
        "delivery_due",
        "delivery",
        ["rank", "not_before", "turn", "id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_table(
        "cohort",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        sa.Column("members", sa.Text(), nullable=False),
    )
    op.create_table(
        "cohort_told",
        sa.Column("cohort_id", sa.Integer(), sa.ForeignKey("cohort.id"), primary_key=True),
        sa.Column("broadcast_id", sa.Integer(), sa.ForeignKey("broadcast.id"), primary_key=True),
        sa.Column("message_id", sa.Integer(), sa.ForeignKey("message.id"), primary_key=True, index=True),
        sa.Column("entries", sa.Text(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("cohort_told_of_broadcast", "cohort_told", ["broadcast_id", "message_id"])
    _tell_cohorts()


def _tell_cohorts() -> None:
    """Note who was told what together, by the deliveries."""
    connection = op.get_bind()
    entries = _texts("SELECT message_id, entry FROM message_entry")
    cohorts: dict[str, int] = {}
    for broadcast in connection.execute(sa.text("SELECT id FROM broadcast")).scalars().all():
        together = _texts("SELECT message_id, group_id FROM delivery WHERE broadcast_id = :id", id=broadcast)
        for members in set(together.values()) - cohorts.keys():
            cohort = {"digest": sha256(members.encode()).hexdigest(), "members": members}
            cohorts[members] = connection.execute(_COHORT, cohort).scalar_one()
        told = [
            {
                "cohort": cohorts[members],
                "broadcast": broadcast,
                "message": id,
                "entries": entries.get(id, ""),
            }
            for id, members in together.items()
        ]
        if told:
            connection.execute(_TOLD, told)


def _texts(query: str, **which: int) -> dict[int, str]:
    """What ``query`` finds for each number, in order, with blanks between."""
    found: dict[int, set[str]] = {}
    for number, value in op.get_bind().execute(sa.text(query), which):
        found.setdefault(number, set()).add(value)
    return {number: " ".join(sorted(values)) for number, values in found.items()}
