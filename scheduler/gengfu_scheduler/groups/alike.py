"""Groups that one answers for: a city has tens of thousands, of some hundred kinds, and a digest is worked out once a kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter

from gengfu_scheduler.message import Group

Alike = Sequence[Group]
"""Those of them that were told the same before are told the same now, and at the same times."""

_traits = attrgetter("area", "audience", "topics", "joined", "reach", "platform", "keyword", "quiet_hours")
"""All of a group that a digest for it depends on, but what it was told and what means it by name."""


def sorted_out(groups: Iterable[Group], named: Collection[str]) -> list[Alike]:
    """Each of ``groups`` among those alike.

    :param named: ids of groups that are meant by name: none of them answers for another.
    """
    found: defaultdict[object, list[Group]] = defaultdict(list)
    for group in groups:
        found[_traits(group), group.id if group.id in named else ""].append(group)
    return list(found.values())
