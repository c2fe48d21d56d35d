"""A problem is said at the words that it is about."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_site.library import Article
from gengfu_site.markdown import blocks, follow, render
from gengfu_site.pages import page_of
from gengfu_site.preview.marks import places
from gengfu_site.problems import Problem
from gengfu_site.render import environment
from gengfu_site.render import render as render_page
from stations import AT, StationFolder

BODY = """\
开头一段，
占两行。

## 小标题

- 第一条
- 第二条
  - 里面的一条

> [!WARNING]
> 提醒的话

| 一 | 二 |
| --- | --- |
| 甲 | 乙 |

```
代码
```

<section>
生的 HTML
</section>

最后一段
"""


def body_line(words: str) -> int:
    return BODY[: BODY.index(words)].count("\n") + 1


def opened(station: StationFolder, path: str = "fraud/brushing.md") -> tuple[Article, str]:
    """The article at ``path``, and its page."""
    library = station.load()
    article = next(a for a in library.articles if a.path.as_posix() == path)
    return article, render_page(environment(station.settings), page_of(article, library, AT))


def read_last(html: str, place: int | None) -> str:
    """What a reader reads before ``place``, without what marks it up."""
    assert place is not None
    return re.sub(r"<[^>]*>|\n", "", html[:place])


@pytest.mark.parametrize(
    ("at", "last_words"),
    [
        ("开头一段", "占两行。"),
        ("占两行", "占两行。"),
        ("## 小标题", "小标题"),
        ("第一条", "第一条"),
        ("里面的一条", "里面的一条"),
        ("提醒的话", "提醒的话"),
        ("| 甲", "乙"),
        ("代码", "代码"),
        ("生的", "代码"),
        ("最后一段", "最后一段"),
    ],
)
def test_a_problem_of_the_text_stands_after_the_block_of_its_line(
    station: StationFolder, at: str, last_words: str
) -> None:
    station.article(body=BODY)
    article, html = opened(station)
    line = article.body_line + body_line(at) - 1
    [place] = places(html, article, [problem(article, line)])
    assert read_last(html, place).endswith(last_words)


def test_a_remark_on_an_item_stands_within_it_and_one_on_a_table_outside_of_what_it_scrolls_in(
    station: StationFolder,
) -> None:
    station.article(body=BODY)
    article, html = opened(station)
    item, table = places(
        html, article, [problem(article, article.body_line + body_line(w) - 1) for w in ("第一条", "| 甲")]
    )
    assert item is not None
    assert table is not None
    assert html[item:].startswith("</li>")
    assert html[:table].endswith("</table></div>")


SERVICE = """
  department: 户籍窗口
  visit: 跑一次
  cases: [{when: 人在外地, answer: 可以邮寄}]
  materials: [{name: 户口簿, original: true}, {name: 照片, copies: 2}]
  places: [青松路 8 号一楼]"""
SERVICE_PATH = "service/card.md"


@pytest.mark.parametrize(
    ("field", "last_words"),
    [
        ("title", "身份证补领"),
        ("summary", "带户口簿来一趟。"),
        ("published", "2026-11-20"),
        ("service.visit", "带户口簿来一趟。"),
        ("service.cases.0.answer", "可以邮寄"),
        ("service.materials.1.name", "2 份"),
        ("service.places.0", "青松路 8 号一楼"),
        ("service.places", "青松路 8 号一楼"),
        ("service.hours", "户籍窗口"),
    ],
)
def test_a_problem_of_a_field_stands_after_what_the_page_shows_of_it(
    station: StationFolder, field: str, last_words: str
) -> None:
    station.article(
        SERVICE_PATH, kind="service", title="身份证补领", summary="带户口簿来一趟。", service=SERVICE
    )
    article, html = opened(station, SERVICE_PATH)
    [place] = places(html, article, [problem(article, 3, field)])
    assert read_last(html, place).endswith(last_words)


@pytest.mark.parametrize("field", ["allow.0.what", "season", "evergreen"])
def test_what_the_page_does_not_show_has_no_place_on_it(station: StationFolder, field: str) -> None:
    station.article()
    article, html = opened(station)
    assert places(html, article, [problem(article, 3, field)]) == [None]


def test_another_files_problem_has_no_place(station: StationFolder) -> None:
    station.article()
    article, html = opened(station)
    elsewhere = replace(problem(article, article.body_line), path="private/F7K2Q.yml")
    assert places(html, article, [elsewhere]) == [None]


def problem(article: Article, line: int, field: str = "") -> Problem:
    return Problem(path=article.lines.path, line=line, field=field, message="不对", remedy="改好")


PIECES = """\
# 一
- 甲
  - 乙
1. 丙
> [!TIP]
> 丁
| a | b |
|---|--:|
| 1 | 2 |
```
<div>
</div>
<p data-sourcepos='9:9-9:9'>
<script>x</script>
**注意：**请
[^1]
[^1]: 注
- [ ] 事
![图](a.png)

&nbsp;
<b
    码
***
<!-- 藏 -->
<td>
"""
MARKDOWN = st.lists(st.sampled_from(PIECES.split("\n")), max_size=12).map("\n".join)


@given(MARKDOWN)
@settings(max_examples=150, deadline=None)
def test_the_lines_of_blocks_are_known_for_any_text(body: str) -> None:
    html = follow(*render([body]), str).html
    for block in blocks(html, body):
        assert html[block.start :].startswith(f"<{block.tag}")
        assert html[: block.end].endswith(f"</{block.tag}>")
