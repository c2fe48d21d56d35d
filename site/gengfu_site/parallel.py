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
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from tempfile import TemporaryFile
from typing import Any, BinaryIO, TypeVar

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
    size = max(1, len(items) // (_SHARES * (others + 1)))
    shares = [items[begin : begin + size] for begin in range(0, len(items), size)]
    if not others:
        yield from map(work, shares)
        return
    tickets = _printed(len(shares))
    workers = list(_begun(others, lambda: _done(work, shares, tickets)))
    left = set(range(len(shares)))
    with ExitStack() as files:
        for _number, answers in workers:
            files.enter_context(answers)
        try:
            for number, found in _done(work, shares, tickets):
                left.remove(number)
                yield found
        finally:
            sound = [answers for worker, answers in workers if _ended_well(worker)]
            os.close(tickets)
        for number, found in chain.from_iterable(map(_told, sound)):
            left.remove(number)
            yield found
    yield from (work(shares[number]) for number in sorted(left))


_SHARES = 16
"""Of each worker: whoever is done early takes one more."""
_TICKET = 4
"""Bytes."""


def _printed(number: int) -> int:
    """A pipe with a ticket for each share: who reads one has it alone."""
    here, there = os.pipe()
    os.write(there, b"".join(ticket.to_bytes(_TICKET) for ticket in range(number)))
    os.close(there)
    return here


def _done(work: Work[Item], shares: Sequence[Sequence[Item]], tickets: int) -> Iterator[tuple[int, Any]]:
    """What came of the shares for which there was a ticket, each with its number."""
    while ticket := os.read(tickets, _TICKET):
        number = int.from_bytes(ticket)
        yield number, work(shares[number])


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


_Worker = tuple[int, BinaryIO]
"""Its number, and the file in which it leaves what it found: of 100,000 articles that is more than should be in memory
at once."""
_LENGTH = 8
"""Bytes."""


def _begun(number: int, work: Callable[[], Iterable[tuple[int, Any]]]) -> Iterator[_Worker]:
    """So many workers, or as many as the machine has room for."""
    with suppress(OSError):
        for _worker in range(number):
            yield _begin(work)


def _begin(work: Callable[[], Iterable[tuple[int, Any]]]) -> _Worker:
    """
    :raises OSError: there is no room for another process.
    """
    answers: BinaryIO = TemporaryFile()  # noqa: SIM115 - closed in spread
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # else the first collection in the copy copies all memory
    try:
        worker = os.fork()
    except OSError:
        gc.unfreeze()
        answers.close()
        raise
    if worker:
        return worker, answers
    failed = 1
    try:
        for answer in map(marshal.dumps, work()):
            answers.write(len(answer).to_bytes(_LENGTH))
            answers.write(answer)
        answers.flush()
        failed = 0
    finally:
        os._exit(failed)


def _ended_well(worker: int) -> bool:
    """Whether it did all that it had a ticket for."""
    _number, status = os.waitpid(worker, 0)
    gc.unfreeze()
    return status == 0


def _told(answers: BinaryIO) -> Iterator[tuple[int, Any]]:
    """What a worker found."""
    answers.seek(0)
    while length := answers.read(_LENGTH):
        yield marshal.loads(answers.read(int.from_bytes(length)))  # noqa: S302 - our own worker's
