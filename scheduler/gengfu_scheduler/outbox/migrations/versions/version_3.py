"""The version stands where Alembic keeps it, and no longer in a table of our own."""

from __future__ import annotations

from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.drop_table("outbox_schema")
