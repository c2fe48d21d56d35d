"""When the station speaks: ``timetable.yml`` and the instants that follow from it.

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
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from socket import gethostname
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationInfo,
)

from gengfu_scheduler import words
from gengfu_scheduler.days import EVERY_DAY, Dates, Days, dates, days, holidays_known
from gengfu_scheduler.message import Group, QuietHours
from gengfu_site.catalogue import Entry, Kind, Station, within
from gengfu_site.problems import Problem
from gengfu_site.source import Document, Mistake, TimeZoneName, read_text, read_yaml, shortened, validate
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


_STRICT = ConfigDict(extra="forbid", str_strip_whitespace=True)


def _read_by(function: Any) -> BeforeValidator:
    """Let ``function`` read the text; what is not text is left for pydantic to refuse."""
    return BeforeValidator(lambda value: function(value) if isinstance(value, str) else value)


def _declared(what: str) -> AfterValidator:
    """Let only names pass that the validation's context holds under ``what``."""

    def check(word: str, info: ValidationInfo) -> str:
        known = info.context[what] if info.context else ()
        if word not in known:
            raise words.undeclared(what, word, known)
        return word

    return AfterValidator(check)


AreaPath = Annotated[str, _declared("area")]
Audience = Annotated[str, _declared("audience")]
TopicName = Annotated[str, _declared("topic")]
GroupId = Annotated[str, _declared("group")]
CampaignName = Annotated[str, _declared("campaign")]
DigestKind = Annotated[Kind, _declared("kind")]
Duration = Annotated[timedelta, _read_by(words.duration)]
Count = Annotated[int, Field(ge=0, le=MOST_ITEMS)]


@dataclass(frozen=True, kw_only=True)
class Target:
    """The groups a slot speaks to. Empty: all."""

    __pydantic_config__ = _STRICT

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

    __pydantic_config__ = _STRICT

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


# --- reading the file -----------------------------------------------------------------------------


def catalogue_address(folder: Path) -> str:
    """The ``catalogue:`` of the timetable in ``folder``: needed before its other words can be judged."""
    text = read_text(folder / FILE, folder)
    if isinstance(text, Problem):
        return CATALOGUE
    address = read_yaml(text, FILE)[0].value.get("catalogue")
    return address if isinstance(address, str) and address else CATALOGUE


def read_timetable(
    folder: Path, station: Station, groups: Collection[str]
) -> tuple[Timetable | None, tuple[Problem, ...]]:
    """The timetable in ``folder``, or everything that is wrong with it.

    :param station: declares the areas, audiences and topics that slots may name.
    :param groups: the ids of all groups.
    """
    text = read_text(folder / FILE, folder)
    if isinstance(text, Problem):
        return None, (text,)
    document, problems = read_yaml(text, FILE)
    if problems:
        return None, tuple(problems)
    campaigns = document.value.get("campaigns")
    known = {
        **words.vocabulary(station),
        "group": groups,
        "kind": DIGEST_KINDS,
        "campaign": list(campaigns) if isinstance(campaigns, dict) else (),
    }
    written, problems = validate(_Timetable, document, known)
    if written is None:
        return None, tuple(problems)
    timetable = _resolved(written, station)
    return timetable, (
        *_never_sent(timetable, document),
        *_spread_too_long(timetable, document),
        *_kept_too_short(timetable, document),
    )


def _resolved(written: _Timetable, station: Station) -> Timetable:
    campaigns = {
        name: Campaign(
            name=name,
            days=campaign.days,
            topics=campaign.topics,
            kinds=campaign.kinds,
            to=campaign.to,
            repeat_after=campaign.repeat_after,
        )
        for name, campaign in written.campaigns.items()
    }
    blackouts = tuple(Blackout(days=part.days, reason=part.reason) for part in written.blackout)
    slots = tuple(
        Slot(
            id=name,
            title=slot.title,
            at=tuple(sorted(set(slot.at))),
            days=slot.days,
            to=slot.to,
            pick=slot.pick,
            late=slot.late,
            spread=min(SPREAD, slot.late / 2) if slot.spread is None else slot.spread,
            campaign=campaigns[slot.campaign] if slot.campaign else None,
            blackouts=blackouts,
        )
        for name, slot in written.slots.items()
    )
    return Timetable(
        timezone=ZoneInfo(written.timezone or station.timezone),
        quiet_hours=written.quiet_hours,
        keep=max(KEEP, _looks_back(slots, campaigns.values())) if written.keep is None else written.keep,
        staff=written.staff,
        desk=written.desk.listen,
        desk_url=written.desk.url,
        hosts=tuple(written.hosts),
        catalogue=written.catalogue,
        slots=slots,
        campaigns=tuple(campaigns.values()),
        blackouts=blackouts,
    )


def _looks_back(slots: Iterable[Slot], campaigns: Iterable[Campaign]) -> timedelta:
    """How far back the rules on what to tell look: what is fresh and forgotten would be told as if it were new."""
    spans = [span for slot in slots for span in (slot.pick.fresh, slot.pick.repeat_after)]
    spans += [campaign.repeat_after for campaign in campaigns if campaign.repeat_after]
    return max(spans, default=timedelta(0))


def _kept_too_short(timetable: Timetable, document: Document) -> Iterator[Problem]:
    needed = _looks_back(timetable.slots, timetable.campaigns)
    if timetable.keep < needed:
        yield document.problem(
            "keep",
            message=_("keep 太短：fresh 或 repeat_after 要用到 {needed} 天以内的记录。").format(
                needed=-(-needed // timedelta(days=1))
            ),
            remedy=_("把 keep 写成 {needed}d 以上，或把 fresh、repeat_after 写短。").format(
                needed=-(-needed // timedelta(days=1))
            ),
        )


def _spread_too_long(timetable: Timetable, document: Document) -> Iterator[Problem]:
    for slot in timetable.slots:
        if slot.spread >= slot.late:
            yield document.problem(
                "slots",
                slot.id,
                "spread",
                message=_("spread 应比 late 短，不然排在后面的群总是过时。"),
                remedy=_("把 spread 写短，或把 late 写长。"),
            )


def _never_sent(timetable: Timetable, document: Document) -> Iterator[Problem]:
    """Times that lie so deep in the quiet hours that their digests would always be too late."""
    quiet = timetable.quiet_hours
    for slot in timetable.slots if quiet else ():
        assert quiet is not None
        for clock in slot.at:
            wait = datetime.combine(date.min, quiet.end) - datetime.combine(date.min, clock)
            if clock in quiet and wait % timedelta(days=1) >= slot.late:
                yield document.problem(
                    "slots",
                    slot.id,
                    "at",
                    message=_(
                        "{clock:%H:%M} 在免打扰时间里，等到 {end:%H:%M} 已超过 late，永远发不出去。"
                    ).format(clock=clock, end=quiet.end),
                    remedy=_("换一个时刻，或把 late 写长一些。"),
                )


def _one_or_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _joined(value: Any) -> Any:
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _is_host(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", name):
        raise Mistake(
            _("hosts 里应是主机名，见到的是“{name}”。").format(name=shortened(name)),
            _("只写小写的主机名，不写 https://、端口和路径，例如 chat.example.org。"),
        )
    return name


def _is_base(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise Mistake(
            _("desk 的 url 应是网址，见到的是“{found}”。").format(found=shortened(url)),
            _("写手机上能打开的地址，例如 http://10.1.2.3:8790/。"),
        )
    return url.removesuffix("/") + "/"


def _some_time(late: timedelta) -> timedelta:
    if late < timedelta(minutes=1):
        raise Mistake(
            _("late 至少要一分钟，不然到点时总是已经晚了。"), _("写成 2h、30m 这样，或者删掉这一项。")
        )
    return late


def _a_few_minutes(spread: timedelta) -> timedelta:
    if spread > LONGEST_SPREAD:
        raise Mistake(_("spread 最多 30 分钟。"), _("写成 3m、10m 这样；写 0m 是不错开。"))
    return spread


def _names_slot(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise Mistake(
            _("时段的名称只能是小写字母、数字、“-”和“_”，见到的是“{name}”。").format(name=shortened(name)),
            _("写成 morning 这样；给居民看的名称写在 title 里。"),
        )
    return name


Clock = Annotated[time, _read_by(words.clock)]
Span = Annotated[InstanceOf[QuietHours], _read_by(words.quiet_hours)]
DaysText = Annotated[InstanceOf[Days], _read_by(days), BeforeValidator(_joined)]
DatesText = Annotated[InstanceOf[Dates], _read_by(dates)]


class _Slot(BaseModel):
    model_config = _STRICT

    title: Annotated[str, Field(min_length=1, max_length=40)]
    at: Annotated[list[Clock], BeforeValidator(_one_or_several), Field(min_length=1)]
    days: DaysText = Slot.days
    to: Target = Slot.to
    pick: Pick = Slot.pick
    late: Annotated[Duration, AfterValidator(_some_time)] = Slot.late
    spread: Annotated[Duration, AfterValidator(_a_few_minutes)] | None = None
    campaign: CampaignName | None = None


class _Campaign(BaseModel):
    model_config = _STRICT

    days: DatesText
    topics: tuple[TopicName, ...] = Campaign.topics
    kinds: tuple[DigestKind, ...] = Campaign.kinds
    to: Target = Campaign.to
    repeat_after: Duration | None = None


class _Blackout(BaseModel):
    model_config = _STRICT

    days: DatesText
    reason: Annotated[str, Field(max_length=40)] = ""


class _Desk(BaseModel):
    model_config = _STRICT

    listen: Annotated[InstanceOf[Place] | None, _read_by(place)] = DESK
    url: Annotated[str, AfterValidator(_is_base)] = ""


class _Timetable(BaseModel):
    model_config = _STRICT

    timezone: TimeZoneName | None = None
    quiet_hours: Span | None = None
    keep: Duration | None = None
    staff: Target | None = None
    desk: _Desk = _Desk()
    hosts: list[Annotated[str, AfterValidator(_is_host)]] = []
    catalogue: str = CATALOGUE
    blackout: list[Annotated[_Blackout, _read_by(lambda text: {"days": text})]] = []
    campaigns: dict[Annotated[str, Field(min_length=1, max_length=40)], _Campaign] = {}
    slots: dict[Annotated[str, AfterValidator(_names_slot)], _Slot] = {}
