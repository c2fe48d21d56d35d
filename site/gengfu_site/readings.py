"""What is known of articles' files from earlier builds, and the reading of those of which nothing is known.

A reading is kept where the file is a sound article by itself: it can be read, its own links and files are there, no
rule keeps it from being published. Whether it also agrees with the others is looked at each time
(:func:`gengfu_site.library.load`). An alert for a missing person is read each time: nothing of it is kept.

A file is taken to be the same while it has the same times, size and number. One that was written right before it
was read may change again within the same tick of the file system's clock, so it is read anew the next time; git
does likewise (https://git-scm.com/docs/racy-git).

What a file says and who answers for it are two facts. The first is kept with the digest of the text and of all files it
brings along, so a reading serves the file as it lies and, while these are what was signed, the version that was
signed; the second is asked of the log each time. What was signed and lies there no longer is kept by its digest alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

from gengfu_site import rules
from gengfu_site.approvals import Approvals, Signed, Version, file_digest
from gengfu_site.article import Manuscript, Written, parse
from gengfu_site.edition import edition
from gengfu_site.library import Article, bound, read, reserved_part
from gengfu_site.links import Links
from gengfu_site.parallel import spread
from gengfu_site.problems import shown
from gengfu_site.records import (
    NOTHING,
    Brought,
    OfFile,
    Remembered,
    all_remembered,
    encoded,
    remembered,
    rest_of,
)
from gengfu_site.related import mark, pairs
from gengfu_site.rules.terms import FILE as TERMS
from gengfu_site.settings import Settings
from gengfu_site.source import Document
from gengfu_site.store import Status, Store, Text, Values, status, statuses
from gengfu_site.values import dataclass
from gengfu_site.versions import Copy, Signatures

FILE = PurePosixPath(".gengfu/site.sqlite3")
"""Of the station's own store, in its folder."""
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time tells it from what is written later; FAT counts in two seconds."""
_MANY = 10_000
"""Articles whose text is in memory at once; that of a larger library goes into the store as it is read, and comes back
from there."""


def store_for(settings: Settings, file: Path | None = None) -> Store:
    """The store in ``file``, or the station's own, for readings under these settings."""
    hung_on = (settings.content, settings.station, settings.official, settings.shortcuts, settings.matters)
    digest = hashlib.sha256(f"{edition()}\n{hung_on!r}\n".encode() + _clocks_of(settings.station.timezone))
    with suppress(OSError):
        digest.update((settings.folder / TERMS).read_bytes())
    return Store(file=file or settings.folder / FILE, edition=digest.hexdigest())


@cache
def _clocks_of(zone: str) -> bytes:
    """What the system says of a zone's clocks, by which moments are numbers; empty where the package tzdata does, which
    is in the edition (https://docs.python.org/3/library/zoneinfo.html#data-sources).

    Asked once, as :class:`ZoneInfo` does: a process that goes on counts by the rules with which it began.
    """
    for folder in TZPATH:
        with suppress(OSError):
            return Path(folder, zone).read_bytes()
    return b""


class _Shared:
    """What many articles have in common, looked at once for all: files that they bring along, what the station prints."""

    def __init__(self, settings: Settings, at: datetime) -> None:
        self.files = _Brought(settings)
        self._links = Links(settings, (), at)
        self._keeps_rules = rules.sound(settings, at)

    def sound(self, written: Iterable[tuple[Manuscript, str]]) -> list[tuple[Article, OfFile]]:
        """Those that are sound by themselves, and what is known of their files but for these files' status.

        :param written: with the digests of their texts.
        """
        links = self._links
        found: list[tuple[Article, OfFile]] = []
        right = [
            (manuscript, text)
            for manuscript, text in written
            if not (reserved_part(manuscript.path) or (manuscript.alert and manuscript.alert.form == "走失"))
        ]
        bodies = links.bind([manuscript for manuscript, _text in right])
        for (manuscript, text), (followed, problems) in zip(right, bodies, strict=True):
            if [*problems, *links.broken_anchors()]:
                continue
            brought = self.files.now(followed.files, manuscript.signed)
            leads, headings = tuple(sorted(followed.leads)), "\0".join(sorted(followed.anchors))
            found.append((bound(manuscript, followed), OfFile((), text, brought, leads, headings)))
        links.let_go()
        return [one for one in found if self._keeps_rules(one[0])]


@dataclass(frozen=True, kw_only=True)
class Readings:
    """A :data:`gengfu_site.library.Knowledge`: reads what it does not know, and remembers it."""

    store: Store
    settings: Settings
    at: datetime
    once: bool = False
    """Whether nobody in this process will ask again what is known of the files."""

    def approvals(self, station: Path) -> Approvals:
        return Approvals.read(station, self.store)

    def files(self, places: Sequence[str], signatures: Signatures | None) -> Mapping[str, Remembered]:
        settled = self._now() - _SETTLED
        content, held, shared = str(self.settings.content), self._held, _Shared(self.settings, self.at)
        now = dict(zip(places, statuses([f"{content}/{place}" for place in places]), strict=True))
        known = self._unchanged(now, shared.files, signatures)
        left = {name for name in held.keys() - known.keys() if not name.startswith(_COPY)}
        for name in left:
            del held[name]
        unknown = [place for place in places if place not in known]
        rows: dict[str, Values] = {}
        texts: dict[str, Text] = {}
        for row, text in self._read(shared, signatures, unknown, now):
            one = remembered(row, self, None, text.rest)
            place, known[place] = one.place, one.answered(_signed(one, signatures))
            sure = max(one.status[:2], default=settled) < settled
            if sure:
                held[place], rows[place], texts[place] = known[place], row, text
            if not sure or len(unknown) <= _MANY:
                vars(known[place])["html"] = text.html
            if len(texts) > _MANY:
                self.store.keep_texts(texts)
                texts.clear()
        if len(unknown) > _MANY:
            # A build that was broken off may have left texts of files that are gone since.
            left |= self.store.texts() - held.keys()
        self._keep(rows, texts, left - rows.keys())
        return known

    def _unchanged(
        self, now: Mapping[str, Status], brought: _Brought, signatures: Signatures | None
    ) -> dict[str, Remembered]:
        """Those that are known, and are with all that they bring along as they were when they were read.

        :param now: the status of each file.
        """
        held = self._held
        for rows in () if held else self.store.readings():
            held.update(all_remembered(rows, self))
        known = {place: one for place, one in held.items() if now.get(place) == one.status}
        if signatures or any(one.signed for one in known.values()):
            known = {place: one.answered(_signed(one, signatures)) for place, one in known.items()}
            held.update(known)
        for place in brought.changed(known):
            del known[place]
        return known

    def copies(self, wanted: Sequence[Copy]) -> Mapping[str, Remembered]:
        held, shared = self._held, _Shared(self.settings, self.at)
        copies = {_name(copy.path.as_posix(), copy.digest): copy for copy in wanted}
        found = {
            name: held[name].answered(copy.signed)
            for name, copy in copies.items()
            if name in held and _is_signed(held[name].brought, copy.signed)
        }
        unknown = {copy.path.as_posix(): copy for name, copy in copies.items() if name not in found}
        rows: dict[str, Values] = {}
        texts: dict[str, Text] = {}
        for row, text in self._read(shared, None, list(unknown.values())):
            one = remembered(row, self, unknown[row[0]].signed, text.rest)
            name = _name(one.place, one.text)
            found[name], rows[name], texts[name] = one, row, text
            vars(one)["html"] = text.html
        left = {name for name in held if name.startswith(_COPY)} - found.keys()
        self._keep(rows, texts, left)
        for name in left:
            del held[name]
        held.update(found)
        return {one.place: one for one in found.values()}

    def _keep(self, rows: Mapping[str, Values], texts: Mapping[str, Text], gone: Collection[str]) -> None:
        if rows or gone:
            self.store.keep_readings(rows, gone, texts)

    def _read(
        self,
        shared: _Shared,
        signatures: Signatures | None,
        wanted: Sequence[str | Copy],
        now: Mapping[str, Status] = MappingProxyType({}),
    ) -> Iterator[tuple[Values, Text]]:
        """What is to be kept of those that are sound by themselves.

        :param wanted: files by their place, or copies.
        :param now: the status of each file.
        """

        def some(wanted: Sequence[str | Copy]) -> list[tuple[Values, tuple[str, str, bytes]]]:
            """One step for all after the other: a processor that goes on doing the same is a sixth faster."""
            sound = shared.sound(self._written(wanted, signatures))
            read = (
                encoded(
                    article,
                    its._replace(status=now.get(article.place, ())),
                    compared := pairs(article),
                    mark(article, compared),
                )
                for article, its in sound
            )
            return [(row, (text.digest, text.html, text.rest)) for row, text in read]

        for share in spread(some, wanted):
            for row, text in share:
                yield row, Text(*text)

    def _written(
        self, wanted: Iterable[str | Copy], signatures: Signatures | None = None
    ) -> list[tuple[Manuscript, str]]:
        """Of those with which nothing is wrong: what is written there, and the digest of that."""
        files = [one for one in wanted if isinstance(one, str)]
        copies = [one for one in wanted if isinstance(one, Copy)]
        texts = [Written(one.path, one.name, one.text, one.digest) for one in copies]
        found: list[tuple[Manuscript, str, Signed | None]] = []
        for place, lying in read(files, self.settings).items():
            manuscript, text = lying.manuscript, lying.digest
            if manuscript and not lying.problems:
                signed = signatures.of(manuscript.id, place, manuscript.kind, text) if signatures else None
                found.append((manuscript, text, signed))
        for copy, (manuscript, problems) in zip(copies, parse(texts, self.settings.station), strict=True):
            if manuscript and not problems:
                # That it waits for a signature excuses nothing: what is excused is looked at each time.
                found.append((manuscript, copy.digest, copy.signed._replace(edited=False)))
        return [
            (replace(manuscript, signed=signed) if signed else manuscript, text)
            for manuscript, text, signed in found
        ]

    @cached_property
    def _held(self) -> dict[str, Remembered]:
        return {} if self.once else _held(self.store)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.station.timezone)

    def name(self, place: str) -> str:
        return shown(f"{self.settings.content}{os.sep}{place}", self.settings.folder)

    def more(self, article: Remembered, wanted: str) -> Mapping[str, Any]:
        """What is not kept with the rest: the text and what is rarely asked for, or what lies in the file itself.

        Somebody may have changed the file since, and whoever looked at it have kept what it says by now. What nobody
        signed is not shown for that.

        :raises Lost: what was signed is there no more.
        """
        place, text, signed = article.place, article.text, article.signed
        kept = wanted in ("html", "rest")
        copied = signed is not None and signed.edited
        if kept and (its := self.store.text(_name(place, text) if copied else place, article.digest)):
            return {"html": its.html, "rest": its.rest}
        written = None if copied else next(iter(self._written([place])), None)
        if signed and (written is None or written[1] != text):
            written = next(iter(self._written([self._signed_copy(place, text, signed)])), None)
        if written is None:  # it was changed just now
            nothing = {
                "body": "",
                "body_line": 1,
                "lines": Document(path=self.name(place), value={}, lines={}),
            }
            return {"html": "", "rest": NOTHING} if kept else nothing
        if kept:
            # As it was when it was read first.
            manuscript = replace(written[0], signed=signed and signed._replace(edited=False))
            [(followed, _problems)] = Links(self.settings, (), self.at).bind([manuscript])
            return {"html": followed.html, "rest": rest_of(bound(manuscript, followed))}
        return {
            "body": written[0].body,
            "body_line": written[0].body_line,
            "lines": written[0].lines,
        }

    def _signed_copy(self, place: str, text: str, signed: Signed) -> Copy:
        path = PurePosixPath(place)
        version = Version(path=path, text=text, files={})
        return Copy(
            path=path,
            name=self.name(place),
            text=Approvals(self.settings.folder, ()).text(version),
            digest=text,
            signed=signed,
        )

    def _now(self) -> int:
        """By the clock of the file system; long ago where nothing can be written there."""
        try:
            self.store.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.store.file.touch(0o600)
            return self.store.file.stat().st_mtime_ns
        except OSError:
            return 0


def of_station(settings: Settings, at: datetime) -> Readings:
    """What the station's own store knows."""
    return Readings(store=store_for(settings), settings=settings, at=at)


@lru_cache(maxsize=2)  # the station's own, and a preview's
def _held(store: Store) -> dict[str, Remembered]:
    """What this process knows of the files of ``store``: one that goes on building need not ask it each time."""
    return {}


def _signed(one: Remembered, signatures: Signatures | None) -> Signed | None:
    return signatures.of(one.id, one.place, one.kind, one.text) if signatures else None


_COPY = "/"
"""What the names of copies' readings begin with, and no place below content/ does."""


def _name(place: str, text: str) -> str:
    """Of the reading of a copy in the store."""
    return f"{_COPY}{text}/{place}"


class _Brought:
    """How the files are that articles bring along, and whether they are as they were; many articles share one."""

    def __init__(self, settings: Settings) -> None:
        self._content = str(settings.content)
        self._signs = any(review != "none" for review in settings.reviews.values())
        self._statuses: dict[str, Status] = {}
        self._digests: dict[str, str] = {}

    def changed(self, articles: Mapping[str, Remembered]) -> list[str]:
        """The places of those that no longer bring along what they did when they were read, or what was signed with them."""
        others = {
            brought
            for brought in {one.brought for one in articles.values()}
            if any(self._status(name) != then for name, then, _digest in brought)
        }
        return [
            place
            for place, one in articles.items()
            if (not _is_signed(one.brought, one.signed) if one.signed else others and one.brought in others)
        ]

    def now(self, files: Iterable[PurePosixPath], signed: Signed | None) -> Brought:
        """:param signed: who answers for the article, and thus for other bytes, perhaps, than lie in content/."""
        if signed is None:
            return tuple((name, self._status(name), self._digest(name)) for name in map(str, sorted(files)))
        return tuple(
            (name, self._status(name) if self._digest(name) == digest else None, digest)
            for name, digest in signed.digests
        )

    def _digest(self, name: str) -> str:
        if self._signs and name not in self._digests:
            with suppress(OSError):
                self._digests[name] = file_digest(Path(self._content, name))
        return self._digests.get(name, "")

    def _status(self, name: str) -> Status:
        if name not in self._statuses:
            self._statuses[name] = status(f"{self._content}/{name}")
        return self._statuses[name]


def _is_signed(brought: Brought, signed: Signed) -> bool:
    return tuple([(name, digest) for name, _then, digest in brought]) == signed.digests
