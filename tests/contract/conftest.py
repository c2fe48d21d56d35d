"""Outboxes on SQLite and on PostgreSQL.

PostgreSQL: ``GENGFU_TEST_POSTGRESQL`` names a database, beside which each worker makes one of its own, or a server
is started from the binaries found here; otherwise those tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.outbox.tables import METADATA
from outboxes import Place, execute


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
    # What is lost with the machine's power is no matter here; all else is as it comes.
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c autovacuum=off"
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


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("outbox")
    file, unused = folder / "outbox.db", folder / "unused.db"
    outbox = Outbox(f"sqlite:///{file}", random=lambda: 0.5)
    outbox.close()
    shutil.copy(file, unused)
    return Place(url=f"sqlite:///{file}", outbox=outbox, empty=lambda: shutil.copy(unused, file))


@pytest.fixture(scope="session")
def on_postgresql(postgresql: str) -> Iterator[Place]:
    outbox = Outbox(postgresql, random=lambda: 0.5)
    tables = [table.name for table in reversed(METADATA.sorted_tables) if table.name != "outbox_version"]
    statements = [f"DELETE FROM {table}" for table in tables]
    statements += [f"ALTER SEQUENCE {table}_id_seq RESTART" for table in ("broadcast", "delivery")]
    delete = text(";".join(statements))
    engine = create_engine(postgresql)

    def empty() -> None:
        with engine.begin() as connection:
            connection.execute(delete)

    yield Place(url=postgresql, outbox=outbox, empty=empty)
    outbox.close()
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where an empty outbox is."""
    found: Place = request.getfixturevalue(f"on_{request.param}")
    found.emptied()
    yield found
    found.outbox.close()


@pytest.fixture
def url(place: Place) -> str:
    """Where an empty outbox is."""
    return place.url


@pytest.fixture
def outbox(place: Place) -> Outbox:
    return place.outbox


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where no outbox is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/outbox.db"
    address: str = request.getfixturevalue("postgresql")
    execute(address, "DROP SCHEMA IF EXISTS unused CASCADE", "CREATE SCHEMA unused")
    return f"{address}{'&' if '?' in address else '?'}options=-csearch_path%3Dunused"
