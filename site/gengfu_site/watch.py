"""``gengfu build --watch``: the public site as it should be at every moment, until somebody stops it.

A build is made at once, at each instant at which something begins or ends (:mod:`gengfu_site.instants`), and when a
source file changed and then rested. Truth is the clock and the files, looked at more than once a second: a machine that
slept, or a clock that was set, misses nothing, nor does a shared drive that tells nobody of its changes.

Where something must be mended first, the public site stays as it was, but for alerts and missing persons' data that
are over: those go whatever is wrong with the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from gengfu_site import audit, urgent
from gengfu_site.instants import next_instant
from gengfu_site.library import load
from gengfu_site.problems import GengfuError, Problem, ProblemsFound
from gengfu_site.publish import Published, publish
from gengfu_site.readings import of_station
from gengfu_site.rules.terms import FILE as TERMS
from gengfu_site.settings import FILE, Settings
from gengfu_site.synonyms import FILE as SYNONYMS

LOOK = 0.25
"""Seconds between two looks at the clock and the files."""
_MORE = 1 / 20_000
"""Seconds more for each file: a look at 10,000 takes 0.04 s of a processor."""
_REST = 0.1
"""Seconds for which what changed must stay as it is: editors write in several steps, milliseconds apart."""
_LONGEST = 60.0
AGAIN = timedelta(minutes=1)
"""After which a build that could not be written is tried again."""

Clock = Callable[[], datetime]
Wait = Callable[[float], bool]
"""Lets so many seconds pass; true, if need be before they are over, once somebody wants the watch to end."""
Files = Mapping[str, tuple[int, int, int]]
"""Files, and by what one sees that they changed: when they were written, their size and number."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was done at one moment."""

    at: datetime
    """In the station's zone."""
    published: Published | None = None
    """None: the public site stays as it was."""
    problems: tuple[Problem, ...] = ()
    """To be mended before everything is public; where everything is, warnings."""
    trouble: str = ""
    """What else kept the site from being made."""
    until: datetime | None = None
    """When the next round is due by itself."""


def watch(read: Callable[[], Settings], clock: Clock, wait: Wait) -> Iterator[Round]:
    """Every round, right after it was made, until ``wait`` says that it is enough.

    :param read: the station's settings, read anew for each round.
    :raises GengfuError: they cannot be read the first time.
    """
    settings = read()
    while True:
        at, built_from = clock(), look(settings)
        try:
            settings = read()
            published = publish(settings, at)
            made = Round(at=at, published=published, problems=published.held, until=published.until)
        except ProblemsFound as error:
            made = _in_part(settings, at, tuple(error.problems))
        except (GengfuError, OSError) as error:
            made = _not_made(at, error)
        yield replace(made, at=at.astimezone(ZoneInfo(settings.station.timezone)))
        seen = built_from
        while not wait(_pause(made, clock(), len(seen), resting=seen == built_from)):
            before, seen = seen, look(settings)
            if _due(made, clock()) or built_from != seen == before:
                break
        else:
            return


def look(settings: Settings) -> Files:
    """Every file that a build may be made from."""
    declared = [settings.folder / name for name in (FILE, TERMS, SYNONYMS)]
    folders = [folder for folder in (settings.content, settings.private, settings.overrides) if folder]
    found: dict[str, tuple[int, int, int]] = {}
    single = map(str, (*declared, *settings.portal.files, audit.log_file(settings.folder)))
    for file in chain(single, _below(folders)):
        with suppress(OSError):  # it is gone, or not there yet
            status = os.stat(file)  # noqa: PTH116 - a hundred thousand of them, and often
            found[file] = status.st_mtime_ns, status.st_size, status.st_ino
    return found


def _below(folders: Iterable[Path]) -> Iterator[str]:
    """The files in them; what is hidden is an editor's."""
    for folder in folders:
        for place, inner, files in os.walk(folder):
            inner[:] = (name for name in inner if not name.startswith("."))
            yield from (f"{place}{os.sep}{name}" for name in files if not name.startswith("."))


def _in_part(settings: Settings, at: datetime, problems: tuple[Problem, ...]) -> Round:
    """Leave the public site as it is, unless something in it is over.

    :param settings: as they could last be read; a mistake in them does not keep public what is over.
    """
    try:
        library, _problems = load(settings, at, urgent=True, known=of_station(settings, at))
        over = urgent.runs_out(library, at)
        if over is None or at < over:
            until = min(filter(None, (over, next_instant(library, at))), default=None)
            return Round(at=at, problems=problems, until=until)
        published = urgent.refresh(settings, at).published
        return Round(at=at, published=published, problems=problems, until=published.until)
    except (GengfuError, OSError) as error:
        return _not_made(at, error, problems)


def _not_made(at: datetime, error: GengfuError | OSError, problems: tuple[Problem, ...] = ()) -> Round:
    trouble = str(urgent.NotWritten(error) if isinstance(error, OSError) else error)
    return Round(at=at, problems=problems, trouble=trouble, until=at + AGAIN)


def _due(made: Round, now: datetime) -> bool:
    """Whether what was made is right no longer, or, the clock having been set back, not yet."""
    return now < made.at or (made.until is not None and made.until <= now)


def _pause(made: Round, now: datetime, files: int, *, resting: bool) -> float:
    """Seconds until the next look."""
    pause = min(LOOK + files * _MORE, _LONGEST) if resting else _REST
    left = (made.until - now).total_seconds() if made.until else pause
    return max(0.0, min(pause, left))
