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
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from gengfu_site import rules
from gengfu_site.approvals import Approvals, Signed, Version, file_digest
from gengfu_site.article import Manuscript, Written, parse
from gengfu_site.edition import edition
from gengfu_site.library import Article, Known, bound, read, reserved_part
from gengfu_site.links import Links
from gengfu_site.parallel import spread
from gengfu_site.problems import shown
from gengfu_site.records import Values, digest_of, encoded, restored
from gengfu_site.related import pairs
from gengfu_site.rules.terms import FILE as TERMS
from gengfu_site.settings import Settings
from gengfu_site.source import Document
from gengfu_site.store import Reading, Status, Store, status
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
    digest = hashlib.sha256(f"{edition()}\n{hung_on!r}\n".encode())
    with suppress(OSError):
        digest.update((settings.folder / TERMS).read_bytes())
    return Store(file=file or settings.folder / FILE, edition=digest.hexdigest())


class _Shared:
    """What many articles have in common, looked at once for all: files that they bring along, what the station prints."""

    def __init__(self, settings: Settings, at: datetime) -> None:
        self.files = _Attached(settings)
        self._links = Links(settings, (), at)
        self._keeps_rules = rules.sound(settings, at)

    def sound(self, written: Iterable[tuple[Manuscript, str]]) -> list[tuple[Article, Values]]:
        """Those that are sound by themselves, and what is told of each.

        :param written: with the digests of their texts.
        """
        links = self._links
        found: list[tuple[Article, Values]] = []
        right = [
            (manuscript, text)
            for manuscript, text in written
            if not (reserved_part(manuscript.path) or (manuscript.alert and manuscript.alert.form == "走失"))
        ]
        bodies = links.bind([manuscript for manuscript, _text in right])
        for (manuscript, text), (followed, problems) in zip(right, bodies, strict=True):
            if [*problems, *links.broken_anchors()]:
                continue
            attached = self.files.now(followed.files, manuscript.signed)
            leads, anchors = sorted(followed.leads), sorted(followed.anchors)
            found.append((bound(manuscript, followed), (tuple(leads), tuple(anchors), attached, text)))
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

    def files(self, places: Sequence[str], signatures: Signatures | None) -> Mapping[str, Known]:
        settled = self._now() - _SETTLED
        held = self._held
        before = {name: reading for name, (reading, _known) in held.items()} or self.store.readings()
        content = str(self.settings.content)
        statuses = {place: status(f"{content}/{place}") for place in places}
        shared = _Shared(self.settings, self.at)
        known: dict[str, Known] = {}
        unknown: list[str] = []
        for place in places:
            reading = before.get(place)
            if reading and reading.status == statuses[place]:
                signed = _signed(place, reading, signatures)
                if shared.files.still(reading.told[3], signed):
                    known[place] = _at_hand(held.get(place), signed) or self._known(place, reading, signed)
                    continue
            unknown.append(place)
        new: dict[str, Reading] = {}
        kept: dict[str, Reading] = {}
        for share in spread(partial(self._read, shared, signatures), unknown):
            for place, digest, told, rest, html in share:
                reading = Reading(statuses[place], digest, told, rest, html)
                sure = max(reading.status[:2], default=settled) < settled
                if sure:
                    new[place] = reading
                lean = reading._replace(html="") if sure and len(unknown) > _MANY else reading
                known[place] = self._known(place, lean, _signed(place, reading, signatures))
            if len(new) > _MANY:
                self.store.keep_texts(new)
                kept |= {place: reading._replace(html="") for place, reading in new.items()}
                new = {}
        copies = {name for name in before if name.startswith(_COPY)}
        left = before.keys() - (statuses.keys() - unknown) - copies
        if kept:  # a build that was broken off may have left texts of files that are gone since
            left |= self.store.texts() - before.keys() - statuses.keys()
        if new:
            self.store.keep_texts(new)
        kept |= new
        if kept or left:
            self.store.keep_readings(kept, left - kept.keys())
        told = {place: before[place] for place in known.keys() - unknown} | kept
        others = {name: held.get(name, (before[name], None)) for name in copies}
        held.clear()
        for place, reading in told.items() if not self.once else ():
            held[place] = reading._replace(html="") if reading.html else reading, known[place]
        held.update(others)
        return known

    def copies(self, wanted: Sequence[Copy]) -> Mapping[str, Known]:
        held, shared = self._held, _Shared(self.settings, self.at)
        copies = {_name(copy): copy for copy in wanted}
        found: dict[str, tuple[Reading, Known]] = {}
        for name, copy in copies.items():
            kept = held.get(name)
            if kept and shared.files.still(kept[0].told[3], copy.signed):
                found[name] = kept[0], _at_hand(kept, copy.signed) or self._known(copy, kept[0], copy.signed)
        unknown = {copy.path.as_posix(): copy for name, copy in copies.items() if name not in found}
        new: dict[str, Reading] = {}
        for share in spread(partial(self._read, shared, None), list(unknown.values())):
            for place, digest, told, rest, html in share:
                copy, reading = unknown[place], Reading((), digest, told, rest, html)
                new[_name(copy)] = reading
                found[_name(copy)] = reading._replace(html=""), self._known(copy, reading, copy.signed)
        left = {name for name in held if name.startswith(_COPY)} - found.keys()
        if new or left:
            self.store.keep_texts(new)
            self.store.keep_readings(new, left)
        for name in left:
            del held[name]
        held.update(found)
        return {copies[name].path.as_posix(): known for name, (_reading, known) in found.items()}

    def _read(
        self, shared: _Shared, signatures: Signatures | None, wanted: Sequence[str | Copy]
    ) -> list[tuple[str, str, Values, bytes, str]]:
        """Of those that are sound by themselves: place, digest, what is told of it twice, and its text.

        One step for all after the other: a processor that goes on doing the same is a sixth faster.

        :param wanted: files by their place, or copies.
        """
        return [_reading(article, told) for article, told in shared.sound(self._written(wanted, signatures))]

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

    def _known(self, one: str | Copy, reading: Reading, signed: Signed | None) -> Known:
        often, leads, anchors, _attached, text, pairs = reading.told
        place = one if isinstance(one, str) else one.path.as_posix()
        later = partial(self._later, one, reading.digest, text, signed)
        article = restored(place, often, reading.rest, reading.digest, pairs, self._zone, later, signed)
        if reading.html:
            vars(article)["html"] = reading.html
        return Known(article, text, leads, anchors)

    @cached_property
    def _held(self) -> dict[str, _Kept]:
        return {} if self.once else _held(self.store)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.station.timezone)

    def _later(
        self, one: str | Copy, digest: str, text: str, signed: Signed | None, place: str, wanted: str
    ) -> Mapping[str, Any]:
        """What was not kept with the rest: the text, or what lies in the file itself.

        Somebody may have changed the file since, and whoever looked at it have kept what it says by now. What nobody
        signed is not shown for that.

        :raises Lost: what was signed is there no more.
        """
        html = self.store.text(_name(one), digest) if wanted == "html" else None
        if html is not None:
            return {"html": html}
        written = next(iter(self._written([one])), None)
        if signed and (written is None or written[1] != text):
            written = next(iter(self._written([self._signed_copy(place, text, signed)])), None)
        if written is None:  # it was changed just now
            nothing = {"body": "", "body_line": 1, "lines": Document(path=place, value={}, lines={})}
            return {"html": ""} if wanted == "html" else nothing
        manuscript = replace(written[0], signed=signed)
        if wanted == "html":
            [(followed, _problems)] = Links(self.settings, (), self.at).bind([manuscript])
            return {"html": followed.html}
        return {
            "body": manuscript.body,
            "body_line": manuscript.body_line,
            "lines": manuscript.lines,
        }

    def _signed_copy(self, place: str, text: str, signed: Signed) -> Copy:
        path = PurePosixPath(place)
        version = Version(path=path, text=text, files={})
        return Copy(
            path=path,
            name=shown(self.settings.content / path, self.settings.folder),
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


def _reading(article: Article, told: Values) -> tuple[str, str, Values, bytes, str]:
    often, rest = encoded(article)
    told = (often, *told, pairs(article))
    place, html = article.place, article.html
    return place, digest_of((place, told, rest), html), told, rest, html


def of_station(settings: Settings, at: datetime) -> Readings:
    """What the station's own store knows."""
    return Readings(store=store_for(settings), settings=settings, at=at)


@lru_cache(maxsize=2)  # the station's own, and a preview's
def _held(store: Store) -> dict[str, _Kept]:
    """What this process knows of the files of ``store``: one that goes on building need not ask it each time."""
    return {}


_Kept = tuple[Reading, Known | None]
"""A reading, and what was made of it if anybody asked."""


def _at_hand(kept: _Kept | None, signed: Signed | None) -> Known | None:
    """What was made of it, if the same people answered for it then."""
    return kept[1] if kept and kept[1] and kept[1].article.signed == signed else None


def _signed(place: str, reading: Reading, signatures: Signatures | None) -> Signed | None:
    if signatures is None:
        return None
    id_, kind = reading.told[0][0][:2]
    return signatures.of(id_, place, kind, reading.told[4])


_COPY = "/"
"""What the names of copies' readings begin with, and no place below content/ does."""


def _name(one: str | Copy) -> str:
    """Of its reading in the store."""
    return one if isinstance(one, str) else f"{_COPY}{one.digest}/{one.path.as_posix()}"


Attached = tuple[tuple[str, Status | None, str], ...]
"""Of each file that an article brings along: its place below content/, by what one sees that what lies there is the same
that was looked at (None: something else lies there), and the digest of that, if the station signs anything off."""


class _Attached:
    """How the files are that articles bring along, and whether they are as they were; many articles share one."""

    def __init__(self, settings: Settings) -> None:
        self._content = str(settings.content)
        self._signs = any(review != "none" for review in settings.reviews.values())
        self._statuses: dict[str, Status] = {}
        self._digests: dict[str, str] = {}

    def still(self, files: Attached, signed: Signed | None) -> bool:
        """
        :param signed: who answers for the article; None: the files that lie in content/ are meant.
        """
        if signed:
            return tuple([(name, digest) for name, _then, digest in files]) == signed.digests
        return all(self._status(name) == then for name, then, _digest in files)

    def now(self, files: Iterable[PurePosixPath], signed: Signed | None) -> Attached:
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
