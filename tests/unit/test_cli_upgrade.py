"""A station whose outbox is of an earlier version, as the commands meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from gengfu_scheduler.state import database_url, only_scheduler
from gengfu_site import audit
from outboxes import make_earlier
from watch import Watch, tip, watch_in

Run = Callable[..., Result]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Watch]:
    """Its outbox was last opened by a program of version 2."""
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", "id,name,reach,platform\nq1,青松一群,webhook,console\n")
        watch.write("timetable.yml", 'slots: {morning: {title: 提示, at: "08:00", pick: {fresh: 9999d}}}\n')
        watch.publish(tip("a"))
        make_earlier(database_url(watch.folder, {}), 9)
        yield watch


@pytest.fixture
def run(station: Watch) -> Run:
    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(station.folder), *arguments], **options)

    return run


def test_a_command_that_writes_upgrades_first_says_so_and_puts_it_on_record(run: Run, station: Watch) -> None:
    result = run("push", "morning", "--yes", "--by", "王")
    assert "发送记录原是第 2 版，已升级" in result.stderr
    assert "已确认 1" in result.stdout
    assert [record.action for record in audit.read(station.folder)] == ["outbox.upgrade", "push"]
    assert "升级" not in run("push", "morning", "--yes").stderr


def test_while_a_scheduler_runs_nothing_is_upgraded_under_it(run: Run, station: Watch) -> None:
    with only_scheduler(station.folder):
        result = run("push", "morning", "--yes")
    assert result.exit_code == 1
    assert "重新启动 gengfu run" in result.stderr
    assert "Traceback" not in result.output
    assert "发送记录原是第 2 版" in run("push", "morning", "--yes").stderr


def test_a_command_that_only_reads_says_who_upgrades(run: Run) -> None:
    result = run("status")
    assert result.exit_code == 1
    assert "第 2 版" in result.stderr
    assert "重新启动 gengfu run" in result.stderr
