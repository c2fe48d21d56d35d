"""The reports say what will be told and what was, group by group where a person must look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gengfu_scheduler import report
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.draft import draft_push
from gengfu_scheduler.message import Broadcast, Unsent
from gengfu_scheduler.report import Plan, Status
from gengfu_scheduler.state import Holder
from watch import GROUPS, SHANGHAI, TIMETABLE, Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def plan(watch: Watch, days: int = 1) -> Plan:
    return report.plan(watch.start().roster, watch.outbox.told, watch.now, days)


def rows(plan: Plan) -> list[str]:
    return [
        f"{upcoming.scheduled_for:%a %H:%M} {' '.join(telling.items)} > {' '.join(telling.groups)}"
        for upcoming in plan.upcoming
        for telling in upcoming.tellings
    ]


def status(watch: Watch, scheduler: Holder | None = None) -> Status:
    return report.status(
        watch.outbox, watch.runner.roster, scheduler, watch.now, tasks=watch.folder / ".gengfu/tasks"
    )


class TestPlan:
    def test_it_foresees_that_what_is_told_once_is_not_told_again(self, watch: Watch) -> None:
        watch.publish(tip("b", areas=("河东",)), tip("a"))
        assert rows(plan(watch, 2)) == ["Mon 08:00 题a > q1", "Mon 08:00 题a > q2", "Mon 08:00 题b 题a > h1"]

    def test_it_comes_true(self, watch: Watch) -> None:
        watch.publish(tip("a"), tip("b", "12:00"), tip("c", "Tue 01:00"))
        foreseen = rows(plan(watch, 2))
        watch.at("00:00", "08:00", "09:00", "20:00", "Tue 08:00", "Tue 09:00")
        told = [
            f"{status.broadcast.scheduled_for.astimezone(SHANGHAI):%a %H:%M} "
            + " ".join(item.title for item in delivery.message.items)
            + f" > {delivery.group}"
            for status in watch.outbox.broadcasts()
            for delivery in watch.outbox.deliveries(status.broadcast.key)
        ]
        assert sorted(told) == sorted(
            f"{what} > {group}"
            for row in foreseen
            for what, groups in [row.split(" > ")]
            for group in groups.split()
        )

    def test_it_counts_groups_by_hand_and_those_with_nothing_to_be_told(self, watch: Watch) -> None:
        watch.publish(tip("b", areas=("河东",)))
        morning, evening = plan(watch).upcoming
        assert [telling.by_hand for telling in morning.tellings] == [1]
        assert (morning.silent, evening.silent, evening.tellings) == (2, 2, ())

    def test_it_shows_when_quiet_hours_end(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        (morning, _evening) = plan(watch).upcoming
        waiting = {t.groups: f"{t.not_before:%H:%M}" for t in morning.tellings}
        assert waiting == {("q1", "h1"): "08:00", ("q2",): "09:00"}

    def test_it_names_years_whose_holidays_are_not_known_and_groups_without_an_address(
        self, watch: Watch
    ) -> None:
        watch.write("groups.csv", GROUPS.replace("env:Q1", "env:NOT_SET"))
        watch.write("timetable.yml", 'slots: {s: {title: t, at: "08:00", days: 工作日}}')
        watch.now = datetime(2098, 12, 31, 12, tzinfo=SHANGHAI)
        years, addresses = plan(watch, 1).notices[-2:]
        assert "2099" in years
        assert "青松一群" in addresses


class TestDoubts:
    def doubts(self, watch: Watch, target: str) -> str:
        roster = watch.start().roster
        draft = draft_push(target, roster, watch.outbox.told, watch.now)
        return "\n".join(report.push_doubts(draft, roster, watch.outbox, watch.now))

    @pytest.mark.parametrize(
        ("target", "at", "named"),
        [("evening", "08:30", True), ("evening", "12:00", False), ("F", "08:30", False)],
    )
    def test_the_groups_it_disturbs_are_named_unless_it_is_an_alert(
        self, watch: Watch, target: str, at: str, named: bool
    ) -> None:
        watch.publish(tip("a"), alert("F"))
        watch.now = instant(at)
        doubts = self.doubts(watch, target)
        assert ("青松二群" in doubts) is named
        assert "青松一群" not in doubts

    @pytest.mark.parametrize(
        ("target", "at", "named"),
        [("morning", "10:00", True), ("morning", "10:01", False), ("evening", "09:30", False)],
    )
    def test_a_slot_that_spoke_within_the_hour_is_named(
        self, watch: Watch, target: str, at: str, named: bool
    ) -> None:
        watch.write("timetable.yml", TIMETABLE.replace("08:00", "09:00"))
        watch.publish(tip("a"))
        watch.start()
        watch.at("07:00", "09:00")
        watch.publish(tip("a"), tip("b"))
        watch.now = instant(at)
        assert ("在 09:00 刚发过" in self.doubts(watch, target)) is named


class TestStatus:
    def test_it_tells_confirmed_handed_rejected_and_unknown_apart_and_by_name(self, watch: Watch) -> None:
        watch.platforms.answers = {
            "Q1": Answer(status=502, headers={}, body=b"bad gateway"),
            "Q2": Answer(status=200, headers={}, body=b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
        }
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:00")
        found = status(watch, Holder(host="h", pid=1))
        (told,) = found.broadcasts
        assert report.count_words(told.counts, told.confirmed) == "已交人手工转发 1，被拒 1，不明 1"
        assert [(one.name, one.words.split("：")[0]) for one in told.look_at] == [
            ("青松一群", "不明"),
            ("青松二群", "被拒"),
        ]
        assert [(task.owner, task.names) for task in told.tasks] == [("赵警官", ("河东群",))]
        assert told.tasks[0].page is not None
        assert "河东群" in Path(told.tasks[0].page).read_text("utf-8")
        assert "502" in told.look_at[0].words
        assert [(group.group, group.name) for group in found.disabled] == [("q2", "青松二群")]
        assert found.scheduler == Holder(host="h", pid=1)

    def test_what_is_well_is_only_counted(self, watch: Watch) -> None:
        watch.publish(tip("a", areas=("青松路",)))
        watch.at("07:00", "08:00", "09:00")
        (told,) = status(watch).broadcasts
        assert told.look_at == ()
        assert report.count_words(told.counts, told.confirmed) == "已确认 2"
        assert report.count_words({"sent": 3}, 1, 1) == "已确认 1，平台已收下 1，本人说已转发 1"

    @pytest.mark.parametrize(
        ("at", "words"),
        [
            ("08:00", "等待发送：免打扰时间，等到 09:00，10:00 前发不出就作废"),
            ("10:01", "过时未发"),
        ],
    )
    def test_what_waits_is_named_with_why_and_until_when(self, watch: Watch, at: str, words: str) -> None:
        watch.publish(tip("a", areas=("青松路",)))
        watch.at("07:00", "08:00")
        watch.platforms.answers["Q2"] = Unsent(reason="DNS")
        if at != "08:00":
            watch.at("09:30", at)
        (two,) = status(watch).broadcasts[0].look_at
        assert (two.group, two.words.removesuffix("：DNS")) == ("q2", words)

    def test_what_waits_for_a_disabled_group_says_so(self, watch: Watch) -> None:
        watch.platforms.answers["Q1"] = Answer(status=200, headers={}, body=b'{"errcode":93000}')
        watch.publish(tip("a", areas=("青松路",)))
        watch.at("07:00", "09:30")
        watch.publish(tip("b", "19:00"))
        watch.at("20:00")
        (waits,) = status(watch).broadcasts[0].look_at
        assert waits.state == "pending"
        assert waits.words.startswith("等待发送：群已停用（93000")

    def test_a_broadcast_that_is_not_over_stays_in_sight(self, watch: Watch) -> None:
        watch.platforms.answers["Q1"] = Answer(status=502, headers={}, body=b"")
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        for n in range(12):
            key = f"s@{n}"
            at = instant("12:00") + timedelta(minutes=n)
            empty = Broadcast(key=key, form="digest", title=key, scheduled_for=at, expires=at)
            watch.outbox.plan(empty, (), now=at)
        assert status(watch).broadcasts[-1].title == "每日提示"
        found = report.broadcast_report(
            watch.outbox, "s@0", watch.runner.roster, watch.now, tasks=watch.folder
        )
        assert found.title == "s@0"

    def test_missed_occurrences_are_shown_for_a_week(self, watch: Watch) -> None:
        watch.at("07:00", "12:00")
        (missed,) = status(watch).missed
        assert (missed.slot, missed.scheduled_for) == ("morning", instant("08:00"))

    def test_without_readable_files_groups_go_by_their_ids(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        found = report.status(watch.outbox, None, None, watch.now, tasks=watch.folder)
        assert [one.name for one in found.broadcasts[0].look_at] == ["q2"]
        assert [(task.names, task.page) for task in found.broadcasts[0].tasks] == [(("h1",), None)]
