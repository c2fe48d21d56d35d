"""No article keeps a build busy: what any officer writes is read, what nobody reads is refused with its line."""

from __future__ import annotations

import pytest

from gengfu_site import bounds
from stations import StationFolder

LONG = "正文。" * 2000


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("#\n" * 4000, 4008, "文章最多 4000 行，这篇有 4007 行。"),
        (f"{LONG}\n{'>' * 51}\n", 9, "引用（>）套了超过 50 层。"),
        (f"{LONG}\n{'> - ' * 51}\n", 9, "引用（>）套了超过 50 层。"),
        (f"{LONG}\n|{'a|' * 51}\n", 9, "表格超过 50 列。"),
        (f"{LONG}\n{'<b>' * 51}\n", 9, "HTML 标签套了超过 50 层。"),
        (f"{LONG}\n{'<b></i>' * 51}\n", 9, "HTML 标签套了超过 50 层。"),
        ("字" * 50_000, 1, "文件最大 128 KiB，这个有 146 KiB。"),
    ],
)
def test_too_much_of_anything_is_refused_before_it_is_parsed(
    station: StationFolder, body: str, line: int, message: str
) -> None:
    station.article(body=body)
    [problem] = station.problems()
    assert (problem.path, problem.line, problem.message) == ("content/fraud/brushing.md", line, message)


@pytest.mark.parametrize(
    "body",
    [
        "字" * 43_000,
        "字\n" * 3990,
        f"{LONG}\n{'>' * 50}\n",
        f"{LONG}\n|{'a|' * 50}\n",
        LONG + "<b>甲</b><br>" * 1000,
        LONG + "<b>" * 50 + "</b>" * 50,
        LONG + '<a id="x">甲\n\n' * 600,
        LONG + "<https://gov.example/> <tel:12345>\n" * 600,
        LONG + "<table>" + "<tr><td>甲" * 600 + "</table>",
        ">" * (bounds.MAX_BYTES >> 6),
    ],
)
def test_what_is_long_and_plain_is_read(station: StationFolder, body: str) -> None:
    station.article(body=body)
    assert station.problems() == []


@pytest.mark.parametrize("link", ["[甲]({n}.md)", "[甲](#{n})", "[甲](javascript:{n})", "<img>", "<a>甲</a>"])
def test_of_very_many_wrong_links_a_hundred_are_told(station: StationFolder, link: str) -> None:
    station.article(body="\n".join(link.format(n=n) for n in range(3000)))
    found = station.problems()
    assert len(found) == 100
    assert {problem.path for problem in found} == {"content/fraud/brushing.md"}
