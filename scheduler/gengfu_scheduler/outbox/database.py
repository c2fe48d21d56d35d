"""Opening SQLite and PostgreSQL as the outbox wants them, and saying what is wrong with one in words."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    literal_column,
    make_url,
    select,
    table,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gengfu_scheduler.outbox.tables import METADATA, OUTBOX_VERSION, VERSION
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

T = TypeVar("T")

NOWHERE = URL.create("sqlite")
"""An empty database in memory."""
_PATH = re.compile(r"sqlite:///((?!file:)(?!.*\?\w+=[^/]*\Z).+)", re.DOTALL)
"""What is no URI of SQLite's own and ends in no options."""

SENDING_LOCK = 0x67656E676677
"""On PostgreSQL, of whoever sends from the database."""
_SCHEMA_LOCK = 0x67656E676675

_IDS_A_STATEMENT = 5_000  # SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.


class OutboxUnusable(GengfuError):
    """The database cannot be opened, read or written. ``evidence`` is what it said itself."""

    def __init__(self, evidence: str, remedy: str) -> None:
        self.evidence = evidence
        super().__init__(_("发送记录无法读写：{evidence}。{remedy}").format(evidence=evidence, remedy=remedy))


class OutboxOutdated(OutboxUnusable):
    """The tables are of an earlier version: ``found``. :func:`~gengfu_scheduler.outbox.upgrading.upgrade` brings them up."""

    def __init__(self, found: int) -> None:
        self.found = found
        super().__init__(
            _("记录是第 {found} 版，这个 gengfu 用第 {expected} 版").format(found=found, expected=VERSION),
            _(
                "没有改动它。先备份，再重新启动 gengfu run，它会先把记录升级；没有定时程序在运行时，"
                "任何一条要写记录的命令也会先升级"
            ),
        )


def address(url: str) -> URL:
    """``url`` taken apart. A file's path stands in it as it is, whatever signs its folders have in their names: SQLAlchemy would
    end it at the first ``?`` and, from 2.1 on, read ``%41`` as another sign."""
    if path := _PATH.fullmatch(url):
        return URL.create("sqlite", database=path[1])
    return make_url(url)


def open_engine(url: URL, *, reading: bool = False) -> Engine:
    """The database at ``url``, as the outbox wants it; nothing is asked of it yet.

    :param reading: nothing is to be made or changed.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        if not reading:
            event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def for_reading(url: URL) -> URL:
    """Where to read what ``url`` holds without making or changing a file."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return url
    file = Path(url.database).absolute()
    if not file.exists():
        return NOWHERE
    # Where the folder can be written, as a reader among writers. Where it cannot, nobody writes, and SQLite
    # may take the file as it lies (https://www.sqlite.org/wal.html#read_only_databases).
    mode = {"mode": "ro"} if os.access(file.parent, os.W_OK) else {"immutable": "1"}
    return URL.create("sqlite", database=f"file:{quote(str(file))}", query={**mode, "uri": "true"})


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would otherwise begin transactions by itself, and too late: see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # what is erased is not left in the file
    for last in (False, False, False, False, True):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:
            # Two processes make the same new file: this switch, unlike a transaction, does not wait its turn.
            if last or error.sqlite_errorname != "SQLITE_BUSY":
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once and waits for it; one that began by reading could only fail.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def lock_schema(connection: Connection) -> None:
    """Of two that make or change the tables, the second sees what the first made."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


def make_tables(connection: Connection) -> None:
    """Make the tables, as they are now."""
    METADATA.create_all(connection)
    connection.execute(insert(OUTBOX_VERSION), {"version_num": str(VERSION)})


def version_of(connection: Connection) -> int | None:
    """Of the tables that are there; None where there are none. What was made before they were counted is 1."""
    tables = set(inspect(connection).get_table_names())
    if OUTBOX_VERSION.name in tables:
        return int(connection.execute(select(OUTBOX_VERSION.c.version_num)).scalar_one())
    if "outbox_schema" in tables:  # where the number stood until 3
        before: int = connection.execute(
            select(literal_column("version")).select_from(table("outbox_schema"))
        ).scalar_one()
        return before
    return None if tables.isdisjoint(METADATA.tables) else 1


def is_made(connection: Connection) -> bool:
    """Whether there are tables of ours.

    :raises OutboxOutdated: they are of an earlier version.
    :raises OutboxUnusable: they are of a later version.
    """
    found = version_of(connection)
    if found is not None and found < VERSION:
        raise OutboxOutdated(found)
    if found is not None and found > VERSION:
        raise OutboxUnusable(
            _("记录是第 {found} 版，这个 gengfu 只认到第 {expected} 版").format(
                found=found, expected=VERSION
            ),
            _("没有改动它。较新的 gengfu 已经把它升级过：装上较新的 gengfu；要退回这一个，恢复升级前的备份"),
        )
    return found is not None


def scrub(engine: Engine) -> None:
    """Leave no trace of what was overwritten: SQLite's log keeps old pages until it is emptied.

    See https://www.sqlite.org/pragma.html#pragma_wal_checkpoint. Where a reader is in the way it waits for it.
    """
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT with ON CONFLICT, which both databases have and spell alike."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def upsert_into(connection: Connection, table: Table, *columns: str) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that sets ``columns`` where there is a row of that primary key; made once, for it is asked for often."""
    kind = postgresql.Insert if connection.dialect.name == "postgresql" else sqlite.Insert
    return _upsert(kind, table, columns)


@cache
def _upsert(
    kind: type[sqlite.Insert] | type[postgresql.Insert], table: Table, columns: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    insert = kind(table)
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={column: insert.excluded[column] for column in columns}
    )


def batches(values: Collection[T]) -> Iterator[list[T]]:
    """``values`` in lists as long as one statement may take as parameters."""
    remaining = list(values)
    for start in range(0, len(remaining), _IDS_A_STATEMENT):
        yield remaining[start : start + _IDS_A_STATEMENT]


@contextmanager
def mapped() -> Iterator[None]:
    """Foreign exceptions become :class:`OutboxUnusable`, with what the database said and what to do."""
    try:
        yield
    except DBAPIError as error:
        raise OutboxUnusable(str(error.orig), _remedy(error.orig)) from error
    except sqlite3.Error as error:  # past SQLAlchemy, where it has no word for what is asked
        raise OutboxUnusable(str(error), _remedy(error)) from error
    except (SQLAlchemyError, ValueError) as error:
        raise OutboxUnusable(
            str(error), _("检查 GENGFU_DATABASE 里数据库地址的写法，例如 sqlite:////绝对路径/outbox.db")
        ) from error
    except ModuleNotFoundError as error:
        raise OutboxUnusable(str(error), _("安装数据库驱动：pip install 'gengfu[postgresql]'")) from error


def _remedy(error: BaseException | None) -> str:
    """What to do, by SQLite's result code (https://www.sqlite.org/rescode.html) or PostgreSQL's SQLSTATE."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if code in ("SQLITE_FULL", "53100"):
        return _("磁盘已满：腾出空间后再运行，已写入的记录都在")
    if code.startswith("SQLITE_READONLY") or code == "25006":
        return _("数据库只读：检查该文件和所在文件夹的写权限")
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _("另一个程序一直占用着数据库：关闭它再运行")
    if code.startswith("SQLITE_CANTOPEN"):
        return _("检查所在文件夹是否存在、能否写入")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _("这个文件不是完好的发送记录：把它移开并保留，再运行会新建一个")
    return _("检查数据库服务器是否在运行、地址和账号是否正确")
