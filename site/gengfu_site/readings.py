"""What is known of articles' files from earlier builds, and the reading of those of which nothing is known.

A reading is kept where the file is a sound article by itself: it can be read, its own links and files are there, no
rule keeps it from being published. Whether it also agrees with the others is looked at each time
(:func:`gengfu_site.library.load`). An alert for a missing person is read each time: nothing of it is kept.

A file is taken to be the same while it has the same times, size and number. One that was written right before it
was read may change again within the same tick of the file system's clock, so it is read anew the next time; git
does likewise (https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from gengfu_site import rules
from gengfu_site.edition import edition
from gengfu_site.library import Article, Known, bound, read, reserved_part
from gengfu_site.links import Links
from gengfu_site.parallel import spread
from gengfu_site.records import Values, digest_of, encoded, restored
from gengfu_site.related import pairs
from gengfu_site.rules.terms import FILE as TERMS
from gengfu_site.settings import Settings
from gengfu_site.source import Document
from gengfu_site.store import Reading, Status, Store, status

FILE = PurePosixPath(".gengfu/site.sqlite3")
"""Of the station's own store, in its folder."""
_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time tells it from what is written later; FAT counts in two seconds."""


def store_for(settings: Settings, file: Path | None = None) -> Store:
    """The store in ``file``, or the station's own, for readings under these settings."""
    hung_on = (settings.content, settings.station, settings.official, settings.shortcuts, settings.matters)
    digest = hashlib.sha256(f"{edition()}\n{hung_on!r}\n".encode())
    with suppress(OSError):
        digest.update((settings.folder / TERMS).read_bytes())
    return Store(file=file or settings.folder / FILE, edition=digest.hexdigest())


@dataclass(frozen=True, kw_only=True)
class Readings:
    """A :data:`gengfu_site.library.Knowledge`: reads what it does not know, and remembers it."""

    store: Store
    settings: Settings
    at: datetime

    def __call__(self, places: Sequence[str]) -> Mapping[str, Known]:
        settled = self._now() - _SETTLED
        held = _held(self.store)
        before = {place: reading for place, (reading, _known) in held.items()} or self.store.readings()
        content = str(self.settings.content)
        statuses = {place: status(f"{content}/{place}") for place in places}
        attached = _Attached(content)
        known: dict[str, Known] = {}
        unknown: list[str] = []
        for place in places:
            reading = before.get(place)
            if reading and reading.status == statuses[place] and attached.still(reading.told[3]):
                known[place] = held[place][1] if place in held else self._known(place, reading)
            else:
                unknown.append(place)
        new: dict[str, Reading] = {}
        for share in spread(self._read, unknown):
            for place, digest, told, rest, html in share:
                reading = Reading(statuses[place], digest, told, rest, html)
                known[place] = self._known(place, reading)
                if max(reading.status[:2], default=settled) < settled:
                    new[place] = reading
        left = before.keys() - (statuses.keys() - unknown)
        if new or left:
            self.store.keep_readings(new, left)
        told = {place: before[place] for place in known.keys() - unknown} | new
        held.clear()
        held.update((place, (reading._replace(html=""), known[place])) for place, reading in told.items())
        return known

    def _read(self, places: Sequence[str]) -> list[tuple[str, str, Values, bytes, str]]:
        """Of those that are sound by themselves: place, digest, what is told of it twice, and its text.

        One step for all after the other: a processor that goes on doing the same is a sixth faster.
        """
        sound = rules.sound(self.settings, self.at)
        alone = [one for one in self._alone(places) if sound(one[0])]
        return [_reading(article, told) for article, told in alone]

    def _alone(self, places: Sequence[str]) -> list[tuple[Article, Values]]:
        """Those that are right but for the rules, and what is told of each."""
        links = Links(self.settings, (), self.at)  # which looks at a picture that many share once
        lying = [read(place, self.settings) for place in places]
        manuscripts = [one.manuscript for one in lying if one.manuscript and not one.problems]
        found: list[tuple[Article, Values]] = []
        content = str(self.settings.content)
        for manuscript in manuscripts:
            if reserved_part(manuscript.path) or (manuscript.alert and manuscript.alert.form == "走失"):
                continue
            followed, problems = links.bind(manuscript)
            if [*problems, *links.broken_anchors()]:
                continue
            attached = tuple((str(path), status(f"{content}/{path}")) for path in followed.files)
            leads, anchors = sorted(followed.leads), sorted(followed.anchors)
            found.append((bound(manuscript, followed), (tuple(leads), tuple(anchors), attached)))
        return found

    def _known(self, place: str, reading: Reading) -> Known:
        often, leads, anchors, _attached, pairs = reading.told
        article = restored(place, often, reading.rest, reading.digest, pairs, self._zone, self._later)
        if reading.html:
            vars(article)["html"] = reading.html
        return Known(article, leads, anchors)

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.station.timezone)

    def _later(self, place: str, wanted: str) -> Mapping[str, Any]:
        """What was not kept with the rest: the text, or what lies in the file itself."""
        if wanted == "html" and (html := self.store.text(place)) is not None:
            return {"html": html}
        manuscript = read(place, self.settings).manuscript
        if manuscript is None:  # it was changed just now
            return {"body": "", "body_line": 1, "lines": Document(path=place, value={}, lines={}), "html": ""}
        followed, _problems = Links(self.settings, (), self.at).bind(manuscript)
        return {
            "body": manuscript.body,
            "body_line": manuscript.body_line,
            "lines": manuscript.lines,
            "html": followed.html,
        }

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


@lru_cache(maxsize=1)
def _held(store: Store) -> dict[str, tuple[Reading, Known]]:
    """What this process knows of the files of ``store``: one that goes on building need not ask it each time."""
    return {}


class _Attached:
    """Whether the files that articles bring along are as they were; many articles share one."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._statuses: dict[str, Status] = {}

    def still(self, files: tuple[tuple[str, Status], ...]) -> bool:
        for name, then in files:
            if name not in self._statuses:
                self._statuses[name] = status(f"{self._content}/{name}")
            if self._statuses[name] != then:
                return False
        return True
