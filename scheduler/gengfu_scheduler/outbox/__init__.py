"""What is to be told to whom, and how far it got: the one durable truth of the scheduler.

Promise: every delivery is a row before it is a request, and ``sending`` on disk before a byte leaves. So
whatever happens - a crash, a second process, a full disk - a delivery is sent, still to be sent, or named as
unknown; it is never forgotten and never begun twice. Uniqueness and changes of state belong to the database:
each change says ``WHERE state = …``, so the slower of two processes changes nothing.

Each method of :class:`Outbox` (``ledger``) is one transaction, and none is open while the caller talks to a
platform; what it does within stands in ``planning``, ``delivering`` and ``reading``. The SQL stands in ``statements``, named and explained, over the ``tables``. SQLite runs with write-ahead
log and ``synchronous=FULL`` (https://www.sqlite.org/pragma.html#pragma_synchronous: no committed transaction is
lost to a power cut); PostgreSQL as it comes. An outbox of an earlier version is brought up to ours by ``upgrading``,
with the revisions in ``migrations``.
"""

from __future__ import annotations

from gengfu_scheduler.outbox.copying import copy
from gengfu_scheduler.outbox.database import OutboxOutdated, OutboxUnusable
from gengfu_scheduler.outbox.ledger import AnotherSends, Outbox
from gengfu_scheduler.outbox.planning import AlertOver
from gengfu_scheduler.outbox.reading import BroadcastStatus, Fate, HandTask, Pulse, TimeTold
from gengfu_scheduler.outbox.tasks import PlatformTask
from gengfu_scheduler.outbox.upgrading import upgrade

__all__ = [
    "AlertOver",
    "AnotherSends",
    "BroadcastStatus",
    "Fate",
    "HandTask",
    "Outbox",
    "OutboxOutdated",
    "OutboxUnusable",
    "PlatformTask",
    "Pulse",
    "TimeTold",
    "copy",
    "upgrade",
]
