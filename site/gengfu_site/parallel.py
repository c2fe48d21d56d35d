"""Work that is spread over the machine's processors.

Each worker is a copy of this process (https://docs.python.org/3/library/os.html#os.fork), so it has at hand whatever
was read before and nothing is sent to it; what it found comes back in a file. A worker also holds the locks of
the process it is a copy of, so nobody takes its turn while one is still at work. Where there is one processor, no
fork, no room for another process, another thread, or little to do, the same work is done here.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from mmap import mmap
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NoReturn, TypeVar

Item = TypeVar("Item")
Work = Callable[[Sequence[Item]], Any]
"""What of its share of the items comes back: text, bytes, numbers, None, and tuples, lists and dicts of these."""

WORTHWHILE = 200
"""Items from which on it pays: a worker costs about 20 ms."""


def spread(work: Work[Item], items: Sequence[Item], *, worthwhile: int = WORTHWHILE) -> Iterator[Any]:
    """What ``work`` makes of ``items``, share by share, in no particular order, and none kept that was handed on.

    A share that fails in a worker is done again here, where what went wrong can be told.
    """
    others = _processors() - 1 if len(items) >= worthwhile and _may_fork() else 0
    shares = [*_shares(items, others + 1)]
    if not others:
        yield from map(work, shares)
        return
    left = set(range(len(shares)))
    for number, found in _found(work, shares, others):
        left.remove(number)
        yield found
    yield from (work(shares[number]) for number in sorted(left))


def _shares(items: Sequence[Item], workers: int) -> Iterator[Sequence[Item]]:
    """Whoever is done early takes one more, and the last ones are small, so that nobody waits long for who has one."""
    begin = 0
    while left := len(items) - begin:
        size = max(1, min(_MOST, left // (_SHARES * workers)))
        yield items[begin : begin + size]
        begin += size


_SHARES = 6
"""Of each worker, if all that is left were cut alike."""
_MOST = 125
"""Items of a share: what one is made of lies in memory at once."""
_LIFE = 4_000
"""Items after which workers give way to new copies: what one looked at lies in memory twice until it ends, for to look at
a thing is to count one more who does. They are counted here, so that none ends while nobody is there to begin another."""
_TICKET = 4
"""Bytes."""


def _found(work: Work[Item], shares: Sequence[Sequence[Item]], others: int) -> Iterator[tuple[int, Any]]:
    """What came of the shares here and in ``others`` workers, each with its number; nothing of a worker that failed."""
    tickets = _printed(range(others, len(shares)))
    lives = mmap(-1, 1)  # which the copies share
    workers: list[_Worker] = []
    done = 0

    def begun(*first: int) -> Iterator[_Worker]:
        its = lives[0]
        wanted = chain(first, _numbers(tickets, lambda: lives[0] == its))
        return _begun(lambda: ((number, work(shares[number])) for number in wanted))

    try:
        # The longest may stand in front, and who begins workers must see them end.
        for number in range(len(shares))[:others]:
            workers += begun(number)
        for number in _numbers(tickets):
            yield number, work(shares[number])
            done += len(shares[number])
            if done >= _LIFE:
                done, lives[0] = 0, lives[0] ^ 1
            for worker in [worker for worker in workers if worker.over()]:
                workers.remove(worker)
                workers += begun()
                yield from worker.told()
        for worker in workers:
            yield from worker.told()
    finally:
        for _left in _numbers(tickets):
            pass  # where something went wrong, nobody is to begin it
        for worker in workers:
            worker.close()
        os.close(tickets)


def _printed(numbers: Iterable[int]) -> int:
    """A pipe with a ticket for each of these shares: who reads one has it alone."""
    here, there = os.pipe()
    os.write(there, b"".join(number.to_bytes(_TICKET) for number in numbers))
    os.close(there)
    return here


def _numbers(tickets: int, wanted: Callable[[], bool] = lambda: True) -> Iterator[int]:
    """Of shares for which there was a ticket.

    :param wanted: asked ahead of each whether there is to be another one.
    """
    while wanted() and (ticket := os.read(tickets, _TICKET)):
        yield int.from_bytes(ticket)


@contextmanager
def building() -> Iterator[None]:
    """While the block makes very many things that all stay, the collector does not look through them again and again
    (https://docs.python.org/3/library/gc.html)."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _processors() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _may_fork() -> bool:
    """Another thread may hold a lock at that instant, which nobody would let go of in the copy; macOS's own
    libraries do not outlive a fork."""
    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


_LENGTH = 8
"""Bytes."""


def _begun(work: Callable[[], Iterable[tuple[int, Any]]]) -> Iterator[_Worker]:
    """A worker, if the machine has room for one."""
    with suppress(OSError):
        yield _Worker(work)


class _Worker:
    """A copy of this process at work. It leaves what it found in a file: of 100,000 articles that is more than should be
    in memory at once."""

    def __init__(self, work: Callable[[], Iterable[tuple[int, Any]]]) -> None:
        """
        :raises OSError: there is no room for another process.
        """
        self._status: int | None = None
        self._answers: BinaryIO = TemporaryFile()  # noqa: SIM115 - closed below
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # else the first collection in the copy copies all memory
        try:
            self._number = os.fork()
        except OSError:
            gc.unfreeze()
            self._answers.close()
            raise
        if not self._number:
            self._do(work)

    def _do(self, work: Callable[[], Iterable[tuple[int, Any]]]) -> NoReturn:
        failed = 1
        try:
            for answer in map(marshal.dumps, work()):
                self._answers.write(len(answer).to_bytes(_LENGTH))
                self._answers.write(answer)
            self._answers.flush()
            failed = 0
        finally:
            os._exit(failed)

    def over(self) -> bool:
        """Whether it has ended by now."""
        return self._wait(os.WNOHANG)

    def told(self) -> Iterator[tuple[int, Any]]:
        """What it found, once it has ended; nothing if it ended before it had done all that it had a ticket for."""
        self._wait()
        with self._answers as answers:
            answers.seek(0)
            while not self._status and (length := answers.read(_LENGTH)):
                yield marshal.loads(answers.read(int.from_bytes(length)))  # noqa: S302 - our own worker's

    def close(self) -> None:
        self._wait()
        self._answers.close()

    def _wait(self, options: int = 0) -> bool:
        if self._status is None:
            number, status = os.waitpid(self._number, options)
            if number:
                self._status = status
                gc.unfreeze()
        return self._status is not None
