"""The commands about groups: what they show, what they ask, what they write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.state import database_url
from outboxes import plan
from stations import empty_station
from watch import Watch, instant, tip, watch_in

Run = Callable[..., Result]
CONSOLE = (
    "id,name,reach,platform,area,owner,size\n"
    "q1,青松一群,webhook,console,青松路,,120\n"
    "q2,青松二群,webhook,wecom,青松路,,30\n"
    "h1,河东群,hand,,河东,赵警官,\n"
)
SHEET = (
    "群名称,警务室,群主,人数,机器人地址,备注\n"
    "河东群,河东,赵警官,80,,老群\n"
    "青松新群,青松路,李警官,9,https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=marker,\n"
    "合计,,,89,,\n"
)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        watch.write("groups.csv", CONSOLE)
        watch.write("群.csv", SHEET)
        watch.publish(tip("a"))
        yield watch


@pytest.fixture
def run(station: Watch) -> Run:
    def run(*arguments: str, **options: Any) -> Result:
        result = CliRunner().invoke(cli.main, ["-C", str(station.folder), "groups", *arguments], **options)
        assert "marker" not in result.output
        return result

    return run


@pytest.fixture
def sheet(station: Watch) -> str:
    return str(station.folder / "群.csv")


class TestImport:
    def test_a_dry_run_shows_everything_and_writes_nothing(
        self, run: Run, station: Watch, sheet: str
    ) -> None:
        result = run("import", sheet, "--dry-run")
        assert result.exit_code == 0, result.output
        for words in (
            "新增 1 个群，改动 1 个（其中改名 0 个），不变 0 个",
            "q-1  青松新群  青松路  自动",
            "h1  河东群  人数 空 → 80",
            "q1  青松一群",
            "仍然保留",
            "第 4 行是合计或者没有群",
            "没有导入的列：备注",
        ):
            assert words in result.output
        assert (station.folder / "groups.csv").read_text("utf-8") == CONSOLE

    def test_it_asks_once_and_writes_only_then(self, run: Run, station: Watch, sheet: str) -> None:
        refused = run("import", sheet, input="n\n")
        assert refused.exit_code == 1
        assert (station.folder / "groups.csv").read_text("utf-8") == CONSOLE
        assert run("import", sheet, input="y\n").exit_code == 0
        assert "没有要改的" in run("import", sheet).output
        assert "marker" in (station.folder / "webhooks.csv").read_text("utf-8")

    def test_many_groups_are_not_all_listed_before_the_question(
        self, run: Run, station: Watch, sheet: str
    ) -> None:
        lines = "".join(f"群{n},河东,赵警官,1\n" for n in range(50))
        station.write("群.csv", "群名称,警务室,群主,人数\n" + lines)
        assert "还有 30 个" in run("import", sheet, input="n\n").output
        assert "群49" in run("import", sheet, "--dry-run").output

    def test_a_number_that_was_used_before_is_not_given_again(
        self, run: Run, station: Watch, sheet: str
    ) -> None:
        station.write("群.csv", "群名称,警务室,平台,转发方式\n甲群,河东,console,机器人\n")
        assert "h-1  甲群" in run("import", sheet, "--yes").output
        with Outbox(database_url(station.folder, {})) as outbox:
            plan(outbox, "h-1")
        station.write("群.csv", "群名称,警务室,群主\n河东群,河东,赵警官\n")
        assert run("import", sheet, "--remove-missing", "--yes").exit_code == 0
        station.write("群.csv", "群名称,警务室,群主\n乙群,河东,赵警官\n丙群,河东,赵警官\n")
        assert "h-2  乙群" in run("import", sheet, "--yes").output

    def test_the_stations_settings_are_enough_for_it(self, tmp_path: Path) -> None:
        station = empty_station(tmp_path)
        sheet = station.file("群.csv", "群名称,社区,群主\n甲群,桃园社区,李警官\n")
        result = CliRunner().invoke(
            cli.main, ["-C", str(station.folder), "groups", "import", str(sheet), "--yes"]
        )
        assert result.exit_code == 0, result.output
        assert "taoyuan-1,甲群,hand" in (station.folder / "groups.csv").read_text("utf-8")

    def test_a_sheet_with_problems_is_refused_with_each_of_them(
        self, run: Run, station: Watch, sheet: str
    ) -> None:
        station.write("群.csv", "群名称,群主,手机\n甲群,13812345678,\n")
        result = run("import", sheet, "--yes")
        assert result.exit_code == 1
        assert "共 2 个问题" in result.output
        assert "13812345678" not in result.output


class TestCoverage:
    def test_it_says_what_the_numbers_mean(self, run: Run) -> None:
        result = run("coverage")
        assert result.exit_code == 0, result.output
        for words in (
            "1 个群（120 人）由机器人直接发到",
            "1 个群（30 人）缺机器人地址",
            "1 个群（人数不明）要群主手工转发",
            "1 个群没有写人数",
        ):
            assert words in result.output

    def test_its_json_is_for_programs(self, run: Run, station: Watch) -> None:
        with Outbox(database_url(station.folder, {})) as outbox:
            outbox.disable("q1", "93000", now=instant("08:00"))
        found = json.loads(run("coverage", "--json").stdout)
        assert found["sum"]["disabled"] == {"groups": 1, "members": 120, "of_unknown_size": 0}
        assert [area["area"] for area in found["areas"]] == ["青松路", "河东"]


def test_a_test_posts_once_to_each_named_robot_and_names_the_rest(run: Run) -> None:
    result = run("test", "q1", "h1", "q1", "--yes")
    assert result.exit_code == 0
    assert "没有机器人，不测试：河东群" in result.output
    assert result.output.count("青松一群：已确认") == 1
    assert "没有可以测试的" in run("test", "h1", "--yes").output


def test_a_list_of_no_groups_says_what_to_do(run: Run, station: Watch) -> None:
    station.write("groups.csv", CONSOLE.splitlines()[0] + "\n")
    assert "gengfu groups import" in run("list").output


def test_the_list_shows_ids_and_how_each_group_is_reached(run: Run) -> None:
    lines = [" ".join(line.split()) for line in run("list").output.splitlines()]
    assert "q1 青松一群 青松路 自动 120 人" in lines
    assert "q2 青松二群 青松路 自动，缺地址 30 人" in lines
    assert "h1 河东群 河东 手工转发 赵警官" in lines
