"""What an owner sees of a task, and what a tick does.

A page is a function of the outbox, the groups and the catalogue as they are when it is asked for, so what is over
or withdrawn leaves it by itself. A tick is that person's word, kept as such, and never called sent or confirmed.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qs

from gengfu_scheduler.alerts import alert_of, is_over
from gengfu_scheduler.channels.hand import TaskPages
from gengfu_scheduler.channels.text import Templates
from gengfu_scheduler.desk.server import Answer
from gengfu_scheduler.digest import still_told
from gengfu_scheduler.message import Delivery, Message, is_alert
from gengfu_scheduler.outbox import HandTask, Outbox
from gengfu_scheduler.roster import Roster
from gengfu_templates import MESSAGES
from gengfu_templates.i18n import officer_language

BATCH = 9
"""Chats that WeChat forwards one message to at a time."""
_TEMPLATE = "task.html"
_TEMPLATES = Templates()

Standing = Literal["open", "news", "ended", "withdrawn"]
"""Of what a page was made for: to be passed on; there is something newer of the same alert; that alert is over;
nothing of it is to be told any more."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One group on a page."""

    id: str
    name: str
    done: bool


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Groups that can be told in one go."""

    number: int
    rows: tuple[Row, ...]

    @property
    def waiting(self) -> str:
        """The ids of those not told yet, as a form has them."""
        return " ".join(row.id for row in self.rows if not row.done)


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What some of an owner's groups are to be told alike."""

    title: str
    texts: tuple[str, ...]
    """One after another; a long alert has several."""
    picture: str | None
    """Address of the picture that goes with it."""
    link: str | None
    """Address of the page it is about."""
    batches: tuple[Batch, ...]


class Tasks:
    """The task pages of one station."""

    def __init__(self, outbox: Outbox, roster: Callable[[], Roster], pages: TaskPages) -> None:
        """
        :param roster: as it is now; called from several threads.
        """
        self._outbox = outbox
        self._roster = roster
        self._pages = pages

    def find(self, token: str) -> tuple[int, str] | None:
        """The number of the broadcast, and the owner, whose page's address ends in ``token``."""
        number, found = int(token.partition("-")[0]), None
        for key, owner in self._outbox.owners(number):
            if hmac.compare_digest(self._pages.token(number, key, owner), token):
                found = number, owner
        return found

    def page(self, number: int, owner: str, *, now: datetime) -> Answer:
        """The page of ``owner``; where its alert is over, what there is to pass on instead."""
        roster = self._roster()
        everyone = self._outbox.hand_tasks(number)
        task = next(task for task in everyone if task.owner == owner)
        shown: HandTask | None = task
        standing: Standing = "open"
        if task.broadcast.form == "alert" and task.broadcast.expires <= now:
            everyone = self._newer(task, now) or everyone
            shown = next((t for t in everyone if t.owner == owner and t.number != number), None)
            ended = not is_alert(task.broadcast.key) or is_over(task.broadcast.key, roster.catalogue)
            standing = "news" if shown and not ended else "ended"
        tellings = self._tellings(shown, roster, now) if shown else ()
        if standing == "open" and not tellings:
            standing = "withdrawn"
        html = _TEMPLATES.render(
            _TEMPLATE,
            (language := officer_language()),
            language=language,
            standing=standing,
            task=task,
            shown=shown,
            tellings=tellings,
            form=self._token(shown) if shown else "",
            others=[other for other in everyone if other.owner != owner],
        )
        pictures = [telling.picture for telling in tellings if telling.picture]
        return Answer(
            status=200,
            body=html.encode("utf-8", "replace"),
            content_type="text/html; charset=utf-8",
            headers=(("Content-Security-Policy", _policy(pictures)),),
        )

    def tick(self, token: str, number: int, owner: str, form: bytes, *, now: datetime) -> Answer:
        """Note what ``owner`` says in ``form`` to have passed on (``done``: ids), or not after all (``undo``).

        Answered with the way back to the page, there where the tick was made (``at``).
        """
        try:
            fields = parse_qs(form.decode("ascii", "replace"), max_num_fields=10)
        except ValueError:
            return Answer.plain(400)
        at = fields.get("at", [""])[0]
        done, undo = (set(" ".join(fields.get(name, [])).split()) for name in ("done", "undo"))
        deliveries = self._outbox.handed_out(number, owner)
        self._outbox.said([d.id for d in deliveries if d.group in done], owner, now=now)
        self._outbox.unsaid([d.id for d in deliveries if d.group in undo], now=now)
        place = f"#b{at}" if at.isascii() and at.isdecimal() else ""
        return replace(Answer.plain(303), headers=(("Location", f"{token}{place}"),))

    def _token(self, task: HandTask) -> str:
        return self._pages.token(task.number, task.broadcast.key, task.owner)

    def _newer(self, task: HandTask, now: datetime) -> list[HandTask]:
        """What everyone has to pass on by now of the alert of ``task``."""
        if not is_alert(task.broadcast.key):
            return []
        newest = self._outbox.hand_tasks(f"alert:{alert_of(task.broadcast.key)}:")
        return [other for other in newest if other.broadcast.expires > now]

    def _tellings(self, task: HandTask, roster: Roster, now: datetime) -> tuple[Telling, ...]:
        parts: dict[str, list[Delivery]] = {}
        for delivery in self._outbox.handed_out(task.number, task.owner):
            if delivery.state in ("handed", "sent"):
                parts.setdefault(delivery.group, []).append(delivery)

        @cache
        def told(message: Message) -> Message | None:
            return still_told(message, roster.catalogue, now)

        alike: dict[tuple[Message, ...], list[Row]] = {}
        for id, deliveries in parts.items():
            live = tuple(message for d in deliveries if (message := told(d.message)))
            group = roster.groups.get(id)
            row = Row(
                id=id, name=group.name if group else id, done=all(d.state == "sent" for d in deliveries)
            )
            if live:
                alike.setdefault(live, []).append(row)
        tellings, number = [], 0
        for messages, rows in alike.items():
            batches = [
                Batch(number=number + n, rows=tuple(rows[start : start + BATCH]))
                for n, start in enumerate(range(0, len(rows), BATCH), start=1)
            ]
            number += len(batches)
            items = [item for message in messages for item in message.items]
            tellings.append(
                Telling(
                    title=messages[0].title,
                    texts=tuple(map(roster.channels.text_of, messages)),
                    picture=next((i.image for i in items if i.image and _origin(i.image)), None),
                    link=next((i.url for i in items if _origin(i.url)), None),
                    batches=tuple(batches),
                )
            )
        return tuple(tellings)


def _origin(address: str) -> str | None:
    """Scheme and host of a web address; None of any other."""
    found = re.match(r"https?://[\w.:\[\]-]+(?=[/?#]|$)", address, re.ASCII)
    return found and found[0]


def _policy(pictures: Iterable[str]) -> str:
    """A page's Content-Security-Policy: its own style and script by their hashes, and where its pictures are.

    https://www.w3.org/TR/CSP3/
    """
    style, script = _hashes()
    origins = " ".join(sorted({origin for picture in pictures if (origin := _origin(picture))})) or "'none'"
    return (
        f"default-src 'none'; img-src {origins}; style-src '{style}'; script-src '{script}'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


@cache
def _hashes() -> tuple[str, ...]:
    source = (MESSAGES / _TEMPLATE).read_text("utf-8")
    return tuple(
        _hash(source.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]) for tag in ("style", "script")
    )


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
