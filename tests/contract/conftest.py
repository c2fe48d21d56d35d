"""Outboxes on SQLite and on PostgreSQL.

PostgreSQL: ``GENGFU_TEST_POSTGRESQL`` names a database, beside which each worker makes one of its own, or a server
is started from the binaries found here; otherwise those tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.outbox.tables import METADATA
from outboxes import execute


def _own_database(url: str) -> str:
    """An empty database beside the one of ``url``: workers share neither tables nor locks."""
    name = f"gengfu_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    if given_url := os.environ.get("GENGFU_TEST_POSTGRESQL"):
        yield _own_database(given_url)
        return
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    server = Path(shutil.which("postgres") or (found[-1] if found else ""))
    if not server.is_file() or not shutil.which("initdb", path=server.resolve().parent):
        pytest.skip("no PostgreSQL server here, and GENGFU_TEST_POSTGRESQL names none")
    programs = server.resolve().parent
    # The server refuses to run as root, and pytest's own folders are root's alone.
    user = "nobody" if os.geteuid() == 0 else None
    folder = tempfile.mkdtemp(prefix="gengfu-pg-")
    if user:
        shutil.chown(folder, user)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    try:
        for command in (
            [programs / "initdb", "-D", f"{folder}/data", "-U", "gengfu", "-A", "trust", "-N", "-E", "UTF8"],
            [
                programs / "pg_ctl",
                "-D",
                f"{folder}/data",
                "-o",
                options,
                "-l",
                f"{folder}/log",
                "-w",
                "start",
            ],
        ):
            subprocess.run(
                [str(word) for word in command],
                user=user,
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
                env={"LC_ALL": "C.UTF-8"},
            )
        yield f"postgresql+psycopg://gengfu@/postgres?host={folder}"
    finally:
        subprocess.run(
            [programs / "pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop"],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no outbox is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/outbox.db"
    address: str = request.getfixturevalue("postgresql")
    execute(address, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return address


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outbox") / "empty.db"
    Outbox(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def empty_database(postgresql: str) -> str:
    Outbox(postgresql).close()
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def emptied(request: pytest.FixtureRequest, tmp_path: Path, empty_file: Path) -> Callable[[], str]:
    """Each call says where an empty outbox is."""
    if request.param == "sqlite":
        numbers = count()
        return lambda: f"sqlite:///{shutil.copy(empty_file, tmp_path / f'outbox{next(numbers)}.db')}"
    address: str = request.getfixturevalue("empty_database")
    tables = [table.name for table in reversed(METADATA.sorted_tables) if table.name != "outbox_schema"]

    def empty() -> str:
        execute(address, *(f"DELETE FROM {table}" for table in tables))
        return address

    return empty


@pytest.fixture
def url(emptied: Callable[[], str]) -> str:
    """Where an empty outbox is."""
    return emptied()


@pytest.fixture
def outbox(url: str) -> Iterator[Outbox]:
    with Outbox(url, random=lambda: 0.5) as opened:
        yield opened
