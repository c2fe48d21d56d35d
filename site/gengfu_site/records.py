"""An article as plain values, and the article again: what may be kept of one between two builds.

Kept is what says of an article where it is listed and what it leads to; its text is asked for when somebody wants it,
for of ten thousand articles a build reads the text of a few. The values are of Python's own kinds alone, so that
nothing that is read back can be more than data.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from gengfu_site.article import Alert, Allowed, Case, Material, Service
from gengfu_site.library import Article, Kept
from gengfu_site.source import Document

Values = tuple[Any, ...]
"""Of text, numbers, None and tuples of these."""
Later = Callable[[str], Mapping[str, Any]]
"""Told what of an article is asked for, gives that, and what else came with it."""
Made = TypeVar("Made")

_AS_THEY_ARE = (
    "id",
    "title",
    "summary",
    "kind",
    "changed",
    "withdrawn",
    "topics",
    "areas",
    "audience",
    "evergreen",
    "season",
    "cover",
    "author",
    "attachments",
    "revision",
    "url",
)
_FROM_THE_TEXT = ("body", "body_line", "html")


class Remembered(Article):
    """An article that some reading found sound. Most of it is made when it is asked for, its text is fetched then."""

    __slots__ = ("digest", "later", "made_of", "pairs")  # no fields: a copy of it is any article

    digest: str
    """Of all that is in it."""
    pairs: str
    """As :func:`gengfu_site.related.pairs`, a space between two."""
    later: Later
    made_of: Values

    @property
    def place(self) -> str:
        place: str = self.made_of[4]
        return place

    def __getattr__(self, name: str) -> Any:
        if name in _MADE:
            self.__dict__[name] = _MADE[name](self)
        elif name in _FROM_THE_TEXT:
            self.__dict__.update(self.later(name))
        else:
            raise AttributeError(name)
        return self.__dict__[name]


class _Lines(Document):
    """Of a remembered article: where each field stands is asked for when there is something to say of one."""

    __slots__ = ("later",)

    later: Later

    def __getattr__(self, name: str) -> Any:
        if name not in ("value", "lines"):
            raise AttributeError(name)
        read: Document = self.later("lines")["lines"]
        self.__dict__.update(vars(read))
        return self.__dict__[name]


def encoded(article: Article) -> Values:
    """All of ``article`` but its text; nothing of a person who is searched for."""
    return (
        tuple(getattr(article, name) for name in _AS_THEY_ARE),
        tuple(map(_moment, (article.published, article.updated, article.expires))),
        tuple(day and day.isoformat() for day in (article.reviewed, article.next_review)),
        tuple(_plain(part) for part in (article.service, article.alert, article.allow)),
        article.place,
        article.lines.path,
        tuple(path.as_posix() for path in article.files),
        article.cover_file and article.cover_file.as_posix(),
        tuple(path.as_posix() for path in article.attachment_files),
    )


def restored(values: Values, digest: str, pairs: str, zone: ZoneInfo, later: Later) -> Remembered:
    """The article of which ``values`` were made.

    :param zone: the station's.
    """
    article = object.__new__(Remembered)
    its = article.__dict__
    its.update(zip(_AS_THEY_ARE, values[0], strict=True))
    published, updated, expires = values[1]
    its["published"] = _at(published, zone)
    its["updated"] = updated and _at(updated, zone)
    its["expires"] = expires and _at(expires, zone)
    # What has a default of its own would never be asked for.
    its["reviewed"], its["next_review"] = map(_day, values[2])
    its["service"] = _service(values[3][0])
    its["alert"] = values[3][1] and _of(Alert, values[3][1])
    its["allow"] = tuple(_of(Allowed, one) for one in values[3][2])
    its["person"] = its["signed"] = None
    for name, value in (("digest", digest), ("pairs", pairs), ("later", later), ("made_of", values)):
        object.__setattr__(article, name, value)
    return article


def _lines(article: Remembered) -> Document:
    lines = object.__new__(_Lines)
    lines.__dict__["path"] = article.made_of[5]
    object.__setattr__(lines, "later", article.later)
    return lines


_path = lru_cache(maxsize=4096)(PurePosixPath)  # many articles share a cover
_MADE: Mapping[str, Callable[[Remembered], Any]] = {
    "path": lambda article: PurePosixPath(article.made_of[4]),
    "lines": _lines,
    "files": lambda article: tuple(map(_path, article.made_of[6])),
    "cover_file": lambda article: article.made_of[7] and _path(article.made_of[7]),
    "attachment_files": lambda article: tuple(map(_path, article.made_of[8])),
}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def digest(article: Article) -> str:
    """Of all that residents may see of ``article``, but for a missing person's data."""
    if isinstance(article, Remembered):
        return article.digest
    carried = (article.main, article.content) if isinstance(article, Kept) else ()
    return digest_of((encoded(article), carried), article.html)


def digest_of(told: Values, html: str) -> str:
    """Of an article's values, whatever else was told of it, and its text."""
    # The oldest form that knows all of these: the later ones write the same values in more than one way.
    return hashlib.blake2b(marshal.dumps((told, html), 2), digest_size=16).hexdigest()


def _moment(moment: datetime | None) -> str | None:
    """In the station's zone without it: a zone's rules may change, the words on the page do not."""
    if moment is None:
        return None
    return (moment.replace(tzinfo=None) if isinstance(moment.tzinfo, ZoneInfo) else moment).isoformat()


def _at(text: str, zone: ZoneInfo) -> datetime:
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
