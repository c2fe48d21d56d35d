"""An article as plain values, and the article again: what may be kept of one between two builds.

Kept is what says of an article where it is listed and what it leads to; its text is asked for when somebody wants it,
for of ten thousand articles a build reads the text of a few. The values are of Python's own kinds alone, so that
nothing that is read back can be more than data.
"""

from __future__ import annotations

import hashlib
import marshal
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import lru_cache, partial
from math import inf
from pathlib import PurePosixPath
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gengfu_site.approvals import Signed
from gengfu_site.article import Alert, Allowed, Case, Material, Service
from gengfu_site.library import Article, Kept
from gengfu_site.source import Document

Values = tuple[Any, ...]
"""Of text, numbers, None and tuples of these."""
Later = Callable[[str, str], Mapping[str, Any]]
"""Told an article's place and what of it is asked for, gives that, and what else came with it."""
Made = TypeVar("Made")

_AS_THEY_ARE = ("id", "kind", "url", "title", "withdrawn", "topics", "areas", "revision")
"""What a build asks of every article, and all text and numbers."""
_RARELY_ASKED = (
    "summary",
    "changed",
    "audience",
    "evergreen",
    "season",
    "cover",
    "author",
    "attachments",
)


class Remembered(Article):
    """An article that some reading found sound. Most of it is made when it is asked for, its text is fetched then."""

    # No fields: a copy of it is any article. What was made lies in its dictionary, which is empty until then.
    __slots__ = (
        *_AS_THEY_ARE,
        *("published", "updated", "expires", "alert", "files", "person", "signed"),
        *("begins", "changes", "ends", "digest", "headline", "later", "pairs", "place", "rest"),
    )

    place: str
    begins: float
    changes: float
    ends: float
    digest: str
    """Of all that is in it."""
    headline: str
    """As :func:`headline`."""
    pairs: bytes
    """As :func:`gengfu_site.related.pairs`."""
    rest: bytes
    """What is rarely asked for."""
    later: Later


_Make = Callable[[Remembered, str], Mapping[str, Any]]


class _Asked:
    """A field of a remembered article that is made when somebody asks for it, and what comes with it."""

    def __init__(self, name: str, make: _Make) -> None:
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

    __slots__ = ("later",)

    later: Callable[[], Mapping[str, Any]]

    def __getattr__(self, name: str) -> Any:
        if name not in ("value", "lines"):
            raise AttributeError(name)
        read: Document = self.later()["lines"]
        self.__dict__.update(vars(read))
        return self.__dict__[name]


def encoded(article: Article) -> tuple[Values, bytes]:
    """All of ``article`` but its text, and nothing of a person who is searched for: what a build asks of every article,
    and the rest."""
    often = (
        tuple(getattr(article, name) for name in _AS_THEY_ARE),
        tuple(map(_moment, (article.published, article.updated, article.expires))),
        _plain(article.alert),
        tuple(path.as_posix() for path in article.files),
        headline(article),
    )
    rest: Values = (
        tuple(getattr(article, name) for name in _RARELY_ASKED),
        tuple(day and day.isoformat() for day in (article.reviewed, article.next_review)),
        tuple(_plain(part) for part in (article.service, article.allow)),
        article.lines.path,
        article.cover_file and article.cover_file.as_posix(),
        tuple(path.as_posix() for path in article.attachment_files),
    )
    return often, marshal.dumps(rest, _PLAINEST)


def restored(
    place: str,
    often: Values,
    rest: bytes,
    digest: str,
    pairs: bytes,
    zone: ZoneInfo,
    later: Later,
    signed: Signed | None = None,
) -> Remembered:
    """The article at ``place`` below content/ of which :func:`encoded` made ``often`` and ``rest``.

    :param zone: the station's.
    """
    article = object.__new__(Remembered)
    values, (published, updated, expires), alert, files, headline = often
    since, begins = _at(published, zone)
    changed, changes = _at(updated, zone) if updated else (None, begins)
    until, ends = _at(expires, zone) if expires else (None, inf)
    for name, value in zip(
        Remembered.__slots__,
        (
            *values,
            *(since, changed, until, alert and _of(Alert, alert), _paths(files), None, signed),
            *(begins, changes, ends, digest, headline, later, pairs, place, rest),
        ),
        strict=True,
    ):
        object.__setattr__(article, name, value)
    return article


def _rest(article: Remembered, _wanted: str) -> Mapping[str, Any]:
    values, days, (service, allow), path, cover, attached = marshal.loads(article.rest)  # noqa: S302
    lines = object.__new__(_Lines)
    lines.__dict__["path"] = path
    object.__setattr__(lines, "later", partial(article.later, article.place, "lines"))
    its = dict(zip(_RARELY_ASKED, values, strict=True))
    its["reviewed"], its["next_review"] = map(_day, days)
    its["service"] = _service(service)
    its["allow"] = tuple(_of(Allowed, one) for one in allow)
    its["lines"] = lines
    its["cover_file"] = PurePosixPath(cover) if cover else None
    its["attachment_files"] = tuple(map(PurePosixPath, attached))
    return its


def _from_the_file(article: Remembered, wanted: str) -> Mapping[str, Any]:
    return article.later(article.place, wanted)


def _path(article: Remembered, _wanted: str) -> Mapping[str, Any]:
    return {"path": PurePosixPath(article.place)}


_ASKED: Mapping[str, _Make] = {
    **dict.fromkeys(("body", "body_line", "html"), _from_the_file),
    **dict.fromkeys((*_RARELY_ASKED, "reviewed", "next_review", "service", "allow"), _rest),
    **dict.fromkeys(("lines", "cover_file", "attachment_files"), _rest),
    "path": _path,
}
for _name, _make in _ASKED.items():
    setattr(Remembered, _name, _Asked(_name, _make))

_paths = lru_cache(maxsize=4096)(lambda names: tuple(map(PurePosixPath, names)))
"""Many articles share a cover."""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def digest(article: Article) -> str:
    """Of all that residents may see of ``article``, but for a missing person's data."""
    if isinstance(article, Remembered):
        return article.digest
    carried = (article.main, article.content) if isinstance(article, Kept) else ()
    return digest_of((*encoded(article), article.place, carried), article.html)


def headline(article: Article) -> str:
    """Digest of all that other pages say of ``article`` where they lead to it."""
    if isinstance(article, Remembered):
        return article.headline
    said = f"{article.title}\n{article.url}\n{article.exercise}"
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def digest_of(told: Values, html: str) -> str:
    """Of an article's values, whatever else was told of it, and its text."""
    return hashlib.blake2b(marshal.dumps((told, html), _PLAINEST), digest_size=16).hexdigest()


_PLAINEST = 2
"""The oldest form of marshal that knows all of these: the later ones write the same values in more than one way."""


def _moment(moment: datetime | None) -> str | None:
    """In the station's zone without it: a zone's rules may change, the words on the page do not."""
    if moment is None:
        return None
    return (moment.replace(tzinfo=None) if isinstance(moment.tzinfo, ZoneInfo) else moment).isoformat()


@lru_cache(maxsize=1 << 16)
def _at(text: str, zone: ZoneInfo) -> tuple[datetime, float]:
    """That moment, and how many seconds it lies after 1970; many articles share one."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment, moment.timestamp()


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
