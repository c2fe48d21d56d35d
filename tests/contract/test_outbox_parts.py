"""A message in parts: told in order, taken up again where it stopped, never with a hole in the middle."""

from __future__ import annotations

import pytest

from gengfu_scheduler.message import (
    Delivery,
    Dropped,
    Handed,
    Outcome,
    Rejected,
    Sent,
    Throttled,
    Unknown,
    Unsent,
)
from gengfu_scheduler.outbox import Outbox
from outboxes import HOUR, MINUTE, NOON, SECOND, plan, send

OK = Sent(confirmed=True)


def parts(deliveries: list[Delivery]) -> str:
    return " ".join(f"{d.group}{d.part}" for d in deliveries)


def standing(outbox: Outbox) -> str:
    return " ".join(f"{d.group}{d.part}:{d.state}" for d in outbox.deliveries("alert:F:1"))


def plan_alert(outbox: Outbox, groups: str, *, parts: int) -> int:
    return plan(outbox, groups, form="alert", key="alert:F:1", parts=parts)


def test_a_part_leaves_when_the_one_before_it_has_ended(outbox: Outbox) -> None:
    assert plan_alert(outbox, "A B", parts=2) == 4
    first = outbox.claim(now=NOON)
    assert parts(first) == "A1 B1"
    assert [(d.message.part, d.message.parts) for d in first] == [(1, 2), (1, 2)]
    assert outbox.claim(now=NOON) == []
    outbox.settle([(first[1].id, OK)], now=NOON)
    assert parts(outbox.claim(now=NOON)) == "B2"
    outbox.settle([(first[0].id, Unknown(reason="超时"))], now=NOON)
    assert outbox.claim(now=NOON) == []  # it goes once more, and only then the next
    assert parts(outbox.claim(now=NOON + MINUTE)) == "A1"


def test_an_interrupted_alert_goes_on_at_its_first_unsent_part(outbox: Outbox, url: str) -> None:
    plan_alert(outbox, "A", parts=3)
    send(outbox, OK)
    outbox.claim(now=NOON)
    with Outbox(url, random=lambda: 0.5) as restarted:
        restarted.recover(now=NOON)
        (second,) = restarted.claim(now=NOON + MINUTE)
        assert (second.part, second.message.resent, second.resent) == (2, True, True)
        restarted.settle([(second.id, OK)], now=NOON + MINUTE)
        (third,) = restarted.claim(now=NOON + MINUTE)
        assert (third.part, third.message.resent) == (3, False)


@pytest.mark.parametrize(
    ("outcome", "after", "rest"),
    [
        (Rejected(reason="40058"), "rejected", "cancelled"),
        (Throttled(after=1, reason="45033", retries=0), "rejected", "cancelled"),
        (Dropped(reason="已撤回"), "cancelled", "cancelled"),
        (Unsent(reason="refused"), "pending", "pending"),
        (Handed(to="王姐"), "handed", "pending"),
    ],
)
def test_without_a_part_that_is_refused_those_after_it_do_not_leave(
    outbox: Outbox, outcome: Outcome, after: str, rest: str
) -> None:
    plan_alert(outbox, "A B", parts=3)
    outbox.settle([(outbox.claim(now=NOON)[0].id, outcome)], now=NOON)
    assert standing(outbox) == f"A1:{after} A2:{rest} A3:{rest} B1:sending B2:pending B3:pending"
    if rest == "cancelled":
        reason = outbox.deliveries("alert:F:1")[2].reason
        assert reason == f"前面第 1 段没有发出：{outcome.reason}"  # type: ignore[union-attr]


def test_a_part_of_which_nobody_knows_keeps_none_after_it_back(outbox: Outbox) -> None:
    plan(outbox, "A", key="digest", parts=2)
    send(outbox, Unknown(reason="超时"))
    assert parts(outbox.claim(now=NOON)) == "A2"


def test_it_is_the_part_whose_turn_it_is_that_says_when_to_wake_up(outbox: Outbox) -> None:
    plan_alert(outbox, "A", parts=2)
    (first,) = outbox.claim(now=NOON)
    assert outbox.due_at() == NOON + HOUR  # of the alert itself: what is on its way wakes nobody
    outbox.settle([(first.id, Unsent(reason="refused"))], now=NOON)
    assert outbox.due_at() == NOON + 2 * SECOND


def test_an_alert_pushed_again_goes_on_at_the_part_that_was_refused(outbox: Outbox) -> None:
    plan_alert(outbox, "A", parts=3)
    send(outbox, OK)
    send(outbox, Rejected(reason="40058"))
    assert plan_alert(outbox, "A", parts=3) == 2
    assert parts(outbox.claim(now=NOON)) == "A2"


def test_what_is_over_by_the_time_it_would_leave_is_cancelled_with_why(outbox: Outbox) -> None:
    plan(outbox, "A", key="k")
    send(outbox, Dropped(reason="文章已撤回"))
    (delivery,) = outbox.deliveries("k")
    assert (delivery.state, delivery.reason) == ("cancelled", "文章已撤回")
    assert outbox.told(["A"]) == {}
