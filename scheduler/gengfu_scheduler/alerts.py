"""Alerts: who is told of one, and who hears what became of it.

The first telling goes to the groups that a person named, or that the article is for. Whatever follows - news,
the end, a correction of any article - goes to every group that heard of it, and to no other: nobody learns of
a search by hearing that it is over. An exercise goes to the station's own staff only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from gengfu_scheduler.channels.text import CannotRender
from gengfu_scheduler.digest import compose_alert, compose_correction, reaches
from gengfu_scheduler.draft import Draft, Refused
from gengfu_scheduler.message import Broadcast, Group, Message, Planned
from gengfu_scheduler.roster import Roster
from gengfu_scheduler.timetable import Target
from gengfu_site.catalogue import Catalogue, Entry
from gengfu_templates.i18n import _

LASTS = timedelta(hours=24)
"""How long an alert without an end of its own, or a correction, may still be sent."""
_ALERT, _CORRECTION = "alert", "correction"


def draft_alert(
    entry: Entry, roster: Roster, now: datetime, *, to: Target | None = None, linked: bool = True
) -> Draft:
    """The first telling of the alert ``entry``.

    :param to: the groups that are meant; None: those that the article is for.
    :param linked: whether its page can be opened; if not, the text goes without the link.
    :raises Refused: it is not live, it has ended, or no group is meant.
    """
    _expect_going_on(entry, roster, now)
    meant = (g for g in roster.groups.values() if (g in to if to else reaches(entry, g)))
    if entry.alert and entry.alert.status == "exercise":
        staff = roster.timetable.staff
        if staff is None:
            raise Refused(_("演练只发给本单位的群：先在 timetable.yml 的 staff 里写明是哪些群。"))
        meant = (g for g in meant if g in staff)
    draft = _draft(entry, [g for g in meant if g.joined <= now], roster, now, linked=linked, follows=False)
    if not draft.planned:
        if entry.alert and entry.alert.status == "exercise":
            raise Refused(
                _(
                    "没有对得上的群：演练只发给 timetable.yml 里 staff 写明的群，用 --to group=群编号 写明是哪几个。"
                )
            )
        raise Refused(_("没有对得上的群：检查 --to、文章的 areas 和 audience，以及群清单。"))
    return draft


def draft_follow_up(
    entry: Entry, heard: Collection[str], roster: Roster, now: datetime, *, linked: bool = True
) -> Draft:
    """What became of the alert ``entry``, for the groups that heard of it.

    :param heard: their ids; those no longer listed are left out.
    """
    groups = [group for group in roster.groups.values() if group.id in heard]
    return _draft(entry, groups, roster, now, linked=linked, follows=True)


def draft_correction(
    entry: Entry, reason: str, heard: Collection[str], roster: Roster, now: datetime, *, linked: bool = True
) -> Draft:
    """A correction of the article ``entry`` for every group that was told it.

    :param entry: as it is withdrawn.
    :param heard: ids of those groups.
    :param linked: whether its page, which says why it was withdrawn, can be opened.
    """
    groups = [group for group in roster.groups.values() if group.id in heard]

    @cache
    def compose(area: str | None) -> Message:
        url = entry.url if linked else ""
        return compose_correction(entry.id, entry.title, reason, url, area, roster.catalogue.station)

    return Draft(
        broadcast=Broadcast(
            key=correction_key(entry),
            form="alert",
            title=compose(None).title,
            scheduled_for=now,
            expires=now + LASTS,
        ),
        planned=tuple(_planned(((g, compose(g.area)) for g in groups), roster, now)),
    )


def alert_key(entry: Entry) -> str:
    """The key of the broadcast that tells of the alert as it is now: whoever was told that is not told it again."""
    return f"{_ALERT}:{entry.id}:{entry.revision}"


def correction_key(entry: Entry) -> str:
    """The key of the broadcast that corrects the article as it was withdrawn."""
    return f"{_CORRECTION}:{entry.id}:{entry.revision}"


def alert_of(key: str) -> str:
    """The id of the alert that the broadcast ``key`` tells of."""
    return key.split(":")[1]


def is_over(key: str, catalogue: Catalogue) -> bool:
    """Whether the alert of the broadcast ``key`` ended, or is gone, after that was planned.

    A newer revision of an alert that is still active does not end it.
    """
    _form, id, revision = key.split(":")
    entry = next((entry for entry in catalogue.entries if entry.id == id), None)
    return (
        entry is None or entry.alert is None or (entry.revision != revision and entry.alert.state != "active")
    )


def _expect_going_on(entry: Entry, roster: Roster, now: datetime) -> None:
    """
    :raises Refused: the alert is not public yet, or is over.
    """
    zone = roster.timetable.timezone
    if entry.published > now:
        raise Refused(
            _("警情“{title}”要到 {when:%m-%d %H:%M} 才公开，还不能发：把 published 改成现在或更早。").format(
                title=entry.title, when=entry.published.astimezone(zone)
            )
        )
    if entry.expires and entry.expires <= now:
        raise Refused(
            _("警情“{title}”在 {when:%m-%d %H:%M} 已过期，不能发：还有效就把 expires 改晚。").format(
                title=entry.title, when=entry.expires.astimezone(zone)
            )
        )
    if not _goes_on(entry):
        raise Refused(
            _("警情“{title}”已经结束，没收到过的群不再通知；收到过的群用 gengfu update {id} 通知。").format(
                title=entry.title, id=entry.id
            )
        )


def _until(entry: Entry, now: datetime) -> datetime:
    """Until when it may still be told. Its end is worth telling after the time that the alert itself had."""
    return entry.expires if _goes_on(entry) and entry.expires and entry.expires > now else now + LASTS


def _goes_on(entry: Entry) -> bool:
    return entry.alert is not None and entry.alert.state == "active"


def _draft(
    entry: Entry, groups: Iterable[Group], roster: Roster, now: datetime, *, linked: bool, follows: bool
) -> Draft:
    told = entry if linked else replace(entry, url="")

    @cache
    def compose(area: str | None) -> Message:
        return compose_alert(told, area, roster.catalogue.station, follows=follows)

    return Draft(
        broadcast=Broadcast(
            key=alert_key(entry),
            form="alert",
            title=entry.title,
            scheduled_for=now,
            expires=_until(entry, now),
            # An end is told even when its page is in the catalogue no more.
            linked=linked and _goes_on(entry),
        ),
        planned=tuple(_planned(((g, compose(g.area)) for g in groups), roster, now)),
    )


def _planned(told: Iterable[tuple[Group, Message]], roster: Roster, now: datetime) -> Iterator[Planned]:
    """Each group's message in the parts that its platform wants; groups told alike on one platform share them."""
    parts: dict[object, tuple[Message, ...]] = {}
    for group, message in told:
        alike = (message, group.reach, group.platform, group.keyword)
        if alike not in parts:
            try:
                parts[alike] = roster.channels.parts(message, group)
            except CannotRender:
                parts[alike] = (message,)  # the delivery will be refused, with the reason and by name
        yield Planned(group=group.id, messages=parts[alike], not_before=now, way=group.reach)
