"""Every rule finds what it is there for and leaves alone what is right; how its findings are told and allowed."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from gengfu_scheduler import cli
from gengfu_site import findings
from gengfu_site.problems import Problem
from gengfu_site.publish import publish
from gengfu_site.rules import RULES, advice, external_links, refusals
from stations import AT, StationFolder

ROOT = Path(__file__).parents[2]
SERVICE = "{department: 户籍窗口, visit: 跑一次, places: [一楼], hours: 每天, phone: '0000-5550100'}"
ALERT = {"kind": "alert", "expires": "2026-12-01"}
TERMS = "forbidden: [{word: 弱智, instead: 智力残疾, why: 侮辱人}]\ncareful: [{word: 罪犯, instead: 犯罪嫌疑人, why: 判决以前不能说, within: [罪犯档案]}]\n"
ANSWERS = {"https://gone.example/a": "网站答复 404，这一页没有了"}


@dataclass(frozen=True)
class Case:
    """One article that a rule is shown."""

    body: str = "正文\n"
    fields: Mapping[str, Any] = field(default_factory=dict)
    found: str = ""
    """What the finding says; empty: there is none."""
    line: int | None = None


def good(body: str = "正文\n", **fields: Any) -> Case:
    return Case(body, fields)


def bad(found: str, body: str = "正文\n", line: int | None = None, **fields: Any) -> Case:
    return Case(body, fields, found, line)


CASES: dict[str, list[Case]] = {
    "personal-data": [
        good("打 110、0000-5550130、12345、95588、400-123-4567 都行。\n"),
        good("联系 138****5678。\n"),
        bad("手机号（138****5678）", "一\n\n联系 13812345678。\n", line=10),
        bad("手机号", summary="打13812345678"),
        bad("手机号", kind="service", service=SERVICE.replace("0000-5550100", "13812345678")),
        good("传真 0000-5550666\n", kind="service", service=SERVICE.replace("0000-5550100", "0000-5550666")),
        bad("固定电话", "传真 0571-85550666\n"),
        good(kind="alert", expires="2026-12-01", alert="{form: 走失, place: 桃园, tell: '110'}"),
        bad("手机号", kind="alert", expires="2026-12-01", alert="{form: 走失, place: 桃园, tell: 13812345678}"),
        good(
            kind="alert",
            expires="2026-12-01",
            alert="{form: 走失, place: 桃园, tell: 13812345678, basis: 监护人 19:40 同意}",
        ),
    ],
    "forbidden-terms": [
        good("他说“弱智”这个词伤人。\n"),
        bad("“弱智”：侮辱人", "别叫人弱智。\n", line=8),
    ],
    "careful-terms": [
        good("罪犯档案由法院保管。\n"),
        bad("“罪犯”：判决以前不能说", "抓住了罪犯。\n"),
        bad("罪犯", title="罪犯落网"),
    ],
    "forwarding": [
        good("看到“不转不是中国人”的，别信。\n"),
        good("不要转发到群里，也不扩散。\n"),
        good("骗子让您转发到三个群才返现。\n"),
        good("燃气会扩散到楼道。\n"),
        bad("请转发", "请转发给更多人。\n"),
        bad("扩散周知", "扩散周知！\n"),
        bad("转给身边的人", summary="转给身边的人看看"),
        bad("不转不是", "不转不是青松人。\n"),
    ],
    "service-answers": [
        good(kind="service", service=SERVICE),
        good(kind="service", service="{department: 窗口, visit: 不用跑, phone: '0000-5550100'}"),
        bad("hours", kind="service", service=SERVICE.replace("hours: 每天, ", "")),
        bad("phone", kind="service", service="{department: 窗口, visit: 不用跑}"),
    ],
    "next-review": [
        good(next_review="2026-11-21"),
        good(next_review="2026-01-01", withdrawn="不办了"),
        bad("2026-11-20", next_review="2026-11-20", line=7),
    ],
    "like-titles": [
        good(title="身份证到期换领：本人跑一次"),
        good(title="十月警情通报"),
        bad("tip/first.md", title="身份证丢失怎么补领，本人跑一次！"),
    ],
    "alt-text": [
        good("![楼道口停着电动车](../pictures/a.svg)\n"),
        bad("没有说明文字", "一\n\n![](../pictures/a.svg)\n", line=10),
        bad("没有说明文字", "![IMG_2034.jpg](../pictures/a.svg)\n"),
        bad("没有说明文字", "![图片1](../pictures/a.svg)\n"),
        bad("没有说明文字", "<img src='../pictures/a.svg'>\n"),
    ],
    "headings": [
        good("## 一\n\n### 二\n\n## 三\n"),
        bad("第 1 级", "# 大标题\n", line=8),
        bad("“二”是第 4 级，这里最多用到第 3 级", "## 一\n\n#### **二**\n", line=10),
    ],
    "card-limits": [
        good(title="防" * 40, summary="骗" * 120),
        bad("128 字节", title="🚨" * 36, line=3),
    ],
    "external-links": [
        good("[好](https://good.example/)\n"),
        bad("404", "看\n\n[旧](https://gone.example/a#top)\n", line=10),
    ],
    "unused-allow": [
        good("打 138-1234-5678。\n", allow="[{what: 13812345678, by: 周所长, reason: 本人同意}]"),
        good("罪犯\n", allow="[{what: 罪犯, by: 周所长, reason: 已判决}]"),
        bad("放行", allow="[{what: 13812345678, by: 周所长, reason: 本人同意}]", line=7),
    ],
}


@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in CASES.items() for case in cases])
def test_a_rule_finds_what_it_is_there_for_and_nothing_else(
    station: StationFolder, rule: str, case: Case
) -> None:
    station.file("terms.yml", TERMS)
    station.file("content/pictures/a.svg", "<svg/>")
    station.article(
        "tip/first.md",
        id="T0000",
        kind="tip",
        title="身份证丢失怎么补领：本人跑一次",
        published="2026-11-01",
    )
    station.article("tip/second.md", id="T0001", kind="tip", title="九月警情通报")
    station.article("tip/third.md", id="T0002", kind="tip", title="如何查验暂住登记")
    station.article(body=case.body, **case.fields)
    library = station.load()
    found = [
        problem
        for problem in [*refusals(library, AT), *advice(library, AT, ANSWERS)]
        if problem.path == "content/fraud/brushing.md" and problem.rule == rule
    ]
    assert bool(found) == bool(case.found)
    for problem in found:
        assert case.found in problem.message
        assert case.line in (None, problem.line)
        assert problem.severity == next(r.severity for r in RULES if r.id == rule)


def test_every_rule_has_a_passing_and_a_failing_example() -> None:
    assert list(CASES) == [rule.id for rule in RULES]
    assert all({bool(case.found) for case in cases} == {True, False} for cases in CASES.values())


def test_the_officers_table_says_of_every_rule_what_the_rule_says() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (\S+) \| ([^|]+) \| ([^|]+) \|$",
        (ROOT / "docs/rules.zh-CN.md").read_text("utf-8"),
        re.M,
    )
    severities = {"error": "不能发布", "warning": "提醒"}
    assert rows == [(rule.id, severities[rule.severity], rule.why, rule.remedy) for rule in RULES]
