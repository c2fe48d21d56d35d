"""What delivering needs around it: a clock to set by hand, a transport that answers as told, a roster of groups."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from chats import CHANNELS, ITEM, NOON
from gengfu_scheduler.channels import Channels
from gengfu_scheduler.channels.transport import Answer, Reply, Request, Transport
from gengfu_scheduler.deliver import Circuits, Deliveries
from gengfu_scheduler.message import Group
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Timetable
from gengfu_site.catalogue import Catalogue
from watch import STATION, tip

OK = Answer(status=200, headers={}, body=b'{"errcode":0,"errmsg":"ok"}')


@dataclass
class Clock:
    """Stands still unless told."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass
class FakeTransport:
    """Answers what ``reply`` says; keeps ``room`` requests on their way."""

    reply: Callable[[Request], Reply] = lambda _request: OK
    room: int = 100
    posted: list[Request] = field(default_factory=list)

    def post_many(self, requests: Iterable[Request | None]) -> Generator[list[tuple[int, Reply]], None, None]:
        source, flying, more = iter(requests), list[Request](), True
        while more or flying:
            while more and len(flying) < self.room:
                request = next(source, self)
                if request is self:
                    more = False
                if not isinstance(request, Request):
                    break
                self.posted.append(request)
                flying.append(request)
            yield [(flying[0].key, self.reply(flying.pop(0)))] if flying else []


def deliver(
    outbox: Outbox,
    roster: Roster,
    transport: Transport,
    *,
    now: Callable[[], datetime],
    circuits: Circuits | None = None,
    stopping: Callable[[], bool] = lambda: False,
    current: Callable[[], bool] = lambda: True,
    urgent: bool = False,
) -> None:
    """All that is due, as one call of one who has nothing else to see to."""
    deliveries = Deliveries(outbox, transport, now=now, circuits=circuits, stopping=stopping, current=current)
    deliveries.go_on(roster, urgent=urgent)


def roster(groups: dict[str, Group], channels: Channels = CHANNELS) -> Roster:
    """These groups, by id; of what is published only :data:`chats.ITEM`."""
    return Roster(
        catalogue=Catalogue(station=STATION, entries=(tip(ITEM.entry),)),
        groups=groups,
        timetable=Timetable(timezone=ZoneInfo("Asia/Shanghai")),
        channels=channels,
    )
