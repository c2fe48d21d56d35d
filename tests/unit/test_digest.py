"""A group is told what is for it, is live, and was not told before: no more, and never the archive at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.days import dates
from gengfu_scheduler.digest import (
    Digest,
    Fits,
    bars,
    compose_alert,
    compose_all,
    named_by,
    reaches,
    still_told,
)
from gengfu_scheduler.groups import sorted_out
from gengfu_scheduler.message import Group, Message
from gengfu_scheduler.timetable import Campaign, Pick, Slot, Target
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


def compose(
    slot: Slot,
    to: Group,
    published: Catalogue,
    told: Mapping[str, datetime],
    at: datetime = NOW,
    campaigns: Sequence[Campaign] = (),
    fits: Fits = lambda _message, _group: True,
) -> Digest:
    ((_groups, digest),) = compose_all(
        slot, [[to]], published, {to.id: told}, at, campaigns=campaigns, fits=fits
    )
    return digest


def ids(message: Message | None) -> str:
    return "".join(item.entry for item in message.items) if message else "nothing"


def said(
    *entries: Entry,
    to: Group | None = None,
    told: Mapping[str, float] | None = None,
    campaigns: Sequence[Campaign] = (),
    **pick: Any,
) -> str:
    """Ids of the digest's items; ``told`` maps an id to days since it was last told."""
    history = {id: NOW - timedelta(days=days) for id, days in (told or {}).items()}
    return ids(
        compose(slot(**pick), to or group(), catalogue(*entries), history, campaigns=campaigns).message
    )


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
        before = last_of_november - timedelta(seconds=1)
        assert ids(compose(slot(), group(), catalogue(winter), {}, last_of_november).message) == "a"
        assert ids(compose(slot(), group(), catalogue(winter), {}, before).message) == "nothing"

    def test_a_fresh_evergreen_is_not_told_twice_in_one_digest(self) -> None:
        assert said(entry("a", evergreen=True), repeat=3) == "a"


class TestTheMessage:
    def test_it_never_has_more_than_seven_items(self) -> None:
        entries = [entry(id, evergreen=True) for id in "abcdefghij"]
        assert len(said(*entries, new=7, repeat=7)) == 7

    def test_it_ends_with_the_station_and_the_nearest_contact(self) -> None:
        there = compose(slot(), group(area="青松路/桃园社区"), catalogue(entry("a")), {}).message
        assert there is not None
        assert (there.title, there.home) == ("每日提示", "https://qingsong.example/")
        assert there.footer == "青松路派出所 · 社区民警 李警官 0000-5550130"
        elsewhere = compose(slot(), group(area="青松路"), catalogue(entry("a")), {}).message
        assert elsewhere is not None
        assert elsewhere.footer == "青松路派出所 · 值班室 0000-5550100"

    @settings(max_examples=100)
    @given(data=st.data())
    def test_whoever_is_told_together_is_told_what_each_would_be_alone(self, data: st.DataObject) -> None:
        few = st.sets(st.sampled_from(["诈骗", "燃气"])).map(lambda found: tuple(sorted(found)))
        audiences = st.sets(st.sampled_from(["老年人", "学校"])).map(lambda found: tuple(sorted(found)))
        ages = st.integers(0, 40)
        entries = [
            entry(
                data.draw(st.sampled_from(["a", "B"])) + str(n),
                days_old=data.draw(ages),
                topics=data.draw(few),
                areas=data.draw(st.sampled_from([(), ("青松路",), ("青松路/桃园社区",)])),
                audience=data.draw(audiences),
                evergreen=data.draw(st.booleans()),
            )
            for n in range(data.draw(st.integers(1, 6)))
        ]
        times_told = st.dictionaries(st.sampled_from([it.id for it in entries]), ages)
        # As the outbox has them: groups that were told the same share one history, others may have an equal one.
        histories: list[Mapping[str, datetime]] = [
            {id: NOW - timedelta(days=days) for id, days in told.items()}
            for told in data.draw(st.lists(times_told, min_size=1, max_size=2))
        ]
        histories.append(dict(histories[0]))
        # In one thing each is unlike the first.
        unlike = {
            "area": "青松路/桃园社区",
            "audience": ("学校",),
            "topics": ("诈骗",),
            "joined": NOW - timedelta(days=data.draw(ages)),
            "platform": "slack",
            "keyword": "提示",
        }
        usual = {"area": "青松路", "platform": "feishu"}
        groups = [group("usual", **usual), *(group(name, **usual | {name: unlike[name]}) for name in unlike)]
        told = {g.id: data.draw(st.sampled_from(histories)) for g in groups}
        campaigns = [
            Campaign(
                name=name,
                days=dates("2026-11-20"),
                topics=data.draw(few),
                to=data.draw(
                    st.sampled_from([Target(), Target(audience=("学校",)), Target(groups=("usual",))])
                ),
                repeat_after=data.draw(st.sampled_from([None, timedelta(days=7)])),
            )
            for name in data.draw(st.sampled_from(["", "月", "月周"]))
        ]
        pick = slot(new=data.draw(st.integers(0, 3)), repeat=data.draw(st.integers(0, 3)))

        def fits(message: Message, to: Group) -> bool:
            return len(message.items) <= (2 if to.keyword else 3) and (
                to.platform != "slack" or no_capitals(message, to)
            )

        published = catalogue(*entries)
        kinds = sorted_out(groups, named_by(pick, campaigns))
        together = compose_all(pick, kinds, published, told, NOW, campaigns=campaigns, fits=fits)
        assert {to.id: digest for alike, digest in together for to in alike} == {
            to.id: compose(pick, to, published, told[to.id], NOW, campaigns, fits) for to in groups
        }

    def test_it_bears_when_the_group_was_last_told_any_of_its_items(self) -> None:
        entries = [entry(id, days_old=100, evergreen=True) for id in "abc"]
        told = {"a": NOW - timedelta(days=60), "b": NOW - timedelta(days=40), "c": NOW}
        digest = compose(slot(repeat=2), group(), catalogue(*entries), told)
        assert (ids(digest.message), digest.last_told) == ("ab", told["b"])
        assert compose(slot(), group(), catalogue(entry("d")), told).last_told is None

    def test_what_does_not_fit_one_message_waits_for_the_next_digest(self) -> None:
        entries = [entry("a", days_old=1), entry("b", days_old=2), entry("c", days_old=3)]
        first = compose(slot(), group(), catalogue(*entries), {}, fits=at_most(2))
        assert (ids(first.message), first.too_long) == ("ab", ())
        told = dict.fromkeys("ab", NOW - timedelta(days=1))
        assert ids(compose(slot(), group(), catalogue(*entries), told, fits=at_most(2)).message) == "c"

    def test_what_does_not_even_fit_alone_is_left_out_and_named(self) -> None:
        entries = [entry("a", days_old=1), entry("B", days_old=2), entry("c", days_old=3)]
        digest = compose(slot(new=2), group(), catalogue(*entries), {}, fits=no_capitals)
        assert (ids(digest.message), [e.id for e in digest.too_long]) == ("ac", ["B"])
        digest = compose(slot(), group(), catalogue(entry("B")), {}, fits=no_capitals)
        assert (ids(digest.message), [e.id for e in digest.too_long]) == ("nothing", ["B"])

    def test_each_platform_gets_what_fits_there_and_groups_alike_are_asked_about_once(self) -> None:
        asked: list[str] = []

        def fits(message: Message, to: Group) -> bool:
            asked.append(to.id)
            return len(message.items) <= (1 if to.platform == "wecom" else 3)

        groups = [group(str(n), platform=platform) for n, platform in enumerate(["wecom", "generic"] * 50)]
        published = catalogue(entry("a", days_old=1), entry("b", days_old=2))
        composed = list(compose_all(slot(), sorted_out(groups, ()), published, {}, NOW, fits=fits))
        assert [(ids(digest.message), len(alike)) for alike, digest in composed] == [("a", 50), ("ab", 50)]
        assert set(asked) == {"0", "1"}


def at_most(items: int) -> Fits:
    return lambda message, _group: len(message.items) <= items


def no_capitals(message: Message, _group: Group) -> bool:
    return not any(item.entry.isupper() for item in message.items)


class TestCampaign:
    MONTH = Campaign(name="反诈宣传月", days=dates("2026-11-01..2026-11-30"), topics=("诈骗",))

    def test_its_articles_come_first_among_the_new_and_among_the_repeated(self) -> None:
        entries = (
            entry("a", days_old=1),
            entry("b", days_old=2, topics=("诈骗",)),
            entry("c", days_old=100, evergreen=True),
            entry("d", days_old=200, evergreen=True, topics=("诈骗",)),
        )
        assert said(*entries, campaigns=[self.MONTH], told={"d": 50}, new=1) == "bd"
        assert said(*entries, told={"d": 50}, new=1) == "ac"

    def test_its_articles_take_turns_among_themselves_whatever_else_was_told_longer_ago(self) -> None:
        entries = (
            entry("a", days_old=100, evergreen=True, topics=("诈骗",)),
            entry("b", days_old=200, evergreen=True),
            entry("c", days_old=300, evergreen=True, topics=("诈骗",)),
        )
        assert said(*entries, campaigns=[self.MONTH], told={"a": 50, "c": 50}, repeat=1) == "a"
        assert said(*entries, campaigns=[self.MONTH], told={"a": 50, "c": 50}, repeat=3) == "acb"

    def test_they_return_after_its_own_pause(self) -> None:
        old = entry("a", days_old=100, evergreen=True, topics=("诈骗",))
        weekly = replace(self.MONTH, repeat_after=timedelta(days=7))
        assert said(old, campaigns=[weekly], told={"a": 7}) == "a"
        assert said(old, campaigns=[weekly], told={"a": 6.9}) == "nothing"
        assert said(replace(old, topics=()), campaigns=[weekly], told={"a": 7}) == "nothing"

    def test_groups_that_it_is_not_for_know_nothing_of_it(self) -> None:
        schools = replace(self.MONTH, to=Target(audience=("学校",)))
        entries = (entry("a", days_old=1), entry("b", days_old=2, topics=("诈骗",)))
        assert said(*entries, campaigns=[schools], new=1) == "a"
        assert said(*entries, campaigns=[schools], new=1, to=group(audience=("学校",))) == "b"


class TestOverTime:
    """What a group hears in the course of many digests."""

    @settings(max_examples=30)
    @given(
        items=st.integers(1, 9),
        repeat=st.integers(1, 4),
        digests=st.integers(1, 60),
        room=st.integers(1, 4),
    )
    def test_repeats_rotate_fairly(self, items: int, repeat: int, digests: int, room: int) -> None:
        """Whatever fits: of evergreens none is told twice more often than another."""
        published = catalogue(*(entry(str(n), days_old=100 + n // 2, evergreen=True) for n in range(items)))
        daily = slot(new=0, repeat=repeat, repeat_after=timedelta(days=1))
        told: dict[str, datetime] = {}
        counts = dict.fromkeys((e.id for e in published.entries), 0)
        for day in range(digests):
            at = NOW + timedelta(days=day)
            message = compose(daily, group(), published, told, at, fits=at_most(room)).message
            assert message is not None
            for item in message.items:
                told[item.entry] = at
                counts[item.entry] += 1
            assert max(counts.values()) - min(counts.values()) <= 1

    @settings(max_examples=40)
    @given(
        entries=st.lists(
            st.tuples(st.integers(-20, 40), st.booleans(), st.booleans(), st.none() | st.integers(-5, 30)),
            max_size=8,
        ),
        repeat_after=st.integers(1, 12),
        in_campaign=st.none() | st.integers(1, 12),
        room=st.integers(1, 4),
        days=st.integers(5, 30),
    )
    def test_none_is_told_twice_within_repeat_after_and_none_out_of_its_time(
        self,
        entries: list[tuple[int, bool, bool, int | None]],
        repeat_after: int,
        in_campaign: int | None,
        room: int,
        days: int,
    ) -> None:
        published = catalogue(
            *(
                entry(
                    str(n),
                    days_old=age,
                    evergreen=evergreen,
                    topics=("诈骗",) if fraud else (),
                    expires=None if lasts is None else NOW + timedelta(days=lasts),
                )
                for n, (age, evergreen, fraud, lasts) in enumerate(entries)
            )
        )
        month = Campaign(
            name="月",
            days=dates("2026-11-25..2026-12-05"),
            topics=("诈骗",),
            repeat_after=timedelta(days=in_campaign) if in_campaign else None,
        )
        daily = slot(new=2, repeat=2, repeat_after=timedelta(days=repeat_after))
        pause = timedelta(days=min(repeat_after, in_campaign or repeat_after))
        told: dict[str, datetime] = {}
        for day in range(days):
            at = NOW + timedelta(days=day)
            on = (month,) if at.date() in month.days else ()
            digest = compose(daily, group(), published, told, at, campaigns=on, fits=at_most(room))
            by_id = {e.id: e for e in published.entries}
            for item in digest.message.items if digest.message else ():
                it = by_id[item.entry]
                assert it.live(at)
                assert item.entry not in told or (it.evergreen and at - told[item.entry] >= pause)
                told[item.entry] = at


class TestWhy:
    """What is said to keep an entry out is what keeps it out."""

    def rules(self, it: Entry, to: Group | None = None, told: float | None = None, **pick: Any) -> list[str]:
        history = {} if told is None else {it.id: NOW - timedelta(days=told)}
        found = bars(slot(**pick), to or group(), it, STATION, history, NOW)
        return [bar.rule for bar in found]

    @pytest.mark.parametrize(
        ("fields", "to", "told", "pick", "rules"),
        [
            ({}, {}, None, {}, []),
            ({"days_old": -1}, {}, None, {}, ["early"]),
            ({"expires": NOW}, {}, None, {}, ["expired"]),
            ({"kind": "notice"}, {}, None, {"kinds": ("tip",)}, ["kind"]),
            ({}, {}, None, {"topics": ("诈骗",)}, ["slot topic"]),
            ({"areas": ("青松路",)}, {}, None, {}, ["area"]),
            ({"audience": ("老年人",)}, {"audience": ("学校",)}, None, {}, ["audience"]),
            ({}, {"topics": ("燃气",)}, None, {}, ["group topic"]),
            ({}, {}, 3, {}, ["told", "not evergreen"]),
            ({"days_old": 8}, {}, None, {}, ["stale", "not evergreen"]),
            ({"days_old": 8, "evergreen": True}, {}, None, {}, []),
            ({"days_old": 8, "evergreen": True}, {}, None, {"repeat": 0}, ["stale", "no repeats"]),
            ({"days_old": 8, "evergreen": True, "season": ("冬季",)}, {}, None, {}, ["stale", "season"]),
            ({"days_old": 8, "evergreen": True}, {}, 3, {}, ["stale", "told", "told lately"]),
            ({"days_old": 3}, {"joined": NOW}, None, {}, ["before joining", "not evergreen"]),
            ({}, {}, None, {"new": 0}, ["no new", "not evergreen"]),
            (
                {"kind": "service", "areas": ("青松路",), "expires": NOW},
                {},
                1,
                {"kinds": ("tip",)},
                ["expired", "area", "kind", "told", "not evergreen"],
            ),
        ],
    )
    def test_every_rule_that_speaks_is_named_in_order(
        self,
        fields: dict[str, Any],
        to: dict[str, Any],
        told: float | None,
        pick: dict[str, Any],
        rules: list[str],
    ) -> None:
        assert self.rules(entry("a", **fields), group(**to), told, **pick) == rules

    def test_what_ends_by_itself_says_when(self) -> None:
        old = entry("a", days_old=100, evergreen=True)
        found = bars(slot(), group(), old, STATION, {"a": NOW - timedelta(days=10)}, NOW)
        assert found[-1].until == NOW + timedelta(days=20)

    @settings(max_examples=150)
    @given(data=st.data())
    def test_nothing_bars_an_entry_exactly_if_it_is_told_given_room(self, data: st.DataObject) -> None:
        few = st.sets(st.sampled_from(["诈骗", "燃气"])).map(lambda found: tuple(sorted(found)))
        audiences = st.sets(st.sampled_from(["老年人", "学校"])).map(lambda found: tuple(sorted(found)))
        it = entry(
            "a",
            days_old=data.draw(st.integers(-1, 40)),
            kind=data.draw(st.sampled_from(["tip", "notice"])),
            topics=data.draw(few),
            areas=data.draw(st.sampled_from([(), ("青松路",), ("青松路/桃园社区",)])),
            audience=data.draw(audiences),
            expires=data.draw(st.sampled_from([None, NOW - timedelta(hours=1), NOW + timedelta(hours=1)])),
            evergreen=data.draw(st.booleans()),
            season=data.draw(st.sampled_from([(), ("冬季",), ("秋季",)])),
        )
        to = group(
            area=data.draw(st.sampled_from([None, "青松路", "青松路/桃园社区"])),
            audience=data.draw(audiences),
            topics=data.draw(few),
            joined=NOW - timedelta(days=data.draw(st.integers(0, 40))),
        )
        when = slot(
            kinds=data.draw(st.sampled_from([("tip",), ("tip", "notice")])),
            topics=data.draw(few),
            new=data.draw(st.integers(0, 1)),
            repeat=data.draw(st.integers(0, 1)),
            repeat_after=timedelta(days=data.draw(st.integers(1, 30))),
        )
        told = data.draw(st.none() | st.integers(0, 40))
        history = {} if told is None else {"a": NOW - timedelta(days=told)}
        month = Campaign(
            name="月",
            days=dates("2026-11-20"),
            topics=data.draw(few),
            to=data.draw(st.sampled_from([Target(), Target(audience=("学校",))])),
            repeat_after=data.draw(st.sampled_from([None, timedelta(days=7)])),
        )
        message = compose(when, to, catalogue(it), history, campaigns=[month]).message
        assert (not bars(when, to, it, STATION, history, NOW, campaigns=[month])) == bool(message)


class TestStillTold:
    def message(self, *entries: Entry) -> Message:
        message = compose(slot(), group(), catalogue(*entries), {}).message
        assert message is not None
        return message

    def test_what_did_not_change_is_the_same_object(self) -> None:
        message = self.message(entry("a"), entry("b"))
        assert still_told(message, catalogue(entry("a"), entry("b")), NOW) is message

    def test_what_was_withdrawn_or_is_over_is_dropped_and_the_rest_stays(self) -> None:
        ends = NOW + timedelta(minutes=1)
        published = catalogue(entry("a"), entry("b", expires=ends))
        message = self.message(*published.entries)
        assert still_told(message, published, ends - timedelta(seconds=1)) is message
        assert ids(still_told(message, published, ends)) == "a"
        assert ids(still_told(message, catalogue(entry("b")), NOW)) == "b"

    def test_nothing_is_told_where_nothing_is_left(self) -> None:
        assert still_told(self.message(entry("a")), catalogue(entry("b")), NOW) is None

    def test_the_clock_and_the_catalogue_may_go_either_way(self) -> None:
        ends = NOW + timedelta(minutes=1)
        published = catalogue(entry("a"), entry("b", expires=ends))
        message = self.message(*published.entries)
        heard = [
            ids(still_told(message, source, at))
            for source, at in [
                (published, ends),
                (published, NOW),
                (catalogue(entry("a")), NOW),
                (published, NOW),
            ]
        ]
        assert heard == ["a", "ab", "a", "ab"]

    def test_an_alert_is_left_alone(self) -> None:
        message = announced(alert())
        assert still_told(message, catalogue(), NOW) is message


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
    return compose_alert(it, None, STATION)


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

    def test_its_end_asks_nobody_to_go_on_looking(self) -> None:
        assert announced(alert("resolved")).body.splitlines() == [
            "地点：桃园菜市场",
            "现状：已找到，请勿再转，谢谢大家",
        ]

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
            compose_alert(entry("a"), None, STATION)
