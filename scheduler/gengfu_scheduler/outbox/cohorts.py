"""Which groups are told what together, kept so that all their histories are read in a moment.

A city's groups are told the same in their hundreds, day after day. So beside the deliveries stands, for each message of
a broadcast, which groups it is for: one row, and the groups in it kept once however often they are told something together.
It is derived from the deliveries, in the transaction that plans them, and says what was *planned*; what came to nothing
is read from the deliveries alone, so that no change of their state has to be followed up here.

Functions over an open transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from gengfu_scheduler.outbox import statements as sql
from gengfu_scheduler.outbox.content import entries_of
from gengfu_scheduler.outbox.database import batches, insert_into
from gengfu_scheduler.outbox.tables import BROADCAST, COHORT, COHORT_TOLD


def note(connection: Connection, broadcast: int) -> None:
    """Note whom the broadcast of that number tells what, by its deliveries as they are now."""
    connection.execute(delete(COHORT_TOLD).where(COHORT_TOLD.c.broadcast_id == broadcast))
    rows = connection.execute(sql.TOGETHER, {"broadcast": broadcast})
    members = {row.message_id: " ".join(sorted(row.members.split())) for row in rows}
    if members:
        cohorts, entries = _keep(connection, set(members.values())), entries_of(connection, members)
        told = [
            {
                "cohort_id": cohorts[its],
                "broadcast_id": broadcast,
                "message_id": id,
                "entries": entries.get(id, ""),
            }
            for id, its in members.items()
        ]
        connection.execute(COHORT_TOLD.insert(), told)


def _keep(connection: Connection, cohorts: Collection[str]) -> dict[str, int]:
    """The cohorts' row ids by their members; those not yet there are inserted."""
    digests = {hashlib.sha256(members.encode()).hexdigest(): members for members in cohorts}
    connection.execute(
        insert_into(connection, COHORT).on_conflict_do_nothing(),
        [{"digest": digest, "members": members} for digest, members in digests.items()],
    )
    known = select(COHORT.c.digest, COHORT.c.id)
    return {
        digests[row.digest]: row.id
        for batch in batches(digests)
        for row in connection.execute(known.where(COHORT.c.digest.in_(batch)))
    }


def groups(connection: Connection) -> set[str]:
    """:meth:`Outbox.groups`."""
    told_something = select(COHORT.c.members).where(COHORT.c.id.in_(select(COHORT_TOLD.c.cohort_id)))
    return {group for members in connection.scalars(told_something) for group in members.split()}


def told(connection: Connection, groups: Collection[str]) -> dict[str, dict[str, datetime]]:
    """:meth:`Outbox.told`."""
    wanted = set(groups)
    found = {row.id: wanted.intersection(row.members.split()) for row in connection.execute(select(COHORT))}
    texts: dict[str, str] = {}  # each once: they are long, and most cohorts' are some other cohort's too
    heard: dict[str, list[str]] = defaultdict(list)
    for ids in batches([id for id, members in found.items() if members]):
        for row in connection.execute(sql.HEARD, {"ids": ids}):
            for group in found[row.cohort_id]:
                heard[group].append(texts.setdefault(row.lines, row.lines))
    lost = {
        row.group_id: row.broadcasts
        for ids in batches(heard)
        for row in connection.execute(sql.NOT_HEARD, {"ids": ids})
    }
    kinds = {group: (tuple(heard[group]), lost.get(group, "")) for group in heard}
    lines = {(its, gone): _lines(its, gone) for its, gone in set(kinds.values())}
    spoken = _spoken(connection, frozenset().union(*lines.values()))
    histories = {said: _history(said, spoken) for said in set(lines.values())}
    by_group = {group: histories[lines[kind]] for group, kind in kinds.items()}
    return {group: history for group, history in by_group.items() if history}


def _lines(texts: Iterable[str], gone: str) -> frozenset[str]:
    """The lines of ``texts``, less one of its broadcast's for each that is ``gone``: all parts of one say the same."""
    times = Counter(line for text in texts for line in text.split("\n"))
    lost = Counter(gone.split("\n"))
    return frozenset(line for line, often in times.items() if often > lost[line.partition(" ")[0]])


def _spoken(connection: Connection, lines: Iterable[str]) -> dict[str, tuple[datetime, list[str]]]:
    """For when each line was scheduled, and its entries. What another process has forgotten meanwhile - PostgreSQL
    shows each statement what is there by then - is left out.
    """
    parted = {line: line.split() for line in lines}
    numbers = {int(broadcast) for broadcast, *_entries in parted.values()}
    instants = select(BROADCAST.c.id, BROADCAST.c.scheduled_for)
    when = {
        str(row.id): row.scheduled_for
        for ids in batches(numbers)
        for row in connection.execute(instants.where(BROADCAST.c.id.in_(ids)))
    }
    return {
        line: (when[broadcast], entries)
        for line, (broadcast, *entries) in parted.items()
        if broadcast in when
    }


def _history(lines: Iterable[str], spoken: Mapping[str, tuple[datetime, list[str]]]) -> dict[str, datetime]:
    """When each entry was last told."""
    known = sorted(spoken[line] for line in lines if line in spoken)
    return {entry: at for at, entries in known for entry in entries}
