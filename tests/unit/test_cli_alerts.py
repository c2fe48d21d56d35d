"""The duty officer's commands: what they ask, what they print, their exit codes, what the audit log keeps."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from gengfu_scheduler.duty import Done, Duty
from gengfu_site import audit
from watch import Watch, alert, watch_in

Run = Callable[..., Result]
FOREVER = datetime.now(UTC) + timedelta(days=365)
GROUPS = (
    "id,name,reach,platform,area,owner\nq1,青松一群,webhook,console,青松路,\nh1,河东群,hand,,河东,赵警官\n"
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Watch]:
    """One whose site is made elsewhere."""
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", GROUPS)
        watch.publish(alert("F", expires=FOREVER, areas=("青松路", "河东")))
        yield watch


@pytest.fixture
def run(station: Watch) -> Run:
    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(station.folder), *arguments], **options)

    return run


def kept(station: Watch) -> list[tuple[str, object]]:
    return [(record.action, record.details.get("groups")) for record in audit.read(station.folder)]


def test_it_says_who_is_reached_how_and_asks_once(run: Run, station: Watch) -> None:
    no = run("alert", "F", input="n\n")
    assert no.exit_code == 1
    assert "发往 2 个群：自动 1，手工转发 1" in no.stderr
    assert "什么都没有改" in no.stderr
    assert kept(station) == []
    yes = run("alert", "F", input="y\n")
    assert yes.exit_code == 0, yes.output
    assert yes.stderr.count("[y/N]") == 1
    assert "已确认 1，已交人手工转发 1" in yes.stdout
    assert kept(station) == [("alert", 2)]


def test_while_pages_are_made_no_thread_keeps_the_work_on_one_processor(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out, before, beside = Duty._carry_out, threading.enumerate(), []

    def watched(*given: Any, **more: Any) -> Done:
        beside.extend(set(threading.enumerate()).difference(before))
        return carry_out(*given, **more)

    monkeypatch.setattr(Duty, "_carry_out", watched)
    assert run("alert", "F", "--yes").exit_code == 0
    assert beside == []


def test_where_nobody_answers_nothing_is_sent(run: Run, station: Watch) -> None:
    assert run("alert", "F", input="").exit_code == 1
    assert station.outbox.broadcasts() == []


def test_sent_again_it_reaches_whom_it_did_not_reach(run: Run, station: Watch) -> None:
    assert run("alert", "F", "--yes").exit_code == 0
    assert "以前已经发过" in run("alert", "F", "--yes").stdout
    station.write("groups.csv", GROUPS + "q2,青松二群,webhook,console,青松路,\n")
    assert "只补发以前没发到的 1 条" in run("alert", "F", "--yes").stdout


def test_its_json_says_whether_the_page_can_be_read(run: Run) -> None:
    told = json.loads(run("alert", "F", "--yes", "--json").stdout)
    assert told["counts"] == {"handed": 1, "sent": 1}
    assert (told["linked"], told["trouble"]) == (True, "")


def test_settings_that_cannot_be_read_hold_up_no_alert_but_what_must_be_written(
    run: Run, station: Watch
) -> None:
    station.write("mkdocs.yml", "site_name: [")
    sent = run("alert", "F", "--yes")
    assert sent.exit_code == 0, sent.output
    assert "网页这次不更新" in sent.stderr
    assert "mkdocs.yml" in sent.stderr
    assert run("resolve", "F", "--yes").exit_code == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("resolve", "F"), "在写文章的那台机器上做"),
        (("withdraw", "F", "--reason", "错"), "先在写文章的那台机器上撤回"),
        (("alert", "G"), "没有编号 G"),
        (("alert", "F", "--to", "area=河西"), "河西"),
        (("alert", "F", "--exercise"), "在写文章的那台机器上做"),
    ],
)
def test_what_cannot_be_done_here_says_what_to_do(run: Run, command: tuple[str, ...], said: str) -> None:
    result = run(*command, "--yes")
    assert result.exit_code == 1
    assert said in result.stderr


def test_the_log_keeps_no_title_that_may_name_a_missing_person(run: Run, station: Watch) -> None:
    search = alert("F", expires=FOREVER, areas=("青松路",), title="寻找马克尔")
    assert search.alert
    station.publish(replace(search, alert=replace(search.alert, form="走失")))
    assert run("alert", "F", "--yes").exit_code == 0
    assert "马克尔" not in (station.folder / "audit/log.jsonl").read_text("utf-8")
    assert "警情“F”还没有复核" in run("status").stdout
