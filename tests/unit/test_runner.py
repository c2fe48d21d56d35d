"""The watchman's round: on time, once, after whatever happened in between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest

from gengfu_scheduler.channels.hand import Hand
from gengfu_scheduler.channels.transport import Answer, Reply, Request
from gengfu_scheduler.channels.wecom_customer import CORP, SECRET
from gengfu_scheduler.deliver import DIGESTS, IN_FLIGHT
from gengfu_scheduler.draft import Draft, draft_occurrence, draft_push
from gengfu_scheduler.message import Broadcast, Group, Message, Outcome
from gengfu_scheduler.notes import Note
from gengfu_scheduler.outbox import Outbox, OutboxUnusable
from gengfu_scheduler.published import CatalogueUnavailable
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.runner import AHEAD, LAP, Runner, run
from gengfu_site.problems import ProblemsFound
from watch import ENVIRON, GROUPS, TIMETABLE, FakePlatforms, Watch, alert, instant, tip, watch_in

DEADLINE = 60.0


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


class TestRetention:
    KEEP = TIMETABLE.replace("slots:", "keep: 30d\nslots:").replace("repeat: 0", "repeat: 1")

    def test_what_is_older_than_keep_is_erased_once_a_day_and_said(self, watch: Watch) -> None:
        watch.write("timetable.yml", self.KEEP)
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:30")
        watch.now += timedelta(days=31)
        watch.publish()
        for _round in range(3):
            watch.runner.tick()
        assert watch.outbox.broadcasts() == []
        erased = [note for note in watch.said if isinstance(note, Note) and note.event == "records.erased"]
        assert erased == ["已清除 30 天以前的 1 次发送记录。"]

    def test_nothing_is_told_again_too_soon_because_its_record_is_gone(self, watch: Watch) -> None:
        watch.write("timetable.yml", self.KEEP)
        watch.publish(tip("a", evergreen=True))
        start, told = instant("07:00"), []
        for day in range(70):
            for hour in (0, 1, 2):
                watch.now = start + timedelta(days=day, hours=hour)
                watch.runner.tick()
            newest = watch.outbox.broadcasts(limit=1)
            if newest and newest[0].broadcast.scheduled_for == start + timedelta(days=day, hours=1):
                told.append(day)
        assert told == [0, 30, 60]


class TestPlanning:
    def test_a_slot_is_told_at_its_time_to_every_group_once(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:59")
        assert watch.heard() == []
        watch.at("08:00:00", "08:00:01", "09:00")  # q2 is quiet until 09:00
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent", "h1: 题a, handed"]
        (status,) = watch.outbox.broadcasts()
        assert status.broadcast.key == "morning@2026-11-16T00:00:00Z"

    def test_the_first_run_ever_plans_from_now_on(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("08:30", "19:00")
        assert watch.heard() == []
        assert watch.outbox.missed(instant("00:00")) == []

    def test_a_restart_neither_repeats_nor_forgets(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:59", "08:00")
        watch.start()
        watch.at("08:01", "09:00")
        watch.publish(tip("a"), tip("b", "12:00"))
        watch.start()
        watch.at("20:30")
        assert watch.heard()[3:] == ["q1: 题b, sent", "q2: 题b, sent"]

    def test_late_is_sent_within_late_and_else_recorded_as_missed_and_said(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00")
        watch.start()
        watch.at("20:00")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent"]
        assert watch.outbox.missed(instant("00:00")) == [("morning", instant("08:00"))]
        assert any("错过了：每日提示（11-16 08:00）" in said for said in watch.said)

    def test_the_log_says_how_each_broadcast_went_and_what_had_nothing_to_say(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "08:01", "09:00")
        watch.start()
        watch.at("20:00")
        assert watch.said == [
            "每日提示  已确认 1，等待发送 1，已交人手工转发 1",
            "每日提示  已确认 2，已交人手工转发 1",
            "晚间提示  没有可发的。",
        ]

    def test_the_log_says_how_a_broadcast_ended_however_many_came_after_it(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        for n in range(25):
            at = instant("08:30") + timedelta(seconds=n)
            empty = Broadcast(key=f"s@{n}", form="digest", title="", scheduled_for=at, expires=at)
            watch.outbox.plan(empty, (), now=at)
        watch.at("08:40")
        watch.start()
        watch.said.clear()
        watch.at("09:00")
        assert watch.said == ["每日提示  已确认 2，已交人手工转发 1"]

    def test_programs_can_tell_each_note_by_its_event(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:00", "20:00", "Tue 12:00")
        notes = [note for note in watch.said if isinstance(note, Note)]
        assert [(note.event, note.level, dict(note.about)) for note in notes] == [
            ("broadcast.begun", "info", {"broadcast": "morning@2026-11-16T00:00:00Z"}),
            ("broadcast.done", "info", {"broadcast": "morning@2026-11-16T00:00:00Z"}),
            ("slot.empty", "info", {"slot": "evening"}),
            ("slot.missed", "warning", {"slot": "morning"}),
        ]
        assert len(notes) == len(watch.said)

    def test_exactly_late_is_not_too_late(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "09:59:59")
        assert len(watch.heard()) == 3

    def test_what_has_expired_since_its_time_is_not_told(self, watch: Watch) -> None:
        watch.publish(tip("a", expires=instant("08:30")))
        watch.at("07:00", "09:00")
        assert watch.heard() == []

    def test_nothing_to_say_is_no_broadcast_and_not_missed(self, watch: Watch) -> None:
        watch.at("07:00", "08:00", "09:59")
        assert watch.outbox.broadcasts() == []
        assert watch.outbox.missed(instant("00:00")) == []

    def test_a_clock_set_back_tells_nothing_twice(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "06:00", "08:00")
        assert len(watch.heard()) == 3

    def test_a_clock_that_ran_ahead_and_was_set_right_silences_nothing(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "Wed 12:00")
        watch.start()
        watch.at("07:30", "08:00", "09:00")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent", "h1: 题a, handed"]
        assert sum("时钟曾经走快" in said for said in watch.said) == 2  # once for each slot

    @pytest.mark.parametrize(("clock", "work"), [("07:59", False), ("08:00", True), ("06:00", True)])
    def test_there_is_work_whenever_the_clock_says_so_however_it_came_there(
        self, watch: Watch, clock: str, work: bool
    ) -> None:
        watch.at("07:00")
        watch.now = instant(clock)
        assert watch.runner.has_work() == work

    def test_two_drafts_of_one_slot_tell_an_item_once(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        roster, at = watch.start().roster, [instant("12:00:00"), instant("12:00:01")]
        drafts = [draft_push("evening", roster, watch.outbox.told, now) for now in at]
        assert [watch.outbox.plan(d.broadcast, d.planned, now=at[1]) for d in drafts] == [2, 0]

    def test_what_may_be_told_again_soon_is(self, watch: Watch) -> None:
        soon = TIMETABLE.replace("repeat: 0", "repeat: 1, repeat_after: 10m").replace("20:00", "08:30")
        watch.write("timetable.yml", soon)
        watch.publish(tip("a", evergreen=True))
        watch.at("07:00", "08:00", "08:30")
        assert [line for line in watch.heard() if line.startswith("q1")] == ["q1: 题a, sent"] * 2

    def test_a_group_that_has_not_joined_is_not_told(self, watch: Watch) -> None:
        watch.write(
            "groups.csv",
            "id,name,reach,owner,joined\na,甲,hand,李,2026-11-16\nb,乙,hand,李,2026-11-17\n",
        )
        watch.publish(tip("a", "07:00"), alert("F"))
        watch.at("07:30", "08:00")
        watch.push("F")
        assert sorted(watch.heard()) == ["a: 题F, handed", "a: 题a, handed"]

    def test_a_digest_waits_for_the_end_of_a_groups_quiet_hours(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "08:59")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, pending", "h1: 题a, handed"]
        watch.at("09:00")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent", "h1: 题a, handed"]

    def test_a_slots_digests_are_written_a_little_ahead_and_leave_at_its_time(self, watch: Watch) -> None:
        """As of that time: what is published for it is in, what ends by then is not."""
        watch.publish(tip("a"), tip("b", "08:00"), tip("c", expires=instant("08:00")), tip("d", "08:01"))
        watch.at("07:00")
        watch.now = instant("08:00") - AHEAD
        assert watch.runner.has_work()
        watch.runner.tick()
        assert not watch.runner.has_work()
        assert watch.heard() == ["q1: 题a 题b, pending", "q2: 题a 题b, pending", "h1: 题a 题b, pending"]
        watch.now = instant("08:00") - timedelta.resolution
        assert not watch.runner.has_work()
        watch.now = instant("08:00")
        assert watch.runner.has_work()
        watch.runner.tick()
        assert watch.heard() == ["q1: 题a 题b, sent", "q2: 题a 题b, pending", "h1: 题a 题b, handed"]

    def test_what_is_withdrawn_after_it_was_written_ahead_is_not_told(self, watch: Watch) -> None:
        watch.publish(tip("a"), tip("b"))
        watch.at("07:00", "07:59")
        watch.now = instant("08:00") - AHEAD
        watch.runner.tick()
        watch.publish(tip("a"))
        watch.at("08:00")
        assert [request.body.decode().count("题b") for request in watch.platforms.posts] == [0]

    def test_a_slot_written_down_moments_before_its_time_is_on_time(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("12:00")
        watch.now = instant("12:30") - AHEAD / 2
        watch.write(
            "timetable.yml", 'slots: {new: {title: 临时, at: "12:30", spread: 0m, pick: {repeat: 0}}}'
        )
        watch.runner.tick()
        assert watch.runner.has_work()
        watch.runner.tick()
        watch.at("12:30")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent", "h1: 题a, handed"]

    def test_a_spread_lets_groups_leave_one_after_another(self, watch: Watch) -> None:
        watch.write("timetable.yml", TIMETABLE.replace("spread: 0m", "spread: 9m"))
        watch.publish(tip("a"))
        watch.at("07:00")
        for clock in ("08:00", "08:03", "08:06", "09:00", "09:03", "09:06"):
            watch.at(clock)
            deliveries = watch.outbox.deliveries("morning@2026-11-16T00:00:00Z")
            assert all((d.state == "pending") == (d.not_before > watch.now) for d in deliveries)
        assert len({d.not_before for d in deliveries}) == 3
        assert all(d.state in ("sent", "handed") for d in deliveries)

    def test_what_is_held_up_into_a_blackout_day_waits_for_its_end(self, watch: Watch) -> None:
        watch.write(
            "timetable.yml",
            "blackout: [2026-11-17]\n"
            'slots: {late: {title: 夜间提示, at: "21:05", late: 48h, spread: 0m, to: {areas: [青松路]}}}',
        )
        watch.publish(tip("a"))
        watch.at("20:00", "21:05", "Tue 09:00", "Tue 21:05", "Wed 08:59")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, pending"]
        watch.at("Wed 09:00")
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent"]

    def test_what_fits_no_message_is_said(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gengfu_scheduler.channels.Channels.fits", lambda *_: False)
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        assert watch.heard() == []
        assert "“题a”一条消息放不下，没有发给 3 个群：请把标题和提要改短。" in watch.said

    def test_quiet_hours_that_outlast_late_leave_an_expired_delivery_by_name(self, watch: Watch) -> None:
        watch.write("timetable.yml", TIMETABLE.replace("late: 2h", "late: 30m"))
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "08:31", "09:30")
        assert "q2: 题a, expired" in watch.heard()
        assert any("1 条消息过时未发" in said for said in watch.said)


class TestDelivering:
    def test_digests_that_take_long_let_everything_else_have_its_turn(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.write("timetable.yml", TIMETABLE.replace("spread: 0m", "spread: 10m", 1))
        watch.publish(tip("a"))
        watch.at("07:00")
        ran = 0.0

        def take_long() -> None:
            nonlocal ran
            ran, watch.now = ran + 2 * LAP, instant("09:30")  # when all the others are due too

        monkeypatch.setattr("gengfu_scheduler.runner.time", SimpleNamespace(monotonic=lambda: ran))
        watch.platforms.on_post = take_long
        watch.at("08:00")
        assert any(line.endswith("sent") for line in watch.heard())
        assert any(line.endswith("pending") for line in watch.heard())
        assert any(said.startswith("每日提示  ") for said in watch.said)
        watch.runner.tick()
        assert watch.heard() == ["q1: 题a, sent", "q2: 题a, sent", "h1: 题a, handed"]

    def test_an_alert_does_not_wait_for_a_platform_that_takes_its_time_with_owners(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(ENVIRON, CORP, "ww-corp-id")
        monkeypatch.setitem(ENVIRON, SECRET, "the-app-secret")
        watch.write(
            "groups.csv",
            "id,name,reach,platform,webhook,chat,account,owner,area\n"
            "c1,客户群,confirm,wecom,,wrTaoyuan,LiMing,李警官,青松路\n"
            "h2,河东机器人群,webhook,wecom,env:Q2,,,,河东\n",
        )
        watch.publish(alert("F", areas=("青松路",)), alert("G", areas=("河东",)))
        second, asked = watch.draft("G"), list[int]()

        class Slow(FakePlatforms):
            def post_many(self, requests: Iterable[Request | None]) -> Iterator[list[tuple[int, Reply]]]:
                for replies in super().post_many(requests):
                    if replies and "gettoken" in self.posts[-1].url:
                        watch.outbox.plan(second.broadcast, second.planned, now=watch.now)
                        yield []
                        asked.append(len(self.posts))
                    yield replies

        watch.platforms = Slow()
        watch.push("F")
        assert asked == [2]
        assert "key=Q2" in watch.platforms.posts[1].url

    def test_owners_who_are_asked_and_an_alert_meanwhile_are_within_the_limit_together(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(ENVIRON, CORP, "ww-corp-id")
        monkeypatch.setitem(ENVIRON, SECRET, "the-app-secret")
        asked = "".join(f"c{n},客户群,confirm,wecom,wr{n},LiMing,李警官,青松路\n" for n in range(IN_FLIGHT))
        told = "".join(f"h{n},河东群,hand,,,,赵警官,河东\n" for n in range(IN_FLIGHT))
        watch.write("groups.csv", f"id,name,reach,platform,chat,account,owner,area\n{asked}{told}")
        watch.publish(alert("F", areas=("青松路",)), alert("G", areas=("河东",)))
        second = watch.draft("G")
        deliver, most = Hand.deliver, 0

        def note(hand: Hand, message: Message, group: Group) -> Outcome:
            nonlocal most
            most = max(most, sum(status.counts.get("sending", 0) for status in watch.outbox.broadcasts()))
            return deliver(hand, message, group)

        class Slow(FakePlatforms):
            def post_many(self, requests: Iterable[Request | None]) -> Iterator[list[tuple[int, Reply]]]:
                for replies in super().post_many(requests):
                    if replies:
                        watch.outbox.plan(second.broadcast, second.planned, now=watch.now)
                    yield replies

        monkeypatch.setattr(Hand, "deliver", note)
        watch.platforms = Slow()
        watch.push("F")
        assert DIGESTS < most <= IN_FLIGHT

    def test_an_alert_that_comes_while_a_web_server_is_asked_leaves_before_a_digest_is_drafted(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.publish(tip("a"), alert("F"))
        watch.at("07:00")
        urgent = watch.draft("F")
        read, order = RosterFiles.read, list[str]()
        watch.platforms.on_post = lambda: order.append("post")

        def ask_slowly(files: RosterFiles, *, ask: bool = True) -> Roster:
            if ask:
                watch.outbox.plan(urgent.broadcast, urgent.planned, now=watch.now)
            return read(files, ask=ask)

        def draft(*args: Any) -> Draft:
            order.append("draft")
            return draft_occurrence(*args)

        monkeypatch.setattr(RosterFiles, "read", ask_slowly)
        monkeypatch.setattr("gengfu_scheduler.runner.draft_occurrence", draft)
        watch.at("08:00")
        assert order[:2] == ["post", "post"]

    def test_an_alert_that_comes_while_a_digest_is_drafted_leaves_before_that_is_written(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch.publish(tip("a"), alert("F"))
        watch.at("07:00")
        urgent = watch.draft("F")
        planned_then: list[int] = []
        watch.platforms.on_post = lambda: planned_then.append(len(watch.outbox.broadcasts()))

        def slowly(*args: Any) -> Draft:
            watch.outbox.plan(urgent.broadcast, urgent.planned, now=watch.now)
            return draft_occurrence(*args)

        monkeypatch.setattr("gengfu_scheduler.runner.draft_occurrence", slowly)
        watch.at("07:59", "08:00")
        assert planned_then == [1, 1, 2]

    def test_an_alert_is_posted_before_the_digest_of_the_same_round(self, watch: Watch) -> None:
        watch.publish(tip("a"), alert("F"))
        watch.at("07:00")
        watch.now = instant("08:00")
        draft = watch.draft("F")
        watch.outbox.plan(draft.broadcast, draft.planned, now=watch.now)
        watch.at("08:00")
        kinds = ["markdown" if b'"markdown' in post.body else "news" for post in watch.platforms.posts]
        assert kinds == sorted(kinds)
        assert set(kinds) == {"markdown", "news"}

    def test_a_digest_held_up_into_quiet_hours_waits_for_their_end_unless_a_person_pushed_it(
        self, watch: Watch
    ) -> None:
        quiet = GROUPS.replace("21:00-09:00", "08:30-09:00").replace("青松路,,\n", "青松路,,08:30-09:00\n")
        watch.write("groups.csv", quiet)
        busy = Answer(status=429, headers={"retry-after": "2400"}, body=b"")
        watch.platforms.answers = {"Q1": busy, "Q2": busy}
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        watch.platforms.answers.clear()
        watch.at("08:45", "08:59")
        assert watch.heard()[:2] == ["q1: 题a, pending", "q2: 题a, pending"]
        watch.publish(tip("a"), tip("b", "08:50"))
        watch.push("evening")
        assert watch.heard()[-2:] == ["q1: 题b, sent", "q2: 题b, sent"]
        watch.at("09:00")
        assert watch.heard()[:2] == ["q1: 题a, sent", "q2: 题a, sent"]

    def test_an_alert_that_the_catalogue_ended_is_not_sent_any_more(self, watch: Watch) -> None:
        watch.platforms.answers["Q1"] = Answer(status=429, headers={}, body=b"")
        watch.publish(alert("F"), alert("G"))
        watch.at("12:00")
        watch.push("F", "G")
        watch.publish(alert("F", "2", state="resolved"))
        watch.at("12:05")
        watch.publish(alert("F", "2", state="resolved"), alert("H"))
        watch.start()
        watch.push("H")
        assert sorted(line for line in watch.heard() if line.startswith("q1")) == [
            "q1: 题F, cancelled",
            "q1: 题G, cancelled",
            "q1: 题H, pending",
        ]

    def test_an_alert_in_a_newer_catalogue_than_ours_is_sent(self, watch: Watch) -> None:
        watch.publish(alert("F"))
        draft = watch.draft("F")
        watch.publish()
        watch.start()
        watch.outbox.plan(draft.broadcast, draft.planned, now=watch.now)
        watch.at("00:01")
        assert watch.heard()[0] == "q1: 题F, sent"

    def test_the_end_of_an_alert_reaches_whoever_heard_it_wherever_it_is_said_to_be(
        self, watch: Watch
    ) -> None:
        watch.publish(alert("F"))
        watch.at("12:00")
        watch.push("F")
        watch.publish(alert("F", "2", areas=("青松路",)))
        watch.push("F")
        watch.now = instant("13:00")
        watch.publish(alert("F", "3", areas=("青松路",), state="resolved"))
        watch.push("F")
        assert watch.heard()[-3:] == ["q1: 题F, sent", "q2: 题F, sent", "h1: 题F, handed"]

    def test_what_a_dead_process_was_sending_is_unknown_and_said(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00")
        watch.platforms.on_post = lambda: (_ for _ in ()).throw(KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            watch.at("08:00")
        claimed = watch.outbox.claim(now=instant("08:00"))
        watch.platforms.on_post = lambda: None
        watch.start()
        watch.at("08:01")
        unknown = [line for line in watch.heard() if line.endswith("unknown")]
        assert len(unknown) >= len(claimed)
        assert len(watch.platforms.posts) == len({post.key for post in watch.platforms.posts})

    def test_a_group_whose_address_is_dead_is_disabled_and_the_others_are_told(self, watch: Watch) -> None:
        dead = Answer(status=200, headers={}, body=b'{"errcode":93000,"errmsg":"invalid webhook url"}')
        watch.platforms.answers["Q1"] = dead
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:00")
        assert watch.heard() == ["q1: 题a, rejected", "q2: 题a, sent", "h1: 题a, handed"]
        assert list(watch.outbox.disabled()) == ["q1"]

    @pytest.mark.parametrize(
        ("change", "ends"),
        [
            (("q1,青松一群,webhook,wecom,env:Q1,", "q1,青松一群,webhook,wecom,env:Q3,"), True),
            (("q1,青松一群,webhook,wecom,env:Q1,青松路,", "q1,青松一群,hand,,,青松路,李警官"), True),
            (("q1,青松一群", "q1,换名字"), False),
            (("env:Q1", "env:NOT_SET"), False),
        ],
    )
    def test_a_group_is_disabled_as_long_as_it_has_the_dead_address(
        self, watch: Watch, change: tuple[str, str], ends: bool
    ) -> None:
        watch.platforms.answers["Q1"] = Answer(status=200, headers={}, body=b'{"errcode":93000}')
        watch.publish(tip("a"))
        watch.at("07:00", "08:00")
        assert list(watch.outbox.disabled()) == ["q1"]
        watch.write("groups.csv", GROUPS.replace(*change))
        watch.at("08:30")
        assert (watch.outbox.disabled() == {}) == ends

    def test_no_address_is_said_or_kept(self, watch: Watch) -> None:
        watch.platforms.answers["Q1"] = Answer(status=500, headers={}, body=f"no {ENVIRON['Q1']}".encode())
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "09:00")
        kept = b"".join(file.read_bytes() for file in watch.folder.glob("outbox.sqlite3*"))
        kept += "".join(watch.said).encode()
        assert b"q1" in kept
        assert b"marker" not in kept


class TestEditing:
    def test_a_slot_written_while_running_fires(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("10:00")
        watch.write("timetable.yml", TIMETABLE + '  noon: {title: 午间, at: "12:00", to: {groups: [q1]}}\n')
        assert watch.runner.has_work()
        watch.at("10:01", "12:00")
        assert watch.heard() == ["q1: 题a, sent"]

    def test_a_slot_moved_to_an_earlier_time_of_today_counts_from_the_edit(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00", "08:00", "10:00")
        watch.publish(tip("b", "10:30"))
        watch.write("timetable.yml", TIMETABLE.replace("08:00", "09:00"))
        watch.at("10:40")
        assert len(watch.heard()) == 3
        assert watch.outbox.missed(instant("00:00")) == []

    def test_an_edit_loses_no_occurrence_that_is_due_just_then(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:59")
        watch.write("timetable.yml", TIMETABLE.replace("08:00", "08:30").replace("每日提示", "早安提示"))
        watch.at("08:00", "09:00")
        assert len(watch.heard()) == 3

    @pytest.mark.parametrize("restarted", [False, True])
    @pytest.mark.parametrize(
        ("edit", "missed"),
        [
            (("每日提示", "早安提示"), ["morning"]),
            (('"08:00"', '"09:00"'), []),
            (("repeat: 0", "repeat: 1"), ["morning"]),
        ],
    )
    def test_a_slot_begins_anew_with_other_times_and_with_nothing_else(
        self, watch: Watch, edit: tuple[str, str], missed: list[str], restarted: bool
    ) -> None:
        watch.at("07:00")
        watch.write("timetable.yml", TIMETABLE.replace(*edit, 1))
        if restarted:
            watch.now = instant("12:00")
            watch.start()
        else:
            watch.at("07:01")
        watch.at("12:00")
        expected = missed if restarted or missed else ["morning"]
        assert [slot for slot, _when in watch.outbox.missed(instant("00:00"))] == expected

    def test_a_group_that_is_listed_in_this_very_moment_is_told(self, watch: Watch) -> None:
        watch.publish(alert("F"))
        watch.at("12:00")
        watch.write("groups.csv", GROUPS + "new,新群,hand,,,河东,李警官,\n")
        draft = watch.draft("F")
        watch.write("groups.csv", GROUPS)
        watch.start()
        watch.outbox.plan(draft.broadcast, draft.planned, now=watch.now)
        watch.write("groups.csv", GROUPS + "new,新群,hand,,,河东,李警官\n,,,\n,,\n,\nhalf saved")
        watch.at("12:01")
        assert watch.heard()[-1] == "new: 题F, pending"
        watch.write("groups.csv", GROUPS + "new,新群,hand,,,河东,李警官,\n")
        watch.at("12:02")
        assert watch.heard()[-1] == "new: 题F, handed"

    def test_problems_keep_the_last_good_files_and_are_said_once(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.at("07:00")
        watch.write("timetable.yml", TIMETABLE.replace("08:00", "8 点"))
        watch.at("07:01", "07:02", "08:00")
        assert len(watch.heard()) == 3
        assert sum("timetable.yml:2" in said for said in watch.said) == 1
        watch.write("timetable.yml", TIMETABLE)
        watch.at("08:10")
        assert "恢复" in watch.said[-1]

    def test_a_catalogue_that_breaks_leaves_the_last_good_one_in_use(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        watch.start()
        watch.at("07:00")
        watch.write("public/catalogue.json", "{")
        watch.at("08:00", "09:00")
        assert len(watch.heard()) == 3
        assert sum("catalogue.json" in said for said in watch.said) == 1

    def test_hosts_that_the_admin_lists_reach_the_transport(self, watch: Watch) -> None:
        watch.write("timetable.yml", "hosts: [chat.example.org]\n" + TIMETABLE)
        watch.at("08:00")
        assert watch.platforms.listed == ("chat.example.org",)

    def test_hosts_that_are_listed_while_nothing_can_be_written_reach_the_transport_too(
        self, watch: Watch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ran = 0.0

        class Later(FakePlatforms):
            """Answers when a lap is over."""

            def post_many(self, requests: Iterable[Request | None]) -> Iterator[list[tuple[int, Reply]]]:
                nonlocal ran
                for replies in super().post_many(requests):
                    if replies:
                        ran += 2 * LAP
                        yield []
                    yield replies

        def break_down(*_: Any, **__: Any) -> None:
            raise OutboxUnusable("disk is full", "")

        monkeypatch.setattr("gengfu_scheduler.runner.time", SimpleNamespace(monotonic=lambda: ran))
        watch.platforms = Later()
        watch.publish(tip("a"))
        watch.write("groups.csv", GROUPS[: GROUPS.index("q2")])
        watch.start()
        watch.at("07:00", "08:00")
        assert watch.runner.busy
        watch.write("timetable.yml", "hosts: [chat.example.org]\n" + TIMETABLE)
        with monkeypatch.context() as broken:
            broken.setattr(watch.outbox, "exchange", break_down)
            with pytest.raises(OutboxUnusable):
                watch.at("08:00:01")
        assert watch.platforms.listed == ("chat.example.org",)
        watch.at("08:00:02")
        assert watch.heard() == ["q1: 题a, unknown"]

    def test_nothing_is_begun_with_files_that_have_problems(self, watch: Watch) -> None:
        watch.write("groups.csv", "id,name\n")
        with pytest.raises(ProblemsFound):
            watch.start()

    def test_nothing_is_begun_before_something_was_published(self, watch: Watch) -> None:
        (watch.folder / "public" / "catalogue.json").unlink()
        with pytest.raises(CatalogueUnavailable, match="gengfu build"):
            watch.start()


class TestRunning:
    """With the real clock: these wait for events, never for time to pass."""

    @pytest.fixture
    def told(self, watch: Watch) -> Iterator[Event]:
        """The scheduler runs; the event is set at each post."""
        told, stop = Event(), Event()
        watch.platforms.on_post = told.set
        with Outbox(f"sqlite:///{watch.folder / 'outbox.sqlite3'}") as outbox:
            runner = Runner(
                watch.folder,
                ENVIRON,
                outbox,
                clock=lambda: datetime.now(UTC),
                say=watch.said.append,
                stopping=stop.is_set,
                transport=watch.platforms,
            )
            thread = Thread(target=run, args=(runner, stop.is_set, watch.said.append))
            thread.start()
            yield told
            stop.set()
            thread.join(DEADLINE)
            assert not thread.is_alive(), "it stops when asked"

    def test_asked_to_stop_it_does_not_first_wait_out_its_trouble(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gengfu_scheduler.runner.AFTER_TROUBLE", 60.0)

        class Troubled(Runner):
            def __init__(self) -> None:
                pass

            def tick(self) -> None:
                raise OutboxUnusable("disk is full", "")

            def finish(self) -> None:
                pass

        stop, begun = Event(), datetime.now(UTC)
        run(Troubled(), stop.is_set, lambda _said: stop.set())
        assert datetime.now(UTC) - begun < timedelta(seconds=30)

    def test_what_is_on_its_way_is_awaited_where_a_mistake_in_this_program_ends_it(self) -> None:
        finished = Event()

        class Mistaken(Runner):
            def __init__(self) -> None:
                pass

            def tick(self) -> None:
                raise ZeroDivisionError

            def finish(self) -> None:
                finished.set()

        with pytest.raises(ZeroDivisionError):
            run(Mistaken(), lambda: False, lambda _said: None)
        assert finished.is_set()

    def test_what_another_process_writes_is_delivered_at_once(self, watch: Watch, told: Event) -> None:
        now = datetime.now(UTC)
        watch.publish(alert("F", expires=now + timedelta(days=365)))
        watch.now = now
        draft = watch.draft("F")
        watch.outbox.plan(draft.broadcast, draft.planned, now=now)
        assert told.wait(DEADLINE)

    def test_a_slot_written_now_fires_by_itself_and_not_before_its_time(
        self, watch: Watch, told: Event
    ) -> None:
        now = datetime.now(UTC)
        watch.publish(tip("a", expires=now + timedelta(days=365)))
        soon = datetime.fromtimestamp(int(now.timestamp()) + 2, instant("00:00").tzinfo)
        watch.write(
            "timetable.yml",
            f'slots: {{now: {{title: 现在, at: "{soon:%H:%M:%S}", to: {{groups: [q1]}}, pick: {{fresh: 9999d}}}}}}\n',
        )
        assert told.wait(DEADLINE)
        assert datetime.now(UTC) >= soon
        assert re.fullmatch(r"now@.*Z", watch.outbox.broadcasts()[0].broadcast.key)
