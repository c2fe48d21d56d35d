"""Slots, and the instants that follow from them.

A slot is written in human words and means wall-clock time in the timetable's zone. The instants of a slot
are a pure function of its words: every local day that its ``days`` hold has exactly one instant for each
of its times, whatever the clocks do (https://peps.python.org/pep-0495/). A time that a spring change skips
comes at the first instant after the gap; one that an autumn change repeats comes the first time only; a
day that a zone skipped as a whole (Pacific/Apia, 30 December 2011) has none.

On blackout days nothing but an alert is sent: no slot occurs, and what was held up waits for their end. A
campaign puts articles first while it lasts; a slot bound to one occurs only within it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from socket import gethostname
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)

from gengfu_scheduler import words
from gengfu_scheduler.days import EVERY_DAY, Dates, Days, holidays_known
from gengfu_scheduler.message import Group, QuietHours
from gengfu_site.catalogue import Entry, Kind, within
from gengfu_site.source import Mistake, shortened
from gengfu_templates.i18n import _

FILE = "timetable.yml"
CATALOGUE = "public/catalogue.json"
"""Where ``gengfu build`` puts it, below the station folder."""
MOST_ITEMS = 7
"""In one digest; the smallest platform's card holds eight, and its first place may go to a heading."""

SPREAD = timedelta(minutes=3)
"""Over how long a slot's sends are spread where the timetable does not say."""
KEEP = timedelta(days=400)
"""How long the outbox remembers, at least, where the timetable does not say."""
LONGEST_SPREAD = timedelta(minutes=30)

DIGEST_KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != "alert")
"""What a digest may hold. An alert is never one item among others."""


STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)


def read_by(function: Any) -> BeforeValidator:
    """Let ``function`` read the text; what is not text is left for pydantic to refuse."""
    return BeforeValidator(lambda value: function(value) if isinstance(value, str) else value)


def declared(what: str) -> AfterValidator:
    """Let only names pass that the validation's context holds under ``what``."""

    def check(word: str, info: ValidationInfo) -> str:
        known = info.context[what] if info.context else ()
        if word not in known:
            raise words.undeclared(what, word, known)
        return word

    return AfterValidator(check)


AreaPath = Annotated[str, declared("area")]
Audience = Annotated[str, declared("audience")]
TopicName = Annotated[str, declared("topic")]
GroupId = Annotated[str, declared("group")]
CampaignName = Annotated[str, declared("campaign")]
DigestKind = Annotated[Kind, declared("kind")]
Duration = Annotated[timedelta, read_by(words.duration)]
Count = Annotated[int, Field(ge=0, le=MOST_ITEMS)]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The groups a slot speaks to. Empty: all."""

    __pydantic_config__ = STRICT

    areas: tuple[AreaPath, ...] = ()
    """Groups at or beneath any of them."""
    audience: tuple[Audience, ...] = ()
    """Groups made of any of them; a mixed group is not. With ``areas``, both must hold."""
    groups: tuple[GroupId, ...] = ()
    """Ids of groups that are meant in any case."""

    def __contains__(self, group: Group) -> bool:
        if group.id in self.groups:
            return True
        if not (self.areas or self.audience):
            return not self.groups
        lies_there = not self.areas or (
            group.area is not None and any(within(group.area, area) for area in self.areas)
        )
        return lies_there and (not self.audience or not set(self.audience).isdisjoint(group.audience))


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What a slot's digests are made of."""

    __pydantic_config__ = STRICT

    kinds: tuple[DigestKind, ...] = DIGEST_KINDS
    topics: tuple[TopicName, ...] = ()
    """Empty: any topic."""
    fresh: Duration = timedelta(days=7)
    """How long after its publication an article counts as new."""
    new: Count = 3
    """At most so many new articles."""
    repeat: Count = 1
    """At most so many evergreen ones to fill up."""
    repeat_after: Duration = timedelta(days=30)
    """How long a group is not told the same evergreen article again."""


@dataclass(frozen=True, kw_only=True)
class Blackout:
    """Days on which no digest is sent."""

    days: Dates
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """Some weeks in which some articles come first, e.g. 反诈宣传月."""

    name: str
    days: Dates
    topics: tuple[str, ...] = ()
    """Empty: any topic."""
    kinds: tuple[Kind, ...] = DIGEST_KINDS
    to: Target = Target()
    """The groups that it is for."""
    repeat_after: timedelta | None = None
    """In place of a slot's own, where set."""

    def __contains__(self, entry: Entry) -> bool:
        return entry.kind in self.kinds and (not self.topics or not set(self.topics).isdisjoint(entry.topics))


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One line of the timetable."""

    id: str
    title: str
    """The digest's heading, e.g. 每日警情提示."""
    at: tuple[time, ...]
    """Wall-clock times, earliest first."""
    days: Days = EVERY_DAY
    to: Target = Target()
    pick: Pick = Pick()
    late: timedelta = timedelta(hours=2)
    """How long after its time an occurrence may still be sent."""
    spread: timedelta = SPREAD
    """Over how long its sends are spread, so that they do not come all at once; shorter than ``late``."""
    campaign: Campaign | None = None
    """It occurs only within it, and speaks only to groups that it is for."""
    blackouts: tuple[Blackout, ...] = ()
    """The timetable's."""

    def __contains__(self, group: Group) -> bool:
        """Whether the slot speaks to ``group``."""
        return group in self.to and (self.campaign is None or group in self.campaign.to)

    def occurs_on(self, day: date) -> bool:
        return (
            day in self.days
            and (self.campaign is None or day in self.campaign.days)
            and blackout_on(day, self.blackouts) is None
        )


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    slot: Slot
    scheduled_for: datetime
    """In UTC."""

    @property
    def key(self) -> str:
        """The idempotency key of its broadcast."""
        return f"{self.slot.id}@{self.scheduled_for:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the desk listens: the task pages for people who pass on by hand, and the answer to monitoring."""

    host: str
    port: int
    """0: a free one."""

    @property
    def url(self) -> str:
        """Its address as this machine sees it, with a trailing slash."""
        host = self.host if self.host.strip("0.:") else gethostname()  # of all its interfaces
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


DESK = Place(host="127.0.0.1", port=8790)


def place(text: str) -> Place | None:
    """``HOST:PORT``, an IPv6 address in brackets; ``off`` for none.

    :raises Mistake: it is neither.
    """
    if text == "off":
        return None
    host, _colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not re.fullmatch(r"[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\]", host) or not (
        port.isascii() and port.isdecimal() and int(port) < 65536
    ):
        raise Mistake(
            _("listen 应是“地址:端口”或 off，见到的是“{found}”。").format(found=shortened(text)),
            _("只在本机用写 127.0.0.1:8790；让单位网络里的手机能打开写 0.0.0.0:8790。"),
        )
    return Place(host=bare, port=int(port))


@dataclass(frozen=True, kw_only=True)
class Timetable:
    timezone: ZoneInfo
    quiet_hours: QuietHours | None = None
    hosts: tuple[str, ...] = ()
    """Hosts that posts may go to besides the known platforms'."""
    catalogue: str = CATALOGUE
    """A path below the station folder, or a URL."""
    slots: tuple[Slot, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    """In the admin's order, as campaigns and slots are."""
    keep: timedelta = KEEP
    """How long what was sent is remembered: at least as long as any rule on what to tell looks back."""
    staff: Target | None = None
    """The groups of the station's own people, whom an exercise is for; None: not said."""
    desk: Place | None = DESK
    """None: the scheduler keeps none."""
    desk_url: str = ""
    """Where people's phones find it, with a trailing slash; empty: where it listens."""

    def campaigns_at(self, at: datetime) -> tuple[Campaign, ...]:
        """The campaigns that are on at ``at``."""
        day = at.astimezone(self.timezone).date()
        return tuple(campaign for campaign in self.campaigns if day in campaign.days)

    def blackout_at(self, at: datetime) -> Blackout | None:
        """The blackout that ``at`` lies in."""
        return blackout_on(at.astimezone(self.timezone).date(), self.blackouts)

    def quiet_until(self, group: Group, at: datetime) -> datetime | None:
        """When a digest for ``group`` that is due at ``at`` may be sent; None: at once.

        That is the end of quiet hours and blackouts that ``at`` lies in, however they follow each other.
        """
        until = None
        while end := self._blackout_end(until or at) or self._quiet_end(group, until or at):
            until = end
        return until

    def _blackout_end(self, at: datetime) -> datetime | None:
        blackout = self.blackout_at(at)
        if blackout is None:
            return None
        return _instant(blackout.days.last + timedelta(days=1), time(), self.timezone)

    def _quiet_end(self, group: Group, at: datetime) -> datetime | None:
        quiet = group.quiet_hours or self.quiet_hours
        local = at.astimezone(self.timezone)
        if quiet is None or local.time() not in quiet:
            return None
        end = _instant(local.date(), quiet.end, self.timezone)
        return end if end > at else _instant(local.date() + timedelta(days=1), quiet.end, self.timezone)


def occurrences(
    slot: Slot, timezone: ZoneInfo, after: datetime, until: datetime | None = None
) -> Iterator[Occurrence]:
    """The slot's occurrences later than ``after`` and not later than ``until``, earliest first.

    Without ``until`` there is no end but that of the slot's campaign. Neighbouring spans never share and
    never miss an occurrence.
    """
    day, last = after.astimezone(timezone).date() - timedelta(days=1), date.max
    if slot.campaign:
        day, last = max(day, slot.campaign.days.first), slot.campaign.days.last
    latest = after
    while day <= last:
        midnight, day_after = _instant(day, time(), timezone), day + timedelta(days=1)
        if until is not None and midnight > until:
            return
        # A day that the zone skipped has no length.
        if slot.occurs_on(day) and midnight < _instant(day_after, time(), timezone):
            for clock in slot.at:
                instant = _instant(day, clock, timezone)
                # Two times of one gap come at the same instant, once.
                if instant > latest and (until is None or instant <= until):
                    latest = instant
                    yield Occurrence(slot=slot, scheduled_for=instant)
        day = day_after


def next_after(slot: Slot, timezone: ZoneInfo, after: datetime) -> datetime | None:
    """The instant of the slot's first occurrence later than ``after``; None: it has none any more."""
    return next((found.scheduled_for for found in occurrences(slot, timezone, after)), None)


def times(slot: Slot, timezone: ZoneInfo) -> str:
    """The words that the instants of ``slot`` follow from: two of equal words have the same instants.

    Blackouts are not among them: they are the station's, and one more or less begins no slot anew.
    """
    days = slot.days
    sets = [sorted(chosen) for chosen in (days.weekdays, days.of_month, days.last)]
    bound = [f"{slot.campaign.days}"] if slot.campaign else []
    return json.dumps([timezone.key, [f"{at}" for at in slot.at], days.every, days.workdays, *sets, *bound])


def blackout_on(day: date, blackouts: Iterable[Blackout]) -> Blackout | None:
    """The blackout among ``blackouts`` that ``day`` lies in."""
    return next((blackout for blackout in blackouts if day in blackout.days), None)


def unknown_years(slots: Iterable[Slot], after: datetime, until: datetime) -> tuple[int, ...]:
    """The years between the two for which working days are asked and the holiday notice is not known."""
    if not any(slot.days.workdays for slot in slots):
        return ()
    return tuple(year for year in range(after.year, until.year + 1) if not holidays_known(year))


def _instant(day: date, clock: time, timezone: ZoneInfo) -> datetime:
    """When the wall clock of ``timezone`` first shows ``clock`` or later on ``day``, in UTC."""
    local = datetime.combine(day, clock, timezone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # In a gap the two readings lie on either side of the change: close in on it.
    before, changed = second, first
    offset = changed.astimezone(timezone).utcoffset()
    while changed - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(changed - before) // timedelta(seconds=2))
        if middle.astimezone(timezone).utcoffset() == offset:
            changed = middle
        else:
            before = middle
    return changed
