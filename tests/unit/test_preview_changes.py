"""When the preview is made anew: nothing that is saved is missed, whenever it is saved and whatever tells of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from gengfu_site.preview import Changes, changes
from stations import AT, StationFolder


class Deaf(BaseObserver):
    """A drive that tells nothing."""

    def __init__(self) -> None:
        super().__init__(lambda *_given, **_more: None)  # type: ignore[arg-type, return-value]

    def start(self) -> None:
        raise OSError("inotify instance limit reached")

    def schedule(self, *_given: object, **_more: object) -> None:  # type: ignore[override]
        raise OSError("inotify watch limit reached")


@pytest.fixture(params=[Observer, Deaf], ids=["told", "not told"])
def noted(
    request: pytest.FixtureRequest, station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Changes]:
    """The station's folder as it lies, noted; on a system that tells of changes, and one that does not."""
    monkeypatch.setattr(changes, "Observer", request.param)
    monkeypatch.setattr(changes, "LOOK", 0.05)
    station.article()
    for folder in ("inbox", "private"):
        (station.folder / folder).mkdir()
    with Changes(station.folder / "inbox") as noted:
        noted.note(station.settings)
        yield noted


def edit(station: StationFolder) -> None:
    station.article(body="改过\n")


def edit_back_in_time(station: StationFolder) -> None:
    os.utime(station.article(), (0, 0))


def add(station: StationFolder) -> None:
    station.article("tip/new.md", id="N0001")


def rename(station: StationFolder) -> None:
    (station.folder / "content/fraud/brushing.md").rename(station.folder / "content/fraud/other.md")


def delete(station: StationFolder) -> None:
    (station.folder / "content/fraud/brushing.md").unlink()


def settle(station: StationFolder) -> None:
    station.file("mkdocs.yml", (station.folder / "mkdocs.yml").read_bytes() + b"\n")


def find(station: StationFolder) -> None:
    station.file("private/F7K2Q.yml", "name: 小满\n")


def drop(station: StationFolder) -> None:
    station.file("inbox/防骗常识/来稿.docx", b"PK")


@pytest.mark.parametrize("change", [edit, edit_back_in_time, add, rename, delete, settle, find, drop])
def test_what_is_saved_is_noticed_while_waiting_and_while_a_preview_was_being_made(
    noted: Changes, station: StationFolder, change: Callable[[StationFolder], None]
) -> None:
    change(station)
    noted.wait(station.settings, None, lambda: AT)
    noted.note(station.settings)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(noted.wait, station.settings, None, lambda: AT)
        noticed(waiting, lambda: station.article("tip/again.md", id="N0002"))


def noticed(waiting: Future[None], change: Callable[[], object]) -> None:
    """The change is made once, while ``waiting`` waits, and ends it."""
    assert not waiting.done()
    change()
    waiting.result(60)


def test_it_waits_no_longer_than_what_is_shown_is_right(noted: Changes, station: StationFolder) -> None:
    moments = iter([AT, AT, AT, AT + timedelta(seconds=1), AT + timedelta(seconds=1)])
    noted.wait(station.settings, AT + timedelta(seconds=1), lambda: next(moments))


@pytest.mark.parametrize("place", ["inbox/done/来稿.docx", "inbox/failed/来稿.docx", "public/index.html"])
def test_what_nothing_is_made_of_wakes_nobody(noted: Changes, station: StationFolder, place: str) -> None:
    station.file(place, b"x")
    asked: list[datetime] = []

    def clock() -> datetime:
        asked.append(AT)
        return AT + timedelta(seconds=len(asked))

    noted.wait(station.settings, AT + timedelta(seconds=2), clock)
    assert len(asked) == 2, "it saw a change before the time had come"


def test_a_folder_that_is_made_later_is_looked_into(noted: Changes, station: StationFolder) -> None:
    (station.folder / "private").rmdir()
    noted.note(station.settings)
    station.file("private/F7K2Q.yml", "name: 小满\n")
    noted.wait(station.settings, None, lambda: AT)


def test_settings_that_name_another_folder_are_followed(
    noted: Changes, station: StationFolder, tmp_path: Path
) -> None:
    station.file("elsewhere/tip/new.md", "x")
    text = (station.folder / "mkdocs.yml").read_text("utf-8")
    station.file("mkdocs.yml", text.replace("docs_dir: content", "docs_dir: elsewhere"))
    noted.note(station.settings)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(noted.wait, station.settings, None, lambda: AT)
        noticed(waiting, lambda: station.file("elsewhere/tip/new.md", "xy"))
