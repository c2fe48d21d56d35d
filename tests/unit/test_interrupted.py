"""Publishing is safe: killed, or out of space, at any step, and read by others all the while."""

from __future__ import annotations

import errno
import os
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gengfu_site import release
from gengfu_site.publish import publish
from sites import clean, files
from stations import AT, MKDOCS_YML, StationFolder

STEPS: list[tuple[Any, str]] = [(release, "_swapped"), (sqlite3, "connect")]
STEPS += [(os, name) for name in ("link", "mkdir", "replace", "write")]
STEPS += [(Path, name) for name in ("replace", "rmdir", "unlink", "write_text")]
"""What changes a file. What a build does between two of these leaves no trace."""
TRIES = int(os.environ.get("GENGFU_TEST_EXAMPLES", "3"))
"""Of each kind of edit and of trouble, at steps drawn by chance; the seed that is printed repeats a failure."""


def one_article(station: StationFolder, turn: int) -> None:
    station.article("tip/t1.md", f"第{turn}版\n", id="T0001", kind="tip", title=f"第{turn}个标题")


def another_place(station: StationFolder, turn: int) -> None:
    for name in ("t2", "r2"):
        (station.folder / f"content/tip/{name}.md").unlink(missing_ok=True)
    station.article(f"tip/{'tr'[turn % 2]}2.md", id="T0002", kind="tip")


def every_page(station: StationFolder, turn: int) -> None:
    station.file("mkdocs.yml", MKDOCS_YML.replace("name: 青松路派出所", f"name: 青松路警务站{turn}"))


EDITS = [one_article, another_place, every_page]


@pytest.fixture
def published(station: StationFolder) -> StationFolder:
    for n in range(4):
        station.article(f"tip/t{n}.md", id=f"T000{n}", kind="tip", title=f"第{n}篇", topics="[防火用电]")
    publish(station.settings, AT)
    return station


def in_a_copy_of_this_process(work: Callable[[], object]) -> int:
    """How it ended, as :func:`os.waitpid` says."""
    if child := os.fork():
        return os.waitpid(child, 0)[1]
    failed = 1
    try:
        work()
        failed = 0
    finally:
        os._exit(failed)


def build_with_trouble(station: StationFolder, act: Callable[[], None], step: int) -> None:
    """Build, and do ``act`` before the step of that number; notes how many there were."""
    taken = 0

    def before(do: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*given: Any, **named: Any) -> Any:
            nonlocal taken
            taken += 1
            if taken == step:
                act()
            return do(*given, **named)

        return doing

    for place, name in STEPS:
        setattr(place, name, before(getattr(place, name)))
    publish(station.settings, AT)
    Path(station.folder, "steps").write_text(str(taken))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def find_the_disk_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the trouble is made in a copy of the process")
@pytest.mark.parametrize("trouble", [die, find_the_disk_full])
@pytest.mark.parametrize("edit", EDITS)
def test_trouble_at_any_step_leaves_each_file_old_or_new_and_the_next_build_right(
    published: StationFolder, edit: Callable[[StationFolder, int], None], trouble: Callable[[], None]
) -> None:
    seed = random.randrange(1 << 32)
    sys.stdout.write(f"seed {seed}\n")
    chance, public = random.Random(seed), published.settings.public
    edit(published, 0)
    assert in_a_copy_of_this_process(lambda: build_with_trouble(published, die, -1)) == 0
    most = int((published.folder / "steps").read_text())
    ended = set()
    for turn in range(1, TRIES + 20):
        if turn > TRIES and ended - {0}:  # some trouble does not stop a build
            break
        edit(published, turn)
        before, wanted, step = files(public), clean(published, AT), chance.randint(1, most)
        ended.add(in_a_copy_of_this_process(lambda: build_with_trouble(published, trouble, step)))  # noqa: B023
        now = files(public)
        assert before.keys() & wanted.keys() <= now.keys(), f"a page is gone after step {step}"
        amiss = {path for path in now if now[path] not in (before.get(path), wanted.get(path))}
        assert amiss == set(), f"after step {step}"
        publish(published.settings, AT)
        assert files(public) == wanted, f"after step {step}"
        assert sorted(f.name for f in public.parent.glob(".public*")) == [".public.lock"]
    assert ended - {0}, "no trouble came"


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the folder is missing for an instant between two"
)
def test_a_reader_meets_whole_pages_alone_during_fifty_builds(published: StationFolder) -> None:
    public, over, read = published.settings.public, threading.Event(), [0]
    pages = ["index.html", "tip/index.html", "tip/t1/index.html", "A/T0002/index.html", "search/kinds.json"]
    amiss: list[str] = []

    def look() -> None:
        while not over.is_set():
            for page in pages:
                try:
                    text = (public / page).read_text("utf-8")
                except OSError as error:
                    amiss.append(f"{page}: {error}")
                    continue
                read[0] += 1
                if not text.endswith(("</html>\n", "</html>", '"')):
                    amiss.append(f"{page}: {text[-20:]!r}")

    reader = threading.Thread(target=look)
    reader.start()
    for turn in range(50):
        EDITS[(turn % 10 == 9) * 2 or turn % 2](published, turn)
        publish(published.settings, AT)
    over.set()
    reader.join()
    assert amiss == []
    assert read[0] > 50, "the reader came too late"
