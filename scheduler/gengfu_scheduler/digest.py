"""What a group is told: a digest of what is published, or an alert.

Pure: catalogue, group, its history and an instant in, a message out. The rules, in the order of the code:

* An entry reaches a group if it concerns the group's area, if entry and group share an audience or one of
  them names none, and if the group wants its topic or wants all. An alert is never an item of a digest.
* New is what was published within ``fresh`` before the digest *and* since the group joined, and the group
  was not told yet. Publication counts, not updating. What was there before the group joined is not poured
  into it, however long ``fresh`` is; an admin who wants that sets an earlier ``joined``.
* Evergreen entries in season fill up: those the group was never told first, then the one told longest ago;
  none again within ``repeat_after``. So an archive reaches a new group at the pace of ``repeat``.
* Nothing to say gives no message.

Wording is the station's, for residents, not the officer's at the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from gengfu_scheduler.message import Group, Item, Message
from gengfu_scheduler.timetable import MOST_ITEMS, Pick, Slot
from gengfu_site.catalogue import AlertEntry, Catalogue, Entry, Season, Station, concerns
from gengfu_templates.i18n import translations

History = Mapping[str, datetime]
"""Entry id -> when the group was last told it."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_SEASONS: tuple[Season, ...] = ("冬季", "春季", "夏季", "秋季")
"""By ``month % 12 // 3``: winter is December to February."""


def compose(slot: Slot, group: Group, catalogue: Catalogue, told: History, at: datetime) -> Message | None:
    """The digest of ``slot`` for ``group`` at ``at``; None where there is nothing to say.

    :param told: the group's own history.
    """
    return next((m for _group, m in compose_all(slot, [group], catalogue, {group.id: told}, at)), None)


def compose_all(
    slot: Slot,
    groups: Iterable[Group],
    catalogue: Catalogue,
    told: Mapping[str, History],
    at: datetime,
) -> Iterator[tuple[Group, Message]]:
    """The digest for each group that has one, composed once for all groups alike.

    :param told: histories by group id.
    """
    picked = [entry for entry in catalogue.entries if _picked(entry, slot.pick, at)]
    ids = {entry.id for entry in picked}
    composed: dict[object, Message | None] = {}
    for group in groups:
        history = {entry: when for entry, when in told.get(group.id, {}).items() if entry in ids}
        fresh_since = max(at - slot.pick.fresh, group.joined)
        alike = (group.area, group.audience, group.topics, fresh_since, frozenset(history.items()))
        if alike not in composed:
            matching = [entry for entry in picked if _wanted(entry, group)]
            items = _choose(slot.pick, matching, fresh_since, history, catalogue.station, at)
            composed[alike] = _digest(slot, items, catalogue.station, group) if items else None
        if message := composed[alike]:
            yield group, message


def _choose(
    pick: Pick,
    matching: Sequence[Entry],
    fresh_since: datetime,
    told: History,
    station: Station,
    at: datetime,
) -> list[Entry]:
    """What to tell of ``matching``, which is newest first as the catalogue is; so is what comes of it."""
    new = [entry for entry in matching if entry.id not in told and entry.published >= fresh_since][: pick.new]
    season = _SEASONS[at.astimezone(ZoneInfo(station.timezone)).month % 12 // 3]
    repeats = sorted(
        (entry for entry in matching if entry not in new and _repeatable(entry, pick, told, season, at)),
        key=lambda entry: told.get(entry.id, _NEVER),
    )[: pick.repeat]
    return [*new, *repeats][:MOST_ITEMS]


def _digest(slot: Slot, entries: Iterable[Entry], station: Station, group: Group) -> Message:
    return Message(
        form="digest",
        title=slot.title,
        items=tuple(_item(entry) for entry in entries),
        footer=footer(station, group.area),
        home=station.url,
        language=station.language,
    )


def compose_alert(entry: Entry, group: Group, station: Station) -> Message:
    """The alert ``entry`` as ``group`` is told it; an exercise says so at its beginning and at its end.

    :raises ValueError: the entry is no alert.
    """
    alert = entry.alert
    if alert is None:
        raise ValueError(f"entry {entry.id} is no alert")
    _ = translations(station.language).gettext
    exercise = _("【演练】") if alert.status == "exercise" else ""
    lines = [
        entry.summary,
        _("地点：{place}").format(place=alert.place),
        *(_("{label}：{value}").format(label=fact.label, value=fact.value) for fact in alert.facts),
        _("请联系：{tell}").format(tell=alert.tell) if alert.state == "active" else "",
        _("现状：{state}").format(state=_state(alert, station)),
    ]
    return Message(
        form="alert",
        title=f"{exercise}【{_outcome(alert, station) or alert.form}】{entry.title}",
        items=(_item(entry),),
        body="\n".join(line for line in lines if line),
        footer=footer(station, group.area) + exercise,
        home=station.url,
        language=station.language,
    )


def addressees(slot: Slot, groups: Iterable[Group], at: datetime) -> list[Group]:
    """The groups that ``slot`` speaks to at ``at``: those it means and that have joined by then."""
    return [group for group in groups if group.joined <= at and group in slot.to]


def reaches(entry: Entry, group: Group) -> bool:
    """Whether ``entry`` is for ``group`` by area and audience."""
    return concerns(entry.areas, group.area) and (
        not entry.audience or not group.audience or not set(entry.audience).isdisjoint(group.audience)
    )


def footer(station: Station, area: str | None) -> str:
    """Who speaks and whom to call: the station and the first line of the nearest contact card."""
    card = station.contacts_for(area)
    first = " ".join(filter(None, (card[0].role, card[0].name, card[0].phone))) if card else ""
    return " · ".join(filter(None, (station.name, first)))


def _picked(entry: Entry, pick: Pick, at: datetime) -> bool:
    return (
        entry.kind in pick.kinds
        and (not pick.topics or not set(pick.topics).isdisjoint(entry.topics))
        and entry.live(at)
    )


def _wanted(entry: Entry, group: Group) -> bool:
    return reaches(entry, group) and (not group.topics or not set(group.topics).isdisjoint(entry.topics))


def _repeatable(entry: Entry, pick: Pick, told: History, season: Season, at: datetime) -> bool:
    last = told.get(entry.id)
    return (
        entry.evergreen
        and (not entry.season or season in entry.season)
        and (last is None or last <= at - pick.repeat_after)
    )


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
