"""What is to be looked at: what ends, is to be reviewed, says nothing, or came to nobody, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from gengfu_scheduler import cli
from gengfu_scheduler.cli import due as command
from gengfu_scheduler.unsaid import Unsaid, unsaid
from gengfu_site.due import due, silent_topics
from stations import AT, StationFolder
from watch import Watch, alert, instant, tip, watch_in

SHANGHAI = ZoneInfo("Asia/Shanghai")
SINCE = datetime(2026, 11, 21, tzinfo=SHANGHAI)
UNTIL = SINCE + timedelta(days=31)
TIPS_ALONE = 'slots: {morning: {title: 每日提示, at: "08:00", spread: 0m, pick: {kinds: [tip], repeat: 0}}}\n'
NEVER = datetime(2026, 1, 1, tzinfo=SHANGHAI)


class TestArticles:
    @pytest.mark.parametrize(
        ("fields", "what"),
        [
            ({"next_review": "2026-11-20"}, "2026-11-20 review late"),
            ({"next_review": "2026-01-01"}, "2026-01-01 review late"),
            ({"next_review": "2026-11-21"}, "2026-11-21 review"),
            ({"next_review": "2026-12-21"}, "2026-12-21 review"),
            ({"next_review": "2026-12-22"}, ""),
            ({"next_review": "2026-11-20", "withdrawn": "有误"}, ""),
            ({"next_review": "2026-11-20", "expires": "2026-11-20 23:00"}, ""),
            ({"expires": "2026-12-01"}, "2026-12-01 expires"),
            ({"expires": "2026-12-21"}, "2026-12-21 expires"),
            ({"expires": "2026-12-22"}, ""),
            ({"expires": "2026-12-01 12:00"}, "2026-12-01 expires"),
            ({"expires": "2026-11-21 07:00"}, "2026-11-21 expires late"),
            ({"expires": "2026-11-20"}, ""),
            ({"expires": "2026-12-01", "withdrawn": "有误"}, ""),
            ({"expires": "2026-12-01", "published": "2026-11-30"}, ""),
            ({}, ""),
        ],
    )
    def test_it_is_due_on_its_day(self, station: StationFolder, fields: dict[str, Any], what: str) -> None:
        station.article(**{"published": "2025-11-20", **fields})
        found = due(station.load(), AT, SINCE, UNTIL)
        assert [f"{one.day} {one.what}{' late' if one.past else ''}" for one in found] == [what] * bool(what)

    def test_late_reviews_come_first_then_the_earliest(self, station: StationFolder) -> None:
        station.article("tip/a.md", id="A1111", expires="2026-11-25")
        station.article("tip/b.md", id="B2222", next_review="2026-12-01")
        station.article("tip/c.md", id="C3333", next_review="2026-11-20")
        assert [one.id for one in due(station.load(), AT, SINCE, UNTIL)] == ["C3333", "A1111", "B2222"]

    def test_a_topic_without_a_live_article_is_silent(self, station: StationFolder) -> None:
        station.article("tip/a.md", id="A1111", topics="[防火用电]", expires="2026-11-20 23:00")
        station.article("tip/b.md", id="B2222", topics="[电信网络诈骗]")
        assert silent_topics(station.load(), AT) == ("防火用电",)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def found(watch: Watch) -> Unsaid:
    roster = watch.start().roster
    return unsaid(watch.outbox, roster, watch.now, NEVER, watch.now)


class TestGroups:
    def test_an_article_that_one_group_was_told_is_not_untold(self, watch: Watch) -> None:
        watch.publish(tip("a", areas=("河东",)), alert("F"))
        watch.at("07:00", "08:00")
        assert found(watch).entries == ()

    def test_what_comes_next_has_its_time_and_what_does_not_its_reason(self, watch: Watch) -> None:
        watch.write("timetable.yml", TIPS_ALONE)
        watch.publish(
            tip("new"),
            tip("old", kind="service", evergreen=False),
            tip("far", kind="video", areas=("青松路",), audience=("老年人",)),
        )
        assert [(one.id, one.next, one.why) for one in found(watch).entries] == [
            ("far", None, "“每日提示”发给“青松一群”时：这个时段只发 tip，它是 video。"),
            ("old", None, "“每日提示”发给“青松一群”时：这个时段只发 tip，它是 service。"),
            ("new", instant("08:00"), ""),
        ]

    def test_a_group_that_heard_nothing_has_its_reason_and_its_next_time(self, watch: Watch) -> None:
        watch.publish(tip("a", areas=("青松路",)))
        watch.outbox.disable("q2", "HTTP 404", now=watch.now)
        watch.publish(tip("a", areas=("青松路",)))
        assert [(one.group, one.why, one.next) for one in found(watch).groups] == [
            ("q1", "没有给它安排过发送", instant("08:00")),
            ("q2", "已停用：HTTP 404", None),
            ("h1", "没有给它安排过发送", None),
        ]

    def test_nobody_is_silent_who_heard_something(self, watch: Watch) -> None:
        watch.publish(tip("a", areas=("青松路",)))
        watch.at("07:00", "08:00", "09:30")
        assert [one.group for one in found(watch).groups] == ["h1"]


class TestTheCommand:
    @pytest.fixture
    def run(self, station: StationFolder, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(command, "now", lambda: AT)
        monkeypatch.setenv("COLUMNS", "80")

        def run(*arguments: str, exit_code: int = 0) -> str:
            result = CliRunner().invoke(cli.main, ["-C", str(station.folder), "due", *arguments])
            assert result.exit_code == exit_code, result.output
            return result.output if exit_code else result.stdout

        return run

    def test_the_most_urgent_comes_first_with_what_to_do(self, station: StationFolder, run: Any) -> None:
        station.article("tip/a.md", id="A1111", expires="2026-11-25", topics="[防火用电]")
        station.article("tip/b.md", id="B2222", next_review="2026-11-20")
        station.article("tip/c.md", id="C3333", topics="[没有的]")
        said = run()
        order = [
            "有问题，发布不了：1",
            "gengfu check",
            "过了复核的日子：1",
            "B2222",
            "快到期：1",
            "A1111",
            "没有文章的主题：1",
            "gengfu new",
        ]
        places = [said.index(words) for words in order]
        assert places == sorted(places)

    def test_what_waits_for_a_signature_says_whose(self, station: StationFolder, run: Any) -> None:
        settings = station.folder / "mkdocs.yml"
        station.file("mkdocs.yml", settings.read_text("utf-8") + "      review: small\n")
        station.article()
        assert "gengfu submit content/fraud/brushing.md" in run()

    def test_a_station_without_groups_is_told_of_its_articles(self, station: StationFolder, run: Any) -> None:
        station.article(next_review="2026-11-20", topics="[防火用电, 电信网络诈骗]")
        said = json.loads(run("--format", "json"))
        assert [one["id"] for one in said["articles"]] == ["F7K2Q"]
        assert said["unsaid"] is None

    @pytest.mark.parametrize("written", ["2026-13", "2026-0", "9999-12", "0000-01", "2026-11-01", "明年", ""])
    def test_what_is_no_month_is_told_in_words(self, run: Any, written: str) -> None:
        said = run("--month", written, exit_code=2)
        assert f"“{written}”不是月份，写成 2026-11 这样。" in said

    def test_a_month_is_the_whole_month(self, station: StationFolder, run: Any) -> None:
        station.article(expires="2026-11-30 12:00")
        assert "2026-11-01 – 2026-11-30" in run("--month", "2026-11")
        assert "F7K2Q" in run("--month", "2026-11")
        assert "F7K2Q" not in run("--month", "2026-12")

    def test_groups_that_cannot_be_read_do_not_hide_the_articles(
        self, station: StationFolder, run: Any
    ) -> None:
        station.article(next_review="2026-11-20")
        station.file("timetable.yml", "slots: [")
        assert "F7K2Q" in run()

    def test_nothing_to_do_is_not_said_where_something_could_not_be_seen(
        self, station: StationFolder, run: Any
    ) -> None:
        station.article(topics="[防火用电, 电信网络诈骗]")
        assert "没有要管的事" not in run()
