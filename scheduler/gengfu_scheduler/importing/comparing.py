"""A sheet's groups beside those of ``groups.csv``: which is which, and what would become of them.

A group is known again by its robot's address, else by its id on the platform, else by name and area. Where that
leaves exactly one old and one new name to an owner in an area, and they are alike, it is taken to be renamed. An id
is given once, of the area's slug and the next number that nothing ever had, and stays whatever else changes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from gengfu_scheduler import words
from gengfu_scheduler.groups.credentials import Address
from gengfu_scheduler.groups.reading import CONFIRMING
from gengfu_scheduler.groups.tables import Row
from gengfu_scheduler.importing.listing import Listing
from gengfu_scheduler.message import Group
from gengfu_site.catalogue import Station
from gengfu_site.source import Mistake
from gengfu_templates.i18n import _

_OWN = ("id", "webhook", "chat")
"""Columns that no two groups have the same in."""
_NEVER_CLEARED = ("id", "webhook", "secret", "joined")
_ALIKE = 0.6
"""How much of two names must be the same for one to be the other's new form; SequenceMatcher's ratio."""
_WHOLE_STATION = "station"
"""In place of a slug, for groups of no area."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """A group as it is written now."""

    row: Row
    group: Group


@dataclass(frozen=True, kw_only=True)
class Match:
    """A row of the sheet, the group it is, and what is to be written of it."""

    row: Row
    known: Known | None
    """None: it is new."""
    why: str
    """How it was known again, in words."""
    cells: Mapping[str, str]
    """Of ``groups.csv``."""
    address: Address | None
    """For ``webhooks.csv``, where the sheet has a new one."""


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A line that names a group of an earlier line again; it is left out."""

    line: int
    first: int
    name: str


def without_repeats(rows: Iterable[Row]) -> tuple[list[Row], list[Repeated]]:
    """The rows that name a group for the first time, and the others.

    Rows of one name in one area are two groups only where each has an address or an id of its own.
    """
    first_with: dict[Hashable, Row] = {}
    kept, repeated = [], []
    for row in rows:
        own, place = _own(row), (row.cells.get("name"), row.cells.get("area"))
        first = next((first_with[key] for key in own if key in first_with), None)
        namesake = first_with.get(place)
        if first is None and namesake is not None and not (own and _own(namesake)):
            first = namesake
        if first is not None:
            repeated.append(Repeated(line=row.line, first=first.line, name=row.cells.get("name", "")))
            continue
        kept.append(row)
        first_with.update(dict.fromkeys(own, row))
        first_with.setdefault(place, row)
    return kept, repeated


def _own(row: Row) -> list[tuple[str, str]]:
    return [(column, row.cells[column]) for column in _OWN if row.cells.get(column)]


def recognised(
    rows: Sequence[Row], known: Sequence[Known], columns: Collection[str]
) -> dict[int, tuple[Known, str]]:
    """The known group that each row is, by the row's line, and how it was known again."""
    found: dict[int, tuple[Known, str]] = {}
    left = {k.group.id: k for k in known}

    def pair(of_row: Callable[[Row], Hashable], of_known: Callable[[Known], Hashable], why: str) -> None:
        index: dict[Hashable, list[Known]] = defaultdict(list)
        for k in left.values():
            index[of_known(k)].append(k)
        for row in rows:
            key = of_row(row)
            if key and row.line not in found and index.get(key):
                taken = index[key].pop(0)
                found[row.line] = taken, why
                del left[taken.group.id]

    def place_of(name: str, area: str | None) -> Hashable:
        return (name, area or "") if "area" in columns else name

    pair(lambda row: row.cells.get("id"), lambda k: k.group.id, _("编号相同"))
    pair(lambda row: row.cells.get("webhook"), lambda k: k.group.webhook, _("机器人地址相同"))
    pair(lambda row: row.cells.get("chat"), lambda k: k.group.chat, _("平台上的群编号相同"))
    pair(
        lambda row: place_of(row.cells["name"], row.cells.get("area")),
        lambda k: place_of(k.group.name, k.group.area),
        _("名称和区域相同"),
    )
    if {"area", "owner"} <= set(columns):
        rest = [row for row in rows if row.line not in found and not _own(row)]
        # A sheet that has addresses would have had those of groups with robots.
        nameless = [k for k in left.values() if k.group.reach == "hand" or "webhook" not in columns]
        for row, k in _renamed(rest, nameless):
            found[row.line] = k, _("同一区域、同一群主，名称相近")
    return found


def _renamed(rows: Iterable[Row], known: Iterable[Known]) -> Iterator[tuple[Row, Known]]:
    """Those that are the only ones left to an owner in an area, where their names are alike."""
    new: dict[Hashable, list[Row]] = defaultdict(list)
    old: dict[Hashable, list[Known]] = defaultdict(list)
    for row in rows:
        new[row.cells["area"], row.cells["owner"]].append(row)
    for k in known:
        old[k.group.area or "", k.group.owner].append(k)
    for key, candidates in new.items():
        match candidates, old.get(key):
            case [row], [k] if SequenceMatcher(None, row.cells["name"], k.group.name).ratio() >= _ALIKE:
                yield row, k


class Ids:
    """Gives ids to new groups: an area's slug and a number above any that was ever used with it."""

    def __init__(self, station: Station, taken: Iterable[str]) -> None:
        self._slugs = {area.path: area.slug.rpartition("/")[2] for area in station.areas}
        self._last: dict[str, int] = defaultdict(int)
        for id in taken:
            if found := re.fullmatch(r"(.+)-(\d{1,9})", id):
                self._last[found[1]] = max(self._last[found[1]], int(found[2]))

    def next(self, area: str) -> str:
        slug = self._slugs.get(area, _WHOLE_STATION)
        self._last[slug] += 1
        return f"{slug}-{self._last[slug]}"


class Merger:
    """Puts what the sheet says of a group over what is written of it."""

    def __init__(
        self,
        listing: Listing,
        ids: Ids,
        stray: Mapping[str, str],
        platform_at: Callable[[str], str | None],
        today: date,
    ) -> None:
        """
        :param stray: ids by the address that is kept for them though there is no such group.
        """
        self._listing = listing
        self._stray = stray
        self._ids = ids
        self._platform_at = platform_at
        self._today = today

    def match(self, row: Row, known: Known | None, why: str) -> tuple[Match, list[tuple[str, Mistake]]]:
        """What is to be written, and each column whose cell contradicts something."""
        if known:
            cells = dict(known.row.cells)
        else:
            id = row.cells.get("id") or self._stray.get(row.cells.get("webhook", ""))
            id = id or self._ids.next(row.cells.get("area", ""))
            cells = {"id": id, "joined": self._today.isoformat()}
        for column in self._listing.columns:
            text = row.cells[column]
            if column not in _NEVER_CLEARED or (text and column == "joined"):
                cells[column] = _kept(column, cells.get(column, ""), text)
        address, mistakes = _address(row, known)
        cells["reach"] = _reach(row, known)
        cells["platform"] = row.cells.get("platform") or (
            known.row.cells.get("platform", "") if known else ""
        )
        if cells["reach"] == "hand":
            cells["platform"] = ""
        elif cells["reach"] == "confirm":
            cells["platform"] = cells["platform"] or CONFIRMING[0]
        elif webhook := row.cells.get("webhook"):
            by_host = self._platform_at(_host(webhook))
            if by_host and row.cells.get("platform") not in (None, "", by_host):
                mistakes.append(("platform", _another_platform(cells["platform"], by_host)))
            cells["platform"] = by_host or cells["platform"]
        return Match(row=row, known=known, why=why, cells=cells, address=address), mistakes


def _kept(column: str, old: str, new: str) -> str:
    """``new``, unless ``old`` says the same in another way of writing."""
    match column:
        case "audience" | "topics":
            same = words.listed(old) == words.listed(new)
        case "joined":
            same = [int(part) for part in re.findall(r"\d+", old)] == [
                int(p) for p in re.findall(r"\d+", new)
            ]
        case _:
            same = old == new
    return old if same else new


def _host(webhook: str) -> str:
    try:
        return urlsplit(webhook).hostname or ""
    except ValueError:  # brackets that hold no IPv6 address
        return ""


def _reach(row: Row, known: Known | None) -> str:
    if said := row.cells.get("reach"):
        return said
    if row.cells.get("webhook"):
        return "webhook"
    if row.cells.get("chat"):
        return "confirm"
    return known.group.reach if known else "hand"


def _address(row: Row, known: Known | None) -> tuple[Address | None, list[tuple[str, Mistake]]]:
    """The address for ``webhooks.csv`` where it is another than the one in use."""
    group = known.group if known else None
    webhook = row.cells.get("webhook") or (group.webhook if group else None)
    secret = row.cells.get("secret") or (group.secret if group else None)
    if webhook is None:
        return None, [("secret", _no_address_to_it())] if row.cells.get("secret") else []
    if group and (webhook, secret) == (group.webhook, group.secret):
        return None, []
    if known and group and known.row.cells.get("webhook") and group.webhook:
        return None, [("webhook", _from_environment())]
    return Address(webhook=webhook, secret=secret), []


def _no_address_to_it() -> Mistake:
    return Mistake(_("有密钥，没有机器人地址。"), _("补上机器人地址，或者清空密钥。"))


def _from_environment() -> Mistake:
    return Mistake(
        _("这个群的地址来自环境变量，和表里的不一样（都不在此显示）。"),
        _("改环境变量；或者清空 groups.csv 里这个群的 webhook 和 secret，再导入。"),
    )


def _another_platform(written: str, found: str) -> Mistake:
    return Mistake(
        _("平台写的是“{written}”，机器人地址却是 {found} 的。").format(written=written, found=found),
        _("改平台，或者到群里重新复制机器人地址。"),
    )
