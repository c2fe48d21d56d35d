"""What one group was told of one article is kept delivery by delivery, however each ended."""

from __future__ import annotations

from gengfu_scheduler.message import Rejected, Sent
from gengfu_scheduler.outbox import Outbox
from outboxes import HOUR, MINUTE, NOON, plan, send


def tellings(outbox: Outbox, group: str, entry: str) -> list[str]:
    return [f"{told.broadcast} {told.fate} {told.reason}".strip() for told in outbox.tellings(group, entry)]


def test_every_delivery_that_tells_of_it_is_named_newest_first_with_how_it_ended(outbox: Outbox) -> None:
    plan(outbox, "g1 g2", key="first", items="a b")
    send(outbox, Rejected(reason="93000"))
    plan(outbox, "g1", key="second", items="a", at=NOON + MINUTE)
    send(outbox, Sent(confirmed=True), at=NOON + MINUTE)
    plan(outbox, "g1", key="third", items="b", at=NOON + HOUR)
    assert tellings(outbox, "g1", "a") == ["second confirmed", "first rejected 93000"]
    assert tellings(outbox, "g1", "b") == ["third pending", "first rejected 93000"]
    assert tellings(outbox, "g2", "a") == ["first rejected 93000"]
    assert tellings(outbox, "g2", "c") == []
