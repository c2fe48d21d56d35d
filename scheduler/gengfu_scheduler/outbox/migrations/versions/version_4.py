"""A group's history is read from an index alone, and what came to nothing from one of its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"

_LOST = sa.text("state IN ('cancelled', 'expired', 'rejected')")


def upgrade() -> None:
    op.drop_index("delivery_of_group", "delivery")
    op.create_index("delivery_of_group", "delivery", ["group_id", "broadcast_id", "message_id"])
    op.create_index("delivery_lost", "delivery", ["group_id"], sqlite_where=_LOST, postgresql_where=_LOST)
