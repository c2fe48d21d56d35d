"""Opening SQLite and PostgreSQL as the outbox wants them, and saying what is wrong with one in words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, insert, inspect, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gengfu_scheduler.outbox.tables import METADATA, SCHEMA, VERSION
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

T = TypeVar("T")

NOWHERE = "sqlite://"
"""An empty database in memory."""

_IDS_A_STATEMENT = 5_000  # SQLite takes 32,766 parameters in one statement, PostgreSQL 65,535.


class OutboxUnusable(GengfuError):
    """The database cannot be opened, read or written. ``evidence`` is what it said itself."""

    def __init__(self, evidence: str, remedy: str) -> None:
        self.evidence = evidence
        super().__init__(_("发送记录无法读写：{evidence}。{remedy}").format(evidence=evidence, remedy=remedy))


def for_reading(url: str) -> str:
    """Where to read what ``url`` holds without making or changing a file."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database.startswith("file:"):
        return url
    file = Path(parsed.database).absolute()
    if not file.exists():
        return NOWHERE
    # Where the folder can be written, as a reader among writers. Where it cannot, nobody writes, and SQLite
    # may take the file as it lies (https://www.sqlite.org/wal.html#read_only_databases).
    mode = "mode=ro" if os.access(file.parent, os.W_OK) else "immutable=1"
    return f"sqlite:///file:{quote(str(file))}?{mode}&uri=true"


def set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver would otherwise begin transactions by itself, and too late: see begin_sqlite.
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


def begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once and waits for it; one that began by reading could only fail.
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def make_tables(connection: Connection) -> None:
    """Make the tables where none of them is.

    :raises OutboxUnusable: those there are not of our version.
    """
    if set(inspect(connection).get_table_names()).isdisjoint(METADATA.tables):
        METADATA.create_all(connection)
        connection.execute(insert(SCHEMA), {"version": VERSION})
    else:
        check_version(connection)


def check_version(connection: Connection) -> None:
    """:raises OutboxUnusable: there are tables of ours, and not of our version."""
    tables = set(inspect(connection).get_table_names())
    found = connection.execute(select(SCHEMA.c.version)).scalar() if SCHEMA.name in tables else None
    if found == VERSION or tables.isdisjoint(METADATA.tables):
        return
    raise OutboxUnusable(
        _("记录的格式应为第 {expected} 版，这里是{found}").format(
            expected=VERSION, found=_("第 {n} 版").format(n=found) if found else _("没有标明版本的旧格式")
        ),
        _(
            "没有改动它。要接着用，装回写它的那个 gengfu；要从头开始，把这个数据库移开并保留，再运行会新建一个"
            "（新的不知道以前发过什么）"
        ),
    )


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
