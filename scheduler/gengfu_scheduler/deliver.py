"""From the outbox to the groups: claim, post, settle, until nothing is due.

Promise (``docs/delivery.md``): no more than :data:`IN_FLIGHT` deliveries are
``sending`` at a time, so a crash leaves no more than that unknown. What goes wrong with one delivery ends that
delivery, with the evidence, and no other.
"""

from __future__ import annotations

import re
import traceback
from collections import deque
from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from gengfu_scheduler.channels import Channels, NoSuchChannel
from gengfu_scheduler.channels.beside import Beside
from gengfu_scheduler.channels.channel import Fitted, HttpChannel, LocalChannel, cut
from gengfu_scheduler.channels.transport import WAKE, Answer, Reply, Request, Transport, host_of
from gengfu_scheduler.digest import still_told
from gengfu_scheduler.draft import is_push
from gengfu_scheduler.groups import address_mark
from gengfu_scheduler.message import (
    Delivery,
    Dropped,
    Group,
    Handed,
    Message,
    Outcome,
    Pace,
    Rejected,
    Sent,
    Unknown,
)
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _

IN_FLIGHT = 200
"""Deliveries that are ``sending`` at a time, at most."""
DIGESTS = 125
"""... of which digests, at most: at a host that never answers they leave room for alerts."""
BATCH = 25
"""Outcomes that are waited for before they are written, and others claimed in their place: each batch costs a flush
to disk, and the larger it is the longer part of what is in flight only waits for it."""
CLAIMED = 2 * BATCH
"""Deliveries that are claimed together, at most: each waits until those before it are made."""
EVIDENCE = 400
"""Bytes of what a platform answered that are kept."""
EXCHANGE_AFTER = timedelta(milliseconds=50)
"""How long an outcome may wait to be written with others, and an alert to be looked for."""
MOMENT = timedelta(seconds=1)
"""Until a group that is not listed is looked for in the list as it is written then; and for how long a message, put in
a platform's form, is kept for the next group."""


class Circuits:
    """Hosts that stopped answering: after five unknowns in a row one probe a minute, until one is answered.

    Lives as long as the runner does, across deliveries; a restart starts with all hosts trusted.
    """

    def __init__(self, *, threshold: int = 5, pause: timedelta = timedelta(minutes=1)) -> None:
        self._threshold = threshold
        self._pause = pause
        self._unknowns: dict[str, int] = {}
        self._next_probe: dict[str, datetime] = {}

    def open_until(self, host: str, *, now: datetime) -> datetime | None:
        """None: post. Else when to ask again. Of an open host's posts one a minute gets None: the probe."""
        probe = self._next_probe.get(host)
        if probe is None:
            return None
        # A probe further away than the pause was set by a clock that has been put back since.
        if probe - self._pause <= now < probe:
            return probe
        self._next_probe[host] = now + self._pause
        return None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that are only probed now."""
        return tuple(sorted(self._next_probe))

    def record(self, host: str, reply: Reply, outcome: Outcome, *, now: datetime) -> None:
        """Take note of how a post to ``host`` ended. What never left says nothing about the host's answers."""
        if isinstance(outcome, Unknown):
            self._unknowns[host] = self._unknowns.get(host, 0) + 1
            if self._unknowns[host] == self._threshold:
                self._next_probe[host] = now + self._pause
        elif isinstance(reply, Answer):
            self._unknowns.pop(host, None)
            self._next_probe.pop(host, None)


def post_once(
    message: Message,
    groups: Iterable[Group],
    channels: Channels,
    transport: Transport,
    *,
    now: Callable[[], datetime],
) -> Iterator[tuple[Group, Outcome]]:
    """Tell each of ``groups`` once, past the outbox, and yield how it ended: for trying groups out."""
    by_key = dict(enumerate(groups))
    begun: dict[int, HttpChannel] = {}
    made: _Made = {}
    beside = Beside()
    ended: list[tuple[int, Outcome]] = []

    def requests() -> Iterator[Request | None]:
        for key, group in by_key.items():
            start = _begin(message, group, channels, key, now(), made)
            if isinstance(start, tuple):
                begun[key], request = start
                yield request
            elif callable(start):
                while beside.full:
                    ended.extend(beside.ended(wait=WAKE))
                    yield None
                beside.begin(key, start)
            else:
                ended.append((key, start))

    with closing(transport.post_many(requests())) as arriving:
        for replies in arriving:
            ended += [(key, _outcome(begun[key], by_key[key], reply)) for key, reply in replies]
            while ended:
                key, outcome = ended.pop(0)
                yield by_key[key], outcome
    while beside:
        for key, outcome in beside.ended(wait=WAKE):
            yield by_key[key], outcome


@dataclass(frozen=True, kw_only=True)
class _Posted:
    """A delivery on its way."""

    group: Group
    channel: HttpChannel
    host: str
    urgent: bool
    """It is no digest."""


class Deliveries:
    """What is on its way from the outbox to the groups: claimed, posted, and ended but not yet written.

    It outlives the calls that drive it, so that a caller with other things to see to leaves no line idle meanwhile.
    """

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        *,
        now: Callable[[], datetime],
        circuits: Circuits | None = None,
        stopping: Callable[[], bool] = lambda: False,
        current: Callable[[], bool] = lambda: True,
    ) -> None:
        """
        :param circuits: also of those that use the same hosts.
        :param stopping: once true, nothing more is begun; what is on its way is awaited.
        :param current: whether the roster is still what the admin's files say.
        """
        self._outbox = outbox
        self._transport = transport
        self._now = now
        self._circuits = circuits or Circuits()
        self._stopping = stopping
        self._current = current
        self._roster: Roster
        self._enough: Callable[[], bool]
        self._most: int
        self._urgent = self._calm = self._closing = False
        self._arriving: Generator[list[tuple[int, Reply]], None, None] | None = None
        self._made: _Made = {}
        self._made_at: datetime | None = None
        self._empty()

    def _empty(self) -> None:
        self._claimed: deque[Delivery] = deque()
        self._posted: dict[int, _Posted] = {}
        self._beside = Beside()
        self._ended: list[tuple[int, Outcome]] = []
        self._dead: dict[str, str] = {}
        self._held: list[tuple[int, datetime]] = []
        self._exchanged: datetime | None = None
        self._more = True

    @property
    def sending(self) -> int:
        """How many are ``sending``."""
        return len(self._claimed) + len(self._held) + len(self._posted) + len(self._beside) + len(self._ended)

    def go_on(
        self,
        roster: Roster,
        *,
        urgent: bool = False,
        elsewhere: int = 0,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Deliver all that is due, and what becomes due meanwhile; return when nothing is.

        In a group's quiet hours its digests wait for their end, but for those that a person pushed. What is over or
        withdrawn by now is left out, and a digest of which nothing is left is dropped.

        :param roster: the groups and the timetable as they are now.
        :param urgent: no digest is claimed, and none that is on its way is waited for.
        :param elsewhere: so many others are ``sending``, and count against :data:`IN_FLIGHT` too.
        :param enough: once true, no further digest is claimed, and what is on its way is left for the next call.
            Where nothing more is to be begun it is waited for all the same.
        :raises OutboxUnusable: outcomes could not be written; their deliveries are for ``recover`` to name.
        """
        self._roster, self._urgent, self._enough = roster, urgent, enough
        self._most = IN_FLIGHT - elsewhere
        self._calm, self._exchanged = False, None
        arriving = self._arriving or self._transport.post_many(self._requests())
        self._arriving = None
        try:
            for replies in arriving:
                self._take(replies)
                if (self._calm or enough()) and self._only_waits() and not self._ends():
                    self._settle()
                    self._arriving = arriving
                    return
        finally:
            if self._arriving is None:
                arriving.close()
                try:
                    self._settle()
                finally:
                    self._empty()

    def close(self) -> None:
        """Begin nothing more, and wait for the end of what is on its way.

        :raises OutboxUnusable: as :meth:`go_on`.
        """
        self._closing = True
        if self._arriving:
            self.go_on(self._roster)

    def _ends(self) -> bool:
        return self._closing or self._stopping()

    def _only_waits(self) -> bool:
        """Whether something is awaited, and all that was claimed is begun: what waits to be may be withdrawn meanwhile."""
        return bool(self._posted or self._beside) and not self._claimed

    def _requests(self) -> Iterator[Request | None]:
        """The posts to make, claimed as they are asked for; None while there is no room or nothing new."""
        while True:
            if self._claimed and not self._ends():
                if request := self._begin(self._claimed.popleft()):
                    yield request
            elif self._exchange_is_due():
                self._exchange()
                if not (self._claimed or self._posted or self._beside):
                    return
            else:
                yield None

    def _take(self, replies: list[tuple[int, Reply]]) -> None:
        """Replies have come; and what ended beside the posts, which is waited for a moment where no post is."""
        now = self._now()
        for delivery, reply in replies:
            posted = self._posted.pop(delivery)
            outcome = _outcome(posted.channel, posted.group, reply)
            if isinstance(outcome, Rejected) and outcome.disable:
                self._dead[posted.group.id] = address_mark(posted.group.webhook or "")
            self._circuits.record(posted.host, reply, outcome, now=now)
            self._end(delivery, outcome)
        for delivery, outcome in self._beside.ended(wait=0.0 if self._posted else WAKE):
            self._end(delivery, outcome)

    def _settle(self) -> None:
        """Write what has ended. What was claimed and not posted is free to be claimed again."""
        now, held = self._now(), [*self._held, *((delivery.id, self._now()) for delivery in self._claimed)]
        ended, self._ended, self._held = self._ended, [], []
        self._claimed.clear()
        if ended or held:
            self._outbox.exchange(ended, held, now=now, dead=self._dead, limit=0)

    def _exchange_is_due(self) -> bool:
        """Whether there is a batch to write, room for more that waits, nothing to be waited for, or it is time to."""
        ended, on_their_way = len(self._ended) + len(self._held), len(self._posted) + len(self._beside)
        room = self._more and on_their_way + ended + CLAIMED <= self._most
        if ended >= BATCH or room or not on_their_way or self._exchanged is None:
            return True
        return self._now() - self._exchanged >= EXCHANGE_AFTER

    def _exchange(self) -> None:
        """Write what has ended, and claim others in its place."""
        self._exchanged = now = self._now()
        self._more = False
        if self._ends():
            self._settle()
            return
        ended, held, self._ended, self._held = self._ended, self._held, [], []
        on_their_way = len(self._posted) + len(self._beside)
        limit = max(min(self._most - on_their_way, CLAIMED), 0)
        claimed = self._outbox.exchange(
            ended,
            held,
            now=now,
            dead=self._dead,
            limit=limit,
            digests=0 if self._urgent or self._enough() else max(DIGESTS - on_their_way, 0),
            pace=self._pace,
        )
        self._claimed.extend(claimed)
        self._more = 0 < limit == len(claimed)
        self._calm = self._urgent and not (claimed or any(posted.urgent for posted in self._posted.values()))
        if self._made_at is None or not timedelta(0) <= now - self._made_at < MOMENT:
            self._made, self._made_at = {}, now  # not kept for longer: a station's own template may change

    def _begin(self, delivery: Delivery) -> Request | None:
        now = self._now()
        told = to_be_told(delivery, self._roster, current=self._current, now=now)
        if isinstance(told, datetime):
            self._hold(delivery.id, told)
            return None
        if not isinstance(told, Addressed):
            self._end(delivery.id, told)
            return None
        group, message = told.group, told.message
        host = host_of(group.webhook or "")
        if until := self._circuits.open_until(host, now=now):
            self._hold(delivery.id, until)
            return None
        start = _begin(message, group, self._roster.channels, delivery.id, now, self._made)
        if callable(start):
            self._begin_beside(delivery, start)
            return None
        if not isinstance(start, tuple):
            self._end(delivery.id, start)
            return None
        channel, request = start
        urgent = message.form == "alert"
        self._posted[delivery.id] = _Posted(group=group, channel=channel, host=host, urgent=urgent)
        return request

    def _pace(self, id: str) -> Pace | None:
        group = self._roster.groups.get(id)
        try:
            return self._roster.channels.pace(group) if group else None
        except NoSuchChannel:
            return None  # it is refused before anything is posted

    def _begin_beside(self, delivery: Delivery, deliver: Callable[[], Outcome]) -> None:
        if self._beside.full:
            # Back among the pending: what waits here would count as on its way, and keep posts waiting.
            self._hold(delivery.id, self._now() + MOMENT)
        else:
            self._beside.begin(delivery.id, deliver)

    def _end(self, delivery: int, outcome: Outcome) -> None:
        self._ended.append((delivery, outcome))

    def _hold(self, delivery: int, until: datetime) -> None:
        self._held.append((delivery, until))


@dataclass(frozen=True, kw_only=True)
class Addressed:
    """Whom a delivery tells, and what."""

    group: Group
    message: Message


def to_be_told(
    delivery: Delivery, roster: Roster, *, current: Callable[[], bool], now: datetime
) -> Addressed | datetime | Outcome:
    """What is to be done with ``delivery`` now that it is due; else when to ask again, or how it ends untold."""
    group = roster.groups.get(delivery.group)
    if group is None:
        return Rejected(reason=_("群已不在名单中")) if current() else now + MOMENT
    waits = delivery.message.form == "digest" and not is_push(delivery.broadcast)
    if waits and (quiet_end := roster.timetable.quiet_until(group, now)):
        return min(quiet_end, delivery.expires)
    message = still_told(delivery.message, roster.catalogue, now)
    if message is None:
        return Dropped(reason=_("内容已撤回或过期，没有发"))
    return Addressed(group=group, message=message)


_Made = dict[tuple[HttpChannel, Message, Hashable], Fitted]
"""Payloads, each made once for all groups alike."""


def _begin(
    message: Message, group: Group, channels: Channels, delivery_id: int, now: datetime, made: _Made
) -> tuple[HttpChannel, Request] | Callable[[], Outcome] | Outcome:
    """The post to make, with the channel that will read its answer; or what to run beside the posts; or how it ended."""
    try:
        channel = channels.to(group)
        if isinstance(channel, HttpChannel):
            alike = channel, message, channel.alike(group)
            if alike not in made:
                made[alike] = channel.fitting(message, group)
            return channel, channel.post(made[alike], group, delivery_id=delivery_id, now=now)
        here = partial(_delivered, channel, message, group)
        return here if channel.slow else here()
    except Exception as error:
        return refused(error, group)


def _delivered(channel: LocalChannel, message: Message, group: Group) -> Outcome:
    try:
        return redacted(channel.deliver(message, group), _credentials(group))
    except Exception as error:
        return refused(error, group)


def refused(error: Exception, group: Group) -> Outcome:
    """It was not told: this side says why not, or has a mistake in it."""
    reason = str(error) if isinstance(error, GengfuError) else _bug(error)
    return redacted(Rejected(reason=reason), _credentials(group))


def _outcome(channel: HttpChannel, group: Group, reply: Reply) -> Outcome:
    """How the post ended, fit to be stored and shown."""
    if isinstance(reply, Answer):
        try:
            outcome = channel.outcome(reply)
        except Exception as error:
            outcome = Unknown(reason=_bug(error))
    else:
        outcome = reply
    return outcome if isinstance(outcome, Sent) else redacted(outcome, _credentials(group))


def _bug(error: Exception) -> str:
    """Evidence of a mistake in this program, for whoever mends it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
    return _("程序错误，请报告：{what}").format(what=what)


def redacted(outcome: Outcome, credentials: Collection[str]) -> Outcome:
    """``outcome`` without ``credentials``, which a platform may have echoed, and no longer than useful.

    Cut last: half an address would not be recognised.
    """
    if isinstance(outcome, Sent | Handed):
        return outcome
    reason = outcome.reason.encode("utf-8", "replace").decode()
    for credential in sorted(credentials, key=len, reverse=True):
        if credential.lower() in reason.lower():
            written = re.escape(credential)
            # What is short may stand in a longer word by chance.
            alone = written if len(credential) > 7 else rf"(?<![0-9A-Za-z]){written}(?![0-9A-Za-z])"
            reason = re.sub(alone, "…", reason, flags=re.I)
    return replace(outcome, reason=cut(reason, EVIDENCE))


def _credentials(group: Group) -> set[str]:
    """The group's secret and its address, whole and in pieces, as written and as meant.

    Of a web address the host is none, nor is what is too short to be one; of any other every piece is.
    """
    address = group.webhook or ""
    web = address.lower().startswith(("http://", "https://"))
    hidden = re.sub(r"^[\w+.-]+://" + (r"[^/?]*" if web else ""), "", address)
    pieces = {hidden, *re.split(r"[/?&=#:@,]", hidden)}
    credentials = {address, group.secret or "", *pieces, *map(unquote, pieces)}
    return {c for c in credentials if len(c) > (7 if web else 1)}
