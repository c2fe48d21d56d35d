"""A group is told what is for it, is live, and was not told before: no more, and never the archive at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.digest import compose, compose_alert, compose_all, reaches
from gengfu_scheduler.message import Group, Message
from gengfu_scheduler.timetable import Pick, Slot
from gengfu_site.catalogue import (
    AlertEntry,
    AlertForm,
    AlertState,
    AlertStatus,
    Area,
    Catalogue,
    ContactLine,
    Entry,
    Fact,
    Station,
)

NOW = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    contacts=(ContactLine(role="值班室", phone="0000-5550100"),),
    areas=(
        Area(path="青松路", slug="q"),
        Area(
            path="青松路/桃园社区",
            slug="q/t",
            contacts=(ContactLine(role="社区民警", name="李警官", phone="0000-5550130"),),
        ),
    ),
    audiences=("老年人", "学校"),
)


def entry(id: str, *, days_old: float = 1, **fields: Any) -> Entry:
    published = NOW - timedelta(days=days_old)
    defaults: dict[str, Any] = {
        "kind": "tip",
        "url": f"https://qingsong.example/tip/{id}/",
        "title": f"题{id}",
        "summary": f"提要{id}",
        "updated": published,
        "revision": "1",
    }
    return Entry(id=id, published=published, **{**defaults, **fields})


def group(id: str = "g", **fields: Any) -> Group:
    return Group(id=id, name=id, reach="hand", **{"joined": NOW - timedelta(days=400), **fields})


def slot(**pick: Any) -> Slot:
    return Slot(id="s", title="每日提示", at=(), pick=Pick(**pick))


def catalogue(*entries: Entry) -> Catalogue:
    newest_first = sorted(entries, key=lambda entry: entry.published, reverse=True)
    return Catalogue(station=STATION, entries=tuple(newest_first))


def said(
    *entries: Entry, to: Group | None = None, told: Mapping[str, float] | None = None, **pick: Any
) -> str:
    """Ids of the digest's items; ``told`` maps an id to days since it was last told."""
    history = {id: NOW - timedelta(days=days) for id, days in (told or {}).items()}
    message = compose(slot(**pick), to or group(), catalogue(*entries), history, NOW)
    return "".join(item.entry for item in message.items) if message else "nothing"


class TestWhatReachesWhom:
    @pytest.mark.parametrize(
        ("fields", "to", "reached"),
        [
            ({}, {}, True),
            ({"areas": ("青松路",)}, {"area": "青松路/桃园社区"}, True),
            ({"areas": ("青松路/桃园社区",)}, {"area": "青松路"}, False),
            ({"areas": ("青松路",)}, {}, False),
            ({"audience": ("老年人",)}, {}, True),
            ({"audience": ("老年人",)}, {"audience": ("学校",)}, False),
            ({"audience": ("老年人", "学校")}, {"audience": ("学校",)}, True),
            ({}, {"audience": ("学校",)}, True),
            ({"topics": ("燃气",)}, {"topics": ("燃气", "诈骗")}, True),
            ({"topics": ("交通",)}, {"topics": ("燃气", "诈骗")}, False),
            ({}, {"topics": ("燃气",)}, False),
            ({"expires": NOW}, {}, False),
            ({"expires": NOW + timedelta(seconds=1)}, {}, True),
            ({"days_old": -1}, {}, False),
        ],
    )
    def test_area_audience_topics_and_time_must_fit(
        self, fields: dict[str, Any], to: dict[str, Any], reached: bool
    ) -> None:
        assert said(entry("a", **fields), to=group(**to)) == ("a" if reached else "nothing")

    def test_a_slot_picks_kinds_and_topics(self) -> None:
        entries = (entry("a"), entry("b", kind="fraud", topics=("诈骗",)), entry("c", kind="notice"))
        assert said(*entries, kinds=("fraud", "notice")) == "bc"
        assert said(*entries, topics=("诈骗",)) == "b"

    def test_an_alert_is_never_an_item_of_a_digest(self) -> None:
        assert said(alert(), kinds=("tip", "fraud")) == "nothing"
        assert said(alert()) == "nothing"


class TestNew:
    def test_the_newest_come_first_and_what_does_not_fit_waits(self) -> None:
        entries = (entry("a", days_old=3), entry("b", days_old=1), entry("c", days_old=2))
        assert said(*entries, new=2) == "bc"
        assert said(*entries, new=2, told={"b": 1, "c": 1}) == "a"

    def test_new_is_only_what_was_published_within_fresh(self) -> None:
        assert said(entry("a", days_old=7), entry("b", days_old=7.1), fresh=timedelta(days=7)) == "a"

    def test_what_was_published_before_the_group_joined_is_not_new_to_it(self) -> None:
        entries = (entry("a", days_old=5), entry("b", days_old=1))
        assert said(*entries, to=group(joined=NOW - timedelta(days=2))) == "b"

    def test_an_archive_reaches_a_new_group_at_the_pace_of_repeats(self) -> None:
        archive = [entry(id, days_old=n + 1, evergreen=True) for n, id in enumerate("abcdefgh")]
        newcomer = group(joined=NOW)
        assert said(*archive, to=newcomer, fresh=timedelta(days=3650), new=5, repeat=1) == "a"

    def test_nothing_is_told_twice(self) -> None:
        assert said(entry("a"), told={"a": 6}) == "nothing"


class TestRepeats:
    def test_evergreens_fill_up_never_told_first_then_the_one_told_longest_ago(self) -> None:
        old = [entry(id, days_old=100 + n, evergreen=True) for n, id in enumerate("abcd")]
        assert said(*old, repeat=4, told={"a": 40, "c": 60}) == "bdca"

    def test_none_returns_within_repeat_after(self) -> None:
        old = entry("a", days_old=100, evergreen=True)
        assert said(old, told={"a": 29}) == "nothing"
        assert said(old, told={"a": 30}) == "a"

    def test_only_evergreens_in_season_return(self) -> None:
        # 20 November is autumn.
        entries = (
            entry("a", days_old=100),
            entry("b", days_old=100, evergreen=True, season=("冬季",)),
            entry("c", days_old=100, evergreen=True, season=("秋季", "冬季")),
        )
        assert said(*entries, repeat=3) == "c"

    def test_the_season_is_the_stations_own(self) -> None:
        winter = entry("a", days_old=100, evergreen=True, season=("冬季",))
        last_of_november = datetime(2026, 11, 30, 16, tzinfo=UTC)  # midnight in Shanghai
        assert compose(slot(), group(), catalogue(winter), {}, last_of_november) is not None
        assert (
            compose(slot(), group(), catalogue(winter), {}, last_of_november - timedelta(seconds=1)) is None
        )

    def test_a_fresh_evergreen_is_not_told_twice_in_one_digest(self) -> None:
        assert said(entry("a", evergreen=True), repeat=3) == "a"


class TestTheMessage:
    def test_it_never_has_more_than_seven_items(self) -> None:
        entries = [entry(id, evergreen=True) for id in "abcdefghij"]
        assert len(said(*entries, new=7, repeat=7)) == 7

    def test_it_ends_with_the_station_and_the_nearest_contact(self) -> None:
        there = compose(slot(), group(area="青松路/桃园社区"), catalogue(entry("a")), {}, NOW)
        assert there is not None
        assert (there.title, there.home) == ("每日提示", "https://qingsong.example/")
        assert there.footer == "青松路派出所 · 社区民警 李警官 0000-5550130"
        elsewhere = compose(slot(), group(area="青松路"), catalogue(entry("a")), {}, NOW)
        assert elsewhere is not None
        assert elsewhere.footer == "青松路派出所 · 值班室 0000-5550100"

    @settings(max_examples=40)
    @given(
        areas=st.lists(st.sampled_from([None, "青松路", "青松路/桃园社区"]), min_size=1, max_size=8),
        ages=st.lists(st.integers(0, 60), max_size=8),
        histories=st.lists(st.dictionaries(st.integers(0, 7), st.integers(0, 90)), min_size=8, max_size=8),
        joined=st.lists(st.integers(0, 20), min_size=8, max_size=8),
    )
    def test_groups_alike_share_the_message_each_would_have_got_alone(
        self,
        areas: list[str | None],
        ages: list[int],
        histories: list[dict[int, int]],
        joined: list[int],
    ) -> None:
        entries = tuple(
            entry(str(n), days_old=age, evergreen=n % 2 == 0, areas=("青松路",) if n % 3 == 0 else ())
            for n, age in enumerate(ages)
        )
        published = catalogue(*entries)
        groups = [
            group(str(n), area=area, joined=NOW - timedelta(days=days))
            for n, (area, days) in enumerate(zip(areas, joined, strict=False))
        ]
        told = {
            g.id: {str(id): NOW - timedelta(days=days) for id, days in history.items()}
            for g, history in zip(groups, histories, strict=False)
        }
        alone = {g.id: compose(slot(), g, published, told[g.id], NOW) for g in groups}
        together = {g.id: m for g, m in compose_all(slot(), groups, published, told, NOW)}
        assert together == {id: message for id, message in alone.items() if message}


def alert(
    state: AlertState = "active", status: AlertStatus = "actual", form: AlertForm = "走失", **fields: Any
) -> Entry:
    return entry(
        "A",
        kind="alert",
        title="寻找走失老人",
        summary="76 岁老人今晨走失。",
        alert=AlertEntry(
            form=form,
            place="桃园菜市场",
            tell="110 或 0000-5550100",
            status=status,
            state=state,
            facts=(Fact(label="衣着", value="红色羽绒服"),) if state == "active" else (),
        ),
        **fields,
    )


def announced(it: Entry) -> Message:
    return compose_alert(it, group(), STATION)


class TestAlert:
    def test_it_says_what_where_which_facts_whom_to_call_and_how_it_stands(self) -> None:
        message = announced(alert())
        assert message.form == "alert"
        assert message.title == "【走失】寻找走失老人"
        assert message.body.splitlines() == [
            "76 岁老人今晨走失。",
            "地点：桃园菜市场",
            "衣着：红色羽绒服",
            "请联系：110 或 0000-5550100",
            "现状：还在找",
        ]
        assert [item.entry for item in message.items] == ["A"]
        assert message.footer == "青松路派出所 · 值班室 0000-5550100"

    @pytest.mark.parametrize(
        ("form", "state", "word"),
        [("走失", "resolved", "已找到"), ("火情", "resolved", "已解除"), ("道路", "cancelled", "已取消")],
    )
    def test_its_end_is_said_in_title_and_body(self, form: AlertForm, state: AlertState, word: str) -> None:
        message = announced(alert(state, form=form))
        assert message.title == f"【{word}】寻找走失老人"
        assert word in message.body.splitlines()[-1]
        assert "请勿再转" in message.body.splitlines()[-1]
        assert "110" not in message.body

    def test_an_exercise_says_so_at_both_ends(self) -> None:
        message = announced(alert(status="exercise"))
        assert message.title.startswith("【演练】")
        assert message.footer.endswith("【演练】")
        assert "演练" not in announced(alert()).title + announced(alert()).footer

    def test_it_reaches_by_area_and_audience_but_not_by_topic(self) -> None:
        there = group(area="青松路/桃园社区", audience=("学校",), topics=("燃气",))
        assert reaches(alert(areas=("青松路",)), there)
        assert not reaches(alert(areas=("青松路",)), replace(there, area=None))
        assert not reaches(alert(audience=("老年人",)), there)

    def test_what_is_no_alert_cannot_be_announced(self) -> None:
        with pytest.raises(ValueError, match="no alert"):
            compose_alert(entry("a"), group(), STATION)
