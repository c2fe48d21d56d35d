"""Work that is spread over processes gives what it gives in one, whatever becomes of the others."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gengfu_site import parallel
from gengfu_site.cli import building
from gengfu_site.parallel import _Worker, spread
from gengfu_site.publish import Progress, Published, publish
from gengfu_site.settings import Settings
from stations import StationFolder

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
ITEMS = [*range(1000)]


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processors; the tests' own threads hold no lock that a worker needs."""
    monkeypatch.setattr(parallel, "_processors", lambda: 4)
    monkeypatch.setattr(parallel, "_may_fork", lambda: True)


def told(shares: Iterable[Sequence[int]]) -> list[int]:
    return sorted(item for share in shares for item in share)


@pytest.mark.usefixtures("four")
def test_each_item_is_worked_on_once() -> None:
    assert told(spread(list, ITEMS)) == ITEMS


@pytest.mark.usefixtures("four")
def test_the_last_shares_are_small_so_that_nobody_waits_long_for_who_has_one() -> None:
    sizes = sorted((len(share) for share in spread(list, ITEMS)), reverse=True)
    assert sizes[0] == 41
    assert sizes[-4:] == [1, 1, 1, 1]


@pytest.mark.usefixtures("four")
def test_what_workers_cannot_do_is_done_here() -> None:
    here = os.getpid()

    def work(share: Sequence[int]) -> list[int]:
        if os.getpid() != here:
            raise MemoryError
        return list(share)

    assert told(spread(work, ITEMS)) == ITEMS


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="nobody can be waited for and left to others")
@pytest.mark.usefixtures("four")
def test_a_worker_that_did_its_part_gives_way_to_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_MOST", 10)
    monkeypatch.setattr(parallel, "_LIFE", 20)
    here, (gate, opener), (bell, ringer), shares = os.getpid(), os.pipe(), os.pipe(), [0]
    farewells, farewell = os.pipe()

    def work(share: Sequence[int]) -> tuple[int, list[int]]:
        if os.getpid() != here:
            os.write(ringer, b".")
            os.read(gate, 1)
            os.write(farewell, os.getpid().to_bytes(4))
            return os.getpid(), list(share)
        shares.append(len(share))
        if shares[3:] == [10]:  # by now the workers know that their time is over
            os.write(opener, b".")
            os.waitid(os.P_PID, int.from_bytes(os.read(farewells, 4)), os.WEXITED | os.WNOWAIT)
        if shares[4:] == [10]:  # by now there is another one
            for _worker in range(4):
                os.read(bell, 1)
            os.write(opener, b"." * len(ITEMS))
        return here, list(share)

    found = list(spread(work, ITEMS))
    assert told(share for _process, share in found) == ITEMS
    assert len({process for process, _share in found}) >= 5
    for end in (gate, opener, bell, ringer, farewells, farewell):
        os.close(end)


@pytest.mark.usefixtures("four")
def test_a_workers_time_is_told_by_items_however_small_the_last_shares_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Lives(bytearray):
        ends = 0

        def __setitem__(self, *its: Any) -> None:
            Lives.ends += 1

    monkeypatch.setattr(parallel, "mmap", lambda *_size: Lives(1))
    monkeypatch.setattr(parallel, "_begun", lambda _work: ())  # all is done here
    monkeypatch.setattr(parallel, "_LIFE", 400)
    assert told(spread(list, ITEMS)) == ITEMS
    assert Lives.ends == 2


@pytest.mark.usefixtures("four")
def test_when_nobody_wants_the_rest_workers_begin_no_more_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    here, (gate, opener), (bell, ringer), close = os.getpid(), os.pipe(), os.pipe(), _Worker.close

    def work(share: Sequence[int]) -> None:
        if os.getpid() != here:
            os.read(gate, 1)
            os.write(ringer, b".")

    def opened(worker: _Worker) -> None:
        os.write(opener, b"." * len(ITEMS))
        close(worker)

    monkeypatch.setattr(_Worker, "close", opened)
    some = spread(work, ITEMS)
    next(some)
    some.close()  # type: ignore[attr-defined]  # as when a disk is full, or somebody presses Ctrl+C
    assert os.read(bell, len(ITEMS)) == b"..."
    for end in (gate, opener, bell, ringer):
        os.close(end)


@pytest.mark.usefixtures("four")
def test_what_nobody_can_do_is_told() -> None:
    def work(share: Sequence[int]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        list(spread(work, ITEMS))


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("room", [0, 1])
def test_where_there_is_no_room_for_more_processes_fewer_do_it(
    monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    fork, begun = os.fork, []

    def as_many_as_fit() -> int:
        if len(begun) == room:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        begun.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", as_many_as_fit)
    assert told(spread(list, ITEMS)) == ITEMS
    assert len(begun) == room


def test_beside_another_thread_no_process_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_processors", lambda: 4)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a lock may be held for ever"))
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        assert told(spread(list, ITEMS)) == ITEMS
    finally:
        over.set()
        other.join()


def test_a_build_that_is_watched_at_a_terminal_is_spread_as_well(
    station: StationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, beside = threading.enumerate(), []

    def watched(settings: Settings, at: datetime, progress: Progress, *, once: bool) -> Published:
        published = publish(settings, at, progress, once=once)
        beside.extend(set(threading.enumerate()).difference(before))
        return published

    monkeypatch.setattr("gengfu_site.publish.publish", watched)
    monkeypatch.setattr(building, "sys", SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True)))
    building._build(station.settings)
    assert beside == []
