"""What an article leads on to: what is like it, and little of that changes with each new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest

from gengfu_site.library import Article
from gengfu_site.related import LEAST, MOST, _scores, pairs, related
from gengfu_templates import starter
from stations import AT, StationFolder

PLAIN = {"kind": "tip", "topics": "[防火用电]"}


def led_to(articles: Sequence[Article], candidates: Iterable[Article] | None = None) -> dict[str, list[str]]:
    found = related(articles, articles if candidates is None else candidates)
    return {id_: [other.id for other in others] for id_, others in found.items()}


def test_what_shares_rare_words_comes_first(station: StationFolder) -> None:
    station.article("tip/a.md", id="T0001", title="电动车上楼充电", **PLAIN)
    station.article("tip/b.md", id="T0002", title="楼道里的电动车", **PLAIN)
    station.article("tip/c.md", id="T0003", title="燃气灶漏气", **PLAIN)
    for n in range(4, 16):
        station.article(f"tip/{n}.md", id=f"T{n:04}", title=f"燃气第{n}讲", **PLAIN)
    assert led_to(station.load().articles)["T0001"][0] == "T0002"


def test_words_in_common_do_not_join_what_has_neither_topic_nor_kind_in_common(
    station: StationFolder,
) -> None:
    station.article("tip/a.md", id="T0001", kind="tip", title="电动车上楼充电", topics="[防火用电]")
    station.article("notice/b.md", id="N0001", kind="notice", title="电动车上楼充电", topics="[电信网络诈骗]")
    assert led_to(station.load().articles) == {"T0001": [], "N0001": []}


def test_what_has_nothing_in_common_leads_to_its_neighbours_in_time(station: StationFolder) -> None:
    for n, word in enumerate("甲乙丙丁戊己庚", start=1):
        station.article(
            f"tip/{n}.md", id=f"T{n:04}", title=word, summary=word, published=f"2026-11-0{n}", **PLAIN
        )
    assert led_to(station.load().articles)["T0005"] == ["T0004", "T0003", "T0002"]
    assert led_to(station.load().articles)["T0002"] == ["T0001", "T0003", "T0004"]


def test_what_is_over_leads_on_and_is_led_to_by_nothing(station: StationFolder) -> None:
    station.article("tip/a.md", id="T0001", title="电动车上楼充电", withdrawn="有误", **PLAIN)
    station.article("tip/b.md", id="T0002", title="楼道里的电动车", **PLAIN)
    library = station.load()
    assert led_to(library.articles, library.listed(AT)) == {"T0001": ["T0002"], "T0002": []}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Article]:
    folder = StationFolder(folder=starter())
    return [article for article in folder.load().listed(AT) if article.kind != "alert"]


def test_every_article_of_the_library_leads_to_a_few_others(library: Sequence[Article]) -> None:
    for id_, others in led_to(library).items():
        assert LEAST <= len(others) <= MOST
        assert id_ not in others
        assert len(set(others)) == len(others)


def test_the_order_in_which_articles_are_given_is_of_no_account(library: Sequence[Article]) -> None:
    assert led_to(list(reversed(library))) == dict(reversed(led_to(library).items()))


def test_how_many_articles_show_what_is_common_changes_nothing(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = tuple((article.id, pairs(article)) for article in library)
    alike = []
    for some in (1, len(library) // 2, len(library)):
        monkeypatch.setattr("gengfu_site.related._SOME", some)
        alike.append(_scores.__wrapped__(compared))
    assert alike[0]
    assert alike[0] == alike[1] == alike[2]


def test_a_new_article_changes_what_few_others_lead_to(library: Sequence[Article]) -> None:
    older, newest = library[1:], library[0]
    before, after = led_to(older), led_to([newest, *older])
    changed = [id_ for id_ in before if before[id_] != after[id_]]
    assert newest.published - older[0].published >= timedelta(0)
    assert len(changed) <= len(before) // 8
