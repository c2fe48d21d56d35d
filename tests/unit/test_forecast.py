"""What is foretold comes true, and what speaks against a push is said before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gengfu_scheduler import forecast
from gengfu_scheduler.channels import Channels
from gengfu_scheduler.forecast import Plan
from gengfu_scheduler.message import Group, Message
from watch import GROUPS, SHANGHAI, TIMETABLE, Watch, alert, instant, tip, watch_in


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def plan(watch: Watch, days: int = 1) -> Plan:
    return forecast.plan(watch.start().roster, watch.outbox.told, watch.now, days)


def rows(plan: Plan) -> list[str]:
    return [
        f"{upcoming.scheduled_for:%a %H:%M} {' '.join(telling.items)} > {' '.join(telling.groups)}"
        for upcoming in plan.upcoming
        for telling in upcoming.tellings
    ]


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
        assert [telling.ways for telling in morning.tellings] == [{"hand": 1}]
        assert (morning.silent, evening.silent, evening.tellings) == (2, 2, ())

    def test_it_shows_when_quiet_hours_end(self, watch: Watch) -> None:
        watch.publish(tip("a"))
        (morning, _evening) = plan(watch).upcoming
        waiting = {t.groups: (t.held, f"{t.not_before:%H:%M}") for t in morning.tellings}
        assert waiting == {("q1", "h1"): (False, "08:00"), ("q2",): (True, "09:00")}

    def test_it_shows_until_when_the_sends_are_spread(self, watch: Watch) -> None:
        watch.write("timetable.yml", TIMETABLE.replace("spread: 0m", "spread: 10m"))
        watch.publish(tip("a"))
        (morning, _evening) = plan(watch).upcoming
        spans = {t.groups: (f"{t.not_before:%H:%M}", f"{t.spread_until:%H:%M:%S}") for t in morning.tellings}
        # Of three groups each is a third of the spread after the other; one is in its quiet hours.
        together = spans.pop(("q1", "h1"))
        assert together[0] in ("08:00", "08:03")
        assert together[1] in ("08:03:20", "08:06:40")
        (held,) = spans.values()
        assert held[0] in ("09:00", "09:03", "09:06")

    def test_it_shows_what_blackouts_take_away_and_which_campaigns_are_on(self, watch: Watch) -> None:
        watch.write(
            "timetable.yml",
            "blackout: [{days: 2026-11-17, reason: 公祭日}]\n"
            "campaigns: {反诈宣传月: {days: 2026-11-16..2026-11-16}, 旧的: {days: 2026-10-01}}\n" + TIMETABLE,
        )
        watch.publish(tip("a"), tip("b", "Tue 01:00"))
        found = plan(watch, 3)
        assert [(f"{s.scheduled_for:%a %H:%M}", s.slot, s.reason) for s in found.skipped] == [
            ("Tue 08:00", "morning", "公祭日"),
            ("Tue 20:00", "evening", "公祭日"),
        ]
        assert [f"{u.scheduled_for:%a %H:%M} {' '.join(u.campaigns)}".strip() for u in found.upcoming] == [
            "Mon 08:00 反诈宣传月",
            "Mon 20:00",
            "Wed 08:00",
            "Wed 20:00",
        ]

    def test_a_campaign_long_past_and_a_crowded_hour_are_noticed(self, watch: Watch) -> None:
        past = "campaigns: {旧的: {days: 2026-10-01}, 刚过的: {days: 2026-11-01}}\n"
        watch.write("timetable.yml", past + TIMETABLE.replace("20:00", "20:05"))
        campaign, crowded = sorted(plan(watch).notices, key=lambda notice: "旧的" not in notice)
        assert "旧的" in campaign
        assert "刚过的" not in campaign
        assert "每日提示" in crowded
        assert "08:00" in crowded
        watch.write("timetable.yml", TIMETABLE.replace("spread: 0m", "spread: 3m"))
        assert plan(watch).notices == ()

    def test_what_fits_no_message_is_named(self, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
        def fits(_channels: Channels, message: Message, group: Group) -> bool:
            return group.reach == "hand" or all(item.entry != "a" for item in message.items)

        monkeypatch.setattr(Channels, "fits", fits)
        watch.publish(tip("a", areas=("青松路",)), tip("b"))
        found = plan(watch)
        assert "“题a”" in found.notices[0]
        assert "2 个群" in found.notices[0]
        assert all("题a" not in telling.items for one in found.upcoming for telling in one.tellings)

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
        draft = watch.draft(target)
        return "\n".join(forecast.push_doubts(draft, roster, watch.outbox, watch.now))

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

    def test_a_blackout_day_is_named_with_its_reason(self, watch: Watch) -> None:
        watch.write("timetable.yml", "blackout: [{days: 2026-11-16, reason: 公祭日}]\n" + TIMETABLE)
        watch.publish(tip("a"), alert("F"))
        watch.now = instant("12:00")
        assert self.doubts(watch, "morning") == "今天停发（公祭日）。人工发起的发送不受停发限制。"
        assert self.doubts(watch, "F") == ""

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
