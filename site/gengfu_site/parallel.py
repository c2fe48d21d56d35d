"""Work that is spread over the machine's processors.

Each worker is a copy of this process (https://docs.python.org/3/library/os.html#os.fork), so it has at hand whatever
was read before and nothing is sent to it; what it found comes back through a pipe. A worker also holds the locks of
the process it is a copy of, so nobody takes its turn while one is still at work. Where there is one processor, no
fork, no room for another process, another thread, or little to do, the same work is done here.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

Item = TypeVar("Item")
Work = Callable[[Sequence[Item]], Any]
"""What of its share of the items comes back: text, bytes, numbers, None, and tuples, lists and dicts of these."""

WORTHWHILE = 200
"""Items from which on it pays: a worker costs about 20 ms."""


def spread(work: Work[Item], items: Sequence[Item], *, worthwhile: int = WORTHWHILE) -> list[Any]:
    """What ``work`` makes of ``items``, share by share, in no particular order.

    A share that fails in a worker is done again here, where what went wrong can be told.
    """
    others = _processors() - 1 if len(items) >= worthwhile and _may_fork() else 0
    size = max(1, len(items) // (_SHARES * (others + 1)))
    shares = [items[begin : begin + size] for begin in range(0, len(items), size)]
    if not others:
        return [work(share) for share in shares]
    tickets = _printed(len(shares))
    workers = list(_begun(others, lambda: _done(work, shares, tickets)))
    found: dict[int, Any] = {}
    try:
        found |= _done(work, shares, tickets)
    finally:
        for answer in [_end(worker) for worker in workers]:
            found |= answer
        os.close(tickets)
    return [found[number] if number in found else work(share) for number, share in enumerate(shares)]


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


def _done(work: Work[Item], shares: Sequence[Sequence[Item]], tickets: int) -> dict[int, Any]:
    """What came of the shares for which there was a ticket."""
    found = {}
    while ticket := os.read(tickets, _TICKET):
        number = int.from_bytes(ticket)
        found[number] = work(shares[number])
    return found


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


_Worker = tuple[int, int]
"""Its number, and the end of its pipe."""


def _begun(number: int, work: Callable[[], dict[int, Any]]) -> Iterator[_Worker]:
    """So many workers, or as many as the machine has room for."""
    with suppress(OSError):
        for _worker in range(number):
            yield _begin(work)


def _begin(work: Callable[[], dict[int, Any]]) -> _Worker:
    """
    :raises OSError: there is no room for another process.
    """
    here, there = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # else the first collection in the copy copies all memory
    try:
        worker = os.fork()
    except OSError:
        gc.unfreeze()
        os.close(here)
        os.close(there)
        raise
    if worker:
        os.close(there)
        return worker, here
    failed = 1
    try:
        os.close(here)
        with os.fdopen(there, "wb") as pipe:
            pipe.write(marshal.dumps(work()))
        failed = 0
    finally:
        os._exit(failed)


def _end(worker: _Worker) -> dict[int, Any]:
    """What the worker found; nothing where it failed."""
    number, pipe = worker
    with os.fdopen(pipe, "rb") as answer:
        data = answer.read()
    _number, status = os.waitpid(number, 0)
    gc.unfreeze()
    return marshal.loads(data) if status == 0 else {}  # noqa: S302 - our own worker's
