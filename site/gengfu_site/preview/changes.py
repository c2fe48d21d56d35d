"""When the preview has to be made anew: the moment a file is saved, and on drives that tell nothing, soon after.

The files are the truth (:func:`gengfu_site.watch.look`); what the system tells of them only wakes us to look. So
nothing is lost that is saved while a preview is being made, and it does no harm where nothing is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from gengfu_site.audit import log_file
from gengfu_site.intake import DONE, FAILED
from gengfu_site.settings import Settings
from gengfu_site.watch import LOOK, Files, look

REST = 0.01
"""Seconds without news, before and after a look, after which a file counts as saved: editors write in several steps."""
_MORE = 1 / 5000
"""Seconds more between two looks for each file: a look at 10,000 takes 0.1 s of a processor."""
_TELLING = frozenset(("created", "modified", "moved", "deleted", "closed"))
"""Kinds of event; that a file was opened and read is no news."""


class Changes:
    """What lies in the station's folder, as it was last seen; as a context manager it listens for news."""

    def __init__(self, inbox: Path) -> None:
        self._inbox = inbox
        self._news = Event()
        self._observer = Observer()
        self._listening = False
        self._heard: set[Path] = set()
        self._files: Files = {}
        self._dropped: Files = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def note(self, settings: Settings) -> None:
        """What lies in the folder now, and in the inbox, is about to be read."""
        self._files, self._dropped = look(settings), _lying(self._inbox)

    def wait(self, settings: Settings, until: datetime | None, clock: Callable[[], datetime]) -> None:
        """Until something is another than it was noted, or ``until`` has come; notes what lies there then."""
        self._listen()
        self._hear(settings.folder, inside=False)
        inner = (settings.content, settings.private, settings.overrides, log_file(settings.folder).parent)
        for folder in (self._inbox, *filter(None, inner)):
            self._hear(folder)
        while True:
            pause = LOOK + len(self._files) * _MORE
            left = (until - clock()).total_seconds() if until else pause
            self._news.wait(max(0.0, min(pause, left)))
            if self._changed(settings) or (until and until <= clock()):
                return

    def _changed(self, settings: Settings) -> bool:
        """Looks once nothing more happens, and again if something did meanwhile; a file that never rests is not waited
        for."""
        files, dropped = self._files, self._dropped
        for _again in range(10):
            self._news.clear()
            if self._news.wait(REST):
                continue
            self.note(settings)
            if not self._news.wait(REST):
                break
        else:
            self.note(settings)
        return self._files != files or bool(self._dropped.items() - dropped.items())

    def _listen(self) -> None:
        """From the first time on that there is something to wait for: beside a thread no work is spread over processors,
        and the first preview is the most work."""
        if not self._listening:
            self._listening = True
            with suppress(OSError):  # no more watches to be had: looking will do
                self._observer.start()

    def _hear(self, folder: Path, *, inside: bool = True) -> None:
        """
        :param inside: with the folders in it.
        """
        if folder not in self._heard and folder.is_dir():
            with suppress(OSError):  # likewise
                self._observer.schedule(_Ear(self._news), str(folder), recursive=inside)
                self._heard.add(folder)


class _Ear(FileSystemEventHandler):
    def __init__(self, news: Event) -> None:
        self._news = news

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _TELLING:
            self._news.set()


def _lying(inbox: Path) -> Files:
    """Files that wait in ``inbox``, and not in the folders for those that were dealt with."""
    found: dict[str, tuple[int, int, int]] = {}
    for place, inner, files in os.walk(inbox):
        inner[:] = (name for name in inner if name not in (DONE, FAILED) and not name.startswith("."))
        for file in (Path(place, name) for name in files):
            with suppress(OSError):  # it has just been taken away
                status = file.stat()
                found[str(file)] = status.st_mtime_ns, status.st_size, status.st_ino
    return found
