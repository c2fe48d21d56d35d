"""How many groups and members of each area are reached which way, and how many not at all just now.

Honest sums: members are counted only where a group's size is written down, and how many groups lack it is said
beside them. One person may be in several groups, so members are an upper bound on people.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gengfu_scheduler.message import Group
from gengfu_site.catalogue import Station


@dataclass(frozen=True, kw_only=True)
class Count:
    groups: int = 0
    members: int = 0
    """Of those groups whose size is known."""
    of_unknown_size: int = 0
    """Groups among ``groups``."""

    def __add__(self, other: Count) -> Count:
        return Count(
            groups=self.groups + other.groups,
            members=self.members + other.members,
            of_unknown_size=self.of_unknown_size + other.of_unknown_size,
        )


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Groups by the way they are reached, each in exactly one of the five."""

    automatic: Count = Count()
    """A robot posts."""
    disabled: Count = Count()
    """A robot would post, but its address is dead: nothing is sent until a test succeeds."""
    without_address: Count = Count()
    """A robot would post, but its address is not known on this machine."""
    confirm: Count = Count()
    """The platform asks the owner, who must confirm."""
    hand: Count = Count()
    """The owner must forward it."""

    def __add__(self, other: Reached) -> Reached:
        return Reached(
            automatic=self.automatic + other.automatic,
            disabled=self.disabled + other.disabled,
            without_address=self.without_address + other.without_address,
            confirm=self.confirm + other.confirm,
            hand=self.hand + other.hand,
        )

    @property
    def all(self) -> Count:
        return self.automatic + self.disabled + self.without_address + self.confirm + self.hand


@dataclass(frozen=True, kw_only=True)
class AreaCoverage:
    area: str
    """Path."""
    own: Reached
    """Groups of this very area."""
    sum: Reached
    """With those of all areas beneath it."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    station: Reached
    """Groups of the whole station, which belong to no area."""
    areas: tuple[AreaCoverage, ...]
    """Every declared area, each before those beneath it."""
    sum: Reached
    """All groups."""


def coverage(
    groups: Iterable[Group], station: Station, *, disabled: Collection[str], without_address: Collection[str]
) -> Coverage:
    """The coverage of ``station``.

    :param disabled: ids of the groups whose address is dead.
    :param without_address: ids of the groups whose address is not known on this machine.
    """
    own: dict[str | None, Reached] = {None: Reached(), **{area.path: Reached() for area in station.areas}}
    for group in groups:
        own[group.area] += _one(group, disabled, without_address)
    sums = dict(own)
    for area in reversed(station.areas):  # each area before those beneath it, so these come first here
        if area.parent in sums and area.parent is not None:
            sums[area.parent] += sums[area.path]
    return Coverage(
        station=own[None],
        areas=tuple(AreaCoverage(area=a.path, own=own[a.path], sum=sums[a.path]) for a in station.areas),
        sum=sum(own.values(), Reached()),
    )


def _one(group: Group, disabled: Collection[str], without_address: Collection[str]) -> Reached:
    count = Count(groups=1, members=group.size or 0, of_unknown_size=int(group.size is None))
    match group.reach:
        case "hand":
            return Reached(hand=count)
        case "confirm":
            return Reached(confirm=count)
        case "webhook" if group.id in without_address:
            return Reached(without_address=count)
        case "webhook" if group.id in disabled:
            return Reached(disabled=count)
        case "webhook":
            return Reached(automatic=count)
