"""What came to nothing is read from its index alone, and what a cohort was told is found by broadcast."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"

_LOST = sa.text("state IN ('cancelled', 'expired', 'rejected')")


def upgrade() -> None:
    op.drop_index("delivery_lost", "delivery")
    op.create_index(
        "delivery_lost",
        "delivery",
        ["group_id", "broadcast_id", "state", "rank", "attempts"],
        sqlite_where=_LOST,
        postgresql_where=_LOST,
    )
    op.drop_index("cohort_told_of_broadcast", "cohort_told")
    op.create_index("ix_cohort_told_broadcast_id", "cohort_told", ["broadcast_id"])
