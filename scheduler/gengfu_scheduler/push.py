"""Telling something now, because a person said so; and trying whether a group can be told at all.

A push only writes the outbox. The running scheduler delivers it within a fraction of a second; where none
runs, this process takes the station's lock and delivers itself. Either way the outbox says what became of it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gengfu_scheduler.channels.hand import TASKS_OF, write_task_pages
from gengfu_scheduler.deliver import post_once
from gengfu_scheduler.digest import footer
from gengfu_scheduler.draft import Draft
from gengfu_scheduler.message import Broadcast, Delivery, Group, Item, Message, Outcome, Sent
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.runner import Clock, OpenTransport, Runner, Say, open_transport
from gengfu_scheduler.state import AlreadyRunning, Holder, only_scheduler, running
from gengfu_templates.i18n import translations

PATIENCE = timedelta(seconds=20)
"""How long a push waits for its deliveries to end before it reports the rest as waiting."""
_LOOK = 0.1
"""Seconds between two looks at how far they are."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A broadcast and how far it got by the time its push returned."""

    broadcast: Broadcast
    added: int
    """How many deliveries came of this push; none where it repeats an earlier one."""
    by: Holder | None
    """The running scheduler that delivers it; None where the push did so itself."""
    deliveries: tuple[Delivery, ...]


def push(
    draft: Draft,
    folder: Path,
    environ: Mapping[str, str],
    outbox: Outbox,
    *,
    clock: Clock,
    say: Say,
    transport: OpenTransport = open_transport,
) -> Pushed:
    """Write ``draft`` to the outbox, see to its delivery, and report it.

    What is not over within :data:`PATIENCE` stays in the outbox for the scheduler.
    """
    added = outbox.plan(draft.broadcast, draft.planned, now=clock())
    by = running(folder)
    if by is None:
        try:
            with only_scheduler(folder):
                runner = Runner(folder, environ, outbox, clock=clock, say=say, transport=transport)
                _wait(draft, outbox, clock, runner)
        except AlreadyRunning as other:
            by = other.holder  # it began in this very moment
    if by is not None:
        _wait(draft, outbox, clock, None)
    return Pushed(
        broadcast=draft.broadcast,
        added=added,
        by=by,
        deliveries=tuple(outbox.deliveries(draft.broadcast.key)),
    )


def passed_on(
    key: str,
    groups: Collection[str],
    by: str,
    outbox: Outbox,
    roster: Roster,
    tasks: Path,
    *,
    now: datetime,
) -> None:
    """Note that ``by`` says to have told ``groups`` (ids) of the broadcast ``key``, and take them off the task pages.

    :param tasks: the folder of task pages.
    """
    outbox.said([d.id for d in outbox.deliveries(key) if d.group in groups], by, now=now)
    open_ones = [s.broadcast for s in outbox.broadcasts(limit=TASKS_OF) if "handed" in s.counts]
    handed = [(broadcast, outbox.deliveries(broadcast.key)) for broadcast in open_ones]
    write_task_pages(handed, roster.groups, tasks)


def try_groups(
    groups: Iterable[Group],
    roster: Roster,
    outbox: Outbox,
    *,
    clock: Clock,
    transport: OpenTransport = open_transport,
) -> Iterator[tuple[Group, Outcome]]:
    """Post a test message to each of ``groups`` and yield how it ended; success ends a group's being disabled."""
    station = roster.catalogue.station
    _ = translations(station.language).gettext
    message = Message(
        form="digest",
        title=_("【测试】{station}").format(station=station.name),
        items=(
            Item(
                entry="",
                title=_("这是一条测试消息"),
                summary=_("看到它，说明本群能收到{station}的消息。请忽略。").format(station=station.name),
                url=station.url,
            ),
        ),
        footer=footer(station, None),
        home=station.url,
        language=station.language,
    )
    for group, outcome in post_once(
        message, groups, roster.channels, transport(roster.timetable.hosts), now=clock
    ):
        if isinstance(outcome, Sent):
            outbox.enable(group.id)
        yield group, outcome


def _wait(draft: Draft, outbox: Outbox, clock: Clock, runner: Runner | None) -> None:
    """Until nothing of ``draft`` can end before patience does; ``runner`` does the work where there is one.

    A disabled group's delivery waits for a person, not for us.
    """
    deadline = clock() + PATIENCE
    while True:
        if runner:
            runner.send()
        disabled = outbox.disabled()
        waiting = [
            delivery
            for delivery in outbox.deliveries(draft.broadcast.key)
            if delivery.state == "sending"
            or (
                delivery.state == "pending"
                and delivery.group not in disabled
                and delivery.not_before <= deadline
            )
        ]
        if not waiting or clock() >= deadline:
            return
        time.sleep(_LOOK)
