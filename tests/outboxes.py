"""Outboxes in two or three verbs: plan to some groups, send with one outcome, read who stands where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from gengfu_scheduler.message import Broadcast, Delivery, Form, Item, Message, Outcome, Planned, Reach
from gengfu_scheduler.outbox import Outbox

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SCHEMAS = Path(__file__).with_name("contract") / "schemas"
"""The DDL that the program made at each earlier time. 1 to 8 are version 1, when versions were not yet told apart (1 to 5
carry no number at all); 9 is version 2, and so on."""
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=s) for s in (1, 60, 3600, 86400))


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one outbox after another is. One :class:`Outbox` serves them all: each compiles its statements anew."""

    url: str
    outbox: Outbox
    empty: Callable[[], object]

    def emptied(self) -> Outbox:
        self.outbox.close()
        self.empty()
        return self.outbox


def a_message(*entries: str, title: str = "每日警情提示") -> Message:
    items = tuple(Item(entry=e, title=e, summary="先核实", url=f"https://x.test/{e}/") for e in entries)
    return Message(form="digest", title=title, items=items, footer="青松路派出所", home="https://x.test/")


def plan(
    outbox: Outbox,
    groups: str,
    *,
    form: Form = "digest",
    at: datetime = NOON,
    key: str = "",
    items: str = "7F3K2",
    body: str = "",
    parts: int = 1,
    way: Reach = "webhook",
    linked: bool = True,
    lasts: timedelta = HOUR,
    last_told: datetime | None = NOON + DAY,
) -> int:
    """Plan one broadcast to ``groups`` (blank-separated), due at ``at``, given up an hour later unless it ``lasts``."""
    key = key or f"{form}@{at:%d-%H%M%S}"
    broadcast = Broadcast(key=key, form=form, title=key, scheduled_for=at, expires=at + lasts, linked=linked)
    message = replace(a_message(*items.split()), form=form, body=body, parts=parts)
    messages = tuple(replace(message, part=part) for part in range(1, parts + 1))
    planned = [
        Planned(group=g, messages=messages, not_before=at, way=way, last_told=last_told)
        for g in groups.split()
    ]
    return outbox.plan(broadcast, planned, now=at)


def groups(deliveries: list[Delivery]) -> str:
    return " ".join(d.group for d in deliveries)


def send(outbox: Outbox, outcome: Outcome, *, at: datetime = NOON) -> None:
    """Claim all that is due at ``at`` and end it with ``outcome``."""
    outbox.settle([(d.id, outcome) for d in outbox.claim(now=at)], now=at)


def standing(outbox: Outbox) -> dict[str, str]:
    """Group to state, of all deliveries."""
    keys = [b.broadcast.key for b in outbox.broadcasts()]
    return {d.group: d.state for key in keys for d in outbox.deliveries(key)}


def rows(url: str) -> dict[str, int]:
    """How many rows the tables hold that grow."""
    engine = create_engine(url)
    with engine.connect() as connection:
        counts = {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in (
                "broadcast",
                "delivery",
                "message",
                "message_entry",
                "cohort",
                "cohort_told",
                "missed",
            )
        }
    engine.dispose()
    return counts


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def make_earlier(url: str, schema: int) -> None:
    """The tables as the program once made them, of :data:`SCHEMAS`."""
    ddl = (SCHEMAS / f"{schema}.{make_url(url).get_backend_name()}.sql").read_text("utf-8")
    execute(url, *filter(str.strip, ddl.split(";\n")))
