"""The commands: what they print, their JSON, their exit codes."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from gengfu_scheduler import cli
from gengfu_scheduler.cli.shared import Log
from gengfu_scheduler.message import Broadcast, Message, Planned, Rejected
from gengfu_scheduler.notes import Note
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.state import database_url, only_scheduler
from gengfu_site import audit
from stations import empty_station
from watch import Watch, alert, tip, watch_in

Run = Callable[..., Result]
FOREVER = datetime.now(UTC) + timedelta(days=365)
CONSOLE = (
    "id,name,reach,platform,area,owner\nq1,青松一群,webhook,console,青松路,\nh1,河东群,hand,,河东,赵警官\n"
)
LATER = 'slots: {morning: {title: 每日提示, at: "08:00", spread: 0m, pick: {fresh: 9999d}}}\n'


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", CONSOLE)
        watch.write("timetable.yml", LATER)
        watch.publish(tip("a", expires=FOREVER), alert("F", expires=FOREVER, areas=("青松路",)))
        yield watch


@pytest.fixture
def run(station: Watch) -> Run:
    def run(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(station.folder), *arguments], **options)

    return run


@pytest.mark.usefixtures("station")
class TestPush:
    def test_a_dry_run_shows_each_group_and_writes_nothing(self, run: Run, station: Watch) -> None:
        result = run("push", "morning", "--dry-run")
        assert result.exit_code == 0, result.output
        assert "题a" in result.stdout
        assert "青松一群" in result.stdout
        assert json.loads(run("status", "--json").stdout)["broadcasts"] == []
        assert "没有等人转发" in run("tasks").stdout
        assert run("plan").exit_code == 0
        assert not (station.folder / ".gengfu").exists()

    def test_it_says_how_it_ended(self, run: Run, station: Watch) -> None:
        result = run("push", "morning")
        assert result.exit_code == 0, result.output
        assert "已确认 1，已交人手工转发 1" in result.stdout
        assert "等赵警官手工转发：河东群（h1）" in result.stdout
        assert "gengfu tasks --text" in result.stderr

    def test_its_json_is_for_programs(self, run: Run, station: Watch) -> None:
        station.write("groups.csv", CONSOLE)
        result = run("push", "morning", "--json")
        told = json.loads(result.stdout)
        assert "题a" in result.stderr
        assert told["counts"] == {"handed": 1, "sent": 1}
        assert told["tasks"][0]["groups"] == ["h1"]
        assert told["tasks"][0]["page"] is None
        assert datetime.fromisoformat(told["scheduled_for"]).tzinfo

    def test_what_ended_badly_ends_with_exit_code_1(self, run: Run, station: Watch) -> None:
        station.write("groups.csv", CONSOLE.replace("console", "wecom"))
        result = run("push", "morning")
        assert result.exit_code == 1
        assert "青松一群（q1）  被拒：" in result.stdout

    def test_what_nobody_will_send_is_named_with_what_to_do(self, run: Run, station: Watch) -> None:
        station.write("groups.csv", CONSOLE.replace("console", "wecom"))
        with Outbox(database_url(station.folder, {})) as outbox:
            now = datetime.now(UTC)
            message = Message(form="digest", title="早些时候", items=())
            earlier = Broadcast(key="k@1", form="digest", title="", scheduled_for=now, expires=FOREVER)
            outbox.plan(earlier, [Planned(group="q1", messages=(message,), not_before=now)], now=now)
            dead = Rejected(reason="93000 invalid webhook url", disable=True)
            outbox.settle([(delivery.id, dead) for delivery in outbox.claim(now=now)], now=now)
        before = time.monotonic()
        result = run("push", "morning")
        assert time.monotonic() - before < 30
        assert result.exit_code == 1
        assert "青松一群（q1）  等待发送：群已停用（93000 invalid webhook url）" in result.stdout
        assert "gengfu run" in result.stderr

    def test_within_the_hour_it_asks_first(self, run: Run, station: Watch) -> None:
        assert run("push", "morning").exit_code == 0
        station.publish(tip("b", expires=FOREVER))
        refused = run("push", "morning")
        assert refused.exit_code == 1
        assert "刚发过" in refused.stderr
        assert "--yes" in refused.stderr
        assert run("push", "morning", input="y\n").exit_code == 0
        station.publish(tip("c", expires=FOREVER))
        assert run("push", "morning", "--yes").exit_code == 0

    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (["push", "mornin"], 1, "是不是想写“morning”"),
            (["push"], 2, "时段或编号"),
            (["puhs"], 2, "puhs"),
            (["plan", "--days", "0"], 2, "days"),
            (["groups", "test", "q"], 2, "没有编号为“q”的群"),
            (["groups", "test", "h1"], 2, "没有机器人"),
        ],
    )
    def test_mistakes_are_told_by_exit_code_and_words(
        self, run: Run, arguments: list[str], code: int, words: str
    ) -> None:
        result = run(*arguments)
        assert result.exit_code == code, result.output
        assert words in result.output


class TestStatus:
    def test_one_broadcast_and_one_group_can_be_looked_at_alone(self, run: Run) -> None:
        key = json.loads(run("push", "morning", "--json").stdout)["key"]
        assert "已确认 1，已交人手工转发 1" in run("status", key).stdout
        assert json.loads(run("status", key, "--json").stdout)["key"] == key
        assert "已确认" in run("status", "--group", "q1").stdout
        assert json.loads(run("status", "--group", "h1", "--json").stdout)["told"][0]["fate"] == "handed"
        for wrong in (["x"], ["--group", "x"], ["--group", "q1", "--watch"], ["--watch", "--json"]):
            assert run("status", *wrong).exit_code == 2

    def test_watching_ends_by_itself_when_nothing_is_open(self, run: Run) -> None:
        run("push", "morning")
        watched = run("status", "--watch")
        assert watched.exit_code == 0, watched.output
        assert "每日提示" in watched.stdout

    def test_watching_ends_when_nobody_sends_what_is_open(
        self, run: Run, station: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gengfu_scheduler.cli.status._PATIENCE", 0)
        self._waits(station)
        for watched in (run("status", "--watch"), run("status", "k@1", "--watch")):
            assert watched.exit_code == 0, watched.output
            assert "等待发送 1" in watched.stdout
            assert "等待发送的不会自己发出去：请运行 gengfu run" in watched.stderr

    def test_it_goes_on_while_somebody_sends_on_another_machine(
        self, run: Run, station: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gengfu_scheduler.cli.status._PATIENCE", 0)
        self._waits(station)

        def sends(_outbox: Outbox) -> bool:
            with Outbox(database_url(station.folder, {})) as there:
                there.stop("k@1", now=datetime.now(UTC), reason="由王警官停止")
            return True

        monkeypatch.setattr(Outbox, "someone_sends", sends)
        watched = run("status", "--watch")
        assert watched.exit_code == 0, watched.output
        assert "取消 1" in watched.stdout
        assert watched.stderr == ""

    def _waits(self, station: Watch) -> None:
        """A broadcast of which nothing was sent yet."""
        with Outbox(database_url(station.folder, {})) as outbox:
            now = datetime.now(UTC)
            message = Message(form="digest", title="每日提示", items=())
            waits = Broadcast(key="k@1", form="digest", title="每日提示", scheduled_for=now, expires=FOREVER)
            outbox.plan(waits, [Planned(group="q1", messages=(message,), not_before=now)], now=now)

    def test_an_alert_stays_in_sight_until_another_officer_has_looked_at_it(
        self, run: Run, station: Watch
    ) -> None:
        assert run("alert", "F", "--yes", "--by", "李警官").exit_code == 0
        assert "警情“题F”还没有复核（不到 1 小时）：请 李警官 以外的人" in run("status").stdout
        assert json.loads(run("status", "--json").stdout)["unreviewed"][0]["id"] == "F"
        refused = run("review", "F", "--by", "李警官")
        assert refused.exit_code == 1
        assert "要由另一个人复核" in refused.stderr
        assert run("review", "F", "--by", "王警官").exit_code == 0
        assert "复核" not in run("status").stdout
        assert [(one.who, one.action) for one in audit.read(station.folder)] == [
            ("李警官", "alert"),
            ("王警官", "review"),
        ]


class TestLog:
    def test_for_programs_a_note_is_an_object_a_line_with_its_time_in_the_stations_zone(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log = Log(as_json=True)
        log.zone = ZoneInfo("Asia/Shanghai")
        log(Note("每日提示  已确认 2", "broadcast.done", broadcast="k@1"))
        log("别的")
        first, second = map(json.loads, capsys.readouterr().out.splitlines())
        assert datetime.fromisoformat(first.pop("time")).utcoffset() == timedelta(hours=8)
        assert first == {
            "level": "info",
            "event": "broadcast.done",
            "text": "每日提示  已确认 2",
            "broadcast": "k@1",
        }
        assert (second["event"], second["text"]) == ("note", "别的")

    @pytest.mark.parametrize("as_json", [True, False])
    @pytest.mark.parametrize("why", [errno.EPIPE, errno.ENOSPC])
    def test_the_watch_goes_on_where_nothing_can_be_said(
        self, why: int, as_json: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried = []

        class Full(io.StringIO):
            def write(self, text: str | bytes) -> int:
                tried.append(text if isinstance(text, str) else text.decode())
                raise OSError(why, os.strerror(why))

        monkeypatch.setattr(
            Console, "on_broken_pipe", lambda _console: sys.exit(1)
        )  # it closes the tests' own output
        monkeypatch.setattr("sys.stdout", Full())
        Log(as_json=as_json)("每日提示  已确认 2")
        monkeypatch.undo()
        assert any("每日提示" in text for text in tried)


class TestAudit:
    def test_what_was_interrupted_is_on_record_and_an_alert_waits_for_its_review(
        self, run: Run, station: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_args: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("gengfu_scheduler.push._wait", interrupted)
        for command in (["push", "morning"], ["alert", "F", "--yes"]):
            assert run(*command, "--by", "李警官").exit_code == 1
        actions = [(one.who, one.action) for one in audit.read(station.folder)]
        assert actions == [("李警官", "push.failed"), ("李警官", "alert.failed")]
        assert [alert["id"] for alert in json.loads(run("status", "--json").stdout)["unreviewed"]] == ["F"]

    def test_it_lists_who_did_what_and_gives_a_mark_to_note_elsewhere(self, run: Run) -> None:
        assert "还没有操作记录" in run("audit").stdout
        run("push", "morning", "--by", "李警官")
        assert re.search(r"李警官  push  .*target=morning", run("audit").stdout)
        (one,) = json.loads(run("audit", "--json").stdout)
        verified = run("audit", "verify", "--head", one["hash"])
        assert verified.exit_code == 0, verified.output
        assert f"第 1 条  {one['hash']}" in verified.stdout

    def test_a_log_that_was_changed_is_named_by_its_line(self, run: Run, station: Watch) -> None:
        run("push", "morning", "--by", "李警官")
        log = station.folder / "audit/log.jsonl"
        log.write_text(log.read_text("utf-8").replace("李警官", "王警官"), "utf-8")
        broken = run("audit", "verify")
        assert broken.exit_code == 1
        assert "audit/log.jsonl:1 这一行被改过" in broken.stderr


class TestAgainAndNoMore:
    def test_what_was_rejected_is_sent_again_after_one_question_that_names_the_groups(
        self, run: Run, station: Watch
    ) -> None:
        station.write("groups.csv", CONSOLE.replace("console", "wecom"))
        key = json.loads(run("push", "morning", "--json").stdout)["key"]
        station.write("groups.csv", CONSOLE)
        refused = run("resend", key, "--rejected", input="n\n")
        assert refused.exit_code == 1
        assert "被拒 1 个群，没有收到：青松一群（q1）" in refused.stderr
        assert run("resend", key).exit_code == 2
        assert run("resend", key, "--unknown", "--yes").exit_code == 1
        accepted = run("resend", key, "--rejected", "--by", "李警官", input="y\n")
        assert accepted.exit_code == 0, accepted.output
        assert "已确认 1" in accepted.stdout
        newest = audit.read(station.folder)[-1]
        assert (newest.who, newest.action) == ("李警官", "resend")
        assert newest.details == {"broadcast": key, "states": ["rejected"], "groups": ["q1"]}

    def test_a_stop_says_what_was_sent_already_and_is_kept_with_who(self, run: Run, station: Watch) -> None:
        key = json.loads(run("push", "morning", "--json").stdout)["key"]
        refused = run("stop", key, input="n\n")
        assert refused.exit_code == 1
        assert "1 条收不回来；还没发、等人转发的 1 条不再发" in refused.stderr
        stopped = run("stop", key, "--yes", "--by", "李警官")
        assert stopped.exit_code == 0, stopped.output
        assert "已确认 1，已取消 1" in stopped.stdout
        assert "不用停止" in run("stop", key).stdout
        assert [(record.who, record.action) for record in audit.read(station.folder)][1:] == [
            ("李警官", "stop")
        ]


class TestOtherCommands:
    def test_plan_shows_a_list_and_the_same_as_json(self, run: Run) -> None:
        listed = run("plan", "--days", "3")
        assert listed.exit_code == 0, listed.output
        assert _cells(listed.stdout)[4:7] == [
            ["08:00", "每日提示", "·", "题a", "2", "个群"],
            ["自动", "1，手工转发", "1"],
            ["青松一群、河东群"],
        ]
        upcoming = json.loads(run("plan", "--days", "3", "--json").stdout)["upcoming"]
        assert len(upcoming) == 3
        assert upcoming[0]["tellings"][0]["items"] == ["题a"]

    def test_status_says_whether_the_scheduler_runs(self, run: Run, station: Watch) -> None:
        assert "没有运行" in run("status").stdout
        with only_scheduler(station.folder):
            assert "正在运行" in run("status").stdout

    def test_status_shows_the_ledger_even_where_the_files_have_problems(
        self, run: Run, station: Watch
    ) -> None:
        assert run("push", "morning").exit_code == 0
        station.write("groups.csv", "id\n")
        result = run("status")
        assert result.exit_code == 1
        assert "每日提示" in result.stdout
        assert "groups.csv" in result.stderr

    def test_tasks_are_listed_until_someone_says_they_are_done(self, run: Run) -> None:
        assert "没有等人转发" in run("tasks").stdout
        run("push", "morning")
        assert "等赵警官手工转发：河东群（h1）" in run("tasks").stdout
        assert "gengfu run" in run("tasks").stderr
        assert "题a" in run("tasks", "--text").stdout
        (told,) = json.loads(run("tasks", "--json").stdout)
        assert run("tasks", "done", told["key"], "q1", "--by", "赵警官").exit_code == 2
        assert run("tasks", "done", told["key"], "--by", "赵警官").exit_code == 2
        assert run("tasks", "done", told["key"], "h1", "--by", "赵警官").exit_code == 0
        assert run("tasks", "done", told["key"], "--all", "--by", "赵警官").exit_code == 2
        assert "已确认 1，本人说已转发 1" in run("status").stdout

    def test_a_months_report_is_shown_and_kept_as_page_sheet_and_json(
        self, run: Run, station: Watch, tmp_path: Path
    ) -> None:
        run("push", "morning")
        shown = run("report")
        assert shown.exit_code == 0, shown.output
        assert "已确认 1，已交人手工转发 1" in shown.stdout
        (page,) = (station.folder / ".gengfu").glob("report-*.html")
        assert str(page.resolve()) in shown.stdout
        sheet = tmp_path / "month.csv"
        run("report", "--csv", str(sheet))
        assert sheet.read_bytes().startswith("\ufeff月份,".encode())
        assert json.loads(run("report", "--json").stdout)["sum"] == {"confirmed": 1, "handed": 1}
        assert run("report", "--month", "2999-01").exit_code == 2

    @pytest.mark.parametrize("command", [["status"], ["run"], ["plan"], ["push", "x"], ["tasks"]])
    def test_a_folder_that_is_no_station_is_said_to_be_none_and_left_alone(
        self, tmp_path: Path, command: list[str]
    ) -> None:
        result = CliRunner().invoke(cli.main, ["-C", str(tmp_path), *command])
        assert result.exit_code == 2
        assert "不是一个站点文件夹" in result.stderr
        assert list(tmp_path.iterdir()) == []

    def test_groups_test_asks_first_and_tells_how_each_ended(self, run: Run) -> None:
        refused = run("groups", "test", input="n\n")
        assert "测试消息" not in refused.output.partition("[y/N]")[2]
        accepted = run("groups", "test", "q1", input="y\n")
        assert accepted.exit_code == 0, accepted.output
        assert "青松一群：已确认" in accepted.output

    def test_problems_of_all_files_are_shown_with_exit_code_1(self, run: Run, station: Watch) -> None:
        station.write("groups.csv", CONSOLE.replace("河东,赵", "河冬,赵"))
        station.write("timetable.yml", LATER.replace("08:00", "八点"))
        for command in (["plan"], ["push", "morning"], ["run"]):
            result = run(*command)
            assert result.exit_code == 1
            assert "groups.csv" in result.stderr
            assert "timetable.yml" in result.stderr
            assert "Traceback" not in result.output

    def test_a_station_that_published_nothing_is_told_what_to_do(self, run: Run, station: Watch) -> None:
        (station.folder / "public" / "catalogue.json").unlink()
        result = run("plan")
        assert result.exit_code == 1
        assert "gengfu build" in result.stderr

    def test_an_unusable_database_is_words_not_a_traceback(
        self, run: Run, station: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GENGFU_DATABASE", f"sqlite:///{station.folder / 'groups.csv'}")
        for command in (["status"], ["push", "morning"]):
            result = run(*command)
            assert result.exit_code == 1
            assert "不是完好的发送记录" in result.stderr

    def test_every_command_explains_itself(self, run: Run) -> None:
        listed = run("--help").stdout
        for command in cli.main.list_commands(cli.main.make_context("gengfu", ["plan"])):
            assert f"  {command} " in listed
            assert run(command, "--help").exit_code == 0


class TestCheck:
    def test_it_tells_the_problems_of_articles_groups_and_timetable_in_one_run(self, tmp_path: Path) -> None:
        folder = empty_station(tmp_path)
        folder.article(kind="frauds")
        folder.file("groups.csv", "id,name,reach,owner,area\na,甲,hand,李,青松\n")
        folder.file("timetable.yml", "slots: {s: {title: t, at: 八点}}\n")
        result = CliRunner().invoke(cli.main, ["-C", str(tmp_path), "check"])
        assert result.exit_code == 1
        for words in (
            "content/fraud/brushing.md",
            "groups.csv",
            "是不是想写“青松路”",
            "timetable.yml",
            "八点",
        ):
            assert words in result.stderr
        listed = CliRunner().invoke(cli.main, ["-C", str(tmp_path), "check", "--format", "json"])
        assert listed.exit_code == 1
        assert [p["path"] for p in json.loads(listed.stdout)] == [
            "content/fraud/brushing.md",
            "groups.csv",
            "timetable.yml",
        ]

    def test_before_a_release_it_asks_for_what_a_public_site_must_say_of_itself(self, tmp_path: Path) -> None:
        empty_station(tmp_path).article()
        result = CliRunner().invoke(cli.main, ["-C", str(tmp_path), "check", "--release"])
        assert result.exit_code == 1
        for words in ("mkdocs.yml", "主办单位", "ICP备案号", "公安备案号", "网站标识码", "找错联系方式"):
            assert words in result.stderr

    def test_all_well_is_said_with_exit_code_0(self, tmp_path: Path) -> None:
        empty_station(tmp_path).article()
        result = CliRunner().invoke(cli.main, ["-C", str(tmp_path), "check"])
        assert (result.exit_code, result.stderr) == (0, "")
        assert "没有发现问题" in result.stdout

    def test_what_an_officer_wrote_between_colons_stays_as_it_is(self, tmp_path: Path) -> None:
        folder = empty_station(tmp_path)
        folder.article("tip/a.md", topics="[':fire:']")
        result = CliRunner().invoke(cli.main, ["-C", str(folder.folder), "build"])
        assert ":fire:" in result.stderr


def _cells(table: str) -> list[list[str]]:
    """The words of a printed table, line by line."""
    return [line.split() for line in table.splitlines()]
