"""The monthly report says what the outbox says, and what it does not say any more."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gengfu_scheduler.channels.transport import Answer
from gengfu_scheduler.month import MonthReport, Row, month_report, page, sheet, tables
from watch import GROUPS, TIMETABLE, Watch, alert, instant, tip, watch_in

BAD_GATEWAY = Answer(status=502, headers={}, body=b"")


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watch_in(tmp_path) as watch:
        yield watch


def told(watch: Watch) -> MonthReport:
    return month_report(watch.outbox, watch.start().roster, watch.now.date(), watch.now)


def cells(rows: tuple[Row, ...]) -> dict[str, dict[str, int]]:
    return {row.name: dict(row.counts) for row in rows if row.total}


def a_day(watch: Watch) -> MonthReport:
    """Q1 unknown in the morning; an alert at noon reaches both robots; h1 is handed both."""
    watch.platforms.answers = {"Q1": BAD_GATEWAY}
    watch.publish(tip("a"))
    watch.at("07:00", "08:00", "09:30")
    watch.platforms.answers = {}
    watch.publish(tip("a"), alert("F"))
    watch.now = instant("12:00")
    watch.push("F")
    return told(watch)


def test_each_breakdown_counts_each_delivery_once(watch: Watch) -> None:
    found = a_day(watch)
    assert (found.broadcasts, found.sum) == (2, {"confirmed": 3, "handed": 2, "unknown": 1})
    assert cells(found.areas) == {"青松路": {"confirmed": 3, "unknown": 1}, "河东": {"handed": 2}}
    assert cells(found.slots) == {
        "每日提示": {"confirmed": 1, "handed": 1, "unknown": 1},
        "警情": {"confirmed": 2, "handed": 1},
    }
    assert cells(found.kinds) == {
        "治安提示": {"confirmed": 1, "handed": 1, "unknown": 1},
        "紧急警情": {"confirmed": 2, "handed": 1},
    }
    assert cells(found.ways) == {"自动": {"confirmed": 3, "unknown": 1}, "手工转发": {"handed": 2}}
    assert cells(found.days) == {"11-16": dict(found.sum)}


def test_every_day_of_the_month_so_far_is_shown_in_order(watch: Watch) -> None:
    watch.now = instant("Wed 09:00")
    assert [row.name for row in told(watch).days] == [f"11-{day:02}" for day in range(1, 19)]


def test_the_months_borders_are_the_stations_midnights(watch: Watch) -> None:
    watch.publish(alert("F"))
    watch.now = instant("00:00") + timedelta(days=14)  # Monday the 30th
    watch.runner.tick()
    watch.now += timedelta(hours=23, minutes=59, seconds=59)
    watch.push("F")
    november = told(watch)
    watch.now += timedelta(seconds=1)
    assert (november.broadcasts, told(watch).broadcasts) == (1, 0)
    assert november.missed[0].slot == "每日提示"


def test_areas_and_slots_stand_in_the_admins_order_and_what_is_gone_comes_last(watch: Watch) -> None:
    watch.publish(tip("a"), tip("b", "12:00"))
    watch.at("07:00", "08:00", "09:30", "20:00", "21:00")
    watch.write("groups.csv", GROUPS.replace("q2,", "n2,").replace("Q2", "Q3"))
    watch.write(
        "timetable.yml", TIMETABLE.partition("  morning")[0] + TIMETABLE[TIMETABLE.index("  evening") :]
    )
    watch.publish(tip("b", "12:00"))
    found = told(watch)
    assert [row.name for row in found.areas] == ["青松路", "河东", "已不在群清单里的群"]
    assert [row.name for row in found.slots] == ["晚间提示", "每日提示"]
    assert [row.name for row in found.kinds] == ["治安提示", "网站上已没有的文章"]


def test_silent_groups_are_named_with_why(watch: Watch) -> None:
    watch.write(
        "groups.csv", GROUPS + "n1,新群,hand,,,河东,李警官,\nn2,无地址群,webhook,wecom,env:NO,河东,,\n"
    )
    watch.platforms.answers = {
        "Q1": BAD_GATEWAY,
        "Q2": Answer(status=200, headers={}, body=b'{"errcode":93000,"errmsg":"invalid webhook url"}'),
    }
    watch.publish(tip("a", areas=("青松路",)))
    watch.at("07:00", "08:00", "09:30")
    assert [(group.name, group.why) for group in told(watch).silent] == [
        ("青松一群", "不明 1"),
        ("青松二群", "已停用：93000 invalid webhook url"),
        ("河东群", "没有给它安排过发送"),
        ("新群", "没有给它安排过发送"),
        ("无地址群", "没有机器人地址"),
    ]


def test_a_month_whose_records_are_erased_is_said_not_to_be_all_there(watch: Watch) -> None:
    found = a_day(watch)
    assert found.notices == ("这个月还没有过完，数字算到 11-16 12:00。",)
    later = watch.now + timedelta(days=401)
    watch.outbox.forget(later - watch.runner.roster.timetable.keep)
    erased = month_report(watch.outbox, watch.runner.roster, found.since.date(), later)
    assert (erased.broadcasts, erased.sum) == (0, {})
    (notice,) = erased.notices
    assert notice.startswith("400 天以前的发送记录已按 timetable.yml 的 keep 清除")


def test_a_table_has_only_the_columns_that_say_something(watch: Watch) -> None:
    areas = tables(a_day(watch))[0]
    assert areas.headings == ("区域", "已确认", "已交人手工转发", "不明", "合计")
    assert areas.rows == (("青松路", "3", "0", "1", "4"), ("河东", "0", "2", "0", "2"))


def test_the_sheet_holds_every_row_and_no_formula(watch: Watch) -> None:
    watch.write("groups.csv", GROUPS.replace("河东群", "=HYPERLINK(1)"))
    rows = list(csv.reader(sheet(a_day(watch)).splitlines()))
    assert rows[0][:4] == ["月份", "分类", "名称", "已确认"]
    assert ["2026-11", "区域", "青松路", "3", "0", "0", "0", "1", "0", "0", "0", "0", "4", ""] in rows
    assert [row[2] for row in rows if row[1] == "没有收到"] == ["'=HYPERLINK(1)（h1）"]


class _Outside(HTMLParser):
    """What a page would fetch from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or ""
            for name, value in attrs
            if name in ("src", "href") and not (value or "").startswith("data:")
        ]


def test_the_page_stands_alone_names_the_station_and_draws_every_number(watch: Watch) -> None:
    watch.write("groups.csv", GROUPS.replace("青松一群", "<b>一群</b>"))
    found = a_day(watch)
    text = page(found)
    outside = _Outside()
    outside.feed(text)
    assert outside.found == []
    assert "<script" not in text
    assert "青松路派出所" in text
    assert "<b>一群" not in text
    assert 'aria-label="青松路 已确认 3 不明 1"' in text
    assert "gengfu" not in text.lower()


def test_a_month_without_anything_is_a_page_too(watch: Watch) -> None:
    watch.now = instant("00:00")
    assert "次发送" in page(told(watch))
