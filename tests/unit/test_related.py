"""What an article leads on to: what is like it, and little of that changes with each new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from gengfu_site.library import Article, newest_first
from gengfu_site.related import COMPARED, LEADS, LEAST, MOST, related
from gengfu_site.related import led_to as ids
from gengfu_templates import starter
from stations import AT, StationFolder

PLAIN = {"kind": "tip", "topics": "[防火用电]"}


def led_to(articles: Sequence[Article], candidates: Iterable[Article] | None = None) -> dict[str, list[str]]:
    offered = {article.id for article in (articles if candidates is None else candidates)}
    return {id_: [*ids(said)] for id_, said in related(articles, offered).said.items()}


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


def test_how_many_articles_may_change_before_common_pairs_are_counted_again_changes_nothing(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    alike = []
    for few in (1, len(library) // 2, len(library) + 1):
        monkeypatch.setattr("gengfu_site.related._FEW", few)
        alike.append(led_to(library))
    assert alike[0]
    assert alike[0] == alike[1] == alike[2]


def test_a_new_article_changes_what_few_others_lead_to(library: Sequence[Article]) -> None:
    older, newest = library[1:], library[0]
    before, after = led_to(older), led_to([newest, *older])
    changed = [id_ for id_ in before if before[id_] != after[id_]]
    assert newest.published - older[0].published >= timedelta(0)
    assert len(changed) <= len(before) // 8


WRITTEN = st.fixed_dictionaries(
    {
        "title": st.tuples(
            st.sampled_from(["", "甲乙", "甲乙", "甲乙"]), st.text("甲乙丙丁", min_size=1, max_size=3)
        ).map("".join),
        "kind": st.sampled_from(["tip", "fraud"]),
        "topics": st.sampled_from([(), ("电信网络诈骗",), ("电信网络诈骗", "防火用电")]),
        "url": st.sampled_from(["a/", "b/"]),
        "published": st.integers(0, 9).map(lambda days: AT - timedelta(days=days)),
    }
)
OFFERED = st.booleans()
NUMBERS = st.integers(10, 40)


@given(
    first=st.dictionaries(NUMBERS, st.tuples(WRITTEN, OFFERED), min_size=16),
    edits=st.lists(st.dictionaries(NUMBERS, st.none() | st.tuples(WRITTEN, OFFERED), max_size=3), max_size=6),
    few=st.sampled_from([1, 4]),
)
def test_after_any_edits_what_is_worked_out_is_as_if_nothing_had_been_known(
    library: Sequence[Article],
    first: Mapping[int, tuple[Mapping[str, Any], bool]],
    edits: Sequence[Mapping[int, tuple[Mapping[str, Any], bool] | None]],
    few: int,
) -> None:
    """Of sixteen pairs of characters each is held by more than eight articles now and by fewer then, and is common or not."""
    articles: dict[int, tuple[Mapping[str, Any], bool] | None] = {}
    left: Mapping[str, bytes] = {}
    for edit in (first, *edits):
        articles |= edit
        there = {f"T{number}": one for number, one in articles.items() if one}
        now = newest_first(
            replace(library[0], id=id_, summary="。", **its) for id_, (its, _offered) in there.items()
        )
        offered = {id_ for id_, (_its, offered) in there.items() if offered}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "gengfu_site.related._FEW", few
            )  # of so few articles, all would be worked out anyway
            found = related(now, offered, left.get)
        assert found.said == related(now, offered).said
        left = found.left or left
        assert related(now, offered, left.get) == (found.said, {})


def test_where_nothing_that_counts_changed_nothing_new_is_left(library: Sequence[Article]) -> None:
    before = related(library, {article.id for article in library})
    now = [replace(article, html="<p>另一段话</p>", author="李警官") for article in library]
    assert related(now, {article.id for article in library}, before.left.get) == (before.said, {})


def test_what_is_offered_no_longer_is_led_to_no_longer_though_nothing_else_of_it_changed(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_site.related._FEW", 1)
    offered = {article.id for article in library}
    before = related(library, offered)
    over = ids(before.said[library[0].id])[0]
    after = related(library, offered - {over}, before.left.get)
    assert after.said == related(library, offered - {over}).said
    assert not [id_ for id_, said in after.said.items() if over in ids(said)]


def test_a_pair_that_too_many_hold_joins_no_longer_those_that_held_it(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_site.related._FEW", 1)

    def article(number: int, title: str) -> Article:
        same = {"kind": "tip", "topics": (), "summary": "。", "published": AT - timedelta(days=number)}
        return replace(library[0], id=f"T{number}", title=title, **same)

    eight = [article(number, "楼道" if number % 5 == 0 else f"{number}") for number in range(10, 50)]
    nine = [article(9, "楼道"), *eight]
    offered = {one.id for one in nine}
    before = related(eight, offered)
    after = related(nine, offered, before.left.get)
    assert [*ids(before.said["T30"])] == ["T10", "T15", "T20", "T25"]
    assert [*ids(after.said["T30"])] == ["T31", "T32", "T33"]
    assert related(eight, offered, after.left.get).said == before.said


def test_a_pair_that_most_held_joins_those_that_hold_it_still_once_they_are_few(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gengfu_site.related._FEW", 20)  # two may go ahead of all being worked out again

    def article(number: int) -> Article:
        same = {"kind": "tip", "topics": (), "summary": "。", "published": AT - timedelta(days=number)}
        return replace(library[0], id=f"T{number}", title=f"{number}" if number % 4 else "楼道", **same)

    there = [article(number) for number in range(10, 54)]
    left = related(there, {one.id for one in there}).left
    for gone in ("T12", "T16", "T20"):
        there = [one for one in there if one.id != gone]
        said, left = related(there, {one.id for one in there}, left.get)
        assert said == related(there, {one.id for one in there}).said
    assert [*ids(said["T40"])] == ["T24", "T28", "T32", "T36"]


@pytest.mark.parametrize("lost", [LEADS, COMPARED])
def test_where_some_of_what_was_left_is_lost_all_is_worked_out(
    library: Sequence[Article], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr("gengfu_site.related._FEW", 1)
    offered = {article.id for article in library}
    left = {**related(library, offered).left}
    del left[lost]
    assert related(library[1:], offered, left.get) == related(library[1:], offered)
