"""A slot's digests leave one after another, none in quiet hours, none too late for want of a better order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from gengfu_scheduler.channels import channels_of
from gengfu_scheduler.days import dates
from gengfu_scheduler.draft import Draft, draft_occurrence
from gengfu_scheduler.message import Group, QuietHours
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Blackout, Occurrence, Pick, Slot, Target, Timetable
from gengfu_site.catalogue import Catalogue, Entry, Station

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 11, 16, tzinfo=SHANGHAI)
MINUTE = timedelta(minutes=1)
JOINED = datetime(2026, 1, 1, tzinfo=UTC)
STATION = Station(name="站", url="https://x.example/", language="zh-CN", timezone="Asia/Shanghai")
TIP = Entry(
    id="a",
    kind="tip",
    url="https://x.example/a/",
    title="题",
    summary="提要",
    published=DAY - timedelta(days=1),
    updated=DAY,
    revision="1",
)


def slot(at: time, spread: timedelta, late: timedelta = timedelta(hours=2)) -> Slot:
    return Slot(id="s", title="每日提示", at=(at,), pick=Pick(repeat=0), spread=spread, late=late)


def drafted(
    it: Slot,
    groups: int,
    *,
    after: timedelta = timedelta(0),
    quiet: QuietHours | None = None,
    blackouts: tuple[Blackout, ...] = (),
) -> tuple[Draft, Roster, datetime]:
    """The draft of today's occurrence made ``after`` its time, with the roster and that time."""
    roster = Roster(
        catalogue=Catalogue(station=STATION, entries=(TIP,)),
        groups={str(n): Group(id=str(n), name=str(n), reach="hand", joined=JOINED) for n in range(groups)},
        timetable=Timetable(timezone=SHANGHAI, quiet_hours=quiet, blackouts=blackouts, slots=(it,)),
        channels=channels_of(None),
    )
    when = datetime.combine(DAY, it.at[0], SHANGHAI).astimezone(UTC)
    occurrence = Occurrence(slot=it, scheduled_for=when)
    return draft_occurrence(occurrence, roster, lambda _groups: {}, when + after), roster, when


def test_of_groups_alike_only_the_one_is_told_that_a_slot_means_by_name() -> None:
    it = replace(slot(time(8, 5), 3 * MINUTE), to=Target(groups=("3",)))
    assert [planned.group for planned in drafted(it, 5)[0].planned] == ["3"]


def test_sends_are_spread_evenly_and_the_first_is_on_time() -> None:
    draft, _roster, when = drafted(slot(time(8, 5), 10 * MINUTE), 5)
    assert sorted(p.not_before - when for p in draft.planned) == [
        0 * MINUTE,
        *(n * 2 * MINUTE for n in range(1, 5)),
    ]


def test_no_group_is_always_last_and_a_second_reading_finds_the_same_order() -> None:
    def last(day: int) -> str:
        at = slot(time(8, 5 + day), 10 * MINUTE)
        first, second = (drafted(at, 20)[0].planned for _again in range(2))
        assert first == second
        return max(first, key=lambda p: p.not_before).group

    assert len({last(day) for day in range(10)}) > 3


def test_without_a_spread_all_leave_at_once() -> None:
    draft, _roster, when = drafted(slot(time(8, 5), 0 * MINUTE), 5)
    assert {p.not_before for p in draft.planned} == {when}


def test_what_the_spread_would_push_into_quiet_hours_leaves_on_time() -> None:
    quiet = QuietHours(start=time(21, 30), end=time(7, 30))
    draft, _roster, when = drafted(slot(time(21, 28), 10 * MINUTE), 5, quiet=quiet)
    assert {p.not_before - when for p in draft.planned} == {0 * MINUTE}


def test_what_waited_for_the_end_of_quiet_hours_is_spread_from_there() -> None:
    quiet = QuietHours(start=time(21, 30), end=time(7, 30))
    draft, _roster, when = drafted(slot(time(7, 0), 10 * MINUTE), 5, quiet=quiet)
    assert sorted(p.not_before - when for p in draft.planned) == [
        n * 2 * MINUTE + 30 * MINUTE for n in range(5)
    ]


@settings(max_examples=150)
@given(
    at=st.times().map(lambda clock: clock.replace(microsecond=0)),
    spread=st.integers(0, 30),
    late=st.integers(1, 300),
    groups=st.integers(1, 12),
    after=st.integers(0, 300),
    quiet=st.none() | st.tuples(st.times(), st.times()).filter(lambda span: span[0] != span[1]),
    dark=st.sampled_from([(), ("2026-11-17",), ("2026-11-17..2026-11-18", "2026-11-20")]),
)
def test_spreads_stay_within_bounds_whatever_holds_them_up(
    at: time,
    spread: int,
    late: int,
    groups: int,
    after: int,
    quiet: tuple[time, time] | None,
    dark: tuple[str, ...],
) -> None:
    it = slot(at, min(spread, late - 1) * MINUTE, late * MINUTE)
    draft, roster, when = drafted(
        it,
        groups,
        after=min(after, late) * MINUTE,
        quiet=QuietHours(start=quiet[0], end=quiet[1]) if quiet else None,
        blackouts=tuple(Blackout(days=dates(days)) for days in dark),
    )
    now, expires = when + min(after, late) * MINUTE, draft.broadcast.expires
    for planned in draft.planned:
        group = roster.groups[planned.group]
        quiet_until = roster.timetable.quiet_until
        begin = quiet_until(group, now) or now
        assert begin <= planned.not_before < begin + max(it.spread, timedelta.resolution)
        assert quiet_until(group, planned.not_before) is None
        assert planned.not_before < expires or begin >= expires
