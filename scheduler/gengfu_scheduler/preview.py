"""What each platform's groups would get, before anything is sent: the posts, what of the limits they take, the wall.

The messages are composed, fitted and split by the functions that sending works with. The posts then go to a sandbox
without a connection, which judges and draws them as it does what it receives: there is one drawing of a message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, count
from urllib.parse import parse_qsl, urlsplit

from gengfu_scheduler.channels import PLATFORMS, Channels
from gengfu_scheduler.channels.channel import HttpChannel, Weight
from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.digest import addressees, compose_alert, compose_all, footer, named_by, reaches
from gengfu_scheduler.draft import Refused, Told
from gengfu_scheduler.groups import sorted_out
from gengfu_scheduler.message import Group, Item, Message
from gengfu_scheduler.rehearsal import robots
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.sandbox import Received, Robot
from gengfu_scheduler.sandbox import wall as sandbox_wall
from gengfu_scheduler.sandbox.exchange import Exchange
from gengfu_scheduler.sandbox.platforms import PLATFORMS as STAND_INS
from gengfu_scheduler.timetable import Slot, next_after
from gengfu_site.catalogue import Entry, Station
from gengfu_site.problems import nearest
from gengfu_templates.i18n import _, series

_APART = 5
"""Seconds between two posts: every platform bears that."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One post."""

    message: Message
    weights: tuple[Weight, ...]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the groups of one platform get: of all that they are told, whatever takes most of a limit."""

    platform: str
    group: Group
    """One that gets just this."""
    groups: int
    """How many groups of the platform get something; 0 where the station has none, and ``group`` is drawn as one."""
    whole: Part
    """All of it, before any limit."""
    left: tuple[str, ...]
    """Titles of the items that the message has no room for."""
    parts: tuple[Part, ...]
    """What is posted. None where not even the shortest part fits."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    title: str
    at: datetime
    """When it would be told, in the timetable's zone."""
    samples: tuple[Sample, ...]
    """In the order of :data:`~gengfu_scheduler.channels.PLATFORMS`."""


Wish = tuple[Group, Message, Message | None]
"""A group, all that it is to be told, and what of that its platform has room for."""
Compose = Callable[[Collection[Group]], Iterator[Wish]]


def preview(target: str, roster: Roster, told: Told, now: datetime, *, everywhere: bool = False) -> Preview:
    """What the next digest of the slot ``target``, or the article or alert of that id, would look like.

    A digest is drawn up as if nothing else were told before it, an alert as if it were published.

    :param everywhere: on every platform that is posted to, not only on those that the station's groups use.
    :raises Refused: there is no such slot and no such article, or nothing to tell.
    :raises CannotRender: a message template of the station's has a mistake.
    """
    title, at, compose = _asked(target, roster, told, now)
    found = {
        platform: _wishes(platform, roster, compose, everywhere=everywhere)
        for platform in PLATFORMS
        if platform in STAND_INS
    }
    samples = tuple(_sample(platform, wishes, roster) for platform, wishes in found.items() if wishes)
    if not samples:
        raise Refused(_("没有可看的：没有自动发送的群会收到它。加 --all 看它在各个平台上的样子。"))
    return Preview(title=title, at=at.astimezone(roster.timetable.timezone), samples=samples)


def rehearse(preview: Preview, channels: Channels) -> list[tuple[Robot, list[Received]]]:
    """Post each sample's parts to a robot of the sandbox: what that makes of each, in order."""
    return [_posted(sample, preview.at, channels) for sample in preview.samples]


def _posted(sample: Sample, at: datetime, channels: Channels) -> tuple[Robot, list[Received]]:
    stand_in = STAND_INS[sample.platform]
    [robot] = robots([replace(sample.group, id=sample.platform)])
    address = "https://localhost" + stand_in.address(robot.key)
    group = replace(sample.group, webhook=address, secret=robot.secret)
    ticks = count(at.timestamp(), _APART)
    exchange = Exchange([robot], store=None, admit_unknown=False, clock=lambda: next(ticks))
    for part in sample.parts:
        request = _channel(channels, group).request(part.message, group, delivery_id=1, now=at)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(parse_qsl(urlsplit(request.url).query))
        exchange.receive(stand_in, robot.key, headers, request.body, query=query, reused=False)
    return robot, exchange.messages()


def wall(rehearsed: Iterable[tuple[Robot, list[Received]]], at: datetime) -> str:
    """The group wall as one page that stands alone, its times in the zone of ``at``."""
    posted = list(rehearsed)
    return sandbox_wall.page(
        (robot for robot, _received in posted),
        chain.from_iterable(received for _robot, received in posted),
        query="",
        refused_only=False,
        timezone=at.tzinfo or sandbox_wall.CHINA,
        version="",
        live=False,
    )


USUAL = ("wecom", "dingtalk", "feishu")
"""Platforms that everybody wants to see, whether or not the station has groups there yet."""


def looks(entry: Entry, roster: Roster, now: datetime) -> str:
    """How the groups of each platform would see ``entry``, and what it takes of the limits: HTML with its styles.

    Where the station has groups that are told by hand, also the text that their owners pass on.

    :param roster: with the entry in its catalogue. Of its groups, one a platform is taken, and lent to those that have none.
    :raises CannotRender: a message template of the station's has a mistake.
    """
    own = _one_a_platform(roster.groups.values(), entry)
    lent = Group(id="lent", name=_("业主群"), reach="webhook", platform=USUAL[0], joined=now)
    few = replace(roster, groups={group.id: group for group in own.values()} or {lent.id: lent})
    shown = preview(entry.id, few, lambda groups: {}, now, everywhere=True)
    wanted = {*USUAL, *own} - {"generic"}  # which no app draws
    shown = replace(shown, samples=tuple(sample for sample in shown.samples if sample.platform in wanted))
    rehearsed = rehearse(shown, roster.channels)
    return sandbox_wall.template("looks.html").render(
        looks=[
            (sample, _whose(sample, own, entry), received, _cut(entry, received))
            for sample, (_robot, received) in zip(shown.samples, rehearsed, strict=True)
        ],
        by_hand=_by_hand(entry, roster),
        # The preview has the site's own picture where the site will have it.
        image=urlsplit(entry.image or "").path,
        consequence=consequence,
        unit=unit,
    )


def _whose(sample: Sample, own: Mapping[str, Group], entry: Entry) -> str:
    """Whose window it is, and whether that group gets it."""
    group = own.get(sample.platform)
    if group is None:
        return _("还没有这个平台的群，借{name}来看").format(name=sample.group.name)
    if not reaches(entry, group):
        return _("这个平台的群都收不到这篇，借{name}来看").format(name=group.name)
    return group.name


def _cut(entry: Entry, received: Iterable[Received]) -> list[str]:
    """What of the entry's title and summary the platform leaves away, by what is left."""
    drawn = [piece for message in received for piece in sandbox_wall.pieces(message)]
    seen = "\n".join(part for p in drawn for part in (p.title, p.text, p.html.striptags()))
    found = []
    for words in (entry.title, entry.summary):
        if words not in seen:
            left = next((words[:end] for end in range(len(words), 5, -1) if words[:end] + "…" in seen), "")
            found += [left + "…"] if left else []
    return found


def _by_hand(entry: Entry, roster: Roster) -> tuple[Group, str] | None:
    """A group whose owner passes it on, and the text; None where the station has none."""
    groups = [group for group in roster.groups.values() if group.reach == "hand"]
    if not groups:
        return None
    chosen = min(groups, key=lambda group: not reaches(entry, group))
    _group, message, _fitting = next(_article(entry, [chosen], roster))
    return chosen, roster.channels.text_of(message)


def _one_a_platform(groups: Iterable[Group], entry: Entry) -> dict[str, Group]:
    """Of each platform the first group that ``entry`` is for, else the first."""
    posted = [group for group in groups if group.reach == "webhook"]
    posted.sort(key=lambda group: not reaches(entry, group))
    return {group.platform: group for group in reversed(posted)}


def unit(weight: Weight) -> str:
    """What the limit counts, in the officer's words."""
    return {"bytes": _("字节"), "characters": _("字"), "pieces": _("条")}[weight.unit]


def consequence(sample: Sample) -> str:
    """What comes of it that not all fits; empty where it does."""
    if len(sample.parts) == 1 and not sample.left:
        return ""
    if sample.whole.message.form == "alert":
        if sample.parts:
            return _("一条放不下，将分成 {n} 条发。").format(n=len(sample.parts))
        return _("标题和落款太长，分成几条也放不下，不会发出。")
    if sample.parts:
        return _("放不下，留到下次：{titles}").format(titles=series(sample.left))
    return _("一篇也放不下，不会发出：请把标题和提要改短。")


def _asked(target: str, roster: Roster, told: Told, now: datetime) -> tuple[str, datetime, Compose]:
    """The title of what is asked for, when it would be told, and what composes it."""
    for slot in roster.timetable.slots:
        if slot.id == target:
            at = next_after(slot, roster.timetable.timezone, now) or now
            return slot.title, at, partial(_digests, slot, roster=roster, told=told, at=at)
    for entry in roster.catalogue.entries:
        if entry.id in (target, target.upper()):
            return entry.title, now, partial(_article, entry, roster=roster)
    raise Refused(_unknown(target, roster))


def _wishes(platform: str, roster: Roster, compose: Compose, *, everywhere: bool) -> list[Wish]:
    """What the groups get that a robot of ``platform`` posts to; ``everywhere``, else all groups as if they were such."""
    groups = roster.groups.values()
    found = list(compose([g for g in groups if g.reach == "webhook" and g.platform == platform]))
    if found or not everywhere:
        return found
    return list(compose([replace(g, reach="webhook", platform=platform, keyword="") for g in groups]))


def _digests(
    slot: Slot, among: Collection[Group], roster: Roster, told: Told, at: datetime
) -> Iterator[Wish]:
    on = roster.timetable.campaigns_at(at)
    groups = addressees(slot, sorted_out(among, named_by(slot, on)), at)
    histories = told([group.id for alike in groups for group in alike])
    composed, fitted = (
        compose_all(slot, groups, roster.catalogue, histories, at, campaigns=on, fits=fits)
        for fits in (lambda message, group: True, roster.channels.fits)
    )
    for (alike, all_of_it), (_same, fitting) in zip(composed, fitted, strict=True):
        if all_of_it.message:
            for group in alike:
                yield group, all_of_it.message, fitting.message


def _article(entry: Entry, groups: Collection[Group], roster: Roster) -> Iterator[Wish]:
    """``entry`` for those of ``groups`` that it is for; for all of them, if it is for none."""
    station, staff = roster.catalogue.station, roster.timetable.staff
    meant = [group for group in groups if reaches(entry, group)]
    if staff and entry.alert and entry.alert.status == "exercise":
        meant = [group for group in meant if group in staff]
    for group in meant or groups:
        if entry.alert:
            message = compose_alert(entry, group.area, station)
        else:
            message = _alone(entry, group.area, station, roster.timetable.slots)
        yield group, message, message


def _alone(entry: Entry, area: str | None, station: Station, slots: Iterable[Slot]) -> Message:
    """A digest of this one entry, under the heading of the slot that would tell it."""
    item = Item(entry=entry.id, title=entry.title, summary=entry.summary, url=entry.url, image=entry.image)
    return Message(
        form="digest",
        title=next((slot.title for slot in slots if entry.kind in slot.pick.kinds), station.name),
        items=(item,),
        footer=footer(station, area),
        home=station.url,
        language=station.language,
    )


def _sample(platform: str, wishes: list[Wish], roster: Roster) -> Sample:
    """The heaviest of ``wishes``, all of them for groups of ``platform``."""
    channels = roster.channels
    weighed: dict[object, tuple[float, Part]] = {}
    for group, message, _fitting in wishes:
        if (message, group.keyword) not in weighed:
            part = _part(message, group, channels)
            load = max((weight.used / weight.limit for weight in part.weights), default=0.0)
            weighed[message, group.keyword] = load, part
    group, message, fitting = max(wishes, key=lambda wish: weighed[wish[1], wish[0].keyword][0])
    told = fitting.items if fitting else ()
    return Sample(
        platform=platform,
        group=group,
        groups=sum(roster.groups[group.id] == group for group, _message, _fitting in wishes),
        whole=weighed[message, group.keyword][1],
        left=tuple(item.title for item in message.items if item not in told),
        parts=tuple(_part(part, group, channels) for part in _parts(fitting, group, channels)),
    )


def _parts(message: Message | None, group: Group, channels: Channels) -> tuple[Message, ...]:
    if message is None:
        return ()
    channel = _channel(channels, group)
    try:
        return (
            channel.parts(message, group) if message.form == "alert" or channel.fits(message, group) else ()
        )
    except CannotRender:
        return ()


def _part(message: Message, group: Group, channels: Channels) -> Part:
    channel = _channel(channels, group)
    return Part(message=message, weights=channel.weigh(channel.payload(message, group)))


def _channel(channels: Channels, group: Group) -> HttpChannel:
    channel = channels.to(group)
    if not isinstance(channel, HttpChannel):
        raise TypeError(f"{group.platform} takes no posts")
    return channel


def _unknown(target: str, roster: Roster) -> str:
    known = [slot.id for slot in roster.timetable.slots] + [entry.id for entry in roster.catalogue.entries]
    close = nearest(target, known)
    hint = _("是不是想写“{close}”？").format(close=close) if close else _("时段见 timetable.yml。")
    return _("没有叫“{target}”的时段，也没有这个编号的已发布文章。{hint}").format(target=target, hint=hint)
