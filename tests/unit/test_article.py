"""The article model: each kind of bad input is a problem with file, line and remedy, all in one run."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stations import StationFolder

SHANGHAI = ZoneInfo("Asia/Shanghai")
SERVICE = "{department: 户籍窗口, visit: 跑一次}"
ALERT = '{form: 走失, place: 青松路, tell: "110"}'


@pytest.mark.parametrize(
    ("fields", "line", "message", "remedy"),
    [
        ({"id": None}, 2, "缺少字段“id”", "补上"),
        ({"id": "abc"}, 2, "编号应是", "gengfu new"),
        ({"kind": "frad"}, 5, "见到的是“frad”", "fraud"),
        ({"topics": "[电信诈骗]"}, 7, "没有在 mkdocs.yml 里登记过", "电信网络诈骗"),
        ({"areas": "[青松路/桃园小区]"}, 7, "没有在 mkdocs.yml 里登记过", "青松路/桃园社区"),
        ({"audience": "老年"}, 7, "没有在 mkdocs.yml 里登记过", "老年人"),
        ({"published": "2026-02-30"}, 6, "“2026-02-30”不是能用的日期", "2026-11-21"),
        ({"published": "明天"}, 6, "不是能用的日期", "2026-11-21"),
        ({"expires": "9999-12-31"}, 7, "不是能用的日期", "没有期限就不写"),
        ({"published": "0001-01-01"}, 6, "不是能用的日期", "2026-11-21"),
        ({"title": r'"a\x07b"'}, 3, "控制字符", "转义"),
        ({"expires": "2026-11-01"}, 7, "失效时间早于发布时间", "published 和 expires"),
        ({"updated": "2026-11-01"}, 7, "更新时间早于发布时间", "updated"),
        ({"reviewed": "2026-11-01", "next_review": "2026-10-01"}, 8, "下次复核", "next_review"),
        ({"changed": "窗口改到二楼"}, 7, "没有写更新时间", "加一行 updated"),
        ({"title": "长" * 41}, 3, "最多 40 个字，现在有 41 个", "改短"),
        ({"summary": "长" * 121}, 4, "最多 120 个字，现在有 121 个", "改短"),
        ({"summary": ""}, 4, "“summary”还没有写", "gengfu fix content/fraud/brushing.md"),
        ({"tilte": "x"}, 7, "没有“tilte”这个字段", "title"),
        ({"evergreen": "maybe"}, 7, "true 或 false", "true"),
        ({"season": "[冬]"}, 7, "见到的是“冬”", "冬季"),
        ({"kind": "service"}, 5, "缺少 service", "service"),
        ({"service": SERVICE}, 7, "只有办事指南", "kind"),
        (
            {"kind": "service", "service": "{department: 窗口, visit: 跑两次}"},
            7,
            "见到的是“跑两次”",
            "跑一次",
        ),
        ({"kind": "service", "service": "很多材料"}, 7, "一组“字段: 值”", ""),
        ({"kind": "alert", "expires": "2026-12-01"}, 5, "缺少 alert", "alert"),
        ({"kind": "alert", "alert": ALERT}, 2, "何时失效", "expires"),
        ({"kind": "alert", "expires": "", "alert": ALERT}, 7, "何时失效", "expires"),
        ({"body": "一\n\n【待写：第一步】\n"}, 10, "还没有写", "删掉"),
        ({"kind": "video"}, 5, "没有附件", "attachments"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_remedy(
    station: StationFolder, fields: dict[str, Any], line: int, message: str, remedy: str
) -> None:
    station.article(**fields)
    [problem] = station.problems()
    assert (problem.path, problem.line) == ("content/fraud/brushing.md", line)
    assert message in problem.message
    assert remedy in problem.remedy


def test_all_problems_of_all_files_come_in_one_run(station: StationFolder) -> None:
    station.article("fraud/a.md", id="AAAAA", kind="frad", topics="[没有]", published="2026-13-01")
    station.article("fraud/b.md", id="bbb")
    station.file("content/tip/c.md", "没有开头的说明\n")
    station.file("content/tip/d.md", "---\nid: [\n---\n")
    station.file("content/tip/e.md", "---\n标题\n".encode("gbk"))
    station.file("content/tip/f.md", b"x" * (1 << 20) + b"x")
    found = [(p.path.rpartition("/")[2], p.field) for p in station.problems()]
    assert found == [
        ("a.md", "kind"),
        ("a.md", "published"),
        ("a.md", "topics.0"),
        ("b.md", "id"),
        ("c.md", ""),
        ("d.md", ""),
        ("e.md", ""),
        ("f.md", ""),
    ]


def test_times_are_the_stations_and_a_last_day_is_included(station: StationFolder) -> None:
    station.article(published="2026-11-20", expires="2026-12-01", reviewed="2026-11-19")
    [article] = station.load().articles
    assert article.published == datetime(2026, 11, 20, tzinfo=SHANGHAI)
    assert article.expires == datetime(2026, 12, 2, tzinfo=SHANGHAI)
    assert article.reviewed == date(2026, 11, 19)


def test_a_service_block_is_read_whole(station: StationFolder) -> None:
    station.article(
        kind="service",
        service="{department: 户籍窗口, visit: 需本人, cases: [{when: 到期, answer: 来换}], "
        "materials: [{name: 户口簿, original: 是, copies: 2}], steps: 取号, phone: 0000-5550110}",
    )
    [article] = station.load().articles
    service = article.service
    assert service is not None
    assert (service.visit, service.steps, service.phone) == ("需本人", ("取号",), "0000-5550110")
    assert [(m.name, m.original, m.copies) for m in service.materials] == [("户口簿", True, 2)]


def test_the_revision_follows_the_words_not_the_place(station: StationFolder) -> None:
    station.article("fraud/a.md")
    [before] = station.load().articles
    (station.folder / "content/fraud/a.md").rename(station.folder / "content/fraud/b.md")
    [moved] = station.load().articles
    station.article("fraud/b.md", body="改了\n")
    [edited] = station.load().articles
    assert before.revision == moved.revision != edited.revision
