"""A full disk and a read-only database, while the scheduler runs and when a person pushes: said clearly, nothing lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, event

from gengfu_scheduler import cli
from gengfu_scheduler.outbox import Outbox, OutboxUnusable
from gengfu_scheduler.runner import run
from gengfu_scheduler.state import database_url
from kills import LONG
from watch import Watch, alert, instant, tip, watch_in

GROUPS = [f"g{n}" for n in range(60)]
LISTED = "id,name,reach,platform\n" + "".join(f"{id},{id},webhook,wecom\n" for id in GROUPS)
ADDRESSES = "id,webhook\n" + "".join(
    f"{id},https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={id}-0000\n" for id in GROUPS
)
TROUBLE = {"full": ("PRAGMA max_page_count=1", "磁盘已满"), "read-only": ("PRAGMA query_only=ON", "只读")}
ANY_DAY = 'slots: {morning: {title: 每日提示, at: "08:00", spread: 0m, pick: {fresh: 9999d}}}\n'
FOREVER = datetime.now(UTC) + timedelta(days=365)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as made:
        made.write("groups.csv", LISTED)
        made.write("webhooks.csv", ADDRESSES)
        (tmp_path / "webhooks.csv").chmod(0o600)
        made.publish(tip("a", summary=LONG))
        made.start()
        yield made


def pragma(watch: Watch, *words: str) -> None:
    with watch.outbox._engine.connect() as connection:
        for word in words:
            connection.exec_driver_sql(word)


def mend(watch: Watch) -> None:
    pragma(watch, "PRAGMA query_only=OFF", "PRAGMA max_page_count=1000000")


def standing(watch: Watch) -> Counter[str]:
    return Counter(told.rpartition(" ")[2] for told in watch.heard())


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_slot_that_cannot_be_written_is_told_once_it_can(watch: Watch, trouble: str) -> None:
    broken, said = TROUBLE[trouble]
    watch.at("07:59")
    pragma(watch, broken)
    with pytest.raises(OutboxUnusable, match=said):
        watch.at("08:00")
    assert watch.platforms.posts == []
    mend(watch)
    watch.at("08:05", "08:06")
    assert standing(watch) == {"sent": 60}
    assert len(watch.platforms.posts) == 60


def test_what_was_posted_and_could_not_be_written_is_unknown_by_name_and_the_rest_is_told(
    watch: Watch,
) -> None:
    def fail_at_the_tenth() -> None:
        if len(watch.platforms.posts) == 10:
            pragma(watch, TROUBLE["read-only"][0])

    watch.at("07:59")
    watch.platforms.on_post = fail_at_the_tenth
    with pytest.raises(OutboxUnusable, match="只读"):
        watch.at("08:00")
    posted = len(watch.platforms.posts)
    mend(watch)
    watch.at("08:01")
    assert standing(watch) == {
        "unknown": 50,
        "sent": 10,
    }  # a batch was claimed, and nobody knows how far it got
    assert len(watch.platforms.posts) == posted + 10
    assert "50 条结果不明" in "".join(watch.said)


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_running_scheduler_says_it_once_and_goes_on_by_itself(
    watch: Watch, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_scheduler.runner.AFTER_TROUBLE", 0.01)
    broken, expected = TROUBLE[trouble]
    watch.at("07:59")
    pragma(watch, broken)
    watch.now = instant("08:00")
    said, looks = list[str](), count()

    def stopping() -> bool:
        if next(looks) == 12:  # some rounds later
            mend(watch)
        return len(watch.platforms.posts) == 60

    run(watch.runner, stopping, said.append)
    assert [expected in text for text in said] == [True]
    assert standing(watch) == {"sent": 60}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Call it with words of a command; it returns what the command said, which must have failed."""
    with watch_in(tmp_path) as made:
        made.write("groups.csv", "id,name,reach,platform\nq1,青松一群,webhook,console\n")
        made.write("timetable.yml", ANY_DAY)  # the command goes by the real clock
        made.publish(tip("a", summary=LONG, expires=FOREVER), alert("F", expires=FOREVER))
        Outbox(database_url(tmp_path, {})).close()

        def failing(*words: str, database: str = "") -> str:
            done = CliRunner(env={"GENGFU_DATABASE": database or None}).invoke(
                cli.main, ["-C", str(tmp_path), *words]
            )
            assert done.exit_code == 1, done.output
            assert isinstance(done.exception, SystemExit)
            return done.output

        yield failing
        with Outbox(database_url(tmp_path, {})) as outbox:
            assert outbox.broadcasts() == []


def test_a_push_says_that_the_database_is_read_only(station: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / ".gengfu/outbox.sqlite3"
    said = station("push", "morning", "--yes", database=f"sqlite:///file:{file}?mode=ro&uri=true")
    assert "数据库只读" in said


def test_a_push_says_that_the_disk_is_full(station: Callable[..., str]) -> None:
    def fill(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=1")  # type: ignore[attr-defined]

    event.listen(Engine, "connect", fill)
    try:
        assert "磁盘已满" in station("push", "morning", "--yes")
    finally:
        event.remove(Engine, "connect", fill)
