"""What ended is handed in and what is due is taken, in one transaction; and whether anything is still to be waited for."""

from __future__ import annotations

from datetime import datetime

import pytest

from gengfu_scheduler.message import Delivery, Outcome, Rejected, Sent, Unsent
from gengfu_scheduler.outbox import Outbox
from outboxes import HOUR, MINUTE, NOON, groups, plan, standing

OK = Sent(confirmed=True)


def exchange(
    outbox: Outbox,
    *ended: tuple[Delivery, Outcome],
    held: tuple[tuple[Delivery, datetime], ...] = (),
    limit: int = 200,
    digests: int = 200,
) -> list[Delivery]:
    outcomes = [(delivery.id, outcome) for delivery, outcome in ended]
    back = [(delivery.id, until) for delivery, until in held]
    return outbox.exchange(outcomes, back, now=NOON, limit=limit, digests=digests)


def test_what_ended_is_written_and_others_are_taken_in_its_place(outbox: Outbox) -> None:
    plan(outbox, "A B C D", key="k")
    a, b = exchange(outbox, limit=2)
    assert groups(exchange(outbox, (a, OK), held=((b, NOON + MINUTE),), limit=1)) == "C"
    assert standing(outbox) == {"A": "sent", "B": "pending", "C": "sending", "D": "pending"}


def test_the_next_part_is_taken_as_the_one_before_it_is_handed_in(outbox: Outbox) -> None:
    plan(outbox, "A", form="alert", key="alert:A:1", parts=2)
    (first,) = exchange(outbox)
    (second,) = exchange(outbox, (first, OK))
    assert (first.part, second.part) == (1, 2)


def test_alerts_are_taken_first_and_so_many_digests_at_most(outbox: Outbox) -> None:
    plan(outbox, "A B C D")
    plan(outbox, "E F", form="alert", key="alert:A:1")
    assert groups(exchange(outbox, digests=0)) == "E F"
    assert groups(exchange(outbox, digests=1)) == "A"
    assert groups(exchange(outbox, limit=2, digests=9)) == "B C"


def test_where_nothing_is_to_be_taken_what_ended_is_written_all_the_same(outbox: Outbox) -> None:
    plan(outbox, "A B", key="k")
    a, _b = exchange(outbox)
    assert exchange(outbox, (a, Rejected(reason="40058")), limit=0) == []
    assert standing(outbox) == {"A": "rejected", "B": "sending"}


@pytest.mark.parametrize(
    ("outcome", "open_for_a_while", "open_for_long"),
    [(None, True, True), (OK, False, False), (Unsent(reason="refused"), False, True)],
)
def test_a_broadcast_is_open_while_something_of_it_may_still_leave(
    outbox: Outbox, outcome: Outcome | None, open_for_a_while: bool, open_for_long: bool
) -> None:
    """``sending``, sent, and put off by some seconds."""
    plan(outbox, "A", key="k")
    plan(outbox, "B", key="another")
    assert outbox.is_open("k", until=NOON)
    (a,) = (delivery for delivery in exchange(outbox) if delivery.group == "A")
    if outcome:
        exchange(outbox, (a, outcome), limit=0)
    assert outbox.is_open("k", until=NOON) == open_for_a_while
    assert outbox.is_open("k", until=NOON + HOUR) == open_for_long


def test_what_waits_for_a_disabled_group_is_not_waited_for(outbox: Outbox) -> None:
    plan(outbox, "A", key="k")
    outbox.disable("A", "93000", now=NOON)
    assert not outbox.is_open("k", until=NOON + HOUR)
