"""Why a group was told an article, will be or will not, in the officer's words and in the order of the rules.

Promise: no explanation differs from what is done. The reasons are those by which digests are composed
(:func:`gengfu_scheduler.digest.bars`), what was told comes from the outbox, what will be from the plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import assert_never

from gengfu_scheduler import words
from gengfu_scheduler.digest import Bar, Digest, History, bars, bars_everywhere, compose_all, season_at
from gengfu_scheduler.forecast import foretold
from gengfu_scheduler.message import Group
from gengfu_scheduler.outbox import Outbox
from gengfu_scheduler.report import told_words
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Slot
from gengfu_site.catalogue import Entry
from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _, series

AHEAD = timedelta(days=31)
"""How far ahead it is looked when an article comes next."""


class NotKnown(GengfuError):
    """There is no such group, or no such article."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One time at which the group was told of it, or was to be."""

    broadcast: str
    """Key of the broadcast."""
    title: str
    scheduled_for: datetime
    """In the timetable's zone, as all instants here."""
    fate: str
    """How it ended, in words, with the evidence."""


@dataclass(frozen=True, kw_only=True)
class InSlot:
    """How the article stands with the group in one slot."""

    slot: str
    title: str
    bars: tuple[str, ...]
    """What keeps it out now; empty where only room decides."""
    outlook: str
    """Where nothing keeps it out: whether there is room for it."""


@dataclass(frozen=True, kw_only=True)
class Next:
    """When the group is to be told it next, if it can be reached then."""

    slot: str
    title: str
    scheduled_for: datetime
    not_before: datetime
    """Later than ``scheduled_for`` where quiet hours or a blackout hold it up."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    group: str
    name: str
    entry: str
    title: str
    """Of the article; empty where it is not published."""
    told: tuple[Telling, ...]
    """Newest first."""
    bars: tuple[str, ...]
    """What keeps it from the group whatever the slot."""
    slots: tuple[InSlot, ...]
    """Those that speak to the group."""
    next: Next | None
    """None: not within :data:`AHEAD`, as things are."""


def explain(group: str, entry: str, roster: Roster, outbox: Outbox, now: datetime) -> Explanation:
    """How ``entry`` stands with ``group`` (both ids) at ``now``.

    :raises NotKnown: there is no such group; the article is not published and the group never heard of it.
    """
    to = roster.groups.get(group)
    if to is None:
        raise _not_known("group", group, roster.groups)
    zone = roster.timetable.timezone
    told = tuple(
        Telling(
            broadcast=time.broadcast,
            title=time.title,
            scheduled_for=time.scheduled_for.astimezone(zone),
            fate=told_words(time),
        )
        for time in outbox.tellings(group, entry)
    )
    entries = {one.id: one for one in roster.catalogue.entries}
    if entry not in entries and not told:
        raise _not_known("entry", entry, entries)
    found, why = entries.get(entry), _Why(to, roster, outbox, now)
    return Explanation(
        group=group,
        name=to.name,
        entry=entry,
        title=found.title if found else "",
        told=told,
        bars=tuple(why.always(found)),
        slots=tuple(why.in_slot(slot, found) for slot in roster.timetable.slots if to in slot)
        if found and not found.alert
        else (),
        next=why.next(found) if found else None,
    )


def nearest_misses(
    entries: Iterable[Entry], roster: Roster, outbox: Outbox, now: datetime
) -> Iterator[tuple[Entry, str]]:
    """Why each of ``entries``, of which nobody was told nor is to be, comes to nobody: what its best chance lacks."""
    slots = roster.timetable.slots
    alike: dict[object, Group] = {}  # in what decides, but for how long they have been served
    for group in sorted(roster.groups.values(), key=lambda group: group.joined):
        alike.setdefault((group.area, group.audience, group.topics), group)
    spoken_to = {slot.id: [group for group in alike.values() if group in slot] for slot in slots}

    @cache
    def why(group: str) -> _Why:
        return _Why(roster.groups[group], roster, outbox, now)

    for entry in entries:
        chances = []
        for slot, groups in ((slot, spoken_to[slot.id]) for slot in slots if spoken_to[slot.id]):
            meant = (group for group in groups if not bars_everywhere(entry, group, now))
            group = next(meant, groups[0])
            stands = why(group.id).in_slot(slot, entry)
            lacks = [*why(group.id).in_general(entry), *stands.bars]
            chances.append((len(lacks), slot, group, lacks or [stands.outlook]))
        if chances:
            _least, slot, group, words = min(chances, key=lambda chance: chance[0])
            said = _("“{slot}”发给“{group}”时：{why}")
            yield entry, said.format(slot=slot.title, group=group.name, why="".join(words))
        else:
            yield entry, _("时间表上没有一个时段会发给群。")


def _not_known(what: str, word: str, known: Collection[str]) -> NotKnown:
    mistake = words.undeclared(what, word, known)
    return NotKnown(f"{mistake.message} {mistake.remedy}")


class _Why:
    """The reasons of one group at one instant."""

    def __init__(self, group: Group, roster: Roster, outbox: Outbox, now: datetime) -> None:
        self._group = group
        self._roster = roster
        self._now = now
        self._campaigns = roster.timetable.campaigns_at(now)
        self._disabled = outbox.disabled().get(group.id)
        self._histories = outbox.told([group.id])
        self._told: History = self._histories.get(group.id, {})
        self._digests: dict[str, Digest] = {}

    def always(self, entry: Entry | None) -> Iterator[str]:
        """What keeps ``entry`` from the group in every slot, and what keeps all from it."""
        if entry is None:
            yield _("它不在已发布的内容里：撤下了、过期了，或者还没有发布。")
        else:
            yield from self.in_general(entry)
        if self._group.joined > self._now:
            yield _("这个群从 {when} 起才发。").format(when=self._moment(self._group.joined))
        if self._disabled is not None:
            yield _(
                "这个群已停用（{reason}），排到了也发不出去：修好后运行 gengfu groups test {group}。"
            ).format(reason=self._disabled, group=self._group.id)
        if self._group in self._roster.without_address():
            yield _("这个群没有机器人地址，排到了也发不出去：地址写进 webhooks.csv，或设好 env: 变量。")
        if not any(self._group in slot for slot in self._roster.timetable.slots):
            yield _("时间表上没有一个时段是发给这个群的。")

    def in_general(self, entry: Entry) -> Iterator[str]:
        """What keeps ``entry`` from the group in every slot, whatever becomes of the others."""
        return (self.words(bar, entry) for bar in bars_everywhere(entry, self._group, self._now))

    def in_slot(self, slot: Slot, entry: Entry) -> InSlot:
        """How ``entry`` stands in ``slot``, if that spoke now."""
        station, table = self._roster.catalogue.station, self._roster.timetable
        found = bars(slot, self._group, entry, station, self._told, self._now, campaigns=self._campaigns)
        general = {bar.rule for bar in bars_everywhere(entry, self._group, self._now)}
        said = [self.words(bar, entry, slot) for bar in found if bar.rule not in general]
        local = self._now.astimezone(table.timezone).date()
        if slot.campaign and local not in slot.campaign.days:
            said.append(
                _("这个时段只在宣传活动“{name}”期间（{days}）发。").format(
                    name=slot.campaign.name, days=slot.campaign.days
                )
            )
        return InSlot(
            slot=slot.id,
            title=slot.title,
            bars=tuple(said),
            outlook="" if found or said else self._outlook(slot, entry),
        )

    def next(self, entry: Entry) -> Next | None:
        """When the plan of the group alone has ``entry`` first."""
        alone = replace(self._roster, groups={self._group.id: self._group})
        zone = self._roster.timetable.timezone
        for occurrence, draft in foretold(alone, lambda _: self._histories, self._now, self._now + AHEAD):
            for planned in draft.planned:
                if any(item.entry == entry.id for message in planned.messages for item in message.items):
                    return Next(
                        slot=occurrence.slot.id,
                        title=occurrence.slot.title,
                        scheduled_for=occurrence.scheduled_for.astimezone(zone),
                        not_before=planned.not_before.astimezone(zone),
                    )
        return None

    def _outlook(self, slot: Slot, entry: Entry) -> str:
        digest = self._digest(slot)
        if digest.message and any(item.entry == entry.id for item in digest.message.items):
            return _("现在发的话，就有它。")
        if entry in digest.too_long:
            return _("它一条消息放不下：请把标题和提要改短。")
        return _("轮得到，但名额或篇幅已满：排在别的文章后面，等下一次。")

    def _digest(self, slot: Slot) -> Digest:
        """What ``slot`` would tell the group now."""
        if slot.id not in self._digests:
            ((_alike, self._digests[slot.id]),) = compose_all(
                slot,
                [[self._group]],
                self._roster.catalogue,
                self._histories,
                self._now,
                campaigns=self._campaigns,
                fits=self._roster.fits,
            )
        return self._digests[slot.id]

    def words(self, bar: Bar, entry: Entry, slot: Slot | None = None) -> str:
        since, until = (moment and self._moment(moment) for moment in (bar.since, bar.until))
        match bar.rule:
            case "early":
                return _("还没到发布时间：{when} 发布。").format(when=since)
            case "expired":
                return _("{when} 就过期了。").format(when=since)
            case "alert":
                return _("它是紧急警情，不进定时消息：由人用 gengfu alert 发。")
            case "area":
                there = self._group.area or _("全所")
                return _("它只给{areas}，这个群属于{area}。").format(areas=series(entry.areas), area=there)
            case "audience":
                return _("它写给{audience}，这个群里是{who}。").format(
                    audience=series(entry.audience), who=series(self._group.audience)
                )
            case "group topic":
                return _("这个群只要这些主题：{wanted}；它的主题：{topics}。").format(
                    wanted=series(self._group.topics), topics=series(entry.topics) or _("没有")
                )
            case "kind":
                return _("这个时段只发 {kinds}，它是 {kind}。").format(
                    kinds=series(slot.pick.kinds) if slot else "", kind=entry.kind
                )
            case "slot topic":
                return _("这个时段只发这些主题：{wanted}；它的主题：{topics}。").format(
                    wanted=series(slot.pick.topics) if slot else "", topics=series(entry.topics) or _("没有")
                )
            case "no new":
                return _("这个时段不发新文章（new: 0）。")
            case "told":
                return _("{when} 已经发过，不再算新。").format(when=since)
            case "stale":
                return _("{when} 发布，已超过 fresh，不算新。").format(when=since)
            case "before joining":
                return _("发布在给这个群开始发（{when}）之前，不算新。").format(when=since)
            case "no repeats":
                return _("这个时段不用常用文章补足（repeat: 0）。")
            case "not evergreen":
                return _("它不是常用文章（没有写 evergreen: true），不会再拿来补足。")
            case "season":
                return _("它只在{seasons}补发，现在是{season}。").format(
                    seasons=series(entry.season), season=season_at(self._roster.catalogue.station, self._now)
                )
            case "told lately":
                return _("{when} 发过，没到 repeat_after：{until} 以后才能再发。").format(
                    when=since, until=until
                )
            case _:
                assert_never(bar.rule)

    def _moment(self, at: datetime) -> str:
        return f"{at.astimezone(self._roster.timetable.timezone):%Y-%m-%d %H:%M}"
