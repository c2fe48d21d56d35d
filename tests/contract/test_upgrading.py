"""An outbox of every earlier version becomes one of ours, whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text

from gengfu_scheduler.outbox import Outbox, OutboxOutdated, OutboxUnusable, upgrade, upgrading
from gengfu_scheduler.outbox.database import version_of
from gengfu_scheduler.outbox.tables import METADATA, OUTBOX_VERSION, VERSION, Instant
from gengfu_scheduler.outbox.upgrading import MIGRATIONS
from outboxes import DAY, HOUR, MINUTE, NOON, SCHEMAS, execute, make_earlier, plan

EARLIER = range(1, len(list(SCHEMAS.glob("*.sqlite.sql"))) + 1)

BROADCASTS = (
    ("morning@1", "digest", "7F3K2"),
    ("alert:A0001:1", "alert", "A0001"),
    ("correction:7F3K2:1", "alert", "7F3K2"),
)
STATES = ("pending", "sending", "sent", "handed", "rejected", "unknown", "expired", "cancelled")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLIGHTLY_LATER = NOON + MINUTE + timedelta(microseconds=7)


def make(url: str, schema: int) -> None:
    """The tables as the program once made them, with each broadcast to a group in every state, and all else it noted."""
    database = make_url(url).get_backend_name()
    make_earlier(url, schema)
    # What an instant is written as.
    as_it_was = {"postgresql": aware, "sqlite": a_text if schema < 6 else microseconds}[database]
    with connected(url) as connection:

        def fill(table: str, **values: object) -> None:
            columns = connection.execute(text(f"SELECT * FROM {table}")).keys() & values.keys()
            names, places = ", ".join(columns), ", ".join(f":{column}" for column in columns)
            row = {c: as_it_was(v) if isinstance(v, datetime) else v for c, v in values.items()}
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), row)

        for n, (key, form, entry) in enumerate(BROADCASTS, start=1):
            fill("broadcast", key=key, form=form, title=key, linked=True, erased=False, **SPAN)
            fill("message", digest=f"{n}", content=content(form, entry))
            fill("message_entry", message_id=n, entry=entry)
            for state in STATES:
                fill("delivery", broadcast_id=n, message_id=n, **delivery(form, state))
            if schema > 11:  # from then on noted beside the deliveries
                fill("cohort", digest=f"{n}", members=" ".join(STATES))
                fill("cohort_told", cohort_id=n, broadcast_id=n, message_id=n, entries=entry)
        fill("missed", slot="noon", scheduled_for=NOON - DAY, recorded_at=NOON)
        fill("slot_progress", slot="morning", times="08:00", planned_until=NOON)
        fill("disabled_group", group_id="gone", reason="机器人已删", since=NOON)


def aware(instant: datetime) -> datetime:
    return instant


def a_text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S.%f}"


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


SPAN = {"scheduled_for": NOON, "expires": NOON + HOUR, "planned_at": NOON}


def content(form: str, entry: str) -> str:
    item = {"entry": entry, "title": "先核实", "summary": "再转账", "url": "https://x.test/", "image": None}
    message = {"form": form, "title": "提示", "items": [item], "body": "", "footer": "", "home": ""}
    return json.dumps(message, ensure_ascii=False)


def delivery(form: str, state: str) -> dict[str, Any]:
    said = state == "sent" and form == "digest"
    return {
        "group_id": state,
        "part": 1,
        "way": "hand" if said or state == "handed" else "webhook",
        "rank": 0 if form == "alert" else 1,
        "state": state,
        "confirmed": True if state == "sent" and not said else None,
        "resent": state == "unknown",
        "attempts": 0 if state == "pending" else 1,
        "not_before": NOON,
        "changed_at": SLIGHTLY_LATER,
        "reason": "由王姐转发（本人说）" if said else "王姐" if state == "handed" else "",
        "owner": "王姐" if state == "handed" else None,
    }


def found_in(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, with their instants as such; where the version stands apart."""
    with connected(url) as connection:
        ours = set(inspect(connection).get_table_names()) & (METADATA.tables.keys() - {OUTBOX_VERSION.name})
        return {
            table: [
                {column: as_instant(table, column, value) for column, value in row.items()}
                for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).mappings()
            ]
            for table in ours
        }


def as_instant(table: str, column: str, value: Any) -> Any:
    if value is None or not isinstance(METADATA.tables[table].c[column].type, Instant):
        return value
    if isinstance(value, int):
        return EPOCH + timedelta(microseconds=value)
    return datetime.fromisoformat(f"{value}+00:00") if isinstance(value, str) else value


def shape_of(url: str) -> dict[tuple[str, str], Any]:
    """All that a database says of our tables, but for the order of their columns."""
    with connected(url) as connection:
        there = inspect(connection)
        shape: dict[tuple[str, str], Any] = {}
        for (_schema, table), columns in there.get_multi_columns().items():
            shape[table, "columns"] = sorted(
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in columns
            )
        for (_schema, table), key in there.get_multi_pk_constraint().items():
            shape[table, "primary key"] = key["constrained_columns"]
        for (_schema, table), keys in there.get_multi_foreign_keys().items():
            shape[table, "foreign keys"] = sorted(
                (k["constrained_columns"], k["referred_table"]) for k in keys
            )
        for (_schema, table), unique in there.get_multi_unique_constraints().items():
            shape[table, "unique"] = sorted(u["column_names"] for u in unique)
        for (_schema, table), indexes in there.get_multi_indexes().items():
            shape[table, "indexes"] = sorted(
                (str(i["name"]), i["column_names"], i["unique"], where(i.get("dialect_options", {})))
                for i in indexes
            )
        return shape


def where(options: dict[str, Any]) -> str:
    return str(next((said for name, said in options.items() if name.endswith("_where")), ""))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def version_at(url: str) -> int | None:
    with connected(url) as connection:
        return version_of(connection)


@pytest.fixture(scope="module")
def shapes() -> dict[str, dict[tuple[str, str], Any]]:
    return {}


@pytest.fixture
def as_new(new_url: str, shapes: dict[str, dict[tuple[str, str], Any]]) -> dict[tuple[str, str], Any]:
    """What the tables of a new outbox are; where it was there is none."""
    database = make_url(new_url).get_backend_name()
    if database not in shapes:
        Outbox(new_url).close()
        shapes[database] = shape_of(new_url)
        execute(new_url, *(f"DROP TABLE {table}" for table in reversed(METADATA.sorted_tables)))
    return shapes[database]


@pytest.mark.parametrize("schema", EARLIER)
def test_an_outbox_of_any_earlier_time_loses_nothing_and_becomes_what_a_new_one_is(
    new_url: str, as_new: dict[tuple[str, str], Any], schema: int
) -> None:
    make(new_url, schema)
    before = found_in(new_url)
    with pytest.raises(OutboxOutdated, match=f"第 {max(1, schema - 7)} 版.*第 {VERSION} 版"):
        Outbox(new_url)
    upgrade(new_url)
    after = found_in(new_url)
    for table, rows in before.items():
        kept = [{column: row[column] for column in rows[0]} for row in after[table]] if rows else []
        assert without(kept, "rank") == without(rows, "rank"), table
    assert shape_of(new_url) == as_new


def test_autogenerate_finds_nothing_to_change_in_an_upgraded_outbox(new_url: str) -> None:
    make(new_url, 1)
    upgrade(new_url)
    with connected(new_url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": OUTBOX_VERSION.name})
        assert compare_metadata(context, METADATA) == []


def without(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


@pytest.mark.parametrize("schema", [min(EARLIER), max(EARLIER)])
def test_what_was_begun_before_an_upgrade_goes_on_after_it(new_url: str, schema: int) -> None:
    make(new_url, schema)
    upgrade(new_url)
    later = NOON + 2 * MINUTE
    with Outbox(new_url) as outbox:
        for key, _form, _entry in BROADCASTS:
            assert {d.group: d.state for d in outbox.deliveries(key)} == {state: state for state in STATES}
        both = {"7F3K2": NOON, "A0001": NOON}
        assert outbox.told(STATES) == {state: both for state in STATES if state != "rejected"}
        assert outbox.groups() == set(STATES)
        assert {d.group for d in outbox.recover(now=later)} == {"sending"}
        claimed = [d.broadcast for d in outbox.claim(now=later) if d.group == "pending"]
        assert claimed == ["alert:A0001:1", "correction:7F3K2:1", "morning@1"]
        tasks = outbox.hand_tasks("morning@1")
        assert [(task.owner, task.groups, task.waiting) for task in tasks] == [("王姐", 1, 1)]
        assert outbox.tally(NOON, NOON + DAY, "way")["hand", "said"] == 1
        assert outbox.missed(NOON - DAY) == [("noon", NOON - DAY)]
        assert outbox.planned_until("morning") == NOON
        assert outbox.disabled() == {"gone": "机器人已删"}
        assert plan(outbox, "A B", key="evening") == 2


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, create_engine, event
from gengfu_scheduler.outbox import upgrade

url, where = sys.argv[1:]
left = int(where)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def count(*_):
    global left
    left -= 1
    if not left:
        die()

event.listen(Engine, "before_cursor_execute" if left else "commit", count if left else die)
upgrade(url)
"""


@pytest.mark.parametrize(
    ("new_url", "where"),
    [("sqlite", "in the middle"), ("sqlite", "before the commit"), ("postgresql", "in the middle")],
    indirect=["new_url"],
)
def test_an_upgrade_that_is_killed_leaves_what_was_there_and_can_be_begun_again(
    new_url: str, where: str
) -> None:
    make(new_url, 1)
    before = found_in(new_url)
    arguments = [new_url, "40" if where == "in the middle" else "0"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], timeout=120, check=False)
    assert killed.returncode == -9
    assert version_at(new_url) == 1
    assert found_in(new_url) == before
    upgrade(new_url)
    assert version_at(new_url) == VERSION


def test_it_matters_not_what_the_folder_is_called_that_the_program_is_installed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(MIGRATIONS, tmp_path / "程序 50% (1)" / "migrations")
    monkeypatch.setattr(upgrading, "MIGRATIONS", copied)
    url = f"sqlite:///{tmp_path}/outbox.db"
    make(url, 1)
    upgrade(url)
    assert version_at(url) == VERSION


def test_an_upgrade_for_which_there_is_no_room_leaves_what_was_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/outbox.db"
    make(url, 1)
    before = found_in(url)

    def fill_up(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={(tmp_path / 'outbox.db').stat().st_size // 4096 + 3}")

    event.listen(Engine, "connect", fill_up)
    try:
        with pytest.raises(OutboxUnusable, match="磁盘已满"):
            upgrade(url)
    finally:
        event.remove(Engine, "connect", fill_up)
    assert found_in(url) == before
    upgrade(url)


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)
def test_an_outbox_that_somebody_sends_from_is_not_upgraded(new_url: str) -> None:
    with Outbox(new_url) as running:
        running.be_only_sender()
        execute(new_url, "UPDATE outbox_version SET version_num = '2'")
        with pytest.raises(OutboxOutdated, match="重新启动 gengfu run"):
            upgrade(new_url)
    assert version_at(new_url) == 2


@pytest.mark.parametrize("reading", [True, False])
def test_a_program_older_than_its_outbox_refuses_it_and_names_both_versions(
    new_url: str, reading: bool
) -> None:
    with Outbox(new_url) as outbox:
        plan(outbox, "A")
    execute(new_url, "UPDATE outbox_version SET version_num = '99'")
    with pytest.raises(OutboxUnusable, match=f"第 99 版.*第 {VERSION} 版.*装上较新的"):
        Outbox(new_url, reading=reading)
    upgrade(new_url)
    assert version_at(new_url) == 99


def test_reading_an_earlier_outbox_says_how_it_is_upgraded_and_changes_nothing(new_url: str) -> None:
    make(new_url, 9)
    before = found_in(new_url)
    with pytest.raises(OutboxOutdated, match="先备份，再重新启动 gengfu run"):
        Outbox(new_url, reading=True)
    assert found_in(new_url) == before


def test_each_version_of_the_tables_has_its_revision_and_is_tried_from() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = [revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()]
    assert revisions == [str(number) for number in range(VERSION, 0, -1)]
    assert max(EARLIER) - 7 == VERSION - 1  # see SCHEMAS


def test_a_new_outbox_and_one_that_is_up_to_date_are_opened_without_alembic(tmp_path: Path) -> None:
    opened = (
        "import sys; from gengfu_scheduler.outbox import Outbox; "
        "[Outbox(sys.argv[1]).close() for _ in range(2)]; sys.exit('alembic' in sys.modules)"
    )
    url = f"sqlite:///{tmp_path}/outbox.db"
    subprocess.run([sys.executable, "-c", opened, url], timeout=120, check=True)
