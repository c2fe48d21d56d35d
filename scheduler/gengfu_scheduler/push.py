"""Telling something now, or again, or no more, because a person said so; and trying whether a group can be told.

A push and a resend only write the outbox. The running scheduler delivers it within a fraction of a second, on whichever
machine; where none runs, this process takes the station's lock and delivers itself. Either way the outbox says what became of it.
Promises (``docs/delivery.md``): what may have arrived is sent again only where a person says so, and is marked;
what was stopped does not leave any more.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from gengfu_scheduler.deliver import post_once
from gengfu_scheduler.digest import footer
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.message import Broadcast, Delivery, Group, Item, Message, Outcome, Sent
from gengfu_scheduler.outbox import AnotherSends, Outbox
from gengfu_scheduler.roster import Roster, RosterFiles
from gengfu_scheduler.runner import Clock, OpenTransport, Runner, Say, open_transport
from gengfu_scheduler.state import AlreadyRunning, Holder, only_scheduler, running
from gengfu_templates.i18n import _, series, translations

PATIENCE = timedelta(seconds=20)
"""How long a push waits for its deliveries to end before it reports the rest as waiting."""
RESENT_WITHIN = timedelta(hours=12)
"""How long a digest that is sent again may take, such as a night in which its group wants quiet."""
_LOOK = 0.1
"""Seconds between two looks at how far they are."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """A broadcast and how far it got by the time its push returned."""

    broadcast: Broadcast
    added: int
    """How many deliveries came of this push; none where it repeats an earlier one."""
    by: Holder | None
    """This machine's running scheduler, which delivers it; None where there is none."""
    elsewhere: bool
    """Whether another machine's does; where neither does, the push did so itself."""
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
    files: RosterFiles | None = None,
) -> Pushed:
    """Write ``draft`` to the outbox, see to its delivery, and report it.

    What is not over within :data:`PATIENCE` stays in the outbox for the scheduler.

    :param files: the admin's, where the caller has read them already.
    """
    added = outbox.plan(draft.broadcast, draft.planned, now=clock())
    files = files or _files(draft.broadcast, folder, environ)
    return _see_to(draft.broadcast, added, folder, environ, outbox, clock, say, transport, files)


Ended = Literal["unknown", "rejected"]
"""What a person may have sent again."""


def to_resend(
    key: str, states: Collection[Ended], groups: Collection[str] | None, outbox: Outbox
) -> list[Delivery]:
    """What :func:`resend` would send again.

    :param groups: only to these (ids); None: to all.
    :raises Refused: there is no broadcast ``key``, or nothing of it stands so.
    """
    _broadcast(key, outbox)
    chosen = [
        delivery
        for delivery in outbox.deliveries(key)
        if delivery.state in states and (groups is None or delivery.group in groups)
    ]
    if absent := sorted(set(groups or ()) - {delivery.group for delivery in chosen}):
        raise Refused(
            _("这次发送里，{groups} 的结果不是所选的这种，见 gengfu status {key}。").format(
                groups=series(absent), key=key
            )
        )
    if not chosen:
        raise Refused(_("这次发送里没有要重发的，见 gengfu status {key}。").format(key=key))
    return chosen


def resend(
    key: str,
    states: Collection[Ended],
    groups: Collection[str] | None,
    folder: Path,
    environ: Mapping[str, str],
    outbox: Outbox,
    *,
    clock: Clock,
    say: Say,
    transport: OpenTransport = open_transport,
) -> Pushed:
    """Send again what of the broadcast ``key`` ended in ``states``, see to it as :func:`push` does, and report it.

    What was ``unknown`` may arrive twice, and is marked 重发. A digest waits for the end of quiet hours.

    :param groups: only to these (ids); None: to all.
    :raises Refused: there is no such broadcast.
    :raises AlertOver: it is an alert that is over.
    """
    broadcast, now = _broadcast(key, outbox), clock()
    # An alert's time is its article's; that a person sends it again does not make it longer.
    until = broadcast.expires if broadcast.form == "alert" else now + RESENT_WITHIN
    added = outbox.resend(key, states, groups=groups, now=now, expires=until)
    files = _files(broadcast, folder, environ)
    return _see_to(broadcast, added, folder, environ, outbox, clock, say, transport, files)


def stop(key: str, by: str, outbox: Outbox, *, now: datetime) -> int:
    """Let nothing more leave of the broadcast ``key``, and nobody be asked to pass it on, as ``by`` wants it.

    What is on its way ends as it ends; what was sent cannot be taken back.

    :returns: how many deliveries were ended.
    :raises Refused: there is no such broadcast.
    """
    _broadcast(key, outbox)
    return outbox.stop(key, now=now, reason=_("由{by}停止").format(by=by))


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
    _ = translations(station.language).gettext  # the residents' language
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


def _broadcast(key: str, outbox: Outbox) -> Broadcast:
    known = outbox.broadcast(key)
    if known is None:
        raise Refused(_("没有编号为“{key}”的发送。编号在 gengfu status 每次发送的末尾。").format(key=key))
    return known.broadcast


def _files(broadcast: Broadcast, folder: Path, environ: Mapping[str, str]) -> RosterFiles:
    return RosterFiles(folder, environ, urgent=broadcast.form == "alert")


def _see_to(
    broadcast: Broadcast,
    added: int,
    folder: Path,
    environ: Mapping[str, str],
    outbox: Outbox,
    clock: Clock,
    say: Say,
    transport: OpenTransport,
    files: RosterFiles,
) -> Pushed:
    """Wait until the running scheduler has delivered ``broadcast``, or where none runs deliver it here."""
    by, elsewhere = running(folder), False
    if by is None:
        try:
            with only_scheduler(folder):
                runner = Runner(
                    folder,
                    environ,
                    outbox,
                    clock=clock,
                    say=say,
                    transport=transport,
                    files=files,
                )
                try:
                    _wait(broadcast, outbox, clock, runner)
                finally:
                    runner.finish()
        except AlreadyRunning as other:
            by = other.holder  # it began in this very moment
        except AnotherSends:
            elsewhere = True
    if by is not None or elsewhere:
        _wait(broadcast, outbox, clock, None)
    return Pushed(
        broadcast=broadcast,
        added=added,
        by=by,
        elsewhere=elsewhere,
        deliveries=tuple(outbox.deliveries(broadcast.key)),
    )


def _wait(broadcast: Broadcast, outbox: Outbox, clock: Clock, runner: Runner | None) -> None:
    """Until nothing of ``broadcast`` can end before patience does; ``runner`` does the work where there is one.

    A disabled group's delivery waits for a person, not for us.
    """
    deadline = clock() + PATIENCE
    while True:
        if runner:
            runner.send()
        if clock() >= deadline or not outbox.is_open(broadcast.key, until=deadline):
            return
        time.sleep(_LOOK)
