"""A copy of the outbox for a backup, made while others write to it.

A file of SQLite's is more than one file while it is open, so it is never copied as it lies: ``VACUUM INTO``
(https://www.sqlite.org/lang_vacuum.html#vacuuminto) writes one consistent state of it. What alerts say - a missing person's data
above all - is erased from the copy as it is erased from the outbox when they are over: no backup outlives that.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update

from gengfu_scheduler.message import is_alert
from gengfu_scheduler.outbox.database import address, for_reading, mapped, open_engine, scrub, version_of
from gengfu_scheduler.outbox.planning import erase
from gengfu_scheduler.outbox.tables import BROADCAST, VERSION
from gengfu_scheduler.outbox.upgrading import upgrade

_ERASABLE = 2
"""The first version whose tables say what is an alert's as ours do. A copy of an earlier one is upgraded; others stay
as they are, so that whoever goes back to the program before finds what that one wrote."""


def copy(url: str, target: Path, *, now: datetime) -> bool:
    """Write the outbox at ``url``, of whatever version, into the new file ``target``.

    :returns: whether there is one in a file; a database server has a way of its own to be copied.
    :raises OutboxUnusable: it cannot be read, or the copy not written.
    """
    with mapped():
        at = address(url)
        if at.get_backend_name() != "sqlite" or not (at.database and Path(at.database).exists()):
            return False
        source = open_engine(for_reading(at), reading=True)
        try:
            connection = source.raw_connection()
            try:
                connection.cursor().execute("VACUUM INTO ?", (str(target),))
            finally:
                connection.close()
        finally:
            source.dispose()
        _erase_alerts(f"sqlite:///{target}", now)
    return True


def _erase_alerts(url: str, now: datetime) -> None:
    engine = open_engine(address(url))
    try:
        with engine.connect() as connection:
            known = (version_of(connection) or VERSION) >= _ERASABLE
        if not known:
            upgrade(url)
        with engine.begin() as connection:
            keys = filter(
                is_alert, connection.scalars(select(BROADCAST.c.key).where(BROADCAST.c.expires > now))
            )
            over = update(BROADCAST).where(BROADCAST.c.key.in_(list(keys)))
            connection.execute(over.values(expires=now))
            erase(connection, now)
        scrub(engine)
    finally:
        engine.dispose()
