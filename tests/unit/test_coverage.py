"""How groups are reached is added up along the tree of areas, and what is not known is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from gengfu_scheduler.coverage import Count, Reached, coverage
from gengfu_scheduler.message import Group, Reach
from gengfu_site.catalogue import Area, Station

AREAS = ("青松路", "青松路/桃园社区", "青松路/松园社区", "河东")
STATION = Station(
    name="青松路派出所",
    url="https://qingsong.example/",
    language="zh-CN",
    timezone="Asia/Shanghai",
    areas=tuple(Area(path=path, slug=path) for path in AREAS),
)


def a_group(id: str, reach: Reach, area: str | None = None, size: int | None = None) -> Group:
    return Group(id=id, name=id, reach=reach, area=area, size=size, joined=datetime(2026, 1, 1, tzinfo=UTC))


def test_each_group_is_counted_once_where_it_is_and_in_the_sums_above() -> None:
    groups = [
        a_group("all", "hand", None, 5),
        a_group("room", "webhook", "青松路", 10),
        a_group("taoyuan", "confirm", "青松路/桃园社区", 20),
        a_group("songyuan", "webhook", "青松路/松园社区"),
    ]
    found = coverage(groups, STATION, disabled=(), without_address=())
    by_area = {area.area: area for area in found.areas}
    assert list(by_area) == list(AREAS)
    assert found.station.hand == Count(groups=1, members=5)
    assert by_area["青松路"].own.all == Count(groups=1, members=10)
    assert by_area["青松路"].sum.confirm == Count(groups=1, members=20)
    assert by_area["青松路"].sum.automatic == Count(groups=2, members=10, of_unknown_size=1)
    assert by_area["河东"].sum.all == Count()
    assert found.sum.all == Count(groups=4, members=35, of_unknown_size=1)


def test_a_robot_that_cannot_be_used_now_is_not_called_automatic() -> None:
    groups = [a_group(id, "webhook", size=1) for id in ("well", "dead", "nowhere", "both")]
    found = coverage(groups, STATION, disabled={"dead", "both"}, without_address={"nowhere", "both"}).sum
    assert (found.automatic, found.disabled, found.without_address) == (
        Count(groups=1, members=1),
        Count(groups=1, members=1),
        Count(groups=2, members=2),
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(get_args(Reach)),
            st.sampled_from((None, *AREAS)),
            st.none() | st.integers(0, 500),
            st.booleans(),
        )
    )
)
def test_the_outermost_areas_and_the_station_add_up_to_all_there_is(
    drawn: list[tuple[Reach, str | None, int | None, bool]],
) -> None:
    groups = [a_group(str(n), reach, area, size) for n, (reach, area, size, _dead) in enumerate(drawn)]
    dead = {str(n) for n, (*_group, is_dead) in enumerate(drawn) if is_dead}
    found = coverage(groups, STATION, disabled=dead, without_address=())
    outermost: list[Reached] = [area.sum for area in found.areas if "/" not in area.area]
    assert sum(outermost, found.station) == found.sum
    assert found.sum.all == Count(
        groups=len(groups),
        members=sum(group.size or 0 for group in groups),
        of_unknown_size=sum(group.size is None for group in groups),
    )
