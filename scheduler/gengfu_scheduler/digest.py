"""What a group is told: a digest of what is published, or an alert.

Pure: catalogue, group, its history and an instant in, a message out. The rules, in the order of the code:

* An entry reaches a group if it concerns the group's area, if entry and group share an audience or one of
  them names none, and if the group wants its topic or wants all. An alert is never an item of a digest.
* New is what was published within ``fresh`` before the digest *and* since the group joined, and the group
  was not told yet. Publication counts, not updating. What was there before the group joined is not poured
  into it, however long ``fresh`` is; an admin who wants that sets an earlier ``joined``.
* Evergreen entries in season fill up: those the group was never told first, then the one told longest ago;
  none again within ``repeat_after``. So an archive reaches a new group at the pace of ``repeat``.
* What belongs to a campaign comes before the rest, among the new and among the repeated.
* A digest fits one message: its last items wait for the next where it does not. What fits no message of its
  own is left out, and named.
* Nothing to say gives no message.

Each rule is a function that says why an entry stays out (:class:`Bar`). Composing asks whether any speaks - of a
group's history, column by column, only what those go by -, :func:`bars` which ones, so that no explanation can differ
from what is done.

Wording is the station's, for residents, not the officer's at the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, compress, count, islice, repeat
from operator import le
from typing import Literal
from zoneinfo import ZoneInfo

from gengfu_scheduler.groups import Alike
from gengfu_scheduler.message import Group, Item, Message
from gengfu_scheduler.timetable import MOST_ITEMS, Campaign, Slot
from gengfu_site.catalogue import AlertEntry, Catalogue, Entry, Season, Station, concerns
from gengfu_templates.i18n import translations

History = Mapping[str, datetime]
"""Entry id -> when the group was last told it."""
Fits = Callable[[Message, Group], bool]
"""Whether a digest fits one message on the group's platform."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_SEASONS: tuple[Season, ...] = ("冬季", "春季", "夏季", "秋季")
"""By ``month % 12 // 3``: winter is December to February."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One rule that keeps an entry out of a group's digest."""

    rule: Literal[
        "early",
        "expired",
        "alert",
        "area",
        "audience",
        "group topic",
        "kind",
        "slot topic",
        "no new",
        "told",
        "stale",
        "before joining",
        "no repeats",
        "not evergreen",
        "season",
        "told lately",
    ]
    since: datetime | None = None
    """What the rule looked at: when the entry was published or expired, or the group joined or was told."""
    until: datetime | None = None
    """When the rule ceases to speak, where time alone ends it."""


@dataclass(frozen=True, kw_only=True)
class Digest:
    """What composing for one group came to."""

    message: Message | None
    """None where there is nothing to say."""
    too_long: tuple[Entry, ...] = ()
    """What would have been told, had a message on the group's platform room for it."""
    last_told: datetime | None = None
    """When the group was last told any of the message's items."""


def named_by(slot: Slot, campaigns: Iterable[Campaign]) -> frozenset[str]:
    """Ids of the groups that the slot or one of the campaigns means by name: nobody else answers for them."""
    bound = [slot.campaign] if slot.campaign else []
    targets = [slot.to, *(campaign.to for campaign in (*bound, *campaigns))]
    return frozenset(id for target in targets for id in target.groups)


def compose_all(
    slot: Slot,
    groups: Iterable[Alike],
    catalogue: Catalogue,
    told: Mapping[str, History],
    at: datetime,
    *,
    campaigns: Sequence[Campaign] = (),
    fits: Fits = lambda _message, _group: True,
) -> Iterator[tuple[Alike, Digest]]:
    """The digests of ``slot`` at ``at`` for ``groups``, each with all those that it is for.

    :param groups: sorted out with those apart that :func:`named_by` says.
    :param told: histories by group id.
    :param campaigns: those that are on.
    """
    stock = _Stock(slot, catalogue, at)
    turns: dict[object, _Turn] = {}
    chosen: dict[object, list[Entry]] = {}
    for alike in groups:
        one = alike[0]
        on = [campaign for campaign in campaigns if one in campaign.to]
        names = tuple(campaign.name for campaign in on)
        shelf = stock.shelf(one)
        kind = id(shelf), max(at - slot.pick.fresh, one.joined), names
        if kind not in turns:
            turns[kind] = _Turn(slot, shelf, one.joined, at, stock.favoured(on))
        for history, same in _told_alike(alike, told):
            # Where groups differ in nothing but where they are and how they are reached, the choice is the same.
            if (kind, id(history)) not in chosen:
                chosen[kind, id(history)] = turns[kind].choose(history)
            items = chosen[kind, id(history)]
            yield same, _digest(turns[kind], history, items, one, catalogue.station, fits)


_NOTHING: History = {}


def _told_alike(groups: Alike, told: Mapping[str, History]) -> Iterable[tuple[History, list[Group]]]:
    """The ``groups`` by what they were told: those told alike share one history."""
    found: dict[int, tuple[History, list[Group]]] = {}
    for group in groups:
        history = told.get(group.id, _NOTHING)
        if id(history) not in found:
            found[id(history)] = history, []
        found[id(history)][1].append(group)
    return found.values()


def bars(
    slot: Slot,
    group: Group,
    entry: Entry,
    station: Station,
    told: History,
    at: datetime,
    *,
    campaigns: Sequence[Campaign] = (),
) -> tuple[Bar, ...]:
    """All that keeps ``entry`` out of the group's digest, in the order of the rules; none: it is told, given room.

    :param told: the group's own history.
    """
    on = tuple(campaign for campaign in campaigns if group in campaign.to)
    season = season_at(station, at)
    shelf = _Shelf(news=[entry], repeats=[entry])
    turn = _Turn(slot, shelf, group.joined, at, _favoured(on, [entry], slot, at))
    new = (*_news_bars(entry, slot, at), *turn.bars_to_news(entry, told))
    again = (*_repeat_bars(entry, slot, season), *turn.bars_to_repeats(entry, told))
    never_both = (*new, *again) if new and again else ()
    return (*bars_everywhere(entry, group, at), *_slot_bars(entry, slot), *never_both)


def bars_everywhere(entry: Entry, group: Group, at: datetime) -> tuple[Bar, ...]:
    """What of :func:`bars` keeps ``entry`` from the group whatever the slot."""
    return (*_time_bars(entry, at), *_group_bars(entry, group))


def _time_bars(entry: Entry, at: datetime) -> Iterator[Bar]:
    """Why ``entry`` is told to nobody."""
    if entry.published > at:
        yield Bar(rule="early", since=entry.published, until=entry.published)
    if entry.expires is not None and entry.expires <= at:
        yield Bar(rule="expired", since=entry.expires)
    if entry.kind == "alert":
        yield Bar(rule="alert")


def _group_bars(entry: Entry, group: Group) -> Iterator[Bar]:
    """Why ``entry`` is not for ``group``, whatever the slot."""
    if not concerns(entry.areas, group.area):
        yield Bar(rule="area")
    if entry.audience and group.audience and set(entry.audience).isdisjoint(group.audience):
        yield Bar(rule="audience")
    if group.topics and set(group.topics).isdisjoint(entry.topics):
        yield Bar(rule="group topic")


def _slot_bars(entry: Entry, slot: Slot) -> Iterator[Bar]:
    """Why the slot tells ``entry`` to no group."""
    if entry.kind not in slot.pick.kinds:
        yield Bar(rule="kind")
    if slot.pick.topics and set(slot.pick.topics).isdisjoint(entry.topics):
        yield Bar(rule="slot topic")


def _news_bars(entry: Entry, slot: Slot, at: datetime) -> Iterator[Bar]:
    """Why the slot tells ``entry`` to no group as new."""
    if not slot.pick.new:
        yield Bar(rule="no new")
    if entry.published < at - slot.pick.fresh:
        yield Bar(rule="stale", since=entry.published)


def _repeat_bars(entry: Entry, slot: Slot, season: Season) -> Iterator[Bar]:
    """Why the slot fills up no group's digest with ``entry``."""
    if not slot.pick.repeat:
        yield Bar(rule="no repeats")
    if not entry.evergreen:
        yield Bar(rule="not evergreen")
    elif entry.season and season not in entry.season:
        yield Bar(rule="season")


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """What of a slot's entries is for some groups, newest first as the catalogue is."""

    news: Sequence[Entry]
    repeats: Sequence[Entry]


class _Stock:
    """What a slot may tell at one instant, each rule that asks for no group's history asked once."""

    def __init__(self, slot: Slot, catalogue: Catalogue, at: datetime) -> None:
        self.season = season_at(catalogue.station, at)
        meant = (entry for entry in catalogue.entries if not any(_slot_bars(entry, slot)))
        picked = [entry for entry in meant if not any(_time_bars(entry, at))]
        self._slot, self._at, self._picked = slot, at, picked
        self._news = [entry for entry in picked if not any(_news_bars(entry, slot, at))]
        self._repeats = [entry for entry in picked if not any(_repeat_bars(entry, slot, self.season))]
        # Of entries for the same people, one answers for all.
        self._examples = {_readers(entry): entry for entry in picked}
        self._shelves: dict[frozenset[object], _Shelf] = {}
        self._favoured: dict[tuple[str, ...], dict[str, datetime]] = {}

    def favoured(self, campaigns: Sequence[Campaign]) -> Mapping[str, datetime]:
        """What comes first while the ``campaigns`` are on."""
        names = tuple(campaign.name for campaign in campaigns)
        if names not in self._favoured:
            self._favoured[names] = _favoured(campaigns, self._picked, self._slot, self._at)
        return self._favoured[names]

    def shelf(self, group: Group) -> _Shelf:
        """What is for ``group``; the same object for all groups that the same is for."""
        its = frozenset(
            readers for readers, entry in self._examples.items() if not any(_group_bars(entry, group))
        )
        if its not in self._shelves:
            self._shelves[its] = _Shelf(
                news=[entry for entry in self._news if _readers(entry) in its],
                repeats=[entry for entry in self._repeats if _readers(entry) in its],
            )
        return self._shelves[its]


def _readers(entry: Entry) -> object:
    """All that :func:`_group_bars` looks at."""
    return entry.areas, entry.audience, entry.topics


class _Turn:
    """The turn of groups alike: which of the entries that are for them come now, by what each was told before."""

    def __init__(
        self, slot: Slot, shelf: _Shelf, joined: datetime, at: datetime, favoured: Mapping[str, datetime]
    ) -> None:
        """
        :param favoured: what comes first, by :func:`_favoured` of the campaigns that are on and for the groups.
        """
        self.slot = slot
        self._shelf = shelf
        self._joined = joined
        self._at = at
        self._favoured = favoured
        news = (entry for entry in shelf.news if not self._before_joining(entry))
        self._news = sorted(news, key=lambda entry: entry.id not in favoured)
        of_campaigns = [entry for entry in shelf.repeats if entry.id in favoured]
        rest = [entry for entry in shelf.repeats if entry.id not in favoured]
        self._rounds = [_Round(some, list(map(self._told_before, some))) for some in (of_campaigns, rest)]

    def bars_to_news(self, entry: Entry, told: History) -> Iterator[Bar]:
        """Why ``entry`` is not told as new, though the slot would."""
        if entry.id in told:
            yield Bar(rule="told", since=told[entry.id])
        if self._before_joining(entry):
            yield Bar(rule="before joining", since=self._joined)

    def bars_to_repeats(self, entry: Entry, told: History) -> Iterator[Bar]:
        """Why ``entry`` is not among those that fill up, though the slot would have it."""
        last, long_ago = told.get(entry.id, _NEVER), self._told_before(entry)
        if entry.evergreen and not _may_come_again(last, long_ago):
            yield Bar(rule="told lately", since=last, until=last + (self._at - long_ago))

    def choose(self, told: History, leave_out: Collection[Entry] = ()) -> list[Entry]:
        """What to tell groups of that history, newest first."""
        news = (entry for entry in self._news if entry.id not in told and entry not in leave_out)
        new = list(islice(news, self.slot.pick.new))
        chosen = {entry.id for entry in (*new, *leave_out)}
        again = chain.from_iterable(some.turn(told, chosen) for some in self._rounds)
        return [*new, *islice(again, self.slot.pick.repeat)][:MOST_ITEMS]

    def _before_joining(self, entry: Entry) -> bool:
        return entry.published < self._joined

    def _told_before(self, entry: Entry) -> datetime:
        """Who was told ``entry`` before then may be told it again."""
        return self._favoured.get(entry.id, self._at - self.slot.pick.repeat_after)


_may_come_again: Callable[[datetime, datetime], bool] = le
"""Whether what was told last at the one instant, or never, may be told again by the other."""


class _Round:
    """Entries that take turns, of which those that were not told lately fill up.

    Hundreds of histories are asked about thousands of entries, so these are laid out in columns.
    """

    def __init__(self, entries: Sequence[Entry], long_ago: Sequence[datetime]) -> None:
        """
        :param long_ago: who was told each before then may be told it again.
        """
        self._entries = entries
        self._ids = [entry.id for entry in entries]
        self._long_ago = long_ago

    def turn(self, told: History, leave_out: Collection[str]) -> Iterator[Entry]:
        """Those whose turn it is, the one told longest ago first.

        Those told together go round in their own order, not from its top.
        """
        last = list(map(told.get, self._ids, repeat(_NEVER)))
        again = list(compress(count(), map(_may_come_again, last, self._long_ago)))
        again = [n for n in again if self._ids[n] not in leave_out] if leave_out else again
        when = [last[n] for n in again]
        longest = min(when, default=_NEVER)
        starts = (i for i, then in enumerate(when) if then == longest != when[i - 1])
        start = next(starts, 0)
        for n in sorted([*again[start:], *again[:start]], key=last.__getitem__):
            yield self._entries[n]


def _favoured(
    campaigns: Sequence[Campaign], entries: Iterable[Entry], slot: Slot, at: datetime
) -> dict[str, datetime]:
    """What of ``entries`` belongs to one of the campaigns: who was told it before then may be told it again."""
    favoured = {}
    for entry in entries:
        if its := [campaign for campaign in campaigns if entry in campaign]:
            own = (campaign.repeat_after for campaign in its if campaign.repeat_after is not None)
            favoured[entry.id] = at - min(own, default=slot.pick.repeat_after)
    return favoured


def _digest(
    turn: _Turn, history: History, items: list[Entry], group: Group, station: Station, fits: Fits
) -> Digest:
    """What of ``items``, which the turn chose by the group's ``history``, fits one message to it."""

    def message(entries: Iterable[Entry]) -> Message:
        return Message(
            form="digest",
            title=turn.slot.title,
            items=tuple(_item(entry) for entry in entries),
            footer=footer(station, group.area),
            home=station.url,
            language=station.language,
        )

    too_long: list[Entry] = []
    while items and not fits(message(items), group):
        if alone := [entry for entry in items if not fits(message([entry]), group)]:
            too_long += alone
            items = turn.choose(history, too_long)
        else:
            items = items[:-1]
    told = [history[entry.id] for entry in items if entry.id in history]
    return Digest(
        message=message(items) if items else None,
        too_long=tuple(too_long),
        last_told=max(told, default=None),
    )


class _Live:
    """Which entries are live, worked out again only when another catalogue or another instant may differ."""

    def __init__(self) -> None:
        self._known: tuple[Catalogue | None, datetime, datetime, frozenset[str]] = (
            None,
            _NEVER,
            _NEVER,
            frozenset(),
        )

    def ids(self, catalogue: Catalogue, at: datetime) -> frozenset[str]:
        known, since, until, ids = self._known
        if known is not catalogue or not since <= at < until:
            changes = [
                moment for entry in catalogue.entries for moment in (entry.published, entry.expires) if moment
            ]
            since = max((moment for moment in changes if moment <= at), default=_NEVER)
            until = min((moment for moment in changes if moment > at), default=_ALWAYS)
            ids = frozenset(entry.id for entry in catalogue.entries if entry.live(at))
            self._known = catalogue, since, until, ids
        return ids


_live = _Live()


def still_told(message: Message, catalogue: Catalogue, at: datetime) -> Message | None:
    """``message`` without the items whose entries are withdrawn or over at ``at``; None: nothing is left of it.

    The same object where nothing is to be dropped. Of an alert nothing is: it has an end of its own.
    Cheap, however often it is asked about one catalogue.
    """
    live = _live.ids(catalogue, at)
    if message.form == "alert" or all(item.entry in live for item in message.items):
        return message
    items = tuple(item for item in message.items if item.entry in live)
    return replace(message, items=items) if items else None


def compose_alert(entry: Entry, area: str | None, station: Station, *, follows: bool = False) -> Message:
    """The alert ``entry`` as groups of ``area`` are told it; an exercise says so at its beginning and at its end.

    Of one that ended only that is told, and where: no description, nobody to call.

    :param follows: whether they heard of it before.
    :raises ValueError: the entry is no alert.
    """
    alert = entry.alert
    if alert is None:
        raise ValueError(f"entry {entry.id} is no alert")
    _ = translations(station.language).gettext
    exercise = _("【演练】") if alert.status == "exercise" else ""
    news = _("【最新进展】") if follows and alert.state == "active" else ""
    place, state = (
        _("地点：{place}").format(place=alert.place),
        _("现状：{state}").format(state=_state(alert, station)),
    )
    if alert.state == "active":
        facts = (_("{label}：{value}").format(label=fact.label, value=fact.value) for fact in alert.facts)
        lines = [entry.summary, place, *facts, _("请联系：{tell}").format(tell=alert.tell), state]
    else:
        # The rest was written while it went on: "call if you see him" under "found" would send people out again.
        lines = [place, state]
    return Message(
        form="alert",
        title=f"{exercise}{news}【{_outcome(alert, station) or alert.form}】{entry.title}",
        items=(_item(entry),),
        body="\n".join(lines),
        footer=footer(station, area) + exercise,
        home=station.url,
        language=station.language,
        over=alert.state != "active",
    )


def compose_correction(
    id: str, title: str, reason: str, url: str, area: str | None, station: Station
) -> Message:
    """That the article ``title`` does not hold, as groups of ``area`` are told it.

    :param url: of its page, which says so too; empty where there is none.
    """
    _ = translations(station.language).gettext
    return Message(
        form="alert",
        title=_("【更正】{title}").format(title=title),
        items=(Item(entry=id, title=title, summary=reason, url=url),),
        body="\n".join(
            (
                _("以前发给大家的“{title}”已撤回，请不要再转。").format(title=title),
                _("原因：{reason}").format(reason=reason),
            )
        ),
        footer=footer(station, area),
        home=station.url,
        language=station.language,
    )


def addressees(slot: Slot, groups: Iterable[Alike], at: datetime) -> list[Alike]:
    """Those of ``groups`` that ``slot`` speaks to at ``at``: it means them, and they have joined by then."""
    return [alike for alike in groups if alike[0].joined <= at and alike[0] in slot]


def reaches(entry: Entry, group: Group) -> bool:
    """Whether ``entry`` is for ``group`` by area and audience."""
    return not any(bar.rule in ("area", "audience") for bar in _group_bars(entry, group))


def footer(station: Station, area: str | None) -> str:
    """Who speaks and whom to call: the station and the first line of the nearest contact card."""
    card = station.contacts_for(area)
    first = " ".join(filter(None, (card[0].role, card[0].name, card[0].phone))) if card else ""
    return " · ".join(filter(None, (station.name, first)))


def season_at(station: Station, at: datetime) -> Season:
    return _SEASONS[at.astimezone(ZoneInfo(station.timezone)).month % 12 // 3]


def _item(entry: Entry) -> Item:
    return Item(entry=entry.id, title=entry.title, summary=entry.summary, url=entry.url, image=entry.image)


def _outcome(alert: AlertEntry, station: Station) -> str:
    """How the alert ended, in one word; empty while it is active."""
    _ = translations(station.language).gettext
    match alert.state:
        case "active":
            return ""
        case "resolved":
            return _("已找到") if alert.form == "走失" else _("已解除")
        case "cancelled":
            return _("已取消")


def _state(alert: AlertEntry, station: Station) -> str:
    _ = translations(station.language).gettext
    match alert.state:
        case "active":
            return _("还在找") if alert.form == "走失" else _("正在处置")
        case "resolved" if alert.form == "走失":
            return _("已找到，请勿再转，谢谢大家")
        case "resolved":
            return _("已解除，请勿再转")
        case "cancelled":
            return _("已取消，以前发的不再有效，请勿再转")
