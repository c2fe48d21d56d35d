"""What is published, and for whom: ``catalogue.json``, the one contract between site and scheduler.

The file is a JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/) whose ``_gengfu`` extension carries what
a feed reader does not need and the scheduler does. ``docs/catalogue.md`` explains it, a JSON Schema beside
it holds it. It is public: nothing may enter it that is not on the site.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import accumulate, chain, islice, pairwise, repeat
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import unquote
from zlib import crc32

from gengfu_site.problems import GengfuError
from gengfu_site.values import dataclass

VERSION = 1
"""Of the ``_gengfu`` extension. A reader refuses a higher one."""

Kind = Literal["tip", "fraud", "service", "notice", "video", "alert"]
AlertForm = Literal["走失", "火情", "道路", "正在发生的诈骗", "其他"]
AlertStatus = Literal["actual", "exercise"]
AlertState = Literal["active", "resolved", "cancelled"]
Season = Literal["春季", "夏季", "秋季", "冬季"]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, kw_only=True)
class ContactLine:
    """One line of a contact card."""

    role: str
    """Who answers, e.g. 社区民警, 物业, 供水抢修."""
    name: str = ""
    """As the public is to call the person, e.g. 李警官; empty for an office."""
    phone: str = ""
    """An official number, as printed."""
    note: str = ""
    """Hours or place, where they matter."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """A police room or a community beneath one; groups and articles name it by ``path``."""

    path: str
    """From the outermost area inwards, ``/``-separated: ``青松路/桃园社区``."""
    slug: str
    """The same in an address: ``qingsong/taoyuan``."""
    contacts: tuple[ContactLine, ...] = ()

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str | None:
        """Path of the area this one lies in, None for an outermost one."""
        return self.path.rpartition("/")[0] or None


@dataclass(frozen=True, kw_only=True)
class Topic:
    name: str
    slug: str


@dataclass(frozen=True, kw_only=True)
class Station:
    """Who speaks, and the words that articles, groups and timetable may use."""

    name: str
    """As residents read it, e.g. 青松路派出所."""
    url: str
    """Address of the guide site, with a trailing slash."""
    language: str
    """Of the site's own wording: ``zh-CN`` or ``en``."""
    timezone: str
    """IANA name; times without an offset are meant in it."""
    contacts: tuple[ContactLine, ...] = ()
    areas: tuple[Area, ...] = ()
    """Every area before those beneath it, in the admin's order."""
    topics: tuple[Topic, ...] = ()
    audiences: tuple[str, ...] = ()

    def contacts_for(self, area: str | None) -> tuple[ContactLine, ...]:
        """The nearest contact card: the area's own, else one above it, else the station's."""
        while area:
            if card := self._cards.get(area):
                return card
            area = area.rpartition("/")[0]
        return self.contacts

    @cached_property
    def _cards(self) -> dict[str, tuple[ContactLine, ...]]:
        return {area.path: area.contacts for area in self.areas}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of an alert: 衣着 — 红色羽绒服."""

    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class AlertEntry:
    """What an alert tells a group that has no time to open a link."""

    form: AlertForm
    place: str
    tell: str
    """Whom to call."""
    status: AlertStatus
    state: AlertState
    facts: tuple[Fact, ...] = ()
    """A missing person's data; present only while the alert is active."""
    references: tuple[str, ...] = ()
    """Ids of earlier alerts that this one follows up."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One published article, as far as a feed reader or a digest needs it."""

    id: str
    """Stable identity; history goes by it, never by the address."""
    kind: Kind
    url: str
    title: str
    summary: str
    topics: tuple[str, ...] = ()
    """Topic names."""
    areas: tuple[str, ...] = ()
    """Area paths; empty means everyone."""
    audience: tuple[str, ...] = ()
    """Audience names; empty means everyone."""
    published: datetime
    updated: datetime
    expires: datetime | None = None
    evergreen: bool = False
    """May be repeated in digests."""
    season: tuple[Season, ...] = ()
    """When it may be repeated; empty means all year."""
    image: str | None = None
    """Absolute address of what stands for it in a chat: a JPEG or PNG."""
    alert: AlertEntry | None = None
    """Set exactly for kind ``alert``."""
    revision: str
    """Changes when the article's text does."""

    def __post_init__(self) -> None:
        for moment in (self.published, self.updated, self.expires):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"entry {self.id}: {moment!r} has no time zone")

    def live(self, at: datetime) -> bool:
        """Whether it may be shown and sent at ``at``."""
        return self.published <= at and (self.expires is None or at < self.expires)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    station: Station
    entries: tuple[Entry, ...]
    """Newest first."""
    version: int = VERSION


class CatalogueUnreadable(GengfuError):
    """The text is not a catalogue this version understands."""


def within(area: str, outer: str) -> bool:
    """Whether ``area`` is ``outer`` or lies beneath it."""
    return area == outer or area.startswith(outer + "/")


def concerns(areas: Iterable[str], group_area: str | None) -> bool:
    """Whether an entry for ``areas`` reaches a group of ``group_area``.

    It does if it names no area, or the group's area or one above it. A group without an area stands
    for the whole station and gets only what is for everyone.
    """
    areas = tuple(areas)
    return not areas or (group_area is not None and any(within(group_area, a) for a in areas))


def present(public: Path) -> Catalogue | None:
    """The catalogue of the release in ``public``, None where nothing is published yet."""
    try:
        return loads((public / "catalogue.json").read_text("utf-8"))
    except (OSError, ValueError, CatalogueUnreadable):
        return None


def url_in(catalogue: Catalogue, entry: Entry) -> str:
    """The entry's address below the site; not quoted."""
    return unquote(entry.url.removeprefix(catalogue.station.url))


def dumps(catalogue: Catalogue) -> str:
    """The catalogue as JSON text; the same catalogue always gives the same text."""
    entries = (dumped_entry(entry).encode() for entry in catalogue.entries)
    return dumped(catalogue.station, entries, catalogue.version).decode()


def dumped(station: Station, entries: Iterable[bytes | memoryview], version: int = VERSION) -> bytes:
    """A catalogue of ``entries`` as :func:`dumped_entry` gives them, in UTF-8, newest first."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": station.name,
        "home_page_url": station.url,
        "feed_url": station.url + "catalogue.json",
        "language": station.language,
        "_gengfu": {
            "version": version,
            "timezone": station.timezone,
            "contacts": [_contact(c) for c in station.contacts],
            "areas": [
                {"path": a.path, "slug": a.slug, "contacts": [_contact(c) for c in a.contacts]}
                for a in station.areas
            ],
            "topics": [{"name": t.name, "slug": t.slug} for t in station.topics],
            "audiences": list(station.audiences),
        },
    }
    head = json.dumps(feed, ensure_ascii=False, indent=1).removesuffix("\n}")
    between = chain.from_iterable(zip(repeat(_NEXT), entries))
    return b"".join((head.encode(), _ITEMS, *islice(between, 1, None), _END))


_ITEMS, _NEXT, _END = b',\n "items": [\n', b",\n", b"\n ]\n}\n"


class Dumped:
    """What :func:`dumped` made, and where in it each entry lies."""

    def __init__(self, data: bytes, names: Sequence[str | None], lengths: Sequence[int]) -> None:
        """
        :param names: of its entries, in order; None: it is not for taking over.
        :param lengths: theirs.
        """
        self._data, self._names, self.lengths = memoryview(data), names, lengths
        begin = data.find(_ITEMS) + len(_ITEMS)
        self._begins = [*accumulate(lengths, lambda at, length: at + length + len(_NEXT), initial=begin)]

    @cached_property
    def places(self) -> Mapping[str | None, int]:
        """Of those that may be taken over, by their names."""
        places = {name: place for place, name in enumerate(self._names)}
        places.pop(None, None)
        return places

    def entries(self, first: int, last: int) -> memoryview:
        """Those from one place to another, as they stand there: one for :func:`dumped`."""
        return self._data[self._begins[first] : self._begins[last] + self.lengths[last]]

    def sum(self) -> int:
        """Of all that may be taken over: tells whether somebody's hand was in it."""
        written = 0
        for first, last in runs([place for place, name in enumerate(self._names) if name is not None]):
            written = crc32(self.entries(first, last), written)
        return written


def runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of those that follow one another by ones."""
    cuts = [at for at, (one, next_) in enumerate(pairwise(numbers), 1) if next_ != one + 1]
    for begin, end in pairwise([0, *cuts, len(numbers)] if numbers else ()):
        yield numbers[begin], numbers[end - 1]


def loads(text: str) -> Catalogue:
    """Read what :func:`dumps` wrote. Unknown members are ignored, as JSON Feed asks.

    :raises CatalogueUnreadable: it is no JSON Feed, has no ``_gengfu`` part, or is of a newer version.
    """
    try:
        feed = json.loads(text)
        extension = feed["_gengfu"]
        if extension["version"] > VERSION:
            raise CatalogueUnreadable(
                f"catalogue.json is of version {extension['version']}, this program reads up to {VERSION}: "
                "upgrade the scheduler"
            )
        return Catalogue(
            version=extension["version"],
            station=Station(
                name=feed["title"],
                url=feed["home_page_url"],
                language=feed["language"],
                timezone=extension["timezone"],
                contacts=_contacts(extension),
                areas=tuple(
                    Area(path=a["path"], slug=a["slug"], contacts=_contacts(a)) for a in extension["areas"]
                ),
                topics=tuple(Topic(name=t["name"], slug=t["slug"]) for t in extension["topics"]),
                audiences=tuple(extension["audiences"]),
            ),
            entries=tuple(_entry(item) for item in feed["items"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogueUnreadable(
            f"expected a catalogue.json made by gengfu build, found something else ({error!r})"
        ) from error


def _contact(line: ContactLine) -> dict[str, str]:
    members = {"role": line.role, "name": line.name, "phone": line.phone, "note": line.note}
    return {key: value for key, value in members.items() if value}


def _contacts(holder: dict[str, Any]) -> tuple[ContactLine, ...]:
    names = ("role", "name", "phone", "note")
    return tuple(ContactLine(**{n: c.get(n, "") for n in names}) for c in holder["contacts"])


def dumped_entry(entry: Entry) -> str:
    """One line: with indentation Python's own encoder would take it apart, five times as slow."""
    return _ENCODER.encode(_item(entry))


_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _item(entry: Entry) -> dict[str, Any]:
    extension: dict[str, Any] = {
        "kind": entry.kind,
        "topics": list(entry.topics),
        "areas": list(entry.areas),
        "audience": list(entry.audience),
        "evergreen": entry.evergreen,
        "season": list(entry.season),
        "revision": entry.revision,
    }
    if entry.expires:
        extension["expires"] = entry.expires.isoformat()
    if entry.alert:
        extension["alert"] = {
            "form": entry.alert.form,
            "place": entry.alert.place,
            "tell": entry.alert.tell,
            "status": entry.alert.status,
            "state": entry.alert.state,
            "facts": [{"label": f.label, "value": f.value} for f in entry.alert.facts],
            "references": list(entry.alert.references),
        }
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        # JSON Feed wants content in each item; the page has the whole text, a digest needs only this.
        "content_text": entry.summary,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "tags": list(entry.topics),
        "_gengfu": extension,
    }
    if entry.image:
        item["image"] = entry.image
    return item


def _entry(item: dict[str, Any]) -> Entry:
    extension = item["_gengfu"]
    alert = extension.get("alert")
    return Entry(
        id=item["id"],
        kind=extension["kind"],
        url=item["url"],
        title=item["title"],
        summary=item["summary"],
        topics=tuple(extension["topics"]),
        areas=tuple(extension["areas"]),
        audience=tuple(extension["audience"]),
        published=datetime.fromisoformat(item["date_published"]),
        updated=datetime.fromisoformat(item["date_modified"]),
        expires=datetime.fromisoformat(extension["expires"]) if "expires" in extension else None,
        evergreen=extension["evergreen"],
        season=tuple(extension["season"]),
        image=item.get("image"),
        alert=AlertEntry(
            form=alert["form"],
            place=alert["place"],
            tell=alert["tell"],
            status=alert["status"],
            state=alert["state"],
            facts=tuple(Fact(label=f["label"], value=f["value"]) for f in alert["facts"]),
            references=tuple(alert["references"]),
        )
        if alert
        else None,
        revision=extension["revision"],
    )
