"""What Alembic runs: the revisions, on the connection and in the transaction that ``upgrading`` opened."""

from __future__ import annotations

from alembic import context

from gengfu_scheduler.outbox.tables import OUTBOX_VERSION

context.configure(connection=context.config.attributes["connection"], version_table=OUTBOX_VERSION.name)
with context.begin_transaction():
    context.run_migrations()
