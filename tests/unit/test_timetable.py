"""The timetable's words mean the instants an admin expects, whatever the clocks do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from socket import gethostname
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.days import Dates, Days, dates, days
from gengfu_scheduler.message import Group, QuietHours
from gengfu_scheduler.timetable import (
    Blackout,
    Campaign,
    Slot,
    Target,
    Timetable,
    catalogue_address,
    next_after,
    occurrences,
    read_timetable,
    unknown_years,
)
from gengfu_site.catalogue import Area, Station, Topic

STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    areas=(Area(path="青松路", slug="qingsong"), Area(path="青松路/桃园社区", slug="qingsong/taoyuan")),
    topics=(Topic(name="电信网络诈骗", slug="fraud"),),
    audiences=("老年人", "学校"),
)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def slot(at: str, on: str = "every day") -> Slot:
    return Slot(id="s", title="t", at=tuple(sorted(time.fromisoformat(a) for a in at.split())), days=days(on))


def blackout(text: str) -> Blackout:
    return Blackout(days=dates(text))


def campaign(text: str) -> Campaign:
    return Campaign(name="反诈宣传月", days=dates(text))


GROUP = Group(id="g1", name="g", reach="hand", joined=datetime(2026, 1, 1, tzinfo=UTC))


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def fires(slot: Slot, zone: str, after: str, until: str) -> list[str]:
    """Local times, with their offset, of the occurrences between two local times."""
    found = occurrences(slot, ZoneInfo(zone), local(after, zone), local(until, zone))
    return [o.scheduled_for.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for o in found]


def read(folder: Path, text: str) -> tuple[Timetable | None, list[str]]:
    (folder / "timetable.yml").write_text(text, encoding="utf-8")
    timetable, problems = read_timetable(folder, STATION, {"g1": None})
    return timetable, [str(p) for p in problems]


class TestDays:
    @pytest.mark.parametrize(
        ("words", "month", "expected"),
        [
            ("every day", "2026-02", list(range(1, 29))),
            ("每天", "2026-02", list(range(1, 29))),
            # Spring Festival 2026: off from the 15th to the 23rd, the 14th and 28th (Saturdays) are worked.
            ("workdays", "2026-02", [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28]),
            ("工作日", "2026-02", [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14, 24, 25, 26, 27, 28]),
            ("mon,wed", "2026-03", [2, 4, 9, 11, 16, 18, 23, 25, 30]),
            ("周一、周三", "2026-03", [2, 4, 9, 11, 16, 18, 23, 25, 30]),
            ("Sunday", "2026-03", [1, 8, 15, 22, 29]),
            ("周日，星期天", "2026-03", [1, 8, 15, 22, 29]),
            ("1st, 15th", "2026-03", [1, 15]),
            ("每月15日", "2026-03", [15]),
            ("31st", "2026-04", []),
            ("last fri", "2026-03", [27]),
            ("最后一个周五", "2026-02", [27]),
            ("1st,last sun,tue", "2026-03", [1, 3, 10, 17, 24, 29, 31]),
        ],
    )
    def test_words_name_these_days_of_the_month(self, words: str, month: str, expected: list[int]) -> None:
        first = date.fromisoformat(month + "-01")
        run = (first + timedelta(days=n) for n in range(31))
        assert [day.day for day in run if day.month == first.month and day in days(words)] == expected

    def test_a_year_without_a_holiday_notice_falls_back_to_weekdays_and_is_named(self) -> None:
        far = slot("08:00", "workdays")
        assert date(2099, 5, 1) in far.days  # a Friday, and Labour Day
        start, end = datetime(2098, 12, 1, tzinfo=UTC), datetime(2099, 2, 1, tzinfo=UTC)
        assert unknown_years([far], start, end) == (2098, 2099)
        assert unknown_years([slot("08:00")], start, end) == ()
        assert unknown_years([far], datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)) == ()


class TestOccurrences:
    def test_a_span_begins_after_its_start_and_includes_its_end(self) -> None:
        assert fires(slot("08:00 20:00"), "Asia/Shanghai", "2026-03-01 08:00", "2026-03-02 08:00") == [
            "03-01 20:00 +0800",
            "03-02 08:00 +0800",
        ]

    def test_a_time_in_the_spring_gap_fires_at_the_first_instant_after_it(self) -> None:
        assert fires(slot("02:30"), "America/New_York", "2026-03-07 12:00", "2026-03-09 12:00") == [
            "03-08 03:00 -0400",
            "03-09 02:30 -0400",
        ]

    def test_two_times_in_one_gap_fire_once(self) -> None:
        assert fires(slot("02:10 02:50"), "America/New_York", "2026-03-07 12:00", "2026-03-08 12:00") == [
            "03-08 03:00 -0400"
        ]

    def test_a_repeated_autumn_hour_fires_the_first_time_only(self) -> None:
        assert fires(slot("01:30"), "America/New_York", "2026-10-31 12:00", "2026-11-02 00:00") == [
            "11-01 01:30 -0400"
        ]

    def test_a_day_that_the_zone_skipped_has_none(self) -> None:
        assert fires(slot("08:00"), "Pacific/Apia", "2011-12-29 00:00", "2011-12-31 12:00") == [
            "12-29 08:00 -1000",
            "12-31 08:00 +1400",
        ]

    def test_the_key_names_slot_and_utc_instant(self) -> None:
        (found,) = occurrences(
            slot("08:00"),
            SHANGHAI,
            local("2026-03-01 00:00", "Asia/Shanghai"),
            local("2026-03-01 12:00", "Asia/Shanghai"),
        )
        assert found.key == "s@2026-03-01T00:00:00Z"

    def test_a_blackout_day_has_none(self) -> None:
        dark = replace(slot("08:00"), blackouts=(blackout("2026-04-04..2026-04-06"), blackout("2026-04-08")))
        assert fires(dark, "Asia/Shanghai", "2026-04-03 00:00", "2026-04-09 12:00") == [
            "04-03 08:00 +0800",
            "04-07 08:00 +0800",
            "04-09 08:00 +0800",
        ]

    def test_a_slot_of_a_campaign_occurs_only_within_it_and_then_has_no_next(self) -> None:
        bound = replace(slot("08:00", "mon"), campaign=campaign("2026-11-02..2026-11-10"))
        assert fires(bound, "Asia/Shanghai", "2026-01-01 00:00", "2027-01-01 00:00") == [
            "11-02 08:00 +0800",
            "11-09 08:00 +0800",
        ]
        assert next_after(bound, SHANGHAI, local("2026-11-09 08:00", "Asia/Shanghai")) is None

    def test_next_after_skips_a_holiday(self) -> None:
        found = next_after(slot("08:00", "workdays"), SHANGHAI, local("2026-02-14 09:00", "Asia/Shanghai"))
        assert found == local("2026-02-24 08:00", "Asia/Shanghai")

    @settings(max_examples=25)
    @given(
        zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Apia"]),
        year=st.integers(2008, 2026),
        clocks=st.sets(st.times(), min_size=1, max_size=3).map(
            lambda found: sorted({t.replace(second=0, microsecond=0) for t in found})
        ),
        words=st.sampled_from(["every day", "workdays", "mon,wed", "1st,15th", "31st", "last fri"]),
        dark=st.lists(st.tuples(st.integers(0, 365), st.integers(0, 30)), max_size=3),
        span=st.none() | st.tuples(st.integers(-30, 365), st.integers(0, 365)),
        cuts=st.lists(st.integers(0, 366 * 24 * 60), max_size=4),
    )
    def test_a_year_has_no_double_and_no_gap_however_it_is_cut(
        self,
        zone: str,
        year: int,
        clocks: list[time],
        words: str,
        dark: list[tuple[int, int]],
        span: tuple[int, int] | None,
        cuts: list[int],
    ) -> None:
        def run(begin: int, length: int) -> Dates:
            first = date(year, 1, 1) + timedelta(days=begin)
            return Dates(first=first, last=first + timedelta(days=length))

        it = Slot(
            id="s",
            title="t",
            at=tuple(clocks),
            days=days(words),
            blackouts=tuple(Blackout(days=run(*part)) for part in dark),
            campaign=Campaign(name="c", days=run(*span)) if span else None,
        )
        where = ZoneInfo(zone)

        def holds(day: date) -> bool:
            lit = not any(day in run(*part) for part in dark)
            return lit and day in days(words) and (span is None or day in run(*span))

        start, end = datetime(year, 1, 1, tzinfo=where), datetime(year + 1, 1, 1, tzinfo=where)
        found = [o.scheduled_for for o in occurrences(it, where, start - timedelta(seconds=1), end)]
        found = [instant for instant in found if instant < end.astimezone(UTC)]

        assert all(a < b for a, b in pairwise(found)), "in order, none twice"
        shown = {instant.astimezone(where).replace(tzinfo=None) for instant in found}
        for number in range((end.date() - start.date()).days):
            day = start.date() + timedelta(days=number)
            for clock in clocks if holds(day) else ():
                wanted = datetime.combine(day, clock)
                exists = wanted.replace(tzinfo=where).astimezone(UTC).astimezone(where)
                skipped = exists.replace(tzinfo=None) != wanted
                # A skipped time comes within the same day at the end of the gap, but for a skipped day.
                assert wanted in shown or (
                    skipped and (any(s.date() == day and s > wanted for s in shown) or year == 2011)
                )
        assert all(holds(found.date()) for found in shown), "none on a day that has none"
        assert len(found) <= sum(len(clocks) for n in range(366) if holds(start.date() + timedelta(n)))

        edges = sorted({start.astimezone(UTC) + timedelta(minutes=cut) for cut in cuts} | {end})
        pieces, after = [], start - timedelta(seconds=1)
        for edge in edges:
            pieces += [o.scheduled_for for o in occurrences(it, where, after, edge)]
            after = edge
        assert [p for p in pieces if p < end] == found, "spans side by side neither share nor miss one"


class TestQuietHours:
    TABLE = Timetable(timezone=SHANGHAI, quiet_hours=QuietHours(start=time(21, 30), end=time(7, 30)))

    @pytest.mark.parametrize(
        ("at", "until"),
        [
            ("2026-03-01 21:29", None),
            ("2026-03-01 21:30", "2026-03-02 07:30"),
            ("2026-03-02 02:00", "2026-03-02 07:30"),
            ("2026-03-02 07:30", None),
        ],
    )
    def test_they_last_until_their_next_end(self, at: str, until: str | None) -> None:
        group = Group(id="g1", name="g", reach="hand", joined=datetime(2026, 1, 1, tzinfo=UTC))
        expected = until and local(until, "Asia/Shanghai")
        assert self.TABLE.quiet_until(group, local(at, "Asia/Shanghai")) == expected

    def test_a_groups_own_stand_in_for_the_stations(self) -> None:
        own = QuietHours(start=time(12), end=time(14))
        group = Group(
            id="g1", name="g", reach="hand", joined=datetime(2026, 1, 1, tzinfo=UTC), quiet_hours=own
        )
        assert self.TABLE.quiet_until(group, local("2026-03-01 23:00", "Asia/Shanghai")) is None
        assert self.TABLE.quiet_until(group, local("2026-03-01 13:00", "Asia/Shanghai")) == local(
            "2026-03-01 14:00", "Asia/Shanghai"
        )


class TestBlackout:
    TABLE = Timetable(
        timezone=SHANGHAI,
        quiet_hours=QuietHours(start=time(21, 30), end=time(7, 30)),
        blackouts=(blackout("2026-04-04..2026-04-06"), blackout("2026-04-07"), blackout("2026-04-09")),
    )

    @pytest.mark.parametrize(
        ("at", "until"),
        [
            ("2026-04-03 20:00", None),
            # The night before it leads into it, the night of its last day out of it.
            ("2026-04-03 22:00", "2026-04-08 07:30"),
            ("2026-04-04 00:00", "2026-04-08 07:30"),
            ("2026-04-05 12:00", "2026-04-08 07:30"),
            ("2026-04-08 12:00", None),
            ("2026-04-08 22:00", "2026-04-10 07:30"),
        ],
    )
    def test_what_is_held_up_into_one_waits_for_its_end(self, at: str, until: str | None) -> None:
        expected = until and local(until, "Asia/Shanghai")
        assert self.TABLE.quiet_until(GROUP, local(at, "Asia/Shanghai")) == expected

    def test_it_ends_with_its_day_where_there_are_no_quiet_hours(self) -> None:
        table = replace(self.TABLE, quiet_hours=None)
        at = local("2026-04-05 12:00", "Asia/Shanghai")
        assert table.quiet_until(GROUP, at) == local("2026-04-08 00:00", "Asia/Shanghai")


class TestCampaign:
    def test_it_is_on_from_its_first_day_to_the_end_of_its_last_in_the_timetables_zone(self) -> None:
        table = Timetable(timezone=SHANGHAI, campaigns=(campaign("2026-11-01..2026-11-30"),))
        on = [
            bool(table.campaigns_at(local(at, "Asia/Shanghai")))
            for at in ("2026-10-31 23:59", "2026-11-01 00:00", "2026-11-30 23:59", "2026-12-01 00:00")
        ]
        assert on == [False, True, True, False]

    def test_a_slot_bound_to_it_speaks_to_groups_that_both_mean(self) -> None:
        audience = replace(campaign("2026-11-01"), to=Target(audience=("学校",)))
        bound = replace(slot("08:00"), campaign=audience, to=Target(areas=("青松路",)))
        school = replace(GROUP, audience=("学校",), area="青松路")
        assert school in bound
        assert replace(school, audience=()) not in bound
        assert replace(school, area=None) not in bound


class TestTarget:
    @pytest.mark.parametrize(
        ("target", "area", "audience", "meant"),
        [
            (Target(), None, (), True),
            (Target(areas=("青松路",)), "青松路/桃园社区", (), True),
            (Target(areas=("青松路",)), "青松路", (), True),
            (Target(areas=("青松路/桃园社区",)), "青松路", (), False),
            (Target(areas=("青松路",)), None, (), False),
            (Target(areas=("青松路",), audience=("学校",)), "青松路", ("老年人",), False),
            (Target(audience=("学校",)), "青松路", ("老年人", "学校"), True),
            (Target(audience=("学校",)), "青松路", (), False),
            (Target(groups=("g1",)), None, (), True),
            (Target(groups=("g2",)), None, (), False),
            (Target(groups=("g1",), areas=("河东",)), "青松路", (), True),
        ],
    )
    def test_a_slot_speaks_to_these_groups(
        self, target: Target, area: str | None, audience: tuple[str, ...], meant: bool
    ) -> None:
        joined = datetime(2026, 1, 1, tzinfo=UTC)
        group = Group(id="g1", name="g", reach="hand", area=area, audience=audience, joined=joined)
        assert (group in target) is meant


class TestReading:
    def test_the_timetable_of_the_design_is_read(self, tmp_path: Path) -> None:
        timetable, problems = read(
            tmp_path,
            """
timezone: Asia/Shanghai
quiet_hours: "21:30-07:30"
hosts: [chat.example.org]
slots:
  morning:
    title: 每日警情提示
    at: 08:00
    days: workdays
    to: {areas: [青松路], audience: [老年人], groups: [g1]}
    pick: {kinds: [fraud, tip], topics: [电信网络诈骗], fresh: 7d, new: 3, repeat: 1, repeat_after: 30d}
    late: 1h 30m
  evening: {title: 晚间提醒, at: ["20:00", "08:30"], days: [周一, 15日]}
""",
        )
        assert problems == []
        assert timetable is not None
        morning, evening = timetable.slots
        assert (morning.id, morning.title, morning.at) == ("morning", "每日警情提示", (time(8),))
        assert morning.days == Days(workdays=True)
        assert morning.to == Target(areas=("青松路",), audience=("老年人",), groups=("g1",))
        assert morning.pick.kinds == ("fraud", "tip")
        assert morning.pick.fresh == timedelta(days=7)
        assert morning.late == timedelta(minutes=90)
        assert evening.at == (time(8, 30), time(20))
        assert evening.days == Days(weekdays=frozenset({0}), of_month=frozenset({15}))
        assert evening.pick.new == 3
        assert evening.to == Target()
        assert timetable.hosts == ("chat.example.org",)

    def test_every_problem_is_told_at_once_with_its_line_and_the_nearest_word(self, tmp_path: Path) -> None:
        timetable, problems = read(
            tmp_path,
            """timezone: Asia/Shangai
slots:
  morning:
    title: 每日警情提示
    at: 25:00
    days: workday
    to: {areas: [青松], audience: [老人], groups: [g2]}
    pick: {kinds: [alert], topics: [网络诈骗], fresh: 一周, new: 9}
    lat: 2h
""",
        )
        assert timetable is None
        said = "\n".join(problems)
        for line, words in [
            (1, "Asia/Shangai"),
            (5, "25:00"),
            (6, "workday"),
            (7, "是不是想写“青松路”"),
            (7, "是不是想写“老年人”"),
            (7, "是不是想写“g1”"),
            (8, "alert"),
            (8, "是不是想写“电信网络诈骗”"),
            (8, "一周"),
            (8, "new"),
            (9, "是不是想写“late”"),
        ]:
            assert any(f"timetable.yml:{line} " in p and words in p for p in problems), (line, words, said)
        assert len(problems) == 11, said

    def test_blackouts_campaigns_and_spreads_are_read(self, tmp_path: Path) -> None:
        timetable, problems = read(
            tmp_path,
            """
blackout:
  - 2026-12-13
  - {days: 2026-04-04..2026-04-06, reason: 清明}
campaigns:
  反诈宣传月: {days: 2026-11-01至2026-11-30, topics: [电信网络诈骗], kinds: [fraud], to: {areas: [青松路]}, repeat_after: 7d}
  春节: {days: 2027-01-20..2027-02-10}
slots:
  a: {title: t, at: "08:05", campaign: 反诈宣传月, spread: 10m}
  b: {title: t, at: "08:05", spread: 0m}
  c: {title: t, at: "08:05"}
  d: {title: t, at: "08:05", late: 2m}
""",
        )
        assert problems == []
        assert timetable is not None
        assert timetable.blackouts == (
            Blackout(days=dates("2026-12-13")),
            Blackout(days=dates("2026-04-04..2026-04-06"), reason="清明"),
        )
        month, festival = timetable.campaigns
        assert month == Campaign(
            name="反诈宣传月",
            days=dates("2026-11-01..2026-11-30"),
            topics=("电信网络诈骗",),
            kinds=("fraud",),
            to=Target(areas=("青松路",)),
            repeat_after=timedelta(days=7),
        )
        assert festival == Campaign(name="春节", days=dates("2027-01-20..2027-02-10"))
        assert [slot.campaign for slot in timetable.slots] == [month, None, None, None]
        assert [slot.spread / timedelta(minutes=1) for slot in timetable.slots] == [10, 0, 3, 1]
        assert {slot.blackouts for slot in timetable.slots} == {timetable.blackouts}

    @pytest.mark.parametrize(
        ("text", "days"),
        [
            ("slots: {}", 400),
            ("keep: 90d", 90),
            ('slots:\n  a: {title: t, at: "8:00", pick: {fresh: 3650d}}', 3650),
        ],
    )
    def test_what_was_sent_is_kept_as_long_as_said_else_as_long_as_any_rule_looks_back(
        self, tmp_path: Path, text: str, days: int
    ) -> None:
        timetable, problems = read(tmp_path, text)
        assert (problems, timetable and timetable.keep) == ([], timedelta(days=days))

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("blackout: [2026-13-01]", 1, "2026-13-01"),
            ("blackout: [下周一]", 1, "下周一"),
            ("blackout: [9999-12-31]", 1, "9999-12-31"),
            ("blackout:\n  - {days: 2026-04-06..2026-04-04}", 2, "之后"),
            ("blackout:\n  - {days: 2026-04-06, because: x}", 2, "because"),
            ("blackout: 2026-12-13", 1, "列表"),
            ("campaigns:\n  月: {days: 2026-11-30..2026-11-01}", 2, "之后"),
            ("campaigns:\n  月: {topics: [电信网络诈骗]}", 2, "days"),
            ("campaigns:\n  月: {days: 2026-11-01, topics: [网络诈骗]}", 2, "是不是想写“电信网络诈骗”"),
            ("campaigns:\n  月: {days: 2026-11-01, kinds: [alert]}", 2, "alert"),
            ("campaigns:\n  月: {days: 2026-11-01, to: {groups: [g2]}}", 2, "是不是想写“g1”"),
            ("campaigns: x", 1, "campaigns"),
            (
                'campaigns: {反诈宣传月: {days: 2026-11-01}}\nslots:\n  a: {title: t, at: "8:00", campaign: 反诈月}',
                3,
                "是不是想写“反诈宣传月”",
            ),
            ('slots:\n  a: {title: t, at: "8:00", campaign: 反诈月}', 2, "反诈月"),
            ('slots:\n  a: {title: t, at: "8:00", spread: 31m}', 2, "30 分钟"),
            ('keep: 29d\nslots:\n  a: {title: t, at: "8:00"}', 1, "keep 写成 30d"),
            ('slots:\n  a: {title: t, at: "8:00", pick: {fresh: 50d}}\nkeep: 49d 1h', 3, "50 天以内"),
            ("keep: 6d\ncampaigns:\n  月: {days: 2026-11-01..2026-11-30, repeat_after: 7d}", 1, "7d"),
            ('slots:\n  a: {title: t, at: "8:00", spread: 10m, late: 10m}', 2, "late"),
        ],
    )
    def test_what_is_wrong_with_them_is_told_with_its_line(
        self, tmp_path: Path, text: str, line: int, said: str
    ) -> None:
        (problem,) = read(tmp_path, text)[1]
        assert f"timetable.yml:{line} " in problem
        assert said in problem

    @pytest.mark.parametrize("text", ["", "slots:", "slots: {}"])
    def test_an_empty_timetable_has_no_slots(self, tmp_path: Path, text: str) -> None:
        timetable, problems = read(tmp_path, text)
        assert (problems, timetable and timetable.slots) == ([], ())

    @pytest.mark.parametrize(
        "text",
        ["slots: [a]", "slots: {morning: x}", "slots: {早上: {title: t, at: 8}}", "quiet_hours: 1", "x"],
    )
    def test_nonsense_ends_in_problems(self, tmp_path: Path, text: str) -> None:
        timetable, problems = read(tmp_path, text)
        assert problems != []
        assert timetable is None

    @pytest.mark.parametrize("host", ["https://chat.example.org", "chat.example.org:8443", "a/b", "Chat", ""])
    def test_what_is_no_host_name_is_a_problem(self, tmp_path: Path, host: str) -> None:
        assert len(read(tmp_path, f'hosts: ["{host}"]')[1]) == 1

    @pytest.mark.parametrize(
        ("desk", "listens", "url"),
        [
            ("", "http://127.0.0.1:8790/", ""),
            ('desk: {listen: "10.1.2.3:80"}', "http://10.1.2.3:80/", ""),
            ('desk: {listen: "[::1]:80"}', "http://[::1]:80/", ""),
            ('desk: {listen: "0.0.0.0:80"}', f"http://{gethostname()}:80/", ""),
            (
                'desk: {url: "https://tasks.station.example/desk"}',
                "http://127.0.0.1:8790/",
                "https://tasks.station.example/desk/",
            ),
            ("desk: {listen: off}", None, ""),
        ],
    )
    def test_where_the_desk_listens_and_is_found(
        self, tmp_path: Path, desk: str, listens: str | None, url: str
    ) -> None:
        table, problems = read(tmp_path, f"slots: {{}}\n{desk}\n")
        assert table, problems
        assert (table.desk and table.desk.url, table.desk_url) == (listens, url)

    @pytest.mark.parametrize(
        "listen", ["8790", "here", ":80", "host:99999", "host:-1", "a b:80", "http://host:80"]
    )
    def test_what_is_no_place_to_listen_is_a_problem(self, tmp_path: Path, listen: str) -> None:
        (problem,) = read(tmp_path, f'desk: {{listen: "{listen}"}}')[1]
        assert "地址:端口" in problem

    def test_a_missing_file_is_a_problem(self, tmp_path: Path) -> None:
        timetable, problems = read_timetable(tmp_path, STATION, ())
        assert timetable is None
        assert [p.path for p in problems] == ["timetable.yml"]

    def test_a_time_that_quiet_hours_would_always_swallow_is_a_problem(self, tmp_path: Path) -> None:
        text = 'quiet_hours: "21:30-07:30"\nslots:\n  {}: {{title: t, at: "{}", late: 2h}}\n'
        assert read(tmp_path, text.format("a", "06:00"))[1] == []
        (problem,) = read(tmp_path, text.format("a", "05:00"))[1]
        assert "timetable.yml:3" in problem
        assert "07:30" in problem

    def test_the_catalogues_address_is_known_before_the_rest_is_judged(self, tmp_path: Path) -> None:
        assert catalogue_address(tmp_path) == "public/catalogue.json"
        read(tmp_path, "catalogue: https://example.org/catalogue.json\nslots: nonsense")
        assert catalogue_address(tmp_path) == "https://example.org/catalogue.json"

    def test_a_slot_that_is_always_too_late_is_a_problem(self, tmp_path: Path) -> None:
        text = 'slots:\n  a: {{title: t, at: "06:00", late: {}}}\n'
        assert read(tmp_path, text.format("1m"))[1] == []
        (problem,) = read(tmp_path, text.format("0m"))[1]
        assert "timetable.yml:2 [slots.a.late]" in problem
