"""The second pair of eyes: one officer suffices to send an alert, another has looked at it within a day.

Both are in the audit log (:mod:`gengfu_site.audit`): ``alert`` when it was sent, ``review`` when somebody else
looked. Promise (``docs/delivery.md``): whoever sent is not who reviews, by the names that the log has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gengfu_scheduler.draft import Refused
from gengfu_site.audit import Record
from gengfu_templates.i18n import _, series

WITHIN = timedelta(hours=24)

_SENT = ("alert", "alert.failed")
"""One that broke half-way, or was interrupted, may have been sent."""
_UPDATED = ("alert.update", "alert.update.failed")
_REVIEWED = "review"


@dataclass(frozen=True, kw_only=True)
class Unreviewed:
    """An alert that was sent and that nobody else has looked at since."""

    id: str
    title: str
    """Its id, where the log keeps no title: a search's may name the person."""
    senders: tuple[str, ...]
    """Who sent it, and its updates, since it was last reviewed."""
    sent: datetime
    """When it was first sent since then."""
    late: bool
    """It should have been looked at by now."""


def unreviewed(records: Iterable[Record], now: datetime) -> tuple[Unreviewed, ...]:
    """The alerts of the audit log's ``records`` that wait for their review, oldest first."""
    waiting: dict[str, list[Record]] = {}
    for record in records:
        id = record.details.get("id", "")
        if record.action == _REVIEWED:
            waiting.pop(id, None)
        elif record.action in _SENT or (record.action in _UPDATED and id in waiting):
            waiting.setdefault(id, []).append(record)
    return tuple(
        Unreviewed(
            id=id,
            title=str(sent[-1].details.get("title", id)),
            senders=tuple(dict.fromkeys(record.who for record in sent)),
            sent=sent[0].at,
            late=now - sent[0].at > WITHIN,
        )
        for id, sent in waiting.items()
    )


def to_review(id: str, by: str, records: Iterable[Record], now: datetime) -> Unreviewed:
    """The alert that ``by`` may now be said to have looked at.

    :raises Refused: it does not wait for that, or ``by`` sent it.
    """
    waiting = {alert.id: alert for alert in unreviewed(records, now)}
    alert = waiting.get(id) or waiting.get(id.upper())
    if alert is None:
        listed = series(waiting) or _("无")
        raise Refused(_("没有等待复核的警情 {id}。等待复核的：{listed}。").format(id=id, listed=listed))
    if by.strip() in alert.senders:
        raise Refused(_("{by}发的这条警情，要由另一个人复核。用 --by 写上复核人。").format(by=by.strip()))
    return alert
