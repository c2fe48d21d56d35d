"""The words of the scheduler: groups, messages, deliveries and how they ended.

Lowest floor of this half: plain frozen values, no input or output, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Literal, assert_never

Reach = Literal["webhook", "confirm", "hand"]
Form = Literal["digest", "alert"]
State = Literal["pending", "sending", "sent", "handed", "rejected", "unknown", "expired", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class QuietHours:
    """A daily span, in the station's time zone, in which no digest is sent; it may cross midnight."""

    start: time
    end: time

    def __contains__(self, clock: time) -> bool:
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


@dataclass(frozen=True, kw_only=True)
class Group:
    """One chat group, as the admin's spreadsheet describes it."""

    id: str
    name: str
    reach: Reach
    """``webhook``: a robot posts. ``confirm``: the platform asks the owner, who confirms there. ``hand``: the owner
    forwards, and says so."""
    platform: str = ""
    """Name of the channel, e.g. ``wecom``; empty for ``hand``."""
    webhook: str | None = field(default=None, repr=False)
    """Its address. A credential: never logged, shown or stored in the outbox."""
    secret: str | None = field(default=None, repr=False)
    """Signing key, where the platform has one. Never shown either."""
    keyword: str = ""
    """A word that the robot wants to see in every message (DingTalk, Feishu)."""
    chat: str = ""
    """The platform's own id of a ``confirm`` group."""
    account: str = ""
    """The owner's account on the platform, who is asked to confirm."""
    area: str | None = None
    """Path of the area it belongs to; None for a group of the whole station."""
    audience: tuple[str, ...] = ()
    """Audiences it is made of; empty means mixed."""
    topics: tuple[str, ...] = ()
    """Topics it wants; empty means all."""
    owner: str = ""
    """Who looks after it; gets the tasks of a ``hand`` group."""
    size: int | None = None
    """Number of members, as the owner last counted."""
    joined: datetime
    """Since when the station serves it: older items are not poured into it."""
    quiet_hours: QuietHours | None = None
    """In place of the station's, where set."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often one webhook may be posted to, by the generic cell rate algorithm (ITU-T I.371).

    In any window of length W there are at most ``burst + W / every`` posts.
    """

    every: timedelta
    """One each so long, on average."""
    burst: int
    """So many at once, at most."""
    reserve: int
    """So many of ``burst`` are kept for alerts."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One published article inside a message."""

    entry: str
    """The entry's id: history goes by it."""
    title: str
    summary: str
    url: str
    image: str | None = None
    """Address of a JPEG or PNG, which every app shows that shows pictures at all."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a group is told, before any platform's limits. Groups told the same share one message."""

    form: Form
    title: str
    """A digest's slot title (每日警情提示), an alert's headline."""
    items: tuple[Item, ...]
    """A digest's articles; an alert's own page as the only one."""
    body: str = ""
    """An alert's text, plain, a line a fact; empty for a digest."""
    footer: str = ""
    """Station, the area's officer and official phone."""
    home: str = ""
    """Address of the guide site."""
    language: str = "zh-CN"
    """Of the station; a channel's own words (重发) are said in it."""
    over: bool = False
    """An alert that ended: it is no longer to alarm anybody."""
    resent: bool = False
    """A second sending after an ``unknown``: every part is marked 重发."""
    part: int = 1
    parts: int = 1
    """Which of how many messages this is that together tell one alert."""

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Asked for once a group, several times over."""
        return hash((self.form, self.title, self.items, self.body, self.footer, self.part, self.resent))


@dataclass(frozen=True, kw_only=True)
class Broadcast:
    """One decision to tell something to some groups. ``key`` is the idempotency key: never planned twice."""

    key: str
    """``slot@instant``, ``alert:id:revision`` or ``correction:id:revision``; instants in UTC, to the second."""
    form: Form
    title: str
    scheduled_for: datetime
    expires: datetime
    """A delivery still pending then is given up (state ``expired``)."""
    linked: bool = True
    """Its page was public when it was planned; only then does its absence from the catalogue mean that it is over."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a broadcast says to one group; the outbox makes deliveries of it."""

    group: str
    messages: tuple[Message, ...]
    """Its parts in order; a digest has one."""
    not_before: datetime
    way: Reach = "webhook"
    """Of the group, when it was planned."""
    last_told: datetime | None = None
    """For which instant the group was last told any of a digest's items, as the drafter knew; None: never."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The platform took it. ``confirmed``: by its own code; else it was only accepted."""

    confirmed: bool


@dataclass(frozen=True, kw_only=True)
class Handed:
    """It lies with a person, who must still pass it on."""

    to: str
    task: str = ""
    """The platform's own name of the task, where it is the platform that asks that person."""
    account: str = ""
    """That person's account there: who must confirm it."""


@dataclass(frozen=True, kw_only=True)
class Unsent:
    """Not a byte of it left this machine: trying again cannot double it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Throttled:
    """The platform refused it for now, by an explicit code: trying again cannot double it."""

    after: float
    """Seconds to wait, at least."""
    reason: str
    retries: int | None = None
    """How often to try again at most; None: as long as its time lasts."""


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The platform refused it for good."""

    reason: str
    disable: bool = False
    """The address itself is dead: send nothing more to this group until a test succeeds."""


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """It left, and no one said whether it arrived. Sending again may double it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """Nothing of it is left to be told: what it said is over or withdrawn by now."""

    reason: str


Outcome = Sent | Handed | Unsent | Throttled | Rejected | Unknown | Dropped


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One part of one broadcast to one group: a row of the outbox."""

    id: int
    broadcast: str
    """Key of its broadcast."""
    group: str
    part: int
    """From 1; a digest has one."""
    state: State
    attempts: int
    """Requests begun so far."""
    not_before: datetime
    expires: datetime
    message: Message
    way: Reach = "webhook"
    """How its group was to be reached when it was planned."""
    resent: bool = False
    """It is, or was, sent a second time after an ``unknown``."""
    reason: str = ""
    """Evidence for a person: the platform's code and text, or what broke."""


def state_after(outcome: Outcome) -> State:
    """The state in which ``outcome`` leaves a delivery (the diagram of ``docs/delivery.md``)."""
    match outcome:
        case Sent():
            return "sent"
        case Handed():
            return "handed"
        case Unsent() | Throttled():
            return "pending"
        case Rejected():
            return "rejected"
        case Unknown():
            return "unknown"
        case Dropped():
            return "cancelled"
        case _:
            assert_never(outcome)


def slot_of(key: str) -> str:
    """The slot that the broadcast ``key`` is of, at its own time or pushed; of an alert something no slot is called."""
    return key.removeprefix("push:").partition("@")[0]


def is_alert(key: str) -> bool:
    """Whether the broadcast ``key`` tells of an alert; a correction has its form only."""
    return key.startswith("alert:")
