"""The reports say what was told, group by group where a person must look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gengfu_scheduler import report
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.message import Broadcast, Handed, Unsent
from gengfu_scheduler.report import Status
from gengfu_scheduler.state import Holder
from outboxes import plan
from watch import Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def status(watch: Watch, scheduler: Holder | None = None) -> Status:
    return report.status(
        watch.outbox, watch.runner.roster, scheduler, watch.now, pages=TaskPages(desk="http://d/", key=b"k")
    )


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
        assert str(told.tasks[0].page).startswith("http://d/t/")
        assert "502" in told.look_at[0].words
        assert [(group.group, group.name) for group in found.disabled] == [("q2", "青松二群")]
        assert found.scheduler == Holder(host="h", pid=1)

    def test_a_group_whose_owner_is_asked_twice_is_one_group_that_waits(self, watch: Watch) -> None:
        for key in ("morning", "evening"):
            plan(watch.outbox, "c1 c2", way="confirm", at=watch.now, key=key)
        asked = watch.outbox.claim(now=watch.now, ways=("confirm",))
        watch.outbox.settle([(d.id, Handed(to="王姐", task=d.broadcast)) for d in asked], now=watch.now)
        assert status(watch).to_confirm == 2

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
        found = report.broadcast_report(watch.outbox, "s@0", watch.runner.roster, watch.now, pages=None)
        assert found.title == "s@0"

    def test_a_disabled_group_is_shown_with_since_when(self, watch: Watch) -> None:
        watch.platforms.answers["Q1"] = Answer(status=200, headers={}, body=b'{"errcode":93000}')
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        (disabled,) = status(watch).disabled
        assert (disabled.group, disabled.since) == ("q1", instant("08:00"))

    def test_what_one_group_was_told_is_shown_newest_first(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:30")
        watch.platforms.answers["Q2"] = Answer(status=502, headers={}, body=b"")
        watch.publish(tip("a"), tip("b", "12:00"))
        watch.at("20:00")
        found = report.group_report(watch.outbox, "q2", watch.runner.roster, watch.now)
        assert found.name == "青松二群"
        assert [(told.title, told.fate, told.scheduled_for) for told in found.told] == [
            ("晚间提示", "unknown", instant("20:00")),
            ("每日提示", "confirmed", instant("08:00")),
        ]
        with pytest.raises(KeyError):
            report.group_report(watch.outbox, "nobody", watch.runner.roster, watch.now)

    def test_who_was_handed_it_and_why_it_was_not_passed_on_are_told_apart(self, watch: Watch) -> None:
        def words() -> list[str]:
            found = report.group_report(watch.outbox, "h1", watch.runner.roster, watch.now)
            return [report.told_words(told) for told in found.told]

        watch.publish(tip("a"), alert("F"))
        watch.at("07:00", "08:00")
        watch.push("F")
        assert words() == ["已交人手工转发（赵警官）"] * 2
        watch.publish(tip("a"))
        watch.at("08:01")
        digest = next(b.broadcast.key for b in watch.outbox.broadcasts() if b.broadcast.form == "digest")
        watch.outbox.stop(digest, now=watch.now, reason="王所：写错了")
        assert sorted(words()) == ["已取消（赵警官）：王所：写错了", "已取消（赵警官）：警情已结束或撤回"]

    def test_missed_occurrences_are_shown_for_a_week(self, watch: Watch) -> None:
        watch.at("07:00", "12:00")
        (missed,) = status(watch).missed
        assert (missed.slot, missed.scheduled_for) == ("morning", instant("08:00"))

    def test_without_readable_files_groups_go_by_their_ids(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        found = report.status(watch.outbox, None, None, watch.now, pages=None)
        assert [one.name for one in found.broadcasts[0].look_at] == ["q2"]
        assert [(task.names, task.page) for task in found.broadcasts[0].tasks] == [(("h1",), None)]


class TestTasks:
    def test_their_text_is_shown_where_it_is_asked_for_and_what_is_over_is_left_out(
        self, watch: Watch
    ) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")

        def texts(*, asked: bool) -> list[str]:
            found = report.open_tasks(watch.outbox, watch.start().roster, watch.now, pages=None, texts=asked)
            return [text for told in found for task in told.tasks for text in task.texts]

        (text,) = texts(asked=True)
        assert "题a" in text
        assert texts(asked=False) == []
        watch.publish()
        assert texts(asked=True) == []
