"""Every rule finds what it is there for and leaves alone what is right; how its findings are told and allowed."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gengfu_scheduler import cli
from gengfu_site import findings
from gengfu_site.library import Library, load
from gengfu_site.problems import Problem, ProblemsFound
from gengfu_site.publish import publish
from gengfu_site.rules import RULES, advice, external_links, like_titles, refusals
from gengfu_site.settings import read_settings
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
        good(**ALERT, alert="{form: 走失, place: 桃园, tell: '110'}"),
        bad("手机号", **ALERT, alert="{form: 走失, place: 桃园, tell: 13812345678}"),
        good(
            **ALERT,
            alert="{form: 走失, place: 桃园, tell: 13812345678, basis: 监护人 19:40 同意}",
        ),
    ],
    "ended-alerts": [
        good(**ALERT, alert="{form: 走失, place: 桃园, tell: 13812345678, basis: 监护人同意}"),
        good(
            **ALERT,
            alert="{form: 走失, place: 桃园, tell: '110', state: resolved, basis: 监护人 13812345678 同意}",
        ),
        bad(
            "警情已经结束，这里有手机号",
            **ALERT,
            alert="{form: 走失, place: 桃园, tell: 13812345678, state: resolved, basis: 监护人同意}",
        ),
        bad(
            "警情已经结束",
            kind="alert",
            expires="2026-11-20 20:00",
            alert="{form: 走失, place: 桃园, tell: 13812345678, basis: 监护人同意}",
        ),
    ],
    "search-pictures": [
        good(**ALERT, alert="{form: 走失, place: 桃园, tell: '110'}"),
        good(**ALERT, alert="{form: 火情, place: 桃园, tell: '119'}", cover="a.png"),
        good(**ALERT, alert="{form: 走失, place: 桃园, tell: '110'}", cover="../pictures/a.svg"),
        good(**ALERT, alert="{form: 走失, place: 桃园, tell: '110'}", cover="a.png", withdrawn="弄错了"),
        bad("a.png", **ALERT, alert="{form: 走失, place: 桃园, tell: '110'}", cover="a.png"),
        bad("a.png", "![照片](a.png)\n", **ALERT, alert="{form: 走失, place: 桃园, tell: '110'}"),
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
        good("收到这种短信，请转发给12321或者请转发到派出所。\n"),
        bad("请转发", "请转发到3个群。\n"),
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
    "markup": [
        good("## 一\n\n1. 关电\n2. 关水\n\n#平安青松 注意！[见这里](../fraud/brushing.md)\n"),
        good("```\n##一\n```\n\n写成 `[词]（a.md）`。1.5 米\n2.5 米\n"),
        good('![图里的车](<../pictures/a.svg> "车")\n\n一、先关电\n\n二、再关水\n'),
        bad("“##怎么做”不会变成小标题", "天冷了。\n\n##怎么做\n", line=10),
        bad("“＃＃ 怎么做”不会变成小标题", "＃＃ 怎么做\n"),
        bad("不会变成小标题", "##\u3000怎么做\n"),
        bad("“1.关电”和下面几行会连成一段", "先：\n\n1.关电\n2.关水\n", line=10),
        bad("“1、关电”和下面几行会连成一段", "1、关电\n2、关水\n3、关门\n"),
        bad("不会变成链接或图片", "！[楼道口的车](../pictures/a.svg)\n"),
        bad("不会变成链接或图片", "![楼道口的车]（../pictures/a.svg）\n"),
        bad("不会变成链接或图片", "一\n\n![楼道口的车](../pictures/楼道 照片.jpg)\n", line=10),
        bad("不会变成链接或图片", "[看这里] (https://a.example/)\n"),
        good(summary="'楼道里 #三楼 的车'", author="王警官 # 户籍窗口 #三楼"),
        bad("“#三楼 的车”前面空了一格", summary="楼道里 #三楼 的车", line=4),
    ],
    "headings": [
        good("## 一\n\n### 二\n\n## 三\n"),
        bad("写成了第 1 级", "# 大标题\n", line=8),
        bad("“二”是第 4 级，它前面只到第 2 级", "## 一\n\n#### **二**\n", line=10),
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
        good(
            **ALERT,
            alert="{form: 走失, place: 桃园, tell: '110'}",
            cover="a.png",
            allow="[{what: a.png, by: 周所长, reason: 没有人像}]",
        ),
        bad("放行", allow="[{what: 13812345678, by: 周所长, reason: 本人同意}]", line=7),
    ],
}


@pytest.mark.parametrize(("rule", "case"), [(rule, case) for rule, cases in CASES.items() for case in cases])
def test_a_rule_finds_what_it_is_there_for_and_nothing_else(
    station: StationFolder, rule: str, case: Case
) -> None:
    station.file("terms.yml", TERMS)
    station.file("content/pictures/a.svg", "<svg/>")
    station.file("content/fraud/a.png", "")
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


def test_a_warning_holds_up_no_build_and_an_error_does(station: StationFolder) -> None:
    station.article(body="# 大标题\n\n请转发给家人。\n")
    assert publish(station.settings, AT).articles == 1
    station.file("terms.yml", TERMS)
    station.article(body="弱智\n")
    with pytest.raises(ProblemsFound) as refused:
        publish(station.settings, AT)
    [problem] = refused.value.problems
    assert (problem.rule, problem.severity, problem.remedy) == (
        "forbidden-terms",
        "error",
        "改用：智力残疾。",
    )


def test_a_word_list_that_cannot_be_read_is_a_problem_at_its_line(station: StationFolder) -> None:
    station.file("terms.yml", "careful:\n  - {word: 罪犯}\nnever: []\n")
    station.article()
    found = [(p.path, p.line, p.field) for p in refusals(station.load(), AT)]
    assert found == [
        ("terms.yml", 2, "careful.0.instead"),
        ("terms.yml", 2, "careful.0.why"),
        ("terms.yml", 3, "never"),
    ]


def test_the_starter_station_needs_no_advice() -> None:
    settings, _problems = read_settings(ROOT / "mkdocs.yml")
    assert settings
    library, _problems = load(settings, AT)
    assert advice(library, AT, {}) == []


def test_ten_thousand_titles_of_one_pattern_are_compared_with_a_few_each(station: StationFolder) -> None:
    """Counted, not timed."""
    station.article()
    [one] = station.load().articles
    titles = [f"第{number}期防骗提醒：刷单先返小钱" for number in range(3000)]
    articles = tuple(replace(one, id=f"T{n:04}", title=title) for n, title in enumerate(titles))
    compared = 0

    def counted(mine: frozenset[str], others: frozenset[str]) -> bool:
        nonlocal compared
        compared += 1
        return like_titles_alike(mine, others)

    like_titles_alike = like_titles._are_alike
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(like_titles, "_are_alike", counted)
        found = advice(Library(settings=station.settings, articles=articles), AT, {})
    assert [problem for problem in found if problem.rule == "like-titles"] == []
    assert compared < 3000 * 150


class Site(BaseHTTPRequestHandler):
    """Answers by the path's first number; ``/head`` only to GET."""

    def do_HEAD(self) -> None:
        self._answer(405 if self.path == "/head" else self._status())

    def do_GET(self) -> None:
        self._answer(self._status())

    def _status(self) -> int:
        return int(self.path[1:4]) if self.path[1:4].isdigit() else 200

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 301:
            self.send_header("Location", "/404")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_only_what_is_gone_for_certain_is_reported(
    station: StationFolder, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def lookup(host: str, *arguments: Any, **options: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_AGAIN if "again" in host else socket.EAI_NONAME, "no such name")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    paths = ("200", "404#a", "410", "403", "500", "301", "head")
    links = [f"{site}/{path}" for path in paths] + [
        "http://gone.invalid/",
        "http://again.invalid/",
        "http://127.0.0.1:9/",
    ]
    station.article(body="\n".join(f"- [{n}]({link})" for n, link in enumerate(links)))
    library = station.load()
    assert external_links.asked(library) == {
        f"{site}/404": "网站答复 404，这一页没有了",
        f"{site}/410": "网站答复 410，这一页没有了",
        f"{site}/301": "网站答复 404，这一页没有了",
        "http://gone.invalid/": "没有 gone.invalid 这个网站",
    }


def test_without_a_network_that_is_said_and_nothing_of_the_links(station: StationFolder) -> None:
    station.article(body="[甲](http://127.0.0.1:9/a)\n")
    with pytest.raises(external_links.NoNetwork):
        external_links.asked(station.load())


@pytest.fixture
def checked(station: StationFolder) -> Callable[..., Result]:
    """``gengfu check`` of a station with one error and one warning."""
    station.article(body="# 大标题\n\n打 13812345678，<b>急</b>。\n")

    def check(*arguments: str) -> Result:
        return CliRunner().invoke(cli.main, ["-C", str(station.folder), "check", *arguments])

    return check


def test_the_terminal_tells_errors_from_warnings(
    checked: Callable[..., Result], station: StationFolder
) -> None:
    mixed = checked()
    assert mixed.exit_code == 1
    assert "提醒：小标题" in mixed.stderr
    assert "共 1 个问题。1 处提醒，不影响发布。" in mixed.stderr
    station.article(body="# 大标题\n")
    assert (checked().exit_code, checked("--strict").exit_code) == (0, 1)
    station.article()
    assert (checked().exit_code, checked("--strict").exit_code) == (0, 0)


def test_json_has_the_rule_and_its_severity(checked: Callable[..., Result]) -> None:
    told = json.loads(checked("--format", "json").stdout)
    assert [(p["line"], p["rule"], p["severity"]) for p in told] == [
        (8, "headings", "warning"),
        (10, "personal-data", "error"),
    ]


def test_github_marks_the_lines(checked: Callable[..., Result]) -> None:
    first, second = checked("--format", "github").stdout.splitlines()
    assert first.startswith("::warning file=content/fraud/brushing.md,line=8,title=headings::小标题“大标题”")
    assert second.startswith(
        "::error file=content/fraud/brushing.md,line=10,title=personal-data::这里有手机号（138****5678）。"
    )


def test_a_workflow_command_is_one_line_whatever_is_in_it() -> None:
    problem = Problem(path="a,b:c%.md", message="一\n二%", remedy="三")
    assert findings.as_workflow_commands([problem]) == "::error file=a%2Cb%3Ac%25.md,line=1::一%0A二%25 三"


def test_the_page_stands_alone_with_errors_first_and_reasons_and_remedies(
    checked: Callable[..., Result],
) -> None:
    page = checked("--format", "html").stdout_bytes.decode()
    assert page.index("改好以前不能发布：1 处") < page.index("建议改进，不影响发布：1 处")
    for rule in ("personal-data", "headings"):
        chosen = next(r for r in RULES if r.id == rule)
        assert chosen.why in page
        assert chosen.remedy in page
    assert "青松路派出所 文章检查报告" in page
    assert "13812345678" not in page
    assert not re.search(r"https?://|<script|@import|url\(", page)


def test_a_page_without_findings_says_so() -> None:
    page = findings.page([], "<青松路>", datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
    assert "没有发现问题" in page
    assert "&lt;青松路&gt;" in page


def test_no_rule_quotes_somebodys_number_from_a_heading_or_a_pictures_name(station: StationFolder) -> None:
    station.file("content/fraud/13812345678.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    station.article(body="#### 找 13812345678\n\n![](13812345678.svg)\n")
    library, _problems = load(station.settings, AT)
    told = [problem.message for problem in (*refusals(library, AT), *advice(library, AT, {}))]
    assert {problem.rule for problem in advice(library, AT, {})} >= {"headings", "alt-text"}
    assert "13812345678" not in " ".join(told)
