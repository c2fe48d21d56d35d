"""An article as plain values, and the article again: what may be kept of one between two builds.

Kept is what says of an article where it is listed and what it leads to; its text is asked for when somebody wants it,
for of ten thousand articles a build reads the text of a few. The values are of Python's own kinds alone, so that
nothing that is read back can be more than data.
"""

from __future__ import annotations

import hashlib
import marshal
from collections import deque, namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gengfu_site.approvals import Signed
from gengfu_site.article import Alert, Allowed, Case, Material, Service
from gengfu_site.library import Article, Kept, Known
from gengfu_site.links import Lead
from gengfu_site.source import Document
from gengfu_site.store import Status, Text, Values, plainest

Made = TypeVar("Made")
_AS_THEY_ARE = ("id", "kind", "url", "title", "summary", "withdrawn", "topics", "areas", "revision")
"""What a build asks of every article, or lists of many, and all text and numbers."""
_NUMBERS = ("begins", "changes", "ends")
_RARELY_ASKED = ("changed", "audience", "evergreen", "season", "cover", "author", "attachments")
_ROW = (
    *("place", "digest", "status", "text", "brought", "leads", "headings"),
    *_AS_THEY_ARE,
    *_NUMBERS,
    *("headline", "moments", "alert_told", "files_told", "pairs", "mark"),
)
"""What is kept of each, in this order."""

Brought = tuple[tuple[str, Status | None, str], ...]
"""Of each file that an article brings along: its place below content/, by what one sees that what lies there is the same
that was looked at (None: something else lies there), and the digest of that, if the station signs anything off."""


NOTHING = marshal.dumps(((None, (), False, (), None, None, ()), (None, None), (None, ()), None, ()))
"""What :func:`rest_of` makes of an article of which nothing is there any more."""


class OfFile(NamedTuple):
    """What is known of an article's file besides what it says."""

    status: Status
    text: str
    """As :attr:`Known.text`."""
    brought: Brought
    leads: tuple[Lead, ...]
    headings: str


class Teller(Protocol):
    """Who remembers articles, and knows more of them."""

    @property
    def zone(self) -> ZoneInfo:
        """The station's."""

    def name(self, place: str) -> str:
        """The file at ``place`` below content/ as the officer knows it."""

    def more(self, article: Remembered, wanted: str) -> Mapping[str, Any]:
        """What of ``article`` is asked for, by its name, and what else came with it."""


class Remembered(Known, tuple):  # type: ignore[type-arg]
    """An article that some reading found sound. It is the very row that is kept, since a hundred thousand are looked at in
    each build and few are asked for more; that is made when it is asked for, and its text is fetched then.
    """

    digest: str
    """Of all that is in it."""
    status: Status
    """Of its file; empty of a copy's."""
    brought: Brought
    headline: str
    """As :func:`headline`."""
    pairs: bytes
    """As :func:`gengfu_site.related.pairs`."""
    mark: str
    """As :func:`gengfu_site.related.mark`."""
    moments: tuple[str, str | None, str | None]
    """When it was published and updated, and when it expires, as :func:`_moment` writes it."""
    alert_told: Values | None
    files_told: tuple[str, ...]
    teller: Teller
    at_hand: bytes | None
    """What is rarely asked for, where it was not kept yet."""
    rest: bytes
    """The same, wherever it is."""
    person = None
    """Nothing of an alert for a missing person is kept."""

    def __new__(cls, **values: Any) -> Article:  # type: ignore[misc]
        """With other values it is any article."""
        return Article(**values)

    @property
    def published(self) -> datetime:
        return _at(self.moments[0], self.teller.zone)

    @property
    def updated(self) -> datetime | None:
        return _at(self.moments[1], self.teller.zone) if self.moments[1] else None

    @property
    def expires(self) -> datetime | None:
        return _at(self.moments[2], self.teller.zone) if self.moments[2] else None

    @property
    def alert(self) -> Alert | None:
        return _of(Alert, self.alert_told) if self.alert_told else None

    @property
    def files(self) -> tuple[PurePosixPath, ...]:
        return tuple(map(_path_of, self.files_told))

    def answered(self, signed: Signed | None) -> Remembered:
        """The same, and who answers for it now."""
        same = self.signed == signed
        return self if same else remembered(self[: len(_ROW)], self.teller, signed, self.at_hand)


def remembered(
    row: Values, teller: Teller, signed: Signed | None = None, at_hand: bytes | None = None
) -> Remembered:
    """The article of which :func:`encoded` made ``row``."""
    return tuple.__new__(Remembered, (*row, teller, signed, at_hand))


def all_remembered(rows: Mapping[str, Values], teller: Teller) -> dict[str, Remembered]:
    """The same for very many."""
    new, besides = tuple.__new__, (teller, None, None)
    return {name: new(Remembered, row + besides) for name, row in rows.items()}


def encoded(article: Article, its: OfFile, pairs: bytes, mark: str) -> tuple[Values, Text]:
    """What a build asks of every article, and what of few; nothing of a person who is searched for.

    :param pairs: as :func:`gengfu_site.related.pairs`.
    :param mark: as :func:`gengfu_site.related.mark`.
    """
    often, rest, place = _often(article), rest_of(article), article.place
    digest = _digest_of((place, its[1:], often, pairs, rest), article.html)
    return (place, digest, *its, *often, pairs, mark), Text(digest, article.html, rest)


def rest_of(article: Article) -> bytes:
    """As :attr:`Text.rest`."""
    rest: Values = (
        tuple(getattr(article, name) for name in _RARELY_ASKED),
        tuple(day and day.isoformat() for day in (article.reviewed, article.next_review)),
        tuple(_plain(part) for part in (article.service, article.allow)),
        article.cover_file and article.cover_file.as_posix(),
        tuple(path.as_posix() for path in article.attachment_files),
    )
    return plainest(rest)


def _often(article: Article) -> Values:
    return (
        *(getattr(article, name) for name in (*_AS_THEY_ARE, *_NUMBERS)),
        headline(article),
        tuple(map(_moment, (article.published, article.updated, article.expires))),
        _plain(article.alert),
        brought(article),
    )


class _Asked:
    """A field of a remembered article that is made when somebody asks for it, and what comes with it."""

    def __init__(self, name: str, make: Callable[[Remembered, str], Mapping[str, Any]]) -> None:
        self._name, self._make = name, make

    def __get__(self, article: Remembered, _kind: type[Remembered]) -> Any:
        made = self._make(article, self._name)
        article.__dict__.update(made)
        _asked_last.append((article, made))
        if len(_asked_last) > _AT_HAND:
            other, its = _asked_last.popleft()
            for name in its:
                other.__dict__.pop(name, None)
            if not other.__dict__:
                other.__dict__.clear()  # by itself it stays as large as it was
        return made[self._name]


_AT_HAND = 500
"""Times that somebody asked, what came of which is kept: all that 100,000 articles hold is more than should be in memory."""
_asked_last: deque[tuple[Remembered, Mapping[str, Any]]] = deque()


class _Lines(Document):
    """Of a remembered article: where each field stands is asked for when there is something to say of one."""

    __slots__ = ("article",)

    article: Remembered

    def __getattr__(self, name: str) -> Any:
        if name not in ("value", "lines", "cut"):
            raise AttributeError(name)
        read: Document = self.article.teller.more(self.article, "lines")["lines"]
        self.__dict__.update(vars(read))
        return self.__dict__[name]


def _rest(article: Remembered, _wanted: str) -> Mapping[str, Any]:
    values, days, (service, allow), cover, attached = marshal.loads(article.at_hand or article.rest)  # noqa: S302
    its = dict(zip(_RARELY_ASKED, values, strict=True))
    its["reviewed"], its["next_review"] = map(_day, days)
    its["service"] = _service(service)
    its["allow"] = tuple(_of(Allowed, one) for one in allow)
    its["cover_file"] = _path_of(cover) if cover else None
    its["attachment_files"] = tuple(map(_path_of, attached))
    return its


def _told(article: Remembered, wanted: str) -> Mapping[str, Any]:
    return article.teller.more(article, wanted)


def _lines(article: Remembered, _wanted: str) -> Mapping[str, Any]:
    lines = object.__new__(_Lines)
    lines.__dict__["path"] = article.teller.name(article.place)
    object.__setattr__(lines, "article", article)
    return {"lines": lines}


def _path(article: Remembered, _wanted: str) -> Mapping[str, Any]:
    return {"path": PurePosixPath(article.place)}


_FIELDS = (*_ROW, "teller", "signed", "at_hand")
_fields: Any = namedtuple("_fields", _FIELDS)  # type: ignore[misc]
for _name in _FIELDS:
    # A named tuple's is given in two thirds of the time that a property takes.
    setattr(Remembered, _name, getattr(_fields, _name))
for _name, _how in (
    *dict.fromkeys(("body", "body_line", "html", "rest"), _told).items(),
    *dict.fromkeys((*_RARELY_ASKED, "reviewed", "next_review", "service", "allow"), _rest).items(),
    *dict.fromkeys(("cover_file", "attachment_files"), _rest).items(),
    ("lines", _lines),
    ("path", _path),
):
    setattr(Remembered, _name, _Asked(_name, _how))


_path_of = lru_cache(maxsize=4096)(PurePosixPath)
"""Many articles share a cover."""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def digest(article: Article) -> str:
    """Of all that residents may see of ``article``, but for a missing person's data."""
    if isinstance(article, Remembered):
        return article.digest
    carried = (article.main, article.content) if isinstance(article, Kept) else ()
    return _digest_of((_often(article), rest_of(article), article.place, carried), article.html)


def brought(article: Article) -> tuple[str, ...]:
    """:attr:`Article.files` as text."""
    if isinstance(article, Remembered):
        return article.files_told
    return tuple(path.as_posix() for path in article.files)


def headline(article: Article) -> str:
    """Digest of all that other pages say of ``article`` where they lead to it."""
    if isinstance(article, Remembered):
        return article.headline
    said = f"{article.title}\n{article.url}\n{article.exercise}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def _digest_of(told: Values, html: str) -> str:
    """Of an article's values, whatever else was told of it, and its text."""
    return hashlib.blake2b(plainest((told, html)), digest_size=16).hexdigest()


def _moment(moment: datetime | None) -> str | None:
    """In the station's zone without it: a zone's rules may change, the words on the page do not."""
    if moment is None:
        return None
    return (moment.replace(tzinfo=None) if isinstance(moment.tzinfo, ZoneInfo) else moment).isoformat()


@lru_cache(maxsize=1 << 16)
def _at(text: str, zone: ZoneInfo) -> datetime:
    """That moment; many articles share one."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _plain(value: Any) -> Any:
    """A dataclass as the tuple of its fields, and whatever lies within likewise."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if kind := _names.get(type(value)):
        return tuple(_plain(getattr(value, name)) for name in kind)
    return value


def _of(kind: type[Made], values: Iterable[Any]) -> Made:
    """What :func:`_plain` made of a ``kind`` that holds no other; it was checked when it was read."""
    made = object.__new__(kind)
    made.__dict__.update(zip(_names[kind], values, strict=True))
    return made


def _service(values: Values | None) -> Service | None:
    if values is None:
        return None
    service = _of(Service, values)
    vars(service)["cases"] = tuple(_of(Case, case) for case in service.cases)  # type: ignore[arg-type]
    vars(service)["materials"] = tuple(_of(Material, one) for one in service.materials)  # type: ignore[arg-type]
    return service


_names: Mapping[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind)) for kind in (Service, Case, Material, Alert, Allowed)
}
