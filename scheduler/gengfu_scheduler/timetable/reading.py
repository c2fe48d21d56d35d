"""``timetable.yml`` as the admin wrote it: read whole, and everything that is wrong with it at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, InstanceOf

from gengfu_scheduler import words
from gengfu_scheduler.days import Dates, Days, dates, days
from gengfu_scheduler.message import QuietHours
from gengfu_scheduler.timetable.slots import (
    CATALOGUE,
    DESK,
    DIGEST_KINDS,
    FILE,
    KEEP,
    LONGEST_SPREAD,
    SPREAD,
    STRICT,
    Blackout,
    Campaign,
    CampaignName,
    DigestKind,
    Duration,
    Pick,
    Place,
    Slot,
    Target,
    Timetable,
    TopicName,
    place,
    read_by,
)
from gengfu_site.catalogue import Station
from gengfu_site.problems import Problem
from gengfu_site.source import Document, Mistake, TimeZoneName, read_text, read_yaml, shortened, validate
from gengfu_templates.i18n import _


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


Clock = Annotated[time, read_by(words.clock)]
Span = Annotated[InstanceOf[QuietHours], read_by(words.quiet_hours)]
DaysText = Annotated[InstanceOf[Days], read_by(days), BeforeValidator(_joined)]
DatesText = Annotated[InstanceOf[Dates], read_by(dates)]


class _Slot(BaseModel):
    model_config = STRICT

    title: Annotated[str, Field(min_length=1, max_length=40)]
    at: Annotated[list[Clock], BeforeValidator(_one_or_several), Field(min_length=1)]
    days: DaysText = Slot.days
    to: Target = Slot.to
    pick: Pick = Slot.pick
    late: Annotated[Duration, AfterValidator(_some_time)] = Slot.late
    spread: Annotated[Duration, AfterValidator(_a_few_minutes)] | None = None
    campaign: CampaignName | None = None


class _Campaign(BaseModel):
    model_config = STRICT

    days: DatesText
    topics: tuple[TopicName, ...] = Campaign.topics
    kinds: tuple[DigestKind, ...] = Campaign.kinds
    to: Target = Campaign.to
    repeat_after: Duration | None = None


class _Blackout(BaseModel):
    model_config = STRICT

    days: DatesText
    reason: Annotated[str, Field(max_length=40)] = ""


class _Desk(BaseModel):
    model_config = STRICT

    listen: Annotated[InstanceOf[Place] | None, read_by(place)] = DESK
    url: Annotated[str, AfterValidator(_is_base)] = ""


class _Timetable(BaseModel):
    model_config = STRICT

    timezone: TimeZoneName | None = None
    quiet_hours: Span | None = None
    keep: Duration | None = None
    staff: Target | None = None
    desk: _Desk = _Desk()
    hosts: list[Annotated[str, AfterValidator(_is_host)]] = []
    catalogue: str = CATALOGUE
    blackout: list[Annotated[_Blackout, read_by(lambda text: {"days": text})]] = []
    campaigns: dict[Annotated[str, Field(min_length=1, max_length=40)], _Campaign] = {}
    slots: dict[Annotated[str, AfterValidator(_names_slot)], _Slot] = {}
