"""Bringing an outbox of an earlier version up to ours, with Alembic (https://alembic.sqlalchemy.org/).

Promise: one transaction, so that a kill, a power cut or a full disk leaves the earlier version, whole, and it can be
begun again. There is no way down: the backup from before is.

Alembic is imported only when there is something to upgrade; a new outbox is made as it is now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, func, select

from gengfu_scheduler.outbox.database import (
    SENDING_LOCK,
    OutboxOutdated,
    OutboxUnusable,
    address,
    lock_schema,
    mapped,
    open_engine,
    scrub,
    version_of,
)
from gengfu_scheduler.outbox.tables import VERSION
from gengfu_templates.i18n import _

MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(url: str) -> None:
    """Bring the outbox at ``url`` up to :data:`VERSION`, unless it is there already, or beyond.

    Only for a process that knows itself to be the only one of its station that sends: a scheduler of an earlier
    version would go on writing what it knows. On PostgreSQL it makes sure that none does, on any machine.

    :raises OutboxOutdated: one sends.
    :raises OutboxUnusable: it cannot be read or written. It is as it was.
    """
    with mapped():
        engine = open_engine(address(url))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _let_tables_be_remade)
        try:
            with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
                lock_schema(connection)
                found = version_of(connection)
                if found is None or found >= VERSION:
                    return
                if not _nobody_sends(connection):
                    raise OutboxOutdated(found)
                _run(connection, found)
            scrub(engine)
        finally:
            engine.dispose()


def _let_tables_be_remade(connection: Any, _record: object) -> None:
    # SQLite changes a column by making its table anew, which must not take along what refers to it
    # (https://www.sqlite.org/lang_altertable.html#otheralter). It holds to the end of the connection.
    connection.execute("PRAGMA foreign_keys=OFF")


def _nobody_sends(connection: Connection) -> bool:
    """Whether nobody sends from this database, nor can until the transaction ends. Of a file the station's lock says it."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.execute(select(func.pg_try_advisory_xact_lock(SENDING_LOCK))).scalar())


def _run(connection: Connection, found: int) -> None:
    """Run the revisions after ``found``; to what was made before Alembic, say first which it is."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # as configparser reads it
    try:
        if found < 3:
            command.stamp(config, str(found))
        command.upgrade(config, str(VERSION))
    except CommandError as error:
        raise OutboxUnusable(str(error), _("安装不完整：重新安装 gengfu")) from error
